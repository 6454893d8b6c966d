//! Runtime calls: the table of pointers, the signatures, and the shims behind them.
//!
//! All three are derived from [`for_each_builtin!`](zvm::for_each_builtin). A shim never unwinds into compiled
//! code: a panic of the runtime becomes a host error. Compiled code finds the table through its run context, so
//! that native code holds no addresses.

use std::mem::offset_of;
use std::panic::{AssertUnwindSafe, catch_unwind};

use alloy_primitives::U256;
use cranelift_codegen::ir::{AbiParam, Signature, Type, types};
use cranelift_codegen::isa::CallConv;
use zvm::bytecode::Op;
use zvm::compiled::frame::Frame;
use zvm::gas;
use zvm::host::{Host, HostError};
use zvm::interp::ops::checked::{self, NumType};
use zvm::interp::ops::{arith, bits, context, crypto, execute as execute_op, fault, storage};
use zvm::outcome::{Exit, STATUS_CONTINUE, Trap};
use zvm::profile::RunBy;

use crate::entry::RunContext;

/// Four consecutive words: operands first, the result replaces the first.
type Words = *mut [U256; 4];

macro_rules! rust_type {
    (u32) => {
        u32
    };
    (u64) => {
        u64
    };
    (words) => {
        Words
    };
}

macro_rules! native_type {
    (u32) => {
        types::I32
    };
    (u64) => {
        types::I64
    };
    (words) => {
        types::I64
    };
}

macro_rules! define_table {
    ($( $(#[doc = $doc:literal])+ $Name:ident $name:ident ( $( $param:ident : $ty:ident ),* ); )*) => {
        /// A runtime call.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Builtin {
            $( $(#[doc = $doc])+ $Name, )*
        }

        /// Pointers to the shims, as compiled code finds them.
        #[repr(C)]
        pub(crate) struct BuiltinTable {
            $( $name: unsafe extern "C" fn(*mut RunContext<'_>, $( rust_type!($ty) ),*) -> u32, )*
        }

        /// The one table.
        pub(crate) static TABLE: BuiltinTable = BuiltinTable { $( $name: shims::$name ),* };

        impl Builtin {
            /// Number of runtime calls.
            pub(crate) const COUNT: usize = [ $( Builtin::$Name ),* ].len();

            /// Byte offset of the pointer in the table.
            pub(crate) const fn table_offset(self) -> usize {
                match self { $( Builtin::$Name => offset_of!(BuiltinTable, $name), )* }
            }

            fn parameters(self) -> &'static [Type] {
                match self { $( Builtin::$Name => &[ $( native_type!($ty) ),* ], )* }
            }
        }
    };
}
zvm::for_each_builtin!(define_table);

impl Builtin {
    /// Native signature: the run context, the parameters, a status.
    pub(crate) fn signature(self, call_conv: CallConv) -> Signature {
        let mut signature = Signature::new(call_conv);
        signature.params.push(AbiParam::new(types::I64));
        signature.params.extend(self.parameters().iter().map(|&ty| AbiParam::new(ty)));
        signature.returns.push(AbiParam::new(types::I32));
        signature
    }
}

/// Runs `body` on the frame and the host; a panic becomes a host error.
///
/// # Safety
/// `context` is the pointer that [`entry`](crate::entry) gave to compiled code.
unsafe fn with_frame(
    context: *mut RunContext<'_>,
    body: impl FnOnce(&mut Frame, &mut dyn Host) -> u32,
) -> u32 {
    // SAFETY: the caller passes the context of the running call, which nobody else uses meanwhile.
    let context = unsafe { &mut *context };
    // SAFETY: `entry` made the pointer from the `&mut Frame` that it holds for the whole run.
    let frame = unsafe { &mut *context.frame };
    let host = &mut *context.host;
    match catch_unwind(AssertUnwindSafe(|| body(frame, host))) {
        Ok(status) => status,
        Err(_) => {
            frame.host_error = Some(HostError("a runtime call of compiled code panicked".into()));
            Exit::HostError.to_status()
        }
    }
}

/// Word `n` of the operands, read limb by limb: compiled code stored it so just before, and a processor forwards a
/// store to a load only if the load lies within it. Volatile, since the compiler joins plain reads into wide ones.
///
/// # Safety
/// `words` points to initialized words that nobody else uses meanwhile, and `n` is one of them.
#[inline(always)]
unsafe fn operand(words: Words, n: usize) -> U256 {
    let limbs = words.cast::<u64>();
    // SAFETY: a word is four limbs, and the caller vouches for the word.
    U256::from_limbs(std::array::from_fn(|limb| unsafe { limbs.add(4 * n + limb).read_volatile() }))
}

/// Puts a function of `N` words in the place of the first.
///
/// # Safety
/// As [`with_frame`]; `words` points to four words, `N` of them initialized, that nobody else uses meanwhile.
#[inline(always)]
unsafe fn with_words<const N: usize>(
    context: *mut RunContext<'_>,
    words: Words,
    compute: impl FnOnce([U256; N]) -> U256,
) -> u32 {
    const { assert!(N <= 4) };
    // SAFETY: the caller vouches for `N` words.
    let operands = std::array::from_fn(|n| unsafe { operand(words, n) });
    match catch_unwind(AssertUnwindSafe(|| compute(operands))) {
        Ok(word) => {
            // SAFETY: the place of the first word.
            unsafe { words.cast::<U256>().write(word) };
            STATUS_CONTINUE
        }
        // SAFETY: the same context.
        Err(_) => unsafe { with_frame(context, |_, _| panic!("a word operation panicked")) },
    }
}

/// Runs `body` on the frame and the host, puts the word it gives in the place of the first, and charges what follows
/// in the block. In that order: where the rest can't be paid, the interpreter goes on with the word.
///
/// # Safety
/// As [`with_frame`]; `words` points to a place for a word that nobody else uses meanwhile.
unsafe fn with_frame_for_word(
    context: *mut RunContext<'_>,
    words: Words,
    rest: u64,
    body: impl FnOnce(&mut Frame, &mut dyn Host) -> Result<U256, Exit>,
) -> u32 {
    let put = |frame: &mut Frame, host: &mut dyn Host| match body(frame, host) {
        Ok(word) => {
            // SAFETY: the caller vouches for the place.
            unsafe { words.cast::<U256>().write(word) };
            status_of(charge_rest(frame, rest))
        }
        Err(exit) => exit.to_status(),
    };
    // SAFETY: the same context.
    unsafe { with_frame(context, put) }
}

fn status_of(result: Result<(), Exit>) -> u32 {
    match result {
        Ok(()) => STATUS_CONTINUE,
        Err(exit) => exit.to_status(),
    }
}

fn execute(frame: &mut Frame, host: &mut dyn Host, op: u32, pc: u32, next_pc: u32, rest: u64) -> u32 {
    let op = u8::try_from(op).ok().and_then(Op::from_number).expect("the translator passes an operation");
    let result = execute_op(op, pc as usize, frame, host);
    if let Err(Exit::Call | Exit::Create) = result {
        // The frame goes on behind the request.
        frame.pc = next_pc as usize;
    }
    status_of(result.and_then(|()| charge_rest(frame, rest)))
}

/// Charges what follows in the block; `Interpret` where it can't be paid, since how the frame ends then is for the
/// interpreter to find out.
fn charge_rest(frame: &mut Frame, rest: u64) -> Result<(), Exit> {
    frame.gas = frame.gas.checked_sub(rest).ok_or(Exit::Interpret)?;
    Ok(())
}

fn memory_grow(frame: &mut Frame, offset: u64, size: u64, rest: u64) -> Result<(), Exit> {
    let end = offset.checked_add(size).ok_or(Trap::OutOfGas)?;
    if let Some(left) = frame.gas.checked_sub(rest).and_then(|gas| frame.memory.grow_within_buffer(end, gas))
    {
        frame.gas = left;
        return Ok(());
    }
    let words = gas::words(end);
    let held = gas::words(frame.memory.len() as u64);
    let cost = gas::memory_cost(words).saturating_sub(gas::memory_cost(held));
    let left = frame.gas.checked_sub(cost).ok_or(Trap::OutOfGas)?;
    let is_refused = words > frame.memory.limit() as u64 / 32;
    if left < rest && !is_refused {
        return Err(Exit::Interpret);
    }
    let left = frame.memory.grow_to(end, frame.gas)?;
    frame.gas = left - rest;
    Ok(())
}

fn checked_op(op: u32, type_byte: u32, a: U256, b: U256) -> Result<U256, u8> {
    let op = u8::try_from(op).ok().and_then(Op::from_number).expect("the translator passes an operation");
    let immediate = type_byte as u8;
    let t = NumType::from_immediate(immediate).expect("the translator passes a legal type");
    checked_word(op, t, immediate, a, b).expect("the translator passes a checked operation")
}

/// A checked operation on words; `None` for other operations.
pub(crate) fn checked_word(op: Op, t: NumType, immediate: u8, a: U256, b: U256) -> Option<Result<U256, u8>> {
    Some(match op {
        Op::CAdd => checked::cadd(t, a, b),
        Op::CSub => checked::csub(t, a, b),
        Op::CMul => checked::cmul(t, a, b),
        Op::CDiv => checked::cdiv(t, a, b),
        Op::CMod => checked::cmod(t, a, b),
        Op::CNeg => checked::cneg(t, a),
        Op::CCast => checked::ccast(t, immediate & 0x40 != 0, a),
        _ => return None,
    })
}

fn begin_block(frame: &mut Frame, pc: u32, gas: u64) -> u32 {
    if let Some(tracker) = &mut frame.tracker {
        tracker.begin(pc as usize, gas, RunBy::Compiled);
    }
    STATUS_CONTINUE
}

/// What compiled code calls. Each shim only converts.
mod shims {
    use super::{
        Exit, Frame, Host, RunContext, U256, Words, arith, bits, charge_rest, checked_op, context, crypto,
        fault, operand, status_of, storage, with_frame, with_frame_for_word, with_words,
    };
    use zvm::outcome::STATUS_CONTINUE;

    pub(super) unsafe extern "C" fn execute(
        context: *mut RunContext<'_>,
        op: u32,
        pc: u32,
        next_pc: u32,
        rest: u64,
    ) -> u32 {
        // SAFETY: compiled code passes on the context it was given.
        unsafe { with_frame(context, |frame, host| super::execute(frame, host, op, pc, next_pc, rest)) }
    }

    pub(super) unsafe extern "C" fn sload(context: *mut RunContext<'_>, operands: Words, rest: u64) -> u32 {
        // SAFETY: compiled code passes one word of its own.
        let key = unsafe { operand(operands, 0) };
        let load = |frame: &mut Frame, host: &mut dyn Host| storage::load(frame, host, &key);
        // SAFETY: compiled code passes on the context it was given, and words of its own.
        unsafe { with_frame_for_word(context, operands, rest, load) }
    }

    pub(super) unsafe extern "C" fn sstore(context: *mut RunContext<'_>, operands: Words, rest: u64) -> u32 {
        // SAFETY: compiled code passes two words of its own.
        let [key, value] = unsafe { [operand(operands, 0), operand(operands, 1)] };
        let store = |frame: &mut Frame, host: &mut dyn Host| {
            storage::store(frame, host, &key, &value)?;
            charge_rest(frame, rest)
        };
        // SAFETY: compiled code passes on the context it was given.
        unsafe { with_frame(context, |frame, host| status_of(store(frame, host))) }
    }

    pub(super) unsafe extern "C" fn keccak(
        context: *mut RunContext<'_>,
        offset: u64,
        size: u64,
        result: Words,
    ) -> u32 {
        let hash = |frame: &mut Frame, _: &mut dyn Host| {
            let bytes = &frame.memory.bytes()[offset as usize..][..size as usize];
            Ok(crypto::keccak256_of(bytes))
        };
        // SAFETY: compiled code passes on the context it was given, and words of its own.
        unsafe { with_frame_for_word(context, result, 0, hash) }
    }

    pub(super) unsafe extern "C" fn calldata_load(context: *mut RunContext<'_>, operands: Words) -> u32 {
        // SAFETY: compiled code passes one word of its own.
        let offset = unsafe { operand(operands, 0) };
        let load = |frame: &mut Frame, _: &mut dyn Host| Ok(context::calldata_word(frame, &offset));
        // SAFETY: compiled code passes on the context it was given, and words of its own.
        unsafe { with_frame_for_word(context, operands, 0, load) }
    }

    pub(super) unsafe extern "C" fn memory_grow(
        context: *mut RunContext<'_>,
        offset: u64,
        size: u64,
        rest: u64,
    ) -> u32 {
        // SAFETY: compiled code passes on the context it was given.
        unsafe { with_frame(context, |frame, _| status_of(super::memory_grow(frame, offset, size, rest))) }
    }

    pub(super) unsafe extern "C" fn begin_block(context: *mut RunContext<'_>, pc: u32, gas: u64) -> u32 {
        // SAFETY: compiled code passes on the context it was given.
        unsafe { with_frame(context, |frame, _| super::begin_block(frame, pc, gas)) }
    }

    pub(super) unsafe extern "C" fn panic(context: *mut RunContext<'_>, code: u32) -> u32 {
        let end = |frame: &mut super::Frame| match frame.host_error {
            // A shim that panicked reports through the code of a fault that is none.
            Some(_) => Exit::HostError,
            None => fault(frame, code as u8),
        };
        // SAFETY: compiled code passes on the context it was given.
        unsafe { with_frame(context, |frame, _| end(frame).to_status()) }
    }

    macro_rules! word_shims {
        ($( $name:ident($( $operand:ident ),*) => $compute:expr; )*) => { $(
            pub(super) unsafe extern "C" fn $name(context: *mut RunContext<'_>, operands: Words) -> u32 {
                // SAFETY: compiled code passes on the context it was given, and the operands in words of its own.
                unsafe { with_words(context, operands, |[$( $operand ),*]| $compute) }
            }
        )* };
    }
    word_shims! {
        mul(a, b) => arith::mul(a, b);
        div(a, b) => arith::div(a, b);
        sdiv(a, b) => arith::sdiv(a, b);
        rem(a, b) => arith::rem(a, b);
        smod(a, b) => arith::smod(a, b);
        addmod(a, b, n) => arith::addmod(a, b, n);
        mulmod(a, b, n) => arith::mulmod(a, b, n);
        signextend(a, b) => arith::signextend(a, b);
        byte(a, b) => bits::byte(a, b);
        shl(a, b) => bits::shl(a, b);
        shr(a, b) => bits::shr(a, b);
        sar(a, b) => bits::sar(a, b);
        exp(a, b) => arith::exp(a, b);
        tablehash(slot, key) => crypto::table_hash(&slot, &key);
    }

    pub(super) unsafe extern "C" fn checked(
        context: *mut RunContext<'_>,
        op: u32,
        type_byte: u32,
        operands: Words,
    ) -> u32 {
        let mut code = STATUS_CONTINUE;
        // SAFETY: compiled code passes on the context it was given, and words of its own.
        let status = unsafe {
            with_words(context, operands, |[a, b]| match checked_op(op, type_byte, a, b) {
                Ok(word) => word,
                Err(panic_code) => {
                    code = u32::from(panic_code);
                    U256::ZERO
                }
            })
        };
        if status == STATUS_CONTINUE { code } else { status }
    }
}
