//! The opcode table as the specification's `opcodes.tsv` writes it, to compare the two.

use zvm::bytecode::{Clobbers, DynamicGas, Needs, Observes, Op, StackEffect, StaticRule};

/// The operation's row: the columns of `opcodes.tsv`, separated by tabs.
pub fn row(op: Op) -> String {
    let info = op.info();
    let byte = |byte: Option<u8>| byte.map_or("-".to_owned(), |byte| format!("0x{byte:02X}"));
    let (pops, pushes) = match info.stack {
        StackEffect::Fixed(pops, pushes) => (pops.to_string(), pushes.to_string()),
        StackEffect::Dup => ("n".to_owned(), "n+1".to_owned()),
        StackEffect::Swap => ("n+1".to_owned(), "n+1".to_owned()),
        StackEffect::Keys => ("n+1".to_owned(), "1".to_owned()),
    };
    let in_static = match info.in_static {
        StaticRule::Allowed => "y",
        StaticRule::Refused => "n",
        StaticRule::ZeroValue => "value=0",
    };
    let observes = match info.observes {
        Observes::Nothing => "-",
        Observes::Gas => "gas",
        Observes::Fault => "fault",
        Observes::End => "end",
    };
    let needs = match info.needs {
        Needs::Nothing => "-",
        Needs::Hedera => "hedera",
    };
    let clobbers = match info.clobbers {
        Clobbers::Nothing => "-",
        Clobbers::ReturnData => "returndata",
    };
    let columns = [
        info.name.to_uppercase(),
        byte(info.zvm),
        byte(info.evm),
        info.imm.to_string(),
        pops,
        pushes,
        info.gas.to_string(),
        dynamic_gas(op),
        in_static.to_owned(),
        observes.to_owned(),
        needs.to_owned(),
        clobbers.to_owned(),
        info.since.name().to_owned(),
        info.doc.trim().to_owned(),
    ];
    columns.join("\t")
}

/// The dynamic part of the price, as a formula over what `zvm.md` names.
pub fn dynamic_gas(op: Op) -> String {
    match op.info().dynamic {
        DynamicGas::None => "-".to_owned(),
        DynamicGas::Memory => "mem".to_owned(),
        DynamicGas::PerWord(rate) => format!("{rate}*words + mem"),
        DynamicGas::PerByte(rate) => format!("{rate}*size + mem"),
        DynamicGas::PerExponentByte(rate) => format!("{rate}*bytes(exponent)"),
        DynamicGas::PerExtraKey(rate) => format!("{rate}*(n-1)"),
        DynamicGas::Slot => "slot".to_owned(),
        DynamicGas::Sstore => "sstore".to_owned(),
        DynamicGas::Account => "account".to_owned(),
        DynamicGas::AccountPerWord(rate) => format!("account + {rate}*words + mem"),
        DynamicGas::Call => "call + mem".to_owned(),
        DynamicGas::SelfDestruct => "selfdestruct".to_owned(),
        DynamicGas::All => "all".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Prices that the specification has lower than what was measured allows (`docs/vm/crypto-gas.md`): operation, and
    /// both parts of its price there.
    const RAISED: [(Op, [&str; 2]); 1] = [(Op::HederaAccountId, ["2", "-"])];

    /// The row as the specification has it.
    fn specified(op: Op) -> String {
        let row = row(op);
        let Some((_, price)) = RAISED.iter().find(|(raised, _)| *raised == op) else { return row };
        let mut columns: Vec<&str> = row.split('\t').collect();
        assert_ne!(columns[6..8], price[..], "{op} costs what the specification says");
        columns[6..8].copy_from_slice(price);
        columns.join("\t")
    }

    #[test]
    fn the_table_is_the_specifications() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/opcodes.tsv");
        let Ok(text) = std::fs::read_to_string(&path) else {
            println!("skipped: there is no {}", path.display());
            return;
        };
        let expected: Vec<&str> =
            text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
        let found: Vec<String> = Op::ALL.iter().map(|&op| specified(op)).collect();
        for (expected, found) in expected.iter().zip(&found) {
            assert_eq!(expected, found);
        }
        assert_eq!(expected.len(), found.len());
    }
}
