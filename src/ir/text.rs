//! The text form of the intermediate representation: printer and reader.
//!
//! ```text
//! module "m"
//! data "runtime" 0x00ff
//! func "add_one" -> 1 @10..40 {
//!   slot s0 64
//! b0(v0):
//!   v1 = const 1 @20..21
//!   v2 = cadd.u64 v0, v1
//!   br v2, b1(v2), b2
//! b1(v3):
//!   ret v3
//! b2:
//!   panic 0x11
//! }
//! ```
//!
//! Functions, segments, slots and blocks are numbered in the order in which they appear. The immediate comes first, a type after
//! a dot. `@start..end` is the span in bytes of the source, left out when empty at 0. `;` begins a comment. What is
//! read need not be well-formed: that is [`verify`](super::verify)'s business. `read_module(print_module(m)) == m` if
//! every value below `value_count` appears.

use std::fmt::Write as _;

use alloy_primitives::U256;

use super::ops::ImmKind;
use super::{
    Block, BlockCall, BlockId, DataId, DataSegment, FrameSlot, FuncId, Function, Imm, Inst, IntType, Module,
    Op, SlotId, Terminator, Value,
};
use crate::source::Span;

/// Prints a module.
pub fn print_module(module: &Module) -> String {
    let mut out = format!("module \"{}\"\n", module.name);
    for segment in &module.data {
        writeln!(out, "data \"{}\" {}", segment.name, alloy_primitives::hex::encode_prefixed(&segment.bytes))
            .expect("a String accepts all");
    }
    for function in &module.functions {
        out.push_str(&print_function(function));
    }
    out
}

/// Prints a function.
pub fn print_function(function: &Function) -> String {
    let mut out =
        format!("func \"{}\" -> {}{} {{\n", function.name, function.result_count, span_suffix(function.span));
    for (index, slot) in function.slots.iter().enumerate() {
        out += &format!("  slot {} {}\n", SlotId::new(index), slot.bytes);
    }
    for (id, block) in function.blocks() {
        out += &format!("{}:\n", call_text(id, &block.params));
        for inst in &block.insts {
            out += &format!("  {}{}\n", inst_text(inst), span_suffix(inst.span));
        }
        out += &format!("  {}{}\n", term_text(&block.term), span_suffix(block.term_span));
    }
    out + "}\n"
}

/// One operation as the text form writes it, without its span.
pub fn inst_text(inst: &Inst) -> String {
    let mut out = String::new();
    if !inst.results.is_empty() {
        out += &list(&inst.results);
        out += " = ";
    }
    out += inst.op.info().mnemonic;
    if let Imm::Type(ty) = inst.imm {
        out += &format!(".{ty}");
    }
    let imm = match inst.imm {
        Imm::None | Imm::Type(_) => None,
        Imm::Word(word) => Some(word_text(word)),
        Imm::Panic(code) => Some(format!("{code:#04x}")),
        Imm::Func(id) => Some(id.to_string()),
        Imm::Data(id) => Some(id.to_string()),
        Imm::Slot(id) => Some(id.to_string()),
    };
    let operands = imm.into_iter().chain(inst.args.iter().map(Value::to_string)).collect::<Vec<_>>();
    if !operands.is_empty() {
        out += " ";
        out += &operands.join(", ");
    }
    out
}

fn term_text(term: &Terminator) -> String {
    let call = |to: &BlockCall| call_text(to.block, &to.args);
    match term {
        Terminator::Jump(to) => format!("jump {}", call(to)),
        Terminator::Br { cond, then, otherwise } => format!("br {cond}, {}, {}", call(then), call(otherwise)),
        Terminator::Switch { value, cases, default } => {
            let cases: Vec<String> =
                cases.iter().map(|(word, to)| format!("{}: {}", word_text(*word), call(to))).collect();
            format!("switch {value}, [{}], {}", cases.join(", "), call(default))
        }
        Terminator::Ret(values) if values.is_empty() => "ret".to_owned(),
        Terminator::Ret(values) => format!("ret {}", list(values)),
        Terminator::Return { address, size } => format!("return {address}, {size}"),
        Terminator::Revert { address, size } => format!("revert {address}, {size}"),
        Terminator::Halt => "halt".to_owned(),
        Terminator::Panic(code) => format!("panic {code:#04x}"),
        Terminator::Invalid => "invalid".to_owned(),
    }
}

fn call_text(block: BlockId, values: &[Value]) -> String {
    if values.is_empty() { block.to_string() } else { format!("{block}({})", list(values)) }
}

fn list(values: &[Value]) -> String {
    values.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")
}

fn word_text(word: U256) -> String {
    if word < U256::from(10_000) { word.to_string() } else { format!("{word:#x}") }
}

fn span_suffix(span: Span) -> String {
    if span == Span::default() { String::new() } else { format!(" @{}..{}", span.start, span.end) }
}

/// Why a text is not a module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct TextError {
    /// The line, from 1.
    pub line: usize,
    /// What was expected there.
    pub message: String,
}

/// Reads a module.
pub fn read_module(text: &str) -> Result<Module, TextError> {
    let mut reader = Reader { module: Module::new(""), open: None, value_limit: text.len() };
    for (index, line) in text.lines().enumerate() {
        let line = line.split(';').next().unwrap_or("").trim();
        if !line.is_empty() {
            reader.line(line).map_err(|message| TextError { line: index + 1, message })?;
        }
    }
    match reader.open {
        Some(function) => Err(TextError {
            line: text.lines().count(),
            message: format!("`}}` of function \"{}\" is missing", function.name),
        }),
        None => Ok(reader.module),
    }
}

struct Reader {
    module: Module,
    open: Option<Function>,
    // No text of this length can hold more values; a larger number is a mistake, not a reason to allocate.
    value_limit: usize,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let mut cursor = Cursor { rest: line, value_limit: self.value_limit };
        match &mut self.open {
            None => self.top_level(&mut cursor)?,
            Some(_) if cursor.eat("}") => self.module.functions.extend(self.open.take()),
            Some(function) => body_line(function, &mut cursor)?,
        }
        if cursor.rest.is_empty() { Ok(()) } else { Err(format!("`{}` is left over", cursor.rest)) }
    }

    fn top_level(&mut self, cursor: &mut Cursor<'_>) -> Result<(), String> {
        match cursor.word() {
            "module" => self.module.name = cursor.string()?,
            "data" => {
                let name = cursor.string()?;
                let digits = cursor.word();
                let bytes =
                    alloy_primitives::hex::decode(digits).map_err(|e| format!("bytes `{digits}`: {e}"))?;
                self.module.data.push(DataSegment { name, bytes });
            }
            "func" => {
                let name = cursor.string()?;
                cursor.expect("->")?;
                let result_count = cursor.number()?;
                let span = cursor.span()?;
                cursor.expect("{")?;
                self.open = Some(Function {
                    name,
                    result_count,
                    slots: Vec::new(),
                    blocks: Vec::new(),
                    value_count: 0,
                    span,
                });
            }
            other => return Err(format!("`{other}` instead of `module`, `data` or `func`")),
        }
        Ok(())
    }
}

fn body_line(function: &mut Function, cursor: &mut Cursor<'_>) -> Result<(), String> {
    if cursor.rest.ends_with(':') {
        let block = BlockId(cursor.index('b')?);
        if block.index() != function.blocks.len() {
            return Err(format!("{block} instead of b{}", function.blocks.len()));
        }
        let params = cursor.call_args()?;
        cursor.expect(":")?;
        let block =
            Block { params, insts: Vec::new(), term: Terminator::Invalid, term_span: Span::default() };
        note_values(function, &block.params);
        function.blocks.push(block);
        return Ok(());
    }
    let results = if cursor.at_index('v') {
        let results = cursor.values()?;
        cursor.expect("=")?;
        results
    } else {
        Vec::new()
    };
    let name = cursor.mnemonic();
    if name == "slot" {
        let slot = cursor.index('s')?;
        let bytes = cursor.number()?;
        if slot as usize != function.slots.len() {
            return Err(format!("s{slot} instead of s{}", function.slots.len()));
        }
        function.slots.push(FrameSlot { bytes });
        return Ok(());
    }
    note_values(function, &results);
    let block = function.blocks.last_mut().ok_or("an operation before the first block")?;
    if let Some(op) = Op::from_mnemonic(name) {
        let imm = cursor.imm(op.info().imm)?;
        let more = matches!(imm, Imm::None | Imm::Type(_)) || cursor.eat(",");
        let args = if more { cursor.values()? } else { Vec::new() };
        let span = cursor.span()?;
        block.insts.push(Inst { op, imm, args, results, span });
    } else if results.is_empty() {
        block.term = cursor.terminator(name)?;
        block.term_span = cursor.span()?;
    } else {
        return Err(format!("unknown operation `{name}`"));
    }
    Ok(())
}

fn note_values(function: &mut Function, values: &[Value]) {
    for value in values {
        function.value_count = function.value_count.max(value.index() + 1);
    }
}

struct Cursor<'t> {
    rest: &'t str,
    value_limit: usize,
}

impl<'t> Cursor<'t> {
    fn take(&mut self, len: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(len);
        self.rest = rest.trim_start();
        taken
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'t str {
        self.take(self.rest.find(|c| !accept(c)).unwrap_or(self.rest.len()))
    }

    fn word(&mut self) -> &'t str {
        self.take_while(|c| !c.is_whitespace())
    }

    fn mnemonic(&mut self) -> &'t str {
        self.take_while(|c| c.is_ascii_alphanumeric() || c == '_')
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest.starts_with(text);
        if found {
            self.take(text.len());
        }
        found
    }

    fn expect(&mut self, text: &str) -> Result<(), String> {
        if self.eat(text) { Ok(()) } else { Err(format!("`{text}` is missing before `{}`", self.rest)) }
    }

    fn string(&mut self) -> Result<String, String> {
        self.expect("\"")?;
        let text = self.take_while(|c| c != '"').to_owned();
        self.expect("\"")?;
        Ok(text)
    }

    fn number<T: std::str::FromStr>(&mut self) -> Result<T, String> {
        let digits = self.take_while(|c| c.is_ascii_digit());
        digits.parse().map_err(|_| format!("`{digits}` is not a number that fits here"))
    }

    fn at_index(&self, prefix: char) -> bool {
        self.rest.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    }

    fn index(&mut self, prefix: char) -> Result<u32, String> {
        if !self.at_index(prefix) {
            return Err(format!("`{prefix}` and a number are missing before `{}`", self.rest));
        }
        self.take(1);
        let index: u32 = self.number()?;
        if index as usize > self.value_limit {
            Err(format!("{prefix}{index} is out of range"))
        } else {
            Ok(index)
        }
    }

    fn values(&mut self) -> Result<Vec<Value>, String> {
        let mut values = Vec::new();
        if self.at_index('v') {
            values.push(Value(self.index('v')?));
            while self.eat(",") {
                values.push(Value(self.index('v')?));
            }
        }
        Ok(values)
    }

    fn call_args(&mut self) -> Result<Vec<Value>, String> {
        if !self.eat("(") {
            return Ok(Vec::new());
        }
        let values = self.values()?;
        self.expect(")")?;
        Ok(values)
    }

    fn call(&mut self) -> Result<BlockCall, String> {
        Ok(BlockCall { block: BlockId(self.index('b')?), args: self.call_args()? })
    }

    fn span(&mut self) -> Result<Span, String> {
        if !self.eat("@") {
            return Ok(Span::default());
        }
        let start = self.number()?;
        self.expect("..")?;
        Ok(Span { start, end: self.number()? })
    }

    fn literal(&mut self) -> Result<U256, String> {
        let digits = self.take_while(|c| c.is_ascii_alphanumeric());
        digits.parse().map_err(|_| format!("`{digits}` is not a word"))
    }

    fn panic_code(&mut self) -> Result<u8, String> {
        u8::try_from(self.literal()?).map_err(|_| "a Panic code is one byte".to_owned())
    }

    fn int_type(&mut self) -> Result<IntType, String> {
        self.expect(".")?;
        let signed = self.eat("i");
        if !signed {
            self.expect("u")?;
        }
        let bits = self.number()?;
        IntType::new(signed, bits).ok_or_else(|| format!("there is no integer of {bits} bits"))
    }

    fn imm(&mut self, kind: ImmKind) -> Result<Imm, String> {
        Ok(match kind {
            ImmKind::None => Imm::None,
            ImmKind::Word => Imm::Word(self.literal()?),
            ImmKind::Type => Imm::Type(self.int_type()?),
            ImmKind::Panic => Imm::Panic(self.panic_code()?),
            ImmKind::Func => Imm::Func(FuncId(self.index('f')?)),
            ImmKind::Data => Imm::Data(DataId(self.index('d')?)),
            ImmKind::Slot => Imm::Slot(SlotId(self.index('s')?)),
        })
    }

    fn terminator(&mut self, name: &str) -> Result<Terminator, String> {
        Ok(match name {
            "jump" => Terminator::Jump(self.call()?),
            "br" => {
                let cond = Value(self.index('v')?);
                self.expect(",")?;
                let then = self.call()?;
                self.expect(",")?;
                Terminator::Br { cond, then, otherwise: self.call()? }
            }
            "switch" => self.switch()?,
            "ret" => Terminator::Ret(self.values()?),
            "return" | "revert" => {
                let address = Value(self.index('v')?);
                self.expect(",")?;
                let size = Value(self.index('v')?);
                if name == "return" {
                    Terminator::Return { address, size }
                } else {
                    Terminator::Revert { address, size }
                }
            }
            "halt" => Terminator::Halt,
            "panic" => Terminator::Panic(self.panic_code()?),
            "invalid" => Terminator::Invalid,
            _ => return Err(format!("unknown operation `{name}`")),
        })
    }

    fn switch(&mut self) -> Result<Terminator, String> {
        let value = Value(self.index('v')?);
        self.expect(",")?;
        self.expect("[")?;
        let mut cases = Vec::new();
        while !self.eat("]") {
            let word = self.literal()?;
            self.expect(":")?;
            cases.push((word, self.call()?));
            if !self.eat(",") && !self.rest.starts_with(']') {
                return Err(format!("`,` or `]` is missing before `{}`", self.rest));
            }
        }
        self.expect(",")?;
        Ok(Terminator::Switch { value, cases, default: self.call()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_what_was_read_gives_the_text_back() {
        let text = "\
module \"m\"
data \"runtime\" 0x00ff
func \"entry\" -> 0 @1..90 {
  slot s0 64
b0:
  v0 = const 0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff @3..4
  v1 = const 9999
  v2 = frameaddr s0
  v3 = dataoffset d0
  v4, v5 = icall f1, v0, v1
  v6 = cadd.u64 v4, v5
  v7 = ccast_signed.i256 v6
  assert 0x32, v7
  log v2, v1, v0, v3
  switch v6, [0: b1, 0x12345: b2(v6)], b1 @9..10
b1:
  return v2, v1
b2(v8):
  br v8, b1, b3(v8)
b3(v9):
  revert v9, v9
}
func \"f\" -> 2 {
b0(v0, v1):
  ret v1, v0
}
";
        let module = read_module(text).expect("readable");
        assert_eq!(print_module(&module), text);
        assert_eq!(module.functions[0].slots, [FrameSlot { bytes: 64 }]);
        assert_eq!(module.functions[0].value_count, 10);
    }

    #[test]
    fn every_operation_can_be_printed_and_read() {
        for &op in Op::ALL {
            let info = op.info();
            let imm = match info.imm {
                ImmKind::None => Imm::None,
                ImmKind::Word => Imm::Word(U256::from(77)),
                ImmKind::Type => Imm::Type(IntType::signed(24)),
                ImmKind::Panic => Imm::Panic(0x11),
                ImmKind::Func => Imm::Func(FuncId(1)),
                ImmKind::Data => Imm::Data(DataId(2)),
                ImmKind::Slot => Imm::Slot(SlotId(3)),
            };
            for tail in 0..=usize::from(info.tail.is_some()) * 2 {
                let args = (0..info.operands.len() + tail).map(Value::new).collect();
                let inst = Inst { op, imm, args, results: Vec::new(), span: Span::default() };
                let text = format!("func \"f\" -> 0 {{\nb0:\n{}\nhalt\n}}", inst_text(&inst));
                let module = read_module(&text).expect(&text);
                assert_eq!(module.functions[0].blocks[0].insts, [inst]);
            }
        }
    }

    #[test]
    fn mistakes_name_the_line() {
        let check = |text: &str, line: usize, message: &str| {
            let error = read_module(text).expect_err(text);
            assert!(error.line == line && error.message.contains(message), "{error}");
        };
        check("nonsense", 1, "`nonsense` instead of");
        check("func \"f\" -> 0 {\nb0:\n  bogus v1\n}", 3, "unknown operation `bogus`");
        check("func \"f\" -> 0 {\nb0:\n  v4000000000 = caller\n}", 3, "out of range");
        check("func \"f\" -> 0 {\nb0:\n  v0 = cadd.u65 v1, v2\n}", 3, "no integer of 65 bits");
        check("func \"f\" -> 0 {\nb1:\n", 2, "b1 instead of b0");
        check("func \"f\" -> 0 {\n  v0 = caller\n}", 2, "before the first block");
        check("func \"f\" -> 0 {\nb0:\n  halt 1\n}", 3, "`1` is left over");
        check("func \"f\" -> 0 {\nb0:\n  halt", 3, "is missing");
    }
}
