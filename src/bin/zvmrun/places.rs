//! Where in the source a failure happened: the container's maps and texts, and the operations that ran last.
//!
//! `explore` shows the contract's own file line by line; this knows every file, and only places.

use kalix::source::SOURCE_SIZE_MAX;
use serde_json::{Value, json};
use zvm::bytecode::{Encoding, NATIVE_PREFIX, Op, instructions};

use crate::program::Program;
use crate::trail::FailedFrame;

/// The longest output of an end that several checks share: a panic.
const SHARED_OUTPUT_BYTES_MAX: usize = 36;

/// A place in a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourcePlace {
    pub(crate) file: String,
    /// From 1.
    pub(crate) line: usize,
    /// In characters, from 1.
    pub(crate) column: usize,
    /// What stands there, its first line.
    pub(crate) text: String,
}

impl SourcePlace {
    /// `file:line:column: text`.
    pub(crate) fn show(&self) -> String {
        format!("{}:{}:{}: {}", self.file, self.line, self.column, self.text)
    }

    pub(crate) fn json(&self) -> Value {
        json!({ "file": self.file, "line": self.line, "column": self.column, "text": self.text })
    }
}

/// One entry of a source map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MapEntry {
    /// Body offset of the operation.
    pub(crate) pc: usize,
    pub(crate) start: usize,
    pub(crate) length: usize,
    /// The number of the file among those of the map.
    pub(crate) file: usize,
}

/// Reads a map: `offset:start:length:file:jump` for each operation, an empty field is that of the entry before.
pub(crate) fn read_map(map: &str) -> Vec<MapEntry> {
    let (mut start, mut length, mut file) = (0, 0, 0);
    let mut entries = Vec::new();
    for entry in map.split(';') {
        let mut fields = entry.split(':').map(|field| field.parse::<usize>().ok());
        let Some(Some(pc)) = fields.next() else { continue };
        start = fields.next().flatten().unwrap_or(start);
        length = fields.next().flatten().unwrap_or(length);
        file = fields.next().flatten().unwrap_or(file);
        entries.push(MapEntry { pc, start, length, file });
    }
    entries.sort_unstable_by_key(|entry| entry.pc);
    entries
}

/// The text of a file in a container's section `SRCS`, with blanks instead of what was left out of it: the insides of other
/// contracts, whole lines.
pub(crate) fn text_of(carried: &Value) -> Option<String> {
    let Some(parts) = carried.as_array() else { return carried.as_str().map(str::to_owned) };
    let mut text = String::new();
    for part in parts {
        if let Some(part) = part.as_str() {
            text.push_str(part);
            continue;
        }
        let [bytes, lines] = [part[0].as_u64()?, part[1].as_u64()?].map(|n| usize::try_from(n).ok());
        // The numbers are anybody's: no file of the compiler's is larger.
        let (bytes, lines) =
            (bytes.filter(|&bytes| bytes <= SOURCE_SIZE_MAX.saturating_sub(text.len()))?, lines?);
        text.extend(std::iter::repeat_n(' ', bytes.checked_sub(lines)?));
        text.extend(std::iter::repeat_n('\n', lines));
    }
    Some(text)
}

/// The maps of a contract with the texts of its files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    files: Vec<(String, Option<String>)>,
    runtime: Vec<MapEntry>,
    init: Vec<MapEntry>,
}

impl Places {
    /// What the container carries; nothing of what it carries damaged.
    pub(crate) fn of(program: &Program) -> Places {
        let parse = |text: &[u8]| serde_json::from_slice::<Value>(text).unwrap_or_default();
        let abi = program.abi_text.as_deref().map(|text| parse(text.as_bytes())).unwrap_or_default();
        let sources = program.sources.as_deref().map(|text| parse(text)).unwrap_or_default();
        let maps = &abi["source_map"];
        let names = maps["files"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let map = |name: &str| maps[name].as_str().map(read_map).unwrap_or_default();
        Places {
            files: names.map(|name| (name.to_owned(), text_of(&sources[name]))).collect(),
            runtime: map("map"),
            init: map("init_map"),
        }
    }

    /// Whether there is a place that could be named.
    pub(crate) fn is_empty(&self) -> bool {
        self.files.iter().all(|file| file.1.is_none())
    }

    /// Where a frame of the contract failed.
    pub(crate) fn of_frame(&self, frame: &FailedFrame) -> Option<SourcePlace> {
        let map = if frame.is_creation { &self.init } else { &self.runtime };
        let last = *frame.trail.last()?;
        let (body, encoding) = match frame.code.strip_prefix(&NATIVE_PREFIX[..]) {
            Some(body) => (body, Encoding::Zvm),
            None => (&frame.code[..], Encoding::Evm),
        };
        let decoded: Vec<_> = instructions(body, encoding).collect();
        let find = |pc: usize| decoded.binary_search_by_key(&pc, |instruction| instruction.offset).ok();
        // What the compiler adds stands for the whole contract.
        let whole = map.iter().map(|entry| entry.length).max();
        let is_whole = |pc: usize| entry_at(map, pc).is_none_or(|entry| Some(entry.length) == whole);
        let op_at = |pc: usize| find(pc).and_then(|at| decoded[at].op);
        // Checks that fail alike share the end that reverts: the jump to it tells which one it was.
        if matches!(op_at(last), Some(Op::Revert | Op::Panic))
            && frame.output.len() <= SHARED_OUTPUT_BYTES_MAX
        {
            let mut pairs = frame.trail.windows(2).rev();
            let decided = pairs.find(|pair| matches!(op_at(pair[0]), Some(Op::Jump | Op::JumpI)));
            let jump = decided.filter(|pair| find(pair[0]).is_none_or(|at| decoded[at].next != pair[1]));
            let place = jump.filter(|pair| !is_whole(pair[0])).and_then(|pair| self.place(map, pair[0]));
            if place.is_some() {
                return place;
            }
        }
        // Where that failed, what led there.
        let led = frame.trail.iter().rev().copied().find(|&pc| !is_whole(pc));
        self.place(map, led.unwrap_or(last))
    }

    fn place(&self, map: &[MapEntry], pc: usize) -> Option<SourcePlace> {
        let entry = entry_at(map, pc)?;
        let (name, Some(text)) = self.files.get(entry.file)? else { return None };
        let (before, rest) = (text.get(..entry.start)?, text.get(entry.start..)?);
        if entry.length == 0 {
            return None;
        }
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let written = rest.get(..entry.length).unwrap_or(rest);
        let first = written.lines().next().unwrap_or_default().trim_end();
        if first.is_empty() {
            return None;
        }
        Some(SourcePlace {
            file: name.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            text: if written.lines().nth(1).is_some() { format!("{first} …") } else { first.to_owned() },
        })
    }
}

fn entry_at(map: &[MapEntry], pc: usize) -> Option<MapEntry> {
    map.binary_search_by_key(&pc, |entry| entry.pc).ok().map(|at| map[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(pc: usize, start: usize, length: usize, file: usize) -> MapEntry {
        MapEntry { pc, start, length, file }
    }

    #[test]
    fn empty_fields_of_a_map_are_those_before() {
        let read = |map| read_map(map).iter().map(|e| (e.pc, e.start)).collect::<Vec<_>>();
        assert_eq!(read("0:7:3:0:-;2;4:9;6:0:0;8::5"), [(0, 7), (2, 7), (4, 9), (6, 0), (8, 0)]);
        assert_eq!(read(""), []);
        assert_eq!(read("x:1:2;1:y:3"), [(1, 0)]);
        assert_eq!(read_map("0:5:1:0:-;1:6:1:1"), [entry(0, 5, 1, 0), entry(1, 6, 1, 1)]);
    }

    #[test]
    fn what_was_left_out_of_a_text_is_blank() {
        let text = "contract A {\n  \u{e4}\n\n}\ncontract B { }\n";
        let gap = text.find('}').unwrap() - 13;
        let filled = text_of(&json!(["contract A {\n", [gap, 2], "}\ncontract B { }\n"])).unwrap();
        assert_eq!((filled.len(), filled.find("B")), (text.len(), text.find("B")));
        assert_eq!((filled.lines().count(), filled.lines().nth(4)), (5, Some("contract B { }")));
        assert_eq!(text_of(&json!(text)).as_deref(), Some(text));
        for damaged in [json!(null), json!([[1]]), json!([[1, 2]]), json!([[1_u64 << 60, 1]]), json!([null])]
        {
            assert_eq!(text_of(&damaged), None, "{damaged}");
        }
    }

    #[test]
    fn a_place_has_line_and_column_in_characters() {
        let places = Places {
            files: vec![
                ("a.kalix".to_owned(), Some("one\nä two\nthree".to_owned())),
                ("b.kalix".to_owned(), None),
            ],
            runtime: vec![
                entry(0, 7, 3, 0),
                entry(2, 7, 9, 0),
                entry(3, 0, 1, 1),
                entry(4, 90, 1, 0),
                entry(5, 0, 0, 0),
            ],
            init: Vec::new(),
        };
        let shown = |pc| places.place(&places.runtime, pc).map(|place| place.show());
        assert_eq!(shown(0).as_deref(), Some("a.kalix:2:3: two"));
        assert_eq!(shown(2).as_deref(), Some("a.kalix:2:3: two …"));
        for pc in [1, 3, 4, 5] {
            assert_eq!(shown(pc), None, "{pc}");
        }
    }
}
