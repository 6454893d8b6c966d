//! Kalix text: code generation and the machine.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zvm_fuzz::targets::kalix_run(bytes));
