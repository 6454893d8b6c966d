//! Ports of Solidity contracts with the same external interface, through the call scripts of the originals: equal success,
//! output and logs on both targets and in both tiers. The scripts and the gas of solc's builds are among the vectors,
//! outside the project.
//!
//! `cargo test --workspace --test solidity_ports -- --ignored` writes `docs/gas.md`, the comparison with solc.

mod abi;
mod script;
mod table;

use std::path::Path;

use kalix::codegen::{CodegenOptions, OptLevel, Target};
use script::{Script, run};
use zvm::Mode;
use zvm_statetest::vectors::vectors_dir;

/// The contracts that are compared, in the order of the table.
const CONTRACTS: [&str; 3] = ["ERC20", "AMMPair", "TokenVault"];

#[test]
fn ports_do_what_the_originals_do() {
    let Some(vectors) = vectors_dir() else {
        println!("skipped: the vectors are not there (ZVM_VECTORS)");
        return;
    };
    for contract in CONTRACTS {
        let script = Script::read(&vectors, contract);
        for target in Target::ALL {
            for opt_level in OptLevel::ALL {
                let options = CodegenOptions { target, opt_level, ..CodegenOptions::STANDARD };
                let mut gas: Option<Vec<u64>> = None;
                for mode in [Mode::Interp, Mode::Jit] {
                    let steps = run(&script, &options, mode, |_| true);
                    let used: Vec<u64> = steps.iter().map(|step| step.exec_gas).collect();
                    assert_eq!(*gas.get_or_insert_with(|| used.clone()), used, "{contract}, {options:?}");
                }
            }
        }
    }
}

/// A pair of ours trades tokens of solc's, and the reverse.
#[test]
fn ports_and_originals_call_each_other() {
    let Some(vectors) = vectors_dir() else {
        println!("skipped: the vectors are not there (ZVM_VECTORS)");
        return;
    };
    let script = Script::read(&vectors, "AMMPair");
    let ported: [fn(&str) -> bool; 2] = [|contract| contract == "AMMPair", |contract| contract != "AMMPair"];
    for target in Target::ALL {
        let options = CodegenOptions { target, ..CodegenOptions::STANDARD };
        for is_ported in ported {
            let gas = [Mode::Interp, Mode::Jit].map(|mode| {
                let steps = run(&script, &options, mode, is_ported);
                steps.iter().map(|step| step.exec_gas).collect::<Vec<_>>()
            });
            assert_eq!(gas[0], gas[1], "{target:?}");
        }
    }
}

#[test]
#[ignore = "writes docs/gas.md"]
fn write_the_gas_table() {
    let vectors = vectors_dir().expect("the vectors (ZVM_VECTORS)");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/gas.md");
    std::fs::write(path, table::render(&vectors)).expect("a writable page");
}
