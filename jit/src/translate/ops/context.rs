//! Facts of the message, read from the frame.

use cranelift_codegen::ir::{InstBuilder, types};
use zvm::compiled::frame::offsets;

use crate::translate::Translator;
use crate::translate::words::Word;

impl Translator<'_> {
    /// The word of the 20 bytes, highest first, at an offset in the frame.
    pub(super) fn address(&mut self, offset: usize) {
        let low = self.load_frame(types::I64, offset + 12);
        let middle = self.load_frame(types::I64, offset + 4);
        let high = self.load_frame(types::I32, offset);
        let low = self.b.ins().bswap(low);
        let middle = self.b.ins().bswap(middle);
        let high = self.b.ins().bswap(high);
        let high = self.b.ins().uextend(types::I64, high);
        let zero = self.imm(0);
        self.push(Word::Full([low, middle, high, zero]));
    }

    pub(super) fn call_value(&mut self) {
        let limbs = std::array::from_fn(|i| self.load_frame(types::I64, offsets::VALUE + 8 * i));
        self.push(Word::Full(limbs));
    }
}
