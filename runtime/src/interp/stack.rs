//! The operand stack: at most 1024 words in one fixed block, so that compiled code can address it.

use std::mem::offset_of;

use alloy_primitives::U256;

use crate::gas::STACK_LIMIT;

/// The operand stack of one frame.
#[repr(C)]
pub struct Stack {
    words: Box<[U256; STACK_LIMIT]>,
    // Invariant: `len <= STACK_LIMIT`.
    len: usize,
}

impl Stack {
    /// Offset of the pointer to the bottom word.
    pub const BASE_OFFSET: usize = offset_of!(Stack, words);
    /// Offset of the number of words.
    pub const LEN_OFFSET: usize = offset_of!(Stack, len);

    /// An empty stack.
    pub fn new() -> Stack {
        let words = vec![U256::ZERO; STACK_LIMIT].into_boxed_slice();
        Stack { words: words.try_into().expect("the vector has STACK_LIMIT words"), len: 0 }
    }

    /// Words on the stack.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the stack holds no word.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The words, bottom first.
    pub fn words(&self) -> &[U256] {
        &self.words[..self.len]
    }

    /// Drops all words.
    pub fn clear(&mut self) {
        self.len = 0;
    }
}

impl Default for Stack {
    fn default() -> Stack {
        Stack::new()
    }
}
