//! Random values of ABI types, and damage to their encodings.

use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{Address, I256, U256};

use crate::random::Random;

/// A value of that type: numbers are mostly small, sequences short.
pub fn random_value(r: &mut Random, ty: &DynSolType) -> DynSolValue {
    nested_value(r, ty, 0)
}

fn nested_value(r: &mut Random, ty: &DynSolType, depth: u32) -> DynSolValue {
    let length = |r: &mut Random| if depth > 2 { r.below(2) } else { r.below(4) };
    match ty {
        DynSolType::Bool => DynSolValue::Bool(r.below(2) == 1),
        DynSolType::Uint(bits) => DynSolValue::Uint(number(r) & (U256::MAX >> (256 - bits)), *bits),
        DynSolType::Int(bits) => {
            let unused = 256 - bits;
            let word = I256::from_raw(number(r) << unused).asr(unused);
            DynSolValue::Int(word, *bits)
        }
        DynSolType::Address => {
            let last = r.pick(&[0, 1, 2, 3, 0x5e, 0xaa]);
            let address =
                if last == 0x5e { Address::repeat_byte(last) } else { Address::with_last_byte(last) };
            DynSolValue::Address(address)
        }
        DynSolType::FixedBytes(size) => {
            let mut word = [0; 32];
            word[..*size].fill(r.below(256) as u8);
            DynSolValue::FixedBytes(word.into(), *size)
        }
        DynSolType::Bytes => DynSolValue::Bytes(bytes(r)),
        DynSolType::String => {
            let text = bytes(r).into_iter().map(|byte| char::from(byte & 0x7f)).collect();
            DynSolValue::String(text)
        }
        DynSolType::Array(inner) => {
            let count = length(r);
            DynSolValue::Array((0..count).map(|_| nested_value(r, inner, depth + 1)).collect())
        }
        DynSolType::FixedArray(inner, count) => {
            DynSolValue::FixedArray((0..*count).map(|_| nested_value(r, inner, depth + 1)).collect())
        }
        DynSolType::Tuple(types) => {
            DynSolValue::Tuple(types.iter().map(|ty| nested_value(r, ty, depth + 1)).collect())
        }
        DynSolType::Function => DynSolValue::Function([0; 24].into()),
    }
}

fn number(r: &mut Random) -> U256 {
    if r.chance(75) { U256::from(r.below(12)) } else { r.word() }
}

fn bytes(r: &mut Random) -> Vec<u8> {
    (0..r.below(70)).map(|_| r.below(256) as u8).collect()
}

/// Leaves half of the encodings as they are; cuts, grows or changes the others.
pub fn damage(r: &mut Random, data: &mut Vec<u8>) {
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
