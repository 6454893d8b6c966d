//! Containers: read, written, run in both tiers.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zvm_fuzz::targets::container(bytes));
