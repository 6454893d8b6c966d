//! Hashes.
//!
//! Contracts hash the same word or two again and again: the slot number of an array, a key and the slot number of
//! its table. So each thread remembers the last such hashes; that is faster than hashing by two orders of magnitude,
//! and a miss costs little.

use std::cell::RefCell;

use alloy_primitives::U256;
use blake2::Blake2b256;
use ripemd::Ripemd160;
use sha2::{Digest, Sha256};

use crate::bytecode::Op;
use crate::compiled::frame::Frame;
use crate::host::Host;
use crate::keccak::keccak256 as hash;
use crate::outcome::{Exit, Trap};

/// `keccak256` of memory.
pub fn keccak256(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    hash_memory(frame, Op::Keccak256, keccak256_of)
}

/// `sha256` of memory.
pub fn sha256(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    hash_memory(frame, Op::Sha256, |bytes| U256::from_be_bytes(Sha256::digest(bytes).into()))
}

/// `ripemd160` of memory: 20 bytes, zero-extended.
pub fn ripemd160(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    hash_memory(frame, Op::Ripemd160, |bytes| U256::from_be_slice(&Ripemd160::digest(bytes)))
}

/// `blake2b` of memory: unkeyed, with a digest of 32 bytes as a parameter of the hash (RFC 7693).
pub fn blake2b(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    hash_memory(frame, Op::Blake2b, |bytes| U256::from_be_bytes(Blake2b256::digest(bytes).into()))
}

/// Takes offset and size off the stack, pays, and pushes the hash of the bytes there.
fn hash_memory(frame: &mut Frame, op: Op, hash: impl FnOnce(&[u8]) -> U256) -> Result<(), Exit> {
    let [offset, size] = frame.stack.pop();
    super::memory::charge_words(frame, op, &size)?;
    let range = super::memory::touch(frame, &offset, &size)?;
    let digest = hash(&frame.memory.bytes()[range]);
    frame.stack.push_word(digest);
    Ok(())
}

/// Keccak-256 of bytes, as a word.
pub fn keccak256_of(bytes: &[u8]) -> U256 {
    match bytes.len() {
        32 => {
            let mut input = [0; 64];
            input[..32].copy_from_slice(bytes);
            remembered(&input, 32)
        }
        64 => remembered(bytes.try_into().expect("the slice has 64 bytes"), 64),
        _ => hash(bytes).into(),
    }
}

/// Hashes that a thread remembers.
const REMEMBERED: usize = 256;

/// What was hashed, and its hash.
#[derive(Clone, Copy)]
struct Remembered {
    /// What the input was mixed to: other inputs are told apart by it without a look at all of them.
    mixed: u64,
    input: [u8; 64],
    /// Bytes of `input` that were hashed; 0 for none.
    len: usize,
    digest: U256,
}

thread_local! {
    static HASHES: RefCell<Box<[Remembered; REMEMBERED]>> = RefCell::new(Box::new(
        [Remembered { mixed: 0, input: [0; 64], len: 0, digest: U256::ZERO }; REMEMBERED],
    ));
}

/// Keccak-256 of the first `len` bytes, the others being zero; each input has one place to be remembered in.
fn remembered(input: &[u8; 64], len: usize) -> U256 {
    let limb = |at: usize| u64::from_le_bytes(input[at..at + 8].try_into().expect("eight bytes"));
    // The low ends of both words differ most; an odd multiplier spreads them to the top bits.
    let mixed = (limb(24) ^ limb(56).rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let place = (mixed >> (64 - REMEMBERED.ilog2())) as usize;
    HASHES.with_borrow_mut(|hashes| {
        let entry = &mut hashes[place];
        if entry.mixed != mixed || entry.len != len || entry.input != *input {
            *entry = Remembered { mixed, input: *input, len, digest: hash(&input[..len]).into() };
        }
        entry.digest
    })
}

/// The storage slot of a table's entry: keccak256(slot ‖ key).
pub fn table_hash(slot: &U256, key: &U256) -> U256 {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&slot.to_be_bytes::<32>());
    bytes[32..].copy_from_slice(&key.to_be_bytes::<32>());
    remembered(&bytes, 64)
}

/// `tablehash`.
pub fn tablehash(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    let [slot, key] = frame.stack.pop();
    frame.stack.push_word(table_hash(&slot, &key));
    Ok(())
}

/// Most keys of `tablehashn`.
const KEYS_MAX: usize = 16;

/// `tablehashn`: keccak256(slot ‖ key 1 ‖ … ‖ key n).
pub fn tablehash_n(frame: &mut Frame, _: &mut dyn Host, keys: u8) -> Result<(), Exit> {
    let keys = usize::from(keys);
    if keys == 0 || keys > KEYS_MAX {
        return Err(Trap::InvalidOpcode.into());
    }
    super::charge(frame, Op::TablehashN.dynamic_rate() * (keys as u64 - 1))?;
    let mut bytes = [0; 32 * (KEYS_MAX + 1)];
    for place in bytes.chunks_exact_mut(32).take(keys + 1) {
        let [word] = frame.stack.pop();
        place.copy_from_slice(&word.to_be_bytes::<32>());
    }
    frame.stack.push_word(hash(&bytes[..32 * (keys + 1)]).into());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remembered_hash_is_that_of_its_own_input() {
        // Twice as many inputs as places, of both lengths, asked for twice.
        for _ in 0..2 {
            for n in 0..2 * REMEMBERED as u64 {
                let mut bytes = [0; 64];
                bytes[24..32].copy_from_slice(&n.to_be_bytes());
                for len in [32, 64] {
                    let expected = U256::from_be_bytes(hash(&bytes[..len]).0);
                    assert_eq!(keccak256_of(&bytes[..len]), expected, "{n}, {len} bytes");
                }
                // The same bytes as a slot and a key.
                let table = table_hash(&U256::from(n), &U256::ZERO);
                assert_eq!(table, U256::from_be_bytes(hash(bytes).0));
            }
        }
    }
}
