//! What a transaction did, in terms that our machine and revm share.

use std::collections::BTreeMap;
use std::fmt::Debug;

use alloy_primitives::{Address, B256, Bytes, U256};
use zvm::outcome::Exit;
use zvm::state::StateDiff;
use zvm::tx::TransactionResult;

/// How a transaction's top frame ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Effects kept.
    Success,
    /// Effects undone, gas kept.
    Revert,
    /// Effects undone, gas lost.
    Trap,
}

/// Everything that can be seen of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// How it ended.
    pub end: End,
    /// Return data.
    pub output: Bytes,
    /// Gas paid for.
    pub gas_used: u64,
    /// Refund granted.
    pub gas_refunded: u64,
    /// Address, topics and data of each log of a successful transaction.
    pub logs: Vec<(Address, Vec<B256>, Bytes)>,
    /// The contract that the transaction itself created.
    pub created: Option<Address>,
    /// Accounts that are not as before.
    pub changes: BTreeMap<Address, Change>,
}

/// An account that changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Nonce, balance and code hash now; `None` if it is gone.
    pub info: Option<(u64, U256, B256)>,
    /// Storage words that changed.
    pub storage: BTreeMap<U256, U256>,
}

impl Seen {
    /// Of a transaction on our machine.
    pub fn of(result: TransactionResult, changes: StateDiff) -> Seen {
        let end = match result.exit {
            Exit::Halt | Exit::Return => End::Success,
            Exit::Revert => End::Revert,
            _ => End::Trap,
        };
        let logs = result.logs.into_iter().map(|log| (log.address, log.topics, log.data));
        let changes = changes.accounts.into_iter().map(|(address, account)| {
            let info = account.info.map(|info| (info.nonce, info.balance, info.code_hash));
            (address, Change { info, storage: account.storage })
        });
        Seen {
            end,
            output: result.output,
            gas_used: result.gas_used,
            gas_refunded: result.gas_refunded,
            logs: logs.collect(),
            created: result.created,
            changes: changes.collect(),
        }
    }

    /// Names what differs; `None` if nothing does.
    pub fn difference(&self, other: &Seen) -> Option<String> {
        fn compare<T: PartialEq + Debug>(parts: &mut Vec<String>, name: &str, left: &T, right: &T) {
            if left != right {
                parts.push(format!("{name}: {left:?} against {right:?}"));
            }
        }
        let mut parts = Vec::new();
        compare(&mut parts, "end", &self.end, &other.end);
        compare(&mut parts, "output", &self.output, &other.output);
        compare(&mut parts, "gas used", &self.gas_used, &other.gas_used);
        compare(&mut parts, "gas refunded", &self.gas_refunded, &other.gas_refunded);
        compare(&mut parts, "logs", &self.logs, &other.logs);
        compare(&mut parts, "created", &self.created, &other.created);
        let addresses =
            self.changes.keys().chain(other.changes.keys().filter(|a| !self.changes.contains_key(*a)));
        for address in addresses {
            let name = format!("account {address}");
            compare(&mut parts, &name, &self.changes.get(address), &other.changes.get(address));
        }
        (!parts.is_empty()).then(|| parts.join("\n  "))
    }
}
