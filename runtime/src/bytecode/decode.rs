//! A cursor over the instructions of a byte string.
//!
//! Used by analyses, the disassembler and the translator; the run loop of the interpreter reads bytes itself.

use super::encoding::Encoding;
use super::info::Op;
use alloy_primitives::U256;

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
