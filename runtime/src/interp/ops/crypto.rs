//! Hashes.

use alloy_primitives::{U256, keccak256 as hash};

use crate::bytecode::Op;
use crate::compiled::frame::Frame;
use crate::host::Host;
use crate::outcome::{Exit, Trap};

/// `keccak256` of memory.
pub fn keccak256(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    let [offset, size] = frame.stack.pop();
    super::memory::charge_words(frame, Op::Keccak256, &size)?;
    let range = super::memory::touch(frame, &offset, &size)?;
    let digest = hash(&frame.memory.bytes()[range]);
    frame.stack.push_word(digest.into());
    Ok(())
}

/// The storage slot of a table's entry: keccak256(slot ‖ key).
pub fn table_hash(slot: &U256, key: &U256) -> U256 {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&slot.to_be_bytes::<32>());
    bytes[32..].copy_from_slice(&key.to_be_bytes::<32>());
    hash(bytes).into()
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
