//! Basic blocks: where control can enter, how it leaves, what it needs of the stack.

use std::ops::Range;

use alloy_primitives::U256;
use zvm::bytecode::{Code, Op, instructions};
use zvm::compiled::frame::Spec;
use zvm::interp::ops::{asks, runnable};

use super::gas;

/// Number of a block.
pub(crate) type BlockId = u32;
/// No block.
pub(crate) const NO_BLOCK: u32 = u32::MAX;

/// One instruction, decoded for a spec.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instr {
    /// Body offset.
    pub pc: u32,
    /// Body offset of the next instruction.
    pub next_pc: u32,
    /// The operation; `None` for an invalid opcode, which needs nothing of stack or gas.
    pub op: Option<Op>,
    /// First byte of the immediate.
    pub immediate: u8,
    /// Static gas of the instructions of the block after this one.
    pub gas_after: u64,
    /// Whether a later instruction of the block may end the frame in another way than out of gas.
    pub exact_after: bool,
}

/// Where a jump goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// To a block.
    Block(BlockId),
    /// To an offset that is no jump target.
    Invalid,
    /// Known only at run time.
    Dynamic,
}

/// How control leaves a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Terminator {
    /// Into the next block, without an instruction of its own.
    FallThrough(BlockId),
    /// By the last instruction, a `jump`.
    Jump(Target),
    /// By the last instruction, a `jumpi`; the second block follows when the condition is zero.
    JumpI(Target, BlockId),
    /// The last instruction stops the frame with a request; the frame goes on in the next block.
    Asks(BlockId),
    /// The last instruction ends the frame.
    End,
}

/// A basic block.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// Body offset of the head.
    pub pc: u32,
    /// The instructions, in [`Analysis::instrs`](super::Analysis::instrs).
    pub instrs: Range<usize>,
    /// Whether jumps can go to the head.
    pub is_jump_target: bool,
    /// Whether the block continues the chain of the `jumpi` before it, through which alone it is entered.
    pub follows_jumpi: bool,
    /// How control leaves.
    pub terminator: Terminator,
    /// Whether it jumps to an offset that it computes itself.
    pub computes_target: bool,
    /// Static gas of all instructions.
    pub gas: u64,
    /// Whether an instruction may end the frame in another way than out of gas.
    pub exact: bool,
    /// Words that must be on the stack at the head.
    pub need: u16,
    /// Most words that the block has on the stack above the head's.
    pub growth: i32,
    /// Words on the stack at the end, less those at the head.
    pub delta: i32,
}

/// Finds the blocks of `code` and decodes their instructions.
///
/// Where every jump has a known target, only the targets begin blocks; other JUMPDESTs are operations that do
/// nothing, and code that only they lead to is dead.
pub(crate) fn find(code: &Code, spec: &Spec, block_ops_max: usize) -> (Vec<Block>, Vec<Instr>) {
    let (blocks, instrs) = find_with(code, spec, block_ops_max, None);
    let mut targets = vec![false; code.body().len()];
    let mut is_known = true;
    for block in &blocks {
        match block.terminator {
            Terminator::Jump(target) | Terminator::JumpI(target, _) => match target {
                Target::Block(id) => targets[blocks[id as usize].pc as usize] = true,
                Target::Dynamic => is_known = false,
                Target::Invalid => {}
            },
            Terminator::FallThrough(_) | Terminator::Asks(_) | Terminator::End => {}
        }
    }
    if is_known { find_with(code, spec, block_ops_max, Some(&targets)) } else { (blocks, instrs) }
}

/// Finds the blocks, where only the JUMPDESTs among `targets` are jump targets; `None`: all are.
fn find_with(
    code: &Code,
    spec: &Spec,
    block_ops_max: usize,
    targets: Option<&[bool]>,
) -> (Vec<Block>, Vec<Instr>) {
    let mut finder = Finder {
        code,
        block_ops_max,
        targets,
        blocks: Vec::new(),
        instrs: Vec::new(),
        open: None,
        chain: (0, 0),
    };
    let mut end = 0;
    for instruction in instructions(code.body(), code.encoding()) {
        end = instruction.next;
        finder.instruction(Instr {
            pc: instruction.offset as u32,
            next_pc: instruction.next as u32,
            op: runnable(code.encoding(), instruction.byte, spec),
            immediate: instruction.immediate_byte(),
            gas_after: 0,
            exact_after: false,
        });
    }
    let end = end as u32;
    finder.instruction(Instr {
        pc: end,
        next_pc: end,
        op: Some(Op::Halt),
        immediate: 0,
        gas_after: 0,
        exact_after: false,
    });
    finder.close(Terminator::End);
    let Finder { mut blocks, instrs, .. } = finder;
    resolve_targets(code, &mut blocks);
    (blocks, instrs)
}

/// The block under construction.
struct Open {
    first: usize,
    pc: u32,
    follows_jumpi: bool,
    height: i32,
    need: i32,
    growth: i32,
    /// What the block itself has moved or pushed; the last is the top.
    words: Vec<Sym>,
    computes_target: bool,
}

/// A word, as far as jumps are concerned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sym {
    /// On the stack at the head.
    Below,
    /// A constant, capped at 64 bits.
    Const(u64),
    /// The result of an operation.
    Computed,
}

struct Finder<'c> {
    code: &'c Code,
    block_ops_max: usize,
    targets: Option<&'c [bool]>,
    blocks: Vec<Block>,
    instrs: Vec<Instr>,
    open: Option<Open>,
    /// Blocks and instructions of the chain so far.
    chain: (usize, usize),
}

/// Longest chain of blocks that keep one virtual stack; a chain is never cut by a region's border.
const CHAIN_BLOCKS_MAX: usize = 16;
/// Most instructions in a chain, the last block aside.
const CHAIN_OPS_MAX: usize = 512;

/// Stands for "the target at this offset" until all blocks are known.
const UNRESOLVED: u32 = NO_BLOCK;

impl Finder<'_> {
    fn instruction(&mut self, instr: Instr) {
        let is_jump_target = self.is_jump_target(&instr);
        let size = self.open.as_ref().map_or(0, |open| self.instrs.len() - open.first);
        if size > 0 && (is_jump_target || size >= self.block_ops_max) {
            let next = self.blocks.len() as u32 + 1;
            self.close(Terminator::FallThrough(next));
            self.start(instr.pc, false);
        } else if self.open.is_none() {
            // Nothing reaches code after an end but through a jump target.
            if !is_jump_target && !self.blocks.is_empty() {
                return;
            }
            self.start(instr.pc, false);
        }
        let open = self.open.as_mut().expect("a block was opened above");
        let target = open.apply(self.code, &instr);
        self.instrs.push(instr);
        match instr.op {
            None => self.close(Terminator::End),
            Some(op) if !op.immediate_is_legal(instr.immediate) => self.close(Terminator::End),
            Some(Op::Jump) => self.close(Terminator::Jump(target)),
            Some(Op::JumpI) => {
                let next = self.blocks.len() as u32 + 1;
                self.close(Terminator::JumpI(target, next));
                self.start(instr.next_pc, true);
            }
            Some(op) if asks(op) => {
                let next = self.blocks.len() as u32 + 1;
                self.close(Terminator::Asks(next));
                self.start(instr.next_pc, false);
            }
            Some(op) if op.ends_block() => self.close(Terminator::End),
            Some(_) => {}
        }
    }

    fn is_jump_target(&self, instr: &Instr) -> bool {
        instr.op == Some(Op::JumpDest) && self.targets.is_none_or(|targets| targets[instr.pc as usize])
    }

    fn start(&mut self, pc: u32, follows_jumpi: bool) {
        self.open = Some(Open {
            first: self.instrs.len(),
            pc,
            follows_jumpi,
            height: 0,
            need: 0,
            growth: 0,
            words: Vec::new(),
            computes_target: false,
        });
    }

    fn close(&mut self, terminator: Terminator) {
        let Some(open) = self.open.take() else { return };
        let instrs = open.first..self.instrs.len();
        let gas = gas::annotate(&mut self.instrs[instrs.clone()]);
        let in_block = &self.instrs[instrs.clone()];
        let exact = in_block.iter().any(|i| i.op.is_some_and(gas::may_end_otherwise));
        let is_jump_target = in_block.first().is_some_and(|i| self.is_jump_target(i));
        let (blocks, ops) = self.chain;
        let is_chained = open.follows_jumpi && !is_jump_target;
        let follows_jumpi = is_chained && blocks < CHAIN_BLOCKS_MAX && ops < CHAIN_OPS_MAX;
        self.chain = if follows_jumpi { (blocks + 1, ops + instrs.len()) } else { (1, instrs.len()) };
        self.blocks.push(Block {
            pc: open.pc,
            instrs,
            is_jump_target,
            follows_jumpi,
            terminator,
            computes_target: open.computes_target,
            gas,
            exact,
            // Bounded by 256 words for each of `block_ops_max` instructions at most; heads above 1024 always fail.
            need: open.need.min(i32::from(u16::MAX)) as u16,
            growth: open.growth,
            delta: open.height,
        });
    }
}

impl Open {
    /// Applies an instruction's stack effect and gives the target if it jumps.
    fn apply(&mut self, code: &Code, instr: &Instr) -> Target {
        let Some(op) = instr.op else { return Target::Dynamic };
        let (needs, leaves) = op.stack_effect(instr.immediate);
        self.need = self.need.max(i32::from(needs) - self.height);
        self.height += i32::from(leaves) - i32::from(needs);
        self.growth = self.growth.max(self.height);
        self.words_apply(code, instr, op, usize::from(needs), usize::from(leaves))
    }

    fn words_apply(&mut self, code: &Code, instr: &Instr, op: Op, needs: usize, leaves: usize) -> Target {
        let words = &mut self.words;
        let top = words.last().copied().unwrap_or(Sym::Below);
        if let Some(value) = push_value(code, instr, op) {
            words.push(Sym::Const(u64::try_from(value).unwrap_or(u64::MAX)));
        } else if let Some(n) = dup_depth(op, instr.immediate) {
            let word = words.len().checked_sub(n).map_or(Sym::Below, |i| words[i]);
            words.push(word);
        } else if let Some(n) = swap_depth(op, instr.immediate) {
            if words.len() <= n {
                let missing = n + 1 - words.len();
                words.splice(0..0, std::iter::repeat_n(Sym::Below, missing));
            }
            let last = words.len() - 1;
            words.swap(last, last - n);
        } else {
            words.truncate(words.len().saturating_sub(needs));
            words.resize(words.len() + leaves, Sym::Computed);
        }
        self.computes_target |= matches!(op, Op::Jump | Op::JumpI) && top == Sym::Computed;
        match top {
            Sym::Const(offset) if code.is_jump_target(usize::try_from(offset).unwrap_or(usize::MAX)) => {
                // Resolved to a number once all blocks are known.
                Target::Block(offset as u32)
            }
            Sym::Const(_) => Target::Invalid,
            Sym::Below | Sym::Computed => Target::Dynamic,
        }
    }
}

/// Turns offsets into numbers of blocks, and successors that don't exist into ends.
fn resolve_targets(code: &Code, blocks: &mut [Block]) {
    let mut at = vec![UNRESOLVED; code.body().len()];
    for (id, block) in blocks.iter().enumerate() {
        if let Some(slot) = at.get_mut(block.pc as usize) {
            *slot = id as u32;
        }
    }
    for block in blocks {
        let (Terminator::Jump(target) | Terminator::JumpI(target, _)) = &mut block.terminator else {
            continue;
        };
        if let Target::Block(offset) = *target {
            *target = Target::Block(at[offset as usize]);
        }
    }
}

/// The word a push pushes; `None` for other operations.
pub(crate) fn push_value(code: &Code, instr: &Instr, op: Op) -> Option<U256> {
    if op == Op::Push0 {
        return Some(U256::ZERO);
    }
    if op == Op::Pc {
        return Some(U256::from(instr.pc));
    }
    if !is_push(op) {
        return None;
    }
    let len = usize::from(op.info().imm);
    let start = instr.pc as usize + 1;
    // The padding holds the zeros of an immediate that the end of code cuts off.
    Some(U256::from_be_slice(&code.padded()[start..start + len]))
}

/// PUSH1 to PUSH32: every push of an immediate has an EVM byte.
fn is_push(op: Op) -> bool {
    matches!(op.info().evm, Some(0x60..=0x7f))
}

/// n of an operation that duplicates word n.
pub(crate) fn dup_depth(op: Op, immediate: u8) -> Option<usize> {
    match op.info().evm {
        Some(byte @ 0x80..=0x8f) => Some(usize::from(byte - 0x80) + 1),
        _ => (op == Op::DupN && immediate != 0).then_some(usize::from(immediate)),
    }
}

/// n of an operation that swaps the top with word n + 1.
pub(crate) fn swap_depth(op: Op, immediate: u8) -> Option<usize> {
    match op.info().evm {
        Some(byte @ 0x90..=0x9f) => Some(usize::from(byte - 0x90) + 1),
        _ => (op == Op::SwapN && immediate != 0).then_some(usize::from(immediate)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zvm::Fork;

    fn blocks(bytes: &[u8]) -> Vec<Block> {
        let spec = Spec { fork: Fork::LATEST, native_code: true, hedera: false };
        find(&Code::evm(bytes.to_vec()), &spec, 256).0
    }

    #[test]
    fn a_loop_has_its_edges_and_sums() {
        // push1 3; head: push1 1; swap1; sub; dup1; push1 2; jumpi
        let found = blocks(&[0x60, 3, 0x5b, 0x60, 1, 0x90, 0x03, 0x80, 0x60, 2, 0x57]);
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].terminator, Terminator::FallThrough(1));
        let head = &found[1];
        assert_eq!(
            (head.pc, head.is_jump_target, head.terminator),
            (2, true, Terminator::JumpI(Target::Block(1), 2))
        );
        assert_eq!((head.gas, head.need, head.growth, head.delta), (1 + 3 * 5 + 10, 1, 2, 0));
        assert!(!head.exact, "nothing in it ends in another way than out of gas");
        assert!(found[2].follows_jumpi);
        assert_eq!((found[2].pc, found[2].terminator), (11, Terminator::End));
    }

    #[test]
    fn targets_come_through_dups_and_swaps() {
        // push1 7; push1 0; swap1; dup1; jump (8 bytes with the jumpdest at 7)
        let found = blocks(&[0x60, 7, 0x5f, 0x90, 0x80, 0x56, 0xfe, 0x5b]);
        assert_eq!(found[0].terminator, Terminator::Jump(Target::Block(1)));
        assert_eq!(blocks(&[0x60, 6, 0x56])[0].terminator, Terminator::Jump(Target::Invalid));
        assert_eq!(blocks(&[0x34, 0x56])[0].terminator, Terminator::Jump(Target::Dynamic));
    }

    #[test]
    fn a_jumpdest_without_a_jump_begins_no_block_unless_a_jump_may_go_anywhere() {
        assert_eq!(blocks(&[0x5b, 0x5b, 0x5b, 0x00]).len(), 1);
        assert_eq!(blocks(&[0x5b, 0x5b, 0x5b, 0x34, 0x56]).len(), 3);
        assert_eq!(blocks(&[0x00, 0x5b, 0x5b]).len(), 1, "dead code has no blocks");
    }

    #[test]
    fn long_blocks_are_split() {
        let found = blocks(&[0x5f; 600]);
        let sizes: Vec<usize> = found.iter().map(|block| block.instrs.len()).collect();
        assert_eq!(sizes, [256, 256, 89]);
        assert!(found.iter().all(|block| !block.follows_jumpi));
    }

    #[test]
    fn what_is_charged_ahead_is_known_at_each_instruction() {
        let spec = Spec { fork: Fork::LATEST, native_code: true, hedera: false };
        // push1 1; push1 0; cdiv u64; push0; assert; halt
        let code = Code::native(&[0x11, 1, 0x11, 0, 0x43, 8, 0x1f, 0x4e, 1, 0x00]);
        let (blocks, instrs) = find(&code, &spec, 256);
        assert!(blocks[0].exact);
        let rest: Vec<(u64, bool)> =
            instrs.iter().map(|instr| (instr.gas_after, instr.exact_after)).collect();
        assert_eq!(rest, [(13, true), (10, true), (5, true), (3, true), (0, false), (0, false)]);
    }
}
