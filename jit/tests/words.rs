//! Every operation on words, in each encoding, with edge operands in every state a virtual slot can have.

mod support;

use support::{Asm, Both, edge_words, jit};
use zvm::U256;
use zvm::bytecode::{Encoding, Op};
use zvm_jit::Jit;

/// How an operand reaches the operation.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// A full word from memory.
    Wide,
    /// Masked to this many bits.
    Masked(usize),
    /// Sign-extended from this byte.
    Extended(u8),
    /// A comparison's flag.
    Flag,
    /// A literal.
    Literal(U256),
}

const STATES: [State; 7] = [
    State::Wide,
    State::Masked(8),
    State::Masked(64),
    State::Masked(128),
    State::Extended(0),
    State::Extended(7),
    State::Flag,
];

fn operand(asm: &mut Asm, index: usize, state: State) {
    if let State::Literal(word) = state {
        asm.push(word);
        return;
    }
    asm.push1(32 * index as u8).op(Op::CalldataLoad);
    match state {
        State::Wide | State::Literal(_) => {}
        State::Masked(bits) => {
            let mask = (U256::ONE << bits) - U256::ONE;
            asm.push(mask).op(Op::And);
        }
        State::Extended(byte) => {
            asm.push1(byte).op(Op::SignExtend);
        }
        State::Flag => {
            asm.push1(1).op(Op::And).op(Op::IsZero);
        }
    }
}

/// A program that applies `op` to operands in these states, top first, and halts.
fn program(encoding: Encoding, op: Op, immediate: Option<u8>, states: &[State]) -> Asm {
    let mut asm = Asm::new(encoding);
    for (index, &state) in states.iter().enumerate().rev() {
        operand(&mut asm, index, state);
    }
    match immediate {
        Some(immediate) => asm.op_imm(op, immediate),
        None => asm.op(op),
    };
    asm.op(Op::Halt);
    asm
}

fn calldata(words: &[U256]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes::<32>()).collect()
}

fn check_pairs(jit: &Jit, asm: &Asm, words: &[U256]) {
    let both = Both::new(jit, asm.code());
    for &a in words {
        for &b in words {
            let (_, blocks) = both.check(&calldata(&[a, b]), 100_000);
            assert!(blocks > 0, "it ran compiled");
        }
    }
}

const BINARY: [Op; 21] = [
    Op::Add,
    Op::Sub,
    Op::Mul,
    Op::Div,
    Op::Sdiv,
    Op::Mod,
    Op::Smod,
    Op::Exp,
    Op::SignExtend,
    Op::Lt,
    Op::Gt,
    Op::Slt,
    Op::Sgt,
    Op::Eq,
    Op::And,
    Op::Or,
    Op::Xor,
    Op::Byte,
    Op::Shl,
    Op::Shr,
    Op::Sar,
];

#[test]
fn binary_operations_agree_on_all_edges_in_all_states() {
    let jit = jit();
    let words = edge_words();
    let few: Vec<U256> = words.iter().copied().step_by(5).collect();
    for op in BINARY {
        for a in STATES {
            for b in STATES {
                let all = if a == State::Wide && b == State::Wide { &words } else { &few };
                check_pairs(&jit, &program(Encoding::Evm, op, None, &[a, b]), all);
            }
        }
    }
}

#[test]
fn binary_operations_agree_on_literals() {
    let jit = jit();
    let words = edge_words();
    let few: Vec<U256> = words.iter().copied().step_by(4).collect();
    for op in BINARY {
        for &literal in &words {
            for states in [
                [State::Literal(literal), State::Wide],
                [State::Wide, State::Literal(literal)],
                [State::Literal(literal), State::Masked(64)],
                [State::Extended(7), State::Literal(literal)],
                [State::Literal(literal), State::Literal(few[usize::from(literal.byte(0)) % few.len()])],
            ] {
                let both = Both::new(&jit, program(Encoding::Zvm, op, None, &states).code());
                for &word in &few {
                    both.check(&calldata(&[word, word]), 100_000);
                }
            }
        }
    }
}

#[test]
fn unary_and_ternary_operations_agree() {
    let jit = jit();
    let words = edge_words();
    for encoding in Encoding::ALL {
        for op in [Op::IsZero, Op::Not, Op::Clz] {
            for state in STATES {
                let both = Both::new(&jit, program(encoding, op, None, &[state]).code());
                for &word in &words {
                    both.check(&calldata(&[word]), 100_000);
                }
            }
        }
        for op in [Op::AddMod, Op::MulMod] {
            let both = Both::new(&jit, program(encoding, op, None, &[State::Wide; 3]).code());
            let few: Vec<U256> = words.iter().copied().step_by(4).collect();
            for &a in &few {
                for &b in &few {
                    for &n in &few {
                        both.check(&calldata(&[a, b, n]), 100_000);
                    }
                }
            }
        }
    }
}

#[test]
fn checked_operations_agree_in_every_type() {
    let jit = jit();
    let words = edge_words();
    let few: Vec<U256> = words.iter().copied().step_by(3).collect();
    let states = [
        [State::Wide, State::Wide],
        [State::Masked(64), State::Masked(64)],
        [State::Masked(8), State::Extended(7)],
        [State::Extended(0), State::Masked(128)],
        [State::Flag, State::Wide],
        [State::Wide, State::Literal(U256::MAX)],
        [State::Literal(U256::from(200)), State::Masked(64)],
    ];
    for op in [Op::CAdd, Op::CSub, Op::CMul, Op::CDiv, Op::CMod, Op::CExp] {
        for width in [1u8, 2, 4, 7, 8, 9, 15, 16, 17, 31, 32] {
            for sign in [0, 0x80] {
                for (n, states) in states.iter().enumerate() {
                    let words = if n == 0 && matches!(width, 1 | 8 | 16 | 32) { &words } else { &few };
                    check_pairs(&jit, &program(Encoding::Zvm, op, Some(sign | width), states), words);
                }
            }
        }
    }
}

#[test]
fn negation_and_casts_agree_in_every_type() {
    let jit = jit();
    let words = edge_words();
    for width in 1..=32u8 {
        for flags in [0, 0x40, 0x80, 0xc0] {
            for op in [Op::CNeg, Op::CCast] {
                if op == Op::CNeg && flags & 0x40 != 0 {
                    continue;
                }
                for state in STATES {
                    let both =
                        Both::new(&jit, program(Encoding::Zvm, op, Some(flags | width), &[state]).code());
                    for &word in &words {
                        both.check(&calldata(&[word]), 100_000);
                    }
                }
            }
        }
    }
}

#[test]
fn facts_of_a_checked_result_hold_for_its_consumers() {
    let jit = jit();
    let words = edge_words();
    let few: Vec<U256> = words.iter().copied().step_by(3).collect();
    for first in [Op::CAdd, Op::CSub, Op::CMul, Op::CDiv, Op::CMod] {
        for t in [0x01, 0x04, 0x08, 0x10, 0x20, 0x81, 0x84, 0x88, 0x90, 0xa0] {
            for second in BINARY {
                let mut asm = Asm::new(Encoding::Zvm);
                operand(&mut asm, 1, State::Wide);
                operand(&mut asm, 0, State::Wide);
                asm.op(Op::Dup2).op_imm(first, t).op(second).op(Op::Halt);
                let both = Both::new(&jit, asm.code());
                for &a in &few {
                    for b in [few[1], few[2], U256::from(100), U256::MAX - U256::from(5)] {
                        both.check(&calldata(&[a, b]), 100_000);
                    }
                }
            }
        }
    }
}
