//! The state of one IR function while it is built, and the ways in which a body is left.
//!
//! A typed function becomes an IR function of its own, or, when only the dispatcher or the creation code runs it, its
//! body is placed directly in function 0 ([`Lower::inline_body`]).

use alloy_primitives::U256;

use super::references::{Location, Locations, location_of};
use super::{ModuleCx, values};
use crate::ir::build::{FunctionBuilder, Variable};
use crate::ir::{BlockId, Function, Op, SlotId, Value};
use crate::sema::typed;
use crate::sema::types::{Type, TypeId};
use crate::source::Span;

/// Lowers one called function into its place in the module.
pub(super) fn lower_function(
    cx: &mut ModuleCx<'_>,
    source: typed::FuncId,
    locations: &[Location],
    id: crate::ir::FuncId,
) {
    let program = cx.program;
    let func = program.function(source);
    let declared = &cx.module.functions[id.index()];
    let (params, results) = (declared.params().len(), declared.result_count);
    let exit = if cx.plan.reverts_directly(source) { Exit::RetOk } else { Exit::Ret };
    let builder = FunctionBuilder::new(func.name.clone(), params, results, func.span);
    let mut lower = Lower::new(cx, builder);
    let args = lower.b.params();
    lower.body_at(func, locations, &args, exit);
    let function = lower.finish();
    cx.module.define(id, function);
}

/// What leaving a body means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Exit {
    /// `ret` with the words of the result.
    Ret,
    /// The function reverts directly: `ret` with the words of T, revert for `Err`.
    RetOk,
    /// An entry point: ends the frame with the encoding of the result, or of T; reverts for `Err`.
    Entry,
    /// A `fallback`: ends the frame with the bytes of the result, or of T, as they are; reverts for `Err`.
    Raw,
    /// The body of a function without result, inlined: continues in the block.
    Continue(BlockId),
}

/// Where a range of memory begins.
#[derive(Clone, Copy)]
pub(super) enum Base {
    /// Address 0.
    Zero,
    /// The address that the value is.
    At(Value),
}

/// Targets of the innermost loop.
#[derive(Clone, Copy)]
pub(super) struct Loop {
    pub(super) continue_to: BlockId,
    pub(super) break_to: BlockId,
}

/// One body: what a name or a `return` refers to.
struct Body<'p> {
    function: &'p typed::Function,
    // One variable for each word of each local.
    locals: Vec<Vec<Variable>>,
    // Where what the parameters refer to lies.
    locations: Locations,
    loops: Vec<Loop>,
    exit: Exit,
}

/// One IR function under construction.
pub(super) struct Lower<'a, 'p> {
    pub(super) cx: &'a mut ModuleCx<'p>,
    pub(super) b: FunctionBuilder,
    body: Option<Body<'p>>,
    // Ends the frame with empty data; shared by all checks of the function.
    revert_block: Option<BlockId>,
    // Where data is encoded that does not fit below the static frames, and the size needed. One buffer serves all
    // uses, because each is filled and consumed without anything in between.
    buffer: Option<(SlotId, u32)>,
}

impl<'a, 'p> Lower<'a, 'p> {
    pub(super) fn new(cx: &'a mut ModuleCx<'p>, b: FunctionBuilder) -> Self {
        Lower { cx, b, body: None, revert_block: None, buffer: None }
    }

    /// The finished function.
    pub(super) fn finish(mut self) -> Function {
        if let Some(block) = self.revert_block {
            self.b.seal_block(block);
        }
        let mut function = self.b.finish();
        if let Some((slot, bytes)) = self.buffer {
            function.slots[slot.index()].bytes = bytes;
        }
        function
    }

    /// Lowers the body of `func` here; afterwards nothing falls through.
    pub(super) fn body(&mut self, func: &'p typed::Function, args: &[Value], exit: Exit) {
        self.body_at(func, &[], args, exit);
    }

    /// Like [`body`](Self::body), for parameters that refer to these locations.
    fn body_at(&mut self, func: &'p typed::Function, locations: &[Location], args: &[Value], exit: Exit) {
        let mut locals = Vec::with_capacity(func.locals.len());
        for (index, local) in func.locals.iter().enumerate() {
            let count = self.local_words(local.ty, location_of(locations, index), local.span);
            locals.push((0..count).map(|_| self.b.declare_var()).collect::<Vec<_>>());
        }
        let params = locals[..func.params().len()].concat();
        for (&variable, &value) in params.iter().zip(args) {
            self.b.def_var(variable, value);
        }
        let locations = locations.to_vec();
        let outer = self.body.replace(Body { function: func, locals, locations, loops: Vec::new(), exit });
        let diverges = func.body.ty == TypeId::NEVER;
        match self.statements(&func.body) {
            Some(value) => self.leave_with(value),
            None if diverges => {}
            None => {
                self.b.set_span(Span { start: func.body.span.end, end: func.body.span.end });
                self.leave(&[]);
            }
        }
        self.body = outer;
    }

    /// Lowers the body of a function without result in place and goes on after it.
    pub(super) fn inline_body(&mut self, func: &'p typed::Function, args: &[Value]) {
        let after = self.b.create_block();
        self.body(func, args, Exit::Continue(after));
        self.b.seal_block(after);
        self.b.switch_to(after);
    }

    fn current(&self) -> &Body<'p> {
        self.body.as_ref().expect("statements and expressions stand in a body")
    }

    /// The type of the result of the body at hand.
    pub(super) fn result_type(&self) -> TypeId {
        self.current().function.result
    }

    /// What leaving the body at hand means.
    pub(super) fn exit(&self) -> Exit {
        self.current().exit
    }

    /// The variables that hold a local.
    pub(super) fn local(&self, id: typed::LocalId) -> Vec<Variable> {
        self.current().locals[id.index()].clone()
    }

    /// The type of a local.
    pub(super) fn local_type(&self, id: typed::LocalId) -> TypeId {
        self.current().function.locals[id.index()].ty
    }

    /// Where what a reference parameter refers to lies.
    pub(super) fn location(&self, id: typed::LocalId) -> Location {
        location_of(&self.current().locations, id.index())
    }

    /// The variables of the parameters that come back as results.
    pub(super) fn returned_variables(&self) -> Vec<Vec<Variable>> {
        let Some(body) = &self.body else { return Vec::new() };
        let types = &self.cx.program.types;
        let params = body.function.params().iter().enumerate();
        let returned = params.filter(|(index, param)| {
            matches!(types.get(param.ty), Type::Ref { mutable: true, .. })
                && location_of(&body.locations, *index) == Location::Memory
        });
        returned.map(|(index, _)| body.locals[index].clone()).collect()
    }

    /// Enters a loop.
    pub(super) fn push_loop(&mut self, targets: Loop) {
        self.body.as_mut().expect("loops stand in a body").loops.push(targets);
    }

    /// Leaves the innermost loop.
    pub(super) fn pop_loop(&mut self) {
        self.body.as_mut().expect("loops stand in a body").loops.pop();
    }

    /// The targets of the innermost loop.
    pub(super) fn innermost_loop(&self) -> Option<Loop> {
        self.current().loops.last().copied()
    }

    // Values.

    /// How many words a value of the type is; reports a type that has none yet.
    pub(super) fn words(&mut self, ty: TypeId, span: Span) -> usize {
        let types = &self.cx.program.types;
        values::word_count(types, ty).unwrap_or_else(|| {
            let name = types.display(ty);
            self.cx.unsupported(span, format_args!("a value of type `{name}` here"));
            0
        })
    }

    pub(super) fn zero(&mut self) -> Value {
        self.b.iconst(U256::ZERO)
    }

    /// Brings a list of words to the length that its user relies on.
    ///
    /// They differ only after divergence, where what is computed is never executed, and after a reported error.
    pub(super) fn fit(&mut self, mut words: Vec<Value>, count: usize) -> Vec<Value> {
        words.truncate(count);
        while words.len() < count {
            let zero = self.zero();
            words.push(zero);
        }
        words
    }

    /// `condition` (0 or 1) chooses `then` or `otherwise`, both of which are already computed.
    pub(super) fn select(&mut self, condition: Value, then: Value, otherwise: Value) -> Value {
        let difference = self.b.binary(Op::Xor, then, otherwise);
        let applied = self.b.binary(Op::Mul, difference, condition);
        self.b.binary(Op::Xor, otherwise, applied)
    }

    // Blocks.

    /// The block that reverts with empty data. It is sealed when the function is finished.
    pub(super) fn revert_block(&mut self) -> BlockId {
        if let Some(block) = self.revert_block {
            return block;
        }
        let block = self.b.create_block();
        self.revert_block = Some(block);
        let here = self.b.is_open().then(|| self.b.current_block());
        self.b.switch_to(block);
        self.b.revert_empty();
        if let Some(here) = here {
            self.b.switch_to(here);
        }
        block
    }

    /// Reverts with empty data if `bad` is not 0.
    pub(super) fn revert_if(&mut self, bad: Value) {
        let (revert, good) = (self.revert_block(), self.b.create_block());
        self.b.br(bad, revert, good);
        self.b.seal_block(good);
        self.b.switch_to(good);
    }

    /// `bytes` bytes of memory to encode data in, which the caller consumes before anything else executes.
    ///
    /// At most two words fit into the scratch space (§12). A last use of memory (`may_end_frame`) may also cover
    /// the heap pointer.
    pub(super) fn buffer(&mut self, bytes: u32, may_end_frame: bool) -> Base {
        let low = if may_end_frame { 0x60 } else { 0x40 };
        if bytes <= low {
            return Base::Zero;
        }
        let (slot, size) = match self.buffer {
            Some((slot, size)) => (slot, size.max(bytes)),
            None => (self.b.new_slot(bytes), bytes),
        };
        self.buffer = Some((slot, size));
        Base::At(self.b.frame_addr(slot))
    }

    /// The address `offset` bytes after `base`.
    pub(super) fn address(&mut self, base: Base, offset: u64) -> Value {
        match base {
            Base::At(base) if offset == 0 => base,
            Base::Zero => self.b.iconst_u64(offset),
            Base::At(base) => {
                let offset = self.b.iconst_u64(offset);
                self.b.binary(Op::Add, base, offset)
            }
        }
    }

    /// Stores words one after the other from `base` on.
    pub(super) fn store_words(&mut self, base: Base, first_offset: u64, words: &[Value]) {
        for (index, &word) in words.iter().enumerate() {
            let address = self.address(base, first_offset + 32 * index as u64);
            self.b.mstore(address, word);
        }
    }
}
