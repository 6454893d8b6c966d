//! Kalix text: lexer, parser and printer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zvm_fuzz::targets::kalix_parse(bytes));
