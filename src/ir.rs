//! The intermediate representation: functions of basic blocks in SSA form with block parameters.
//!
//! A [`Module`] is one piece of code (a contract's runtime code, or its init code). Function 0 is the entry: it
//! dispatches, decodes and never returns. Every value is one 256-bit word; integer types are immediates of the
//! operations that need them ([`ops`] is the table of operations). Every operation has a source span.
//!
//! Lowering builds functions with [`build::FunctionBuilder`], which turns mutable variables into SSA on the fly. [`text`] prints
//! and reads modules, [`verify`] says what a well-formed one is. Where values sit on the machine's stack is not known
//! here: that is `codegen`.

use alloy_primitives::U256;

use crate::source::Span;

pub mod build;
pub mod dominance;
pub mod lower;
pub mod ops;
pub mod opt;
pub mod text;
pub mod verify;

pub use ops::{Effect, ImmKind, Op};

macro_rules! typed_index {
    ($(#[doc = $doc:literal])+ $Name:ident $prefix:literal) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $Name(pub u32);

        impl $Name {
            /// The position in the table that this index is for.
            pub fn index(self) -> usize {
                self.0 as usize
            }

            /// The index of a position; programs never hold 2^32 of anything.
            pub fn new(index: usize) -> Self {
                $Name(u32::try_from(index).expect("fewer than 2^32 entities"))
            }
        }

        impl std::fmt::Display for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl std::fmt::Debug for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    };
}

typed_index! {
    /// A function of a module.
    FuncId "f"
}
typed_index! {
    /// A block of a function; block 0 is its entry.
    BlockId "b"
}
typed_index! {
    /// A value of a function: a block parameter or a result of an operation.
    Value "v"
}
typed_index! {
    /// A data segment of a module.
    DataId "d"
}
typed_index! {
    /// A static buffer of a function.
    SlotId "s"
}

/// One piece of code: a contract's runtime code or its init code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// The name, for people.
    pub name: String,
    /// The functions; [`Module::ENTRY`] is where execution begins.
    pub functions: Vec<Function>,
    /// Bytes placed after the code.
    pub data: Vec<DataSegment>,
}

/// Bytes that `codecopy` can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataSegment {
    /// The name, for people and for whoever fills in the bytes later (`runtime` in init code).
    pub name: String,
    /// The contents.
    pub bytes: Vec<u8>,
}

/// A function: no recursion, any number of parameters and results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// The name, for people.
    pub name: String,
    /// How many words it returns. The parameters are those of its entry block.
    pub result_count: usize,
    /// Static buffers; each execution of the function owns them, and their contents are arbitrary at entry.
    pub slots: Vec<FrameSlot>,
    /// The blocks; [`Function::ENTRY`] is the first, the order of the others is free.
    pub blocks: Vec<Block>,
    /// How many values exist: every [`Value`] is below this.
    pub value_count: usize,
    /// The source of the whole function.
    pub span: Span,
}

/// A static buffer in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameSlot {
    /// Its size; it is placed at a multiple of 32.
    pub bytes: u32,
}

/// A basic block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The values that each jump here supplies.
    pub params: Vec<Value>,
    /// The operations, in execution order.
    pub insts: Vec<Inst>,
    /// How the block ends.
    pub term: Terminator,
    /// The source of the terminator.
    pub term_span: Span,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inst {
    /// Which.
    pub op: Op,
    /// Its immediate, of the kind that the table says.
    pub imm: Imm,
    /// Its operands, as the table names them.
    pub args: Vec<Value>,
    /// The values it defines.
    pub results: Vec<Value>,
    /// The source it stands for.
    pub span: Span,
}

/// The immediate of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Imm {
    /// None.
    None,
    /// A constant.
    Word(U256),
    /// An integer type.
    Type(IntType),
    /// A Panic code.
    Panic(u8),
    /// A function of the module.
    Func(FuncId),
    /// A data segment of the module.
    Data(DataId),
    /// A static buffer of the function.
    Slot(SlotId),
}

impl Imm {
    /// Which kind this is.
    pub fn kind(self) -> ImmKind {
        match self {
            Imm::None => ImmKind::None,
            Imm::Word(_) => ImmKind::Word,
            Imm::Type(_) => ImmKind::Type,
            Imm::Panic(_) => ImmKind::Panic,
            Imm::Func(_) => ImmKind::Func,
            Imm::Data(_) => ImmKind::Data,
            Imm::Slot(_) => ImmKind::Slot,
        }
    }
}

/// The integer type of a checked operation.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IntType {
    signed: bool,
    // Invariant: 1..=32.
    bytes: u8,
}

impl IntType {
    /// `u256`.
    pub const U256: IntType = IntType { signed: false, bytes: 32 };

    /// The type of this many bits, a multiple of 8 from 8 to 256.
    pub fn new(signed: bool, bits: u16) -> Option<IntType> {
        let valid = bits.is_multiple_of(8) && (8..=256).contains(&bits);
        valid.then_some(IntType { signed, bytes: (bits / 8) as u8 })
    }

    /// The unsigned type of this many bits.
    ///
    /// # Panics
    /// If `bits` is not a multiple of 8 from 8 to 256.
    pub fn unsigned(bits: u16) -> IntType {
        IntType::new(false, bits).expect("a width that the language has")
    }

    /// The signed type of this many bits.
    ///
    /// # Panics
    /// If `bits` is not a multiple of 8 from 8 to 256.
    pub fn signed(bits: u16) -> IntType {
        IntType::new(true, bits).expect("a width that the language has")
    }

    /// Whether the type is signed.
    pub fn is_signed(self) -> bool {
        self.signed
    }

    /// The width in bits.
    pub fn bits(self) -> u16 {
        u16::from(self.bytes) * 8
    }

    /// The machine's type byte: bit 7 = signed, bits 0–5 = width in bytes.
    pub fn type_byte(self) -> u8 {
        u8::from(self.signed) << 7 | self.bytes
    }

    /// The least value, as a word.
    pub fn min_word(self) -> U256 {
        if self.signed { U256::MAX << (self.bits() as usize - 1) } else { U256::ZERO }
    }

    /// The greatest value, as a word.
    pub fn max_word(self) -> U256 {
        U256::MAX >> (256 - self.bits() as usize + usize::from(self.signed))
    }
}

impl std::fmt::Display for IntType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", if self.signed { 'i' } else { 'u' }, self.bits())
    }
}

impl std::fmt::Debug for IntType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// A jump to a block with a value for each of its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockCall {
    /// The target; never the entry block.
    pub block: BlockId,
    /// One value for each parameter.
    pub args: Vec<Value>,
}

/// How a block ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Terminator {
    /// Continues in another block.
    Jump(BlockCall),
    /// Continues in `then` if `cond` is not 0, else in `otherwise`.
    Br {
        /// The condition.
        cond: Value,
        /// Where a true condition leads.
        then: BlockCall,
        /// Where a false condition leads.
        otherwise: BlockCall,
    },
    /// Continues where the case equal to `value` leads.
    Switch {
        /// The word looked at.
        value: Value,
        /// Distinct constants and where each leads.
        cases: Vec<(U256, BlockCall)>,
        /// Where every other word leads.
        default: BlockCall,
    },
    /// Returns to the calling function; never in function 0.
    Ret(Vec<Value>),
    /// Ends the frame successfully with memory [address, address + size) as return data.
    Return {
        /// Where the data begins.
        address: Value,
        /// How many bytes.
        size: Value,
    },
    /// Ends the frame, undoes its changes, with memory [address, address + size) as return data.
    Revert {
        /// Where the data begins.
        address: Value,
        /// How many bytes.
        size: Value,
    },
    /// Ends the frame successfully without return data.
    Halt,
    /// Ends the frame as a revert with `Panic(code)`.
    Panic(u8),
    /// Ends the frame exceptionally; what an unfinished or never reached block holds.
    Invalid,
}

impl Terminator {
    /// The blocks that may follow, with the values handed over.
    pub fn successors(&self) -> impl Iterator<Item = &BlockCall> {
        let (first, second, cases): (_, _, &[(U256, BlockCall)]) = match self {
            Terminator::Jump(to) => (Some(to), None, &[]),
            Terminator::Br { then, otherwise, .. } => (Some(then), Some(otherwise), &[]),
            Terminator::Switch { cases, default, .. } => (None, Some(default), cases),
            _ => (None, None, &[]),
        };
        first.into_iter().chain(cases.iter().map(|(_, to)| to)).chain(second)
    }

    /// The blocks that may follow, to change.
    pub fn successors_mut(&mut self) -> impl Iterator<Item = &mut BlockCall> {
        let (first, second, cases): (_, _, &mut [(U256, BlockCall)]) = match self {
            Terminator::Jump(to) => (Some(to), None, &mut []),
            Terminator::Br { then, otherwise, .. } => (Some(then), Some(otherwise), &mut []),
            Terminator::Switch { cases, default, .. } => (None, Some(default), cases),
            _ => (None, None, &mut []),
        };
        first.into_iter().chain(cases.iter_mut().map(|(_, to)| to)).chain(second)
    }

    /// The values that the terminator itself uses, without those handed to blocks.
    pub fn operands(&self) -> impl Iterator<Item = Value> {
        let (first, second, list): (_, _, &[Value]) = match self {
            Terminator::Br { cond, .. } => (Some(*cond), None, &[]),
            Terminator::Switch { value, .. } => (Some(*value), None, &[]),
            Terminator::Return { address, size } | Terminator::Revert { address, size } => {
                (Some(*address), Some(*size), &[])
            }
            Terminator::Ret(values) => (None, None, values),
            Terminator::Jump(_) | Terminator::Halt | Terminator::Panic(_) | Terminator::Invalid => {
                (None, None, &[])
            }
        };
        first.into_iter().chain(second).chain(list.iter().copied())
    }

    /// Calls `f` on every value used, those handed to blocks included.
    pub fn for_each_value_mut(&mut self, mut f: impl FnMut(&mut Value)) {
        match self {
            Terminator::Br { cond, .. } => f(cond),
            Terminator::Switch { value, .. } => f(value),
            Terminator::Return { address, size } | Terminator::Revert { address, size } => {
                f(address);
                f(size);
            }
            Terminator::Ret(values) => values.iter_mut().for_each(&mut f),
            Terminator::Jump(_) | Terminator::Halt | Terminator::Panic(_) | Terminator::Invalid => {}
        }
        self.successors_mut().flat_map(|to| &mut to.args).for_each(f);
    }
}

impl Module {
    /// Where execution begins.
    pub const ENTRY: FuncId = FuncId(0);

    /// An empty module.
    pub fn new(name: impl Into<String>) -> Module {
        Module { name: name.into(), functions: Vec::new(), data: Vec::new() }
    }

    /// Reserves a function so that others can call it before its body exists; see [`Module::define`].
    pub fn declare(
        &mut self,
        name: impl Into<String>,
        param_count: usize,
        result_count: usize,
        span: Span,
    ) -> FuncId {
        let id = FuncId::new(self.functions.len());
        self.functions.push(Function::new(name, param_count, result_count, span));
        id
    }

    /// Gives a declared function its body.
    pub fn define(&mut self, id: FuncId, function: Function) {
        self.functions[id.index()] = function;
    }

    /// Adds bytes to place after the code.
    pub fn add_data(&mut self, name: impl Into<String>, bytes: Vec<u8>) -> DataId {
        let id = DataId::new(self.data.len());
        self.data.push(DataSegment { name: name.into(), bytes });
        id
    }
}

impl Function {
    /// The first block.
    pub const ENTRY: BlockId = BlockId(0);

    /// A function whose only block has the parameters and ends invalid.
    pub fn new(name: impl Into<String>, param_count: usize, result_count: usize, span: Span) -> Function {
        let mut function = Function {
            name: name.into(),
            result_count,
            slots: Vec::new(),
            blocks: Vec::new(),
            value_count: 0,
            span,
        };
        let entry = function.new_block(span);
        for _ in 0..param_count {
            let param = function.new_value();
            function.blocks[entry.index()].params.push(param);
        }
        function
    }

    /// The parameters: those of the entry block.
    pub fn params(&self) -> &[Value] {
        &self.blocks[Function::ENTRY.index()].params
    }

    /// Adds an empty block that ends invalid.
    pub fn new_block(&mut self, span: Span) -> BlockId {
        let id = BlockId::new(self.blocks.len());
        self.blocks.push(Block {
            params: Vec::new(),
            insts: Vec::new(),
            term: Terminator::Invalid,
            term_span: span,
        });
        id
    }

    /// A fresh value.
    pub fn new_value(&mut self) -> Value {
        let value = Value::new(self.value_count);
        self.value_count += 1;
        value
    }

    /// Adds a static buffer.
    pub fn new_slot(&mut self, bytes: u32) -> SlotId {
        let id = SlotId::new(self.slots.len());
        self.slots.push(FrameSlot { bytes });
        id
    }

    /// The blocks with their indices.
    pub fn blocks(&self) -> impl Iterator<Item = (BlockId, &Block)> {
        self.blocks.iter().enumerate().map(|(i, block)| (BlockId::new(i), block))
    }

    /// Every edge: for each block, the blocks that may come before it, one entry per jump.
    pub fn predecessors(&self) -> Vec<Vec<BlockId>> {
        let mut preds = vec![Vec::new(); self.blocks.len()];
        for (id, block) in self.blocks() {
            for to in block.term.successors() {
                preds[to.block.index()].push(id);
            }
        }
        preds
    }

    /// The blocks that can be reached from the entry, in reverse postorder.
    pub fn reverse_postorder(&self) -> Vec<BlockId> {
        let mut seen = vec![false; self.blocks.len()];
        let mut order = Vec::with_capacity(self.blocks.len());
        let mut stack = vec![(Function::ENTRY, false)];
        while let Some((id, done)) = stack.pop() {
            if done {
                order.push(id);
                continue;
            }
            if std::mem::replace(&mut seen[id.index()], true) {
                continue;
            }
            stack.push((id, true));
            for to in self.blocks[id.index()].term.successors() {
                if !seen[to.block.index()] {
                    stack.push((to.block, false));
                }
            }
        }
        order.reverse();
        order
    }
}

impl Block {
    /// The values defined here: parameters, then results in order.
    pub fn defs(&self) -> impl Iterator<Item = Value> {
        self.params.iter().copied().chain(self.insts.iter().flat_map(|inst| inst.results.iter().copied()))
    }
}
