//! What one transaction did, as plain facts, and the comparison of two tiers that ran the same one.

use std::collections::BTreeMap;
use std::time::Duration;

use alloy_primitives::{Address, Bytes, U256, hex};
use zvm::host::Log;
use zvm::outcome::Trap;

use crate::trail::FailedFrame;

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Successfully.
    Success,
    /// Undone by the program, gas kept.
    Revert,
    /// Exceptionally.
    Trap(Trap),
}

/// Gas of a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gas {
    /// What the sender pays for: everything, refund taken off, and at least the floor of the call data.
    pub(crate) used: u64,
    /// What the transaction costs before it runs.
    pub(crate) intrinsic: u64,
    /// What the program itself spent.
    pub(crate) execution: u64,
    /// What came back for cleared storage.
    pub(crate) refunded: u64,
}

/// Basic blocks that ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Blocks {
    /// As native code.
    pub(crate) compiled: u64,
    /// In the interpreter.
    pub(crate) interpreted: u64,
}

/// Everything a transaction did.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Execution {
    /// How it ended.
    pub(crate) end: End,
    /// Return or revert data.
    pub(crate) output: Bytes,
    /// Account that was created.
    pub(crate) created: Option<Address>,
    /// Gas.
    pub(crate) gas: Gas,
    /// Logs, none unless it succeeded.
    pub(crate) logs: Vec<Log>,
    /// Wall-clock time. Init code is compiled within it, other code before it.
    pub(crate) time: Duration,
    /// Blocks.
    pub(crate) blocks: Blocks,
}

/// What a transaction left changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// Changed storage words.
    pub(crate) slots: BTreeMap<(Address, U256), U256>,
    /// Balance, nonce and code of each changed account.
    pub(crate) accounts: BTreeMap<Address, String>,
}

/// Something in which two tiers disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// What.
    pub(crate) what: String,
    /// In the interpreter.
    pub(crate) interpreter: String,
    /// In native code.
    pub(crate) native: String,
}

/// The native side of a checked transaction.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Checked {
    /// What native code did.
    pub(crate) native: Execution,
    /// How it differs from the interpreter; empty if it does not.
    pub(crate) differences: Vec<Difference>,
    /// Storage slots that were compared.
    pub(crate) slots_compared: usize,
}

/// A transaction that ran, in one tier or in both.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    /// What it did; with [`Checked`], what it did in the interpreter.
    pub(crate) execution: Execution,
    /// The other side of `--check`.
    pub(crate) checked: Option<Checked>,
    /// Time that compiling the receiver's code took before, if that was done for this transaction.
    pub(crate) compile_time: Option<Duration>,
    /// The frames because of which it failed, the outermost first, where that was asked for.
    pub(crate) blamed: Vec<FailedFrame>,
}

impl End {
    fn show(self) -> String {
        match self {
            End::Success => "success".into(),
            End::Revert => "revert".into(),
            End::Trap(trap) => format!("trap: {trap}"),
        }
    }
}

/// Compares the interpreter's run with native code's run from the same world. Time and blocks may differ.
pub(crate) fn differences(
    interpreter: (&Execution, &Snapshot),
    native: (&Execution, &Snapshot),
) -> Vec<Difference> {
    let ((a, world_a), (b, world_b)) = (interpreter, native);
    let mut found = Vec::new();
    let mut compare = |what: String, a: String, b: String| {
        if a != b {
            found.push(Difference { what, interpreter: a, native: b });
        }
    };
    compare("outcome".into(), a.end.show(), b.end.show());
    compare("output".into(), hex::encode_prefixed(&a.output), hex::encode_prefixed(&b.output));
    compare("created account".into(), show_option(a.created), show_option(b.created));
    compare("gas used".into(), a.gas.used.to_string(), b.gas.used.to_string());
    compare("gas of the execution".into(), a.gas.execution.to_string(), b.gas.execution.to_string());
    compare("gas refunded".into(), a.gas.refunded.to_string(), b.gas.refunded.to_string());
    compare("number of logs".into(), a.logs.len().to_string(), b.logs.len().to_string());
    for (index, (a, b)) in a.logs.iter().zip(&b.logs).enumerate() {
        compare(format!("log {index}"), show_log(a), show_log(b));
    }
    for (address, slot) in union(&world_a.slots, &world_b.slots) {
        let value = |world: &Snapshot| show_slot(world.slots.get(&(address, slot)));
        compare(format!("slot {slot:#x} of {address}"), value(world_a), value(world_b));
    }
    for address in union(&world_a.accounts, &world_b.accounts) {
        let value = |world: &Snapshot| world.accounts.get(&address).cloned().unwrap_or("absent".into());
        compare(format!("account {address}"), value(world_a), value(world_b));
    }
    found
}

/// Keys of both maps, each once.
fn union<K: Ord + Copy, V>(a: &BTreeMap<K, V>, b: &BTreeMap<K, V>) -> impl Iterator<Item = K> {
    let mut keys: Vec<K> = a.keys().chain(b.keys()).copied().collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
}

fn show_option(address: Option<Address>) -> String {
    address.map_or("none".into(), |address| address.to_string())
}

fn show_slot(value: Option<&U256>) -> String {
    value.map_or("unchanged".into(), |value| format!("{value:#x}"))
}

/// A log in hex, everything of it.
pub(crate) fn show_log(log: &Log) -> String {
    let topics: Vec<_> = log.topics.iter().map(|topic| topic.to_string()).collect();
    format!("{} topics [{}] data {}", log.address, topics.join(", "), log.data)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;

    use super::*;

    fn execution() -> Execution {
        let log = Log { address: Address::ZERO, topics: vec![B256::ZERO], data: Bytes::from(vec![1]) };
        Execution {
            end: End::Success,
            output: Bytes::from(vec![1, 2]),
            created: None,
            gas: Gas { used: 30_000, intrinsic: 21_000, execution: 9000, refunded: 0 },
            logs: vec![log],
            time: Duration::from_micros(1),
            blocks: Blocks { compiled: 0, interpreted: 3 },
        }
    }

    fn snapshot() -> Snapshot {
        let slot = ((Address::ZERO, U256::from(1)), U256::from(100));
        Snapshot { slots: [slot].into(), accounts: [(Address::ZERO, "balance 0".to_string())].into() }
    }

    fn found(change: impl FnOnce(&mut Execution, &mut Snapshot)) -> Vec<String> {
        let (mut native, mut world) = (execution(), snapshot());
        change(&mut native, &mut world);
        let found = differences((&execution(), &snapshot()), (&native, &world));
        found.into_iter().map(|d| format!("{}: {} / {}", d.what, d.interpreter, d.native)).collect()
    }

    #[test]
    fn time_and_blocks_may_differ() {
        let change = |native: &mut Execution, _: &mut Snapshot| {
            native.time = Duration::ZERO;
            native.blocks = Blocks { compiled: 3, interpreted: 0 };
        };
        assert_eq!(found(change), Vec::<String>::new());
    }

    #[test]
    fn each_part_is_compared() {
        let zero = Address::ZERO;
        assert_eq!(found(|e, _| e.end = End::Revert), ["outcome: success / revert"]);
        assert_eq!(found(|e, _| e.end = End::Trap(Trap::OutOfGas)), ["outcome: success / trap: out of gas"]);
        assert_eq!(found(|e, _| e.output = Bytes::new()), ["output: 0x0102 / 0x"]);
        assert_eq!(found(|e, _| e.gas.used += 1), ["gas used: 30000 / 30001"]);
        assert_eq!(found(|e, _| e.gas.execution -= 1), ["gas of the execution: 9000 / 8999"]);
        assert_eq!(found(|e, _| e.gas.refunded = 4800), ["gas refunded: 0 / 4800"]);
        assert_eq!(found(|e, _| e.logs.clear()), ["number of logs: 1 / 0"]);
        assert_eq!(found(|e, _| e.created = Some(zero)), [format!("created account: none / {zero}")]);
        assert!(found(|e, _| e.logs[0].data = Bytes::new())[0].starts_with("log 0: "));
        assert_eq!(found(|_, w| w.slots.clear()), [format!("slot 0x1 of {zero}: 0x64 / unchanged")]);
        let other = |_: &mut Execution, w: &mut Snapshot| {
            w.slots.insert((zero, U256::from(2)), U256::from(5));
        };
        assert_eq!(found(other), [format!("slot 0x2 of {zero}: unchanged / 0x5")]);
        assert_eq!(found(|_, w| w.accounts.clear()), [format!("account {zero}: balance 0 / absent")]);
    }
}
