//! One execution: a program with one input, run in one way.

use alloy_primitives::{Bytes, U256};
use testkit::host::{CALLER, CONTRACT};
use testkit::program::Program;
use zvm::bytecode::Encoding;
use zvm::tx::Transaction;

use crate::gate::Gate;
use crate::variant::Variant;
use crate::world::GAS_PRICE;

/// A program, what it is called with, and the contracts around it.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Code and circumstances.
    pub program: Program,
    /// Code of the other contracts, with its prefix if it is native.
    pub companions: Vec<Bytes>,
    /// Whether the program is a transaction's init code, and not the contract that it calls.
    pub is_creation: bool,
}

/// What an execution runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A single frame whose calls are answered by a fixed rule: stack and memory are seen too.
    Frame,
    /// A whole transaction with real calls; in Ethereum's encoding revm sees the same.
    Transaction,
}

/// One execution.
#[derive(Clone, Debug)]
pub struct Execution {
    /// The program and its input.
    pub subject: Subject,
    /// What of it runs.
    pub kind: Kind,
    /// How it is compiled.
    pub variant: Variant,
    /// Where compiled code is entered.
    pub gate: Gate,
}

impl Subject {
    /// The transaction, with the setting's gas for its top frame.
    pub fn transaction(&self) -> Transaction {
        let setting = &self.program.setting;
        let (to, data) = if self.is_creation {
            (None, self.program.to_code().raw().clone())
        } else {
            (Some(CONTRACT), setting.input.clone())
        };
        // What the sender can pay.
        let value = setting.value & U256::from(0xff_ffff);
        let price = U256::from(GAS_PRICE);
        let mut transaction = Transaction::legacy(CALLER, to, value, data, 0, price);
        let needed = transaction.intrinsic_gas() + setting.gas;
        transaction.gas_limit = needed.max(transaction.floor_gas(setting.fork));
        transaction
    }

    /// Whether native code has a meaning in this world; without it, revm can judge.
    pub fn is_native(&self) -> bool {
        self.program.encoding == Encoding::Zvm
    }
}
