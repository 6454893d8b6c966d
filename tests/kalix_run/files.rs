//! Scripts: a contract, then calls and what they do.
//!
//! ```text
//! //> deploy(5) value 1          runs the init code; without this line, with no arguments and no value
//! //> add(1, -2) value 3         calls an entry point; arguments are integers, true, false or 0x words,
//! //                              or for other types [1, 2], (1, 0x02), "text", 0x00ff
//! //> calldata 0x01020304 value 3   calls with these bytes; what no entry point returns is shown as bytes
//! //> storage keccak(0, 7)       reads a slot: a number, or the hash of two words, computed with sha3
//! //= …                          what came out
//! ```
//!
//! A file holds one program, or several, each after a line `//! case: <§ and the sentence that it tests>`. They are
//! compiled in every way and executed interpreted, those of the usual level of optimization as native code, too. `BLESS=1 cargo test --test kalix_run` rewrites the
//! `//=` lines.

use std::fmt::Write;

use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{Bytes, U256, hex};
use kalix::codegen::{CodegenOptions, OptLevel};
use kalix::sema::typed;
use kalix::sema::types::{Type, TypeId, Types};
use sha3::Digest;
use testkit::observe::{Observed, exit_name};
use zvm::host::Log;
use zvm::outcome::Exit;

use crate::compile::{Compiled, World, check};
use crate::scripts::{diff, run_folder};

#[test]
fn scripts_do_what_they_say() {
    run_folder("run", |text| run_everywhere(text).map(Some));
}

/// The program with the results of today; an error if two ways to compile it differ.
fn run_everywhere(text: &str) -> Result<String, String> {
    let program = check(text)?;
    let mut first: Option<String> = None;
    for options in every_way() {
        let CodegenOptions { target, opt_level, .. } = options;
        let way = format!("{}, {opt_level:?}", target.name());
        let found = run_script(text, &program, &options).map_err(|error| format!("{way}: {error}"))?;
        let expected = first.get_or_insert_with(|| found.clone());
        if *expected != found {
            return Err(format!("{way}\n  {}", diff(expected, &found).join("\n  ")));
        }
    }
    first.ok_or_else(|| "there is no way to compile it".to_owned())
}

/// The ways to compile a program, which all give the same results.
pub(crate) fn every_way() -> impl Iterator<Item = CodegenOptions> {
    let ways = crate::TARGETS.iter().copied().flat_map(|target| OptLevel::ALL.map(|level| (target, level)));
    ways.map(|(target, opt_level)| CodegenOptions { target, opt_level, ..CodegenOptions::STANDARD })
}

/// Whether what is compiled in this way is executed as native code, too: making that takes longer than all the rest.
pub(crate) fn is_executed_natively(options: &CodegenOptions) -> bool {
    options.opt_level == CodegenOptions::STANDARD.opt_level
}

/// The script with the results that it has today.
fn run_script(text: &str, program: &typed::Program, options: &CodegenOptions) -> Result<String, String> {
    let compile = || {
        let compiled = Compiled::contract_of(program.clone(), 0, options)?;
        Ok::<_, String>(Compiled { is_native: is_executed_natively(options), ..compiled })
    };
    let mut compiled = Some(compile()?);
    let mut world = None;
    let mut out = String::new();
    for line in text.lines().filter(|line| !line.starts_with("//=")) {
        out += line;
        out.push('\n');
        let Some(command) = line.strip_prefix("//>").map(str::trim) else { continue };
        let results = if let Some(rest) = command.strip_prefix("deploy") {
            let source = match compiled.take() {
                Some(compiled) => compiled,
                None => compile()?,
            };
            let (_, args, value) = parse_call(&format!("deploy{rest}"))?;
            let constructor = source.contract().constructor.map(|id| program.function(id).params());
            let types: Vec<_> = constructor.unwrap_or_default().iter().map(|param| param.ty).collect();
            let args = encode_args(&program.types, &types, &args, &|_| None)?;
            let (mut observed, deployed) = World::deploy(source, &args, value)?;
            world = deployed;
            if observed.exit == Exit::Return {
                // The code is compared already.
                observed.output = Bytes::new();
                observed.exit = Exit::Halt;
            }
            show_observed(program, &[], &observed)
        } else {
            if world.is_none() {
                let compiled = compiled.take().ok_or("the contract is not deployed")?;
                world = World::deploy(compiled, &[], U256::ZERO)?.1;
            }
            let world = world.as_mut().ok_or("the contract is not deployed")?;
            run_command(world, command).map_err(|error| format!("{command}: {error}"))?
        };
        for result in results {
            writeln!(out, "//= {result}").expect("a String accepts all");
        }
    }
    Ok(out)
}

fn run_command(world: &mut World, command: &str) -> Result<Vec<String>, String> {
    if let Some(slot) = command.strip_prefix("storage ") {
        let value = world.storage.get(&parse_slot(slot)?).copied().unwrap_or_default();
        return Ok(vec![format!("{value:#x}")]);
    }
    if let Some(rest) = command.strip_prefix("calldata ") {
        let (bytes, value) = match rest.split_once(" value ") {
            Some((bytes, value)) => (bytes, parse_word(value)?),
            None => (rest, U256::ZERO),
        };
        let input = hex::decode(bytes).map_err(|error| error.to_string())?;
        let entries = &world.compiled.contract().entry_points;
        let entry = entries.iter().find(|entry| input.starts_with(&entry.selector));
        let outputs: Option<Vec<TypeId>> =
            entry.map(|entry| entry.outputs.iter().map(|output| output.ty).collect());
        let observed = world.call(input.into(), value)?;
        let program = &world.compiled.program;
        return Ok(match outputs {
            None if observed.exit == Exit::Return => {
                let rest = show(program, &[], Exit::Halt, &[], &observed.logs).split_off(1);
                [vec![format!("ok {}", hex::encode_prefixed(&observed.output))], rest].concat()
            }
            outputs => show_observed(program, &outputs.unwrap_or_default(), &observed),
        });
    }
    let (name, args, value) = parse_call(command)?;
    let entry = world.compiled.entry(&name).ok_or("no such entry point")?;
    let outputs: Vec<TypeId> = entry.outputs.iter().map(|output| output.ty).collect();
    let inputs: Vec<_> = entry.inputs.iter().map(|input| input.ty).collect();
    let args = encode_args(&world.compiled.program.types, &inputs, &args, &|_| None)?;
    let selector = entry.selector;
    let observed = world.call([&selector[..], &args].concat().into(), value)?;
    world.check_gas(selector, &observed)?;
    Ok(show_observed(&world.compiled.program, &outputs, &observed))
}

/// `name(arg, …) value N`.
pub(crate) fn parse_call(text: &str) -> Result<(String, Vec<String>, U256), String> {
    let (name, rest) = text.split_once('(').ok_or("`(` is missing")?;
    let (args, rest) = rest.rsplit_once(')').ok_or("`)` is missing")?;
    let value = match rest.trim().strip_prefix("value ") {
        Some(value) => parse_word(value)?,
        None if rest.trim().is_empty() => U256::ZERO,
        None => return Err(format!("`{rest}` is left over")),
    };
    Ok((name.trim().to_owned(), split(args), value))
}

/// The parts between the commas that stand outside of brackets and quotes.
fn split(text: &str) -> Vec<String> {
    let (mut parts, mut depth, mut quoted) = (vec![String::new()], 0, false);
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth -= 1,
            ',' if depth == 0 && !quoted => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("there is always a part").push(letter);
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

fn is_word(types: &Types, ty: TypeId) -> bool {
    types.is_word(ty)
}

/// The type as the library that encodes and decodes for these tests knows it.
fn abi_type(types: &Types, ty: TypeId) -> Result<DynSolType, String> {
    let name = types.abi_type(ty).ok_or_else(|| format!("`{}` is no ABI type", types.display(ty)))?;
    DynSolType::parse(&name).map_err(|error| error.to_string())
}

/// The ABI encoding of arguments. Words need not be well-formed; `word_of` knows what words stand for that are no
/// numbers.
pub(crate) fn encode_args(
    types: &Types,
    params: &[TypeId],
    args: &[String],
    word_of: &dyn Fn(&str) -> Option<U256>,
) -> Result<Vec<u8>, String> {
    let parse_word = |arg: &str| word_of(arg).map_or_else(|| parse_word(arg), Ok);
    if params.iter().all(|&ty| is_word(types, ty)) {
        let words: Vec<U256> = args.iter().map(|arg| parse_word(arg)).collect::<Result<_, _>>()?;
        return Ok(words.iter().flat_map(|word| word.to_be_bytes::<32>()).collect());
    }
    if params.len() != args.len() {
        return Err(format!("{} arguments instead of {}", args.len(), params.len()));
    }
    let mut values = Vec::new();
    for (&ty, arg) in params.iter().zip(args) {
        values.push(match is_word(types, ty) {
            true => DynSolValue::Uint(parse_word(arg)?, 256),
            false => abi_type(types, ty)?.coerce_str(arg).map_err(|error| format!("{arg}: {error}"))?,
        });
    }
    Ok(DynSolValue::Tuple(values).abi_encode_params())
}

/// Values as a reader of a script likes to see them.
fn show_value(value: &DynSolValue) -> String {
    match value {
        DynSolValue::Bool(value) => value.to_string(),
        DynSolValue::Uint(value, _) => value.to_string(),
        DynSolValue::Int(value, _) => value.to_string(),
        DynSolValue::Address(value) => format!("{:#x}", U256::from_be_slice(value.as_slice())),
        DynSolValue::FixedBytes(word, size) => hex::encode_prefixed(&word[..*size]),
        DynSolValue::Bytes(bytes) => hex::encode_prefixed(bytes),
        DynSolValue::String(text) => format!("{text:?}"),
        DynSolValue::Array(list) | DynSolValue::FixedArray(list) => {
            format!("[{}]", list.iter().map(show_value).collect::<Vec<_>>().join(", "))
        }
        DynSolValue::Tuple(list) => {
            format!("({})", list.iter().map(show_value).collect::<Vec<_>>().join(", "))
        }
        other => format!("{other:?}"),
    }
}

pub(crate) fn parse_word(text: &str) -> Result<U256, String> {
    let number = |text: &str| text.parse::<U256>().map_err(|error| format!("`{text}`: {error}"));
    match text {
        "true" => Ok(U256::from(1)),
        "false" => Ok(U256::ZERO),
        "caller" => Ok(testkit::host::CALLER.into_word().into()),
        _ => match text.strip_prefix('-') {
            Some(magnitude) => Ok(number(magnitude)?.wrapping_neg()),
            None => number(text),
        },
    }
}

pub(crate) fn parse_slot(text: &str) -> Result<U256, String> {
    let Some(inner) = text.strip_prefix("keccak(").and_then(|rest| rest.strip_suffix(')')) else {
        return parse_word(text);
    };
    // The first operand may be a hash again.
    let (slot, keys) = match inner.rfind(')') {
        Some(end) => (&inner[..=end], inner[end + 1..].trim_start_matches(',')),
        // Of the slot alone: where the data of a `Vec` begin.
        None => inner.split_once(',').unwrap_or((inner, "")),
    };
    let mut hash = sha3::Keccak256::new();
    hash.update(parse_slot(slot.trim())?.to_be_bytes::<32>());
    for key in keys.split(',').filter(|key| !key.trim().is_empty()) {
        hash.update(parse_word(key.trim())?.to_be_bytes::<32>());
    }
    Ok(U256::from_be_slice(&hash.finalize()))
}

fn show_observed(program: &typed::Program, outputs: &[TypeId], observed: &Observed) -> Vec<String> {
    show(program, outputs, observed.exit, &observed.output, &observed.logs)
}

/// Outcome, then logs.
pub(crate) fn show(
    program: &typed::Program,
    outputs: &[TypeId],
    exit: Exit,
    output: &[u8],
    logs: &[Log],
) -> Vec<String> {
    let types = &program.types;
    let mut lines = vec![match exit {
        Exit::Halt => "ok".to_owned(),
        Exit::Return => format!("ok {}", show_words(types, &flattened(types, outputs), output)),
        Exit::Revert => format!("revert {}", show_error(types, output)).trim_end().to_owned(),
        exit => exit_name(exit),
    }];
    for log in logs {
        let topics: Vec<_> =
            log.topics.iter().map(|&topic| show_word(U256::from_be_bytes(topic.0))).collect();
        let event = program.events.iter().find(|e| log.topics.first().is_some_and(|t| t.0 == e.topic));
        let (name, topics) = match event {
            Some(event) => (event.name.as_str(), &topics[1..]),
            None => ("log", &topics[..]),
        };
        let fields = event.iter().flat_map(|event| &event.fields).filter(|field| !field.indexed);
        let fields: Vec<_> = fields.map(|field| field.ty).collect();
        let data = if fields.iter().all(|&ty| is_word(types, ty)) {
            let words = log.data.chunks(32).map(|word| show_word(U256::from_be_slice(word)));
            words.collect::<Vec<_>>().join(", ")
        } else {
            show_words(types, &fields, &log.data)
        };
        lines.push(format!("{name} [{}] {data}", topics.join(", ")).trim_end().to_owned());
    }
    lines
}

pub(crate) fn show_word(word: U256) -> String {
    if word < U256::from(1_000_000_000_000u64) { word.to_string() } else { format!("{word:#x}") }
}

/// The outputs of a function, of which a tuple is several.
fn flattened(types: &Types, outputs: &[TypeId]) -> Vec<TypeId> {
    let elements = |&output: &TypeId| match types.get(output) {
        Type::Tuple(elements) => elements.to_vec(),
        _ => vec![output],
    };
    outputs.iter().flat_map(elements).collect()
}

fn show_words(types: &Types, flat: &[TypeId], bytes: &[u8]) -> String {
    if flat.iter().any(|&ty| !is_word(types, ty)) {
        let shapes: Result<Vec<_>, _> = flat.iter().map(|&ty| abi_type(types, ty)).collect();
        let decoded = shapes.and_then(|shapes| {
            let shape = DynSolType::Tuple(shapes);
            let value = shape.abi_decode_params(bytes).map_err(|error| error.to_string())?;
            // Not a byte more or less than the canonical encoding.
            let canonical = value.abi_encode_params() == bytes;
            Ok((value, canonical))
        });
        return match decoded {
            Ok((DynSolValue::Tuple(list), true)) => {
                list.iter().map(show_value).collect::<Vec<_>>().join(", ")
            }
            Ok(_) => format!("not canonical: {}", hex::encode_prefixed(bytes)),
            Err(error) => format!("{error}: {}", hex::encode_prefixed(bytes)),
        };
    }
    if bytes.len() != 32 * flat.len() {
        return format!("{} bytes for {} outputs", bytes.len(), flat.len());
    }
    let shown = flat.iter().zip(bytes.chunks(32)).map(|(&ty, word)| {
        let word = U256::from_be_slice(word);
        match types.get(ty) {
            Type::Bool if word <= U256::from(1) => (word == U256::from(1)).to_string(),
            Type::Int(int) if int.signed && word.bit(255) => format!("-{}", word.wrapping_neg()),
            Type::Int(_) => word.to_string(),
            _ => format!("{word:#x}"),
        }
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn show_error(types: &Types, bytes: &[u8]) -> String {
    let Some((selector, rest)) = bytes.split_at_checked(4) else { return hex::encode(bytes) };
    let words: Vec<U256> = rest.chunks(32).map(U256::from_be_slice).collect();
    if selector == [0x4e, 0x48, 0x7b, 0x71] && rest.len() == 32 {
        return format!("panic {:#04x}", words[0]);
    }
    if selector == [0x08, 0xc3, 0x79, 0xa0] && words.len() >= 2 && words[0] == U256::from(32) {
        let length = words[1].to::<usize>();
        let padded = rest.len() == 64 + length.next_multiple_of(32);
        let text = String::from_utf8_lossy(&rest[64..64 + length]);
        return format!("{text:?}{}", if padded { "" } else { " with wrong padding" });
    }
    let mut variants = types.error_types.iter().flat_map(|def| &def.variants);
    let Some(variant) = variants.find(|variant| variant.selector == selector) else {
        return hex::encode_prefixed(bytes);
    };
    let params: Vec<_> = variant.params.iter().map(|param| param.1).collect();
    format!("{}({})", variant.name, show_words(types, &params, rest))
}
