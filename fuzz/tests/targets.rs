//! The functions behind the libFuzzer targets, fed with mutated seeds: whatever the bytes, no panic.

use std::path::{Path, PathBuf};

use testkit::contracts;
use testkit::random::Random;
use zvm::bytecode::container::Target;
use zvm::bytecode::{Container, Encoding, NATIVE_PREFIX, assemble};
use zvm_fuzz::corpus::suspects;
use zvm_fuzz::targets::TARGETS;

/// Mutations per target.
const MUTATIONS: u64 = 1500;
/// Mutations per stage of the compiler, which `stages.rs` tests with more care.
const MUTATIONS_OF_STAGE: u64 = 60;

/// A statetest of the smallest kind.
const STATETEST: &str = r#"{"a": {"env": {"currentCoinbase": "0x2adc25665018aa1fe0e6bc666dac8fc2697ff9ba", "currentGasLimit": "0x05f5e100",
"currentNumber": "0x01", "currentTimestamp": "0x03e8", "currentDifficulty": "0x00", "currentRandom": "0x00", "currentBaseFee": "0x0a"},
"pre": {"0x1000000000000000000000000000000000000000": {"nonce": "0x01", "balance": "0x00", "code": "0x00", "storage": {"0x01": "0x02"}}},
"transaction": {"nonce": "0x00", "gasPrice": "0x0a", "gasLimit": ["0x0186a0"], "to": "0x1000000000000000000000000000000000000000",
"value": ["0x00"], "data": ["0x"], "sender": "0x2adc25665018aa1fe0e6bc666dac8fc2697ff9ba", "secretKey": "0x01"},
"post": {"Osaka": [{"hash": "0x01", "logs": "0x02", "indexes": {"data": 0, "gas": 0, "value": 0}}]}}}"#;

fn texts() -> Vec<String> {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/filetests/vm/arith");
    let files = std::fs::read_dir(folder).expect("the filetests are there");
    let mut texts: Vec<String> = files
        .filter_map(|file| std::fs::read_to_string(file.expect("a folder can be read").path()).ok())
        .collect();
    texts.sort();
    texts
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "tiers" => {
            let codes = suspects().into_iter().map(|(_, suspect)| suspect.pieces.assemble().code);
            codes.map(|code| [vec![1, 2], code].concat()).collect()
        }
        "container" => texts()
            .iter()
            .map(|text| {
                let assembly = assemble(text).expect("the filetests assemble");
                let native = assembly.encoding == Encoding::Zvm;
                let prefix: &[u8] = if native { &NATIVE_PREFIX } else { &[] };
                let code =
                    if native { assembly.code.into() } else { [prefix, &assembly.code].concat().into() };
                let target = if native { Target::Native } else { Target::Evm };
                let abi = "[]".to_owned();
                let container = Container { target, needs_init: false, code, abi, sections: None };
                container.write().expect("the seed keeps the rules")
            })
            .collect(),
        "assembly" => texts().into_iter().map(String::into_bytes).collect(),
        "statetest" => vec![STATETEST.as_bytes().to_vec()],
        _ => (0..2).map(|seed| contracts::contract(&mut Random::new(seed)).into_bytes()).collect(),
    }
}

/// A few bytes changed, dropped, doubled or put elsewhere.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..1 + random.below(4) {
        if bytes.is_empty() {
            return bytes.push(random.bits64() as u8);
        }
        let at = random.index(bytes.len());
        match random.below(5) {
            0 => bytes[at] = random.bits64() as u8,
            1 => bytes[at] ^= 1 << random.below(8),
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, random.bits64() as u8),
            _ => {
                let end = (at + random.index(40)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                let to = random.index(bytes.len());
                bytes.splice(to..to, part);
            }
        }
    }
}

#[test]
fn no_bytes_break_a_target() {
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        for seed in &seeds {
            target(seed);
        }
        let mut random = Random::new(1);
        let mutations = if name.starts_with("kalix") { MUTATIONS_OF_STAGE } else { MUTATIONS };
        for _ in 0..mutations {
            let mut bytes = seeds[random.index(seeds.len())].clone();
            mutate(&mut bytes, &mut random);
            target(&bytes);
        }
    }
}
