//! Why a test failed, for people: what was found, both sides of an assertion, what a revert carried, and where.

use std::fmt::Write;

use alloy_dyn_abi::DynSolType;
use alloy_primitives::{Address, U256, hex};
use kalix::driver::{Compilation, CompiledContract};
use kalix::sema::types::TypeId;
use kalix::source::Span;
use zvm::bytecode::{Op, instructions};
use zvm::host::Log;
use zvm::outcome::Exit;

use super::cheats::{FailedFrame, Finding};
use super::run::{Outcome, TEST};
use super::values::Values;

/// Most places that are listed, so that a deep chain of calls stays readable.
const PLACES_MAX: usize = 8;

/// What explaining needs to know.
pub(super) struct Explainer<'p> {
    pub(super) compilation: &'p Compilation,
    /// The contract that held the test.
    pub(super) holder: &'p CompiledContract,
    pub(super) values: &'p Values<'p>,
}

impl Explainer<'_> {
    /// The reason in lines. `outcome` is that of a run with traces.
    pub(super) fn reason(&self, outcome: &Outcome) -> String {
        let mut text = String::new();
        match &outcome.finding {
            Some(Finding::Assertion { number, sides }) => {
                let assertion = self.compilation.program.assertions.get(*number as usize);
                let Some(assertion) = assertion else { return "an assertion failed".to_owned() };
                let written = one_line(self.compilation.source.slice(assertion.span));
                writeln!(text, "assertion failed: {written}").expect("a string grows");
                let values = assertion.sides.and_then(|ty| Some((ty, self.values.decode(&[ty, ty], sides)?)));
                if let Some((ty, values)) = values {
                    for (name, value) in ["left: ", "right:"].iter().zip(&values) {
                        writeln!(text, "  {name} {}", self.values.show(ty, value)).expect("a string grows");
                    }
                }
                text += &self.at(assertion.span);
            }
            Some(Finding::Revert { expected, found }) => {
                text += "the call after vm.expect_revert ";
                match (expected, found) {
                    (_, None) => text += "did not revert\n",
                    (expected, Some(found)) => {
                        let expected = expected.as_deref().map_or(&[][..], |data| data);
                        writeln!(text, "reverted with other data").expect("a string grows");
                        writeln!(text, "  expected: {}", self.revert_data(expected)).expect("a string grows");
                        writeln!(text, "  found:    {}", self.revert_data(found)).expect("a string grows");
                    }
                }
                if let (Some(expected), None) = (expected, found) {
                    writeln!(text, "  expected: {}", self.revert_data(expected)).expect("a string grows");
                }
                text += &self.places(outcome);
            }
            Some(Finding::Emit { expected, found }) => {
                text += "the call after vm.expect_emit did not log the expected event\n";
                writeln!(text, "  expected: {}", self.log(expected)).expect("a string grows");
                for log in found {
                    writeln!(text, "  found:    {}", self.log(log)).expect("a string grows");
                }
                if found.is_empty() {
                    text += "  found:    nothing was logged\n";
                }
                text += &self.places(outcome);
            }
            Some(Finding::NoCall(cheat)) => {
                writeln!(text, "{cheat} is the last step of the test: no call follows that could meet it")
                    .expect("a string grows");
            }
            Some(Finding::NoService(op)) => {
                let name = zvm::bytecode::Op::ALL.iter().find(|known| known.info().zvm == Some(*op));
                let name =
                    name.map_or_else(|| format!("operation {op:#04x}"), |op| op.info().name.to_owned());
                writeln!(text, "vm.hedera_fail had no effect: no {name} came after it")
                    .expect("a string grows");
            }
            None => {
                if outcome.is_creation {
                    text += self.not_created();
                }
                match outcome.exit {
                    Exit::Revert => {
                        writeln!(text, "reverted with {}", self.revert_data(&outcome.output))
                            .expect("a string grows");
                    }
                    Exit::Trap(trap) => {
                        writeln!(text, "stopped: {}", trap.message()).expect("a string grows");
                    }
                    other => writeln!(text, "ended with {other:?}").expect("a string grows"),
                }
                text += &self.places(outcome);
            }
        }
        text
    }

    /// Where the test stood when it failed, and where the frames stood because of which it did, innermost first.
    fn places(&self, outcome: &Outcome) -> String {
        let mut chain: Vec<&FailedFrame> = Vec::new();
        for frame in outcome.failed_frames.iter().rev() {
            match chain.last() {
                None if frame.depth == 0 => chain.push(frame),
                Some(outer) if frame.depth == outer.depth + 1 && explains(frame, outer) => chain.push(frame),
                _ => break,
            }
        }
        let mut text = String::new();
        let mut told = None;
        for frame in chain.iter().rev().take(PLACES_MAX) {
            let Some(span) = self.span_of(frame, outcome) else { continue };
            if told != Some(span) {
                text += &self.at(span);
                told = Some(span);
            }
        }
        text
    }

    /// What precedes the reason for which there is no contract to test.
    fn not_created(&self) -> &'static str {
        let inputs = &self.holder.artifact.kalix_abi["constructor"]["inputs"];
        match inputs.as_array().is_some_and(|inputs| !inputs.is_empty()) {
            true => {
                "the contract could not be created with zeros for what its constructor takes \
                 (`#[create(…)]` before the test gives other values): "
            }
            false => "the contract could not be created: ",
        }
    }

    /// The source that a failed frame was at.
    fn span_of(&self, frame: &FailedFrame, outcome: &Outcome) -> Option<Span> {
        let contract = self.contract_at(&frame.code_address, outcome)?;
        let code = if frame.is_creation { &contract.artifact.init } else { &contract.artifact.runtime };
        let find = |offset: u32| {
            code.instructions.binary_search_by_key(&offset, |instruction| instruction.offset).ok()
        };
        let last = *frame.trail.last()?;
        let at = find(last)?;
        // Checks that fail alike share the end that reverts: the jump to it tells which one it was.
        let encoding = code.target.encoding();
        let op = instructions(&code.bytes[..code.code_size], encoding).find(|op| op.offset == last as usize);
        let is_end = op.is_some_and(|op| matches!(op.op, Some(Op::Revert | Op::Panic)));
        if is_end && frame.output.len() <= 36 {
            let jump = frame.trail.windows(2).rev().find(|pair| {
                let next = find(pair[0]).and_then(|at| code.instructions.get(at + 1));
                next.is_none_or(|next| next.offset != pair[1])
            });
            let near = jump.filter(|pair| frame.trail.len() < 2 || last.abs_diff(pair[1]) < 24);
            if let Some(at) = near.and_then(|pair| find(pair[0])) {
                return Some(code.instructions[at].span);
            }
        }
        Some(code.instructions[at].span)
    }

    /// The contract whose code an account has, by what created it.
    fn contract_at(&self, address: &Address, outcome: &Outcome) -> Option<&CompiledContract> {
        if *address == TEST {
            return Some(self.holder);
        }
        let input = outcome.created.get(address)?;
        let starts = |contract: &&CompiledContract| {
            contract.artifact.container.init().is_some_and(|init| input.starts_with(init))
        };
        self.compilation
            .contracts
            .iter()
            .filter(starts)
            .max_by_key(|contract| contract.artifact.init.bytes.len())
    }

    /// `  at file:line:column: the line`, as one line.
    fn at(&self, span: Span) -> String {
        let source = &self.compilation.source;
        let place = source.line_column(span.start);
        let written = one_line(source.slice(span));
        format!("  at {}:{}:{}: {written}\n", source.name_at(span.start), place.line, place.column)
    }

    /// What a revert carried.
    pub(super) fn revert_data(&self, data: &[u8]) -> String {
        if data.is_empty() {
            return "empty data".to_owned();
        }
        let Some((selector, rest)) = data.split_at_checked(4) else {
            return format!("0x{}", hex::encode(data));
        };
        match selector {
            [0x08, 0xc3, 0x79, 0xa0] => {
                if let Ok(alloy_dyn_abi::DynSolValue::String(text)) =
                    DynSolType::String.abi_decode_params(rest)
                {
                    return format!("{text:?}");
                }
            }
            [0x4e, 0x48, 0x7b, 0x71] if rest.len() == 32 => {
                let code = U256::from_be_slice(rest).saturating_to::<u64>();
                return format!("Panic(0x{code:02x}): {}", panic_meaning(code));
            }
            [0xab, 0x14, 0x3c, 0x06] => return "Reentrancy(): the contract was entered again".to_owned(),
            _ => {}
        }
        let types = &self.compilation.program.types;
        for def in &types.error_types {
            for variant in def.variants.iter().filter(|variant| variant.selector == selector) {
                let params: Vec<TypeId> = variant.params.iter().map(|param| param.1).collect();
                let Some(values) = self.values.decode(&params, rest) else { continue };
                let fields: Vec<String> = variant
                    .params
                    .iter()
                    .zip(&values)
                    .map(|((name, ty), value)| format!("{name}: {}", self.values.show(*ty, value)))
                    .collect();
                let prefix = if def.is_set { format!("{}::", def.name) } else { String::new() };
                return format!("{prefix}{}({})", variant.name, fields.join(", "));
            }
        }
        format!("0x{}", hex::encode(data))
    }

    /// A log entry, by its event if the program has it.
    fn log(&self, log: &Log) -> String {
        let program = &self.compilation.program;
        let known = program
            .events
            .iter()
            .find(|event| !event.anonymous && log.topics.first().is_some_and(|topic| topic.0 == event.topic));
        let shown = known.and_then(|event| {
            let inner: Vec<TypeId> =
                event.fields.iter().filter(|field| !field.indexed).map(|field| field.ty).collect();
            let mut data = self.values.decode(&inner, &log.data)?.into_iter();
            let mut topics = log.topics.iter().skip(1);
            let mut fields = Vec::new();
            for field in &event.fields {
                let value = if field.indexed {
                    let topic = topics.next()?;
                    match program.types.is_word(field.ty) {
                        true => {
                            self.values.show(field.ty, &self.values.decode(&[field.ty], &topic.0)?.pop()?)
                        }
                        false => format!("keccak256 {topic}"),
                    }
                } else {
                    self.values.show(field.ty, &data.next()?)
                };
                fields.push(format!("{}: {value}", field.name));
            }
            Some(format!("{}({})", event.name, fields.join(", ")))
        });
        shown.unwrap_or_else(|| format!("topics {:?}, data {}", log.topics, log.data))
    }
}

/// Whether a frame's failure is why the frame around it failed.
fn explains(inner: &FailedFrame, outer: &FailedFrame) -> bool {
    inner.output == outer.output || !matches!(inner.exit, Some(Exit::Revert)) || outer.output.is_empty()
}

fn panic_meaning(code: u64) -> &'static str {
    match code {
        0x01 => "an assertion failed",
        0x11 => "arithmetic overflow",
        0x12 => "division by zero",
        0x21 => "no such enum value",
        0x31 => "pop of an empty Vec",
        0x32 => "index out of bounds",
        0x41 => "too much memory",
        0x61 => "more iterations than the loop's `max`",
        _ => "unknown",
    }
}

/// The first line of some source.
fn one_line(text: &str) -> String {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or("").trim_end().to_owned();
    if lines.next().is_some() { first + " …" } else { first }
}
