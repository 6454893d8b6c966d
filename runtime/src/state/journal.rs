//! What can be undone: one entry per change, with the value before it.

use alloy_primitives::{B256, U256};

use super::accounts::AccountId;
use super::slots::SlotId;

pub(super) enum Entry {
    /// A slot was written.
    Slot { slot: SlotId, previous: U256 },
    /// A slot became warm.
    SlotWarmed { slot: SlotId },
    /// An account became warm.
    AccountWarmed { account: AccountId },
    /// An account was touched in the sense of EIP-161; it is the last of the list of those.
    AccountTouched { account: AccountId },
    /// An account is to be destroyed; it is the last of the list of those.
    AccountDestroyed { account: AccountId },
    /// An account was created.
    AccountCreated { account: AccountId },
    /// A transient slot was written.
    Transient { index: u32, previous: U256 },
    /// A balance changed.
    Balance { account: AccountId, previous: U256 },
    /// A nonce changed.
    Nonce { account: AccountId, previous: u64 },
    /// An account got code.
    Code { account: AccountId, previous: B256 },
    /// The refund counter moved.
    Refund { added: i64 },
    /// A log entry was appended.
    Log,
}
