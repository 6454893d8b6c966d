//! Control flow, faults against charging ahead, loops, memory, storage: whole programs in both tiers.

mod support;

use std::num::NonZeroU32;

use support::{Asm, Both, frame, interpret, jit, run_compiled, seen, spec};
use zvm::U256;
use zvm::bytecode::{Code, Encoding, Op};
use zvm::compiled::tier::CompiledCode;
use zvm::outcome::{Exit, Trap};
use zvm_jit::{Jit, JitOptions, OptLevel, Perturbation};

/// n rounds of Fibonacci, n from call data; the code of the field's usual benchmark.
const FIBONACCI: &str = "5f355f60015b8215601a578181019150909160019003916005565b9150505f5260205ff3";
/// The same for the factorial.
const FACTORIAL: &str = "5f355f60015b8215601b57906001018091029160019003916005565b9150505f5260205ff3";

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |c: u8| char::from(c).to_digit(16).expect("a hex digit") as u8;
    hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn calldata(n: u64) -> Vec<u8> {
    U256::from(n).to_be_bytes::<32>().to_vec()
}

fn all_options() -> Vec<JitOptions> {
    let base = JitOptions::checked();
    let exit_every = |n| Perturbation { exit_every: NonZeroU32::new(n), ..Perturbation::NONE };
    vec![
        base,
        JitOptions { opt_level: OptLevel::None, ..base },
        JitOptions { opt_level: OptLevel::Quick, ..base },
        JitOptions { opt_level: OptLevel::Quick, carry_loops: false, copied_ops_max: 0, ..base },
        JitOptions { carry_loops: false, ..base },
        JitOptions { copied_ops_max: 0, ..base },
        JitOptions { copied_ops_max: 12, ..base },
        JitOptions { region_blocks_max: 1, ..base },
        JitOptions { region_blocks_max: 2, block_ops_max: 3, ..base },
        JitOptions { perturbation: Perturbation { flush_always: true, ..Perturbation::NONE }, ..base },
        JitOptions { perturbation: Perturbation { enter_seed: Some(7), ..Perturbation::NONE }, ..base },
        JitOptions { perturbation: exit_every(2), ..base },
        JitOptions { perturbation: exit_every(3), region_blocks_max: 2, ..base },
    ]
}

/// Checks a program under all options, with every gas from 0 to `gas_max`.
fn check_every_gas(asm: &Asm, gas_max: u64) {
    for options in all_options() {
        let jit = Jit::new(options).expect("this machine has a code generator");
        let both = Both::new(&jit, asm.code());
        for gas in 0..=gas_max {
            both.check(&calldata(3), gas);
        }
    }
}

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

/// In these blocks a charge or a stack check at the head fails although the program faults before it runs short.
#[test]
fn a_fault_comes_before_what_its_block_cannot_pay() {
    let shapes: [fn(&mut Asm); 8] = [
        // A fault first, then work.
        |a| {
            a.push1(1).push1(0).op_imm(Op::CSub, 0x08).push1(7).op(Op::Add).op(Op::Pop);
        },
        // A fault last.
        |a| {
            a.push1(1).push1(2).op(Op::Add).op(Op::Pop).push1(0).op_imm(Op::Assert, 0x32);
        },
        // No fault, then one.
        |a| {
            a.push1(200).push1(100).op_imm(Op::CAdd, 0x02).push1(0).op_imm(Op::CDiv, 0x08);
            a.push1(0).op_imm(Op::CDiv, 0x08);
        },
        // A stack that is short after the fault.
        |a| {
            a.push1(0).op_imm(Op::Assert, 0x01).op(Op::Pop).op(Op::Pop).op(Op::Pop);
        },
        // Memory growth between head and fault.
        |a| {
            a.push1(1)
                .push(U256::from(400))
                .op(Op::Mstore)
                .push1(0)
                .op_imm(Op::Assert, 0x11)
                .push1(9)
                .op(Op::Pop);
        },
        // A storage access between head and fault.
        |a| {
            a.push1(1).op(Op::Sload).op(Op::Pop).push1(1).op_imm(Op::CNeg, 0x20).push1(5).op(Op::Mload);
        },
        // An exponent's price.
        |a| {
            a.push(U256::from(70_000)).push1(3).op_imm(Op::CExp, 0x20).push1(1).op(Op::Add);
        },
        // A halt that keeps what the block charged exactly.
        |a| {
            a.push1(1).push1(1).op_imm(Op::CMul, 0x81).op_imm(Op::Assert, 1).op(Op::Gas).op(Op::Gas);
        },
    ];
    for shape in shapes {
        for dest in [false, true] {
            let mut asm = Asm::new(Encoding::Zvm);
            if dest {
                asm.push1(3).op(Op::Jump).op(Op::JumpDest);
            }
            shape(&mut asm);
            check_every_gas(&asm, 200);
            let both = Both::new(&jit(), asm.code());
            for gas in 2000..2300 {
                both.check(&[], gas);
            }
        }
    }
}

#[test]
fn a_fault_gives_back_the_gas_of_what_did_not_run() {
    let mut asm = Asm::new(Encoding::Zvm);
    asm.push1(1).push1(0).op_imm(Op::CSub, 0x08);
    let spent = 3 + 3 + 3;
    for _ in 0..100 {
        asm.push1(1).op(Op::Add);
    }
    let both = Both::new(&jit(), asm.code());
    for gas in [9, 10, 100, 608, 609, 10_000] {
        let (end, _) = both.check(&[], gas);
        assert_eq!((end.exit, end.gas), (Exit::Revert, gas - spent));
        assert_eq!(end.output, zvm::outcome::panic_data(0x11).to_vec());
    }
    let (end, blocks) = both.check(&[], 10_000);
    assert_eq!((end.gas, blocks), (10_000 - spent, 1));
}

#[test]
fn the_stack_has_its_limits_in_compiled_code() {
    // Pushes one word per round until the stack is full; the height is unknown at the loop's head.
    let mut asm = Asm::new(Encoding::Evm);
    asm.op(Op::JumpDest).op(Op::Push0).op(Op::Push0).op(Op::Jump);
    let both = Both::new(&jit(), asm.code());
    let (end, blocks) = both.check(&[], 1_000_000);
    assert_eq!(end.exit, Exit::Trap(Trap::StackOverflow));
    // The last few rounds are the interpreter's: a stack check asks for more room than its block needs.
    assert!(blocks > 900, "{blocks}");

    // Drops one per round until there is none.
    let mut asm = Asm::new(Encoding::Evm);
    for n in 0..20 {
        asm.push1(n);
    }
    let head = asm.bytes.len() as u8;
    asm.op(Op::JumpDest).op(Op::Pop).push1(head).op(Op::Jump);
    let both = Both::new(&jit(), asm.code());
    let (end, blocks) = both.check(&[], 1_000_000);
    assert_eq!(end.exit, Exit::Trap(Trap::StackUnderflow));
    assert!(blocks >= 20);
}

#[test]
fn deep_dups_and_swaps_reach_words_of_earlier_blocks() {
    let mut asm = Asm::new(Encoding::Zvm);
    for n in 0..250 {
        asm.push1(n);
    }
    asm.op(Op::JumpDest);
    for n in [1, 2, 16, 17, 100, 249] {
        asm.op_imm(Op::SwapN, n).op_imm(Op::DupN, n).op(Op::Add);
    }
    asm.op(Op::JumpDest).op_imm(Op::SwapN, 200).op(Op::Swap4).op(Op::Swap1).op(Op::Dup4);
    check_every_gas(&asm, 20);
    let (end, _) = Both::new(&jit(), asm.code()).check(&[], 10_000);
    assert_eq!((end.exit, end.stack.len()), (Exit::Halt, 251));
}

#[test]
fn jumps_of_all_kinds_agree() {
    let evm = |f: &dyn Fn(&mut Asm)| {
        let mut asm = Asm::new(Encoding::Evm);
        f(&mut asm);
        asm
    };
    let programs = [
        // To a jump target, past one, into push data, far away, beyond 64 bits.
        evm(&|a| {
            a.push1(4).op(Op::Jump).op(Op::Invalid).op(Op::JumpDest).push1(1);
        }),
        evm(&|a| {
            a.push1(1).op(Op::Jump).op(Op::JumpDest);
        }),
        evm(&|a| {
            a.push1(1).push1(0x5b).op(Op::Pop).push1(3).op(Op::JumpI).op(Op::Halt);
        }),
        evm(&|a| {
            a.push(U256::MAX).op(Op::Jump);
        }),
        evm(&|a| {
            a.push(U256::ONE << 64).op(Op::Jump);
        }),
        // A target from call data: 3.
        evm(&|a| {
            a.op(Op::Push0).op(Op::CalldataLoad);
            a.op(Op::JumpDest)
                .op(Op::Dup1)
                .push1(1)
                .op(Op::Add)
                .op(Op::Swap1)
                .push1(3)
                .op(Op::Mstore)
                .op(Op::Halt);
        }),
        evm(&|a| {
            // 0: push0, calldataload = 3, jump; 3: jumpdest.
            a.op(Op::Push0).op(Op::CalldataLoad).op(Op::Jump).op(Op::JumpDest).push1(7).op(Op::Gas);
        }),
        // A subroutine called from two places, its return addresses on the stack.
        evm(&|a| {
            a.push1(5).push1(16).op(Op::Jump).op(Op::JumpDest).push1(11).push1(16).op(Op::Jump);
            a.op(Op::JumpDest).op(Op::Gas).op(Op::Halt).op(Op::Invalid).op(Op::Invalid);
            a.op(Op::JumpDest).push1(42).op(Op::Swap1).op(Op::Jump);
        }),
        // Conditions: constants, flags, wide words; an invalid target that is not taken.
        evm(&|a| {
            a.push1(0).push(U256::MAX).op(Op::JumpI).push1(1).push1(8).op(Op::JumpI);
        }),
        evm(&|a| {
            a.op(Op::Push0)
                .op(Op::CalldataLoad)
                .op(Op::IsZero)
                .op(Op::IsZero)
                .push1(9)
                .op(Op::JumpI)
                .op(Op::Invalid);
            a.op(Op::Invalid)
                .op(Op::JumpDest)
                .op(Op::Push0)
                .op(Op::CalldataLoad)
                .push1(3)
                .op(Op::Lt)
                .push1(22);
            a.op(Op::JumpI).push1(1).op(Op::Halt).op(Op::Invalid).op(Op::JumpDest).push1(2);
        }),
        // Nothing, an immediate that the end cuts off, an unknown byte, an end by running off.
        evm(&|_| {}),
        Asm { encoding: Encoding::Evm, bytes: vec![0x61, 0xab] },
        Asm { encoding: Encoding::Evm, bytes: vec![0x60, 0x01, 0x0c] },
        Asm { encoding: Encoding::Evm, bytes: vec![0x60, 0x01, 0x60, 0x08, 0x57] },
        Asm { encoding: Encoding::Zvm, bytes: vec![0x20, 0x00] },
        Asm { encoding: Encoding::Zvm, bytes: vec![0x11, 1, 0x11, 1, 0x40, 0x00] },
        Asm { encoding: Encoding::Zvm, bytes: vec![0x11, 1, 0x11, 1, 0x40] },
        Asm { encoding: Encoding::Zvm, bytes: vec![0x11, 1, 0xd3, 0x11] },
        Asm { encoding: Encoding::Evm, bytes: vec![0x60, 0x01, 0x60, 0xea, 0x55, 0x01] },
    ];
    for asm in &programs {
        check_every_gas(asm, 90);
        Both::new(&jit(), asm.code()).check(&calldata(3), 100_000);
    }
}

#[test]
fn memory_agrees_at_all_offsets() {
    let jit = jit();
    let offsets =
        [0u128, 1, 31, 32, 33, 63, 64, 1000, 4096, 1 << 20, u64::MAX as u128 - 40, u64::MAX as u128, 1 << 64];
    for constant in [true, false] {
        for offset in offsets {
            let mut asm = Asm::new(Encoding::Evm);
            let push = |asm: &mut Asm| match constant {
                true => {
                    asm.push(U256::from(offset));
                }
                false => {
                    asm.op(Op::Push0).op(Op::CalldataLoad);
                }
            };
            asm.push(U256::MAX / U256::from(3));
            push(&mut asm);
            asm.op(Op::Mstore).op(Op::Msize);
            push(&mut asm);
            asm.op(Op::Mload).push1(0xee);
            push(&mut asm);
            asm.push1(7).op(Op::Add).op(Op::Mstore8);
            push(&mut asm);
            asm.op(Op::Mload).op(Op::Msize).op(Op::Gas);
            let both = Both::new(&jit, asm.code());
            let input = U256::from(offset).to_be_bytes::<32>();
            for gas in (0..120).chain([500, 1000, 100_000, 10_000_000]) {
                both.check(&input, gas);
            }
        }
    }
}

#[test]
fn effects_and_surroundings_agree() {
    let mut asm = Asm::new(Encoding::Zvm);
    asm.push1(9).push1(1).op(Op::Sstore).push1(1).op(Op::Sload).push1(2).op(Op::Sload).op(Op::Gas);
    asm.push1(5).push1(6).op(Op::Tstore).push1(6).op(Op::Tload);
    asm.push1(3).push1(4).op(Op::Tablehash).push1(1).push1(2).push1(3).op_imm(Op::TablehashN, 2);
    for op in
        [Op::Address, Op::Caller, Op::CallValue, Op::CalldataSize, Op::CodeSize, Op::Timestamp, Op::Number]
    {
        asm.op(op);
    }
    for op in
        [Op::PrevRandao, Op::ChainId, Op::SelfBalance, Op::Origin, Op::Pc, Op::Msize, Op::ReturndataSize]
    {
        asm.op(op);
    }
    asm.push1(40).push1(2).push1(3).op(Op::CalldataCopy).push1(40).push1(2).push1(90).op(Op::CodeCopy);
    asm.push1(64).push1(5).op(Op::Keccak256).push1(50).push1(1).push1(20).op(Op::Mcopy);
    asm.op(Op::Dup1).push1(77).push1(40).push1(3).op(Op::Log2);
    asm.push1(0).push1(1).op(Op::Sstore).op(Op::Gas).op(Op::Msize).push1(33).push1(7).op(Op::Return);
    let both = Both::new(&jit(), asm.code());
    for gas in (0..60_000).step_by(97) {
        both.check(&calldata(0x1234_5678), gas);
    }
    let (end, blocks) = both.check(&calldata(0x1234_5678), 60_000);
    assert_eq!((end.exit, end.logs.len(), blocks), (Exit::Return, 1, 1));
    check_every_gas(&asm, 60);
}

#[test]
fn a_static_frame_is_refused_at_the_same_place() {
    let mut asm = Asm::new(Encoding::Evm);
    asm.push1(1).push1(2).op(Op::Sstore).push1(3).push1(4).op(Op::Add);
    let both = Both::new(&jit(), asm.code());
    for gas in [0, 5, 6, 10, 2300, 2400, 5000] {
        let run = |is_compiled: bool| {
            let mut frame = frame(&both.code, &[], gas);
            frame.message.is_static = true;
            let mut host = support::TestHost::new();
            let exit = match is_compiled {
                true => run_compiled(&both.compiled, &mut frame, &mut host),
                false => interpret(&mut frame, &mut host),
            };
            seen(exit, &frame, &host)
        };
        assert_eq!(run(true), run(false), "gas {gas}");
    }
}

/// Every way into compiled code: at each enterable block, with the state that the reference has there.
#[test]
fn a_run_can_enter_at_every_block() {
    for options in all_options() {
        let jit = Jit::new(options).expect("this machine has a code generator");
        let both = Both::new(&jit, Code::evm(bytes(FIBONACCI)));
        let expected = both.check(&calldata(5), 10_000).0;
        for steps in 0..80 {
            let mut frame = frame(&both.code, &calldata(5), 10_000);
            let mut host = support::TestHost::new();
            let mut left = steps;
            support::step_while(&mut frame, &mut host, |_| {
                left -= 1;
                left >= 0
            });
            let exit = run_compiled(&both.compiled, &mut frame, &mut host);
            assert_eq!(seen(exit, &frame, &host), expected);
        }
    }
}

#[test]
fn a_frame_with_words_on_its_stack_is_not_trusted_to_have_none() {
    let mut asm = Asm::new(Encoding::Evm);
    asm.op(Op::Add).op(Op::JumpDest).op(Op::Dup1);
    let both = Both::new(&jit(), asm.code());
    let run = |is_compiled: bool| {
        let mut frame = frame(&both.code, &[], 100);
        frame.stack.push_word(U256::from(1));
        frame.stack.push_word(U256::from(2));
        let mut host = support::TestHost::new();
        let exit = match is_compiled {
            true => run_compiled(&both.compiled, &mut frame, &mut host),
            false => interpret(&mut frame, &mut host),
        };
        seen(exit, &frame, &host)
    };
    assert_eq!(run(true), run(false));
    assert_eq!(run(true).stack, vec![U256::from(3); 2]);
}

#[test]
fn large_and_odd_code_compiles() {
    let jit = jit();
    for byte in [0x5b, 0x1b, 0x06, 0x60, 0x57, 0x56, 0x80, 0x0c] {
        let both = Both::new(&jit, Code::evm(vec![byte; 24_576]));
        both.check(&[], 100_000);
    }
    let long = jit.compile(&Code::evm(vec![0x5b; 100_000]), &spec());
    assert!(matches!(long, Err(zvm_jit::JitError::CodeTooLong { size: 100_000, .. })));
}

#[test]
fn code_memory_is_freed() {
    let jit = jit();
    let code = Code::evm(bytes(FIBONACCI));
    let mapped = || std::fs::read_to_string("/proc/self/maps").map_or(0, |maps| maps.lines().count());
    let before = mapped();
    for _ in 0..500 {
        assert!(jit.compile(&code, &spec()).expect("compiles").size_bytes() > 0);
    }
    assert!(mapped() < before + 100, "mappings grew from {before} to {}", mapped());
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
