//! Loops of all shapes, calls in them, their counters and bounds.

use crate::support::{Asm, Both, jit};
use crate::{FACTORIAL, FIBONACCI, all_options, bytes, calldata, check_every_gas};
use zvm::U256;
use zvm::bytecode::{Code, Encoding, Op};
use zvm::outcome::Exit;
use zvm_jit::Jit;

#[test]
fn fibonacci_and_factorial_agree_in_output_and_gas() {
    let jit = jit();
    for (hex, gas, output) in [
        (FIBONACCI, 63_051, "a96faceaa3284f2b2549f1ca6ebf4d77d85b9b419aabe59f7e0118524e9560ed"),
        (FACTORIAL, 66_051, "0000000000000000000000000000000000000000000000000000000000000000"),
    ] {
        let both = Both::new(&jit, Code::evm(bytes(hex)));
        let (end, blocks) = both.check(&calldata(1000), 1_000_000);
        assert_eq!(end.exit, Exit::Return);
        assert_eq!(1_000_000 - end.gas, gas);
        assert_eq!(end.output, bytes(output));
        assert!(blocks > 2000, "each round runs two blocks compiled, {blocks}");
    }
}

/// A loop that calls two functions, one within the other, and returns through words on the stack.
fn calls_in_a_loop() -> Asm {
    let mut asm = Asm::new(Encoding::Evm);
    let push = |asm: &mut Asm, offset: u8| {
        asm.push1(offset);
    };
    // counter, sum; 0x20 is the loop's head, 0x40 adds checked, 0x60 doubles by adding.
    push(&mut asm, 0);
    asm.op(Op::CalldataLoad).op(Op::Push0);
    push(&mut asm, 0x20);
    asm.op(Op::Jump);
    let pad = |asm: &mut Asm, to: usize| {
        while asm.bytes.len() < to {
            asm.op(Op::Invalid);
        }
        asm.op(Op::JumpDest);
    };
    pad(&mut asm, 0x20);
    // counter sum | if counter == 0 return sum
    asm.op(Op::Dup2).op(Op::IsZero);
    push(&mut asm, 0x7c);
    asm.op(Op::JumpI);
    // sum = double(counter) + sum
    push(&mut asm, 0x32);
    asm.op(Op::Swap1).op(Op::Dup3);
    push(&mut asm, 0x60);
    asm.op(Op::Jump);
    pad(&mut asm, 0x32);
    asm.op(Op::Swap1).push1(1).op(Op::Swap1).op(Op::Sub).op(Op::Swap1);
    push(&mut asm, 0x20);
    asm.op(Op::Jump);
    // return sum a -> a + sum, or a panic
    pad(&mut asm, 0x40);
    asm.op(Op::Dup2).op(Op::Add).op(Op::Swap1).op(Op::Dup2).op(Op::Lt);
    push(&mut asm, 0x76);
    asm.op(Op::JumpI).op(Op::Swap1).op(Op::Jump);
    // return sum a -> 2 a + sum
    pad(&mut asm, 0x60);
    push(&mut asm, 0x6c);
    asm.op(Op::Swap1).op(Op::Dup1);
    push(&mut asm, 0x40);
    asm.op(Op::Jump);
    pad(&mut asm, 0x6c);
    // return sum 2a
    asm.op(Op::Add).op(Op::Swap1).op(Op::Jump);
    pad(&mut asm, 0x76);
    asm.op(Op::Push0).op(Op::Push0).op(Op::Revert);
    pad(&mut asm, 0x7c);
    asm.op(Op::Push0).op(Op::Mstore).push1(32).op(Op::Push0).op(Op::Return);
    asm
}

#[test]
fn calls_of_functions_agree_at_every_gas_limit() {
    let asm = calls_in_a_loop();
    check_every_gas(&asm, 800);
    let (end, blocks) = Both::new(&jit(), asm.code()).check(&calldata(100), 1_000_000);
    assert!(blocks > 300, "{blocks}: {:?}", end.exit);
}

#[test]
fn loops_agree_at_every_gas_limit() {
    for hex in [FIBONACCI, FACTORIAL] {
        let asm = Asm { encoding: Encoding::Evm, bytes: bytes(hex) };
        check_every_gas(&asm, 260);
    }
}

/// Counters and sums that outgrow one limb, in the middle of a loop that was entered with small numbers.
#[test]
fn loop_words_may_outgrow_their_limb() {
    let count = |step: U256, sum: Op, start: U256| {
        // start, sum, i: loop { sum op= i; i += step } until i > 2^64 + 5 steps.
        let mut asm = Asm::new(Encoding::Evm);
        asm.push1(1).push(start);
        let head = asm.bytes.len() as u8;
        asm.op(Op::JumpDest).op(Op::Dup1).op(Op::Swap2).op(sum).op(Op::Swap1);
        asm.push(step).op(Op::Add).op(Op::Dup1).push((U256::ONE << 64) + step * U256::from(5)).op(Op::Gt);
        asm.push1(head).op(Op::JumpI).op(Op::Gas);
        asm
    };
    let power = |bits: usize| U256::ONE << bits;
    for options in all_options() {
        let jit = Jit::new(options).expect("this machine has a code generator");
        for step in [power(60), power(62), power(63) + U256::ONE, power(64) - U256::ONE, power(70)] {
            for sum in [Op::Add, Op::Xor, Op::Mul, Op::Sub] {
                for start in [U256::ZERO, U256::from(3), power(64), power(200)] {
                    let both = Both::new(&jit, count(step, sum, start).code());
                    for gas in [30, 60, 100, 150, 200, 300, 400, 5000] {
                        both.check(&[], gas);
                    }
                }
            }
        }
    }
}

/// Checked arithmetic in a loop: the fault comes in some round, with the gas that the interpreter has there.
#[test]
fn checked_loops_fault_in_the_right_round() {
    for (add, t) in [(Op::CAdd, 0x08), (Op::CAdd, 0x01), (Op::CMul, 0x08), (Op::CAdd, 0x88), (Op::CMul, 0x10)]
    {
        let mut asm = Asm::new(Encoding::Zvm);
        asm.push1(3).op(Op::Push0).op(Op::CalldataLoad);
        let head = asm.bytes.len() as u8;
        asm.op(Op::JumpDest).op(Op::Dup2).op_imm(add, t).op(Op::Swap1).push1(7).op_imm(Op::CAdd, t);
        asm.op(Op::Swap1).op(Op::Dup2).push1(200).op(Op::Gt).push1(head).op(Op::JumpI);
        for options in all_options() {
            let jit = Jit::new(options).expect("this machine has a code generator");
            let both = Both::new(&jit, asm.code());
            for start in [0, 1, 100, 250, 255, 1 << 32, u64::MAX / 3, u64::MAX - 50, u64::MAX] {
                for gas in [50, 100, 200, 333, 5000] {
                    both.check(&calldata(start), gas);
                }
                both.check(&U256::MAX.to_be_bytes::<32>(), 5000);
            }
        }
    }
}

/// Nested loops, a loop with two ways round, a loop that leaves from its middle.
#[test]
fn loops_of_other_shapes_agree() {
    let mut nested = Asm::new(Encoding::Evm);
    nested.push1(5);
    let outer = nested.bytes.len() as u8;
    nested.op(Op::JumpDest).push1(4);
    let inner = nested.bytes.len() as u8;
    nested
        .op(Op::JumpDest)
        .push1(1)
        .op(Op::Swap1)
        .op(Op::Sub)
        .op(Op::Dup1)
        .push1(inner)
        .op(Op::JumpI)
        .op(Op::Pop);
    nested.push1(1).op(Op::Swap1).op(Op::Sub).op(Op::Dup1).push1(outer).op(Op::JumpI).op(Op::Gas);

    let mut two_ways = Asm::new(Encoding::Evm);
    two_ways.push1(20).push1(7);
    let head = two_ways.bytes.len() as u8;
    // sum, n: n -= 1; if n & 1 { sum += n; continue } if n == 2 { break } sum *= 3; continue
    two_ways.op(Op::JumpDest).op(Op::Swap1).push1(1).op(Op::Swap1).op(Op::Sub).op(Op::Swap1);
    two_ways.op(Op::Dup2).op(Op::Add).op(Op::Dup2).push1(1).op(Op::And).push1(head).op(Op::JumpI);
    two_ways.op(Op::Dup2).push1(2).op(Op::Eq);
    let exit = two_ways.bytes.len() + 1;
    two_ways.push1(0).op(Op::JumpI).push1(3).op(Op::Mul).push1(head).op(Op::Jump);
    two_ways.bytes[exit] = two_ways.bytes.len() as u8;
    two_ways.op(Op::JumpDest).op(Op::Gas).op(Op::Dup2);

    let mut memory = Asm::new(Encoding::Evm);
    memory.push1(9);
    let head = memory.bytes.len() as u8;
    memory
        .op(Op::JumpDest)
        .op(Op::Dup1)
        .op(Op::Dup1)
        .push1(7)
        .op(Op::Mul)
        .op(Op::Mstore)
        .push1(1)
        .op(Op::Swap1);
    memory.op(Op::Sub).op(Op::Dup1).op(Op::Dup1).op(Op::Mload).op(Op::Pop).push1(head).op(Op::JumpI);

    // A loop that a dynamic jump enters too, so that its heights are unknown.
    let mut entered = Asm::new(Encoding::Evm);
    entered.push1(9).push1(1).op(Op::Push0).op(Op::CalldataLoad).op(Op::Jump);
    entered.bytes.resize(9, 0x5b);
    let head = entered.bytes.len() as u8;
    entered.op(Op::JumpDest).op(Op::Dup2).op(Op::Add).op(Op::Swap1).push1(1).op(Op::Swap1).op(Op::Sub);
    entered.op(Op::Swap1).op(Op::Dup2).push1(head).op(Op::JumpI).op(Op::Gas);

    // A loop of several jump targets, which small regions cut in pieces.
    let mut pieces = Asm::new(Encoding::Evm);
    pieces.push1(6).push1(1);
    let head = pieces.bytes.len() as u8;
    pieces.op(Op::JumpDest).op(Op::Dup1).op(Op::Add).op(Op::JumpDest).push1(1).op(Op::Add).op(Op::JumpDest);
    pieces.op(Op::Swap1).push1(1).op(Op::Swap1).op(Op::Sub).op(Op::Swap1).op(Op::JumpDest).op(Op::Dup2);
    pieces.push1(head).op(Op::JumpI).op(Op::JumpDest).op(Op::Gas);

    for asm in [nested, two_ways, memory, entered, pieces] {
        check_every_gas(&asm, 450);
        for options in all_options() {
            let jit = Jit::new(options).expect("this machine has a code generator");
            let both = Both::new(&jit, asm.code());
            for target in [3, 7, 8, 9, 10] {
                both.check(&calldata(target), 10_000);
            }
        }
    }
}

/// What a branch tells about a counter holds at its edge: one above zero, one below the bound.
#[test]
fn facts_of_branches_hold_at_the_edges() {
    let jit = jit();
    let conditions: [fn(&mut Asm); 6] = [
        |a| {
            a.op(Op::Dup1).op(Op::IsZero);
        },
        |a| {
            a.op(Op::Dup2).op(Op::Dup2).op(Op::Lt).op(Op::IsZero);
        },
        |a| {
            a.op(Op::Dup2).op(Op::Dup2).op(Op::Gt).op(Op::IsZero);
        },
        |a| {
            a.op(Op::Dup2).op(Op::Dup2).op(Op::Gt);
        },
        |a| {
            a.op(Op::Dup2).op(Op::Dup2).op(Op::Eq);
        },
        |a| {
            a.push1(5).op(Op::Dup2).op(Op::Slt).op(Op::IsZero);
        },
    ];
    let steps: [fn(&mut Asm); 6] = [
        |a| {
            a.push1(1).op(Op::Swap1).op(Op::Sub);
        },
        |a| {
            a.push1(1).op(Op::Add);
        },
        |a| {
            a.push1(1).op_imm(Op::CAdd, 0x08);
        },
        |a| {
            a.push1(1).op(Op::Swap1).op_imm(Op::CSub, 0x08);
        },
        |a| {
            a.push1(1).op_imm(Op::CAdd, 0x04);
        },
        |a| {
            a.push1(1).op(Op::Swap1).op_imm(Op::CSub, 0x88);
        },
    ];
    let mask = (U256::ONE << 64) - U256::ONE;
    for condition in conditions {
        for step in steps {
            let mut asm = Asm::new(Encoding::Zvm);
            for offset in [0, 32] {
                asm.push1(offset).op(Op::CalldataLoad).push(mask).op(Op::And);
            }
            condition(&mut asm);
            let patch = asm.bytes.len() + 1;
            asm.push1(0).op(Op::JumpI);
            step(&mut asm);
            asm.op(Op::Dup1).op(Op::Not).op(Op::Halt);
            asm.bytes[patch] = asm.bytes.len() as u8;
            asm.op(Op::JumpDest).op(Op::Gas).op(Op::Halt);
            let both = Both::new(&jit, asm.code());
            let values =
                [0, 1, 2, 5, 6, 1 << 31, (1 << 32) - 1, 1 << 63, (1 << 63) - 1, u64::MAX - 1, u64::MAX];
            for a in values {
                for b in values {
                    both.check(&[calldata(a), calldata(b)].concat(), 10_000);
                }
            }
        }
    }
}
