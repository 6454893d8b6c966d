//! The linear memory of a frame: zeroed bytes that grow in words.

use std::mem::offset_of;

/// Memory of one frame.
#[repr(C)]
pub struct Memory {
    // Invariant: `base` points to `bytes`' buffer and `len == bytes.len()`, a multiple of 32.
    base: *mut u8,
    len: usize,
    bytes: Vec<u8>,
}

impl Memory {
    /// Offset of the pointer to the first byte.
    pub const BASE_OFFSET: usize = offset_of!(Memory, base);
    /// Offset of the size in bytes.
    pub const LEN_OFFSET: usize = offset_of!(Memory, len);

    /// An empty memory.
    pub fn new() -> Memory {
        let mut bytes = Vec::new();
        Memory { base: bytes.as_mut_ptr(), len: 0, bytes }
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

    /// All bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Grows to `len` bytes, a multiple of 32; never shrinks.
    pub fn grow(&mut self, len: usize) {
        debug_assert!(len.is_multiple_of(32));
        if len > self.len {
            self.bytes.resize(len, 0);
            self.base = self.bytes.as_mut_ptr();
            self.len = len;
        }
    }
}

impl Default for Memory {
    fn default() -> Memory {
        Memory::new()
    }
}
