//! A difference as a file that runs again, whatever becomes of the generators.

use std::fs;
use std::path::Path;

use alloy_primitives::{Bytes, U256, hex};
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use testkit::program::{Program, Setting};
use zvm::Fork;
use zvm::bytecode::Encoding;

use crate::execution::{Execution, Kind, Subject};
use crate::gate::Gate;
use crate::variant::Variant;

/// Version of the form.
const FORMAT: u32 = 1;

/// An execution as JSON; bytes and words are hexadecimal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    format: u32,
    /// Where it was found: seed of the campaign and number of the program.
    pub origin: String,
    /// What differed.
    pub difference: String,
    is_native: bool,
    code: String,
    companions: Vec<String>,
    is_creation: bool,
    is_frame: bool,
    fork: String,
    gas: u64,
    input: String,
    value: String,
    is_static: bool,
    storage: Vec<(String, String)>,
    variant: Variant,
    gate: Gate,
    /// The program for people; not read.
    text: Vec<String>,
}

impl Case {
    /// The file of an execution.
    pub fn new(origin: String, difference: String, execution: &Execution) -> Case {
        let Execution { subject, kind, variant, gate } = execution;
        let Setting { fork, gas, input, value, is_static, storage } = &subject.program.setting;
        let word = |word: &U256| format!("{word:#x}");
        Case {
            format: FORMAT,
            origin,
            difference,
            is_native: subject.is_native(),
            code: hex::encode(&subject.program.code),
            companions: subject.companions.iter().map(hex::encode).collect(),
            is_creation: subject.is_creation,
            is_frame: *kind == Kind::Frame,
            fork: fork.name().to_owned(),
            gas: *gas,
            input: hex::encode(input),
            value: word(value),
            is_static: *is_static,
            storage: storage.iter().map(|(key, value)| (word(key), word(value))).collect(),
            variant: variant.clone(),
            gate: *gate,
            text: subject.program.to_text().lines().map(str::to_owned).collect(),
        }
    }

    /// The execution of a file.
    pub fn execution(&self) -> Result<Execution> {
        if self.format != FORMAT {
            bail!("form {} of case files is not known", self.format);
        }
        let word = |text: &String| text.parse::<U256>().with_context(|| format!("`{text}` is not a word"));
        let storage = self.storage.iter().map(|(key, value)| Ok((word(key)?, word(value)?)));
        let setting = Setting {
            fork: Fork::from_name(&self.fork).with_context(|| format!("no fork is called {}", self.fork))?,
            gas: self.gas,
            input: Bytes::from(hex::decode(&self.input)?),
            value: word(&self.value)?,
            is_static: self.is_static,
            storage: storage.collect::<Result<_>>()?,
        };
        let encoding = if self.is_native { Encoding::Zvm } else { Encoding::Evm };
        let companions = self.companions.iter().map(|code| Ok(Bytes::from(hex::decode(code)?)));
        Ok(Execution {
            subject: Subject {
                program: Program { encoding, code: hex::decode(&self.code)?, setting },
                companions: companions.collect::<Result<_>>()?,
                is_creation: self.is_creation,
            },
            kind: if self.is_frame { Kind::Frame } else { Kind::Transaction },
            variant: self.variant.clone(),
            gate: self.gate,
        })
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Case> {
        let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is not a case file", path.display()))
    }

    /// Writes a file.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(path, text).with_context(|| format!("writing {}", path.display()))
    }
}
