//! The text form of a [`Case`]: one fact per line, a name and its values separated by single spaces.
//!
//! The form is described in `docs/vm/checking.md`. Reading believes nothing: sizes are bounded by the size of the
//! text, numbers must fit, every code that is named must be there, and the last line must be `end`.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use alloy_primitives::{B256, Bytes, U256, hex};

use super::{Case, Event, FrameEnd};
use crate::bytecode::Code;
use crate::call_stack::{Answer, CallKind, CallRequest, Callee, CreateRequest, FrameKind, Request};
use crate::compiled::frame::{Message, Spec};
use crate::fork::Fork;
use crate::hedera::{Acting, ResponseCode, ServiceReply, ServiceRequest};
use crate::host::{Access, BlockEnv, Log, StorageWrite, TxEnv};
use crate::outcome::{Exit, Trap};
use crate::state::AccountInfo;

/// Most bytes of a case file.
pub const CASE_BYTES_MAX: usize = 64 << 20;

/// The first line.
const HEADER: &str = "zvm-case 1";

/// Why a text is no case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct CaseError {
    /// Number of the line, from 1 on.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Case { spec, block, tx, message, difference, .. } = self;
        writeln!(f, "{HEADER}")?;
        writeln!(f, "compiler {}", one_line(&self.compiler))?;
        writeln!(f, "difference {}", one_line(&difference.what))?;
        writeln!(f, "interpreted {}", one_line(&difference.interpreted))?;
        writeln!(f, "compiled {}", one_line(&difference.compiled))?;
        writeln!(f, "rules {} {} {}", spec.fork.name(), spec.native_code, spec.hedera)?;
        writeln!(f, "memory-limit {}", self.memory_limit)?;
        let BlockEnv {
            number,
            timestamp,
            coinbase,
            gas_limit,
            base_fee,
            prev_randao,
            blob_base_fee,
            chain_id,
        } = block;
        writeln!(
            f,
            "block {number:#x} {timestamp:#x} {coinbase} {gas_limit:#x} {base_fee:#x} {prev_randao:#x} \
             {blob_base_fee:#x} {chain_id:#x}"
        )?;
        write!(f, "transaction {} {:#x}", tx.origin, tx.gas_price)?;
        tx.blob_hashes.iter().try_for_each(|hash| write!(f, " {hash}"))?;
        let Message { address, caller, value, input, is_static, depth } = message;
        writeln!(f, "\nmessage {address} {caller} {value:#x} {is_static} {depth} {input}")?;
        writeln!(f, "gas {}", self.gas)?;
        writeln!(f, "code {}", self.code)?;
        for (hash, code) in codes_of(&self.events) {
            writeln!(f, "with {hash} {}", code.raw())?;
        }
        self.events.iter().try_for_each(|event| writeln!(f, "{}", asked_text(event)))?;
        writeln!(f, "interpreter {}", self.interpreted)?;
        writeln!(f, "native {}", self.compiled)?;
        writeln!(f, "end")
    }
}

impl Case {
    /// Reads a case from its text, of at most [`CASE_BYTES_MAX`] bytes.
    pub fn parse(text: &[u8]) -> Result<Case, CaseError> {
        let fault = |line, problem: &str| CaseError { line, problem: problem.to_owned() };
        if text.len() > CASE_BYTES_MAX {
            return Err(fault(1, &format!("the file is larger than {CASE_BYTES_MAX} bytes")));
        }
        let text = std::str::from_utf8(text).map_err(|error| {
            let lines = text[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count();
            fault(lines + 1, "not UTF-8")
        })?;
        let mut lines = text.lines().enumerate();
        if lines.next().is_none_or(|(_, line)| line != HEADER) {
            return Err(fault(1, &format!("not a case file of this version, which begins with `{HEADER}`")));
        }
        let mut reader = Reader { case: Case::default(), codes: BTreeMap::new(), seen: Vec::new() };
        let mut last = 1;
        for (index, line) in lines {
            last = index + 1;
            if line == "end" {
                return reader.finish().map_err(|problem| fault(last, &problem));
            }
            reader.line(line).map_err(|problem| fault(last, &problem))?;
        }
        Err(fault(last, "the file ends before the line `end`"))
    }
}

/// The facts that a case has exactly once.
const FACTS: [&str; 13] = [
    "compiler",
    "difference",
    "interpreted",
    "compiled",
    "rules",
    "memory-limit",
    "block",
    "transaction",
    "message",
    "gas",
    "code",
    "interpreter",
    "native",
];

struct Reader {
    case: Case,
    codes: BTreeMap<B256, Arc<Code>>,
    seen: Vec<&'static str>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        // Lines of events may have the name of a fact; they have more than one value.
        let is_event = name == "code" && rest.starts_with("asked ");
        if let Some(fact) = FACTS.iter().find(|&&fact| fact == name && !is_event) {
            if self.seen.contains(fact) {
                return Err(format!("a second line `{fact}`"));
            }
            self.seen.push(fact);
            return self.fact(fact, rest);
        }
        let mut values = Values { rest, number: 0 };
        if name == "with" {
            let (hash, raw): (B256, Bytes) = (values.parse()?, values.bytes()?);
            if !self.seen.contains(&"rules") {
                return Err("the rules must be known before code".into());
            }
            let code = Code::new(raw, self.case.spec.native_code);
            if code.hash() != hash {
                return Err(format!("the code's hash is {}, not {hash}", code.hash()));
            }
            self.codes.insert(hash, Arc::new(code));
        } else {
            let event = self.event(name, &mut values)?;
            self.case.events.push(event);
        }
        values.end()
    }

    fn fact(&mut self, name: &str, rest: &str) -> Result<(), String> {
        let mut values = Values { rest, number: 0 };
        let v = &mut values;
        let case = &mut self.case;
        match name {
            "compiler" => case.compiler = rest.to_owned(),
            "difference" => case.difference.what = rest.to_owned(),
            "interpreted" => case.difference.interpreted = rest.to_owned(),
            "compiled" => case.difference.compiled = rest.to_owned(),
            "rules" => {
                let fork = v.next()?;
                let fork = Fork::from_name(fork).ok_or_else(|| format!("no fork is called `{fork}`"))?;
                case.spec = Spec { fork, native_code: v.parse()?, hedera: v.parse()? };
            }
            "memory-limit" => case.memory_limit = v.parse()?,
            "block" => {
                case.block = BlockEnv {
                    number: v.parse()?,
                    timestamp: v.parse()?,
                    coinbase: v.parse()?,
                    gas_limit: v.parse()?,
                    base_fee: v.parse()?,
                    prev_randao: v.parse()?,
                    blob_base_fee: v.parse()?,
                    chain_id: v.parse()?,
                };
            }
            "transaction" => {
                case.tx = TxEnv { origin: v.parse()?, gas_price: v.parse()?, blob_hashes: v.all()? };
            }
            "message" => {
                case.message = Message {
                    address: v.parse()?,
                    caller: v.parse()?,
                    value: v.parse()?,
                    is_static: v.parse()?,
                    depth: v.parse()?,
                    input: v.bytes()?,
                };
            }
            "gas" => {
                case.gas = v.parse()?;
                // A stipend on top of it must not overflow.
                if case.gas > u64::MAX >> 1 {
                    return Err("more gas than any frame has".into());
                }
            }
            "code" => case.code = v.bytes()?,
            "interpreter" => case.interpreted = v.frame_end()?,
            "native" => case.compiled = v.frame_end()?,
            _ => return Err(format!("unknown line `{name}`")),
        }
        let is_text = matches!(name, "compiler" | "difference" | "interpreted" | "compiled");
        if is_text { Ok(()) } else { values.end() }
    }

    fn event(&mut self, name: &str, v: &mut Values<'_>) -> Result<Event, String> {
        Ok(match name {
            "sload" => Event::Sload(v.parse()?, v.parse()?, v.touched(|v| v.parse())?),
            "sstore" => {
                let (address, key, value) = (v.parse()?, v.parse()?, v.parse()?);
                let found = v.touched(|v| Ok((v.parse()?, v.parse()?)))?;
                let write = found.map(|found: Access<(U256, U256)>| StorageWrite {
                    original: found.value.0,
                    current: found.value.1,
                    is_cold: found.is_cold,
                });
                Event::Sstore(address, key, value, write)
            }
            "tload" => Event::Tload(v.parse()?, v.parse()?, v.parse()?),
            "tstore" => Event::Tstore(v.parse()?, v.parse()?, v.parse()?),
            "refund" => Event::Refund(v.parse()?),
            "log" => Event::Log(Log { address: v.parse()?, data: v.bytes()?, topics: v.all()? }),
            "account" => {
                let address = v.parse()?;
                let info = |v: &mut Values<'_>| {
                    Ok(AccountInfo { nonce: v.parse()?, balance: v.parse()?, code_hash: v.parse()? })
                };
                Event::Account(address, v.touched(info)?)
            }
            "code" => {
                v.next()?;
                let hash = v.parse()?;
                Event::Code(hash, self.code(&hash)?)
            }
            "selfdestruct" => Event::Selfdestruct(v.parse()?, v.parse()?),
            "balance" => Event::SelfBalance(v.parse()?, v.parse()?),
            "blockhash" => Event::BlockHash(v.parse()?, v.parse()?),
            "service" => {
                let acting = Acting { account: v.parse()?, caller: v.parse()? };
                let (name, data) = (v.next()?, v.bytes()?);
                let (mut next, mut fault) = (|| v.parse(), None);
                let request = ServiceRequest::of(name, &data, || {
                    next().unwrap_or_else(|error| {
                        fault.get_or_insert(error);
                        U256::ZERO
                    })
                });
                if let Some(error) = fault {
                    return Err(error);
                }
                let request = request.ok_or_else(|| format!("no service is called `{}`", short(name)))?;
                let number = v.parse()?;
                let code = ResponseCode::from_number(number);
                let code = code.ok_or_else(|| format!("no response code has the number {number}"))?;
                Event::Service(acting, request, ServiceReply { code, word: v.parse()?, logs: Vec::new() })
            }
            "create" => {
                let request = Request::Create(CreateRequest {
                    creator: v.parse()?,
                    value: v.parse()?,
                    gas: v.parse()?,
                    salt: match v.next()? {
                        "-" => None,
                        salt => Some(parse(salt)?),
                    },
                    init_code: v.bytes()?,
                });
                v.message(request)?
            }
            _ => {
                let kind = CALLS.iter().find(|(_, call)| *call == name).map(|(kind, _)| *kind);
                let kind = kind.ok_or_else(|| format!("unknown line `{name}`"))?;
                let callee = match v.next()? {
                    "code" => {
                        let hash = v.parse()?;
                        Callee::Code(self.code(&hash)?)
                    }
                    "precompile" => Callee::Precompile(v.parse()?),
                    "empty" => Callee::Empty,
                    other => return Err(format!("`{other}` is nothing to call")),
                };
                let request = Request::Call(CallRequest {
                    kind,
                    callee,
                    code_address: v.parse()?,
                    address: v.parse()?,
                    caller: v.parse()?,
                    value: v.parse()?,
                    gas: v.parse()?,
                    is_static: v.parse()?,
                    output: (v.parse()?, v.parse()?),
                    input: v.bytes()?,
                });
                v.message(request)?
            }
        })
    }

    fn code(&self, hash: &B256) -> Result<Arc<Code>, String> {
        self.codes.get(hash).cloned().ok_or_else(|| format!("no line `with` has the code {hash}"))
    }

    fn finish(self) -> Result<Case, String> {
        match FACTS.iter().find(|fact| !self.seen.contains(fact)) {
            Some(missing) => Err(format!("there is no line `{missing}`")),
            None => Ok(self.case),
        }
    }
}

/// The values of a line.
struct Values<'t> {
    rest: &'t str,
    number: usize,
}

/// A value in text.
fn parse<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{}` is not what stands here", short(text)))
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

impl<'t> Values<'t> {
    fn next(&mut self) -> Result<&'t str, String> {
        self.number += 1;
        if self.rest.is_empty() {
            return Err(format!("value {} is missing", self.number));
        }
        let (value, rest) = self.rest.split_once(' ').unwrap_or((self.rest, ""));
        self.rest = rest;
        Ok(value)
    }

    fn parse<T: std::str::FromStr>(&mut self) -> Result<T, String> {
        let value = self.next()?;
        parse(value).map_err(|error: String| format!("value {}: {error}", self.number))
    }

    fn bytes(&mut self) -> Result<Bytes, String> {
        let value = self.next()?;
        let digits = value.strip_prefix("0x").ok_or_else(|| format!("value {} has no 0x", self.number))?;
        hex::decode(digits).map(Bytes::from).map_err(|error| format!("value {}: {error}", self.number))
    }

    /// All that are left.
    fn all<T: std::str::FromStr>(&mut self) -> Result<Vec<T>, String> {
        let mut all = Vec::new();
        while !self.rest.is_empty() {
            all.push(self.parse()?);
        }
        Ok(all)
    }

    /// What a touch found: `unaffordable`, or `cold` or `warm` and more.
    fn touched<T>(
        &mut self,
        value: impl FnOnce(&mut Values<'t>) -> Result<T, String>,
    ) -> Result<Option<Access<T>>, String> {
        let is_cold = match self.next()? {
            "unaffordable" => return Ok(None),
            "cold" => true,
            "warm" => false,
            other => return Err(format!("`{}` is neither cold, warm nor unaffordable", short(other))),
        };
        Ok(Some(Access { value: value(self)?, is_cold }))
    }

    /// The rest of a line about a message: gas, and the answer.
    fn message(&mut self, request: Request) -> Result<Event, String> {
        let gas = self.parse()?;
        let kind = match self.next()? {
            "memory" => FrameKind::Call { start: self.parse()?, size: self.parse()? },
            "created" => FrameKind::Create { address: self.parse()? },
            other => return Err(format!("`{}` is neither memory nor created", short(other))),
        };
        let answer =
            Answer { kind, gas_left: self.parse()?, is_success: self.parse()?, output: self.bytes()? };
        Ok(Event::Message { request: Box::new(request), gas, answer })
    }

    fn frame_end(&mut self) -> Result<FrameEnd, String> {
        let name = self.next()?;
        Ok(FrameEnd {
            exit: exit_of(name).ok_or_else(|| format!("no frame ends with `{}`", short(name)))?,
            gas_left: self.parse()?,
            output: self.bytes()?,
            questions: self.parse()?,
            memory_size: self.parse()?,
            memory_hash: self.parse()?,
        })
    }

    fn end(&self) -> Result<(), String> {
        if self.rest.is_empty() { Ok(()) } else { Err(format!("more than {} values", self.number)) }
    }
}

/// The calls by their names.
const CALLS: [(CallKind, &str); 4] = [
    (CallKind::Call, "call"),
    (CallKind::CallCode, "callcode"),
    (CallKind::DelegateCall, "delegatecall"),
    (CallKind::StaticCall, "staticcall"),
];

/// An event as its line shows it.
pub(super) fn asked_text(event: &Event) -> String {
    fn touch<T>(found: &Option<T>, is_cold: impl Fn(&T) -> bool, text: impl Fn(&T) -> String) -> String {
        match found {
            None => "unaffordable".to_owned(),
            Some(found) if is_cold(found) => format!("cold {}", text(found)),
            Some(found) => format!("warm {}", text(found)),
        }
    }
    match event {
        Event::Sload(address, key, found) => {
            let found = touch(found, |found| found.is_cold, |found| format!("{:#x}", found.value));
            format!("sload {address} {key:#x} {found}")
        }
        Event::Sstore(address, key, value, found) => {
            let words = |found: &StorageWrite| format!("{:#x} {:#x}", found.original, found.current);
            format!("sstore {address} {key:#x} {value:#x} {}", touch(found, |found| found.is_cold, words))
        }
        Event::Tload(address, key, value) => format!("tload {address} {key:#x} {value:#x}"),
        Event::Tstore(address, key, value) => format!("tstore {address} {key:#x} {value:#x}"),
        Event::Refund(refund) => format!("refund {refund}"),
        Event::Log(Log { address, topics, data }) => {
            topics.iter().fold(format!("log {address} {data}"), |mut text, topic| {
                let _ = write!(text, " {topic}");
                text
            })
        }
        Event::Account(address, found) => {
            let info = |found: &Access<AccountInfo>| {
                let AccountInfo { nonce, balance, code_hash } = found.value;
                format!("{nonce} {balance:#x} {code_hash}")
            };
            format!("account {address} {}", touch(found, |found| found.is_cold, info))
        }
        Event::Code(hash, _) => format!("code asked {hash}"),
        Event::Selfdestruct(address, beneficiary) => format!("selfdestruct {address} {beneficiary}"),
        Event::SelfBalance(address, balance) => format!("balance {address} {balance:#x}"),
        Event::BlockHash(number, hash) => format!("blockhash {number} {hash}"),
        Event::Service(acting, request, reply) => {
            format!("{} {} {:#x}", service_text(acting, request), reply.code.number(), reply.word)
        }
        Event::Message { request, gas, answer } => {
            let Answer { kind, gas_left, is_success, output } = answer;
            let kind = match kind {
                FrameKind::Call { start, size } => format!("memory {start} {size}"),
                FrameKind::Create { address } => format!("created {address}"),
            };
            format!("{} {kind} {gas_left} {is_success} {output}", message_text(request, *gas))
        }
    }
}

/// A request to Hedera's services, as its line shows it.
pub(super) fn service_text(acting: &Acting, request: &ServiceRequest) -> String {
    let mut text =
        format!("service {} {} {} {}", acting.account, acting.caller, request.name(), request.data());
    for word in request.words() {
        let _ = write!(text, " {word:#x}");
    }
    text
}

/// A request and the gas of the frame that asks.
pub(super) fn message_text(request: &Request, left: u64) -> String {
    match request {
        Request::Call(call) => {
            let CallRequest { kind, callee, code_address, address, caller, value, input, gas, .. } = call;
            let name = CALLS.iter().find(|(call, _)| call == kind).map_or("call", |(_, name)| name);
            let callee = match callee {
                Callee::Code(code) => format!("code {}", code.hash()),
                Callee::Precompile(address) => format!("precompile {address}"),
                Callee::Empty => "empty".to_owned(),
            };
            let (is_static, (start, size)) = (call.is_static, call.output);
            format!(
                "{name} {callee} {code_address} {address} {caller} {value:#x} {gas} {is_static} {start} {size} \
                 {input} {left}"
            )
        }
        Request::Create(CreateRequest { creator, value, init_code, salt, gas }) => {
            let salt = salt.map_or("-".to_owned(), |salt| format!("{salt:#x}"));
            format!("create {creator} {value:#x} {gas} {salt} {init_code} {left}")
        }
    }
}

/// Every code that events name.
fn codes_of(events: &[Event]) -> BTreeMap<B256, &Arc<Code>> {
    let codes = events.iter().filter_map(|event| match event {
        Event::Code(hash, code) => Some((*hash, code)),
        Event::Message { request, .. } => match &**request {
            Request::Call(CallRequest { callee: Callee::Code(code), .. }) => Some((code.hash(), code)),
            _ => None,
        },
        _ => None,
    });
    codes.collect()
}

/// The name of an exit in a case.
pub(super) fn exit_name(exit: Exit) -> String {
    match exit {
        Exit::Halt => "halt".to_owned(),
        Exit::Return => "return".to_owned(),
        Exit::Revert => "revert".to_owned(),
        Exit::HostError => "strange-question".to_owned(),
        Exit::MemoryLimit => "memory-limit".to_owned(),
        Exit::Trap(trap) => trap.name().replace(' ', "-"),
        Exit::Call | Exit::Create | Exit::Interpret => "not-ended".to_owned(),
    }
}

fn exit_of(name: &str) -> Option<Exit> {
    let plain = [Exit::Halt, Exit::Return, Exit::Revert, Exit::HostError, Exit::MemoryLimit];
    let traps = Trap::ALL.iter().map(|&trap| Exit::Trap(trap));
    plain.into_iter().chain(traps).find(|exit| exit_name(*exit) == name)
}

/// A text without line ends and other controls.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
