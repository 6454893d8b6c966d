//! `execute`, one operation at a time, against the run loop, on random programs.

use std::sync::Arc;

use proptest::prelude::*;
use zvm::bytecode::steps::FUSIONS;
use zvm::bytecode::{Code, Encoding, Op};
use zvm::engine::Session;
use zvm::interp::ops;
use zvm::outcome::{Exit, Trap};
use zvm::{U256, interp};

use crate::run::World;

/// Runs the frame by `execute` alone, as a caller that does stack check and static gas itself.
fn run_stepwise(world: &mut World) -> Exit {
    let World { engine, frame, state, block, tx } = world;
    let host = &mut Session { engine, state, block, tx };
    let code = frame.code.clone();
    loop {
        let pc = frame.pc;
        let Some(op) = ops::runnable(code.encoding(), code.padded()[pc], &frame.spec) else {
            return Trap::InvalidOpcode.into();
        };
        let (pops, pushes) = op.stack_effect(code.padded()[pc + 1]);
        if let Err(trap) = frame.stack.check(usize::from(pops), usize::from(pushes)) {
            return trap.into();
        }
        let Some(gas) = frame.gas.checked_sub(op.info().gas) else { return Trap::OutOfGas.into() };
        frame.gas = gas;
        let next = pc + 1 + usize::from(op.info().imm);
        if let Err(exit) = ops::execute(op, pc, frame, host) {
            return exit;
        }
        // A jump has moved the program counter, unless it went to itself or was not taken.
        let jumped = op == Op::Jump || frame.pc != pc;
        if !jumped {
            frame.pc = next;
        }
    }
}

/// Programs of operations that exist, with immediates and small pushes between them.
fn any_program(encoding: Encoding) -> impl Strategy<Value = Vec<u8>> {
    let rows: Vec<Op> = Op::ALL.iter().copied().filter(|&op| encoding.byte(op).is_some()).collect();
    let operation = proptest::sample::select(rows);
    let small = prop_oneof![Just(0u8), 1u8..40, Just(0x20u8), Just(0x88), Just(0xff), any::<u8>()];
    let push = encoding.byte(Op::Push1).expect("both encodings have push1");
    let piece =
        (operation, proptest::collection::vec(small, 33), 0u8..3).prop_map(move |(op, bytes, kind)| {
            let byte = encoding.byte(op).expect("filtered");
            match kind {
                0 => vec![push, bytes[0], push, bytes[1], byte, bytes[2], bytes[3]],
                1 => [&[byte][..], &bytes[..usize::from(op.info().imm)]].concat(),
                _ => vec![push, bytes[0]],
            }
        });
    proptest::collection::vec(piece, 1..40).prop_map(|pieces| pieces.concat())
}

/// Runs with a pause at the first jump after each `slice` of gas.
fn run_pausing(world: &mut World, slice: u64) -> Exit {
    loop {
        let gas = world.frame.gas;
        world.frame.pause_at = gas.saturating_sub(slice);
        match world.run() {
            Exit::Interpret => {
                assert!(world.frame.gas <= gas.saturating_sub(slice), "no pause before its time")
            }
            exit => return exit,
        }
    }
}

fn check(encoding: Encoding, program: &[u8], gas: u64) -> Result<(), TestCaseError> {
    let world = || {
        let code = match encoding {
            Encoding::Zvm => Code::native(program),
            Encoding::Evm => Code::evm(program.to_vec()),
        };
        World::new(code, gas).with_stack(&[1u64, 2, 3, 5, 8, 40].map(U256::from))
    };
    let (mut looped, mut stepped, mut counted, mut paused) = (world(), world(), world(), world());
    let exit = looped.run();
    prop_assert_eq!(run_stepwise(&mut stepped), exit);
    let World { engine, frame, state, block, tx } = &mut counted;
    prop_assert_eq!(interp::run_counting(frame, &mut Session { engine, state, block, tx }, None), exit);
    prop_assert!(counted.frame.blocks_interpreted >= 1);
    prop_assert_eq!(run_pausing(&mut paused, 17), exit);
    for other in [&stepped, &counted, &paused] {
        if !matches!(exit, Exit::Trap(_)) {
            prop_assert_eq!(looped.frame.gas, other.frame.gas);
            prop_assert_eq!(looped.frame.stack.words(), other.frame.stack.words());
            prop_assert_eq!(looped.frame.memory.bytes(), other.frame.memory.bytes());
        }
        prop_assert_eq!(&looped.frame.output, &other.frame.output);
        prop_assert_eq!(looped.state.diff(), other.state.diff());
        prop_assert_eq!(looped.state.logs(), other.state.logs());
        prop_assert_eq!(looped.state.refund(), other.state.refund());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn native_programs_run_the_same_step_by_step(program in any_program(Encoding::Zvm), gas in 0u64..60_000) {
        check(Encoding::Zvm, &program, gas)?;
    }

    #[test]
    fn evm_programs_run_the_same_step_by_step(program in any_program(Encoding::Evm), gas in 0u64..60_000) {
        check(Encoding::Evm, &program, gas)?;
    }

    /// Any bytes are a program, and it ends.
    #[test]
    fn any_bytes_run_to_an_end(program in proptest::collection::vec(any::<u8>(), 0..200), gas in 0u64..60_000) {
        check(Encoding::Zvm, &program, gas)?;
        check(Encoding::Evm, &program, gas)?;
    }
}

#[test]
fn blocks_are_counted_at_entry_jumpdests_and_fall_throughs() {
    // push1 3: loop { jumpdest; push1 1 swap1 sub; dup1; push1 2; jumpi }
    let code = [0x60, 3, 0x5b, 0x60, 1, 0x90, 0x03, 0x80, 0x60, 2, 0x57];
    let mut world = World::evm(&code, 10_000);
    let World { engine, frame, state, block, tx } = &mut world;
    assert_eq!(interp::run_counting(frame, &mut Session { engine, state, block, tx }, None), Exit::Halt);
    assert_eq!(world.frame.blocks_interpreted, 1 + 3 + 1);
}

/// The instructions of a fused sequence and a `jumpdest` behind them, each push giving the `jumpdest`'s offset or,
/// with `valid_jump` off, one past it.
fn fused_program(encoding: Encoding, sequence: &[Op], valid_jump: bool) -> Option<Vec<u8>> {
    let bytes: Vec<u8> = sequence.iter().map(|&op| encoding.byte(op)).collect::<Option<_>>()?;
    let end: usize = bytes.iter().map(|&byte| encoding.instruction_len(byte)).sum();
    let mut program = Vec::new();
    for byte in bytes {
        program.push(byte);
        program.resize(program.len() + encoding.immediate_len(byte), 0);
        if encoding.immediate_len(byte) > 0 {
            *program.last_mut()? = end as u8 + u8::from(!valid_jump);
        }
    }
    program.push(encoding.byte(Op::JumpDest)?);
    Some(program)
}

#[test]
fn fused_sequences_trap_and_charge_like_their_operations() {
    for (sequence, encoding) in FUSIONS.iter().flat_map(|sequence| Encoding::ALL.map(|e| (sequence, e))) {
        for valid_jump in [true, false] {
            let Some(program) = fused_program(encoding, sequence, valid_jump) else { continue };
            let code = Arc::new(match encoding {
                Encoding::Zvm => Code::native(&program),
                Encoding::Evm => Code::evm(program.clone()),
            });
            let full = zvm::gas::STACK_LIMIT;
            for height in (0..8).chain(full - 2..=full) {
                let end = program.len() as u64 - 1;
                for (gas, operand) in (0..30).map(|gas| (gas, end)).chain([(30, 0), (30, 1), (30, end + 1)]) {
                    let mut words = vec![U256::from(operand); height];
                    // The deeper words differ, so that a swap shows.
                    words.iter_mut().rev().skip(1).zip(2u64..).for_each(|(word, n)| *word += U256::from(n));
                    let world = || World::new(code.clone(), gas).with_stack(&words);
                    let (mut looped, mut stepped) = (world(), world());
                    let exit = looped.run();
                    let context = (sequence, encoding, valid_jump, height, gas, operand);
                    assert_eq!(run_stepwise(&mut stepped), exit, "{context:?}");
                    if !matches!(exit, Exit::Trap(_)) {
                        assert_eq!(looped.frame.gas, stepped.frame.gas, "{context:?}");
                        assert_eq!(looped.frame.stack.words(), stepped.frame.stack.words(), "{context:?}");
                        assert_eq!(looped.frame.memory.bytes(), stepped.frame.memory.bytes(), "{context:?}");
                    }
                }
            }
        }
    }
}
