//! Programs on which other engines once went wrong, as fixed subjects. Longest codes and deepest calls are tested
//! elsewhere: they are about limits, not about programs.

use alloy_primitives::{U256, hex};
use testkit::host::CALLEE;
use testkit::pieces::{Piece, Pieces};
use testkit::program::Setting;
use testkit::random::Random;
use zvm::bytecode::{Encoding, Op};

use crate::oracle::Suspect;

/// The programs with their names, in Ethereum's encoding.
pub fn suspects() -> Vec<(&'static str, Suspect)> {
    let mut suspects: Vec<(&'static str, Suspect)> =
        [
            ("a store before a fault in one block", "600160ea5501"),
            ("a jumpdest inside push data", "6004565b605b00"),
            ("a jump into push data", "600456605b00"),
            ("a push cut off at the end", "60015f5560"),
            ("a push of 32 bytes cut off at the end", "5b7f01"),
            ("a jumpdest in a push that is cut off", "5f600757005b615b"),
            ("a conditional jump over dead code into it", "5f356008570000005b600060005500"),
            ("a conditional jump by a word whose low limb is zero", "6801000000000000000060105700005b5b5b5b5b600160015500"),
            ("a jump to a target beyond 64 bits", "680100000000000000045600"),
            ("a call of itself by delegation", "5f5f5f5f305af4600155"),
            ("a call of itself", "5f5f5f5f5f305af1600155"),
            ("a static call of itself that stores", "5f5f5f5f305afa5f55"),
            ("a cold load with little gas", "6007545f55"),
            ("a contract that creates itself", "385f5f39385f5ff05f55"),
            ("a contract that ends itself, to itself", "30ff"),
            ("return data beyond its end", "60015f5f3e"),
            ("return data of a precompiled contract", "60205f60205f5f60045af13d5f5f3e3d60205f60045afa"),
            ("memory that grows by what is hashed", "5160205f20595f52595f2050596000a0"),
            ("memory near 2^64", "67ffffffffffffffe05100"),
            ("memory beyond 2^64", "6801000000000000000051"),
            ("an empty copy far away", "5f5f67ffffffffffffffff375f5f7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff5e"),
            ("a swap under a full stack of copies", "600160026003808080919293908155"),
        ]
        .into_iter()
        .map(|(name, code)| (name, raw(&hex::decode(code).expect("hexadecimal digits"))))
        .collect();
    suspects.push(("a store's 2300 with later work in the block", store_then_work()));
    suspects.push(("a signed division of words that meet at a join", division_across_a_join()));
    suspects.push(("a remainder by one constant in a loop", remainders()));
    suspects.push(("a loop that leaves a word more each round", growing_loop()));
    suspects.push(("calls with little gas, their success added", calls_with_little_gas()));
    suspects
}

fn raw(code: &[u8]) -> Suspect {
    pieces(code.iter().map(|&byte| Piece::Raw(byte)).collect())
}

fn pieces(pieces: Vec<Piece>) -> Suspect {
    let mut random = Random::new(1);
    let input = random.bits().to_be_bytes::<32>().to_vec().into();
    let setting = Setting { gas: 90_000, input, ..Setting::plain() };
    Suspect {
        pieces: Pieces { encoding: Encoding::Evm, pieces, setting },
        companions: Vec::new(),
        is_creation: false,
    }
}

fn push(word: impl TryInto<U256, Error: std::fmt::Debug>) -> Piece {
    Piece::push(Encoding::Evm, word.try_into().expect("a word"), 1)
}

fn plain(ops: &[Op]) -> impl Iterator<Item = Piece> {
    ops.iter().map(|&op| Piece::plain(op))
}

fn store_then_work() -> Suspect {
    let mut list = vec![push(1), push(2), Piece::plain(Op::Sstore)];
    for _ in 0..40 {
        list.extend(plain(&[Op::Gas, Op::Dup1, Op::Mul, Op::Pop]));
    }
    list.extend([push(3), push(2), Piece::plain(Op::Sstore)]);
    pieces(list)
}

fn division_across_a_join() -> Suspect {
    let minus = U256::MAX - U256::from(6);
    let mut list =
        vec![push(0), Piece::plain(Op::CalldataLoad), Piece::PushLabel(0), Piece::plain(Op::JumpI)];
    list.extend([push(3), push(minus), Piece::PushLabel(1), Piece::plain(Op::Jump)]);
    list.extend([Piece::Label(0), push(U256::ONE << 255), push(2), Piece::Label(1)]);
    list.extend(plain(&[Op::Dup2, Op::Dup2, Op::Sdiv, Op::Swap2, Op::Smod, Op::Push0, Op::Sstore]));
    list.extend([push(1), Piece::plain(Op::Sstore)]);
    pieces(list)
}

fn remainders() -> Suspect {
    let mut list = vec![push(U256::MAX), push(30), Piece::Label(0), Piece::plain(Op::Swap1)];
    for _ in 0..20 {
        list.extend([push(0xffff_fffbu64), Piece::plain(Op::Swap1), Piece::plain(Op::Mod)]);
        list.extend([push(0x1_0001), Piece::plain(Op::Mul)]);
    }
    list.extend([Piece::plain(Op::Swap1), push(1), Piece::plain(Op::Swap1), Piece::plain(Op::Sub)]);
    list.extend([Piece::plain(Op::Dup1), Piece::PushLabel(0), Piece::plain(Op::JumpI)]);
    list.extend(plain(&[Op::Sstore]));
    pieces(list)
}

fn growing_loop() -> Suspect {
    let mut list = vec![push(200), Piece::Label(0)];
    list.extend(plain(&[Op::Dup1, Op::Dup1, Op::Mul, Op::Swap1]));
    list.extend([push(1), Piece::plain(Op::Swap1), Piece::plain(Op::Sub), Piece::plain(Op::Dup1)]);
    list.extend([Piece::PushLabel(0), Piece::plain(Op::JumpI)]);
    list.extend(plain(&[Op::Add, Op::Add, Op::Dup12, Op::Add, Op::Push0, Op::Sstore]));
    pieces(list)
}

fn calls_with_little_gas() -> Suspect {
    let callee = U256::from_be_slice(CALLEE.as_slice());
    let mut list = vec![push(0)];
    for gas in [0u64, 1, 2300, 700, 21_000] {
        list.extend(plain(&[Op::Push0, Op::Push0, Op::Push0, Op::Push0]));
        list.extend([push(gas & 1), push(callee), push(gas), Piece::plain(Op::Call), Piece::plain(Op::Add)]);
        list.extend(plain(&[Op::Gas, Op::Add]));
    }
    list.extend(plain(&[Op::Push0, Op::Sstore]));
    pieces(list)
}
