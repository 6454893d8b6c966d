//! The source of a contract, and which part of it each operation comes from.

use std::fs;
use std::path::{Path, PathBuf};

use alloy_primitives::{hex, keccak256};
use serde_json::Value;

use crate::failure::Failure;
use crate::places::{read_map, text_of};
use crate::program::Program;
use crate::status::Status;

/// A source file and the map that goes with it.
#[derive(Clone, Debug, Default)]
pub(super) struct SourceText {
    /// The file's name.
    pub(super) name: String,
    /// Its lines.
    pub(super) lines: Vec<String>,
    /// Body offset and line, counted from 0, of each operation that has one; ascending.
    places: Vec<(usize, usize)>,
}

impl SourceText {
    /// The line that an operation comes from.
    pub(super) fn line(&self, pc: usize) -> Option<usize> {
        let index = self.places.binary_search_by_key(&pc, |place| place.0).ok()?;
        Some(self.places[index].1)
    }
}

/// Finds the source that belongs to the contract: the file that was named, the text that the container carries, or a file
/// beside it. `None` where there is no map or no text.
pub(super) fn find(
    program: &Program,
    file: &Path,
    named: Option<&Path>,
) -> Result<Option<SourceText>, Failure> {
    let Some(abi) = &program.abi_text else { return Ok(None) };
    let abi: Value = serde_json::from_str(abi).unwrap_or_default();
    let (Some(name), Some(map)) = (abi["source_map"]["files"][0].as_str(), abi["source_map"]["map"].as_str())
    else {
        return Ok(None);
    };
    let expected = abi["compiler"]["source_hash"].as_str();
    let is_right = |text: &str| expected == Some(&*hex::encode_prefixed(keccak256(text)));
    if let Some(path) = named {
        let failure = |message: String| Failure::new(Status::File, message).at(path.display().to_string());
        let text =
            fs::read_to_string(path).map_err(|error| failure(format!("cannot read the source: {error}")))?;
        if !is_right(&text) {
            return Err(failure("this is not the source that the contract was compiled from".into())
                .help("compile it again, or name the file as it was then"));
        }
        return Ok(Some(source_text(name, &text, map)));
    }
    let carried: Value =
        program.sources.as_deref().and_then(|text| serde_json::from_slice(text).ok()).unwrap_or_default();
    if let Some(text) = text_of(&carried[name]) {
        return Ok(Some(source_text(name, &text, map)));
    }
    let beside = |name: &str| Some(file.parent()?.join(Path::new(name).file_name()?));
    let candidates = [Some(PathBuf::from(name)), beside(name)];
    let mut texts = candidates.into_iter().flatten().filter_map(|path| fs::read_to_string(path).ok());
    Ok(texts.find(|text| is_right(text)).map(|text| source_text(name, &text, map)))
}

fn source_text(name: &str, text: &str, map: &str) -> SourceText {
    let starts: Vec<usize> =
        std::iter::once(0).chain(text.match_indices('\n').map(|(index, _)| index + 1)).collect();
    let line = |offset: usize| starts.partition_point(|&start| start <= offset).saturating_sub(1);
    SourceText {
        name: name.to_owned(),
        lines: text.lines().map(str::to_owned).collect(),
        // Only the contract's own file is shown.
        places: read_map(map)
            .into_iter()
            .filter(|entry| entry.length > 0 && entry.file == 0)
            .map(|entry| (entry.pc, line(entry.start)))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_lies_on_a_line() {
        let source = source_text("a.kalix", "one\ntwo\n\nfour", "0:0:1:0:-;1:3;2:4;5:9");
        let lines = [0, 1, 2, 3, 5].map(|pc| source.line(pc));
        assert_eq!(lines, [Some(0), Some(0), Some(1), None, Some(3)]);
        assert_eq!(source.lines, ["one", "two", "", "four"]);
    }
}
