//! Layout locks: reads what was recorded, has the compiler compare, and says what to record next.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;
use kalix::codegen::layout_lock;
use kalix::driver::Compilation;
use kalix::sema::typed::Contract;
use serde_json::{Map, Value, json};

use crate::read_text;

/// The records of this build, by file.
#[derive(Default)]
pub(crate) struct Locks {
    /// The file of `--layout-lock`.
    named: Option<PathBuf>,
    files: HashMap<PathBuf, Map<String, Value>>,
}

impl Locks {
    /// With the file of `--layout-lock`, if one was named.
    pub(crate) fn new(named: Option<&Path>) -> Locks {
        Locks { named: named.map(Path::to_path_buf), files: HashMap::new() }
    }

    /// Compares the contracts of a compilation with what is recorded; mistakes join its diagnostics.
    pub(crate) fn check(&mut self, source: &Path, compilation: &mut Compilation) -> anyhow::Result<()> {
        if compilation.has_errors() {
            return Ok(());
        }
        let program = &compilation.program;
        let own = program.contracts.iter().filter(|contract| !contract.is_imported);
        for contract in own {
            for file in self.files_of(source, contract) {
                let records = self.records(&file)?;
                if let Some(recorded) = records.get(&contract.name) {
                    let shown = file.display().to_string();
                    layout_lock::check(recorded, program, contract, &shown, &mut compilation.diagnostics);
                }
                if !compilation.diagnostics.has_errors() {
                    let now = layout_lock::record(program, contract);
                    self.records(&file)?.insert(contract.name.clone(), now);
                }
            }
        }
        compilation.diagnostics.sort();
        Ok(())
    }

    /// The files that record a contract: that of the command line, and that of its attribute, beside the source.
    fn files_of(&self, source: &Path, contract: &Contract) -> Vec<PathBuf> {
        let beside = |file: &String| source.parent().unwrap_or(Path::new("")).join(file);
        let own = contract.layout_lock.as_ref().map(|lock| beside(&lock.0));
        self.named.iter().cloned().chain(own).collect()
    }

    fn records(&mut self, file: &Path) -> anyhow::Result<&mut Map<String, Value>> {
        if !self.files.contains_key(file) {
            self.files.insert(file.to_path_buf(), read_records(file)?);
        }
        Ok(self.files.entry(file.to_path_buf()).or_default())
    }

    /// The files to write, with their contents.
    pub(crate) fn outputs(&self) -> Vec<(PathBuf, String)> {
        let text = |records: &Map<String, Value>| format!("{:#}\n", json!({ "layouts": records }));
        let mut files: Vec<_> =
            self.files.iter().map(|(file, records)| (file.clone(), text(records))).collect();
        files.sort();
        files
    }
}

/// What a file records; nothing if there is no such file yet.
fn read_records(file: &Path) -> anyhow::Result<Map<String, Value>> {
    let text = match read_text(file) {
        Ok(text) => text,
        Err(error)
            if error
                .downcast_ref::<std::io::Error>()
                .is_some_and(|error| error.kind() == ErrorKind::NotFound) =>
        {
            return Ok(Map::new());
        }
        Err(error) => return Err(error),
    };
    let value: Value =
        serde_json::from_str(&text).with_context(|| format!("{} is no layout lock", file.display()))?;
    let records = value["layouts"].as_object().cloned();
    records.with_context(|| format!("{} is no layout lock: it has no member `layouts`", file.display()))
}
