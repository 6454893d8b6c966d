//! What a program did, in terms that both tiers must agree on.

use std::collections::BTreeMap;
use std::fmt;

use alloy_primitives::{Address, Bytes, U256};
use zvm::call_stack::Request;
use zvm::compiled::frame::Frame;
use zvm::host::Log;
use zvm::outcome::Exit;

use crate::host::TestHost;

/// Everything that can be seen of a frame's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// How the frame ended.
    pub exit: Exit,
    /// Gas left; 0 after a trap.
    pub gas_left: u64,
    /// Return data; none after a trap.
    pub output: Bytes,
    /// Words, bottom first, at a successful end.
    pub stack: Vec<U256>,
    /// Memory at a successful end.
    pub memory: Vec<u8>,
    /// Logs of a successful frame.
    pub logs: Vec<Log>,
    /// Storage after the frame; `None` when the frame failed and its changes are undone.
    pub storage: Option<BTreeMap<U256, U256>>,
    /// Transient storage, likewise.
    pub transient: Option<BTreeMap<U256, U256>>,
    /// Refund of a successful frame.
    pub refund: i64,
    /// Calls and creations that the frame asked for.
    pub requests: Vec<Request>,
    /// Beneficiary of the `selfdestruct` that ended the frame.
    pub beneficiary: Option<Address>,
}

/// Blocks that ran in each tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockCounts {
    /// By the interpreter.
    pub interpreted: u64,
    /// By compiled code.
    pub compiled: u64,
}

impl Observed {
    /// Looks at a frame that ended with `exit`. What an unsuccessful end undoes is left out.
    pub fn of(exit: Exit, frame: &Frame, host: TestHost) -> Observed {
        let success = matches!(exit, Exit::Halt | Exit::Return);
        let lost = matches!(exit, Exit::Trap(_));
        Observed {
            exit,
            gas_left: if lost { 0 } else { frame.gas },
            output: if lost { Bytes::new() } else { frame.output.clone() },
            stack: if success { frame.stack.words().to_vec() } else { Vec::new() },
            memory: if success { frame.memory.bytes().to_vec() } else { Vec::new() },
            storage: success.then(|| host.storage()),
            transient: success.then(|| host.transient()),
            refund: if success { host.refund } else { 0 },
            requests: host.requests,
            beneficiary: host.beneficiary,
            logs: if success { host.logs } else { Vec::new() },
        }
    }

    /// Names what differs between two tiers' views; `None` if nothing does.
    pub fn difference(&self, other: &Observed) -> Option<String> {
        let mut parts = Vec::new();
        let mut compare = |name: &str, equal: bool, left: String, right: String| {
            if !equal {
                parts.push(format!("{name}: {left} against {right}"));
            }
        };
        let show = |value: &dyn fmt::Debug| format!("{value:?}");
        compare("outcome", self.exit == other.exit, exit_name(self.exit), exit_name(other.exit));
        compare("gas left", self.gas_left == other.gas_left, show(&self.gas_left), show(&other.gas_left));
        compare("output", self.output == other.output, show(&self.output), show(&other.output));
        compare("stack", self.stack == other.stack, words(&self.stack), words(&other.stack));
        compare("memory", self.memory == other.memory, memory(&self.memory), memory(&other.memory));
        compare("logs", self.logs == other.logs, show(&self.logs), show(&other.logs));
        compare("storage", self.storage == other.storage, show(&self.storage), show(&other.storage));
        compare(
            "transient storage",
            self.transient == other.transient,
            show(&self.transient),
            show(&other.transient),
        );
        compare("requests", self.requests == other.requests, show(&self.requests), show(&other.requests));
        compare(
            "beneficiary",
            self.beneficiary == other.beneficiary,
            show(&self.beneficiary),
            show(&other.beneficiary),
        );
        compare("refund", self.refund == other.refund, show(&self.refund), show(&other.refund));
        (!parts.is_empty()).then(|| parts.join("\n  "))
    }
}

/// The name of an exit as expected lines write it.
pub fn exit_name(exit: Exit) -> String {
    match exit {
        Exit::Halt => "halt".to_owned(),
        Exit::Return => "return".to_owned(),
        Exit::Revert => "revert".to_owned(),
        Exit::Trap(trap) => trap.name().to_owned(),
        Exit::HostError => "host error".to_owned(),
        Exit::MemoryLimit => "memory limit".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// Words in brackets, bottom first: small ones decimal, others hexadecimal.
pub fn words(words: &[U256]) -> String {
    let list: Vec<String> = words.iter().map(word).collect();
    format!("[{}]", list.join(", "))
}

/// A word: decimal below 2^16, else hexadecimal.
pub fn word(word: &U256) -> String {
    if *word < U256::from(0x1_0000) { word.to_string() } else { format!("{word:#x}") }
}

fn memory(bytes: &[u8]) -> String {
    format!("{} bytes 0x{}", bytes.len(), alloy_primitives::hex::encode(bytes))
}
