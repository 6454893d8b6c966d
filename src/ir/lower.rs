//! Typed tree to IR: one contract becomes its runtime module and its init module.
//!
//! Lowering keeps the evaluation order of §8 literally: operations appear in the order in which the language
//! evaluates them, and nothing is optimized here beyond choosing a good shape. Values are lists of words
//! ([`values`]); a local is one SSA variable per word, a `Result` is a tag and a payload. Where an `Err` can only
//! reach an entry point, [`plan`] notices it and the function reverts directly (§9.5).
//!
//! | File | Holds |
//! |---|---|
//! | [`function`] | the state of one IR function, bodies, ways to leave a body |
//! | [`stmts`], [`exprs`] | statements and loops; expressions and conditions |
//! | [`references`] | references as parameters, internal calls |
//! | [`matches`] | `match` and patterns |
//! | [`arith`] | arithmetic of all widths, comparisons, casts |
//! | [`places`], [`access`], [`vectors`] | places; loads, stores and assignment; vectors and `bytes` that grow and shrink |
//! | [`storage`], [`containers`], [`stored_bytes`] | words and aggregates in storage; vectors and `bytes` there |
//! | [`memory`], [`whole`] | the heap and what lies on it; comparing, copying and joining values |
//! | [`encode`], [`decode`] | ABI encoding and decoding of every type |
//! | [`helpers`] | functions that the source does not have |
//! | [`errors`] | `require`, `revert`, `Result`, encoded errors |
//! | [`external`] | calls of other contracts, the re-entrancy lock |
//! | [`tried`] | calls whose failure is a value: `try`, low-level calls |
//! | [`create`] | creation of contracts, and where they will be |
//! | [`abi`] | decoding of arguments, encoding of results and events |
//! | [`dispatch`], [`init`] | function 0 of the runtime module and of the init module |
//!
//! What the typed tree can express and lowering cannot is reported as K0998, never translated wrongly.

mod abi;
mod access;
mod arith;
mod containers;
mod create;
mod data;
mod decode;
mod dispatch;
mod encode;
mod errors;
mod exprs;
mod external;
mod function;
mod helpers;
mod init;
mod matches;
mod memory;
mod places;
mod plan;
mod references;
mod services;
mod stmts;
mod storage;
mod stored_bytes;
mod tried;
mod values;
mod vectors;
mod whole;

use alloy_primitives::U256;
use rustc_hash::FxHashMap;

use self::helpers::Helper;
use self::memory::HEAP_POINTER;
use self::plan::Plan;
use self::references::Locations;
use super::{DataId, FuncId, Imm, Inst, Module, Op};
use crate::diag::{Code, Diagnostics};
use crate::sema::typed;
use crate::source::Span;

/// The name of the init module's data segment that code generation fills with the code to deploy, prefix included.
pub const RUNTIME_SEGMENT: &str = "runtime";

/// The name of the data segment that code generation fills with the creation code of the contract at this position.
pub fn creation_segment(contract: u32) -> String {
    format!("create {contract}")
}

/// What a contract is lowered to.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The code that calls execute.
    pub runtime: Module,
    /// The code that creation executes. Its data segment [`RUNTIME_SEGMENT`] is still empty.
    pub init: Module,
    /// Whether creation does more than return the runtime code: a constructor, an initializer or an immutable.
    pub init_required: bool,
}

/// Lowers one contract of a program that was checked without errors.
///
/// Returns nothing when it reported an error.
pub fn lower_contract(
    program: &typed::Program,
    contract: &typed::Contract,
    diags: &mut Diagnostics,
) -> Option<Lowered> {
    let plan = Plan::of(program, contract);
    let mut lower = |part: Part| lower_module(program, contract, &plan, diags, part);
    let (runtime, init) = (lower(Part::Runtime), lower(Part::Init));
    let init_required =
        contract.constructor.is_some() || contract.initializer.is_some() || !contract.immutables.is_empty();
    Some(Lowered { runtime: runtime?, init: init?, init_required })
}

/// One of the two modules of a contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    /// What calls execute.
    Runtime,
    /// What creation executes.
    Init,
}

/// Lowers function 0 of a part, then every function that is called, and verifies the module.
fn lower_module(
    program: &typed::Program,
    contract: &typed::Contract,
    plan: &Plan,
    diags: &mut Diagnostics,
    part: Part,
) -> Option<Module> {
    let name = match part {
        Part::Runtime => contract.name.clone(),
        Part::Init => format!("{}.init", contract.name),
    };
    let mut cx = ModuleCx {
        program,
        contract,
        plan,
        part,
        diags: Diagnostics::new(),
        module: Module::new(name),
        functions: FxHashMap::default(),
        queue: Vec::new(),
        helpers: FxHashMap::default(),
        helper_queue: Vec::new(),
        segments: FxHashMap::default(),
        uses_heap: false,
    };
    cx.module.declare("entry", 0, 0, contract.span);
    match part {
        Part::Runtime => dispatch::lower_entry(&mut cx),
        Part::Init => init::lower_entry(&mut cx),
    }
    loop {
        if let Some((source, locations, id)) = cx.queue.pop() {
            function::lower_function(&mut cx, source, &locations, id);
        } else if let Some((helper, id)) = cx.helper_queue.pop() {
            cx.lower_helper(helper, id);
        } else {
            break;
        }
    }
    if cx.uses_heap {
        cx.set_heap_pointer();
    }
    let ModuleCx { module, diags: reported, .. } = cx;
    let failed = reported.has_errors();
    for diagnostic in &reported {
        // Both modules lower functions that the constructor and the entry points share.
        if !diags.as_slice().contains(diagnostic) {
            diags.push(diagnostic.clone());
        }
    }
    if failed {
        return None;
    }
    match super::verify::verify(&module) {
        Ok(()) => Some(module),
        Err(error) => {
            diags.error(Code::Internal, error.span).arg("detail", &error);
            None
        }
    }
}

/// What the functions of one module share while they are lowered.
struct ModuleCx<'p> {
    program: &'p typed::Program,
    contract: &'p typed::Contract,
    plan: &'p Plan,
    part: Part,
    diags: Diagnostics,
    module: Module,
    // Functions declared so far; those whose body is still missing are in `queue`.
    functions: FxHashMap<(typed::FuncId, Locations), FuncId>,
    queue: Vec<(typed::FuncId, Locations, FuncId)>,
    // Likewise for functions that the source does not have.
    helpers: FxHashMap<Helper, FuncId>,
    helper_queue: Vec<(Helper, FuncId)>,
    // Data segments by their bytes.
    segments: FxHashMap<Vec<u8>, DataId>,
    uses_heap: bool,
}

impl ModuleCx<'_> {
    /// Reports a construct that lowering does not know, once per place.
    fn unsupported(&mut self, span: Span, what: impl std::fmt::Display) {
        let known = self.diags.iter().any(|d| d.code() == Code::Unsupported && d.span() == span);
        if !known {
            self.diags.unsupported(span, what);
        }
    }

    /// Reports a tree that checking should not have let through.
    fn internal(&mut self, span: Span, detail: impl std::fmt::Display) {
        self.diags.error(Code::Internal, span).arg("detail", detail);
    }

    /// The function of the module that a call goes to, declaring it at its first call.
    fn function(&mut self, source: typed::FuncId) -> FuncId {
        self.instance(source, Locations::new())
    }

    /// The function for parameters that refer to these locations, declaring it at its first call.
    fn instance(&mut self, source: typed::FuncId, locations: Locations) -> FuncId {
        let key = (source, locations);
        if let Some(&id) = self.functions.get(&key) {
            return id;
        }
        let func = self.program.function(source);
        let (params, back) = references::instance_words(&self.program.types, func, &key.1);
        let results = self.result_count(source) + back;
        let id = self.module.declare(func.name.clone(), params, results, func.span);
        self.queue.push((source, key.1.clone(), id));
        self.functions.insert(key, id);
        id
    }

    /// How many words an internal call returns.
    fn result_count(&self, source: typed::FuncId) -> usize {
        let types = &self.program.types;
        let result = self.program.function(source).result;
        let returned = match values::result_parts(types, result) {
            Some((ok, _)) if self.plan.reverts_directly(source) => ok,
            _ => result,
        };
        // A type without a word form is reported where the body is lowered.
        values::word_count(types, returned).unwrap_or(0)
    }

    /// How many bytes at the beginning of the heap hold the immutables while the contract is created.
    fn immutables_bytes(&self) -> u64 {
        match self.part {
            Part::Runtime => 0,
            Part::Init => 32 * self.immutable_words(self.contract.immutables.len()),
        }
    }

    /// How many words the first `count` immutables have: the number of the first word of the next one.
    fn immutable_words(&self, count: usize) -> u64 {
        let types = &self.program.types;
        let words = self.contract.immutables.iter().take(count);
        words.map(|immutable| values::word_count(types, immutable.ty).unwrap_or(1) as u64).sum()
    }

    /// The data segment that holds these bytes.
    fn data_segment(&mut self, bytes: &[u8]) -> DataId {
        if let Some(&id) = self.segments.get(bytes) {
            return id;
        }
        let id = self.module.add_data(format!("constant {}", self.segments.len()), bytes.to_vec());
        self.segments.insert(bytes.to_vec(), id);
        id
    }

    /// Makes function 0 begin with the store that makes the heap empty.
    fn set_heap_pointer(&mut self) {
        let reserved = U256::from(self.immutables_bytes());
        let entry = &mut self.module.functions[Module::ENTRY.index()];
        let (address, base) = (entry.new_value(), entry.new_value());
        let (bytes, free) = (entry.new_value(), entry.new_value());
        let span = entry.span;
        let inst = |op, imm, args, results| Inst { op, imm, args, results, span };
        let prologue = [
            inst(Op::HeapBase, Imm::None, vec![], vec![base]),
            inst(Op::Const, Imm::Word(U256::from(HEAP_POINTER)), vec![], vec![address]),
            inst(Op::Const, Imm::Word(reserved), vec![], vec![bytes]),
            inst(Op::Add, Imm::None, vec![base, bytes], vec![free]),
            inst(Op::Mstore, Imm::None, vec![address, free], vec![]),
        ];
        entry.blocks[super::Function::ENTRY.index()].insts.splice(0..0, prologue);
    }
}
