//! Keys of tokens and topics: which role they have, who they are, and whether the acting account holds one.

use alloy_primitives::{Address, Bytes, U256};

use super::ResponseCode;
use super::ledger::Ledger;
use super::words::{Store, load_bytes, save_bytes};
use crate::host::HostError;
use crate::interp::ops::context::word_address;

/// What a key allows, numbered as the bits of `TokenKey.keyType` in Hedera's interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum KeyRole {
    /// Changing and deleting the token.
    Admin = 0,
    /// Granting and revoking KYC.
    Kyc = 1,
    /// Freezing accounts.
    Freeze = 2,
    /// Wiping accounts.
    Wipe = 3,
    /// Minting and burning.
    Supply = 4,
    /// Changing custom fees, which the ledger does not have.
    FeeSchedule = 5,
    /// Pausing.
    Pause = 6,
}

impl KeyRole {
    /// All roles, in the order of their bits.
    pub const ALL: [KeyRole; 7] = [
        KeyRole::Admin,
        KeyRole::Kyc,
        KeyRole::Freeze,
        KeyRole::Wipe,
        KeyRole::Supply,
        KeyRole::FeeSchedule,
        KeyRole::Pause,
    ];

    /// What the network answers where nobody holds the role.
    pub const fn missing(self) -> ResponseCode {
        match self {
            KeyRole::Admin => ResponseCode::TokenIsImmutable,
            KeyRole::Kyc => ResponseCode::TokenHasNoKycKey,
            KeyRole::Freeze => ResponseCode::TokenHasNoFreezeKey,
            KeyRole::Wipe => ResponseCode::TokenHasNoWipeKey,
            KeyRole::Supply => ResponseCode::TokenHasNoSupplyKey,
            KeyRole::FeeSchedule => ResponseCode::TokenHasNoFeeScheduleKey,
            KeyRole::Pause => ResponseCode::TokenHasNoPauseKey,
        }
    }

    /// The role's bit in `TokenKey.keyType`.
    pub const fn bit(self) -> u64 {
        1 << self as u8
    }
}

/// Who holds a role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Key {
    /// Nobody: what the role allows can't be done.
    #[default]
    Nobody,
    /// A contract, when it acts.
    Contract(Address),
    /// A contract that on the network also acts through a delegate call of another; here as [`Key::Contract`].
    DelegatableContract(Address),
    /// An Ed25519 public key of 32 bytes, which no contract holds.
    Ed25519(Bytes),
    /// A compressed secp256k1 public key of 33 bytes, which no contract holds.
    Secp256k1(Bytes),
}

impl Key {
    /// The contract that holds the key, by the address with which it was named.
    pub(super) fn contract(&self) -> Option<&Address> {
        match self {
            Key::Contract(holder) | Key::DelegatableContract(holder) => Some(holder),
            Key::Nobody | Key::Ed25519(_) | Key::Secp256k1(_) => None,
        }
    }

    /// Whether anybody holds the key.
    pub fn is_set(&self) -> bool {
        *self != Key::Nobody
    }
}

impl Ledger<'_> {
    /// Whether an account that acts holds the key, which may name it by its long-zero address.
    pub fn holds(&mut self, account: &Address, key: &Key) -> Result<bool, HostError> {
        let Some(holder) = key.contract() else { return Ok(false) };
        Ok(holder == account || self.account(holder)?.is_some_and(|holder| holder == *account))
    }
}

/// Words of a key in a record: what it is in the top byte and the address, or the size of bytes that lie elsewhere.
pub(super) const KEY_WORDS: u64 = 2;

pub(super) fn load_key(store: &mut dyn Store, place: &U256) -> Result<Key, HostError> {
    let word = store.load(place)?;
    let address = word_address(&word);
    let raw_place = place.wrapping_add(U256::ONE);
    Ok(match word.byte(31) {
        0 => Key::Nobody,
        1 => Key::Contract(address),
        2 => Key::DelegatableContract(address),
        3 => Key::Ed25519(load_bytes(store, &raw_place)?.into()),
        4 => Key::Secp256k1(load_bytes(store, &raw_place)?.into()),
        kind => return Err(HostError(format!("the ledger has a key of the unknown kind {kind}").into())),
    })
}

pub(super) fn save_key(store: &mut dyn Store, place: &U256, key: &Key) -> Result<(), HostError> {
    let (kind, address, raw) = match key {
        Key::Nobody => (0u64, Address::ZERO, &Bytes::new()),
        Key::Contract(address) => (1, *address, &Bytes::new()),
        Key::DelegatableContract(address) => (2, *address, &Bytes::new()),
        Key::Ed25519(raw) => (3, Address::ZERO, raw),
        Key::Secp256k1(raw) => (4, Address::ZERO, raw),
    };
    store.save(place, &((U256::from(kind) << 248) | super::words::key(&address)))?;
    save_bytes(store, &place.wrapping_add(U256::ONE), raw)
}
