//! The run loops, one per encoding, generated from the opcode table and the handler table of [`ops`](super::ops).
//!
//! A `match` on the raw byte whose arms are the inlined handlers. Program counter, gas and stack height live in
//! locals; frame operations get them through the frame. Why this shape: `docs/performance.md`, "Dispatch loop".

use alloy_primitives::U256;

use super::ops::{
    self, account, arith, bits, block, call, checked, compare, context, create, crypto, flow, log, memory,
    storage,
};
use super::stack;
use crate::bytecode::Op;
use crate::compiled::frame::Frame;
use crate::compiled::tier::CompiledCode;
use crate::host::Host;
use crate::outcome::{Exit, Trap};

/// The `match` pattern of a byte column: a missing byte becomes a number that no byte has.
macro_rules! byte_pattern {
    (-, $number:expr) => {
        0x100 + $number as u16
    };
    ($byte:literal, $number:expr) => {
        $byte
    };
}

macro_rules! define_loop {
    ($bytes:ident $run:ident;
     $( $(#[doc = $doc:literal])+ $Name:ident $name:ident zvm($zvm:tt) evm($evm:tt) imm($imm:literal)
        stack($stack:ident $(($pops:literal, $pushes:literal))?) gas($gas:literal)
        dynamic($dynamic:ident $(($rate:literal))?) in_static($in_static:ident) observes($observes:ident)
        needs($needs:ident) clobbers($clobbers:ident) since($since:ident); )*) => {
        pub(super) fn $run<const COUNTING: bool>(
            frame: &mut Frame,
            host: &mut dyn Host,
            compiled: Option<&dyn CompiledCode>,
        ) -> Exit {
            let code = frame.code.clone();
            let bytes = code.padded();
            let mut pc = frame.pc;
            let mut gas = frame.gas;
            let mut height = frame.stack.height();
            const JUMPDEST_GAS: u64 = Op::JumpDest.info().gas;
            let pause_at = frame.pause_at.max(JUMPDEST_GAS - 1);
            // Blocks begun by this run. One that starts with a jumpdest is counted there.
            let mut blocks = u64::from(!is_jumpdest::<{ $bytes::JumpDest }>(bytes, pc));

            let exit = 'run: loop {
                macro_rules! stop {
                    ($exit:expr) => { break 'run Exit::from($exit) };
                }
                macro_rules! or_stop {
                    ($result:expr) => { match $result { Ok(value) => value, Err(exit) => stop!(exit) } };
                }
                macro_rules! or_underflow {
                    ($operands:expr) => {
                        match $operands { Some(operands) => operands, None => stop!(Trap::StackUnderflow) }
                    };
                }
                macro_rules! charge {
                    ($op:ident) => {
                        match gas.checked_sub(const { Op::$op.info().gas }) {
                            Some(left) => gas = left,
                            None => stop!(Trap::OutOfGas),
                        }
                    };
                }
                macro_rules! next {
                    ($op:ident) => { pc += const { 1 + Op::$op.info().imm as usize } };
                }
                // The head of a block: counted, and where a faster tier may take over.
                macro_rules! block_head {
                    () => {
                        if COUNTING {
                            if blocks > 0 && compiled.is_some_and(|compiled| compiled.can_enter(pc)) {
                                stop!(Exit::Interpret);
                            }
                            blocks += 1;
                        }
                    };
                }
                // A jump runs its jumpdest in place: one dispatch less.
                // The price and the pause are one test, so that a loop pays nothing for being able to pause.
                macro_rules! land {
                    ($target:expr) => {{
                        pc = $target;
                        if gas <= pause_at {
                            if gas >= JUMPDEST_GAS {
                                stop!(Exit::Interpret);
                            }
                            block_head!();
                            stop!(Trap::OutOfGas);
                        }
                        block_head!();
                        gas -= JUMPDEST_GAS;
                        next!(JumpDest);
                    }};
                }
                macro_rules! legal {
                    ($op:ident, $immediate:expr) => {
                        if !Op::$op.immediate_is_legal($immediate) {
                            stop!(Trap::InvalidOpcode);
                        }
                    };
                }
                // A frame operation sees gas and stack in the frame.
                macro_rules! frame_operation {
                    ($op:ident, $immediate:expr, $call:expr) => {{
                        let (pops, pushes) = Op::$op.stack_effect($immediate);
                        or_stop!(stack::check(height.words(), pops as usize, pushes as usize));
                        charge!($op);
                        legal!($op, $immediate);
                        frame.gas = gas;
                        frame.stack.set_height(height);
                        let result: Result<(), Exit> = $call;
                        gas = frame.gas;
                        height = frame.stack.height();
                        or_stop!(result);
                        next!($op);
                    }};
                }
                macro_rules! push {
                    ($op:ident, $word:expr) => {{
                        let Some(window) = height.make_room() else { stop!(Trap::StackOverflow) };
                        charge!($op);
                        frame.stack.put(window, $word);
                        next!($op);
                    }};
                }
                macro_rules! dup {
                    ($op:ident, $depth:expr) => {{
                        if frame.stack.dup(&mut height, $depth).is_none() {
                            let full = stack::check(height.words(), $depth, $depth + 1);
                            stop!(full.err().unwrap_or(Trap::StackOverflow));
                        }
                        charge!($op);
                    }};
                }
                macro_rules! checked {
                    ($op:ident, $window:ident, $immediate:ident, $result:expr) => {{
                        charge!($op);
                        legal!($op, $immediate);
                        match $result {
                            Ok(word) => frame.stack.put($window.deepest(), word),
                            Err(code) => stop!(ops::fault(frame, code)),
                        }
                        next!($op);
                    }};
                }
                macro_rules! perform {
                    ($op:ident, halt) => { stop!(Exit::Halt) };
                    ($op:ident, invalid) => { stop!(Trap::InvalidOpcode) };
                    ($op:ident, later) => { stop!(Trap::InvalidOpcode) };
                    ($op:ident, nop) => {{ charge!($op); next!($op); }};
                    ($op:ident, jumpdest) => {{ block_head!(); charge!($op); next!($op); }};
                    ($op:ident, pop) => {{
                        or_underflow!(height.take::<1, 0>());
                        charge!($op);
                        next!($op);
                    }};
                    ($op:ident, push($size:literal)) => { push!($op, ops::push_word::<$size>(bytes, pc)) };
                    ($op:ident, pc) => { push!($op, U256::from(pc)) };
                    ($op:ident, gas) => { push!($op, U256::from(gas)) };
                    ($op:ident, dup($depth:literal)) => {{ dup!($op, $depth); next!($op); }};
                    ($op:ident, dupn) => {{
                        let depth = bytes[pc + 1];
                        dup!($op, usize::from(depth));
                        legal!($op, depth);
                        next!($op);
                    }};
                    ($op:ident, swap($depth:literal)) => {{
                        or_underflow!(frame.stack.swap(&mut height, $depth));
                        charge!($op);
                        next!($op);
                    }};
                    ($op:ident, swapn) => {{
                        let depth = bytes[pc + 1];
                        or_underflow!(frame.stack.swap(&mut height, usize::from(depth)));
                        charge!($op);
                        legal!($op, depth);
                        next!($op);
                    }};
                    ($op:ident, unary($function:path)) => {{
                        let window = or_underflow!(height.take::<1, 1>());
                        let [a] = frame.stack.get(window);
                        charge!($op);
                        frame.stack.put(window, $function(a));
                        next!($op);
                    }};
                    ($op:ident, binary($function:path)) => {{
                        let window = or_underflow!(height.take::<2, 1>());
                        let [b, a] = frame.stack.get(window);
                        charge!($op);
                        frame.stack.put(window.deepest(), $function(a, b));
                        next!($op);
                    }};
                    ($op:ident, ternary($function:path)) => {{
                        let window = or_underflow!(height.take::<3, 1>());
                        let [c, b, a] = frame.stack.get(window);
                        charge!($op);
                        frame.stack.put(window.deepest(), $function(a, b, c));
                        next!($op);
                    }};
                    ($op:ident, checked1($function:path)) => {{
                        let immediate = bytes[pc + 1];
                        let window = or_underflow!(height.take::<1, 1>());
                        let [a] = frame.stack.get(window);
                        checked!($op, window, immediate, $function(or_stop!(ops::num_type(immediate)), a));
                    }};
                    ($op:ident, checked2($function:path)) => {{
                        let immediate = bytes[pc + 1];
                        let window = or_underflow!(height.take::<2, 1>());
                        let [b, a] = frame.stack.get(window);
                        checked!($op, window, immediate, $function(or_stop!(ops::num_type(immediate)), a, b));
                    }};
                    ($op:ident, ccast) => {{
                        let immediate = bytes[pc + 1];
                        let window = or_underflow!(height.take::<1, 1>());
                        let [a] = frame.stack.get(window);
                        let from_signed = immediate & 0x40 != 0;
                        checked!($op, window, immediate,
                            checked::ccast(or_stop!(ops::num_type(immediate)), from_signed, a));
                    }};
                    ($op:ident, jump) => {{
                        let window = or_underflow!(height.take::<1, 0>());
                        let [target] = frame.stack.get(window);
                        charge!($op);
                        match flow::jump_target(&code, &target) {
                            Some(target) => land!(target),
                            None => stop!(Trap::InvalidJump),
                        }
                    }};
                    ($op:ident, jumpi) => {{
                        let window = or_underflow!(height.take::<2, 0>());
                        let [condition, target] = frame.stack.get(window);
                        charge!($op);
                        if compare::is_zero(&condition) {
                            next!($op);
                            if !is_jumpdest::<{ $bytes::JumpDest }>(bytes, pc) {
                                block_head!();
                            }
                        } else {
                            match flow::jump_target(&code, &target) {
                                Some(target) => land!(target),
                                None => stop!(Trap::InvalidJump),
                            }
                        }
                    }};
                    ($op:ident, mload) => {{
                        let window = or_underflow!(height.take::<1, 1>());
                        let [offset] = frame.stack.get(window);
                        charge!($op);
                        let (word, left) = or_stop!(memory::mload(&mut frame.memory, gas, &offset));
                        gas = left;
                        frame.stack.put(window, word);
                        next!($op);
                    }};
                    ($op:ident, mstore) => {{
                        let window = or_underflow!(height.take::<2, 0>());
                        let [value, offset] = frame.stack.get(window);
                        charge!($op);
                        gas = or_stop!(memory::mstore(&mut frame.memory, gas, &offset, &value));
                        next!($op);
                    }};
                    ($op:ident, mstore8) => {{
                        let window = or_underflow!(height.take::<2, 0>());
                        let [value, offset] = frame.stack.get(window);
                        charge!($op);
                        gas = or_stop!(memory::mstore8(&mut frame.memory, gas, &offset, &value));
                        next!($op);
                    }};
                    ($op:ident, frame($function:path)) => {
                        frame_operation!($op, 0, $function(frame, host))
                    };
                    ($op:ident, asks($function:path)) => {{
                        let (pops, pushes) = Op::$op.stack_effect(0);
                        or_stop!(stack::check(height.words(), pops as usize, pushes as usize));
                        charge!($op);
                        frame.gas = gas;
                        frame.stack.set_height(height);
                        let asked: Result<(), Exit> = $function(frame, host);
                        gas = frame.gas;
                        height = frame.stack.height();
                        // The answer comes behind the operation.
                        if let Err(Exit::Call | Exit::Create) = asked {
                            next!($op);
                        }
                        or_stop!(asked);
                    }};
                    ($op:ident, immediate($function:path)) => {{
                        let immediate = bytes[pc + 1];
                        frame_operation!($op, immediate, $function(frame, host, immediate))
                    }};
                }
                match u16::from(bytes[pc]) {
                    $( $bytes::$Name => {
                        // Folds to nothing for what every fork and host has.
                        if !Op::$Name.is_active(frame.spec.fork, frame.spec.hedera) {
                            stop!(Trap::InvalidOpcode);
                        }
                        ops::handler!($Name, perform)
                    } )*
                    _ => stop!(Trap::InvalidOpcode),
                }
            };
            frame.pc = pc;
            frame.gas = gas;
            frame.stack.set_height(height);
            if COUNTING {
                frame.blocks_interpreted += blocks;
            }
            exit
        }
    };
}

#[inline(always)]
fn is_jumpdest<const BYTE: u16>(bytes: &[u8], pc: usize) -> bool {
    u16::from(bytes[pc]) == BYTE
}

macro_rules! define_zvm_bytes {
    ($( $(#[doc = $doc:literal])+ $Name:ident $name:ident zvm($zvm:tt) $($rest:ident ($($value:tt)*))+ ; )*) => {
        #[allow(non_upper_case_globals, reason = "the constants carry the names of the operations")]
        mod zvm_bytes {
            $( pub(super) const $Name: u16 = byte_pattern!($zvm, super::Op::$Name); )*
        }
    };
}
macro_rules! define_evm_bytes {
    ($( $(#[doc = $doc:literal])+ $Name:ident $name:ident zvm($zvm:tt) evm($evm:tt)
        $($rest:ident ($($value:tt)*))+ ; )*) => {
        #[allow(non_upper_case_globals, reason = "the constants carry the names of the operations")]
        mod evm_bytes {
            $( pub(super) const $Name: u16 = byte_pattern!($evm, super::Op::$Name); )*
        }
    };
}
crate::for_each_opcode!(define_zvm_bytes);
crate::for_each_opcode!(define_evm_bytes);

macro_rules! zvm_loop {
    ($($rows:tt)*) => { define_loop! { zvm_bytes run_zvm; $($rows)* } };
}
macro_rules! evm_loop {
    ($($rows:tt)*) => { define_loop! { evm_bytes run_evm; $($rows)* } };
}
crate::for_each_opcode!(zvm_loop);
crate::for_each_opcode!(evm_loop);
