//! Hedera's services: tokens, consensus topics and account numbers.
//!
//! Programs reach them by the operations `hts_*`, `hcs_*` and `hedera_*` of the native encoding, and Solidity code by
//! the [`facade`] at the system contract's address. Both make a [`ServiceRequest`], which a host answers; hosts over
//! a [`State`](crate::state::State) answer it with the [`Ledger`]. The ledger's records are storage words of the
//! system contract's account, so that undoing, committing and the root of the state hold for them as for everything
//! else. `docs/vm/hedera.md` says what each operation takes and gives, and how the words are laid out.

mod codes;
mod entities;
pub mod facade;
mod keys;
mod ledger;
mod params;
mod tokens;
mod topics;
mod words;

use alloy_primitives::{Address, Bytes, U256, address};

pub use self::codes::ResponseCode;
pub use self::entities::{long_zero, number_of};
pub use self::keys::{Key, KeyRole};
pub use self::ledger::{Ledger, Refusal};
pub use self::params::{TokenParams, TopicParams};
pub use self::tokens::{APPROVAL_TOPIC, Relation, TRANSFER_TOPIC, Token};
pub use self::topics::{MESSAGE_TOPIC, RUNNING_HASH_BYTES, RunningHash, Topic, running_hash};

use crate::bytecode::Op;
use crate::host::Log;
use crate::interp::ops::context::{address_word, word_address};

/// Account of the token service's system contract, whose storage is the ledger.
pub const SYSTEM_CONTRACT: Address = address!("0000000000000000000000000000000000000167");

/// The system contract's code, which never runs: an invalid operation, so that EXTCODESIZE is not 0.
pub const SYSTEM_CODE: [u8; 1] = [0xfe];

/// Most units of a token: amounts are signed 64-bit numbers on the network.
pub const AMOUNT_MAX: u64 = i64::MAX as u64;
/// Most bytes of a name, symbol or memo.
pub const TEXT_BYTES_MAX: usize = 100;
/// Most bytes of a message to a topic.
pub const MESSAGE_BYTES_MAX: usize = 1024;
/// Entity numbers up to this one are reserved.
pub const RESERVED_NUMBERS: u64 = 1023;

/// For whom a service acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acting {
    /// The acting account: ADDRESS of the frame that asks.
    pub account: Address,
    /// CALLER of that frame, which may be associated and dissociated by it, and grants nothing else.
    pub caller: Address,
}

macro_rules! service_requests {
    ($( $(#[doc = $doc:literal])+ $Name:ident $name:literal $Op:ident {
        $( $(#[doc = $field_doc:literal])+ $field:ident: $Type:ty, )*
    } )*) => {
        /// What a frame asks of the services, one variant per operation; fields are in the order of its operands.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum ServiceRequest {
            $( $(#[doc = $doc])+ $Name { $( $(#[doc = $field_doc])+ $field: $Type, )* }, )*
        }

        impl ServiceRequest {
            /// The request's name in a case file.
            pub const fn name(&self) -> &'static str {
                match self { $( ServiceRequest::$Name { .. } => $name, )* }
            }

            /// The operation that asks so.
            pub const fn op(&self) -> Op {
                match self { $( ServiceRequest::$Name { .. } => Op::$Op, )* }
            }

            /// The parts that are words, in order.
            pub fn words(&self) -> Vec<U256> {
                match self { $( ServiceRequest::$Name { $($field),* } => {
                    let words: Vec<Option<U256>> = vec![$( Part::word($field) ),*];
                    words.into_iter().flatten().collect()
                } )* }
            }

            /// The part that is bytes, empty where there is none.
            pub fn data(&self) -> Bytes {
                match self { $( ServiceRequest::$Name { $($field),* } => {
                    let data: Vec<Option<Bytes>> = vec![$( Part::data($field) ),*];
                    data.into_iter().flatten().next().unwrap_or_default()
                } )* }
            }

            /// The request with that name, its words from `next`; `None` if there is no such name.
            pub fn of(name: &str, data: &Bytes, mut next: impl FnMut() -> U256) -> Option<ServiceRequest> {
                let _ = (data, &mut next);
                match name {
                    $( $name => Some(ServiceRequest::$Name {
                        $( $field: <$Type as Part>::take(data, &mut next), )*
                    }), )*
                    _ => None,
                }
            }
        }
    };
}

/// A part of a request: a word, or bytes.
trait Part: Sized {
    fn word(&self) -> Option<U256> {
        None
    }
    fn data(&self) -> Option<Bytes> {
        None
    }
    fn take(data: &Bytes, next: &mut dyn FnMut() -> U256) -> Self;
}

impl Part for Address {
    fn word(&self) -> Option<U256> {
        Some(address_word(self))
    }
    fn take(_: &Bytes, next: &mut dyn FnMut() -> U256) -> Address {
        word_address(&next())
    }
}

impl Part for U256 {
    fn word(&self) -> Option<U256> {
        Some(*self)
    }
    fn take(_: &Bytes, next: &mut dyn FnMut() -> U256) -> U256 {
        next()
    }
}

impl Part for Bytes {
    fn data(&self) -> Option<Bytes> {
        Some(self.clone())
    }
    fn take(data: &Bytes, _: &mut dyn FnMut() -> U256) -> Bytes {
        data.clone()
    }
}

service_requests! {
    /// Moves units of a token.
    Transfer "transfer" HtsTransfer {
        /// Token.
        token: Address,
        /// Account that gives.
        from: Address,
        /// Account that gets.
        to: Address,
        /// Units; above [`AMOUNT_MAX`] it is refused.
        amount: U256,
    }
    /// Makes units, which the treasury gets.
    Mint "mint" HtsMint {
        /// Token.
        token: Address,
        /// Units.
        amount: U256,
    }
    /// Destroys units of the treasury.
    Burn "burn" HtsBurn {
        /// Token.
        token: Address,
        /// Units.
        amount: U256,
    }
    /// Lets an account hold a token.
    Associate "associate" HtsAssociate {
        /// Account.
        account: Address,
        /// Token.
        token: Address,
    }
    /// Ends that.
    Dissociate "dissociate" HtsDissociate {
        /// Account.
        account: Address,
        /// Token.
        token: Address,
    }
    /// Lets another account take units of the acting one, in place of what it was allowed before.
    Approve "approve" HtsApprove {
        /// Token.
        token: Address,
        /// Account that may take.
        spender: Address,
        /// Units.
        amount: U256,
    }
    /// Creates a token.
    CreateToken "create-token" HtsCreate {
        /// ABI encoding of [`TokenParams`].
        params: Bytes,
    }
    /// Submits a message to a topic.
    Submit "submit" HcsSubmit {
        /// Topic.
        topic: Address,
        /// Message.
        message: Bytes,
    }
    /// Creates a topic.
    CreateTopic "create-topic" HcsCreateTopic {
        /// ABI encoding of [`TopicParams`].
        params: Bytes,
    }
    /// Gives a topic another memo.
    UpdateTopic "update-topic" HcsUpdateTopic {
        /// Topic.
        topic: Address,
        /// ABI encoding of [`TopicParams`].
        params: Bytes,
    }
    /// Ends a topic.
    DeleteTopic "delete-topic" HcsDeleteTopic {
        /// Topic.
        topic: Address,
    }
    /// The long-zero address of the acting account's entity.
    AccountId "account-id" HederaAccountId {}
}

/// What a service answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceReply {
    /// The network's response code.
    pub code: ResponseCode,
    /// What the operation leaves on the stack: 1 or 0, or an address or 0.
    pub word: U256,
    /// Log entries to be appended, in order.
    pub logs: Vec<Log>,
}

impl ServiceReply {
    /// The answer of a service that refuses: word 0, nothing logged.
    pub fn refused(code: ResponseCode) -> ServiceReply {
        ServiceReply { code, word: U256::ZERO, logs: Vec::new() }
    }
}
