//! The disassembler: any bytes to `.zvm` text that assembles back to exactly those bytes.
//!
//! Operations print as the opcode table names them. What is no instruction prints as data: a byte without a row,
//! and an immediate cut off by the end of code. The law `assemble(disassemble(b)) == b` holds for all bytes.

use std::collections::BTreeSet;
use std::fmt::Write;

use alloy_primitives::{U256, hex};

use super::asm::type_text;
use super::decode::{Instruction, instructions};
use super::encoding::Encoding;
use super::info::Op;

/// How to print.
#[derive(Clone, Copy, Debug)]
pub struct DisasmOptions {
    /// Whether each line ends with its offset as a comment.
    pub offsets: bool,
}

/// Prints `code`, which stands without a prefix, as assembly text.
pub fn disassemble(code: &[u8], encoding: Encoding, options: DisasmOptions) -> String {
    let labels = labels(code, encoding);
    let mut text = format!(".{}\n", encoding.name());
    let mut listing = instructions(code, encoding).peekable();
    while let Some(instruction) = listing.next() {
        if labels.contains(&instruction.offset) {
            writeln!(text, "{}:", label_name(instruction.offset)).expect("writing to a string");
        }
        let jumps = listing.peek().is_some_and(|next| is_jump(next.op));
        let target = if jumps { pushed_target(&instruction, &labels) } else { None };
        let body = match target {
            Some(target) => format!("{} {}", op_name(&instruction), label_name(target)),
            None => instruction_text(&instruction),
        };
        if options.offsets {
            writeln!(text, "    {body:<24} ; {:#06x}", instruction.offset).expect("writing to a string");
        } else {
            writeln!(text, "    {body}").expect("writing to a string");
        }
    }
    text
}

/// Offsets of the `jumpdest`s that a push right before a jump names.
fn labels(code: &[u8], encoding: Encoding) -> BTreeSet<usize> {
    let mut jumpdests = BTreeSet::new();
    let mut pushed = BTreeSet::new();
    let mut previous: Option<Instruction<'_>> = None;
    for instruction in instructions(code, encoding) {
        if instruction.op == Some(Op::JumpDest) {
            jumpdests.insert(instruction.offset);
        }
        if let Some(push) = previous.filter(|previous| is_jump(instruction.op) && is_push(previous.op)) {
            pushed.extend(usize::try_from(push.immediate_word()).ok());
        }
        previous = Some(instruction);
    }
    jumpdests.intersection(&pushed).copied().collect()
}

fn pushed_target(instruction: &Instruction<'_>, labels: &BTreeSet<usize>) -> Option<usize> {
    if !is_push(instruction.op) {
        return None;
    }
    let target = usize::try_from(instruction.immediate_word()).ok()?;
    labels.contains(&target).then_some(target)
}

fn label_name(offset: usize) -> String {
    format!("L{offset:04x}")
}

fn is_jump(op: Option<Op>) -> bool {
    matches!(op, Some(Op::Jump | Op::JumpI))
}

fn is_push(op: Option<Op>) -> bool {
    op.is_some_and(|op| op.info().imm > 0 && op.name().starts_with("push"))
}

fn op_name(instruction: &Instruction<'_>) -> &'static str {
    instruction.op.map_or(".byte", Op::name)
}

fn instruction_text(instruction: &Instruction<'_>) -> String {
    let Some(op) = instruction.op else {
        return format!(".byte {:#04x}", instruction.byte);
    };
    let immediate_len = usize::from(op.info().imm);
    if instruction.immediate.len() < immediate_len {
        let held = hex::encode(instruction.immediate);
        return format!(".bytes 0x{:02x}{held} ; {op}, cut off by the end of code", instruction.byte);
    }
    if immediate_len == 0 {
        return op.name().to_owned();
    }
    if let Some(name) = type_text(op, instruction.immediate_byte()) {
        return format!("{op} {name}");
    }
    let value = instruction.immediate_word();
    // Small numbers are counts, offsets and slots; larger ones are selectors, addresses and masks.
    if value < U256::from(0x1_0000) { format!("{op} {value}") } else { format!("{op} {value:#x}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bytecode::asm::assemble;

    const PLAIN: DisasmOptions = DisasmOptions { offsets: false };

    #[track_caller]
    fn check_law(code: &[u8], encoding: Encoding) {
        for offsets in [false, true] {
            let text = disassemble(code, encoding, DisasmOptions { offsets });
            let assembly = assemble(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!((assembly.encoding, &assembly.code[..]), (encoding, code), "{text}");
        }
    }

    #[test]
    fn text_reads_like_the_source() {
        let code = [0xa3, 0x11, 5, 0x40, 8, 0x12, 0, 0, 0xa1, 0x40, 0x48, 0x0c, 0x13, 1, 2];
        let text = disassemble(&code, Encoding::Zvm, PLAIN);
        let expected = ".zvm
L0000:
    jumpdest
    push1 5
    cadd u64
    push2 L0000
    jumpi
    cadd 72
    .byte 0x0c
    .bytes 0x130102 ; push4, cut off by the end of code
";
        assert_eq!(text, expected);
    }

    #[test]
    fn every_instruction_survives() {
        for encoding in Encoding::ALL {
            for byte in 0..=255u8 {
                for filler in [0, 1, 0x5b, 0x88, 0xa3, 0xff] {
                    let mut code = vec![byte];
                    code.resize(encoding.instruction_len(byte), filler);
                    for len in 1..=code.len() {
                        check_law(&code[..len], encoding);
                    }
                    code.push(0x56);
                    check_law(&code, encoding);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_assemble_back(code in prop::collection::vec(any::<u8>(), 0..200), evm in any::<bool>()) {
            check_law(&code, if evm { Encoding::Evm } else { Encoding::Zvm });
        }

        /// Bytes that are mostly pushes, jumps and jump targets, so that labels appear.
        #[test]
        fn jumps_assemble_back(
            pieces in prop::collection::vec((0usize..6, 0u8..40), 0..60),
            evm in any::<bool>(),
        ) {
            let encoding = if evm { Encoding::Evm } else { Encoding::Zvm };
            let ops = [Op::Push1, Op::Push2, Op::Jump, Op::JumpI, Op::JumpDest, Op::Push32];
            let mut code = Vec::new();
            for (op, value) in pieces {
                code.push(encoding.byte(ops[op]).expect("both encodings have these"));
                let len = usize::from(ops[op].info().imm);
                code.resize(code.len() + len, 0);
                if len > 0 {
                    *code.last_mut().expect("just pushed") = value;
                }
            }
            check_law(&code, encoding);
        }

        #[test]
        fn any_text_is_bytes_or_a_mistake(text in "([a-z.]{1,6}[0-9:]{0,2}|push[0-9]|\\PC| |\n|-?[0-9]{1,3}|0x[0-9a-f]{0,4}|u64|;){0,30}") {
            if let Ok(assembly) = assemble(&text) {
                check_law(&assembly.code, assembly.encoding);
            }
        }
    }
}
