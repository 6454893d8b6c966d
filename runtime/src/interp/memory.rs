//! The linear memory of a frame: zeroed bytes that grow in words, paid for as they grow.
//!
//! The buffer behind it is zeroed some way ahead of the size, so that most growth is arithmetic, and it is kept,
//! zeroed again, for the next frame, as far as whoever keeps it allows.

use std::mem::offset_of;

use alloy_primitives::U256;

use crate::gas;
use crate::outcome::{Exit, Trap};

/// Memory of one frame.
#[repr(C)]
pub struct Memory {
    // Invariant: `base` points to `buffer`'s first byte; `len <= buffer.len()`, a multiple of 32; the bytes of
    // `buffer` from `len` on are zero.
    base: *mut u8,
    len: usize,
    buffer: Vec<u8>,
    /// Largest size in bytes that the engine allows this frame.
    limit: usize,
}

// SAFETY: `base` is only a second name for `buffer`'s own bytes, which moves between threads like any vector.
unsafe impl Send for Memory {}

/// A paid-for, non-empty range of memory, or the empty range.
pub type Range = std::ops::Range<usize>;

impl Memory {
    /// Offset of the pointer to the first byte.
    pub const BASE_OFFSET: usize = offset_of!(Memory, base);
    /// Offset of the size in bytes.
    pub const LEN_OFFSET: usize = offset_of!(Memory, len);
    /// Bytes that an engine allows unless told otherwise: 4 GiB.
    pub const LIMIT_DEFAULT: usize = 4 << 30;

    /// Fewest bytes that are zeroed ahead.
    const AHEAD_MIN: usize = 4 << 10;
    /// Most bytes that are zeroed ahead.
    const AHEAD_MAX: usize = 1 << 20;

    /// An empty memory.
    pub fn new() -> Memory {
        let mut buffer = Vec::new();
        Memory { base: buffer.as_mut_ptr(), len: 0, buffer, limit: Memory::LIMIT_DEFAULT }
    }

    /// Empties the memory for the next frame and keeps the buffer, unless it is larger than `kept_max` bytes.
    pub fn reset(&mut self, kept_max: usize) {
        if self.buffer.capacity() > kept_max {
            self.buffer = Vec::new();
            self.base = self.buffer.as_mut_ptr();
        } else if self.len > 0 {
            // Not for nothing: filling zero bytes at the address of a buffer that was never allocated takes 0.1 µs where
            // `memset` stores under an empty mask and the page is not mapped.
            self.buffer[..self.len].fill(0);
        }
        self.len = 0;
    }

    /// Bytes of the buffer, whether in use or not.
    pub fn buffer_bytes(&self) -> usize {
        self.buffer.capacity()
    }

    /// Sets the largest size in bytes that the engine allows this frame.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Size in bytes.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was touched yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Largest size in bytes that the engine allows this frame.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// All bytes.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    /// All bytes, writable; the size stays.
    #[inline]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.buffer[..self.len]
    }

    /// Grows so that `end` bytes exist and returns what is left of `gas`.
    ///
    /// The price is charged before anything is allocated.
    #[cold]
    #[inline(never)]
    pub fn grow_to(&mut self, end: u64, gas: u64) -> Result<u64, Exit> {
        if let Some(gas) = self.grow_within_buffer(end, gas) {
            return Ok(gas);
        }
        let words = gas::words(end);
        let cost = gas::memory_cost(words) - gas::memory_cost(gas::words(self.len as u64));
        let gas = gas.checked_sub(cost).ok_or(Trap::OutOfGas)?;
        let len = usize::try_from(words).ok().and_then(|words| words.checked_mul(32));
        let Some(len) = len.filter(|&len| len <= self.limit) else {
            return Err(Exit::MemoryLimit);
        };
        if len > self.buffer.len() {
            self.extend_buffer(len)?;
        }
        self.len = len;
        Ok(gas)
    }

    /// As [`Memory::grow_to`] where that takes no more than a new size; else `None`, and nothing has changed.
    #[inline]
    pub fn grow_within_buffer(&mut self, end: u64, gas: u64) -> Option<u64> {
        let room = self.buffer.len().min(self.limit);
        if end > room as u64 {
            return None;
        }
        // Now nothing below overflows.
        let len = (end as usize).next_multiple_of(32);
        if len > room {
            return None;
        }
        let cost = gas::memory_cost(len as u64 / 32) - gas::memory_cost(self.len as u64 / 32);
        let gas = gas.checked_sub(cost)?;
        self.len = len;
        Some(gas)
    }

    /// Makes the buffer hold `len` bytes and some more, all new ones zero.
    #[cold]
    #[inline(never)]
    fn extend_buffer(&mut self, len: usize) -> Result<(), Exit> {
        if self.buffer.try_reserve(len - self.buffer.len()).is_err() {
            return Err(Exit::MemoryLimit);
        }
        let ahead = (len / 2).clamp(Memory::AHEAD_MIN, Memory::AHEAD_MAX);
        self.buffer.resize(len.saturating_add(ahead).min(self.buffer.capacity()), 0);
        self.base = self.buffer.as_mut_ptr();
        Ok(())
    }

    /// Pays for the range of 256-bit `offset` and `size`; an empty range is free whatever its offset.
    #[inline]
    pub fn touch(&mut self, offset: &U256, size: &U256, gas: u64) -> Result<(Range, u64), Exit> {
        if size.is_zero() {
            return Ok((0..0, gas));
        }
        let (Ok(offset), Ok(size)) = (u64::try_from(offset), u64::try_from(size)) else {
            return Err(Trap::OutOfGas.into());
        };
        let end = offset.checked_add(size).ok_or(Trap::OutOfGas)?;
        let gas = if end > self.len as u64 { self.grow_to(end, gas)? } else { gas };
        // The range now lies in memory, so the numbers fit a usize.
        Ok((offset as usize..end as usize, gas))
    }

    /// Pays for the 32 bytes at `offset` and returns its start and the gas left.
    #[inline(always)]
    pub fn touch_word(&mut self, offset: &U256, gas: u64) -> Result<(usize, u64), Exit> {
        self.touch_fixed(offset, 32, gas)
    }

    /// Pays for `size` bytes at `offset`, `size` a small constant.
    #[inline(always)]
    pub fn touch_fixed(&mut self, offset: &U256, size: u64, gas: u64) -> Result<(usize, u64), Exit> {
        let limbs = offset.as_limbs();
        let offset = limbs[0];
        let end = offset.wrapping_add(size);
        if limbs[1] | limbs[2] | limbs[3] != 0 || end < size {
            return Err(Trap::OutOfGas.into());
        }
        let gas = if end > self.len as u64 { self.grow_to(end, gas)? } else { gas };
        Ok((offset as usize, gas))
    }

    /// The word at `start`, big-endian.
    #[inline(always)]
    pub fn load_word(&self, start: usize) -> U256 {
        let bytes: &[u8; 32] =
            self.buffer[start..start + 32].try_into().expect("the slice has 32 bytes by construction");
        U256::from_be_bytes(*bytes)
    }

    /// Stores a word at `start`, big-endian.
    #[inline(always)]
    pub fn store_word(&mut self, start: usize, word: &U256) {
        self.buffer[start..start + 32].copy_from_slice(&word.to_be_bytes::<32>());
    }

    /// Copies the part of `source` from the 256-bit offset on to `range`, zeros where `source` ends.
    pub fn copy_padded(&mut self, range: Range, source: &[u8], offset: &U256) {
        let target = &mut self.buffer[range];
        let rest = usize::try_from(offset).ok().and_then(|offset| source.get(offset..)).unwrap_or(&[]);
        let copied = rest.len().min(target.len());
        target[..copied].copy_from_slice(&rest[..copied]);
        target[copied..].fill(0);
    }
}

impl Default for Memory {
    fn default() -> Memory {
        Memory::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(value: u64) -> U256 {
        U256::from(value)
    }

    #[test]
    fn growth_is_paid_by_the_word_and_once() {
        let mut memory = Memory::new();
        assert_eq!(memory.touch(&word(1), &word(32), 100), Ok((1..33, 94)));
        assert_eq!(memory.len(), 64);
        assert_eq!(memory.touch_word(&word(32), 0), Ok((32, 0)));
        assert_eq!(memory.touch_word(&word(33), 2), Err(Exit::Trap(Trap::OutOfGas)));
        assert_eq!(memory.len(), 64, "nothing grows unpaid");
    }

    #[test]
    fn an_empty_range_is_free_whatever_its_offset() {
        assert_eq!(Memory::new().touch(&U256::MAX, &U256::ZERO, 0), Ok((0..0, 0)));
    }

    #[test]
    fn what_no_gas_can_pay_is_out_of_gas_and_what_the_engine_refuses_is_a_limit() {
        let mut memory = Memory::new();
        let out_of_gas = Err(Exit::Trap(Trap::OutOfGas));
        assert_eq!(memory.touch(&U256::MAX, &word(1), u64::MAX), out_of_gas);
        assert_eq!(memory.touch(&word(u64::MAX), &word(1), u64::MAX), out_of_gas);
        assert_eq!(memory.touch_word(&word(u64::MAX - 31), u64::MAX).map(|_| ()), Err(Trap::OutOfGas.into()));
        assert_eq!(memory.touch_word(&(U256::ONE << 64), u64::MAX).map(|_| ()), Err(Trap::OutOfGas.into()));
        let gas = (1 << 63) - 1;
        assert_eq!(memory.touch_word(&(U256::ONE << 40), gas).map(|_| ()), Err(Exit::MemoryLimit));
    }

    #[test]
    fn copies_past_the_source_are_zeros() {
        let mut memory = Memory::new();
        memory.touch(&word(0), &word(32), 1000).expect("paid");
        memory.bytes_mut().fill(0xff);
        memory.copy_padded(0..4, &[1, 2, 3], &word(1));
        assert_eq!(memory.bytes()[..5], [2, 3, 0, 0, 0xff]);
        memory.copy_padded(0..4, &[1, 2, 3], &U256::MAX);
        assert_eq!(memory.bytes()[..5], [0, 0, 0, 0, 0xff]);
    }

    #[test]
    fn a_reset_memory_reads_zero_again() {
        let mut memory = Memory::new();
        memory.touch_word(&word(0), 100).expect("paid");
        memory.store_word(0, &U256::MAX);
        memory.reset(memory.buffer_bytes());
        assert!(memory.is_empty() && memory.buffer_bytes() > 0);
        memory.touch_word(&word(32), 100).expect("paid");
        assert_eq!((memory.load_word(0), memory.load_word(32)), (U256::ZERO, U256::ZERO));
        memory.reset(memory.buffer_bytes() - 1);
        assert_eq!(memory.buffer_bytes(), 0, "a buffer that is too large is given back");
        memory.touch_word(&word(0), 100).expect("paid");
        assert_eq!(memory.load_word(0), U256::ZERO);
    }

    #[test]
    fn what_is_zeroed_ahead_does_not_count() {
        let mut memory = Memory::new();
        let mut gas = 1 << 40;
        for end in [32, 64, 5_000, 5_056, 100_000, 3_000_000, 3_000_032] {
            gas = memory.grow_to(end, gas).expect("paid");
            let len = gas::words(end) as usize * 32;
            assert_eq!((memory.len(), memory.bytes().len()), (len, len));
            assert!(memory.bytes()[len - 32..].iter().all(|&byte| byte == 0));
            memory.bytes_mut()[len - 32..].fill(0xff);
        }
        assert_eq!((1 << 40) - gas, gas::memory_cost(gas::words(3_000_032)));
    }
}
