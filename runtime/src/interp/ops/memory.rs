//! Memory operations.

use alloy_primitives::U256;

use crate::bytecode::Op;
use crate::compiled::frame::Frame;
use crate::gas;
use crate::host::Host;
use crate::interp::memory::{Memory, Range};
use crate::outcome::{Exit, Trap};

/// `mload`: the word at an offset, and the gas left.
#[inline(always)]
pub fn mload(memory: &mut Memory, gas: u64, offset: &U256) -> Result<(U256, u64), Exit> {
    let (start, gas) = memory.touch_word(offset, gas)?;
    Ok((memory.load_word(start), gas))
}

/// `mstore`: stores a word; returns the gas left.
#[inline(always)]
pub fn mstore(memory: &mut Memory, gas: u64, offset: &U256, value: &U256) -> Result<u64, Exit> {
    let (start, gas) = memory.touch_word(offset, gas)?;
    memory.store_word(start, value);
    Ok(gas)
}

/// `mstore8`: stores the low byte; returns the gas left.
#[inline(always)]
pub fn mstore8(memory: &mut Memory, gas: u64, offset: &U256, value: &U256) -> Result<u64, Exit> {
    let (start, gas) = memory.touch_fixed(offset, 1, gas)?;
    memory.bytes_mut()[start] = value.byte(0);
    Ok(gas)
}

/// `msize`.
pub fn msize(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    frame.stack.push_word(U256::from(frame.memory.len()));
    Ok(())
}

/// `mcopy`: one growth, to the larger end of both ranges.
pub fn mcopy(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    let [dest, src, size] = frame.stack.pop();
    charge_words(frame, Op::Mcopy, &size)?;
    // The larger offset first: paying for it pays for both.
    let (high, low) = if dest >= src { (&dest, &src) } else { (&src, &dest) };
    touch(frame, high, &size)?;
    touch(frame, low, &size)?;
    let target = touch(frame, &dest, &size)?.start;
    let source = touch(frame, &src, &size)?;
    frame.memory.bytes_mut().copy_within(source, target);
    Ok(())
}

/// Pays for a memory range out of the frame's gas.
pub(super) fn touch(frame: &mut Frame, offset: &U256, size: &U256) -> Result<Range, Exit> {
    let (range, gas) = frame.memory.touch(offset, size, frame.gas)?;
    frame.gas = gas;
    Ok(range)
}

/// Pays for ranges, offset and size each, as one growth to the largest end.
pub(super) fn touch_all<const N: usize>(
    frame: &mut Frame,
    ranges: [(U256, U256); N],
) -> Result<[Range; N], Exit> {
    let end = |(offset, size): &(U256, U256)| {
        if size.is_zero() { U256::ZERO } else { offset.saturating_add(*size) }
    };
    if let Some((offset, size)) = ranges.iter().max_by_key(|range| end(range)) {
        touch(frame, offset, size)?;
    }
    let mut touched = [const { Range { start: 0, end: 0 } }; N];
    for (place, (offset, size)) in touched.iter_mut().zip(&ranges) {
        *place = touch(frame, offset, size)?;
    }
    Ok(touched)
}

/// Charges the operation's rate for each word of `size`.
pub(super) fn charge_words(frame: &mut Frame, op: Op, size: &U256) -> Result<(), Exit> {
    let size = u64::try_from(size).map_err(|_| Trap::OutOfGas)?;
    // At most 2^59 words, and no rate is above 2^4.
    super::charge(frame, op.dynamic_rate().saturating_mul(gas::words(size)))
}

/// `calldatacopy` and `codecopy`: pays, and says which range to fill from which offset of the source.
pub(super) fn copy_to_memory(frame: &mut Frame, op: Op) -> Result<(Range, U256), Exit> {
    let [dest, offset, size] = frame.stack.pop();
    charge_words(frame, op, &size)?;
    Ok((touch(frame, &dest, &size)?, offset))
}
