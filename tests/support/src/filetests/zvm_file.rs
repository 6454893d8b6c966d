//! One `.zvm` file: its headers, and what it gives.

use alloy_primitives::{Bytes, U256, keccak256};
use zvm::bytecode::{DisasmOptions, assemble, disassemble};
use zvm::call_stack::{Callee, CreateRequest, Request};
use zvm::fork::Fork;
use zvm::outcome::Exit;

use crate::observe::{Observed, exit_name, word, words};
use crate::program::{Program, Setting};
use crate::tiers::{Compile, Prepared};

/// Starts a line that says what must come out.
pub(super) const EXPECTED: &str = ";=";
/// Starts a line that says how the file is tested.
const HEADER: &str = ";!";
/// Memory and init code up to this size are printed, larger ones by their hash.
const BYTES_SHOWN_MAX: usize = 128;

/// The expected lines that the file ought to have.
pub(super) fn result(text: &str) -> Result<Vec<String>, String> {
    let headers = Headers::read(text)?;
    let assembly = assemble(text).map_err(|error| error.to_string())?;
    let program = Program { encoding: assembly.encoding, code: assembly.code, setting: headers.setting };
    match headers.command {
        Command::Run => run(&program, headers.hands_over),
        Command::Disasm => {
            let options = DisasmOptions { offsets: true };
            let text = disassemble(&program.code, program.encoding, options);
            Ok(text.lines().map(str::to_owned).collect())
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Run,
    Disasm,
}

struct Headers {
    command: Command,
    setting: Setting,
    /// Whether compiled code must leave a block to the interpreter.
    hands_over: bool,
}

impl Headers {
    fn read(text: &str) -> Result<Headers, String> {
        let mut command = None;
        let mut setting = Setting::plain();
        let mut hands_over = false;
        for (index, line) in text.lines().enumerate() {
            let Some(header) = line.strip_prefix(HEADER) else { continue };
            let fields: Vec<&str> = header.split_whitespace().collect();
            let number = |text: &str| -> Result<U256, String> {
                text.parse().map_err(|_| format!("line {}: `{text}` is not a number", index + 1))
            };
            match fields[..] {
                ["test", "run"] => command = Some(Command::Run),
                ["test", "disasm"] => command = Some(Command::Disasm),
                ["fork", name] => {
                    let fork = Fork::from_name(name);
                    setting.fork =
                        fork.ok_or_else(|| format!("line {}: unknown fork `{name}`", index + 1))?;
                }
                ["gas", gas] => {
                    setting.gas = number(gas)?.try_into().map_err(|_| "gas is a u64".to_owned())?;
                }
                ["calldata", hex] => {
                    let bytes: Result<Bytes, _> = hex.parse();
                    setting.input = bytes.map_err(|error| format!("line {}: {error}", index + 1))?;
                }
                ["value", value] => setting.value = number(value)?,
                ["hands-over"] => hands_over = true,
                ["static"] => setting.is_static = true,
                ["storage", key, value] => {
                    setting.storage.insert(number(key)?, number(value)?);
                }
                _ => return Err(format!("line {}: unknown header `{}`", index + 1, header.trim())),
            }
        }
        let command = command.ok_or("the header `;! test run` or `;! test disasm` is missing")?;
        Ok(Headers { command, setting, hands_over })
    }
}

/// Runs the program in all tiers, with and without Cranelift's optimizer.
fn run(program: &Program, hands_over: bool) -> Result<Vec<String>, String> {
    let mut observed = None;
    for how in [Compile::PLAIN, Compile::UNOPTIMIZED] {
        let prepared = Prepared::new(program, &how);
        let agreed = prepared.check(&program.setting)?;
        let blocks = agreed.blocks;
        if hands_over && blocks.interpreted == 0 {
            return Err("the header `hands-over` stands, but compiled code left no block".to_owned());
        }
        if !hands_over && blocks.interpreted > 0 {
            return Err(
                "compiled code left a block to the interpreter; if it must, say `hands-over`".to_owned()
            );
        }
        if !hands_over && blocks.compiled == 0 {
            return Err("no block ran compiled".to_owned());
        }
        observed = Some(agreed.observed);
    }
    let observed = observed.expect("the loop ran");
    Ok(lines(program, &observed))
}

fn lines(program: &Program, observed: &Observed) -> Vec<String> {
    let used = program.setting.gas - observed.gas_left;
    let success = matches!(observed.exit, Exit::Halt | Exit::Return);
    let stack = if success { format!(", stack {}", words(&observed.stack)) } else { String::new() };
    let mut lines = vec![format!("outcome {}{stack}, gas {used}", exit_name(observed.exit))];
    if !observed.output.is_empty() {
        lines.push(format!("output {}", observed.output));
    }
    if !observed.memory.is_empty() {
        lines.push(format!("memory {}", bytes(&observed.memory)));
    }
    for log in &observed.logs {
        let topics: Vec<U256> = log.topics.iter().map(|&topic| topic.into()).collect();
        lines.push(format!("log {} {}", words(&topics), log.data));
    }
    let before = &program.setting.storage;
    if let Some(after) = &observed.storage {
        let mut keys: Vec<&U256> = before.keys().chain(after.keys()).collect();
        keys.sort();
        keys.dedup();
        for key in keys {
            let value =
                |slots: &std::collections::BTreeMap<U256, U256>| slots.get(key).copied().unwrap_or_default();
            if value(before) != value(after) {
                lines.push(format!("storage {} = {}", word(key), word(&value(after))));
            }
        }
    }
    for (key, value) in observed.transient.iter().flatten() {
        lines.push(format!("transient {} = {}", word(key), word(value)));
    }
    lines.extend(observed.requests.iter().map(request));
    if let Some(beneficiary) = observed.beneficiary {
        lines.push(format!("beneficiary {beneficiary}"));
    }
    if observed.refund != 0 {
        lines.push(format!("refund {}", observed.refund));
    }
    lines
}

/// Bytes in hexadecimal, or size and hash where they are many.
fn bytes(bytes: &[u8]) -> String {
    if bytes.len() > BYTES_SHOWN_MAX {
        return format!("{} bytes, keccak256 {}", bytes.len(), keccak256(bytes));
    }
    format!("0x{}", alloy_primitives::hex::encode(bytes))
}

/// A line about a call or creation.
fn request(request: &Request) -> String {
    match request {
        Request::Call(call) => {
            let callee = match &call.callee {
                Callee::Code(code) => format!("code {}", code.raw()),
                Callee::Precompile(address) => format!("precompile {address}"),
                Callee::Empty => "no code".to_owned(),
            };
            let sends = if call.kind.sends_value() { "sends" } else { "reports" };
            let is_static = if call.is_static { ", static" } else { "" };
            format!(
                "call {callee} on {} by {} {sends} {}, gas {}, input {}, output {}+{}{is_static}",
                call.address,
                call.caller,
                word(&call.value),
                call.gas,
                bytes(&call.input),
                call.output.0,
                call.output.1,
            )
        }
        Request::Create(create) => {
            let salt = create.salt.map_or(String::new(), |salt| format!(", salt {}", word(&salt)));
            let CreateRequest { creator, value, gas, init_code, .. } = create;
            format!(
                "create by {creator} sends {}, gas {gas}, init code {}{salt}",
                word(value),
                bytes(init_code)
            )
        }
    }
}
