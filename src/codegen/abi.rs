//! What a contract looks like from outside: the KALIX ABI JSON of the container, and Ethereum's JSON ABI.
//!
//! Both are made from the typed program alone, beside what [`Details`] adds. Members and their order are
//! fixed, so equal programs give equal bytes. The encodings themselves are code that lowering makes.

use alloy_primitives::U256;
use serde_json::{Map, Value, json};

use crate::sema::layout;
use crate::sema::typed::{
    AbiParam, Contract, EntryPoint, ErrorRef, Event, FuncId, Guards, MemberKind, Mutability, Program,
    StorageMember,
};
use crate::sema::types::{ErrorVariant, Type, TypeId, Types};
use crate::source::Span;

/// What the KALIX ABI says beside the program: facts of the source file and of the finished code.
pub struct Details<'a> {
    /// Names of the source files, for the source map.
    pub files: Vec<&'a str>,
    /// keccak256 of the source text.
    pub source_hash: [u8; 32],
    /// One entry per instruction of the run-time code.
    pub source_map: &'a str,
    /// The same of the creation code.
    pub init_source_map: &'a str,
    /// Gas of each entry point, in their order; empty without a gas report.
    pub gas: &'a [Value],
    /// What the host must offer beside Ethereum.
    pub requires: &'a [&'static str],
    /// How a place of the source is named.
    pub place: &'a dyn Fn(Span) -> String,
}

/// The KALIX ABI JSON (§14.3).
pub fn kalix_abi(program: &Program, contract: &Contract, details: &Details<'_>) -> Value {
    let types = &program.types;
    let functions = contract.entry_points.iter().enumerate();
    let functions: Vec<Value> = functions
        .map(|(index, entry)| kalix_function(types, entry, &contract.guards, details, index))
        .collect();
    let of_kind = |kinds: &'static [MemberKind]| {
        contract.storage.iter().filter(move |member| kinds.contains(&member.kind))
    };
    let tables: Vec<Value> = of_kind(&[MemberKind::Table]).map(|member| kalix_table(types, member)).collect();
    let variables: Vec<Value> = of_kind(&[MemberKind::State, MemberKind::GroupField])
        .map(|member| {
            json!({
                "name": member.name, "slot": slot_number(member), "offset": member.offset_bytes,
                "type": types.display(member.ty), "visibility": visibility(member.is_pub),
            })
        })
        .collect();
    let events: Vec<Value> =
        contract.events.iter().map(|&id| kalix_event(types, program.event(id))).collect();
    let errors: Vec<Value> =
        contract.errors.iter().map(|&error| kalix_error(types, error_variant(types, error))).collect();
    let layout: Vec<Value> = contract.storage.iter().flat_map(|member| kalix_layout(types, member)).collect();
    let immutables: Vec<Value> = contract
        .immutables
        .iter()
        .map(|immutable| {
            json!({
                "name": immutable.name, "type": types.display(immutable.ty),
                "visibility": visibility(immutable.is_pub),
            })
        })
        .collect();
    json!({
        "contract": contract.name,
        "functions": functions,
        "tables": tables,
        "state_variables": variables,
        "events": events,
        "errors": errors,
        "constructor": contract.constructor.map(|id| kalix_constructor(program, id)),
        "receive": contract.receive.is_some(),
        "fallback": contract.fallback.is_some(),
        "requires": details.requires,
        "storage_layout": layout,
        "immutables": immutables,
        "types": kalix_types(program, contract),
        "compiler": {
            "name": "kalixc",
            "version": env!("CARGO_PKG_VERSION"),
            "source_hash": hex(&details.source_hash),
        },
        "source_map": {
            "files": details.files,
            "map": details.source_map,
            "init_map": details.init_source_map,
        },
        "userdoc": user_doc(program, contract),
        "devdoc": dev_doc(program, contract),
    })
}

fn kalix_function(
    types: &Types,
    entry: &EntryPoint,
    guards: &Guards,
    details: &Details<'_>,
    index: usize,
) -> Value {
    let params = |params: &[AbiParam]| -> Vec<Value> {
        let param = |param: &AbiParam| json!({ "name": param.name, "type": types.display(param.ty), "abi_type": param.abi_type });
        params.iter().map(param).collect()
    };
    let lock = guards.locks.get(&entry.function);
    let mut reentrancy =
        json!({ "locks": lock.is_some(), "checks": guards.checks.contains(&entry.function) });
    if let Some(&site) = lock {
        reentrancy["site"] = (details.place)(site).into();
    }
    json!({
        "name": entry.name,
        "selector": hex(&entry.selector),
        "inputs": params(&entry.inputs),
        "outputs": params(&entry.outputs),
        "mutability": entry.mutability.name(),
        "visibility": "public",
        "signature": entry.signature,
        "reentrancy": reentrancy,
        "gas": details.gas.get(index),
    })
}

fn kalix_table(types: &Types, member: &StorageMember) -> Value {
    let Type::Map { key, value } = *types.get(member.ty) else {
        unreachable!("the checker lets a table be a map only")
    };
    json!({
        "name": member.name, "slot": slot_number(member), "key_type": types.display(key),
        "value_type": types.display(value), "visibility": visibility(member.is_pub),
    })
}

fn kalix_event(types: &Types, event: &Event) -> Value {
    let fields = event.fields.iter();
    let fields = fields.map(
        |field| json!({ "name": field.name, "type": types.display(field.ty), "indexed": field.indexed }),
    );
    json!({
        "name": event.abi_name, "signature": event.signature, "topic": hex(&event.topic),
        "anonymous": event.anonymous, "fields": fields.collect::<Vec<_>>(),
    })
}

fn kalix_error(types: &Types, error: &ErrorVariant) -> Value {
    let inputs = error.params.iter().map(|(name, ty)| json!({ "name": name, "type": types.display(*ty) }));
    json!({
        "name": error.name, "selector": hex(&error.selector), "signature": error.signature,
        "inputs": inputs.collect::<Vec<_>>(),
    })
}

fn kalix_constructor(program: &Program, id: FuncId) -> Value {
    let (function, types) = (program.function(id), &program.types);
    let inputs = function.params().iter().map(|param| {
        json!({ "name": param.name, "type": types.display(param.ty), "abi_type": types.abi_type(param.ty) })
    });
    json!({ "inputs": inputs.collect::<Vec<_>>(), "mutability": function.mutability.name() })
}

/// A member, then the fields of a struct in it, `member.field`.
pub(super) fn kalix_layout(types: &Types, member: &StorageMember) -> Vec<Value> {
    let space = if member.kind == MemberKind::Transient { "transient" } else { "persistent" };
    let mut rows = Vec::new();
    let mut open =
        vec![(member.name.clone(), member.slot, member.offset_bytes, member.size_bytes, member.ty)];
    while let Some((name, slot, offset, bytes, ty)) = open.pop() {
        rows.push(json!({
            "name": name, "space": space, "slot": slot.to_string(), "offset": offset,
            "bytes": bytes, "type": types.display(ty),
        }));
        let (Type::Struct(id), Some(fields)) = (types.get(ty), layout::fields_of(types, ty)) else {
            continue;
        };
        let declared = types.structs[id.index()].fields.iter();
        // The last one comes first off the stack.
        for (place, (field, ty)) in fields.places.iter().zip(declared).rev() {
            let bytes = match types.word_size_bytes(*ty) {
                Some(size) => u64::from(size),
                None => layout::slot_count(types, *ty).unwrap_or(1).saturating_mul(32),
            };
            let slot = slot.wrapping_add(U256::from(place.slot));
            open.push((format!("{name}.{field}"), slot, place.offset_bytes, bytes, *ty));
        }
    }
    rows
}

/// The structs and enums that the contract's own entry points, members, events and errors use: what a whole program
/// declares would grow with its contracts.
fn kalix_types(program: &Program, contract: &Contract) -> Value {
    let types = &program.types;
    let entries = contract.entry_points.iter().flat_map(|entry| entry.inputs.iter().chain(&entry.outputs));
    let constructor = contract.constructor.iter().flat_map(|&id| program.function(id).params());
    let events = contract.events.iter().flat_map(|&id| &program.event(id).fields);
    let errors = contract.errors.iter().flat_map(|&error| &error_variant(types, error).params);
    let used = entries
        .map(|param| param.ty)
        .chain(constructor.map(|param| param.ty))
        .chain(contract.storage.iter().map(|member| member.ty))
        .chain(contract.immutables.iter().map(|immutable| immutable.ty))
        .chain(events.map(|field| field.ty))
        .chain(errors.map(|param| param.1));
    let (structs, enums) = types.definitions_in(used);
    let mut described = Map::new();
    for id in structs {
        let definition = &types.structs[id.index()];
        let fields = definition.fields.iter();
        let fields = fields.map(|(name, ty)| json!({ "name": name, "type": types.display(*ty) }));
        let value = json!({ "kind": "struct", "fields": fields.collect::<Vec<_>>() });
        described.insert(definition.name.clone(), value);
    }
    for id in enums.into_iter().filter(|&id| !Types::is_predeclared(id)) {
        let definition = &types.enums[id.index()];
        let variants = definition.variants.iter().map(|variant| {
            let payload = variant.payload.iter().map(|&ty| types.display(ty));
            json!({
                "name": variant.name, "discriminant": variant.discriminant,
                "payload": payload.collect::<Vec<_>>(),
            })
        });
        let value = json!({ "kind": "enum", "variants": variants.collect::<Vec<_>>() });
        described.insert(definition.name.clone(), value);
    }
    Value::Object(described)
}

/// A slot as a JSON number; one that no `u64` holds as a string of hexadecimal digits.
fn slot_number(member: &StorageMember) -> Value {
    match u64::try_from(member.slot) {
        Ok(slot) => slot.into(),
        Err(_) => format!("{:#x}", member.slot).into(),
    }
}

const fn visibility(is_pub: bool) -> &'static str {
    if is_pub { "public" } else { "private" }
}

fn error_variant(types: &Types, error: ErrorRef) -> &ErrorVariant {
    &types.error_type(error.ty).variants[error.variant as usize]
}

fn hex(bytes: &[u8]) -> String {
    format!("0x{}", alloy_primitives::hex::encode(bytes))
}

/// What a doc comment says, sorted by its `@` lines.
#[derive(Default)]
struct Doc {
    notice: String,
    details: String,
    params: Map<String, Value>,
    returns: String,
}

/// The part of a doc comment that a line without `@` continues.
enum DocPart {
    Notice,
    Details,
    Returns,
    Param(String),
}

impl Doc {
    fn of(lines: &[String]) -> Doc {
        let mut doc = Doc::default();
        let mut part = DocPart::Notice;
        for line in lines {
            let line = line.trim();
            let (tag, rest) = line.split_once(' ').unwrap_or((line, ""));
            let text = match tag {
                "@dev" => {
                    part = DocPart::Details;
                    rest
                }
                "@return" => {
                    part = DocPart::Returns;
                    rest
                }
                "@param" => {
                    let (name, text) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
                    part = DocPart::Param(name.to_owned());
                    text
                }
                _ => line,
            };
            doc.add(&part, text);
        }
        doc
    }

    fn add(&mut self, part: &DocPart, text: &str) {
        match part {
            DocPart::Notice => join(&mut self.notice, text),
            DocPart::Details => join(&mut self.details, text),
            DocPart::Returns => join(&mut self.returns, text),
            DocPart::Param(name) => {
                let param = self.params.entry(name.as_str()).or_insert_with(|| "".into());
                let mut known = param.as_str().unwrap_or_default().to_owned();
                join(&mut known, text);
                *param = known.into();
            }
        }
    }
}

fn join(text: &mut String, line: &str) {
    let line = line.trim();
    if !text.is_empty() && !line.is_empty() {
        text.push(' ');
    }
    text.push_str(line);
}

/// What users of the contract are told.
fn user_doc(program: &Program, contract: &Contract) -> Value {
    let mut methods = Map::new();
    for entry in &contract.entry_points {
        let notice = Doc::of(&program.function(entry.function).docs).notice;
        if !notice.is_empty() {
            methods.insert(entry.signature.clone(), json!({ "notice": notice }));
        }
    }
    json!({ "notice": Doc::of(&contract.docs).notice, "methods": methods })
}

/// What developers are told.
fn dev_doc(program: &Program, contract: &Contract) -> Value {
    let mut methods = Map::new();
    for entry in &contract.entry_points {
        let doc = Doc::of(&program.function(entry.function).docs);
        let mut method = Map::new();
        if !doc.details.is_empty() {
            method.insert("details".into(), doc.details.into());
        }
        if !doc.params.is_empty() {
            method.insert("params".into(), doc.params.into());
        }
        if !doc.returns.is_empty() {
            method.insert("returns".into(), json!({ "_0": doc.returns }));
        }
        if !method.is_empty() {
            methods.insert(entry.signature.clone(), method.into());
        }
    }
    json!({ "details": Doc::of(&contract.docs).details, "methods": methods })
}

/// Ethereum's JSON ABI (§14.4).
pub fn ethereum_abi(program: &Program, contract: &Contract) -> Value {
    let types = &program.types;
    let mut objects = Vec::new();
    if let Some(id) = contract.constructor {
        let function = program.function(id);
        let inputs = function.params().iter();
        let inputs = inputs.map(|param| ethereum_param(types, contract, &param.name, param.ty, None));
        objects.push(json!({
            "type": "constructor",
            "inputs": inputs.collect::<Vec<_>>(),
            "stateMutability": state_mutability(function.mutability),
        }));
    }
    for (kind, id) in [("receive", contract.receive), ("fallback", contract.fallback)] {
        let mutability = id.map(|id| state_mutability(program.function(id).mutability));
        objects.extend(mutability.map(|mutability| json!({ "type": kind, "stateMutability": mutability })));
    }
    objects.extend(contract.entry_points.iter().map(|entry| ethereum_function(types, contract, entry)));
    objects.extend(contract.events.iter().map(|&id| {
        let event = program.event(id);
        let inputs = event.fields.iter().map(|field| {
            let mut input = ethereum_param(types, contract, &field.name, field.ty, None);
            input["indexed"] = field.indexed.into();
            input
        });
        json!({
            "type": "event", "name": event.abi_name, "inputs": inputs.collect::<Vec<_>>(),
            "anonymous": event.anonymous,
        })
    }));
    objects.extend(contract.errors.iter().map(|&error| {
        let error = error_variant(types, error);
        let inputs = error.params.iter();
        let inputs = inputs.map(|(name, ty)| ethereum_param(types, contract, name, *ty, None));
        json!({ "type": "error", "name": error.name, "inputs": inputs.collect::<Vec<_>>() })
    }));
    Value::Array(objects)
}

fn ethereum_function(types: &Types, contract: &Contract, entry: &EntryPoint) -> Value {
    let params = |params: &[AbiParam]| -> Vec<Value> {
        let param =
            |param: &AbiParam| ethereum_param(types, contract, &param.name, param.ty, Some(&param.abi_type));
        params.iter().map(param).collect()
    };
    // Under `#[selector("…")]` clients derive the selector from the signature's name.
    let name = entry.signature.split('(').next().unwrap_or(&entry.name);
    let mut object = json!({
        "type": "function",
        "name": name,
        "inputs": params(&entry.inputs),
        "outputs": params(&entry.outputs),
        "stateMutability": state_mutability(entry.mutability),
    });
    let derived = alloy_primitives::keccak256(entry.signature.as_bytes());
    if derived[..4] != entry.selector {
        object["selector"] = hex(&entry.selector).into();
    }
    object
}

/// One parameter; `exported` is the canonical type where a signature says another than the Kalix type.
fn ethereum_param(
    types: &Types,
    contract: &Contract,
    name: &str,
    ty: TypeId,
    exported: Option<&str>,
) -> Value {
    let canonical = types.abi_type(ty).unwrap_or_default();
    let widened = exported.filter(|&exported| exported != canonical);
    let (shape, components) = ethereum_shape(types, contract, ty);
    let internal = match widened {
        Some(exported) => exported.to_owned(),
        None => internal_type(types, contract, ty),
    };
    let shape = widened.map_or(shape, str::to_owned);
    let mut param = json!({ "name": name, "type": shape, "internalType": internal });
    if let Some(components) = components {
        param["components"] = components.into();
    }
    param
}

/// The `type` of a parameter, with `tuple` for aggregates, and their `components`.
fn ethereum_shape(types: &Types, contract: &Contract, ty: TypeId) -> (String, Option<Vec<Value>>) {
    match types.get(ty) {
        Type::Tuple(elements) => {
            let components = elements.iter().map(|&ty| ethereum_param(types, contract, "", ty, None));
            ("tuple".to_owned(), Some(components.collect()))
        }
        Type::Struct(id) => {
            let fields = types.structs[id.index()].fields.iter();
            let components = fields.map(|(name, ty)| ethereum_param(types, contract, name, *ty, None));
            ("tuple".to_owned(), Some(components.collect()))
        }
        Type::Array { element, length } => {
            let (shape, components) = ethereum_shape(types, contract, *element);
            (format!("{shape}[{length}]"), components)
        }
        Type::Vec(element) => {
            let (shape, components) = ethereum_shape(types, contract, *element);
            (format!("{shape}[]"), components)
        }
        _ => (types.abi_type(ty).unwrap_or_default(), None),
    }
}

/// The `internalType` of a parameter: its name in source where it has one.
fn internal_type(types: &Types, contract: &Contract, ty: TypeId) -> String {
    match types.get(ty) {
        Type::Struct(id) => format!("struct {}.{}", contract.name, types.structs[id.index()].name),
        Type::Enum(id) => format!("enum {}.{}", contract.name, types.enums[id.index()].name),
        Type::Handle(id) => format!("contract {}", types.handles[id.index()].name),
        Type::Array { element, length } => format!("{}[{length}]", internal_type(types, contract, *element)),
        Type::Vec(element) => format!("{}[]", internal_type(types, contract, *element)),
        Type::Tuple(_) => "tuple".to_owned(),
        _ => types.abi_type(ty).unwrap_or_default(),
    }
}

const fn state_mutability(mutability: Mutability) -> &'static str {
    match mutability {
        Mutability::Mutable => "nonpayable",
        other => other.name(),
    }
}
