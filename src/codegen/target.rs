//! What code generation knows of a target (§17.1), read off the machine's one opcode table.
//!
//! Which operations exist, how wide constants are pushed and how deep the stack is reached follow from the bytes that the
//! encoding has. What a target lacks is expanded in the IR ([`expand`](super::expand)), never assumed here.

use alloy_primitives::U256;
use zvm::bytecode::container;
use zvm::bytecode::encoding::NATIVE_PREFIX;
use zvm::bytecode::{Encoding, Op, StackEffect};
use zvm::gas::CODE_SIZE_MAX;

/// What code is generated for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Target {
    /// The machine's native encoding: checked arithmetic, hashes of table keys and a deep stack are operations.
    #[default]
    Zvm,
    /// Ethereum's bytecode as of Cancun, which any such chain runs.
    Evm,
}

/// Operations that reach into the stack by a depth in their name, shallowest first.
const DUPS: [Op; 16] = [
    Op::Dup1,
    Op::Dup2,
    Op::Dup3,
    Op::Dup4,
    Op::Dup5,
    Op::Dup6,
    Op::Dup7,
    Op::Dup8,
    Op::Dup9,
    Op::Dup10,
    Op::Dup11,
    Op::Dup12,
    Op::Dup13,
    Op::Dup14,
    Op::Dup15,
    Op::Dup16,
];
const SWAPS: [Op; 16] = [
    Op::Swap1,
    Op::Swap2,
    Op::Swap3,
    Op::Swap4,
    Op::Swap5,
    Op::Swap6,
    Op::Swap7,
    Op::Swap8,
    Op::Swap9,
    Op::Swap10,
    Op::Swap11,
    Op::Swap12,
    Op::Swap13,
    Op::Swap14,
    Op::Swap15,
    Op::Swap16,
];
/// Operations that push their immediate, by the immediate's bytes.
const PUSHES: [Op; 33] = [
    Op::Push0,
    Op::Push1,
    Op::Push2,
    Op::Push3,
    Op::Push4,
    Op::Push5,
    Op::Push6,
    Op::Push7,
    Op::Push8,
    Op::Push9,
    Op::Push10,
    Op::Push11,
    Op::Push12,
    Op::Push13,
    Op::Push14,
    Op::Push15,
    Op::Push16,
    Op::Push17,
    Op::Push18,
    Op::Push19,
    Op::Push20,
    Op::Push21,
    Op::Push22,
    Op::Push23,
    Op::Push24,
    Op::Push25,
    Op::Push26,
    Op::Push27,
    Op::Push28,
    Op::Push29,
    Op::Push30,
    Op::Push31,
    Op::Push32,
];

impl Target {
    /// Both targets.
    pub const ALL: [Target; 2] = [Target::Zvm, Target::Evm];

    /// The name on the command line and in artifacts.
    pub const fn name(self) -> &'static str {
        self.encoding().name()
    }

    /// How operations become bytes.
    pub const fn encoding(self) -> Encoding {
        match self {
            Target::Zvm => Encoding::Zvm,
            Target::Evm => Encoding::Evm,
        }
    }

    /// How containers name the target.
    pub const fn container(self) -> container::Target {
        match self {
            Target::Zvm => container::Target::Native,
            Target::Evm => container::Target::Evm,
        }
    }

    /// The bytes that stand before code on the chain.
    pub const fn prefix(self) -> &'static [u8] {
        match self {
            Target::Zvm => &NATIVE_PREFIX,
            Target::Evm => &[],
        }
    }

    /// The longest run-time code: the prefix counts against the machine's limit.
    pub const fn code_size_max(self) -> usize {
        CODE_SIZE_MAX - self.prefix().len()
    }

    /// Whether the target has an operation.
    pub fn has(self, op: Op) -> bool {
        self.encoding().byte(op).is_some()
    }

    /// The shortest push of a word, with how many of its lowest bytes are the immediate.
    pub(super) fn push(self, word: U256) -> (Op, usize) {
        (word.byte_len()..=U256::BYTES)
            .map(|size| (PUSHES[size], size))
            .find(|&(op, _)| self.has(op))
            .expect("both encodings push 32 bytes")
    }

    /// The operation that duplicates word `depth` (1 = top), with its immediate; `None` if that is out of reach.
    pub(super) fn dup(self, depth: usize) -> Option<(Op, Option<u8>)> {
        self.reach(&DUPS, Op::DupN, depth)
    }

    /// The operation that exchanges the top with the word `distance` below it, with its immediate.
    pub(super) fn swap(self, distance: usize) -> Option<(Op, Option<u8>)> {
        self.reach(&SWAPS, Op::SwapN, distance)
    }

    fn reach(self, named: &[Op], general: Op, depth: usize) -> Option<(Op, Option<u8>)> {
        let named = named.get(depth.checked_sub(1)?).copied().filter(|&op| self.has(op));
        match (named, u8::try_from(depth)) {
            (Some(op), _) => Some((op, None)),
            (None, Ok(depth)) if self.has(general) => Some((general, Some(depth))),
            _ => None,
        }
    }

    /// Whether every word that a function may keep on the stack can be reached, whatever lies above it.
    pub(super) const fn is_deep(self) -> bool {
        matches!(self, Target::Zvm)
    }

    /// Arguments and results of internal calls beyond this many travel through words of the callee's frame.
    pub(super) const fn stack_args_max(self) -> usize {
        if self.is_deep() { 16 } else { 6 }
    }

    /// A function keeps at most this many values on the stack to begin with.
    pub(super) const fn stack_words_max(self) -> usize {
        if self.is_deep() { 96 } else { 11 }
    }

    /// An expression is emitted in one piece up to this many words of stack.
    pub(super) const fn fold_words_max(self) -> u32 {
        if self.is_deep() { 24 } else { 4 }
    }

    /// Dead words are cleaned out when the stack of a function that may keep `limit` values there is longer than this.
    pub(super) fn clean_above(self, limit: usize) -> usize {
        if self.is_deep() { 48 } else { limit.clamp(6, 9) }
    }
}

/// How deep an operation looks for the word that it copies or moves: DUP's depth or SWAP's distance.
pub(super) fn stack_access(op: Op, immediate: u8) -> Option<StackAccess> {
    if let Some(at) = DUPS.iter().position(|&dup| dup == op) {
        return Some(StackAccess::Dup(at + 1));
    }
    if let Some(at) = SWAPS.iter().position(|&swap| swap == op) {
        return Some(StackAccess::Swap(at + 1));
    }
    match op.info().stack {
        StackEffect::Dup => Some(StackAccess::Dup(usize::from(immediate))),
        StackEffect::Swap => Some(StackAccess::Swap(usize::from(immediate))),
        _ => None,
    }
}

/// What [`stack_access`] finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StackAccess {
    /// A copy of the word at this depth, 1 = top.
    Dup(usize),
    /// An exchange of the top with the word this far below it.
    Swap(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pushes_are_as_short_as_the_encoding_allows() {
        let check = |word: U256, native, ethereum| {
            for (target, size) in [(Target::Zvm, native), (Target::Evm, ethereum)] {
                let (op, bytes) = target.push(word);
                assert_eq!((usize::from(op.info().imm), bytes), (size, size), "{word:#x} for {target:?}");
                assert!(target.has(op) && word.byte_len() <= bytes);
            }
        };
        check(U256::ZERO, 0, 0);
        check(U256::from(255), 1, 1);
        check(U256::from(256), 2, 2);
        check(U256::from(0x1_0000), 4, 3);
        check(U256::from(u64::MAX), 8, 8);
        check(U256::from(u64::MAX) + U256::ONE, 16, 9);
        check(U256::from(u128::MAX), 16, 16);
        check(U256::MAX >> 96, 20, 20);
        check(U256::MAX >> 95, 32, 21);
        check(U256::MAX, 32, 32);
    }

    #[test]
    fn the_stack_is_reached_as_deep_as_the_encoding_allows() {
        for target in Target::ALL {
            for depth in 0..=300 {
                for (found, access) in [
                    (target.dup(depth), StackAccess::Dup(depth)),
                    (target.swap(depth), StackAccess::Swap(depth)),
                ] {
                    let reach = if target == Target::Zvm { 255 } else { 16 };
                    assert_eq!(found.is_some(), (1..=reach).contains(&depth), "{access:?} for {target:?}");
                    let Some((op, immediate)) = found else { continue };
                    assert!(target.has(op), "{op} for {target:?}");
                    assert_eq!(stack_access(op, immediate.unwrap_or(0)), Some(access));
                }
            }
        }
        assert_eq!(stack_access(Op::Add, 1), None);
    }
}
