//! Writing a block with what is needed to undo it, undoing it, and forgetting how to undo old ones.

use ::redb::{ReadableTable, Table, WriteTransaction};
use alloy_primitives::Address;

use super::error::Failed;
use super::tables::{
    self, ACCOUNTS, BLOCKS, CODES, META, STORAGE, SlotKey, UNDO_ACCOUNTS, UNDO_BLOCKS, UNDO_CODES,
    UNDO_STORAGE, UndoSlotKey, Word, damaged,
};
use super::{BlockId, RedbErrorKind};
use crate::state::{AccountDiff, StateDiff};

const FIRST_ADDRESS: &[u8; 20] = &[0; 20];
const LAST_ADDRESS: &[u8; 20] = &[0xff; 20];
const FIRST_WORD: &[u8; 32] = &[0; 32];
const LAST_WORD: &[u8; 32] = &[0xff; 32];

type StorageTable<'t> = Table<'t, SlotKey<'static>, Word<'static>>;
type UndoStorageTable<'t> = Table<'t, UndoSlotKey<'static>, Word<'static>>;

/// Writes the block on top of the newest one.
pub(super) fn write_block(
    transaction: &WriteTransaction,
    block: BlockId,
    diff: &StateDiff,
    undo_blocks: u64,
) -> Result<(), Failed> {
    let number = block.number;
    let head = tables::read_head(&transaction.open_table(META)?)?;
    if let Some(head) = head
        && head.number.checked_add(1) != Some(number)
    {
        return Err(RedbErrorKind::NotNext { head: head.number, given: number }.into());
    }
    write_accounts(transaction, number, diff)?;
    write_codes(transaction, number, diff)?;
    transaction.open_table(BLOCKS)?.insert(number, &block.hash.0)?;
    let previous = head.map(|head| tables::encode_block(&head));
    let previous: &[u8] = previous.as_ref().map_or(&[], |bytes| bytes);
    transaction.open_table(UNDO_BLOCKS)?.insert(number, previous)?;
    tables::write_head(transaction, Some(block))?;
    // Block n can be undone while fewer than `undo_blocks` blocks follow it.
    match number.checked_sub(undo_blocks) {
        Some(last) => forget_undo(transaction, 0, last),
        None => Ok(()),
    }
}

fn write_accounts(transaction: &WriteTransaction, number: u64, diff: &StateDiff) -> Result<(), Failed> {
    let mut accounts = transaction.open_table(ACCOUNTS)?;
    let mut undo_accounts = transaction.open_table(UNDO_ACCOUNTS)?;
    let mut storage = transaction.open_table(STORAGE)?;
    let mut undo_storage = transaction.open_table(UNDO_STORAGE)?;
    for (address, account) in &diff.accounts {
        let key = &address.0.0;
        let previous = match &account.info {
            Some(info) => accounts.insert(key, &tables::encode_account(info))?,
            None => accounts.remove(key)?,
        };
        let previous: &[u8] = previous.as_ref().map_or(&[], |row| row.value());
        undo_accounts.insert((number, key), previous)?;
        write_storage(&mut storage, &mut undo_storage, number, address, account)?;
    }
    Ok(())
}

fn write_storage(
    storage: &mut StorageTable<'_>,
    undo_storage: &mut UndoStorageTable<'_>,
    number: u64,
    address: &Address,
    account: &AccountDiff,
) -> Result<(), Failed> {
    let address = &address.0.0;
    if account.wipes_storage() {
        for row in storage.extract_from_if((address, FIRST_WORD)..=(address, LAST_WORD), |_, _| true)? {
            let (key, word) = row?;
            undo_storage.insert((number, address, key.value().1), word.value())?;
        }
    }
    for (key, word) in &account.storage {
        let key = &key.to_be_bytes::<32>();
        let previous = if word.is_zero() {
            storage.remove((address, key))?
        } else {
            storage.insert((address, key), &word.to_be_bytes::<32>())?
        };
        let previous = previous.map_or([0; 32], |row| *row.value());
        // A word that the wipe took is noted already, with what it was before.
        if undo_storage.get((number, address, key))?.is_none() {
            undo_storage.insert((number, address, key), &previous)?;
        }
    }
    Ok(())
}

fn write_codes(transaction: &WriteTransaction, number: u64, diff: &StateDiff) -> Result<(), Failed> {
    let mut codes = transaction.open_table(CODES)?;
    let mut undo_codes = transaction.open_table(UNDO_CODES)?;
    for (hash, code) in &diff.codes {
        if codes.get(&hash.0)?.is_none() {
            codes.insert(&hash.0, code.as_ref())?;
            undo_codes.insert((number, &hash.0), ())?;
        }
    }
    Ok(())
}

/// Takes the newest block back; gives the one before.
pub(super) fn undo_block(transaction: &WriteTransaction) -> Result<Option<BlockId>, Failed> {
    let Some(BlockId { number, .. }) = tables::read_head(&transaction.open_table(META)?)? else {
        return Err(RedbErrorKind::NoBlock.into());
    };
    let head = match transaction.open_table(UNDO_BLOCKS)?.get(number)? {
        None => return Err(RedbErrorKind::UndoNotKept { number }.into()),
        Some(row) if row.value().is_empty() => None,
        Some(row) => match tables::decode_block(row.value()) {
            Some(head) => Some(head),
            None => return Err(damaged("undo_blocks", format!("row {number} is no block"))),
        },
    };
    restore_accounts(transaction, number)?;
    restore_storage(transaction, number)?;
    let mut codes = transaction.open_table(CODES)?;
    for row in transaction
        .open_table(UNDO_CODES)?
        .extract_from_if((number, FIRST_WORD)..=(number, LAST_WORD), |_, _| true)?
    {
        codes.remove(row?.0.value().1)?;
    }
    transaction.open_table(BLOCKS)?.remove(number)?;
    transaction.open_table(UNDO_BLOCKS)?.remove(number)?;
    tables::write_head(transaction, head)?;
    Ok(head)
}

fn restore_accounts(transaction: &WriteTransaction, number: u64) -> Result<(), Failed> {
    let mut accounts = transaction.open_table(ACCOUNTS)?;
    let mut undo = transaction.open_table(UNDO_ACCOUNTS)?;
    for row in undo.extract_from_if((number, FIRST_ADDRESS)..=(number, LAST_ADDRESS), |_, _| true)? {
        let (key, previous) = row?;
        let address = key.value().1;
        match previous.value() {
            [] => accounts.remove(address)?,
            bytes => match <&[u8; 72]>::try_from(bytes) {
                Ok(bytes) => accounts.insert(address, bytes)?,
                Err(_) => {
                    let reason = format!("block {number}, {}: not an account", Address::from(*address));
                    return Err(damaged("undo_accounts", reason));
                }
            },
        };
    }
    Ok(())
}

fn restore_storage(transaction: &WriteTransaction, number: u64) -> Result<(), Failed> {
    let mut storage = transaction.open_table(STORAGE)?;
    let mut undo = transaction.open_table(UNDO_STORAGE)?;
    let block = (number, FIRST_ADDRESS, FIRST_WORD)..=(number, LAST_ADDRESS, LAST_WORD);
    for row in undo.extract_from_if(block, |_, _| true)? {
        let (key, previous) = row?;
        let (_, address, key) = key.value();
        if previous.value() == FIRST_WORD {
            storage.remove((address, key))?;
        } else {
            storage.insert((address, key), previous.value())?;
        }
    }
    Ok(())
}

/// Forgets how to undo the blocks from `first` to `last`.
fn forget_undo(transaction: &WriteTransaction, first: u64, last: u64) -> Result<(), Failed> {
    transaction.open_table(UNDO_BLOCKS)?.retain_in(first..=last, |_, _| false)?;
    let accounts = (first, FIRST_ADDRESS)..=(last, LAST_ADDRESS);
    transaction.open_table(UNDO_ACCOUNTS)?.retain_in(accounts, |_, _| false)?;
    let storage = (first, FIRST_ADDRESS, FIRST_WORD)..=(last, LAST_ADDRESS, LAST_WORD);
    transaction.open_table(UNDO_STORAGE)?.retain_in(storage, |_, _| false)?;
    let codes = (first, FIRST_WORD)..=(last, LAST_WORD);
    transaction.open_table(UNDO_CODES)?.retain_in(codes, |_, _| false)?;
    Ok(())
}
