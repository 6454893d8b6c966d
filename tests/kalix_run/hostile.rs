//! Damaged call data: what the decoders accept is what the ABI says, and nothing else happens than a refusal.
//!
//! Valid encodings of random values are damaged word by word and sent to a contract that gives its arguments back. The
//! reference is another implementation of the ABI.

use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{Address, I256, U256};
use kalix::codegen::{CodegenOptions, OptLevel};
use testkit::random::Random;
use zvm::outcome::{Exit, panic_data};

use crate::compile::{Compiled, World};

/// Types of arguments, as the ABI and as the language names them; a `string` may hold any bytes. Each contract takes all
/// of one line.
const SIGNATURES: &[&[(&str, &str)]] = &[
    &[("bytes", "bytes"), ("uint8", "u8"), ("bytes", "string")],
    &[("uint64[]", "Vec<u64>"), ("bool[3]", "[bool; 3]"), ("address", "Address")],
    &[("bytes[]", "Vec<string>"), ("bytes[2]", "[bytes; 2]")],
    &[("uint256[][]", "Vec<Vec<u256>>"), ("int16[2][]", "Vec<[i16; 2]>")],
    &[("(uint8,bytes,bytes4)[]", "Vec<(u8, string, bytes<4>)>"), ("(bool,int64)", "(bool, i64)")],
    &[("uint8[3][2]", "[[u8; 3]; 2]"), ("(bytes,(uint16,bytes)[2])", "(bytes, [(u16, bytes); 2])")],
];

const CALLS_PER_SIGNATURE: usize = 400;

#[test]
fn damaged_arguments_are_refused_or_mean_what_they_say() {
    let (mut accepted, mut refused) = (0, 0);
    for (seed, signature) in SIGNATURES.iter().enumerate() {
        for opt_level in [OptLevel::O0, OptLevel::O2] {
            let mut r = Random::new(seed as u64);
            let mut world = echo(signature, opt_level);
            let selector = world.compiled.entry("echo").expect("the entry point").selector;
            let types: Vec<_> =
                signature.iter().map(|pair| pair.0.parse::<DynSolType>().expect("a type")).collect();
            let shape = DynSolType::Tuple(types);
            for _ in 0..CALLS_PER_SIGNATURE {
                let mut data = random_value(&mut r, &shape, 0).abi_encode_params();
                damage(&mut r, &mut data);
                let input = [&selector[..], &data].concat();
                let observed = world.call(input.into(), U256::ZERO).expect("both tiers agree");
                let context = || format!("{signature:?}: {}", alloy_primitives::hex::encode(&data));
                match observed.exit {
                    Exit::Return => {
                        let expected = shape.abi_decode_params(&data);
                        let value = expected.unwrap_or_else(|error| panic!("{error} in {}", context()));
                        // The other implementation ignores padding, so what it read may not be well-formed.
                        assert_eq!(observed.output[..], value.abi_encode_params(), "{}", context());
                        accepted += 1;
                    }
                    Exit::Revert => {
                        let known = observed.output.is_empty() || observed.output[..] == panic_data(0x41);
                        assert!(known, "{}: {}", context(), observed.output);
                        refused += 1;
                    }
                    exit => panic!("{exit:?} in {}", context()),
                }
            }
        }
    }
    assert!(accepted > 1_000 && refused > 1_000, "{accepted} accepted, {refused} refused");
}

/// A contract that gives its arguments back.
fn echo(signature: &[(&str, &str)], opt_level: OptLevel) -> World {
    let params: Vec<_> =
        signature.iter().enumerate().map(|(at, pair)| format!("p{at}: {}", pair.1)).collect();
    let types: Vec<_> = signature.iter().map(|pair| pair.1).collect();
    let names: Vec<_> = (0..signature.len()).map(|at| format!("p{at}")).collect();
    let text = format!(
        "contract Echo {{ pub fn echo({}) view -> ({}) {{ ({}) }} }}",
        params.join(", "),
        types.join(", "),
        names.join(", ")
    );
    let options = CodegenOptions { opt_level, ..CodegenOptions::STANDARD };
    let compiled = Compiled::new(&text, &options).unwrap_or_else(|error| panic!("{error}\n{text}"));
    World::deploy(compiled, &[], U256::ZERO).expect("the tiers agree").1.expect("nothing fails in creation")
}

fn random_value(r: &mut Random, ty: &DynSolType, depth: u32) -> DynSolValue {
    let bytes = |r: &mut Random| -> Vec<u8> { (0..r.below(70)).map(|_| r.below(256) as u8).collect() };
    let length = |r: &mut Random| if depth > 2 { r.below(2) } else { r.below(4) };
    match ty {
        DynSolType::Bool => DynSolValue::Bool(r.below(2) == 1),
        DynSolType::Uint(bits) => DynSolValue::Uint(U256::from(r.below(256)), *bits),
        DynSolType::Int(bits) => {
            let value = I256::try_from(r.below(256) as i64 - 128).expect("small");
            DynSolValue::Int(value, *bits)
        }
        DynSolType::Address => DynSolValue::Address(Address::repeat_byte(r.below(256) as u8)),
        DynSolType::FixedBytes(size) => {
            let mut word = [0; 32];
            word[..*size].fill(r.below(256) as u8);
            DynSolValue::FixedBytes(word.into(), *size)
        }
        DynSolType::Bytes => DynSolValue::Bytes(bytes(r)),
        DynSolType::Array(inner) => {
            let count = length(r);
            DynSolValue::Array((0..count).map(|_| random_value(r, inner, depth + 1)).collect())
        }
        DynSolType::FixedArray(inner, count) => {
            DynSolValue::FixedArray((0..*count).map(|_| random_value(r, inner, depth + 1)).collect())
        }
        DynSolType::Tuple(types) => {
            DynSolValue::Tuple(types.iter().map(|ty| random_value(r, ty, depth + 1)).collect())
        }
        other => panic!("{other:?} is not among the signatures"),
    }
}

/// Leaves half of the encodings as they are; cuts, grows or changes the others.
fn damage(r: &mut Random, data: &mut Vec<u8>) {
    let words = (data.len() / 32).max(1) as u64;
    match r.below(8) {
        0 => data.truncate(r.below(data.len() as u64 + 1) as usize),
        1 => data.extend([0xff; 40]),
        2 | 3 => {
            let at = 32 * r.below(words) as usize;
            let word = match r.below(6) {
                0 => U256::MAX,
                1 => U256::from(1) << 255,
                2 => U256::from(u64::MAX),
                3 => U256::from(data.len()),
                4 => U256::from(32 * r.below(words + 2)),
                _ => U256::from(r.below(70)),
            };
            if let Some(place) = data.get_mut(at..at + 32) {
                place.copy_from_slice(&word.to_be_bytes::<32>());
            }
        }
        _ => {}
    }
}
