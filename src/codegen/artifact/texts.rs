//! The source texts as containers carry them, made once for all contracts of a compilation.
//!
//! A container's section `SRCS` is a JSON object with the text of each file by its name. A contract has the rest of its
//! files, but not the insides of other contracts unless code of its own stands for them: otherwise what a compilation
//! writes would grow with contracts times lines. A text with such gaps is an array of strings, what was left out between two
//! of them being `[bytes, lines]`: whole lines, so that offsets, lines and columns of everything else are still told.

use std::fmt::Write;

use alloy_primitives::keccak256;
use serde_json::Value;

use crate::sema::typed::Program;
use crate::source::{Source, Span};

/// The files of a compilation, ready to be written into containers.
pub struct SourceTexts<'s> {
    /// The files.
    pub source: &'s Source,
    /// keccak256 of the text of all files.
    pub hash: [u8; 32],
    /// One per file.
    files: Vec<Vec<Piece>>,
}

/// A part of a file.
struct Piece {
    /// The JSON string that it is, without quotation marks.
    json: String,
    /// Where it stands in all files together.
    span: Span,
    /// The contract whose inside it is.
    inside: Option<Span>,
    lines: usize,
}

impl<'s> SourceTexts<'s> {
    /// Takes the files apart where contracts of `program` begin and end.
    pub fn of(source: &'s Source, program: &Program) -> SourceTexts<'s> {
        let mut contracts: Vec<Span> = program.contracts.iter().map(|contract| contract.span).collect();
        contracts.sort_unstable();
        // A contract and its copy with tests are one.
        contracts.dedup();
        let files = source.file_spans().map(|file| pieces(source, file, &contracts)).collect();
        SourceTexts { source, hash: keccak256(source.text()).0, files }
    }

    /// The section `SRCS` of a contract; `used` are the places that its code stands for.
    pub(super) fn section(&self, contract: Span, used: impl Iterator<Item = Span>) -> Vec<u8> {
        let mut kept = vec![contract];
        for span in used {
            if !kept.iter().any(|around| around.start <= span.start && span.start < around.end) {
                let inside = self.files.iter().flatten().filter_map(|piece| piece.inside);
                kept.extend(inside.filter(|around| around.start <= span.start && span.start < around.end));
            }
        }
        let is_kept = |piece: &Piece| piece.inside.is_none_or(|contract| kept.contains(&contract));
        let mut json = String::from("{");
        for ((name, _), pieces) in self.source.files().zip(&self.files) {
            if json.len() > 1 {
                json.push(',');
            }
            write!(json, "{}:", Value::from(name)).expect("a string grows");
            let is_whole = pieces.iter().all(is_kept);
            json.push_str(if is_whole { "\"" } else { "[\"" });
            for piece in pieces {
                if is_kept(piece) {
                    json.push_str(&piece.json);
                } else {
                    write!(json, "\",[{},{}],\"", piece.span.len(), piece.lines).expect("a string grows");
                }
            }
            json.push_str(if is_whole { "\"" } else { "\"]" });
        }
        json.push('}');
        json.into_bytes()
    }
}

/// Cuts a file before and behind the inner lines of each contract.
fn pieces(source: &Source, file: Span, contracts: &[Span]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut add = |span: Span, inside: Option<Span>| {
        let text = source.slice(span);
        let quoted = Value::from(text).to_string();
        let json = quoted[1..quoted.len() - 1].to_owned();
        pieces.push(Piece { json, span, inside, lines: text.matches('\n').count() });
    };
    let mut at = file.start;
    for &contract in
        contracts.iter().filter(|contract| file.start <= contract.start && contract.end <= file.end)
    {
        let text = source.slice(contract);
        let (Some(first), Some(last)) = (text.find('\n'), text.rfind('\n')) else { continue };
        let inner = Span::new(contract.start + first as u32 + 1, contract.start + last as u32 + 1);
        add(Span::new(at, inner.start), None);
        add(inner, Some(contract));
        at = inner.end;
    }
    add(Span::new(at, file.end), None);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::{CompileOptions, compile};

    const TWO: &str = "contract A {\n    pub fn f() -> u8 {\n        1\n    }\n}\n/// \"B\".\ncontract B { pub fn g() -> u8 { 2 } }\ncontract C {\n    pub fn h() -> u8 { 3 }\n}\n";

    #[test]
    fn the_insides_of_other_contracts_are_left_out() {
        let compilation = compile(&Source::new("a.kalix", TWO), &CompileOptions::STANDARD);
        let texts = SourceTexts::of(&compilation.source, &compilation.program);
        let section = |index: usize, used: &[u32]| -> Value {
            let used = used.iter().map(|&at| Span::at(at));
            let bytes = texts.section(compilation.program.contracts[index].span, used);
            serde_json::from_slice(&bytes).expect("JSON")
        };
        let (inner_a, inner_c) = (TWO.find("    pub fn f").unwrap(), TWO.find("    pub fn h").unwrap());
        let (end_a, end_c) = (TWO.find("}\n/// ").unwrap(), TWO.len() - 2);
        let gap_a = serde_json::json!([end_a - inner_a, 3]);
        let gap_c = serde_json::json!([end_c - inner_c, 1]);
        let (head, middle, tail) = (&TWO[..inner_a], &TWO[end_a..inner_c], &TWO[end_c..]);
        assert_eq!(section(1, &[])["a.kalix"], serde_json::json!([head, gap_a, middle, gap_c, tail]));
        assert_eq!(section(0, &[])["a.kalix"], serde_json::json!([&TWO[..inner_c], gap_c, tail]));
        // Code of one contract in another.
        assert_eq!(section(0, &[3, inner_c as u32])["a.kalix"], TWO);
    }
}
