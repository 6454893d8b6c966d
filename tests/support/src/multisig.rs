//! The vectors' Multisig, a contract that solc compiled in four builds: its owners make it call whatever they like.

use std::fs;

use alloy_primitives::keccak256;
use zvm::{Address, Bytes};
use zvm_statetest::vectors::vectors_dir;

use crate::relay::{calldata, with_bytes, word};

/// Name and init code of each build, without the constructor's arguments; `None`, and a line on stderr, where there are
/// no vectors.
///
/// # Panics
///
/// If the vectors lack a build or a file is not a script.
pub fn builds() -> Option<Vec<(String, Bytes)>> {
    let Some(vectors) = vectors_dir() else {
        eprintln!("skipped: no vectors folder (set ZVM_VECTORS)");
        return None;
    };
    let mut builds = Vec::new();
    for build in ["ir-1000000", "ir-200", "legacy-200", "legacy-noopt"] {
        let path = vectors.join(format!("solidity/Multisig.{build}.json"));
        let text = fs::read_to_string(&path).expect("the vectors have every build");
        let script: serde_json::Value = serde_json::from_str(&text).expect("a script is JSON");
        let steps = script["steps"].as_array().expect("a script has steps");
        let deploy = steps
            .iter()
            .find(|step| step["contract"] == "Multisig" && step["expected"]["success"] == true)
            .expect("the script deploys a Multisig");
        let owners = deploy["ctor_args"][0].as_array().expect("the first argument is a list").len();
        let data: Bytes =
            deploy["data"].as_str().expect("data is text").parse().expect("data is hexadecimal");
        let arguments = 32 * (3 + owners);
        builds.push((build.to_owned(), data.slice(..data.len() - arguments)));
    }
    Some(builds)
}

/// Data of the transaction that creates a Multisig of these owners, any one of whom decides.
pub fn creation(init_code: &Bytes, owners: &[Address]) -> Bytes {
    let mut arguments = [word(64), word(1), word(owners.len() as u64)].concat();
    owners.iter().for_each(|owner| arguments.extend(owner.into_word()));
    [&init_code[..], &arguments].concat().into()
}

/// Call data with which an owner proposes and confirms a call.
pub fn submit(to: Address, value: u64, data: &[u8]) -> Bytes {
    let selector = &keccak256("submit(address,uint96,bytes)")[..4];
    [selector, &with_bytes(&[*to.into_word(), word(value)], data)].concat().into()
}

/// Call data with which an owner has the call carried out that was proposed as number `id`.
pub fn execute(id: u64) -> Bytes {
    calldata("execute(uint256)", &[word(id)])
}
