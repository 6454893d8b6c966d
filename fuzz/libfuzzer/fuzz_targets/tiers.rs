//! Ethereum code: revm, the interpreter and compiled code agree.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zvm_fuzz::targets::tiers(bytes));
