//! Files of state tests: read or refused.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zvm_fuzz::targets::statetest(bytes));
