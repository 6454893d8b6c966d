//! A program and the circumstances it runs in, as a value and as `.zvm` text with `;!` headers.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use alloy_primitives::{Bytes, U256};
use zvm::bytecode::{Code, DisasmOptions, Encoding, disassemble};
use zvm::compiled::frame::{Message, Spec};
use zvm::fork::Fork;

use crate::host::{CALLER, CONTRACT};
use crate::observe;

/// Gas of a program that says nothing else.
pub const DEFAULT_GAS: u64 = 1_000_000;

/// Code of one frame and what it is called with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Encoding of the code.
    pub encoding: Encoding,
    /// Code, without a prefix.
    pub code: Vec<u8>,
    /// Circumstances.
    pub setting: Setting,
}

/// What a frame is called with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Fork of the block.
    pub fork: Fork,
    /// Gas of the frame.
    pub gas: u64,
    /// Call data.
    pub input: Bytes,
    /// Value that CALLVALUE reports.
    pub value: U256,
    /// Whether state changes are refused.
    pub is_static: bool,
    /// Storage before the frame.
    pub storage: BTreeMap<U256, U256>,
}

impl Setting {
    /// The newest fork, plenty of gas, nothing else.
    pub fn plain() -> Setting {
        Setting {
            fork: Fork::LATEST,
            gas: DEFAULT_GAS,
            input: Bytes::new(),
            value: U256::ZERO,
            is_static: false,
            storage: BTreeMap::new(),
        }
    }

    /// The rules of the run.
    pub fn spec(&self) -> Spec {
        Spec { fork: self.fork, native_code: true, hedera: false }
    }

    /// The message of the frame.
    pub fn message(&self) -> Message {
        Message {
            address: CONTRACT,
            caller: CALLER,
            value: self.value,
            input: self.input.clone(),
            is_static: self.is_static,
            depth: 0,
        }
    }
}

impl Program {
    /// The code, analyzed.
    pub fn to_code(&self) -> Arc<Code> {
        Arc::new(match self.encoding {
            Encoding::Zvm => Code::native(&self.code),
            Encoding::Evm => Code::evm(self.code.clone()),
        })
    }

    /// A filetest that runs this program.
    pub fn to_text(&self) -> String {
        let plain = Setting::plain();
        let Setting { fork, gas, input, value, is_static, storage } = &self.setting;
        let mut text = String::from(";! test run\n");
        let mut header = |line: String| writeln!(text, ";! {line}").expect("writing to a string");
        if *fork != plain.fork {
            header(format!("fork {}", fork.name()));
        }
        if *gas != plain.gas {
            header(format!("gas {gas}"));
        }
        if !input.is_empty() {
            header(format!("calldata {input}"));
        }
        if !value.is_zero() {
            header(format!("value {}", observe::word(value)));
        }
        if *is_static {
            header("static".to_owned());
        }
        for (key, value) in storage {
            header(format!("storage {} {}", observe::word(key), observe::word(value)));
        }
        text + &disassemble(&self.code, self.encoding, DisasmOptions { offsets: false })
    }
}
