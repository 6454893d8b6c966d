//! Jumps, entries, faults against charging ahead.

use crate::support::{Asm, Both, TestHost, frame, interpret, jit, run_compiled, seen, step_while};
use crate::{FIBONACCI, all_options, bytes, calldata, check_every_gas};
use zvm::U256;
use zvm::bytecode::{Code, Encoding, Op};
use zvm::outcome::Exit;
use zvm_jit::Jit;

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

/// Every way into compiled code: at each enterable block, with the state that the reference has there.
#[test]
fn a_run_can_enter_at_every_block() {
    for options in all_options() {
        let jit = Jit::new(options).expect("this machine has a code generator");
        let both = Both::new(&jit, Code::evm(bytes(FIBONACCI)));
        let expected = both.check(&calldata(5), 10_000).0;
        for steps in 0..80 {
            let mut frame = frame(&both.code, &calldata(5), 10_000);
            let mut host = TestHost::new();
            let mut left = steps;
            step_while(&mut frame, &mut host, |_| {
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
        let mut host = TestHost::new();
        let exit = match is_compiled {
            true => run_compiled(&both.compiled, &mut frame, &mut host),
            false => interpret(&mut frame, &mut host),
        };
        seen(exit, &frame, &host)
    };
    assert_eq!(run(true), run(false));
    assert_eq!(run(true).stack, vec![U256::from(3); 2]);
}
