//! The tables and the encoding of their rows. Numbers are big-endian, so that rows lie in the order of numbers.

use ::redb::{ReadableTable, TableDefinition, WriteTransaction};
use alloy_primitives::{B256, U256};

use super::error::Failed;
use super::{BlockId, RedbErrorKind};
use crate::state::AccountInfo;

/// Version of the format described in `docs/vm/database.md`.
pub const FORMAT_VERSION: u32 = 1;

/// A storage word.
pub(super) type Word<'w> = &'w [u8; 32];
/// Address and key.
pub(super) type SlotKey<'k> = (&'k [u8; 20], Word<'k>);
/// Block, address and key.
pub(super) type UndoSlotKey<'k> = (u64, &'k [u8; 20], Word<'k>);

/// Facts about the database by name: [`FORMAT`] and [`HEAD`].
pub(super) const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
/// Accounts: nonce, balance, code hash.
pub(super) const ACCOUNTS: TableDefinition<&[u8; 20], &[u8; 72]> = TableDefinition::new("accounts");
/// Code by its hash.
pub(super) const CODES: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("codes");
/// Storage words that are not zero.
pub(super) const STORAGE: TableDefinition<SlotKey<'static>, Word<'static>> = TableDefinition::new("storage");
/// Hashes of blocks.
pub(super) const BLOCKS: TableDefinition<u64, &[u8; 32]> = TableDefinition::new("blocks");
/// Blocks that can be undone, with the newest block before them; empty if there was none.
pub(super) const UNDO_BLOCKS: TableDefinition<u64, &[u8]> = TableDefinition::new("undo_blocks");
/// Accounts that a block changed, as they were before; empty if there was none.
pub(super) const UNDO_ACCOUNTS: TableDefinition<(u64, &[u8; 20]), &[u8]> =
    TableDefinition::new("undo_accounts");
/// Storage words that a block changed, as they were before.
pub(super) const UNDO_STORAGE: TableDefinition<UndoSlotKey<'static>, Word<'static>> =
    TableDefinition::new("undo_storage");
/// Code that a block brought.
pub(super) const UNDO_CODES: TableDefinition<(u64, &[u8; 32]), ()> = TableDefinition::new("undo_codes");

/// Row of [`META`]: the format, four bytes.
const FORMAT: &str = "format";
/// Row of [`META`]: number and hash of the newest block, 40 bytes; absent before the first.
const HEAD: &str = "head";

/// Makes all tables, empty, with the format's version.
pub(super) fn create(transaction: &WriteTransaction) -> Result<(), Failed> {
    transaction.open_table(META)?.insert(FORMAT, FORMAT_VERSION.to_be_bytes().as_slice())?;
    transaction.open_table(ACCOUNTS)?;
    transaction.open_table(CODES)?;
    transaction.open_table(STORAGE)?;
    transaction.open_table(BLOCKS)?;
    transaction.open_table(UNDO_BLOCKS)?;
    transaction.open_table(UNDO_ACCOUNTS)?;
    transaction.open_table(UNDO_STORAGE)?;
    transaction.open_table(UNDO_CODES)?;
    Ok(())
}

/// Refuses a file of another format.
pub(super) fn check_format(transaction: &WriteTransaction) -> Result<(), Failed> {
    let meta = transaction.open_table(META)?;
    let row = meta.get(FORMAT)?;
    let bytes: Option<[u8; 4]> = row.and_then(|row| row.value().try_into().ok());
    match bytes.map(u32::from_be_bytes) {
        Some(FORMAT_VERSION) => Ok(()),
        Some(found) => Err(RedbErrorKind::Format { found }.into()),
        None => Err(damaged("meta", "the row \"format\" is not a number of four bytes")),
    }
}

/// The newest block.
pub(super) fn read_head(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
) -> Result<Option<BlockId>, Failed> {
    let Some(row) = meta.get(HEAD)? else { return Ok(None) };
    match decode_block(row.value()) {
        Some(head) => Ok(Some(head)),
        None => Err(damaged("meta", "the row \"head\" is not number and hash of a block")),
    }
}

/// Sets the newest block.
pub(super) fn write_head(transaction: &WriteTransaction, head: Option<BlockId>) -> Result<(), Failed> {
    let mut meta = transaction.open_table(META)?;
    match head {
        Some(head) => meta.insert(HEAD, encode_block(&head).as_slice())?,
        None => meta.remove(HEAD)?,
    };
    Ok(())
}

/// Number and hash.
pub(super) fn encode_block(block: &BlockId) -> [u8; 40] {
    let mut bytes = [0; 40];
    bytes[..8].copy_from_slice(&block.number.to_be_bytes());
    bytes[8..].copy_from_slice(block.hash.as_slice());
    bytes
}

/// The block of an encoding; `None` if the size is wrong.
pub(super) fn decode_block(bytes: &[u8]) -> Option<BlockId> {
    let (number, hash) = bytes.split_first_chunk::<8>()?;
    let hash: [u8; 32] = hash.try_into().ok()?;
    Some(BlockId { number: u64::from_be_bytes(*number), hash: B256::new(hash) })
}

/// Nonce, balance and code hash.
pub(super) fn encode_account(info: &AccountInfo) -> [u8; 72] {
    let mut bytes = [0; 72];
    bytes[..8].copy_from_slice(&info.nonce.to_be_bytes());
    bytes[8..40].copy_from_slice(&info.balance.to_be_bytes::<32>());
    bytes[40..].copy_from_slice(info.code_hash.as_slice());
    bytes
}

/// The account of an encoding.
pub(super) fn decode_account(bytes: &[u8; 72]) -> AccountInfo {
    let mut nonce = [0; 8];
    nonce.copy_from_slice(&bytes[..8]);
    AccountInfo {
        nonce: u64::from_be_bytes(nonce),
        balance: U256::from_be_slice(&bytes[8..40]),
        code_hash: B256::from_slice(&bytes[40..]),
    }
}

/// A row that can't be what was written.
pub(super) fn damaged(table: &'static str, reason: impl Into<String>) -> Failed {
    RedbErrorKind::Damaged { table, reason: reason.into() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_decode_to_what_was_encoded() {
        let info =
            AccountInfo { nonce: 7, balance: U256::MAX - U256::from(5), code_hash: B256::repeat_byte(9) };
        assert_eq!(decode_account(&encode_account(&info)), info);
        let block = BlockId { number: u64::MAX - 1, hash: B256::repeat_byte(3) };
        assert_eq!(decode_block(&encode_block(&block)), Some(block));
        assert_eq!(decode_block(&encode_block(&block)[..39]), None);
    }
}
