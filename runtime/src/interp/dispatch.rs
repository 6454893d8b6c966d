//! The run loop, generated from the opcode table and the handler table of [`ops`](super::ops).
//!
//! A `match` on the [step](crate::bytecode::steps) whose arms are the inlined handlers. Program counter, gas and
//! stack height live in locals; frame operations get them through the frame. Why this shape: `docs/performance.md`,
//! "Dispatch loop".

use alloy_primitives::U256;

use super::ops::{
    self, account, arith, bits, block, call, checked, compare, context, create, crypto, flow, hedera, log,
    memory, signatures, storage,
};
use super::stack;
use crate::bytecode::Op;
use crate::bytecode::decode::Cursor;
use crate::bytecode::steps::{for_each_fusion, fused};
use crate::compiled::frame::Frame;
use crate::compiled::tier::CompiledCode;
use crate::host::Host;
use crate::outcome::{Exit, Trap};

macro_rules! define_loop {
    ({$( $(#[doc = $doc:literal])+ $Name:ident $name:ident zvm($zvm:tt) evm($evm:tt) imm($imm:literal)
        stack($stack:ident $(($pops:literal, $pushes:literal))?) gas($gas:literal)
        dynamic($dynamic:ident $(($rate:literal))?) in_static($in_static:ident) observes($observes:ident)
        needs($needs:ident) clobbers($clobbers:ident) since($since:ident); )*}
     $( $Fusion:ident($($fused_op:ident)+); )*) => {
        /// Step numbers by name, for patterns.
        #[allow(non_upper_case_globals, reason = "the constants carry the names of the operations")]
        mod number {
            $( pub(super) const $Name: u8 = super::Op::$Name as u8; )*
        }

        /// Runs the frame until it ends, asks for something, or pauses; see [`run`](super::run) and
        /// [`run_counting`](super::run_counting).
        pub(super) fn run<const COUNTING: bool>(
            frame: &mut Frame,
            host: &mut dyn Host,
            compiled: Option<&dyn CompiledCode>,
        ) -> Exit {
            let code = frame.code.clone();
            let mut cursor = Cursor::new(&code, frame.pc);
            let mut gas = frame.gas;
            let mut height = frame.stack.height();
            const JUMPDEST_GAS: u64 = Op::JumpDest.info().gas;
            let pause_at = frame.pause_at.max(JUMPDEST_GAS - 1);
            // Blocks begun by this run. One that starts with a jumpdest is counted there.
            let mut blocks = u64::from(cursor.peek() != number::JumpDest);

            let exit = 'run: loop {
                // In a fused sequence: the word that the operation before has put on top, not stored yet.
                let top: Option<U256>;
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
                        let (left, is_short) = gas.overflowing_sub(const { Op::$op.info().gas });
                        gas = left;
                        if is_short {
                            gas = 0;
                            stop!(Trap::OutOfGas);
                        }
                    };
                }
                macro_rules! next {
                    ($op:ident) => { cursor.skip_immediate::<{ Op::$op.info().imm as usize }>() };
                }
                // The head of a block: counted, and where a faster tier may take over. `$arrive` puts the cursor
                // behind the block's first step, which lies at `$offset`.
                macro_rules! block_head {
                    ($offset:expr, $arrive:expr) => {
                        if COUNTING {
                            if blocks > 0 && compiled.is_some_and(|compiled| compiled.can_enter($offset)) {
                                $arrive;
                                stop!(Exit::Interpret);
                            }
                            blocks += 1;
                        }
                    };
                }
                // A jump runs its jumpdest in place: one dispatch less.
                // The price and the pause are one test, so that a loop pays nothing for being able to pause.
                macro_rules! jump {
                    ($target:expr) => {{
                        let Some(()) = cursor.jump($target) else { stop!(Trap::InvalidJump) };
                        if gas <= pause_at {
                            if gas >= JUMPDEST_GAS {
                                stop!(Exit::Interpret);
                            }
                            block_head!(cursor.offset(), {});
                            stop!(Trap::OutOfGas);
                        }
                        block_head!(cursor.offset(), {});
                        gas -= JUMPDEST_GAS;
                    }};
                }
                macro_rules! jump_unless {
                    ($condition:expr, $target:expr) => {
                        if $condition {
                            if COUNTING && cursor.peek() != number::JumpDest {
                                block_head!(cursor.offset() + 1, cursor.fetch());
                            }
                        } else {
                            jump!($target);
                        }
                    };
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
                    ($op:ident, nop) => {{ charge!($op); next!($op); }};
                    ($op:ident, jumpdest) => {{ block_head!(cursor.offset(), {}); charge!($op); next!($op); }};
                    ($op:ident, pop) => {{
                        or_underflow!(height.take::<1, 0>());
                        charge!($op);
                        next!($op);
                    }};
                    ($op:ident, push($size:literal)) => { push!($op, ops::push_word::<$size>(cursor.immediate())) };
                    ($op:ident, pc) => { push!($op, U256::from(cursor.offset())) };
                    ($op:ident, gas) => { push!($op, U256::from(gas)) };
                    ($op:ident, dup($depth:literal)) => {{ dup!($op, $depth); next!($op); }};
                    ($op:ident, dupn) => {{
                        let depth = cursor.immediate()[0];
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
                        let depth = cursor.immediate()[0];
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
                        let immediate = cursor.immediate()[0];
                        let window = or_underflow!(height.take::<1, 1>());
                        let [a] = frame.stack.get(window);
                        checked!($op, window, immediate, $function(or_stop!(ops::num_type(immediate)), a));
                    }};
                    ($op:ident, checked2($function:path)) => {{
                        let immediate = cursor.immediate()[0];
                        let window = or_underflow!(height.take::<2, 1>());
                        let [b, a] = frame.stack.get(window);
                        checked!($op, window, immediate, $function(or_stop!(ops::num_type(immediate)), a, b));
                    }};
                    ($op:ident, ccast) => {{
                        let immediate = cursor.immediate()[0];
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
                        jump!(&target);
                    }};
                    ($op:ident, jumpi) => {{
                        let window = or_underflow!(height.take::<2, 0>());
                        let [condition, target] = frame.stack.get(window);
                        charge!($op);
                        jump_unless!(compare::is_zero(&condition), &target);
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
                            cursor.fetch();
                        }
                        or_stop!(asked);
                    }};
                    ($op:ident, immediate($function:path)) => {{
                        let immediate = cursor.immediate()[0];
                        frame_operation!($op, immediate, $function(frame, host, immediate))
                    }};
                }
                // The first operation of a fused sequence: gives the word that it puts on top instead of storing it.
                macro_rules! begin {
                    ($op:ident, push($size:literal)) => {{
                        let Some(_) = height.make_room() else { stop!(Trap::StackOverflow) };
                        charge!($op);
                        let word = ops::push_word::<$size>(cursor.immediate());
                        next!($op);
                        Some(word)
                    }};
                    ($op:ident, dup($depth:literal)) => {{
                        let Some(word) = frame.stack.peek(height, $depth) else {
                            let full = stack::check(height.words(), $depth, $depth + 1);
                            stop!(full.err().unwrap_or(Trap::StackOverflow));
                        };
                        let Some(_) = height.make_room() else { stop!(Trap::StackOverflow) };
                        charge!($op);
                        Some(word)
                    }};
                    ($op:ident, swap($depth:literal)) => {{
                        let [high] = frame.stack.get(or_underflow!(height.take::<1, 1>()));
                        let low = or_underflow!(frame.stack.exchange(height, $depth, high));
                        charge!($op);
                        Some(low)
                    }};
                    ($op:ident, unary($function:path)) => {{
                        let [a] = frame.stack.get(or_underflow!(height.take::<1, 1>()));
                        charge!($op);
                        Some($function(a))
                    }};
                    ($op:ident, binary($function:path)) => {{
                        let [b, a] = frame.stack.get(or_underflow!(height.take::<2, 1>()));
                        charge!($op);
                        Some($function(a, b))
                    }};
                    ($op:ident, $shape:ident $details:tt) => {{ perform!($op, $shape $details); None }};
                    ($op:ident, $shape:ident) => {{ perform!($op, $shape); None }};
                }
                macro_rules! store_top {
                    () => {
                        if let Some(word) = top {
                            frame.stack.put(or_underflow!(height.take::<1, 1>()), word);
                        }
                    };
                }
                // An operation behind the first of a fused sequence: `top` is its topmost operand.
                macro_rules! finish {
                    ($op:ident, pop) => {{
                        // The word was never stored, and nobody needs it.
                        let _ = top;
                        perform!($op, pop);
                    }};
                    ($op:ident, swap($depth:literal)) => {
                        match top {
                            Some(high) => {
                                let low = or_underflow!(frame.stack.exchange(height, $depth, high));
                                charge!($op);
                                frame.stack.put(or_underflow!(height.take::<1, 1>()), low);
                            }
                            None => perform!($op, swap($depth)),
                        }
                    };
                    ($op:ident, unary($function:path)) => {
                        match top {
                            Some(a) => {
                                let window = or_underflow!(height.take::<1, 1>());
                                charge!($op);
                                frame.stack.put(window, $function(a));
                            }
                            None => perform!($op, unary($function)),
                        }
                    };
                    ($op:ident, binary($function:path)) => {
                        match top {
                            Some(a) => {
                                let window = or_underflow!(height.take::<2, 1>()).deepest();
                                let [b] = frame.stack.get(window);
                                charge!($op);
                                frame.stack.put(window, $function(a, b));
                            }
                            None => perform!($op, binary($function)),
                        }
                    };
                    ($op:ident, jump) => {
                        match top {
                            Some(target) => {
                                or_underflow!(height.take::<1, 0>());
                                charge!($op);
                                jump!(&target);
                            }
                            None => perform!($op, jump),
                        }
                    };
                    ($op:ident, jumpi) => {
                        match top {
                            Some(target) => {
                                let window = or_underflow!(height.take::<2, 0>()).deepest();
                                let [condition] = frame.stack.get(window);
                                charge!($op);
                                jump_unless!(compare::is_zero(&condition), &target);
                            }
                            None => perform!($op, jumpi),
                        }
                    };
                    ($op:ident, mload) => {
                        match top {
                            Some(offset) => {
                                let window = or_underflow!(height.take::<1, 1>());
                                charge!($op);
                                let (word, left) = or_stop!(memory::mload(&mut frame.memory, gas, &offset));
                                gas = left;
                                frame.stack.put(window, word);
                            }
                            None => perform!($op, mload),
                        }
                    };
                    ($op:ident, mstore) => {
                        match top {
                            Some(offset) => {
                                let window = or_underflow!(height.take::<2, 0>()).deepest();
                                let [value] = frame.stack.get(window);
                                charge!($op);
                                gas = or_stop!(memory::mstore(&mut frame.memory, gas, &offset, &value));
                            }
                            None => perform!($op, mstore),
                        }
                    };
                    ($op:ident, $shape:ident $details:tt) => {{ store_top!(); perform!($op, $shape $details); }};
                    ($op:ident, $shape:ident) => {{ store_top!(); perform!($op, $shape); }};
                }
                macro_rules! sequence {
                    ($first:ident $last:ident) => {{
                        top = ops::handler!($first, begin);
                        cursor.fetch();
                        ops::handler!($last, finish);
                    }};
                    // A condition, a push and a `jumpi`: neither condition nor target is ever stored.
                    ($first:ident $push:ident JumpI) => {{
                        let condition: Option<U256> = ops::handler!($first, begin);
                        cursor.fetch();
                        let target: Option<U256> = ops::handler!($push, begin);
                        cursor.fetch();
                        let (Some(condition), Some(target)) = (condition, target) else {
                            unreachable!("both operations give a word, whatever their operands");
                        };
                        or_underflow!(height.take::<2, 0>());
                        charge!(JumpI);
                        jump_unless!(compare::is_zero(&condition), &target);
                    }};
                }
                match cursor.fetch() {
                    $( number::$Name => {
                        // Folds to nothing for what every fork and host has.
                        if !Op::$Name.is_active(frame.spec.fork, frame.spec.hedera) {
                            stop!(Trap::InvalidOpcode);
                        }
                        ops::handler!($Name, perform)
                    } )*
                    $( fused::$Fusion => sequence!($($fused_op)+), )*
                    _ => stop!(Trap::InvalidOpcode),
                }
            };
            frame.pc = cursor.offset();
            frame.gas = gas;
            frame.stack.set_height(height);
            if COUNTING {
                frame.blocks_interpreted += blocks;
            }
            exit
        }
    };
}

macro_rules! with_fusions {
    ($($rows:tt)*) => { for_each_fusion! { define_loop {$($rows)*} } };
}
crate::for_each_opcode!(with_fusions);
