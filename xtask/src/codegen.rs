//! `cargo xtask codegen [--check]`: writes the files that derive from tables, or says which are stale.

use std::fmt::Write;

use anyhow::{Context, Result, bail};
use kalix::diag::Code;
use testkit::spec_table::dynamic_gas;
use zvm::bytecode::{Needs, Observes, Op, StackEffect, StaticRule};

/// A derived file: its path from the root, and what belongs in it.
struct Derived {
    path: &'static str,
    text: fn() -> String,
}

const DERIVED: &[Derived] = &[
    Derived { path: "docs/vm/opcodes.md", text: opcodes },
    Derived { path: "docs/language/diagnostics.md", text: diagnostics },
];

/// Writes every derived file; with `--check`, only compares.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => bail!("usage: cargo xtask codegen [--check]"),
    };
    let mut stale = Vec::new();
    for Derived { path, text } in DERIVED {
        let file = crate::root().join(path);
        let text = text();
        if std::fs::read_to_string(&file).is_ok_and(|old| old == text) {
            continue;
        }
        if check {
            stale.push(*path);
        } else {
            std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
            println!("wrote {path}");
        }
    }
    if !stale.is_empty() {
        bail!("stale: {}; `cargo xtask codegen` writes them", stale.join(", "));
    }
    Ok(())
}

const OPCODES_HEAD: &str = "\
# Opcodes

Generated from the opcode table by `cargo xtask codegen`; do not edit.

- **zvm**, **evm**: the byte in each encoding. **imm**: bytes of the immediate.
- **stack**: words taken and left; operands are named from the top of the stack down, a = top.
- **gas**: static gas, then what depends on operands or state; the names are explained in [the machine](machine.md) and are constants of `zvm::gas`. `words` is the size in words of 32 bytes, `mem` the cost of growing memory.
- **notes**: `no static`: an exceptional halt in a static frame. `sees gas`: the gas left is visible there. `may fault`: may end the frame with gas kept. `ends`: ends the frame. A fork is the first that has the operation.
- **JIT**: `native` is done by instructions, `helper` by a call of the runtime, `stop` likewise, and the driver of frames answers before compiled code is entered again; `later` is not built yet and is an invalid opcode in both tiers.

| operation | zvm | evm | imm | stack | gas | notes | JIT | meaning |
| --- | --- | --- | ---: | --- | --- | --- | --- | --- |
";

/// `docs/vm/opcodes.md`.
fn opcodes() -> String {
    let mut text = OPCODES_HEAD.to_owned();
    for &op in Op::ALL {
        let info = op.info();
        let byte = |byte: Option<u8>| byte.map_or("–".to_owned(), |byte| format!("{byte:02X}"));
        let stack = match info.stack {
            StackEffect::Fixed(pops, pushes) => format!("{pops} → {pushes}"),
            StackEffect::Dup => "n → n+1".to_owned(),
            StackEffect::Swap => "n+1 → n+1".to_owned(),
            StackEffect::Keys => "n+1 → 1".to_owned(),
        };
        let gas = match (info.gas, dynamic_gas(op).as_str()) {
            (gas, "-") => gas.to_string(),
            (0, dynamic) => dynamic.to_owned(),
            (gas, dynamic) => format!("{gas} + {dynamic}"),
        };
        let lowering = zvm_jit::lowering(op).name();
        writeln!(
            text,
            "| `{op}` | {} | {} | {} | {stack} | {} | {} | {lowering} | {} |",
            byte(info.zvm),
            byte(info.evm),
            if info.imm == 0 { "–".to_owned() } else { info.imm.to_string() },
            gas.replace('*', "·"),
            notes(op),
            info.doc.trim().replace('|', "\\|").replace('*', "\\*"),
        )
        .expect("writing to a string");
    }
    text
}

const DIAGNOSTICS_HEAD: &str = "\
# Diagnostics

Generated from the table of codes by `cargo xtask codegen`; do not edit.

Every message of the compiler has a code that stays; words in braces are filled in.
`kalixc explain K0203` prints the text of one.
";

/// What the codes of a group, by the two characters behind the letter, are about.
const GROUPS: &[(&str, &str)] = &[
    ("K00", "Text and grammar"),
    ("K01", "Names"),
    ("K02", "Types"),
    ("K03", "Ownership"),
    ("K04", "Functions and contracts"),
    ("K05", "Calls"),
    ("K06", "Gas"),
    ("K07", "Layout and ABI"),
    ("K08", "Errors, events, tests"),
    ("K09", "The compiler itself"),
    ("W09", "Warnings"),
];

/// `docs/language/diagnostics.md`.
fn diagnostics() -> String {
    let mut text = DIAGNOSTICS_HEAD.to_owned();
    let mut group = "";
    for &code in Code::ALL {
        let own = &code.id()[..3];
        if own != group {
            group = own;
            let title = GROUPS.iter().find(|row| row.0 == own).map_or("Others", |row| row.1);
            write!(text, "\n## {title}\n").expect("writing to a string");
        }
        write!(text, "\n### {}\n\n**{}**\n\n{}\n", code.id(), code.title(), code.explanation())
            .expect("writing to a string");
    }
    text
}

fn notes(op: Op) -> String {
    let info = op.info();
    let mut notes = Vec::new();
    match info.in_static {
        StaticRule::Allowed => {}
        StaticRule::Refused => notes.push("no static"),
        StaticRule::ZeroValue => notes.push("no static with value"),
    }
    match info.observes {
        Observes::Nothing => {}
        Observes::Gas => notes.push("sees gas"),
        Observes::Fault => notes.push("may fault"),
        Observes::End => notes.push("ends"),
    }
    if info.needs == Needs::Hedera {
        notes.push("Hedera hosts only");
    }
    if info.since != zvm::fork::Fork::ALL[0] {
        notes.push(info.since.name());
    }
    notes.join(", ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn derived_files_are_fresh() {
        super::run(&["--check".to_owned()]).expect("run `cargo xtask codegen`");
    }
}
