//! Steps: what the run loop of the interpreter reads in place of the code's bytes.
//!
//! The steps of a code are its bytes with the first byte of each instruction replaced by the number of the
//! operation, which is the same in both encodings. Where an instruction begins one of the sequences of
//! [`for_each_fusion`], its step names the whole sequence: the loop then runs it with one dispatch. The
//! instructions behind the first keep their own steps, so a run may start at any instruction.
//!
//! A fusion changes nothing but time: the loop checks and charges instruction by instruction all the same.

use super::decode::Instruction;
use super::info::Op;

/// Calls `$callback! { $prefix rows }` with every fused sequence: a name and two or three operations.
///
/// Only an operation that never jumps may have another behind it, and no sequence reaches over a `jumpdest`. Which
/// sequences are worth a row was counted on contracts: see "Fused sequences" in `docs/performance.md`.
macro_rules! for_each_fusion {
    ($callback:ident $($prefix:tt)*) => {
        $callback! {
            $($prefix)*
            Push1Jump(Push1 Jump);
            Push2Jump(Push2 Jump);
            Push1JumpI(Push1 JumpI);
            Push2JumpI(Push2 JumpI);
            IsZeroPush1JumpI(IsZero Push1 JumpI);
            IsZeroPush2JumpI(IsZero Push2 JumpI);
            EqPush2JumpI(Eq Push2 JumpI);
            LtPush2JumpI(Lt Push2 JumpI);
            GtPush2JumpI(Gt Push2 JumpI);
            AndPush2JumpI(And Push2 JumpI);
            OrPush2JumpI(Or Push2 JumpI);
            Push1Add(Push1 Add);
            Push1Shl(Push1 Shl);
            Push1Shr(Push1 Shr);
            Push1And(Push1 And);
            Push1Mload(Push1 Mload);
            Push1Mstore(Push1 Mstore);
            Push1Dup1(Push1 Dup1);
            Push1Dup2(Push1 Dup2);
            Push1Swap1(Push1 Swap1);
            Push1Push1(Push1 Push1);
            Push2Dup2(Push2 Dup2);
            Push4Eq(Push4 Eq);
            Push20And(Push20 And);
            Dup1IsZero(Dup1 IsZero);
            Dup3IsZero(Dup3 IsZero);
            Dup1Mload(Dup1 Mload);
            Dup1Push1(Dup1 Push1);
            Dup1Push4(Dup1 Push4);
            Dup1Swap2(Dup1 Swap2);
            Dup2Add(Dup2 Add);
            Dup3Add(Dup3 Add);
            Dup2Dup2(Dup2 Dup2);
            Dup4Dup3(Dup4 Dup3);
            Dup2Mstore(Dup2 Mstore);
            Dup2Lt(Dup2 Lt);
            Dup3Eq(Dup3 Eq);
            Dup3Slt(Dup3 Slt);
            Dup5Slt(Dup5 Slt);
            Dup4And(Dup4 And);
            Swap1Pop(Swap1 Pop);
            Swap2Pop(Swap2 Pop);
            Swap3Pop(Swap3 Pop);
            Swap1Sub(Swap1 Sub);
            Swap1Push1(Swap1 Push1);
            Swap1Swap2(Swap1 Swap2);
            Swap2Swap1(Swap2 Swap1);
            Swap2Push1(Swap2 Push1);
            Swap1Jump(Swap1 Jump);
            Swap1Dup2(Swap1 Dup2);
            Swap1Mstore(Swap1 Mstore);
            PopPop(Pop Pop);
            PopJump(Pop Jump);
            PopSwap1(Pop Swap1);
            AddDup1(Add Dup1);
            AddPush1(Add Push1);
            AddSwap1(Add Swap1);
            AddSwap2(Add Swap2);
            AddMload(Add Mload);
            SubSwap2(Sub Swap2);
            MulSwap2(Mul Swap2);
            SdivSwap1(Sdiv Swap1);
            AndOr(And Or);
            EqAnd(Eq And);
            MloadPush1(Mload Push1);
            MstorePush1(Mstore Push1);
            ShlSub(Shl Sub);
        }
    };
}
pub(crate) use for_each_fusion;

macro_rules! define_fusions {
    ($($Name:ident($($op:ident)+);)*) => {
        /// The fused sequences; their step numbers follow those of the operations.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        enum Fusion {
            $( $Name, )*
        }

        /// Every fused sequence, in table order.
        pub const FUSIONS: &[&[Op]] = &[ $( &[$( Op::$op ),+] ),* ];

        /// The step numbers of fused sequences, by name.
        #[allow(non_upper_case_globals, reason = "the constants carry the names of the sequences")]
        pub(crate) mod fused {
            $( pub(crate) const $Name: u8 = super::Op::COUNT as u8 + super::Fusion::$Name as u8; )*
        }

        /// The sequence that begins with these operations, the longest if there are several.
        fn fusion(first: Op, second: Option<Op>, third: Option<Op>) -> Option<u8> {
            let second = second?;
            macro_rules! pattern {
                ($a:ident $b:ident $c:ident) => { (Op::$a, Op::$b, Some(Op::$c)) };
                ($a:ident $b:ident) => { (Op::$a, Op::$b, _) };
            }
            match (first, second, third) {
                $( pattern!($($op)+) => Some(fused::$Name), )*
                _ => None,
            }
        }
    };
}
for_each_fusion!(define_fusions);

const _: () = assert!(Op::COUNT + FUSIONS.len() <= 256, "a step is one byte");
const _: () = assert!(Op::Halt as u8 == 0, "the padding behind the steps reads as `halt`");

/// The step of `first`, the instructions behind it being `second` and `third`.
pub(super) fn step(first: &Instruction<'_>, second: Option<Op>, third: Option<Op>) -> u8 {
    // A byte without a row is an invalid opcode, as the operation of that name is.
    let Some(op) = first.op else { return Op::Invalid as u8 };
    fusion(op, second, third).unwrap_or(op as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytecode::{Code, Encoding};

    #[test]
    fn sequences_never_reach_over_a_place_where_blocks_meet() {
        for sequence in FUSIONS {
            let (_, before) = sequence.split_last().expect("a sequence has operations");
            assert!(!before.iter().any(|op| op.ends_block() || *op == Op::JumpI), "{sequence:?}");
            assert!(!sequence.contains(&Op::JumpDest), "{sequence:?}");
        }
    }

    #[test]
    fn steps_name_operations_and_sequences_and_keep_immediates() {
        // push1 0x5b, add, an unknown byte, push2 cut off.
        let code = Code::evm(vec![0x60, 0x5b, 0x01, 0x0c, 0x61, 0x01]);
        let steps = &code.steps()[..6];
        assert_eq!(steps, [fused::Push1Add, 0x5b, Op::Add as u8, Op::Invalid as u8, Op::Push2 as u8, 0x01]);
        assert!(code.steps()[6..].iter().all(|&step| step == Op::Halt as u8));
    }

    #[test]
    fn both_encodings_have_the_same_steps() {
        let ops = [Op::Push1, Op::Add, Op::Dup2, Op::Swap1, Op::Pop, Op::IsZero, Op::Push2, Op::JumpI];
        let bytes = |encoding: Encoding| -> Vec<u8> {
            ops.iter()
                .flat_map(|&op| {
                    let byte = encoding.byte(op).expect("both encodings have it");
                    std::iter::once(byte).chain(vec![7; encoding.immediate_len(byte)])
                })
                .collect()
        };
        let (native, evm) = (Code::native(&bytes(Encoding::Zvm)), Code::evm(bytes(Encoding::Evm)));
        assert_eq!(native.steps(), evm.steps());
    }
}
