//! What `vm` offers in tests (§16): the table of cheats, and the account that stands for them.
//!
//! A cheat is a call of a function of the account [`ADDRESS`]; whoever runs tests answers it, and no other world has
//! such an account. What needs no help from outside, such as `vm.address`, is not here but in the checker.

use alloy_primitives::{Address, address};

use super::check::selector_of;
use super::types::{ExternalFn, TypeId, Types};
use crate::source::Span;

/// The account that cheats are calls of: zeros, then "kalix.vm".
pub const ADDRESS: Address = address!("0x0000000000000000000000006b616c69782e766d");

macro_rules! define_cheats {
    ($($(#[doc = $doc:literal])* $variant:ident $name:literal ($($param:ident: $ty:ident),*) $(-> $result:ident)?;)*) => {
        /// A cheat, as the runner of tests sees it.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Cheat { $($(#[doc = $doc])* $variant,)* }

        impl Cheat {
            /// All of them.
            pub const ALL: &'static [Cheat] = &[$(Cheat::$variant,)*];

            /// The name; those that a program cannot write have no letters only.
            pub const fn name(self) -> &'static str {
                match self { $(Cheat::$variant => $name,)* }
            }

            fn params(self) -> Vec<(String, TypeId)> {
                match self { $(Cheat::$variant => vec![$((stringify!($param).to_owned(), TypeId::$ty)),*],)* }
            }

            fn result(self) -> TypeId {
                match self { $(Cheat::$variant => define_cheats!(@result $($result)?),)* }
            }
        }
    };
    (@result) => { TypeId::UNIT };
    (@result $result:ident) => { TypeId::$result };
}

define_cheats! {
    /// The next call or creation of the test comes from this account.
    Prank "prank" (account: ADDRESS);
    /// All further calls and creations of the test come from this account.
    PrankAll "prank_all" (account: ADDRESS);
    /// Gives an account a balance.
    Deal "deal" (account: ADDRESS, wei: U256);
    /// Sets the time of the block.
    Warp "warp" (timestamp: U64);
    /// Sets the number of the block.
    Roll "roll" (number: U64);
    /// The gas that the last call or creation of the test used.
    LastGas "last_gas" () -> U64;
    /// A word of an account's storage.
    Storage "storage" (account: ADDRESS, slot: U256) -> HASH;
    /// The next call or creation shall revert.
    ExpectRevert "expect revert" ();
    /// The next call or creation shall revert with these bytes.
    ExpectRevertWith "expect revert with" (data: BYTES);
    /// The next log entry of the test is one that the next call shall make.
    ExpectEmit "expect emit" ();
    /// The next operation of that byte, in whatever contract, is refused.
    HederaFail "hedera_fail" (op: U8);
    /// The input does not count.
    Reject "reject" ();
    /// An assertion failed: its number, and both sides as far as they can be shown.
    Fail "fail" (assertion: U64, sides: BYTES);
}

impl Cheat {
    /// What selects it.
    pub fn selector(self, types: &Types) -> [u8; 4] {
        self.function(types).selector
    }

    pub(super) fn function(self, types: &Types) -> ExternalFn {
        let params = self.params();
        let list: Vec<String> = params.iter().filter_map(|param| types.abi_type(param.1)).collect();
        let signature = format!("{}({})", self.name(), list.join(","));
        ExternalFn {
            name: self.name().to_owned(),
            span: Span::default(),
            params,
            result: self.result(),
            selector: selector_of(&signature),
            signature,
            view: false,
            payable: false,
            optional_return: false,
        }
    }
}
