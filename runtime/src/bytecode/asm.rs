//! The assembler: `.zvm` text to bytes.
//!
//! One instruction per line, mnemonics from the opcode table; the form is described in `docs/vm/assembly.md`.
//! Nothing is optimized, padded or implied: what a line says is what it emits, so that
//! [`disasm`](super::disasm) can write any bytes as text that assembles back to them.

use std::collections::BTreeMap;
use std::fmt;

use alloy_primitives::U256;

use super::analyze::Code;
use super::encoding::Encoding;
use super::info::Op;

/// Bytes made from text, and what is known about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assembly {
    /// The encoding that the text chose; native if it chose none.
    pub encoding: Encoding,
    /// The code, without a prefix.
    pub code: Vec<u8>,
    /// Offset of each instruction or data line and the text line (from 1) it came from, ascending.
    pub lines: Vec<(usize, usize)>,
}

impl Assembly {
    /// The code as an account would hold it, analyzed.
    pub fn to_code(&self) -> Code {
        match self.encoding {
            Encoding::Zvm => Code::native(&self.code),
            Encoding::Evm => Code::evm(self.code.clone()),
        }
    }
}

/// A mistake in assembly text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct AsmError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong, and what to write instead.
    pub problem: AsmProblem,
}

/// What is wrong with a piece of assembly text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AsmProblem {
    /// No such mnemonic.
    #[error("unknown operation `{name}`{}", Hint(.similar))]
    UnknownOperation {
        /// As written.
        name: String,
        /// A mnemonic spelled nearly so.
        similar: Option<&'static str>,
    },
    /// No such directive.
    #[error("unknown directive `{0}`; there are `.zvm`, `.evm`, `.byte` and `.bytes`")]
    UnknownDirective(String),
    /// The encoding has no byte for the operation.
    #[error("`{op}` has no byte in the {} encoding; it exists in a file that starts with `.{}`", .encoding.name(), .other.name())]
    NotInEncoding {
        /// The operation.
        op: Op,
        /// The encoding of the file.
        encoding: Encoding,
        /// The one that has it.
        other: Encoding,
    },
    /// The encoding is chosen too late.
    #[error("the encoding is chosen once, before the first instruction")]
    LateEncoding,
    /// An operand is missing.
    #[error("`{name}` needs {needed}")]
    MissingOperand {
        /// Operation or directive.
        name: String,
        /// What kind of operand.
        needed: &'static str,
    },
    /// Something stands after the instruction.
    #[error("`{0}` is too much here; write one instruction per line, and comments after `;`")]
    Unexpected(String),
    /// Not a number.
    #[error("`{0}` is not a number; write decimal or `0x` hexadecimal, `_` may separate digits")]
    NotANumber(String),
    /// The number is too large for the bytes it goes to.
    #[error("{value} does not fit {bytes} byte(s); the largest number here is {max:#x}", max = largest(*.bytes))]
    TooLarge {
        /// As written.
        value: String,
        /// Bytes of the operand.
        bytes: usize,
    },
    /// A negative number where none fits.
    #[error("only `push32` takes a negative number, for shorter operands are extended with zeros")]
    Negative,
    /// Not a type.
    #[error("`{0}` is not a type; write `u8`, `u16`, ... `u256`, `i8`, ... `i256`, or the byte as a number")]
    NotAType(String),
    /// Malformed raw data.
    #[error("`{0}` is not hexadecimal data; write `0x` and an even number of digits")]
    NotHexData(String),
    /// A label that nothing defines.
    #[error("the label `{0}` is not defined; a label is defined by a line `{0}:`")]
    UndefinedLabel(String),
    /// A label that is defined twice.
    #[error("the label `{name}` is already defined in line {first_line}")]
    DuplicateLabel {
        /// The label.
        name: String,
        /// Where it is defined first.
        first_line: usize,
    },
    /// A name that cannot be a label.
    #[error("`{0}` cannot be a label; use letters, digits and `_`, and a letter or `_` first")]
    BadLabel(String),
    /// A label operand in an operation that takes none.
    #[error("`{op}` takes no label, only push operations do")]
    LabelNotAllowed {
        /// The operation.
        op: Op,
    },
    /// A label whose offset is too large for the operand.
    #[error("the offset {offset} of `{name}` does not fit {bytes} byte(s); use a wider push")]
    LabelTooFar {
        /// The label.
        name: String,
        /// Its offset in the code.
        offset: usize,
        /// Bytes of the operand.
        bytes: usize,
    },
}

/// Shows a suggestion where there is one.
struct Hint<'a>(&'a Option<&'static str>);

impl fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, "; did you mean `{name}`?"),
            None => f.write_str("; the operations are listed in docs/vm/opcodes.md"),
        }
    }
}

/// Assembles a whole file.
pub fn assemble(text: &str) -> Result<Assembly, AsmError> {
    let mut assembler = Assembler {
        encoding: None,
        code: Vec::new(),
        lines: Vec::new(),
        labels: BTreeMap::new(),
        fixups: Vec::new(),
    };
    for (index, line) in text.lines().enumerate() {
        assembler.line(index + 1, line)?;
    }
    assembler.finish()
}

/// The text of a type byte, such as `u64` or, for `ccast` from a signed operand, `u64 signed`.
///
/// `None` for illegal bytes and for operations whose immediate is no type.
pub(super) fn type_text(op: Op, byte: u8) -> Option<String> {
    if !takes_type(op) || !op.immediate_is_legal(byte) {
        return None;
    }
    let sign = if byte & 0x80 != 0 { 'i' } else { 'u' };
    let bits = u32::from(byte & 0x3f) * 8;
    let operand = if byte & 0x40 != 0 { " signed" } else { "" };
    Some(format!("{sign}{bits}{operand}"))
}

/// The byte of a type such as `u64`; bit 6 is clear.
fn type_byte(text: &str) -> Option<u8> {
    let (sign_bit, bits) = match text.split_at_checked(1)? {
        ("u", bits) => (0, bits),
        ("i", bits) => (0x80, bits),
        _ => return None,
    };
    if bits.starts_with(['0', '+']) {
        return None;
    }
    let bits: u16 = bits.parse().ok()?;
    let is_width = bits.is_multiple_of(8) && (8..=256).contains(&bits);
    is_width.then_some(sign_bit | (bits / 8) as u8)
}

fn takes_type(op: Op) -> bool {
    matches!(op, Op::CAdd | Op::CSub | Op::CMul | Op::CDiv | Op::CMod | Op::CNeg | Op::CExp | Op::CCast)
}

fn largest(bytes: usize) -> U256 {
    if bytes >= 32 { U256::MAX } else { (U256::ONE << (8 * bytes)) - U256::ONE }
}

fn is_label(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A piece of a line and its column.
#[derive(Clone, Copy)]
struct Token<'t> {
    text: &'t str,
    line: usize,
    column: usize,
}

impl Token<'_> {
    fn error(&self, problem: AsmProblem) -> AsmError {
        AsmError { line: self.line, column: self.column, problem }
    }
}

/// Splits a line at white space, up to the comment.
fn tokens(line: usize, text: &str) -> Vec<Token<'_>> {
    let text = text.split(';').next().unwrap_or("");
    let mut found = Vec::new();
    for piece in text.split_whitespace() {
        let start = piece.as_ptr() as usize - text.as_ptr() as usize;
        found.push(Token { text: piece, line, column: text[..start].chars().count() + 1 });
    }
    found
}

/// A place in the code that waits for a label's offset.
struct Fixup<'t> {
    label: Token<'t>,
    offset: usize,
    bytes: usize,
}

struct Assembler<'t> {
    encoding: Option<Encoding>,
    code: Vec<u8>,
    lines: Vec<(usize, usize)>,
    /// Offset and line of each label.
    labels: BTreeMap<&'t str, (usize, usize)>,
    fixups: Vec<Fixup<'t>>,
}

impl<'t> Assembler<'t> {
    fn line(&mut self, line: usize, text: &'t str) -> Result<(), AsmError> {
        let tokens = tokens(line, text);
        let mut rest = tokens.as_slice();
        while let [first, tail @ ..] = rest {
            let Some(name) = first.text.strip_suffix(':') else { break };
            self.define(*first, name)?;
            rest = tail;
        }
        let [first, operands @ ..] = rest else { return Ok(()) };
        if first.text.starts_with('.') {
            return self.directive(*first, operands);
        }
        self.lines.push((self.code.len(), line));
        self.instruction(*first, operands)
    }

    fn define(&mut self, token: Token<'t>, name: &'t str) -> Result<(), AsmError> {
        if !is_label(name) {
            return Err(token.error(AsmProblem::BadLabel(name.to_owned())));
        }
        if let Some(&(_, first_line)) = self.labels.get(name) {
            return Err(token.error(AsmProblem::DuplicateLabel { name: name.to_owned(), first_line }));
        }
        self.labels.insert(name, (self.code.len(), token.line));
        Ok(())
    }

    fn directive(&mut self, name: Token<'t>, operands: &[Token<'t>]) -> Result<(), AsmError> {
        let encoding = match name.text {
            ".zvm" => Encoding::Zvm,
            ".evm" => Encoding::Evm,
            ".byte" | ".bytes" => {
                let data = operand(name, operands, "data")?;
                self.lines.push((self.code.len(), name.line));
                if name.text == ".byte" {
                    self.code.push(small_number(data)?);
                } else {
                    self.code.extend(hex_data(data)?);
                }
                return nothing_after(operands, 1);
            }
            other => return Err(name.error(AsmProblem::UnknownDirective(other.to_owned()))),
        };
        if self.encoding.is_some() || !self.lines.is_empty() {
            return Err(name.error(AsmProblem::LateEncoding));
        }
        self.encoding = Some(encoding);
        nothing_after(operands, 0)
    }

    fn instruction(&mut self, name: Token<'t>, operands: &[Token<'t>]) -> Result<(), AsmError> {
        let encoding = self.encoding.unwrap_or(Encoding::Zvm);
        let Some(op) = Op::from_name(name.text) else {
            let similar = similar_name(name.text, encoding);
            return Err(name.error(AsmProblem::UnknownOperation { name: name.text.to_owned(), similar }));
        };
        let Some(byte) = encoding.byte(op) else {
            let other = if encoding == Encoding::Zvm { Encoding::Evm } else { Encoding::Zvm };
            return Err(name.error(AsmProblem::NotInEncoding { op, encoding, other }));
        };
        self.code.push(byte);
        let used = if takes_type(op) {
            self.type_operand(op, name, operands)?
        } else {
            match usize::from(op.info().imm) {
                0 => 0,
                bytes => {
                    self.number_operand(op, bytes, operand(name, operands, "a number")?)?;
                    1
                }
            }
        };
        nothing_after(operands, used)
    }

    /// Emits a type byte; returns the number of operands used.
    fn type_operand(&mut self, op: Op, name: Token<'t>, operands: &[Token<'t>]) -> Result<usize, AsmError> {
        let token = operand(name, operands, "a type, such as `u64`")?;
        if token.text.starts_with(|c: char| c.is_ascii_digit()) {
            self.code.push(small_number(token)?);
            return Ok(1);
        }
        let Some(byte) = type_byte(token.text) else {
            return Err(token.error(AsmProblem::NotAType(token.text.to_owned())));
        };
        let signed = op == Op::CCast && operands.get(1).is_some_and(|token| token.text == "signed");
        self.code.push(if signed { byte | 0x40 } else { byte });
        Ok(1 + usize::from(signed))
    }

    fn number_operand(&mut self, op: Op, bytes: usize, token: Token<'t>) -> Result<(), AsmError> {
        let text = token.text;
        if is_label(text) {
            if matches!(op, Op::DupN | Op::SwapN | Op::TablehashN | Op::Assert | Op::Panic) {
                return Err(token.error(AsmProblem::LabelNotAllowed { op }));
            }
            self.fixups.push(Fixup { label: token, offset: self.code.len(), bytes });
            self.code.resize(self.code.len() + bytes, 0);
            return Ok(());
        }
        let value = match text.strip_prefix('-') {
            Some(magnitude) => negative(token, magnitude, bytes)?,
            None => number(token, text)?,
        };
        if value > largest(bytes) {
            return Err(token.error(AsmProblem::TooLarge { value: text.to_owned(), bytes }));
        }
        self.code.extend_from_slice(&value.to_be_bytes::<32>()[32 - bytes..]);
        Ok(())
    }

    fn finish(mut self) -> Result<Assembly, AsmError> {
        for Fixup { label, offset, bytes } in &self.fixups {
            let Some(&(target, _)) = self.labels.get(label.text) else {
                return Err(label.error(AsmProblem::UndefinedLabel(label.text.to_owned())));
            };
            let value = U256::from(target);
            if value > largest(*bytes) {
                let name = label.text.to_owned();
                return Err(label.error(AsmProblem::LabelTooFar { name, offset: target, bytes: *bytes }));
            }
            self.code[*offset..offset + bytes].copy_from_slice(&value.to_be_bytes::<32>()[32 - bytes..]);
        }
        let encoding = self.encoding.unwrap_or(Encoding::Zvm);
        Ok(Assembly { encoding, code: self.code, lines: self.lines })
    }
}

fn operand<'t>(name: Token<'t>, operands: &[Token<'t>], needed: &'static str) -> Result<Token<'t>, AsmError> {
    operands.first().copied().ok_or_else(|| {
        let missing = AsmProblem::MissingOperand { name: name.text.to_owned(), needed };
        name.error(missing)
    })
}

fn nothing_after(operands: &[Token<'_>], used: usize) -> Result<(), AsmError> {
    match operands.get(used) {
        Some(token) => Err(token.error(AsmProblem::Unexpected(token.text.to_owned()))),
        None => Ok(()),
    }
}

fn number(token: Token<'_>, text: &str) -> Result<U256, AsmError> {
    let not_a_number = || token.error(AsmProblem::NotANumber(token.text.to_owned()));
    let (digits, radix) = match text.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    let digits = digits.replace('_', "");
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(not_a_number());
    }
    U256::from_str_radix(&digits, u64::from(radix))
        .map_err(|_| token.error(AsmProblem::TooLarge { value: token.text.to_owned(), bytes: 32 }))
}

/// The two's-complement word of a negative number; only a full word can hold one.
fn negative(token: Token<'_>, magnitude: &str, bytes: usize) -> Result<U256, AsmError> {
    let magnitude = number(token, magnitude)?;
    if bytes < 32 {
        return Err(token.error(AsmProblem::Negative));
    }
    if magnitude > U256::ONE << 255 {
        return Err(token.error(AsmProblem::TooLarge { value: token.text.to_owned(), bytes }));
    }
    Ok(magnitude.wrapping_neg())
}

fn small_number(token: Token<'_>) -> Result<u8, AsmError> {
    u8::try_from(number(token, token.text)?)
        .map_err(|_| token.error(AsmProblem::TooLarge { value: token.text.to_owned(), bytes: 1 }))
}

fn hex_data(token: Token<'_>) -> Result<Vec<u8>, AsmError> {
    let malformed = || token.error(AsmProblem::NotHexData(token.text.to_owned()));
    let digits = token.text.strip_prefix("0x").ok_or_else(malformed)?;
    alloy_primitives::hex::decode(digits).map_err(|_| malformed())
}

/// A mnemonic of the encoding within two edits of `name`.
fn similar_name(name: &str, encoding: Encoding) -> Option<&'static str> {
    // The names that other tools give to operations of the table.
    let known = [("stop", "halt"), ("sha3", "keccak256"), ("push", "push32"), ("dup", "dup1")];
    if let Some((_, ours)) = known.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(name)) {
        return Some(ours);
    }
    if name.len() > 32 {
        return None;
    }
    let name = name.to_ascii_lowercase();
    let candidates = Op::ALL.iter().filter(|&&op| encoding.byte(op).is_some());
    let (distance, best) = candidates.map(|op| (edits(&name, op.name()), op.name())).min()?;
    (distance <= 2.min(name.len() / 3)).then_some(best)
}

/// Levenshtein distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests;
