//! The operand stack: at most 1024 words in one fixed block, so that compiled code can address it.
//!
//! The run loop keeps the number of words in a local [`Height`]. One check turns a height into a [`Window`], and
//! operands are read and results put there. Frame operations use the height stored in the stack itself (`pop`,
//! `push_word`).

use std::mem::offset_of;

use alloy_primitives::U256;

use crate::gas::STACK_LIMIT;

/// The operand stack of one frame.
#[repr(C)]
pub struct Stack {
    words: Box<[U256; STACK_LIMIT]>,
    // Invariant: `len <= STACK_LIMIT`. Compiled code writes it.
    len: usize,
}

/// A number of words on some stack.
///
/// Every stack has room for `STACK_LIMIT` words and all of them are initialized, so a height that is valid for
/// one stack addresses initialized words of any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Height {
    // Counted in bytes, which saves the loop a shift per operation.
    // Invariant: a multiple of WORD_BYTES, `<= LIMIT_BYTES`; only this file makes and changes heights.
    bytes: usize,
}

/// A place of `N` words on any stack, top last.
#[derive(Clone, Copy, Debug)]
pub struct Window<const N: usize> {
    // Invariant: a multiple of WORD_BYTES, `start + N * WORD_BYTES <= LIMIT_BYTES`; only this file makes windows.
    start: usize,
}

const WORD_BYTES: usize = size_of::<U256>();
const LIMIT_BYTES: usize = STACK_LIMIT * WORD_BYTES;

impl<const N: usize> Window<N> {
    /// The place of the deepest word, where a result goes.
    #[inline(always)]
    pub fn deepest(self) -> Window<1> {
        const { assert!(N > 0) };
        Window { start: self.start }
    }
}

impl Height {
    /// The number of words.
    #[inline]
    pub fn words(self) -> usize {
        self.bytes / WORD_BYTES
    }

    /// The top `N` words, of which `LEFT` stay when the operation is done. `None` is an underflow.
    #[inline(always)]
    pub fn take<const N: usize, const LEFT: usize>(&mut self) -> Option<Window<N>> {
        const { assert!(LEFT <= N && N <= STACK_LIMIT) };
        if self.bytes < N * WORD_BYTES {
            return None;
        }
        let window = Window { start: self.bytes - N * WORD_BYTES };
        self.bytes -= (N - LEFT) * WORD_BYTES;
        Some(window)
    }

    /// The place of a word to be pushed. `None` is an overflow.
    #[inline(always)]
    pub fn make_room(&mut self) -> Option<Window<1>> {
        if self.bytes >= LIMIT_BYTES {
            return None;
        }
        let window = Window { start: self.bytes };
        self.bytes += WORD_BYTES;
        Some(window)
    }
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

    /// The height, for the run loop to keep in a local.
    #[inline]
    pub fn height(&self) -> Height {
        assert!(self.len <= STACK_LIMIT, "compiled code keeps the stack within its limit");
        Height { bytes: self.len * WORD_BYTES }
    }

    /// Stores the height that the run loop kept in a local.
    #[inline]
    pub fn set_height(&mut self, height: Height) {
        self.len = height.words();
    }

    /// Whether an operation that takes `pops` words and leaves `pushes` fits the stack.
    #[inline]
    pub fn check(&self, pops: usize, pushes: usize) -> Result<(), crate::outcome::Trap> {
        check(self.len, pops, pushes)
    }

    /// Takes the top `N` words, top first.
    ///
    /// # Panics
    /// If the stack is shorter: frame operations run after the stack check.
    #[inline]
    pub fn pop<const N: usize>(&mut self) -> [U256; N] {
        let len = self.len.checked_sub(N).expect("the stack check ran before the operation");
        let mut words: [U256; N] =
            self.words[len..len + N].try_into().expect("the slice has N words by construction");
        words.reverse();
        self.len = len;
        words
    }

    /// Puts a word on top.
    ///
    /// # Panics
    /// If the stack is full: frame operations run after the stack check.
    #[inline]
    pub fn push_word(&mut self, word: U256) {
        self.words[self.len] = word;
        self.len += 1;
    }

    /// The top word in place, for operations that replace it.
    ///
    /// # Panics
    /// If the stack is empty: frame operations run after the stack check.
    #[inline]
    pub fn top_mut(&mut self) -> &mut U256 {
        let top = self.len.checked_sub(1).expect("the stack check ran before the operation");
        &mut self.words[top]
    }

    /// The words of a window, top last.
    ///
    /// Read limb by limb: most words were stored so just before, and a processor forwards a store to a load only
    /// if the load lies within it; a wider load waits for the cache, which here was half of all time. The accesses
    /// are volatile because the compiler joins plain ones into wide loads.
    #[inline(always)]
    pub fn get<const N: usize>(&self, window: Window<N>) -> [U256; N] {
        debug_assert!(window.start + N * WORD_BYTES <= LIMIT_BYTES);
        // SAFETY: `Window`'s invariant puts its words within the STACK_LIMIT initialized words of every stack.
        let limbs = unsafe { self.words.as_ptr().byte_add(window.start) }.cast::<u64>();
        std::array::from_fn(|word| {
            // SAFETY: as above; a word is four limbs.
            U256::from_limbs(std::array::from_fn(|limb| unsafe {
                limbs.add(4 * word + limb).read_volatile()
            }))
        })
    }

    /// Puts a word into a window's place.
    #[inline(always)]
    pub fn put(&mut self, window: Window<1>, word: U256) {
        debug_assert!(window.start < LIMIT_BYTES);
        // SAFETY: `Window`'s invariant puts its word within the STACK_LIMIT words of every stack, and `&mut self`
        // makes the access unique.
        unsafe { *self.words.as_mut_ptr().byte_add(window.start).cast::<U256>() = word };
    }

    /// Duplicates the `n`th word, 1 = top; `n` of 0 only makes room. `None` where words or room are missing.
    #[inline(always)]
    pub fn dup(&mut self, height: &mut Height, n: usize) -> Option<()> {
        debug_assert!(n < STACK_LIMIT);
        let depth = n * WORD_BYTES;
        if height.bytes.wrapping_sub(depth) >= LIMIT_BYTES - depth {
            return None;
        }
        let [source] = self.get(Window { start: height.bytes - depth });
        self.put(Window { start: height.bytes }, source);
        height.bytes += WORD_BYTES;
        Some(())
    }

    /// Puts `top` in place of word `n + 1`, counted from the place of `top`, and returns the word that was there: the
    /// first half of a swap whose top is not stored. `None` is an underflow.
    #[inline(always)]
    pub fn exchange(&mut self, height: Height, n: usize, top: U256) -> Option<U256> {
        let depth = (n + 1) * WORD_BYTES;
        if height.bytes < depth {
            return None;
        }
        let deep = Window { start: height.bytes - depth };
        let [word] = self.get(deep);
        self.put(deep, top);
        Some(word)
    }

    /// The `n`th word, 1 = top, if there is room for another one. `None` where words or room are missing.
    #[inline(always)]
    pub fn peek(&self, height: Height, n: usize) -> Option<U256> {
        debug_assert!(n < STACK_LIMIT);
        let depth = n * WORD_BYTES;
        if height.bytes.wrapping_sub(depth) >= LIMIT_BYTES - depth {
            return None;
        }
        let [word] = self.get(Window { start: height.bytes - depth });
        Some(word)
    }

    /// Swaps the top with word `n + 1`. `None` is an underflow.
    #[inline(always)]
    pub fn swap(&mut self, height: &mut Height, n: usize) -> Option<()> {
        let depth = n * WORD_BYTES;
        if height.bytes < depth + WORD_BYTES {
            return None;
        }
        let top = Window { start: height.bytes - WORD_BYTES };
        let deep = Window { start: top.start - depth };
        let ([high], [low]) = (self.get(top), self.get(deep));
        self.put(top, low);
        self.put(deep, high);
        Some(())
    }
}

/// The stack rule: which trap, if any, an operation on a stack of `len` words ends in.
#[inline]
pub fn check(len: usize, pops: usize, pushes: usize) -> Result<(), crate::outcome::Trap> {
    if len < pops {
        return Err(crate::outcome::Trap::StackUnderflow);
    }
    if len - pops + pushes > STACK_LIMIT {
        return Err(crate::outcome::Trap::StackOverflow);
    }
    Ok(())
}

impl Default for Stack {
    fn default() -> Stack {
        Stack::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack_of(words: &[u64]) -> (Stack, Height) {
        let mut stack = Stack::new();
        words.iter().for_each(|&word| stack.push_word(U256::from(word)));
        let height = stack.height();
        (stack, height)
    }

    fn check_words(stack: &mut Stack, height: Height, expected: &[u64]) {
        stack.set_height(height);
        assert_eq!(stack.words(), expected.iter().map(|&word| U256::from(word)).collect::<Vec<_>>());
    }

    #[test]
    fn windows_hold_operands_top_last() {
        let (mut stack, mut height) = stack_of(&[1, 2, 3]);
        let window = height.take::<3, 1>().expect("three words");
        let [c, b, a] = stack.get(window);
        assert_eq!((a, b, c), (U256::from(3), U256::from(2), U256::from(1)));
        stack.put(window.deepest(), U256::from(9));
        check_words(&mut stack, height, &[9]);
        assert!(height.take::<2, 1>().is_none());
        assert_eq!(height.words(), 1, "a refused window leaves the height alone");
    }

    #[test]
    fn dup_and_swap_count_from_the_top() {
        let (mut stack, mut height) = stack_of(&[1, 2, 3]);
        stack.dup(&mut height, 3).expect("three words");
        stack.swap(&mut height, 2).expect("four words");
        check_words(&mut stack, height, &[1, 1, 3, 2]);
        assert!(stack.dup(&mut height, 5).is_none());
        assert!(stack.swap(&mut height, 4).is_none());
        assert!(stack.swap(&mut height, 3).is_some());
    }

    #[test]
    fn the_stack_is_full_at_its_limit() {
        let (mut stack, mut height) = stack_of(&[7]);
        while height.words() < STACK_LIMIT {
            stack.dup(&mut height, 1).expect("room");
        }
        assert!(stack.dup(&mut height, 1).is_none());
        assert!(stack.dup(&mut height, 1023).is_none());
        assert!(height.make_room().is_none());
        assert!(stack.swap(&mut height, 1023).is_some());
        assert!(stack.swap(&mut height, 1024).is_none());
    }

    #[test]
    fn underflow_is_named_before_overflow() {
        use crate::outcome::Trap;
        assert_eq!(check(0, 1, 2), Err(Trap::StackUnderflow));
        assert_eq!(check(STACK_LIMIT, 1, 2), Err(Trap::StackOverflow));
        assert_eq!(check(STACK_LIMIT, 2, 2), Ok(()));
    }
}
