//! Consensus topics: messages in order, chained by a running hash.
//!
//! A message itself is not state: it leaves the machine as a log entry of the topic, and the ledger keeps its number
//! and the running hash over it.

use alloy_primitives::{Address, B256, Bytes, U256, b256};
use sha2::{Digest, Sha384};

use super::entities::number_of;
use super::keys::{KEY_WORDS, load_key, save_key};
use super::ledger::{Ledger, Refusal, ensure};
use super::params::check_text;
use super::words::{Table, key, place, save_bytes};
use super::{Key, MESSAGE_BYTES_MAX, ResponseCode};
use crate::host::{HostError, Log};

/// Topic 0 of `MessageSubmitted(address,uint64,uint64,bytes,bytes)`: sender, number and consensus time in
/// nanoseconds, running hash, message; the first two are indexed.
pub const MESSAGE_TOPIC: B256 = b256!("c95cf1a5d4f13ac947b88d976d15cecf0e3e42f83dba8d2ea7a859111df2abb7");

/// Bytes of a running hash.
pub const RUNNING_HASH_BYTES: usize = 48;
/// A running hash: SHA-384.
pub type RunningHash = [u8; RUNNING_HASH_BYTES];

/// Version of what is hashed, as on the network.
const RUNNING_HASH_VERSION: u64 = 3;

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Memo.
    pub memo: String,
    /// Who may change and delete it.
    pub admin_key: Key,
    /// Who may submit messages; anybody where nobody holds the key.
    pub submit_key: Key,
    /// Messages so far.
    pub sequence_number: u64,
    /// Hash over all messages so far; zeros before the first.
    pub running_hash: RunningHash,
    /// Whether it was deleted.
    pub is_deleted: bool,
}

/// The running hash after a message, of which each comes from the one before it.
///
/// SHA-384 over: the hash before, the version 3 as u64, shard, realm and number of payer and of topic (u64 each),
/// seconds (u64) and nanoseconds (u32) of consensus time, sequence number (u64), and SHA-384 of the message. Numbers
/// are big-endian. The payer is the account that submits.
pub fn running_hash(
    before: &RunningHash,
    payer: u64,
    topic: u64,
    time: u64,
    sequence_number: u64,
    message: &[u8],
) -> RunningHash {
    let mut hasher = Sha384::new();
    hasher.update(before);
    for number in [RUNNING_HASH_VERSION, 0, 0, payer, 0, 0, topic, time / 1_000_000_000] {
        hasher.update(number.to_be_bytes());
    }
    hasher.update(((time % 1_000_000_000) as u32).to_be_bytes());
    hasher.update(sequence_number.to_be_bytes());
    hasher.update(Sha384::digest(message));
    hasher.finalize().into()
}

/// Words of a topic's record, from its first on.
mod field {
    /// Sequence number, and above it the flags.
    pub(super) const FACTS: u64 = 0;
    /// The running hash, two words.
    pub(super) const HASH: u64 = 1;
    pub(super) const MEMO: u64 = 3;
    /// Keys of administration and submission.
    pub(super) const KEYS: u64 = 4;
}

const EXISTS: usize = 64;
const DELETED: usize = 65;

impl Ledger<'_> {
    /// Whether an address names a topic, deleted ones included.
    pub fn is_topic(&mut self, address: &Address) -> Result<bool, HostError> {
        let record = number_of(address).map(|_| place(Table::Topic, &[key(address)]));
        Ok(match record {
            Some(record) => self.store.load(&record)?.bit(EXISTS),
            None => false,
        })
    }

    /// The topic that an address names; `None` where it names none.
    pub fn topic(&mut self, address: &Address) -> Result<Option<Topic>, HostError> {
        if number_of(address).is_none() {
            return Ok(None);
        }
        let record = place(Table::Topic, &[key(address)]);
        let at = |index: u64| record.wrapping_add(U256::from(index));
        let facts = self.store.load(&at(field::FACTS))?;
        if !facts.bit(EXISTS) {
            return Ok(None);
        }
        let mut running_hash = [0; RUNNING_HASH_BYTES];
        let [high, low] = [self.store.load(&at(field::HASH))?, self.store.load(&at(field::HASH + 1))?];
        running_hash[..32].copy_from_slice(&high.to_be_bytes::<32>());
        running_hash[32..].copy_from_slice(&low.to_be_bytes::<32>()[..16]);
        Ok(Some(Topic {
            memo: self.text(&at(field::MEMO))?,
            admin_key: load_key(self.store, &at(field::KEYS))?,
            submit_key: load_key(self.store, &at(field::KEYS + KEY_WORDS))?,
            sequence_number: facts.as_limbs()[0],
            running_hash,
            is_deleted: facts.bit(DELETED),
        }))
    }

    /// Creates a topic for an account that acts, which then holds both keys.
    pub fn create_topic(&mut self, creator: &Address, memo: String) -> Result<Address, Refusal> {
        check_text(&memo, ResponseCode::MemoTooLong)?;
        // A topic's address is no contract; its code keeps others from its number.
        let address = self.new_entity(|_| Bytes::from_static(&super::SYSTEM_CODE))?;
        let topic = Topic {
            memo,
            admin_key: Key::Contract(*creator),
            submit_key: Key::Contract(*creator),
            sequence_number: 0,
            running_hash: [0; RUNNING_HASH_BYTES],
            is_deleted: false,
        };
        self.save_topic(&address, &topic)?;
        Ok(address)
    }

    /// Submits a message for an account that acts; gives the log entry that carries it.
    pub fn submit(&mut self, acting: &Address, address: &Address, message: &[u8]) -> Result<Log, Refusal> {
        ensure(message.len() <= MESSAGE_BYTES_MAX, ResponseCode::MessageSizeTooLarge)?;
        ensure(!message.is_empty(), ResponseCode::InvalidTopicMessage)?;
        let mut topic = self.live_topic(address)?;
        let is_open = !topic.submit_key.is_set();
        let may_submit = is_open || self.holds(acting, &topic.submit_key)?;
        ensure(may_submit, ResponseCode::InvalidSignature)?;
        let payer = self.register(acting)?;
        topic.sequence_number += 1;
        topic.running_hash = running_hash(
            &topic.running_hash,
            number_of(&payer).unwrap_or(0),
            number_of(address).unwrap_or(0),
            self.time,
            topic.sequence_number,
            message,
        );
        self.save_topic(address, &topic)?;
        Ok(submitted(acting, address, &topic, self.time, message))
    }

    /// Gives a topic another memo, for an account that acts with the admin key.
    pub fn update_topic(&mut self, acting: &Address, address: &Address, memo: String) -> Result<(), Refusal> {
        check_text(&memo, ResponseCode::MemoTooLong)?;
        let topic = self.administered(acting, address)?;
        Ok(self.save_topic(address, &Topic { memo, ..topic })?)
    }

    /// Ends a topic, for an account that acts with the admin key.
    pub fn delete_topic(&mut self, acting: &Address, address: &Address) -> Result<(), Refusal> {
        let topic = self.administered(acting, address)?;
        Ok(self.save_topic(address, &Topic { is_deleted: true, ..topic })?)
    }

    /// Sets who may submit and who may administer. Programs can't ask for this: on the network the keys sign the
    /// transaction.
    pub fn set_topic_keys(&mut self, address: &Address, admin: Key, submit: Key) -> Result<(), Refusal> {
        let topic = self.live_topic(address)?;
        Ok(self.save_topic(address, &Topic { admin_key: admin, submit_key: submit, ..topic })?)
    }

    fn live_topic(&mut self, address: &Address) -> Result<Topic, Refusal> {
        let topic = self.topic(address)?.filter(|topic| !topic.is_deleted);
        topic.ok_or(Refusal::Code(ResponseCode::InvalidTopicId))
    }

    fn administered(&mut self, acting: &Address, address: &Address) -> Result<Topic, Refusal> {
        let topic = self.live_topic(address)?;
        ensure(topic.admin_key.is_set(), ResponseCode::Unauthorized)?;
        ensure(self.holds(acting, &topic.admin_key)?, ResponseCode::InvalidSignature)?;
        Ok(topic)
    }

    fn save_topic(&mut self, address: &Address, topic: &Topic) -> Result<(), HostError> {
        let record = place(Table::Topic, &[key(address)]);
        let at = |index: u64| record.wrapping_add(U256::from(index));
        let mut facts = U256::from(topic.sequence_number);
        facts.set_bit(EXISTS, true);
        facts.set_bit(DELETED, topic.is_deleted);
        self.store.save(&at(field::FACTS), &facts)?;
        let mut words = [0; 64];
        words[..RUNNING_HASH_BYTES].copy_from_slice(&topic.running_hash);
        self.store.save(&at(field::HASH), &U256::from_be_slice(&words[..32]))?;
        self.store.save(&at(field::HASH + 1), &U256::from_be_slice(&words[32..]))?;
        save_bytes(self.store, &at(field::MEMO), topic.memo.as_bytes())?;
        save_key(self.store, &at(field::KEYS), &topic.admin_key)?;
        save_key(self.store, &at(field::KEYS + KEY_WORDS), &topic.submit_key)
    }
}

/// The log entry that carries a message: data is the ABI encoding of time, running hash and message.
fn submitted(sender: &Address, address: &Address, topic: &Topic, time: u64, message: &[u8]) -> Log {
    use alloy_sol_types::{SolType, sol_data};
    type Data = (sol_data::Uint<64>, sol_data::Bytes, sol_data::Bytes);
    let hash = Bytes::copy_from_slice(&topic.running_hash);
    let data = Data::abi_encode_params(&(time, hash, Bytes::copy_from_slice(message)));
    let number = B256::from(U256::from(topic.sequence_number));
    Log { address: *address, topics: vec![MESSAGE_TOPIC, sender.into_word(), number], data: data.into() }
}
