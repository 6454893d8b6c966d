//! Each operation in a table: outcome, gas and stack; then the corners that a table can't show.

use zvm::bytecode::{Code, Encoding, Op};
use zvm::outcome::{Exit, Trap, panic_code, panic_data};
use zvm::{B256, Bytes, Fork, U256};

use crate::run::{CALLER, HERE, ORIGIN, World, word};

const OUT_OF_GAS: Exit = Exit::Trap(Trap::OutOfGas);
const INVALID: Exit = Exit::Trap(Trap::InvalidOpcode);
const UNDERFLOW: Exit = Exit::Trap(Trap::StackUnderflow);

/// Runs one operation in each encoding that has it, `immediate` after it.
#[track_caller]
fn check(op: Op, immediate: &[u8], stack: &[U256], gas_spent: u64, expected: &[U256]) {
    for encoding in Encoding::ALL {
        let Some(byte) = encoding.byte(op) else { continue };
        let code = [&[byte], immediate].concat();
        let mut world = match encoding {
            Encoding::Zvm => World::zvm(&code, 1_000_000),
            Encoding::Evm => World::evm(&code, 1_000_000),
        };
        world = world.with_stack(stack);
        world.check(Exit::Halt, gas_spent, expected);
    }
}

#[test]
fn word_operations_cost_their_row_and_take_the_top_first() {
    let minus_one = U256::MAX;
    let cases: &[(Op, &[u64], U256)] = &[
        (Op::Add, &[3, 7], word(10)),
        (Op::Sub, &[3, 7], word(4)),
        (Op::Sub, &[7, 6], minus_one),
        (Op::Mul, &[3, 7], word(21)),
        (Op::Div, &[3, 7], word(2)),
        (Op::Sdiv, &[3, 7], word(2)),
        (Op::Mod, &[3, 7], word(1)),
        (Op::Smod, &[3, 7], word(1)),
        (Op::AddMod, &[10, 8, 7], word(5)),
        (Op::MulMod, &[10, 8, 7], word(6)),
        (Op::SignExtend, &[0xff, 0], minus_one),
        (Op::Lt, &[3, 7], word(0)),
        (Op::Gt, &[3, 7], word(1)),
        (Op::Slt, &[3, 7], word(0)),
        (Op::Sgt, &[3, 7], word(1)),
        (Op::Eq, &[3, 7], word(0)),
        (Op::IsZero, &[0], word(1)),
        (Op::And, &[6, 12], word(4)),
        (Op::Or, &[6, 12], word(14)),
        (Op::Xor, &[6, 12], word(10)),
        (Op::Not, &[0], minus_one),
        (Op::Byte, &[0xab, 31], word(0xab)),
        (Op::Shl, &[3, 1], word(6)),
        (Op::Shr, &[6, 1], word(3)),
        (Op::Sar, &[6, 1], word(3)),
        (Op::Clz, &[1], word(255)),
    ];
    for (op, operands, result) in cases {
        let stack: Vec<U256> = operands.iter().map(|&operand| word(operand)).collect();
        check(*op, &[], &stack, op.info().gas, &[*result]);
    }
}

#[test]
fn exp_charges_the_bytes_of_the_exponent() {
    check(Op::Exp, &[], &[word(0), word(2)], 10, &[word(1)]);
    check(Op::Exp, &[], &[word(255), word(1)], 60, &[word(1)]);
    check(Op::Exp, &[], &[word(256), word(1)], 110, &[word(1)]);
    check(Op::CExp, &[0x20], &[U256::MAX, word(1)], 10 + 50 * 32, &[word(1)]);
}

#[test]
fn pushes_read_their_immediate_and_zeros_past_the_end() {
    for &op in Op::ALL.iter().filter(|op| op.name().starts_with("push")) {
        let size = usize::from(op.info().imm);
        let immediate: Vec<u8> = (1..=size as u8).collect();
        let whole = U256::from_be_slice(&immediate);
        check(op, &immediate, &[], op.info().gas, &[whole]);
        if size > 0 {
            let cut = whole >> 8 << 8;
            check(op, &immediate[..size - 1], &[], op.info().gas, &[cut]);
        }
    }
}

#[test]
fn dups_and_swaps_reach_their_word() {
    let stack: Vec<U256> = (0..300).map(word).collect();
    for n in [1usize, 2, 16, 255] {
        let mut duplicated = stack.clone();
        duplicated.push(stack[stack.len() - n]);
        let mut swapped = stack.clone();
        swapped.swap(stack.len() - 1, stack.len() - 1 - n);
        check(Op::DupN, &[n as u8], &stack, 3, &duplicated);
        check(Op::SwapN, &[n as u8], &stack, 3, &swapped);
        if let (Some(dup), Some(swap)) =
            (Op::from_name(&format!("dup{n}")), Op::from_name(&format!("swap{n}")))
        {
            check(dup, &[], &stack, 3, &duplicated);
            check(swap, &[], &stack, 3, &swapped);
        }
    }
}

#[test]
fn illegal_immediates_come_after_stack_and_gas() {
    let byte = |op| Encoding::Zvm.byte(op).expect("a native operation");
    let run = |op, immediate: u8, gas, words: usize| {
        World::zvm(&[byte(op), immediate], gas).with_stack(&vec![word(1); words]).run()
    };
    for (op, immediate) in [(Op::DupN, 0), (Op::SwapN, 0), (Op::TablehashN, 0), (Op::TablehashN, 17)] {
        assert_eq!(run(op, immediate, 1000, 100), INVALID, "{op} {immediate}");
    }
    for immediate in [0x00, 0x21, 0x3f, 0x41, 0x48, 0x80, 0xa1, 0xc8] {
        assert_eq!(run(Op::CAdd, immediate, 1000, 100), INVALID, "cadd {immediate:#x}");
        assert_eq!(run(Op::CExp, immediate, 1000, 100), INVALID, "cexp {immediate:#x}");
    }
    assert_eq!(run(Op::CCast, 0x48, 1000, 100), Exit::Halt, "bit 6 is legal in ccast alone");
    assert_eq!(run(Op::CCast, 0x40, 1000, 100), INVALID);
    assert_eq!(run(Op::DupN, 0, 2, 100), OUT_OF_GAS);
    assert_eq!(run(Op::SwapN, 0, 1000, 0), UNDERFLOW);
    assert_eq!(run(Op::DupN, 0, 1000, 1024), Exit::Trap(Trap::StackOverflow));
    assert_eq!(run(Op::TablehashN, 200, 1000, 200), UNDERFLOW);
}

/// Every operation: with one word too few it underflows, with gas one short it is out of gas, in both encodings.
#[test]
fn every_row_checks_stack_and_then_static_gas() {
    for encoding in Encoding::ALL {
        for &op in Op::ALL {
            let Some(byte) = encoding.byte(op) else { continue };
            let code = [byte, 0x81];
            let run = |words: usize, gas| {
                let code =
                    if encoding == Encoding::Zvm { Code::native(&code) } else { Code::evm(code.to_vec()) };
                let mut world = World::new(code, gas).with_stack(&vec![word(1); words]);
                world.frame.spec.hedera = true;
                world.run()
            };
            let (pops, pushes) = op.stack_effect(0x81);
            if pops > 0 {
                assert_eq!(run(usize::from(pops) - 1, 1_000_000), UNDERFLOW, "{op}");
            }
            if pushes > pops {
                assert_eq!(run(1024, 1_000_000), Exit::Trap(Trap::StackOverflow), "{op}");
            }
            if op.info().gas > 0 {
                assert_eq!(run(usize::from(pops), op.info().gas - 1), OUT_OF_GAS, "{op}");
            }
        }
    }
}

#[test]
fn bytes_without_a_row_and_operations_that_need_another_host_are_invalid_opcodes_at_once() {
    for encoding in Encoding::ALL {
        for byte in 0..=255u8 {
            if encoding.op(byte).is_some_and(|op| op.is_active(Fork::LATEST, false) && op != Op::Invalid) {
                continue;
            }
            // No gas and no words: nothing is looked at before.
            let code = if encoding == Encoding::Zvm { Code::native(&[byte]) } else { Code::evm(vec![byte]) };
            assert_eq!(World::new(code, 0).run(), INVALID, "{encoding:?} {byte:#x}");
        }
    }
}

#[test]
fn clz_is_an_invalid_opcode_before_osaka() {
    let mut world = World::evm(&[0x1e], 100).with_stack(&[word(1)]);
    world.frame.spec.fork = Fork::Prague;
    assert_eq!(world.run(), INVALID);
}

#[test]
fn memory_operations_pay_for_growth_once() {
    // mstore(32, 0x1122); mload(30); mstore8(0, 0x1ff); mload(0); msize
    let code =
        [0x61, 0x11, 0x22, 0x60, 32, 0x52, 0x60, 30, 0x51, 0x61, 0x01, 0xff, 0x5f, 0x53, 0x5f, 0x51, 0x59];
    let expected = [U256::ZERO, word(0xff) << 248, word(64)];
    World::evm(&code, 1000).check(Exit::Halt, (6 + 3 + 6) + 6 + (5 + 3) + 5 + 2, &expected);
}

#[test]
fn mcopy_moves_overlapping_ranges_and_grows_to_the_larger_end() {
    // mstore(0, 1..=32); mcopy(1, 0, 32); mload(0); mload(1)
    let pattern: Vec<u8> = (1..=32).collect();
    let code =
        [&[0x7f][..], &pattern, &[0x5f, 0x52], &[0x60, 32, 0x5f, 0x60, 1, 0x5e, 0x5f, 0x51, 0x60, 1, 0x51]]
            .concat();
    let word_of = |bytes: &[u8]| U256::from_be_slice(bytes);
    let shifted: Vec<u8> = std::iter::once(1).chain(1..=31).collect();
    let gas = (3 + 2 + 3 + 3) + (8 + 3 + 3 + 3) + (2 + 3) + (3 + 3);
    World::evm(&code, 1000).check(Exit::Halt, gas, &[word_of(&shifted), word_of(&pattern)]);
    // A source beyond memory grows it too, and an empty copy costs nothing whatever its offsets.
    let mut world = World::evm(&[0x60, 32, 0x60, 64, 0x5f, 0x5e, 0x59], 1000);
    world.check(Exit::Halt, 8 + 3 + 3 + 9 + 2, &[word(96)]);
    let mut world = World::evm(&[0x5e, 0x59], 1000).with_stack(&[U256::ZERO, U256::MAX, U256::MAX]);
    world.check(Exit::Halt, 3 + 2, &[word(0)]);
}

#[test]
fn memory_that_the_engine_does_not_give_is_no_outcome() {
    let mut world = World::evm(&[0x51], i64::MAX as u64).with_stack(&[U256::ONE << 40]);
    assert_eq!(world.run(), Exit::MemoryLimit);
    let mut world = World::evm(&[0x51], i64::MAX as u64).with_stack(&[U256::ONE << 64]);
    assert_eq!(world.run(), OUT_OF_GAS);
}

#[test]
fn jumps_go_to_jumpdests_only() {
    // push1 4 jump invalid jumpdest push1 7
    World::evm(&[0x60, 4, 0x56, 0xfe, 0x5b, 0x60, 7], 100).check(Exit::Halt, 3 + 8 + 1 + 3, &[word(7)]);
    // jumpi not taken, then taken
    World::evm(&[0x5f, 0x60, 9, 0x57], 100).check(Exit::Halt, 2 + 3 + 10, &[]);
    World::evm(&[0x60, 1, 0x60, 6, 0x57, 0xfe, 0x5b], 100).check(Exit::Halt, 3 + 3 + 10 + 1, &[]);
    let invalid = Exit::Trap(Trap::InvalidJump);
    for target in [0, 1, 3, 5, 1 << 40] {
        let code = [0x63, 0, 0, 0, 0x5b, 0x56, 0x5b];
        let mut world = World::evm(&code[5..], 100).with_stack(&[word(target)]);
        let expected = if target == 1 { Exit::Halt } else { invalid };
        assert_eq!(world.run(), expected, "{target}");
    }
    let mut world = World::evm(&[0x56, 0x5b], 100).with_stack(&[word(1) << 64 | word(1)]);
    assert_eq!(world.run(), invalid);
    // An untaken jumpi does not look at its target.
    World::evm(&[0x57], 100).with_stack(&[word(0), U256::MAX]).check(Exit::Halt, 10, &[]);
}

#[test]
fn pc_and_gas_report_what_is_true_at_their_operation() {
    // jumpdest pc gas: offsets count from the body's start in both encodings.
    World::evm(&[0x5b, 0x58, 0x5a], 100).check(Exit::Halt, 1 + 2 + 2, &[word(1), word(95)]);
    World::zvm(&[0xa3, 0xa2, 0xca], 100).check(Exit::Halt, 1 + 2 + 2, &[word(1), word(95)]);
}

#[test]
fn ends_of_a_frame_give_their_data_and_keep_gas() {
    // mstore(0, 0xab) then return / revert (31, 1)
    for (byte, exit) in [(0xf3, Exit::Return), (0xfd, Exit::Revert)] {
        let mut world = World::evm(&[0x60, 0xab, 0x5f, 0x52, 0x60, 1, 0x60, 31, byte], 100);
        world.check(exit, 3 + 2 + 3 + 3 + 6, &[]);
        assert_eq!(world.frame.output, Bytes::from_static(&[0xab]));
    }
    World::evm(&[0x00, 0xfe], 0).check(Exit::Halt, 0, &[]);
    World::evm(&[], 0).check(Exit::Halt, 0, &[]);
    assert_eq!(World::evm(&[0xfe], 100).run(), INVALID);
    // The range is paid for.
    assert_eq!(World::evm(&[0x60, 1, 0x5f, 0xf3], 7).run(), OUT_OF_GAS);
}

#[test]
fn faults_revert_with_the_panic_code_and_touch_no_memory() {
    let byte = |op| Encoding::Zvm.byte(op).expect("a native operation");
    let cases: &[(Op, u8, &[u64], u64, u8)] = &[
        (Op::Panic, 0x61, &[], 0, panic_code::LOOP_BOUND),
        (Op::Assert, 0x32, &[0], 3, panic_code::INDEX),
        (Op::CAdd, 1, &[255, 1], 3, panic_code::OVERFLOW),
        (Op::CSub, 8, &[1, 0], 3, panic_code::OVERFLOW),
        (Op::CMul, 1, &[16, 16], 5, panic_code::OVERFLOW),
        (Op::CDiv, 8, &[0, 1], 5, panic_code::DIVISION_BY_ZERO),
        (Op::CMod, 8, &[0, 1], 5, panic_code::DIVISION_BY_ZERO),
        (Op::CNeg, 8, &[1], 3, panic_code::OVERFLOW),
        (Op::CExp, 1, &[8, 2], 60, panic_code::OVERFLOW),
        (Op::CExp, 1, &[1, 256], 60, panic_code::OVERFLOW),
        (Op::CCast, 1, &[256], 3, panic_code::OVERFLOW),
    ];
    for &(op, immediate, operands, gas, code) in cases {
        let stack: Vec<U256> = operands.iter().map(|&operand| word(operand)).collect();
        let mut world = World::zvm(&[byte(op), immediate], 100).with_stack(&stack);
        assert_eq!(world.run(), Exit::Revert, "{op}");
        assert_eq!(world.frame.gas, 100 - gas, "{op}");
        assert_eq!(world.frame.output[..], panic_data(code), "{op}");
        assert!(world.frame.memory.is_empty());
    }
    check(Op::Assert, &[1], &[word(2)], 3, &[]);
    check(Op::CAdd, &[1], &[word(254), word(1)], 3, &[word(255)]);
    check(Op::CCast, &[0xc8], &[U256::MAX], 3, &[U256::MAX]);
    check(Op::CNeg, &[0x88], &[word(1)], 3, &[U256::MAX]);
    // CEXP's gas comes before its fault.
    let mut world = World::zvm(&[byte(Op::CExp), 1], 59).with_stack(&[word(8), word(2)]);
    assert_eq!(world.run(), OUT_OF_GAS);
}

#[test]
fn context_operations_report_their_facts() {
    let address = |address: zvm::Address| -> U256 { address.into_word().into() };
    let cases = [
        (Op::Address, 2, address(HERE)),
        (Op::Origin, 2, address(ORIGIN)),
        (Op::Caller, 2, address(CALLER)),
        (Op::CallValue, 2, word(5)),
        (Op::CalldataSize, 2, word(3)),
        (Op::CodeSize, 2, word(1)),
        (Op::GasPrice, 2, word(9)),
        (Op::ReturndataSize, 2, word(0)),
        (Op::Coinbase, 2, address(zvm::Address::repeat_byte(0xcb))),
        (Op::Timestamp, 2, word(1_700_000_000)),
        (Op::Number, 2, word(100)),
        (Op::Difficulty, 2, word(0xabc)),
        (Op::PrevRandao, 2, word(0xabc)),
        (Op::GasLimit, 2, word(30_000_000)),
        (Op::ChainId, 2, word(295)),
        (Op::SelfBalance, 5, word(1000)),
        (Op::BaseFee, 2, word(7)),
        (Op::Msize, 2, word(0)),
    ];
    for (op, gas, value) in cases {
        check(op, &[], &[], gas, &[value]);
    }
    check(Op::CalldataLoad, &[], &[word(1)], 3, &[word(0x0203) << 240]);
    check(Op::CalldataLoad, &[], &[word(3)], 3, &[word(0)]);
    check(Op::CalldataLoad, &[], &[U256::MAX], 3, &[word(0)]);
}

#[test]
fn balance_is_cold_once_and_uses_the_low_20_bytes() {
    let caller: U256 = CALLER.into_word().into();
    let dirty = caller | U256::ONE << 255;
    // balance, then pop and ask again
    let mut world = World::evm(&[0x31, 0x90, 0x31], 10_000).with_stack(&[caller, dirty]);
    world.check(Exit::Halt, 2600 + 3 + 100, &[word(77), word(77)]);
    let mut world = World::evm(&[0x31], 2599).with_stack(&[caller]);
    assert_eq!(world.run(), OUT_OF_GAS);
    // A precompiled contract is always warm.
    World::evm(&[0x31], 10_000).with_stack(&[word(1)]).check(Exit::Halt, 100, &[word(0)]);
}

#[test]
fn blockhash_knows_the_last_256_blocks() {
    for (number, hash) in [(99, 0x99), (98, 0), (100, 0), (101, 0)] {
        check(Op::BlockHash, &[], &[word(number)], 20, &[word(hash)]);
    }
    check(Op::BlockHash, &[], &[U256::MAX], 20, &[word(0)]);
}

#[test]
fn copies_pad_with_zeros_and_pay_by_the_word() {
    // calldatacopy(dest 1, offset 1, size 4); mload(0)
    let code = [0x60, 4, 0x60, 1, 0x60, 1, 0x37, 0x5f, 0x51];
    World::evm(&code, 1000).check(Exit::Halt, 9 + 3 + 3 + 3 + 5, &[word(0x0203) << 232]);
    // codecopy(0, 0, 2): the body counts, not the prefix
    let zvm = |op| Encoding::Zvm.byte(op).expect("a native operation");
    let code = [0x11, 2, 0x1f, 0x1f, zvm(Op::CodeCopy), 0x1f, zvm(Op::Mload)];
    World::zvm(&code, 1000).check(Exit::Halt, 3 + 4 + 3 + 3 + 3 + 5, &[word(0x1102) << 240]);
    // Size zero costs no memory whatever the offsets; a huge size is out of gas.
    let mut world = World::evm(&[0x37], 1000).with_stack(&[word(0), U256::MAX, U256::MAX]);
    world.check(Exit::Halt, 3, &[]);
    let mut world = World::evm(&[0x37], u64::MAX >> 1).with_stack(&[U256::MAX, word(0), word(0)]);
    assert_eq!(world.run(), OUT_OF_GAS);
}

#[test]
fn returndatacopy_past_the_end_is_an_exceptional_halt() {
    let run = |offset: U256, size: u64| {
        let mut world = World::evm(&[0x3e, 0x5f, 0x51], 1000).with_stack(&[word(size), offset, word(0)]);
        world.frame.return_data = Bytes::from_static(&[7, 8, 9]);
        (world.run(), world.frame.stack.words().first().copied())
    };
    assert_eq!(run(word(1), 2), (Exit::Halt, Some(word(0x0809) << 240)));
    let out_of_bounds = Exit::Trap(Trap::ReturnDataOutOfBounds);
    assert_eq!(run(word(2), 2).0, out_of_bounds);
    assert_eq!(run(word(3), 0).0, Exit::Halt);
    assert_eq!(run(word(4), 0).0, out_of_bounds);
    assert_eq!(run(U256::MAX, 1).0, out_of_bounds);
}

#[test]
fn hashes_are_those_of_an_independent_library() {
    use sha3::{Digest, Keccak256};
    let hash = |bytes: &[u8]| U256::from_be_slice(&Keccak256::digest(bytes));
    check(Op::Keccak256, &[], &[word(0), U256::MAX], 30, &[hash(&[])]);
    check(Op::Keccak256, &[], &[word(33), word(0)], 30 + 12 + 6, &[hash(&[0; 33])]);
    let words = |values: &[u64]| -> Vec<u8> {
        values.iter().flat_map(|&value| word(value).to_be_bytes::<32>()).collect()
    };
    check(Op::Tablehash, &[], &[word(8), word(1)], 30, &[hash(&words(&[1, 8]))]);
    check(Op::TablehashN, &[1], &[word(8), word(1)], 30, &[hash(&words(&[1, 8]))]);
    check(
        Op::TablehashN,
        &[3],
        &[word(9), word(4), word(3), word(2), word(1)],
        42,
        &[word(9), hash(&words(&[1, 2, 3, 4]))],
    );
    let sixteen: Vec<u64> = (0..17).collect();
    let stack: Vec<U256> = sixteen.iter().rev().map(|&value| word(value)).collect();
    check(Op::TablehashN, &[16], &stack, 30 + 6 * 15, &[hash(&words(&sixteen))]);
}

#[test]
fn logs_carry_topics_in_order_and_pay_by_the_byte() {
    // mstore(0, 0x0102..); log2(offset 30, size 2, topics 5, 6)
    let code = [0x61, 0x01, 0x02, 0x5f, 0x52, 0x60, 6, 0x60, 5, 0x60, 2, 0x60, 30, 0xa2];
    let mut world = World::evm(&code, 10_000);
    world.check(Exit::Halt, (5 + 6) + 12 + 1125 + 16, &[]);
    let log = &world.state.logs()[0];
    assert_eq!((log.address, &log.data[..]), (HERE, &[1, 2][..]));
    assert_eq!(log.topics, [B256::from(word(5)), B256::from(word(6))]);
    for topics in 0..=4u8 {
        let code = [0xa0 + topics];
        let mut world = World::evm(&code, 10_000).with_stack(&vec![word(0); 2 + usize::from(topics)]);
        world.check(Exit::Halt, 375 * (1 + u64::from(topics)), &[]);
        assert_eq!(world.state.logs()[0].topics.len(), usize::from(topics));
    }
}
