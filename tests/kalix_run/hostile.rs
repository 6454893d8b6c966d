//! Damaged call data: what the decoders accept is what the ABI says, and nothing else happens than a refusal.
//!
//! Valid encodings of random values are damaged word by word and sent to a contract that gives its arguments back. The
//! reference is another implementation of the ABI.

use alloy_dyn_abi::DynSolType;
use alloy_primitives::U256;
use kalix::codegen::{CodegenOptions, OptLevel};
use testkit::abi_values::{damage, random_value};
use testkit::random::Random;
use zvm::outcome::{Exit, panic_data};

use crate::compile::{Compiled, World, check};

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
                let mut data = random_value(&mut r, &shape).abi_encode_params();
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

impl Compiled {
    /// The first contract of a text.
    pub(crate) fn new(text: &str, options: &CodegenOptions) -> Result<Compiled, String> {
        Compiled::contract_of(check(text)?, 0, options)
    }
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
