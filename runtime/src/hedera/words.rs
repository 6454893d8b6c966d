//! The ledger's words: where each fact lies in the system contract's storage, and what the ledger asks of a state.
//!
//! A record is named by the number of its table and its keys; its first word lies at keccak256(table ‖ keys), the
//! others behind it.

use alloy_primitives::{Address, Bytes, U256};

use super::{SYSTEM_CODE, SYSTEM_CONTRACT};
use crate::host::HostError;
use crate::interp::ops::context::address_word;
use crate::keccak::keccak256;
use crate::state::{Database, State};

/// The tables of the ledger. Their numbers are part of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Table {
    /// One word: the entity number to be given next, 0 before the first.
    NextNumber = 0,
    /// Number → the account's address.
    AccountOfNumber = 1,
    /// Account's address → its number.
    NumberOfAccount = 2,
    /// Token → its record.
    Token = 3,
    /// Token, account → their relation.
    Relation = 4,
    /// Token, owner, spender → units allowed.
    Allowance = 5,
    /// Topic → its record.
    Topic = 6,
    /// Treasury, creator → 1 where the one lets the other name it as a token's treasury.
    TreasuryPermission = 7,
}

/// The word in which a record begins.
pub(super) fn place(table: Table, keys: &[U256]) -> U256 {
    let mut bytes = Vec::with_capacity(32 * (keys.len() + 1));
    bytes.extend_from_slice(&U256::from(table as u8).to_be_bytes::<32>());
    for key in keys {
        bytes.extend_from_slice(&key.to_be_bytes::<32>());
    }
    keccak256(bytes).into()
}

/// The key that an address is.
pub(super) fn key(address: &Address) -> U256 {
    address_word(address)
}

/// What the ledger asks of a state.
pub(super) trait Store {
    /// A word of the ledger.
    fn load(&mut self, place: &U256) -> Result<U256, HostError>;
    /// Sets a word of the ledger.
    fn save(&mut self, place: &U256, word: &U256) -> Result<(), HostError>;
    /// Whether an account is not empty.
    fn is_alive(&mut self, address: &Address) -> Result<bool, HostError>;
    /// Whether an account has code or has sent something, so that no entity can get its address.
    fn is_taken(&mut self, address: &Address) -> Result<bool, HostError>;
    /// Gives a new entity code.
    fn place_code(&mut self, address: &Address, code: Bytes) -> Result<(), HostError>;
    /// A point to go back to.
    fn mark(&self) -> usize;
    /// Goes back.
    fn undo_to(&mut self, mark: usize);
}

impl<D: Database> Store for State<D> {
    fn load(&mut self, place: &U256) -> Result<U256, HostError> {
        // No program runs on this account, so that nobody sees which of its words are warm.
        Ok(self.sload(&SYSTEM_CONTRACT, place, true)?.map_or(U256::ZERO, |access| access.value))
    }

    fn save(&mut self, place: &U256, word: &U256) -> Result<(), HostError> {
        // An empty account would be removed with its storage (EIP-161).
        if !self.account(&SYSTEM_CONTRACT)?.has_code() {
            self.set_code(&SYSTEM_CONTRACT, Bytes::from_static(&SYSTEM_CODE))?;
        }
        self.sstore(&SYSTEM_CONTRACT, place, word, true)?;
        Ok(())
    }

    fn is_alive(&mut self, address: &Address) -> Result<bool, HostError> {
        Ok(!self.account(address)?.is_empty())
    }

    fn is_taken(&mut self, address: &Address) -> Result<bool, HostError> {
        let account = self.account(address)?;
        Ok(account.has_code() || account.nonce != 0)
    }

    fn place_code(&mut self, address: &Address, code: Bytes) -> Result<(), HostError> {
        self.set_nonce(address, 1)?;
        self.set_code(address, code)
    }

    fn mark(&self) -> usize {
        self.checkpoint()
    }

    fn undo_to(&mut self, mark: usize) {
        self.revert_to(mark);
    }
}

/// Reads bytes: their number lies at `place`, they themselves from keccak256(place) on, 32 in a word.
pub(super) fn load_bytes(store: &mut dyn Store, place: &U256) -> Result<Vec<u8>, HostError> {
    let len = usize::try_from(store.load(place)?).unwrap_or(usize::MAX);
    // The ledger writes no longer ones; a state that says otherwise is not the ledger's.
    if len > BYTES_MAX {
        return Err(HostError(format!("the ledger's bytes at {place:#x} have an impossible size").into()));
    }
    let mut bytes = Vec::with_capacity(len.next_multiple_of(32));
    let first = data_place(place);
    for index in 0..len.div_ceil(32) {
        bytes.extend_from_slice(&store.load(&first.wrapping_add(U256::from(index)))?.to_be_bytes::<32>());
    }
    bytes.truncate(len);
    Ok(bytes)
}

/// Writes bytes in place of others, of which nothing stays.
pub(super) fn save_bytes(store: &mut dyn Store, place: &U256, bytes: &[u8]) -> Result<(), HostError> {
    let words_before = usize::try_from(store.load(place)?).unwrap_or(0).min(BYTES_MAX).div_ceil(32);
    store.save(place, &U256::from(bytes.len()))?;
    let first = data_place(place);
    for (index, chunk) in bytes.chunks(32).enumerate() {
        let mut word = [0; 32];
        word[..chunk.len()].copy_from_slice(chunk);
        store.save(&first.wrapping_add(U256::from(index)), &U256::from_be_bytes(word))?;
    }
    for index in bytes.len().div_ceil(32)..words_before {
        store.save(&first.wrapping_add(U256::from(index)), &U256::ZERO)?;
    }
    Ok(())
}

/// Most bytes of one text or key.
const BYTES_MAX: usize = 1024;

fn data_place(place: &U256) -> U256 {
    keccak256(place.to_be_bytes::<32>()).into()
}
