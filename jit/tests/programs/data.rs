//! Stack, memory, effects on the world, code of unusual size.

use crate::support::{Asm, Both, TestHost, frame, interpret, jit, run_compiled, seen, spec};
use crate::{FIBONACCI, bytes, calldata, check_every_gas};
use zvm::U256;
use zvm::bytecode::{Code, Encoding, Op};
use zvm::compiled::tier::CompiledCode;
use zvm::outcome::{Exit, Trap};

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
            let mut host = TestHost::new();
            let exit = match is_compiled {
                true => run_compiled(&both.compiled, &mut frame, &mut host),
                false => interpret(&mut frame, &mut host),
            };
            seen(exit, &frame, &host)
        };
        assert_eq!(run(true), run(false), "gas {gas}");
    }
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
