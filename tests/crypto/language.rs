//! Kalix's builtins of post-quantum signatures: the same verdicts, and a key of another size is none.

use alloy_primitives::keccak256;
use alloy_sol_types::SolValue;
use kalix::source::Source;
use kalix::{CompileOptions, compile};
use zvm::bytecode::Op;
use zvm::{Bytes, U256};

use crate::signatures::{SCHEMES, Vector};
use crate::world::{World, worlds_of};

const CONTRACT: &str = "contract Signatures {
    pub fn dilithium(key: bytes, message: bytes, signature: bytes) view -> bool {
        crypto.verify_dilithium(key, message, signature)
    }
    pub fn falcon(key: bytes, message: bytes, signature: bytes) view -> bool {
        crypto.verify_falcon(key, message, signature)
    }
    pub fn sphincs(key: bytes, message: bytes, signature: bytes) view -> bool {
        crypto.verify_sphincs(key, message, signature)
    }
}";

/// The worlds' verdict and gas, which are the same in all of them.
fn ask(worlds: &mut [World; 3], name: &str, vector: &Vector) -> (bool, u64) {
    let selector = keccak256(format!("{name}(bytes,bytes,bytes)"));
    let parts = [&vector.key, &vector.message, &vector.signature].map(|part| Bytes::from(part.clone()));
    let args = <(Bytes, Bytes, Bytes)>::abi_encode_params(&parts.into());
    let data = Bytes::from([&selector[..4], &args].concat());
    let answers: Vec<(U256, u64)> = worlds.iter_mut().map(|world| world.run(data.clone())).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{name}: {answers:?}");
    (!answers[0].0.is_zero(), answers[0].1)
}

#[test]
fn builtins_give_the_verdict_of_the_operations() {
    let source = Source::new("test.kalix", CONTRACT);
    let compilation = compile(&source, &CompileOptions::STANDARD);
    assert!(!compilation.has_errors(), "{:?}", compilation.diagnostics);
    let artifact = &compilation.contracts[0].artifact;
    let mut worlds = worlds_of(&artifact.container.account_code());
    for scheme in &SCHEMES {
        let name = match scheme.op {
            Op::PqVerifyDilithium => "dilithium",
            Op::PqVerifyFalcon => "falcon",
            _ => "sphincs",
        };
        for mut vector in scheme.vectors() {
            let (is_valid, gas) = ask(&mut worlds, name, &vector);
            assert!(is_valid, "{name}");
            vector.message.push(1);
            assert!(!ask(&mut worlds, name, &vector).0, "{name}: another message");
            vector.message.pop();
            vector.key.push(0);
            let (is_valid, refused) = ask(&mut worlds, name, &vector);
            let price = scheme.op.info().gas;
            assert!(!is_valid && refused + price < gas + 500, "{name}: a longer key costs no verification");
            vector.key.truncate(vector.key.len() - 2);
            assert!(!ask(&mut worlds, name, &vector).0, "{name}: a shorter key");
            vector.key.clear();
            assert!(!ask(&mut worlds, name, &vector).0, "{name}: no key");
        }
    }
}
