//! Reading instructions: [`instructions`] of a byte string in order, and the [`Cursor`] of a running program.
//!
//! Analyses, the disassembler and the translator use the first, the run loop of the interpreter the second.

use alloy_primitives::U256;

use super::analyze::{CODE_PADDING, Code};
use super::encoding::Encoding;
use super::info::Op;

/// One instruction as it stands in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction<'c> {
    /// Offset of the first byte.
    pub offset: usize,
    /// First byte.
    pub byte: u8,
    /// Operation of that byte in the encoding, whatever the fork; `None` for a byte without a row.
    pub op: Option<Op>,
    /// Immediate bytes that the code holds; shorter than the row says when the code ends inside it.
    pub immediate: &'c [u8],
    /// Offset of the next instruction; may lie past the end of code.
    pub next: usize,
}

impl Instruction<'_> {
    /// The immediate as a word: big-endian, missing bytes read as zero.
    pub fn immediate_word(&self) -> U256 {
        let len = self.next - self.offset - 1;
        let mut bytes = [0u8; 32];
        let start = 32 - len;
        bytes[start..start + self.immediate.len()].copy_from_slice(self.immediate);
        U256::from_be_bytes(bytes)
    }

    /// The first immediate byte, zero where there is none.
    pub fn immediate_byte(&self) -> u8 {
        self.immediate.first().copied().unwrap_or(0)
    }
}

/// Iterates over the instructions of `code`, in order.
pub fn instructions(code: &[u8], encoding: Encoding) -> Instructions<'_> {
    Instructions { code, encoding, offset: 0 }
}

/// See [`instructions`].
#[derive(Clone, Debug)]
pub struct Instructions<'c> {
    code: &'c [u8],
    encoding: Encoding,
    offset: usize,
}

impl<'c> Iterator for Instructions<'c> {
    type Item = Instruction<'c>;

    fn next(&mut self) -> Option<Instruction<'c>> {
        let offset = self.offset;
        let byte = *self.code.get(offset)?;
        let next = offset + self.encoding.instruction_len(byte);
        let immediate = &self.code[offset + 1..next.min(self.code.len())];
        self.offset = next;
        Some(Instruction { offset, byte, op: self.encoding.op(byte), immediate, next })
    }
}

/// Bytes of the longest immediate.
pub const IMMEDIATE_MAX: usize = 32;
const _: () =
    assert!(CODE_PADDING > 1 + IMMEDIATE_MAX, "a cursor in the padding is the argument of `Cursor`");

/// Where a running program stands in the steps of its code: a pointer, so that reading one costs one load.
///
/// No bounds are checked at run time, because all padding is zero and an instruction that starts with a step other
/// than zero lies in the body: from there it leads at most [`IMMEDIATE_MAX`] bytes into the padding.
pub(crate) struct Cursor<'c> {
    code: &'c Code,
    // Invariant: points to a byte of `code.steps()`; before a fetch, to one at most `IMMEDIATE_MAX` behind the
    // body, so that another byte follows.
    next: *const u8,
    // Invariant: if not zero, `next` points behind a byte of the body.
    step: u8,
}

impl<'c> Cursor<'c> {
    /// A cursor before the instruction at a body offset, which may be the end of the body.
    ///
    /// # Panics
    /// If the offset lies more than an immediate behind the body, which no program reaches.
    pub(crate) fn new(code: &'c Code, offset: usize) -> Cursor<'c> {
        assert!(offset <= code.body().len() + IMMEDIATE_MAX, "the program counter lies in its code");
        Cursor { code, next: &raw const code.steps()[offset], step: 0 }
    }

    /// The body offset of the instruction fetched last.
    #[inline(always)]
    pub(crate) fn offset(&self) -> usize {
        self.next.addr() - self.code.steps().as_ptr().addr() - 1
    }

    /// Reads the step of the next instruction and moves behind it.
    #[inline(always)]
    pub(crate) fn fetch(&mut self) -> u8 {
        // SAFETY: by its invariant `next` points into the steps, which `code` keeps alive.
        self.step = unsafe { *self.next };
        // SAFETY: another byte follows, by the same invariant.
        self.next = unsafe { self.next.add(1) };
        self.step
    }

    /// The step of the next instruction.
    #[inline(always)]
    pub(crate) fn peek(&self) -> u8 {
        // SAFETY: by its invariant `next` points into the steps, which `code` keeps alive.
        unsafe { *self.next }
    }

    /// The bytes behind the step fetched last, of which the instruction's own are the immediate.
    ///
    /// # Panics
    /// If the step is zero, `halt`, which has no immediate; or if the cursor has moved since.
    #[inline(always)]
    pub(crate) fn immediate(&self) -> &[u8; IMMEDIATE_MAX] {
        assert!(self.step != 0);
        // SAFETY: the byte before `next` lies in the body, and the padding follows.
        unsafe { &*self.next.cast() }
    }

    /// Moves over the immediate of the step fetched last, `N` bytes.
    ///
    /// # Panics
    /// As [`Cursor::immediate`].
    #[inline(always)]
    pub(crate) fn skip_immediate<const N: usize>(&mut self) {
        const { assert!(N <= IMMEDIATE_MAX) };
        if N == 0 {
            return;
        }
        assert!(self.step != 0);
        self.step = 0;
        // SAFETY: the byte before `next` lies in the body, and the padding follows.
        self.next = unsafe { self.next.add(N) };
    }

    /// Moves to the jump target at body offset `target` and behind the step of the `jumpdest` there. `None`, and
    /// nothing moved, if there is none.
    #[inline(always)]
    pub(crate) fn jump(&mut self, target: &U256) -> Option<()> {
        let [low, a, b, c] = *target.as_limbs();
        let offset = usize::try_from(low).ok()?;
        if a | b | c != 0 || !self.code.is_jump_target(offset) {
            return None;
        }
        self.step = 0;
        // SAFETY: a jump target is a byte of the body, which the padding follows.
        self.next = unsafe { self.code.steps().as_ptr().add(offset + 1) };
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_cut_off_by_the_end_reads_zeros() {
        let last = instructions(&[0x61, 0xab], Encoding::Evm).next().expect("one instruction");
        assert_eq!(last.op, Some(Op::Push2));
        assert_eq!(last.immediate_word(), U256::from(0xab00));
        assert_eq!(last.next, 3);
    }
}
