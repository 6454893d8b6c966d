//! Blocks of one region to one native function, `fn(context, block) -> status`.
//!
//! The translator walks chains of blocks: a head, which is entered with the stack in memory, and the blocks that
//! only a `jumpi` before them falls into, which keep the virtual stack. Words and their arithmetic are in
//! [`words`], the stack in [`vstack`], exits in [`exits`], operations in [`ops`].
//!
//! Every way out of compiled code leaves the frame exactly as the interpreter has it at that instruction. Gas is
//! charged per block at its head, so what is not yet executed is given back wherever gas can be seen.

mod calls;
mod carried;
mod counting;
mod exits;
mod gate;
mod known;
mod lowering;
mod meter;
mod ops;
mod paths;
mod vstack;
mod words;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self, AliasRegion, AliasRegionData, Function, InstBuilder, MemFlagsData, SigRef, StackSlot, Value, types,
};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};
use zvm::bytecode::{Code, Op};
use zvm::gas::STACK_LIMIT;
use zvm::outcome::Trap;

use crate::analysis::Analysis;
use crate::analysis::blocks::{Block, BlockId, Terminator};
use crate::analysis::heights::{self, Height};
use crate::analysis::regions::Region;
use crate::builtins::Builtin;
use crate::options::{JitOptions, Mistake};

pub(crate) use gate::{gate_signature, region_signature, translate_gate};
pub use lowering::{Lowering, lowering};
pub(crate) use ops::is_pure;
use vstack::{Slot, VStack};
use words::Word;

/// More dirty slots than this are written before a branch, so that no slot is stored once per exit.
const DIRTY_AT_BRANCH_MAX: usize = 8;

/// The same in a loop whose words are carried; there they are dirty most of the time.
const DIRTY_AT_BRANCH_MAX_IN_LOOP: usize = 16;

/// Words of room that a test of the stack asks for at least.
const ROOM_AT_ONCE: i32 = 32;

/// A region gets a guarded operation for so many instructions, and a few more.
const OPS_PER_GUARD: usize = 16;
/// See [`OPS_PER_GUARD`].
const GUARDS_MIN: usize = 8;

/// Memory regions that never overlap, for Cranelift's alias analysis.
#[derive(Clone, Copy)]
struct Regions {
    frame: AliasRegion,
    stack: AliasRegion,
    memory: AliasRegion,
    context: AliasRegion,
}

/// Translates one region.
pub(crate) struct Translator<'a> {
    b: FunctionBuilder<'a>,
    code: &'a Code,
    analysis: &'a Analysis,
    options: &'a JitOptions,
    region: Region,
    regions: Regions,
    /// The run context, first parameter.
    context: Value,
    /// How Rust code is called.
    native_call_conv: CallConv,
    frame: Value,
    /// Bottom word of the operand stack.
    stack_base: Value,
    /// Gas left after the charge of the current block.
    gas: Variable,
    /// Pointer above the top word; valid at heads of unknown height.
    top: Variable,
    /// Native block of each head in the region.
    heads: Vec<ir::Block>,
    shared: exits::Shared,
    loops: Vec<carried::CarriedLoop>,
    /// Where in which loop the chain under translation is.
    in_loop: Option<carried::InLoop>,
    scratch: Option<StackSlot>,
    /// Operations that may still be translated for short operands as well as for long ones.
    guards_left: usize,
    signatures: Vec<Option<SigRef>>,
    /// Bytes that memory is known to hold in the chain under translation.
    memory_known: u64,
    /// What branches of the chain have told.
    known: known::Known,
    /// What stack checks of the chain have told.
    bounds: paths::Bounds,
    /// Gas that a test has shown to be there beside what is charged.
    gas_ahead: u64,
    /// Gas that is charged and not yet taken, because more will be soon; it is there.
    gas_owed: u64,
    /// The chain under translation and the copies made.
    path: paths::Path,
    /// Operations of the block behind the one under translation.
    operations_after: usize,
    /// State of the chain under translation.
    stack: VStack,
    /// Height at the chain's head.
    head_height: Height,
    /// [`Translator::top`] at the chain's head, where its height is unknown.
    head_top: Value,
}

/// Whether a block can be entered from outside its chain.
pub(crate) fn is_head(analysis: &Analysis, id: BlockId) -> bool {
    !analysis.blocks[id as usize].follows_jumpi
}

/// Whether a block is left to the interpreter.
pub(crate) fn is_excluded(analysis: &Analysis, options: &JitOptions, id: BlockId) -> bool {
    analysis.heights[id as usize] == Height::Unreached
        || options.perturbation.exit_every.is_some_and(|n| id % n == 0)
}

/// Translates the blocks of `region` into `func`, which has the signature of a region.
pub(crate) fn translate_region(
    func: &mut Function,
    builder_context: &mut FunctionBuilderContext,
    code: &Code,
    analysis: &Analysis,
    options: &JitOptions,
    region: Region,
    isa: &dyn TargetIsa,
) {
    let mut alias = |user_id, description: &'static str| {
        func.dfg.alias_regions.insert(AliasRegionData { user_id, description: description.into() })
    };
    let regions = Regions {
        frame: alias(0, "frame"),
        stack: alias(1, "stack"),
        memory: alias(2, "memory"),
        context: alias(3, "context"),
    };
    let mut b = FunctionBuilder::new(func, builder_context);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    let &[context, block, frame, stack_base, gas_at_entry, top_at_entry] = b.block_params(entry) else {
        unreachable!("the signature of a region has six parameters");
    };
    let heads = region.clone().map(|_| b.create_block()).collect();
    let shared = exits::Shared::new(&mut b);
    let gas = b.declare_var(types::I64);
    let top = b.declare_var(types::I64);
    b.def_var(gas, gas_at_entry);
    b.def_var(top, top_at_entry);
    let region_blocks = region.len();
    let region_ops = region.clone().map(|id| analysis.blocks[id as usize].instrs.len()).sum();
    let mut translator = Translator {
        b,
        code,
        analysis,
        options,
        region,
        regions,
        context,
        native_call_conv: isa.default_call_conv(),
        frame,
        stack_base,
        gas,
        top,
        heads,
        shared,
        loops: Vec::new(),
        in_loop: None,
        scratch: None,
        guards_left: region_ops / OPS_PER_GUARD + GUARDS_MIN,
        signatures: vec![None; Builtin::COUNT],
        memory_known: 0,
        known: known::Known::default(),
        bounds: paths::Bounds::default(),
        gas_ahead: 0,
        gas_owed: 0,
        path: paths::Path::new(region_ops, region_blocks),
        operations_after: 0,
        stack: VStack::new(),
        head_height: Height::Unknown,
        head_top: top_at_entry,
    };
    translator.b.ins().jump(translator.shared.dispatch, &[block.into()]);
    if options.carry_loops {
        translator.plan_loops();
    }
    translator.heads();
    translator.shared_exits();
    translator.b.seal_all_blocks();
    translator.b.finalize(isa.frontend_config());
}

impl Translator<'_> {
    fn head(&self, id: BlockId) -> ir::Block {
        self.heads[(id - self.region.start) as usize]
    }

    fn begin_chain(&mut self, id: BlockId) {
        self.b.switch_to_block(self.head(id));
        self.stack = VStack::new();
        self.memory_known = 0;
        self.known = known::Known::default();
        self.gas_ahead = 0;
        self.gas_owed = 0;
        self.head_height = match self.analysis.heights[id as usize] {
            Height::Unreached => Height::Unknown,
            height => height,
        };
        if self.head_height == Height::Unknown {
            self.head_top = self.b.use_var(self.top);
        }
    }

    /// Translates one block; the builder stands at its start. Gives the block that goes on with the same virtual
    /// stack, if any; the builder then stands there.
    fn block(&mut self, id: BlockId) -> Option<BlockId> {
        let analysis = self.analysis;
        let block = &analysis.blocks[id as usize];
        if is_excluded(self.analysis, self.options, id) {
            self.exit_interpret(block.pc);
            return None;
        }
        let instrs = &analysis.instrs[block.instrs.clone()];
        self.mark_place(Some(block.pc));
        if let Some(first) = instrs.first() {
            self.note_block(first, 0);
        }
        if !self.check_stack(id) {
            return None;
        }
        let is_cheaper = block.instrs.len() >= 8 && self.makes(Mistake::BlockGas);
        self.charge(id, block.gas.saturating_sub(u64::from(is_cheaper)));
        self.count_block(instrs.len());
        for (number, instr) in instrs.iter().enumerate() {
            self.operations_after = instrs.len() - number - 1;
            self.mark_place(Some(instr.pc));
            if number > 0 {
                self.note_block(instr, instr.gas_after + instr.op.map_or(0, |op| op.info().gas));
            }
            match instr.op.filter(|op| op.immediate_is_legal(instr.immediate)) {
                None => {
                    self.exit_trap(Trap::InvalidOpcode);
                    return None;
                }
                Some(Op::Jump) => return self.jump(block.terminator),
                Some(Op::JumpI) => return self.jump_if(block.terminator),
                Some(op) => {
                    if !self.operation(op, instr) {
                        return None;
                    }
                }
            }
            if self.options.perturbation.flush_always {
                self.flush();
            }
        }
        match block.terminator {
            Terminator::FallThrough(next) => self.go_on(next),
            Terminator::Jump(_) | Terminator::JumpI(..) | Terminator::Asks(_) | Terminator::End => {
                unreachable!("the block's last instruction ends it")
            }
        }
    }

    /// Whether a mistake is to be made, which no usable build can be asked for.
    fn makes(&self, mistake: Mistake) -> bool {
        self.options.perturbation.makes(mistake)
    }

    /// Tests the stack for the whole block; false when the test always fails and the exit is all there is.
    fn check_stack(&mut self, id: BlockId) -> bool {
        let block = &self.analysis.blocks[id as usize];
        if let Height::Known(height) = self.height_here() {
            let fits = heights::fits(block, height);
            if !fits {
                self.exit_interpret(block.pc);
            }
            return fits;
        }
        // All in words at the head of the path.
        let here = self.stack.height();
        let lowest = i32::from(block.need) - here;
        let room = block.growth + here;
        if lowest <= self.bounds.lowest && room <= self.bounds.room {
            return true;
        }
        // More room than this block needs, so that those behind it need no test; who has so little left is
        // interpreted.
        let room = if room <= self.bounds.room { room } else { room.max(ROOM_AT_ONCE) };
        let range = STACK_LIMIT as i32 - room - lowest.max(0);
        if range < 0 {
            self.exit_interpret(block.pc);
            return false;
        }
        // One unsigned comparison for both ends: lowest <= height at the head <= limit - room.
        let lowest = lowest.max(0);
        let bytes = self.b.ins().isub(self.head_top, self.stack_base);
        let need = self.imm(i64::from(lowest) * 32);
        let above = self.b.ins().isub(bytes, need);
        let range = self.imm(i64::from(range) * 32);
        let fails = self.b.ins().icmp(IntCC::UnsignedGreaterThan, above, range);
        let pc = block.pc;
        self.cold_branch(fails, |t| t.exit_interpret(pc));
        self.bounds.lowest = self.bounds.lowest.max(lowest);
        self.bounds.room = self.bounds.room.max(room);
        true
    }

    /// Charges the gas of a block at its head: in a loop, with a test for the whole round where one begins.
    fn charge(&mut self, id: BlockId, cost: u64) {
        if cost == 0 {
            return;
        }
        if cost <= self.gas_ahead {
            self.gas_ahead -= cost;
            self.gas_owed += cost;
            return;
        }
        let Block { exact, pc, .. } = self.analysis.blocks[id as usize];
        let round = self.gas_of_round(id);
        if self.is_round() {
            self.gas_ahead = round - cost;
            let fails = self.take_gas_and_test(cost, self.gas_ahead);
            self.cold_branch(fails, |t| {
                let gas = t.gas_with(cost);
                t.set_gas(gas);
                t.exit_interpret(pc);
            });
            return;
        }
        let fails = self.is_short_of(cost.max(round));
        if exact || round > cost {
            self.cold_branch(fails, |t| t.exit_interpret(pc));
        } else {
            let go_on = self.b.create_block();
            self.b.ins().brif(fails, self.shared.out_of_gas, &[], go_on, &[]);
            self.b.seal_block(go_on);
            self.b.switch_to_block(go_on);
        }
        self.take_gas(cost);
        self.gas_ahead = round.saturating_sub(cost);
    }

    // --- the stack ---

    /// Address of a position, as base and offset.
    fn slot_address(&self, position: i32) -> (Value, i32) {
        match self.head_height {
            Height::Known(height) => (self.stack_base, (i32::from(height) + position) * 32),
            Height::Unknown | Height::Unreached => (self.head_top, position * 32),
        }
    }

    fn position_address(&mut self, position: i32) -> Value {
        let (base, offset) = self.slot_address(position);
        if offset == 0 {
            return base;
        }
        let offset = self.imm(i64::from(offset));
        self.b.ins().iadd(base, offset)
    }

    fn load_slot(&mut self, position: i32) -> Word {
        let (base, offset) = self.slot_address(position);
        let flags = self.flags(self.regions.stack);
        Word::Full(std::array::from_fn(|i| self.b.ins().load(types::I64, flags, base, offset + 8 * i as i32)))
    }

    fn store_slot(&mut self, position: i32, word: Word) {
        let (base, offset) = self.slot_address(position);
        let flags = self.flags(self.regions.stack);
        for (i, limb) in self.limbs(word).into_iter().enumerate() {
            self.b.ins().store(flags, limb, base, offset + 8 * i as i32);
        }
    }

    /// Word `n`, 1 = top, in SSA values.
    fn peek(&mut self, n: usize) -> Word {
        match *self.stack.word(n) {
            Slot::Value { word, .. } => word,
            Slot::Memory(home) => {
                let word = self.load_slot(home);
                *self.stack.word(n) = Slot::Value { word, home: Some(home) };
                word
            }
        }
    }

    fn pop(&mut self) -> Word {
        let word = self.peek(1);
        self.stack.drop_top();
        word
    }

    fn push(&mut self, word: Word) {
        self.stack.push(Slot::Value { word, home: None });
    }

    /// Writes what differs from memory; all slots are clean then.
    fn flush(&mut self) {
        for (position, word) in self.write_dirty() {
            self.demand_word(word);
            self.stack.set(position, Slot::Value { word, home: Some(position) });
        }
    }

    /// Writes what differs from memory and leaves the virtual stack as it is, for a path that leaves here.
    fn write_dirty(&mut self) -> Vec<(i32, Word)> {
        let mut dirty = self.stack.dirty();
        if self.makes(Mistake::StaleWord) {
            dirty.retain(|(_, slot)| slot.home().is_none());
        }
        self.write(dirty)
    }

    fn write(&mut self, dirty: Vec<(i32, Slot)>) -> Vec<(i32, Word)> {
        // Loads before stores: a slot may have to be read from where another is about to be written.
        let words: Vec<(i32, Word)> =
            dirty.into_iter().map(|(position, slot)| (position, self.word_of(slot))).collect();
        for &(position, word) in &words {
            self.store_slot(position, word);
        }
        words
    }

    fn word_of(&mut self, slot: Slot) -> Word {
        match slot {
            Slot::Value { word, .. } => word,
            Slot::Memory(home) => self.load_slot(home),
        }
    }

    /// Before code that may leave in a cold branch: keeps that branch short.
    fn limit_dirty(&mut self) {
        let most = if self.in_loop.is_some() { DIRTY_AT_BRANCH_MAX_IN_LOOP } else { DIRTY_AT_BRANCH_MAX };
        if self.stack.dirty_count() > most {
            self.flush();
        }
    }

    // --- memory access ---

    fn flags(&self, region: AliasRegion) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(Some(region))
    }

    fn load_frame(&mut self, ty: ir::Type, offset: usize) -> Value {
        let flags = self.flags(self.regions.frame);
        self.b.ins().load(ty, flags, self.frame, offset as i32)
    }

    fn store_frame(&mut self, value: Value, offset: usize) {
        let flags = self.flags(self.regions.frame);
        self.b.ins().store(flags, value, self.frame, offset as i32);
    }

    fn load_context(&mut self, ty: ir::Type, offset: usize) -> Value {
        let flags = self.flags(self.regions.context);
        self.b.ins().load(ty, flags, self.context, offset as i32)
    }

    fn imm(&mut self, value: i64) -> Value {
        self.b.ins().iconst(types::I64, value)
    }

    fn imm32(&mut self, value: u32) -> Value {
        self.b.ins().iconst(types::I32, i64::from(value))
    }

    // --- branches and calls ---

    /// Branches to cold code that leaves the function when `condition` holds; goes on otherwise.
    fn cold_branch(&mut self, condition: Value, leave: impl FnOnce(&mut Self)) {
        let cold = self.b.create_block();
        let go_on = self.b.create_block();
        self.b.set_cold_block(cold);
        self.b.ins().brif(condition, cold, &[], go_on, &[]);
        self.b.seal_block(cold);
        self.b.seal_block(go_on);
        self.b.switch_to_block(cold);
        let (gas_ahead, gas_owed) = (self.gas_ahead, self.gas_owed);
        leave(self);
        (self.gas_ahead, self.gas_owed) = (gas_ahead, gas_owed);
        self.b.switch_to_block(go_on);
    }
}
