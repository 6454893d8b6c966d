//! Facts of the block and of its blobs.

use alloy_primitives::U256;

use crate::compiled::frame::Frame;
use crate::host::Host;
use crate::outcome::Exit;

/// `coinbase`.
pub fn coinbase(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    frame.stack.push_word(host.block().coinbase.into_word().into());
    Ok(())
}

/// `timestamp`.
pub fn timestamp(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    frame.stack.push_word(host.block().timestamp);
    Ok(())
}

/// `number`.
pub fn number(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    frame.stack.push_word(host.block().number);
    Ok(())
}

/// `prevrandao` and its old name `difficulty`.
pub fn prev_randao(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    frame.stack.push_word(host.block().prev_randao);
    Ok(())
}

/// `gaslimit`.
pub fn gas_limit(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    frame.stack.push_word(host.block().gas_limit);
    Ok(())
}

/// `chainid`.
pub fn chain_id(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    frame.stack.push_word(host.block().chain_id);
    Ok(())
}

/// `basefee`.
pub fn base_fee(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    frame.stack.push_word(host.block().base_fee);
    Ok(())
}

/// Blocks before this one whose hash can be read.
const BLOCK_HASHES: u64 = 256;

/// `blockhash`: the hash of one of the last 256 blocks, 0 for any other number.
pub fn blockhash(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    let wanted = *frame.stack.top_mut();
    let number = host.block().number;
    let is_recent = wanted < number && number - wanted <= U256::from(BLOCK_HASHES);
    let hash = match u64::try_from(wanted) {
        Ok(wanted) if is_recent => {
            let read = host.block_hash(wanted);
            super::storage::host_result(frame, read)?.into()
        }
        _ => U256::ZERO,
    };
    *frame.stack.top_mut() = hash;
    Ok(())
}

/// `blobhash`: of the transaction's blob with that index, 0 where there is none (EIP-4844).
pub fn blob_hash(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    let place = frame.stack.top_mut();
    let hashes = &host.tx().blob_hashes;
    let hash = usize::try_from(*place).ok().and_then(|index| hashes.get(index));
    *place = hash.map_or(U256::ZERO, |&hash| hash.into());
    Ok(())
}

/// `blobbasefee` (EIP-7516).
pub fn blob_base_fee(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    frame.stack.push_word(host.block().blob_base_fee);
    Ok(())
}
