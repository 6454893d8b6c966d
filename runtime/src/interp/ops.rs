//! What each operation does.
//!
//! Pure word operations are plain functions on words: [`arith`], [`bits`], [`compare`], [`checked`]; compilers
//! fold constants with the same ones. Frame operations work on a [`Frame`] and a [`Host`] with their operands on
//! the frame's stack; they check the static rule, charge dynamic gas and take effect. Stack check, static gas
//! and the immediate's legality come before, by the run loop or by compiled code.
//!
//! `handler!` is THE table from operation to handler; the run loop and [`execute`] are derived from it.

pub mod account;
pub mod arith;
pub mod bits;
pub mod block;
pub mod call;
pub mod checked;
pub mod compare;
pub mod context;
pub mod create;
pub mod crypto;
pub mod flow;
pub mod hedera;
pub mod log;
pub mod memory;
pub mod signatures;
pub mod storage;

use alloy_primitives::U256;

use self::checked::NumType;
use crate::bytecode::decode::IMMEDIATE_MAX;
use crate::bytecode::{Code, Encoding, Op};
use crate::compiled::frame::{Frame, Spec};
use crate::host::Host;
use crate::outcome::{Exit, Trap, panic_data};

/// Calls `$with!(Name, shape(details))` with the handler of the operation `Name`.
///
/// Paths are relative to this module; whoever uses the macro imports its children.
///
/// Shapes, and what their function gets:
///
/// | shape | function |
/// | --- | --- |
/// | `unary(f)` `binary(f)` `ternary(f)` | words, top first; the result takes their place |
/// | `checked1(f)` `checked2(f)` | the type, then words; `Err` is a panic code |
/// | `ccast` | the one checked operation that reads bit 6 of its type byte |
/// | `push(n)` `dup(n)` `swap(n)` `dupn` `swapn` `pop` `nop` | handled by the tiers themselves |
/// | `jump` `jumpi` `jumpdest` `pc` `gas` `halt` `invalid` | likewise |
/// | `mload` `mstore` `mstore8` | likewise, by the functions of [`memory`] |
/// | `frame(f)` | `fn(&mut Frame, &mut dyn Host) -> Result<(), Exit>` |
/// | `asks(f)` | the same; on success it is `Err` of `Exit::Call` or `Create`, and the frame goes on behind it |
/// | `immediate(f)` | the same with the immediate byte as third argument |
#[rustfmt::skip]
macro_rules! handler {
    (Halt, $with:ident) => { $with!(Halt, halt) };
    (Nop, $with:ident) => { $with!(Nop, nop) };
    (Pop, $with:ident) => { $with!(Pop, pop) };
    (Push0, $with:ident) => { $with!(Push0, push(0)) };
    (Push1, $with:ident) => { $with!(Push1, push(1)) };
    (Push2, $with:ident) => { $with!(Push2, push(2)) };
    (Push3, $with:ident) => { $with!(Push3, push(3)) };
    (Push4, $with:ident) => { $with!(Push4, push(4)) };
    (Push5, $with:ident) => { $with!(Push5, push(5)) };
    (Push6, $with:ident) => { $with!(Push6, push(6)) };
    (Push7, $with:ident) => { $with!(Push7, push(7)) };
    (Push8, $with:ident) => { $with!(Push8, push(8)) };
    (Push9, $with:ident) => { $with!(Push9, push(9)) };
    (Push10, $with:ident) => { $with!(Push10, push(10)) };
    (Push11, $with:ident) => { $with!(Push11, push(11)) };
    (Push12, $with:ident) => { $with!(Push12, push(12)) };
    (Push13, $with:ident) => { $with!(Push13, push(13)) };
    (Push14, $with:ident) => { $with!(Push14, push(14)) };
    (Push15, $with:ident) => { $with!(Push15, push(15)) };
    (Push16, $with:ident) => { $with!(Push16, push(16)) };
    (Push17, $with:ident) => { $with!(Push17, push(17)) };
    (Push18, $with:ident) => { $with!(Push18, push(18)) };
    (Push19, $with:ident) => { $with!(Push19, push(19)) };
    (Push20, $with:ident) => { $with!(Push20, push(20)) };
    (Push21, $with:ident) => { $with!(Push21, push(21)) };
    (Push22, $with:ident) => { $with!(Push22, push(22)) };
    (Push23, $with:ident) => { $with!(Push23, push(23)) };
    (Push24, $with:ident) => { $with!(Push24, push(24)) };
    (Push25, $with:ident) => { $with!(Push25, push(25)) };
    (Push26, $with:ident) => { $with!(Push26, push(26)) };
    (Push27, $with:ident) => { $with!(Push27, push(27)) };
    (Push28, $with:ident) => { $with!(Push28, push(28)) };
    (Push29, $with:ident) => { $with!(Push29, push(29)) };
    (Push30, $with:ident) => { $with!(Push30, push(30)) };
    (Push31, $with:ident) => { $with!(Push31, push(31)) };
    (Push32, $with:ident) => { $with!(Push32, push(32)) };
    (Dup1, $with:ident) => { $with!(Dup1, dup(1)) };
    (Dup2, $with:ident) => { $with!(Dup2, dup(2)) };
    (Dup3, $with:ident) => { $with!(Dup3, dup(3)) };
    (Dup4, $with:ident) => { $with!(Dup4, dup(4)) };
    (Dup5, $with:ident) => { $with!(Dup5, dup(5)) };
    (Dup6, $with:ident) => { $with!(Dup6, dup(6)) };
    (Dup7, $with:ident) => { $with!(Dup7, dup(7)) };
    (Dup8, $with:ident) => { $with!(Dup8, dup(8)) };
    (Dup9, $with:ident) => { $with!(Dup9, dup(9)) };
    (Dup10, $with:ident) => { $with!(Dup10, dup(10)) };
    (Dup11, $with:ident) => { $with!(Dup11, dup(11)) };
    (Dup12, $with:ident) => { $with!(Dup12, dup(12)) };
    (Dup13, $with:ident) => { $with!(Dup13, dup(13)) };
    (Dup14, $with:ident) => { $with!(Dup14, dup(14)) };
    (Dup15, $with:ident) => { $with!(Dup15, dup(15)) };
    (Dup16, $with:ident) => { $with!(Dup16, dup(16)) };
    (Swap1, $with:ident) => { $with!(Swap1, swap(1)) };
    (Swap2, $with:ident) => { $with!(Swap2, swap(2)) };
    (Swap3, $with:ident) => { $with!(Swap3, swap(3)) };
    (Swap4, $with:ident) => { $with!(Swap4, swap(4)) };
    (Swap5, $with:ident) => { $with!(Swap5, swap(5)) };
    (Swap6, $with:ident) => { $with!(Swap6, swap(6)) };
    (Swap7, $with:ident) => { $with!(Swap7, swap(7)) };
    (Swap8, $with:ident) => { $with!(Swap8, swap(8)) };
    (Swap9, $with:ident) => { $with!(Swap9, swap(9)) };
    (Swap10, $with:ident) => { $with!(Swap10, swap(10)) };
    (Swap11, $with:ident) => { $with!(Swap11, swap(11)) };
    (Swap12, $with:ident) => { $with!(Swap12, swap(12)) };
    (Swap13, $with:ident) => { $with!(Swap13, swap(13)) };
    (Swap14, $with:ident) => { $with!(Swap14, swap(14)) };
    (Swap15, $with:ident) => { $with!(Swap15, swap(15)) };
    (Swap16, $with:ident) => { $with!(Swap16, swap(16)) };
    (DupN, $with:ident) => { $with!(DupN, dupn) };
    (SwapN, $with:ident) => { $with!(SwapN, swapn) };

    (Add, $with:ident) => { $with!(Add, binary(arith::add)) };
    (Sub, $with:ident) => { $with!(Sub, binary(arith::sub)) };
    (Mul, $with:ident) => { $with!(Mul, binary(arith::mul)) };
    (Div, $with:ident) => { $with!(Div, binary(arith::div)) };
    (Sdiv, $with:ident) => { $with!(Sdiv, binary(arith::sdiv)) };
    (Mod, $with:ident) => { $with!(Mod, binary(arith::rem)) };
    (Smod, $with:ident) => { $with!(Smod, binary(arith::smod)) };
    (AddMod, $with:ident) => { $with!(AddMod, ternary(arith::addmod)) };
    (MulMod, $with:ident) => { $with!(MulMod, ternary(arith::mulmod)) };
    (Exp, $with:ident) => { $with!(Exp, frame(arith::run_exp)) };
    (SignExtend, $with:ident) => { $with!(SignExtend, binary(arith::signextend)) };
    (CAdd, $with:ident) => { $with!(CAdd, checked2(checked::cadd)) };
    (CSub, $with:ident) => { $with!(CSub, checked2(checked::csub)) };
    (CMul, $with:ident) => { $with!(CMul, checked2(checked::cmul)) };
    (CDiv, $with:ident) => { $with!(CDiv, checked2(checked::cdiv)) };
    (CMod, $with:ident) => { $with!(CMod, checked2(checked::cmod)) };
    (CNeg, $with:ident) => { $with!(CNeg, checked1(checked::cneg)) };
    (CExp, $with:ident) => { $with!(CExp, immediate(checked::run_cexp)) };
    (CCast, $with:ident) => { $with!(CCast, ccast) };
    (Assert, $with:ident) => { $with!(Assert, immediate(flow::assert)) };
    (Panic, $with:ident) => { $with!(Panic, immediate(flow::panic)) };

    (Lt, $with:ident) => { $with!(Lt, binary(compare::lt)) };
    (Gt, $with:ident) => { $with!(Gt, binary(compare::gt)) };
    (Slt, $with:ident) => { $with!(Slt, binary(compare::slt)) };
    (Sgt, $with:ident) => { $with!(Sgt, binary(compare::sgt)) };
    (Eq, $with:ident) => { $with!(Eq, binary(compare::eq)) };
    (IsZero, $with:ident) => { $with!(IsZero, unary(compare::iszero)) };
    (And, $with:ident) => { $with!(And, binary(bits::and)) };
    (Or, $with:ident) => { $with!(Or, binary(bits::or)) };
    (Xor, $with:ident) => { $with!(Xor, binary(bits::xor)) };
    (Not, $with:ident) => { $with!(Not, unary(bits::not)) };
    (Byte, $with:ident) => { $with!(Byte, binary(bits::byte)) };
    (Shl, $with:ident) => { $with!(Shl, binary(bits::shl)) };
    (Shr, $with:ident) => { $with!(Shr, binary(bits::shr)) };
    (Sar, $with:ident) => { $with!(Sar, binary(bits::sar)) };
    (Clz, $with:ident) => { $with!(Clz, unary(bits::clz)) };

    (Keccak256, $with:ident) => { $with!(Keccak256, frame(crypto::keccak256)) };
    (Sha256, $with:ident) => { $with!(Sha256, frame(crypto::sha256)) };
    (Ripemd160, $with:ident) => { $with!(Ripemd160, frame(crypto::ripemd160)) };
    (Blake2b, $with:ident) => { $with!(Blake2b, frame(crypto::blake2b)) };
    (Tablehash, $with:ident) => { $with!(Tablehash, frame(crypto::tablehash)) };
    (TablehashN, $with:ident) => { $with!(TablehashN, immediate(crypto::tablehash_n)) };

    (Mload, $with:ident) => { $with!(Mload, mload) };
    (Mstore, $with:ident) => { $with!(Mstore, mstore) };
    (Mstore8, $with:ident) => { $with!(Mstore8, mstore8) };
    (Msize, $with:ident) => { $with!(Msize, frame(memory::msize)) };
    (Mcopy, $with:ident) => { $with!(Mcopy, frame(memory::mcopy)) };
    (Sload, $with:ident) => { $with!(Sload, frame(storage::sload)) };
    (Sstore, $with:ident) => { $with!(Sstore, frame(storage::sstore)) };
    (Tload, $with:ident) => { $with!(Tload, frame(storage::tload)) };
    (Tstore, $with:ident) => { $with!(Tstore, frame(storage::tstore)) };

    (Jump, $with:ident) => { $with!(Jump, jump) };
    (JumpI, $with:ident) => { $with!(JumpI, jumpi) };
    (Pc, $with:ident) => { $with!(Pc, pc) };
    (JumpDest, $with:ident) => { $with!(JumpDest, jumpdest) };
    (Call, $with:ident) => { $with!(Call, asks(call::call)) };
    (CallCode, $with:ident) => { $with!(CallCode, asks(call::callcode)) };
    (DelegateCall, $with:ident) => { $with!(DelegateCall, asks(call::delegatecall)) };
    (StaticCall, $with:ident) => { $with!(StaticCall, asks(call::staticcall)) };
    (Return, $with:ident) => { $with!(Return, frame(flow::r#return)) };
    (Revert, $with:ident) => { $with!(Revert, frame(flow::revert)) };
    (SelfDestruct, $with:ident) => { $with!(SelfDestruct, frame(account::selfdestruct)) };
    (Create, $with:ident) => { $with!(Create, asks(create::create)) };
    (Create2, $with:ident) => { $with!(Create2, asks(create::create2)) };
    (Invalid, $with:ident) => { $with!(Invalid, invalid) };

    (Address, $with:ident) => { $with!(Address, frame(context::address)) };
    (Balance, $with:ident) => { $with!(Balance, frame(account::balance)) };
    (Origin, $with:ident) => { $with!(Origin, frame(context::origin)) };
    (Caller, $with:ident) => { $with!(Caller, frame(context::caller)) };
    (CallValue, $with:ident) => { $with!(CallValue, frame(context::callvalue)) };
    (CalldataLoad, $with:ident) => { $with!(CalldataLoad, frame(context::calldataload)) };
    (CalldataSize, $with:ident) => { $with!(CalldataSize, frame(context::calldatasize)) };
    (CalldataCopy, $with:ident) => { $with!(CalldataCopy, frame(context::calldatacopy)) };
    (CodeSize, $with:ident) => { $with!(CodeSize, frame(context::codesize)) };
    (CodeCopy, $with:ident) => { $with!(CodeCopy, frame(context::codecopy)) };
    (GasPrice, $with:ident) => { $with!(GasPrice, frame(context::gasprice)) };
    (ExtcodeSize, $with:ident) => { $with!(ExtcodeSize, frame(account::extcodesize)) };
    (ExtcodeCopy, $with:ident) => { $with!(ExtcodeCopy, frame(account::extcodecopy)) };
    (ReturndataSize, $with:ident) => { $with!(ReturndataSize, frame(context::returndatasize)) };
    (ReturndataCopy, $with:ident) => { $with!(ReturndataCopy, frame(context::returndatacopy)) };
    (ExtcodeHash, $with:ident) => { $with!(ExtcodeHash, frame(account::extcodehash)) };
    (BlockHash, $with:ident) => { $with!(BlockHash, frame(block::blockhash)) };
    (Coinbase, $with:ident) => { $with!(Coinbase, frame(block::coinbase)) };
    (Timestamp, $with:ident) => { $with!(Timestamp, frame(block::timestamp)) };
    (Number, $with:ident) => { $with!(Number, frame(block::number)) };
    (Difficulty, $with:ident) => { $with!(Difficulty, frame(block::prev_randao)) };
    (PrevRandao, $with:ident) => { $with!(PrevRandao, frame(block::prev_randao)) };
    (GasLimit, $with:ident) => { $with!(GasLimit, frame(block::gas_limit)) };
    (ChainId, $with:ident) => { $with!(ChainId, frame(block::chain_id)) };
    (SelfBalance, $with:ident) => { $with!(SelfBalance, frame(account::selfbalance)) };
    (BaseFee, $with:ident) => { $with!(BaseFee, frame(block::base_fee)) };
    (Gas, $with:ident) => { $with!(Gas, gas) };
    (BlobHash, $with:ident) => { $with!(BlobHash, frame(block::blob_hash)) };
    (BlobBaseFee, $with:ident) => { $with!(BlobBaseFee, frame(block::blob_base_fee)) };

    (HtsTransfer, $with:ident) => { $with!(HtsTransfer, frame(hedera::transfer)) };
    (HtsMint, $with:ident) => { $with!(HtsMint, frame(hedera::mint)) };
    (HtsBurn, $with:ident) => { $with!(HtsBurn, frame(hedera::burn)) };
    (HtsAssociate, $with:ident) => { $with!(HtsAssociate, frame(hedera::associate)) };
    (HtsDissociate, $with:ident) => { $with!(HtsDissociate, frame(hedera::dissociate)) };
    (HtsApprove, $with:ident) => { $with!(HtsApprove, frame(hedera::approve)) };
    (HtsCreate, $with:ident) => { $with!(HtsCreate, frame(hedera::create_token)) };
    (HcsSubmit, $with:ident) => { $with!(HcsSubmit, frame(hedera::submit)) };
    (HcsCreateTopic, $with:ident) => { $with!(HcsCreateTopic, frame(hedera::create_topic)) };
    (HcsUpdateTopic, $with:ident) => { $with!(HcsUpdateTopic, frame(hedera::update_topic)) };
    (HcsDeleteTopic, $with:ident) => { $with!(HcsDeleteTopic, frame(hedera::delete_topic)) };
    (HederaAccountId, $with:ident) => { $with!(HederaAccountId, frame(hedera::account_id)) };
    (HederaTimestamp, $with:ident) => { $with!(HederaTimestamp, frame(hedera::timestamp)) };
    (PqVerifyDilithium, $with:ident) => { $with!(PqVerifyDilithium, frame(signatures::dilithium)) };
    (PqVerifyFalcon, $with:ident) => { $with!(PqVerifyFalcon, frame(signatures::falcon)) };
    (PqVerifySphincs, $with:ident) => { $with!(PqVerifySphincs, frame(signatures::sphincs)) };

    (Log0, $with:ident) => { $with!(Log0, frame(log::log::<0>)) };
    (Log1, $with:ident) => { $with!(Log1, frame(log::log::<1>)) };
    (Log2, $with:ident) => { $with!(Log2, frame(log::log::<2>)) };
    (Log3, $with:ident) => { $with!(Log3, frame(log::log::<3>)) };
    (Log4, $with:ident) => { $with!(Log4, frame(log::log::<4>)) };
}
pub(crate) use handler;

macro_rules! define_questions {
    ($( $(#[doc = $doc:literal])+ $Name:ident $name:ident zvm($zvm:tt) evm($evm:tt) imm($imm:literal)
        stack($stack:ident $(($pops:literal, $pushes:literal))?) gas($gas:literal)
        dynamic($dynamic:ident $(($rate:literal))?) in_static($in_static:ident) observes($observes:ident)
        needs($needs:ident) clobbers($clobbers:ident) since($since:ident); )*) => {
        /// Whether the operation stops the frame with a request, after which the frame goes on behind it.
        pub const fn asks(op: Op) -> bool {
            macro_rules! is_asking {
                ($op:ident, asks $details:tt) => { true };
                ($op:ident, $shape:ident $details:tt) => { false };
                ($op:ident, $shape:ident) => { false };
            }
            match op { $( Op::$Name => handler!($Name, is_asking), )* }
        }
    };
}
crate::for_each_opcode!(define_questions);

macro_rules! define_execute {
    ($( $(#[doc = $doc:literal])+ $Name:ident $name:ident zvm($zvm:tt) evm($evm:tt) imm($imm:literal)
        stack($stack:ident $(($pops:literal, $pushes:literal))?) gas($gas:literal)
        dynamic($dynamic:ident $(($rate:literal))?) in_static($in_static:ident) observes($observes:ident)
        needs($needs:ident) clobbers($clobbers:ident) since($since:ident); )*) => {
        /// Runs the operation that stands at body offset `pc`, on the frame's stack, memory and gas.
        ///
        /// For callers that have done the stack check and charged static gas, in that order; what is left of the
        /// order of `zvm.md` happens here: the immediate, the static rule, dynamic gas, the effect. Exactly what
        /// the run loop does. `frame.pc` is left alone, but for a jump, which sets it to its target (`jumpi`:
        /// only if taken).
        pub fn execute(op: Op, pc: usize, frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
            let immediate = frame.code.padded().get(pc + 1).copied().unwrap_or(0);
            if !op.immediate_is_legal(immediate) {
                return Err(Trap::InvalidOpcode.into());
            }
            macro_rules! perform {
                ($op:ident, halt) => { Err(Exit::Halt) };
                ($op:ident, nop) => { Ok(()) };
                ($op:ident, jumpdest) => { Ok(()) };
                ($op:ident, invalid) => { Err(Trap::InvalidOpcode.into()) };
                ($op:ident, pop) => {{
                    let [_] = frame.stack.pop();
                    Ok(())
                }};
                ($op:ident, push($size:literal)) => {{
                    let word = push_word::<$size>(immediate_at(&frame.code, pc));
                    frame.stack.push_word(word);
                    Ok(())
                }};
                ($op:ident, dup($depth:literal)) => { dup(frame, $depth) };
                ($op:ident, dupn) => { dup(frame, usize::from(immediate)) };
                ($op:ident, swap($depth:literal)) => { swap(frame, $depth) };
                ($op:ident, swapn) => { swap(frame, usize::from(immediate)) };
                ($op:ident, unary($function:path)) => {{
                    let a = frame.stack.top_mut();
                    *a = $function(*a);
                    Ok(())
                }};
                ($op:ident, binary($function:path)) => {{
                    let [a] = frame.stack.pop();
                    let b = frame.stack.top_mut();
                    *b = $function(a, *b);
                    Ok(())
                }};
                ($op:ident, ternary($function:path)) => {{
                    let [a, b] = frame.stack.pop();
                    let c = frame.stack.top_mut();
                    *c = $function(a, b, *c);
                    Ok(())
                }};
                ($op:ident, checked1($function:path)) => {{
                    let t = num_type(immediate)?;
                    let a = frame.stack.top_mut();
                    match $function(t, *a) {
                        Ok(word) => { *a = word; Ok(()) }
                        Err(code) => Err(fault(frame, code)),
                    }
                }};
                ($op:ident, checked2($function:path)) => {{
                    let t = num_type(immediate)?;
                    let [a] = frame.stack.pop();
                    let b = frame.stack.top_mut();
                    match $function(t, a, *b) {
                        Ok(word) => { *b = word; Ok(()) }
                        Err(code) => Err(fault(frame, code)),
                    }
                }};
                ($op:ident, ccast) => {{
                    let t = num_type(immediate)?;
                    let a = *frame.stack.top_mut();
                    match checked::ccast(t, immediate & 0x40 != 0, a) {
                        Ok(_) => Ok(()),
                        Err(code) => Err(fault(frame, code)),
                    }
                }};
                ($op:ident, jump) => {{
                    let [target] = frame.stack.pop();
                    frame.pc = flow::jump_target(&frame.code, &target).ok_or(Trap::InvalidJump)?;
                    Ok(())
                }};
                ($op:ident, jumpi) => {{
                    let [target, condition] = frame.stack.pop();
                    if !condition.is_zero() {
                        frame.pc = flow::jump_target(&frame.code, &target).ok_or(Trap::InvalidJump)?;
                    }
                    Ok(())
                }};
                ($op:ident, pc) => {{
                    frame.stack.push_word(U256::from(pc));
                    Ok(())
                }};
                ($op:ident, gas) => {{
                    frame.stack.push_word(U256::from(frame.gas));
                    Ok(())
                }};
                ($op:ident, mload) => {{
                    let offset = *frame.stack.top_mut();
                    let (word, gas) = memory::mload(&mut frame.memory, frame.gas, &offset)?;
                    frame.gas = gas;
                    *frame.stack.top_mut() = word;
                    Ok(())
                }};
                ($op:ident, mstore) => {{
                    let [offset, value] = frame.stack.pop();
                    frame.gas = memory::mstore(&mut frame.memory, frame.gas, &offset, &value)?;
                    Ok(())
                }};
                ($op:ident, mstore8) => {{
                    let [offset, value] = frame.stack.pop();
                    frame.gas = memory::mstore8(&mut frame.memory, frame.gas, &offset, &value)?;
                    Ok(())
                }};
                ($op:ident, frame($function:path)) => { $function(frame, host) };
                ($op:ident, asks($function:path)) => { $function(frame, host) };
                ($op:ident, immediate($function:path)) => { $function(frame, host, immediate) };
            }
            match op { $( Op::$Name => handler!($Name, perform), )* }
        }
    };
}
crate::for_each_opcode!(define_execute);

/// The operation that a byte runs as under these rules: it has a row, is active, and the machine runs it.
///
/// `None` is an invalid opcode, and nothing is charged or looked at before.
#[inline]
pub fn runnable(encoding: Encoding, byte: u8, spec: &Spec) -> Option<Op> {
    encoding.decode(byte, spec.fork, spec.hedera)
}

/// The bytes after the one at `pc`, padding included.
fn immediate_at(code: &Code, pc: usize) -> &[u8; IMMEDIATE_MAX] {
    let bytes = &code.padded()[pc + 1..pc + 1 + IMMEDIATE_MAX];
    bytes.try_into().expect("the slice has IMMEDIATE_MAX bytes by construction")
}

/// The word of a `push` with `N` immediate bytes, which are the first of `bytes`; missing ones read as zero.
#[inline(always)]
pub(crate) fn push_word<const N: usize>(bytes: &[u8; IMMEDIATE_MAX]) -> U256 {
    // Whole limbs are read, from the first byte on, and what lies behind the immediate is shifted out. The
    // padding lets every immediate be read as if it had 32 bytes.
    let mut limbs = [0; 4];
    let limbs_read = N.div_ceil(8);
    for (limb, chunk) in limbs.iter_mut().zip(bytes.as_chunks::<8>().0).take(limbs_read) {
        *limb = u64::from_be_bytes(*chunk);
    }
    // The limbs stand highest first, and N bytes of them count.
    let excess = 8 * (8 * limbs_read - N);
    let mut words = [0; 4];
    for (index, word) in words.iter_mut().take(limbs_read).enumerate() {
        let from = limbs_read - 1 - index;
        *word = limbs[from] >> excess;
        if excess > 0 && from > 0 {
            *word |= limbs[from - 1] << (64 - excess);
        }
    }
    U256::from_limbs(words)
}

/// The type that a checked operation's immediate names; legality was checked before.
#[inline(always)]
pub(crate) fn num_type(immediate: u8) -> Result<NumType, Exit> {
    NumType::from_immediate(immediate).ok_or(Exit::Trap(Trap::InvalidOpcode))
}

/// Ends the frame as a fault with that panic code: effects undone, gas kept.
#[cold]
pub fn fault(frame: &mut Frame, code: u8) -> Exit {
    frame.output = panic_data(code).to_vec().into();
    Exit::Revert
}

/// Charges dynamic gas.
#[inline]
pub(crate) fn charge(frame: &mut Frame, cost: u64) -> Result<(), Exit> {
    frame.gas = frame.gas.checked_sub(cost).ok_or(Trap::OutOfGas)?;
    Ok(())
}

/// The rule of static frames for operations that change state.
#[inline]
pub(crate) fn refuse_static(frame: &Frame) -> Result<(), Exit> {
    if frame.message.is_static { Err(Trap::StaticViolation.into()) } else { Ok(()) }
}

fn dup(frame: &mut Frame, depth: usize) -> Result<(), Exit> {
    let mut height = frame.stack.height();
    frame.stack.dup(&mut height, depth).ok_or(Trap::StackUnderflow)?;
    frame.stack.set_height(height);
    Ok(())
}

fn swap(frame: &mut Frame, depth: usize) -> Result<(), Exit> {
    let mut height = frame.stack.height();
    frame.stack.swap(&mut height, depth).ok_or(Trap::StackUnderflow)?;
    Ok(())
}
