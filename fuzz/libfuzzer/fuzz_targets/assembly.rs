//! Assembler and disassembler: what goes through both is the same.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zvm_fuzz::targets::assembly(bytes));
