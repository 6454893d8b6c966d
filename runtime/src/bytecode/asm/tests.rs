//! What each form of line assembles to, and what its mistakes say.

use super::*;

#[track_caller]
fn check(text: &str, code: &[u8]) {
    let assembly = assemble(text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(assembly.code, code, "{text}");
}

#[track_caller]
fn check_error(text: &str, message: &str) {
    let error = assemble(text).expect_err("the text is wrong").to_string();
    assert_eq!(error, message);
}

#[test]
fn instructions_assemble_in_both_encodings() {
    check("push1 2\npush1 3\nadd\nhalt", &[0x11, 2, 0x11, 3, 0x30, 0x00]);
    check(".evm\nPUSH1 2 ; two\n\n  add", &[0x60, 2, 0x01]);
    check("push2 0xabcd\npush4 1_000", &[0x12, 0xab, 0xcd, 0x13, 0, 0, 3, 0xe8]);
    check("push32 -1", &[&[0x16][..], &[0xff; 32]].concat());
    check("dupn 0\nswapn 255\ntablehashn 0x10", &[0x20, 0, 0x21, 255, 0xd3, 16]);
    check(".byte 0x0c\n.bytes 0x61AB\n.byte 7", &[0x0c, 0x61, 0xab, 7]);
    assert_eq!(assemble(".evm\n").expect("empty").to_code().encoding(), Encoding::Evm);
    assert_eq!(assemble("nop").expect("nop").to_code().encoding(), Encoding::Zvm);
}

#[test]
fn types_are_written_as_in_the_language() {
    check("cadd u64\ncsub i256\ncneg i8", &[0x40, 8, 0x41, 0x80 | 32, 0x45, 0x81]);
    check("ccast u64\nccast u64 signed\nccast i128 signed", &[0x47, 8, 0x47, 0x48, 0x47, 0xd0]);
    check("cadd 0x40\nccast 0", &[0x40, 0x40, 0x47, 0]);
    for byte in 0..=255u8 {
        if let Some(text) = type_text(Op::CCast, byte) {
            check(&format!("ccast {text}"), &[0x47, byte]);
        }
    }
    assert_eq!((0..=255).filter(|&byte| type_text(Op::CCast, byte).is_some()).count(), 128);
    assert_eq!((0..=255).filter(|&byte| type_text(Op::CAdd, byte).is_some()).count(), 64);
}

#[test]
fn labels_mark_offsets() {
    check("start: jumpdest\npush2 start\njump", &[0xa3, 0x12, 0, 0, 0xa0]);
    check("push2 end\njump\nend:\njumpdest", &[0x12, 0, 4, 0xa0, 0xa3]);
    check("push1 a\na: b: jumpdest\npush4 b", &[0x11, 2, 0xa3, 0x13, 0, 0, 0, 2]);
}

#[test]
fn lines_are_kept() {
    let assembly = assemble("\npush1 1\n; c\nx: add\n").expect("text");
    assert_eq!(assembly.lines, [(0, 2), (2, 4)]);
}

#[test]
fn mistakes_say_where_and_what_to_do() {
    check_error("  pusj1 2", "line 1, column 3: unknown operation `pusj1`; did you mean `push1`?");
    check_error("\nstop", "line 2, column 1: unknown operation `stop`; did you mean `halt`?");
    check_error(
        "frobnicate",
        "line 1, column 1: unknown operation `frobnicate`; the operations are listed in docs/vm/opcodes.md",
    );
    check_error(
        ".evm\ncadd u64",
        "line 2, column 1: `cadd` has no byte in the evm encoding; it exists in a file that starts with `.zvm`",
    );
    check_error("nop\n.evm", "line 2, column 1: the encoding is chosen once, before the first instruction");
    check_error("push1", "line 1, column 1: `push1` needs a number");
    check_error("cadd", "line 1, column 1: `cadd` needs a type, such as `u64`");
    check_error(
        "cadd u7",
        "line 1, column 6: `u7` is not a type; write `u8`, `u16`, ... `u256`, `i8`, ... `i256`, or the byte as a number",
    );
    check_error(
        "add add",
        "line 1, column 5: `add` is too much here; write one instruction per line, and comments after `;`",
    );
    check_error(
        "cadd u8 signed",
        "line 1, column 9: `signed` is too much here; write one instruction per line, and comments after `;`",
    );
    check_error("push1 256", "line 1, column 7: 256 does not fit 1 byte(s); the largest number here is 0xff");
    check_error(
        "push1 -1",
        "line 1, column 7: only `push32` takes a negative number, for shorter operands are extended with zeros",
    );
    check_error(
        "é push1 0y",
        "line 1, column 1: unknown operation `é`; the operations are listed in docs/vm/opcodes.md",
    );
    check_error(
        "push1 0y",
        "line 1, column 7: `0y` is not a number; write decimal or `0x` hexadecimal, `_` may separate digits",
    );
    check_error(
        "push2 nowhere",
        "line 1, column 7: the label `nowhere` is not defined; a label is defined by a line `nowhere:`",
    );
    check_error("a:\na:", "line 2, column 1: the label `a` is already defined in line 1");
    check_error(
        "1a:",
        "line 1, column 1: `1a` cannot be a label; use letters, digits and `_`, and a letter or `_` first",
    );
    check_error("a: dupn a", "line 1, column 9: `dupn` takes no label, only push operations do");
    check_error(
        ".bytes 0x1",
        "line 1, column 8: `0x1` is not hexadecimal data; write `0x` and an even number of digits",
    );
    check_error(
        ".word 1",
        "line 1, column 1: unknown directive `.word`; there are `.zvm`, `.evm`, `.byte` and `.bytes`",
    );
    let far = format!("push1 far\n.bytes 0x{}\nfar:", "00".repeat(254));
    check_error(&far, "line 1, column 7: the offset 256 of `far` does not fit 1 byte(s); use a wider push");
}
