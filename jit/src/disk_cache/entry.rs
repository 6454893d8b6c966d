//! What is in a file: little-endian, magic `ZVMN` [4], version u32, key [32], number of the region u32, number of
//! regions u32, first block u32, end of the blocks u32, size of the code u32, the code, and Keccak-256 of all that [32].

use zvm::keccak256;

use super::{Key, RegionName};

/// Most bytes of a file.
pub(super) const FILE_BYTES_MAX: u64 = 64 << 20;

const MAGIC: [u8; 4] = *b"ZVMN";
const VERSION: u32 = 1;
const HASH_BYTES: usize = 32;
/// Bytes before the code.
pub(super) const HEADER_BYTES: usize = 4 + 4 + 32 + 5 * 4;

/// The two directions of the form.
pub(super) struct Entry;

impl Entry {
    /// The bytes of a file; `None` if there is too much code for one.
    pub(super) fn encode(key: &Key, name: &RegionName, code: &[u8]) -> Option<Vec<u8>> {
        let size = u32::try_from(code.len()).ok()?;
        let total = HEADER_BYTES + code.len() + HASH_BYTES;
        if total as u64 > FILE_BYTES_MAX {
            return None;
        }
        let mut bytes = Vec::with_capacity(total);
        bytes.extend_from_slice(&Entry::header(key, name, size));
        bytes.extend_from_slice(code);
        bytes.extend_from_slice(&keccak256(&bytes)[..]);
        Some(bytes)
    }

    /// The machine code in a file that must hold this region of this code; an error says why it does not.
    pub(super) fn decode(mut bytes: Vec<u8>, key: &Key, name: &RegionName) -> Result<Vec<u8>, &'static str> {
        let body = bytes.len().checked_sub(HASH_BYTES).filter(|&body| body > HEADER_BYTES);
        let body = body.ok_or("it is cut off")?;
        if keccak256(&bytes[..body])[..] != bytes[body..] {
            return Err("its checksum is wrong");
        }
        let size = u32::try_from(body - HEADER_BYTES).map_err(|_| "it is too long")?;
        if bytes[..HEADER_BYTES] != Entry::header(key, name, size) {
            return Err("it is for something else");
        }
        bytes.truncate(body);
        bytes.drain(..HEADER_BYTES);
        Ok(bytes)
    }

    fn header(key: &Key, name: &RegionName, size: u32) -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        header[..4].copy_from_slice(&MAGIC);
        header[4..8].copy_from_slice(&VERSION.to_le_bytes());
        header[8..40].copy_from_slice(&key.0[..]);
        let numbers = [name.region, name.regions, name.blocks.start, name.blocks.end, size];
        for (place, number) in header[40..].chunks_exact_mut(4).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        header
    }
}
