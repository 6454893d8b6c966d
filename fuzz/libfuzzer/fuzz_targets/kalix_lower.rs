//! Kalix text: lowering and the passes.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zvm_fuzz::targets::kalix_lower(bytes));
