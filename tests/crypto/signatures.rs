//! The post-quantum signatures: valid ones of other implementations, and everything that is not one.

use alloy_primitives::hex;
use zvm::bytecode::Op;
use zvm::interp::ops::signatures::{
    FALCON_512, ML_DSA_65, SLH_DSA_SHA2_128S, falcon_512, ml_dsa_65, slh_dsa_sha2_128s,
};
use zvm::{Bytes, U256};

use crate::world::worlds;

/// A scheme: its operation, sizes of key and signature, its function, and vectors.
pub(crate) struct Scheme {
    pub(crate) op: Op,
    sizes: (usize, usize),
    is_valid: fn(&[u8], &[u8], &[u8]) -> bool,
    vectors: &'static str,
}

pub(crate) const SCHEMES: [Scheme; 3] = [
    Scheme {
        op: Op::PqVerifyDilithium,
        sizes: ML_DSA_65,
        is_valid: ml_dsa_65,
        vectors: include_str!("vectors/ml_dsa_65.txt"),
    },
    Scheme {
        op: Op::PqVerifyFalcon,
        sizes: FALCON_512,
        is_valid: falcon_512,
        vectors: include_str!("vectors/falcon_512.txt"),
    },
    Scheme {
        op: Op::PqVerifySphincs,
        sizes: SLH_DSA_SHA2_128S,
        is_valid: slh_dsa_sha2_128s,
        vectors: include_str!("vectors/slh_dsa_sha2_128s.txt"),
    },
];

/// Key, message and signature.
pub(crate) struct Vector {
    pub(crate) key: Vec<u8>,
    pub(crate) message: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

impl Scheme {
    pub(crate) fn vectors(&self) -> Vec<Vector> {
        let values: Vec<Vec<u8>> = self
            .vectors
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split_once(' ').expect("a name and a value").1)
            .map(|digits| if digits == "-" { Vec::new() } else { hex::decode(digits).expect("digits") })
            .collect();
        let vectors: Vec<Vector> = values
            .as_chunks::<3>()
            .0
            .iter()
            .map(|[key, message, signature]| Vector {
                key: key.clone(),
                message: message.clone(),
                signature: signature.clone(),
            })
            .collect();
        assert!(vectors.len() >= 2, "{}", self.op);
        vectors
    }

    /// A program that verifies what its call data holds: sizes of message and signature, key, signature, message.
    fn program(&self) -> String {
        let (key, name) = (self.sizes.0, self.op.name());
        format!(
            ".zvm\npush1 64\ncalldatasize\nsub\npush1 64\npush0\ncalldatacopy\npush0\npush1 32\ncalldataload
            push2 {key}\npush0\ncalldataload\npush2 {key}\npush1 32\ncalldataload\nadd\n{name}
            push0\nmstore\npush1 32\npush0\nreturn"
        )
    }
}

/// Call data of such a program.
fn data(vector: &Vector) -> Bytes {
    let sizes = [vector.message.len(), vector.signature.len()];
    let words = sizes.map(|size| U256::from(size).to_be_bytes::<32>()).concat();
    [&words[..], &vector.key, &vector.signature, &vector.message].concat().into()
}

#[test]
fn valid_signatures_of_other_implementations_are_valid_in_both_tiers() {
    for scheme in &SCHEMES {
        let mut worlds = worlds(&scheme.program());
        for vector in scheme.vectors() {
            assert_eq!((vector.key.len(), vector.signature.len()), scheme.sizes);
            let mut gas = Vec::new();
            for world in &mut worlds {
                let (word, used) = world.run(data(&vector));
                assert_eq!(word, U256::ONE, "{}", scheme.op);
                gas.push(used);
            }
            assert!(gas.iter().all(|&used| used == gas[0]), "{}: {gas:?}", scheme.op);

            // Another message or key costs the same and is not valid.
            let mut message = vector.message.clone();
            message.push(0);
            let mut key = vector.key.clone();
            key[scheme.sizes.0 / 2] ^= 4;
            let wrong_key =
                Vector { key, message: vector.message.clone(), signature: vector.signature.clone() };
            let wrong_message =
                Vector { key: vector.key.clone(), message, signature: vector.signature.clone() };
            for world in &mut worlds {
                assert_eq!(world.run(data(&wrong_key)), (U256::ZERO, gas[0]), "{}", scheme.op);
                assert_eq!(world.run(data(&wrong_message)).0, U256::ZERO, "{}", scheme.op);
            }
        }
    }
}

#[test]
fn no_single_bit_of_a_signature_can_be_another() {
    for scheme in &SCHEMES {
        let Vector { key, message, mut signature } = scheme.vectors().swap_remove(1);
        for bit in 0..8 * signature.len() {
            signature[bit / 8] ^= 1 << (bit % 8);
            assert!(!(scheme.is_valid)(&key, &message, &signature), "{}: bit {bit}", scheme.op);
            signature[bit / 8] ^= 1 << (bit % 8);
        }
        assert!((scheme.is_valid)(&key, &message, &signature), "{}", scheme.op);
    }
}

#[test]
fn the_tiers_agree_on_flipped_bits() {
    for scheme in &SCHEMES {
        let mut worlds = worlds(&scheme.program());
        let mut vector = scheme.vectors().swap_remove(1);
        for bit in (0..8 * vector.signature.len()).step_by(1009) {
            vector.signature[bit / 8] ^= 1 << (bit % 8);
            for world in &mut worlds {
                assert_eq!(world.run(data(&vector)).0, U256::ZERO, "{}: bit {bit}", scheme.op);
            }
            vector.signature[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn a_signature_of_another_size_is_not_valid() {
    for scheme in &SCHEMES {
        let mut worlds = worlds(&scheme.program());
        let vector = scheme.vectors().swap_remove(1);
        let size = scheme.sizes.1;
        for other in (0..size + 40).filter(|&other| other != size) {
            let mut signature = vector.signature.clone();
            signature.resize(other, 0);
            let cut = Vector { key: vector.key.clone(), message: vector.message.clone(), signature };
            // Every size in the interpreter, some in the others.
            let tried = if other % 211 == 0 || other.abs_diff(size) < 2 { 3 } else { 1 };
            for world in &mut worlds[..tried] {
                assert_eq!(world.run(data(&cut)).0, U256::ZERO, "{}: {other} bytes", scheme.op);
            }
            assert!(!(scheme.is_valid)(&cut.key, &cut.message, &cut.signature));
        }
    }
}

#[test]
fn malformed_keys_are_no_keys() {
    for scheme in &SCHEMES {
        let mut worlds = worlds(&scheme.program());
        let vector = scheme.vectors().swap_remove(1);
        let size = scheme.sizes.0;
        let mut keys: Vec<Vec<u8>> = [0x00, 0x01, 0x7f, 0xff].map(|byte| vec![byte; size]).into();
        // A Falcon key begins with its degree, and its coefficients are below the modulus.
        for head in [0x00, 0x08, 0x0a, 0x19, 0xff] {
            let mut key = vector.key.clone();
            key[0] = head;
            keys.push(key);
        }
        let mut large = vector.key.clone();
        large[1] = 0xff;
        large[2] = 0xff;
        keys.push(large);
        for key in keys {
            // That head may be the key's own.
            if key == vector.key {
                continue;
            }
            let wrong = Vector { key, message: vector.message.clone(), signature: vector.signature.clone() };
            for world in &mut worlds {
                assert_eq!(world.run(data(&wrong)).0, U256::ZERO, "{}", scheme.op);
            }
        }
        for size in [0, size - 1, size + 1] {
            let mut key = vector.key.clone();
            key.resize(size, 0);
            assert!(!(scheme.is_valid)(&key, &vector.message, &vector.signature), "{}", scheme.op);
        }
    }
}

#[test]
fn one_growth_of_memory_pays_for_message_signature_and_key() {
    // Message at 0, a signature of the right size far up, the key below it: paid is the growth to the signature's end.
    for scheme in &SCHEMES {
        let place = 40_000usize;
        let text = format!(
            ".zvm\npush2 1000\npush2 {}\npush2 {place}\npush0\npush0\n{}\npush0\nmstore\npush1 32\npush0\nreturn",
            scheme.sizes.1,
            scheme.op.name()
        );
        let end = (place + scheme.sizes.1).div_ceil(32) as u64;
        let expected = 3 * 3 + 2 * 2 + scheme.op.info().gas + zvm::gas::memory_cost(end) + 2 + 3 + 3 + 2;
        for world in &mut worlds(&text) {
            assert_eq!(world.run(Bytes::new()), (U256::ZERO, expected), "{}", scheme.op);
        }
    }
}
