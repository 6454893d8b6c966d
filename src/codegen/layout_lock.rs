//! Layout locks (§5.2): what a contract's storage looks like, written down, and what may not change afterwards.
//!
//! A record lists every member with its place, and the shape of every struct and enum that storage holds somewhere. A
//! later version may add members, and variants behind those of an enum without payload; anything else would read old
//! storage wrongly.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::abi;
use crate::diag::{Code, Diagnostics};
use crate::sema::typed::{Contract, Program};
use crate::sema::types::Types;
use crate::source::Span;

/// The record of a contract's layout.
pub fn record(program: &Program, contract: &Contract) -> Value {
    let types = &program.types;
    let members = contract.storage.iter().flat_map(|member| abi::kalix_layout(types, member));
    let shapes: Map<String, Value> = shapes(types, contract).into_iter().collect();
    json!({ "members": members.collect::<Vec<_>>(), "types": shapes })
}

/// Reports what a recorded layout forbids (K0702). `file` is where the record stands.
pub fn check(recorded: &Value, program: &Program, contract: &Contract, file: &str, diags: &mut Diagnostics) {
    let now = record(program, contract);
    let place_of = |name: &str| {
        let first = name.split('.').next().unwrap_or(name);
        contract
            .storage
            .iter()
            .find(|member| member.name == first)
            .map_or(contract.span, |member| member.span)
    };
    let mut report = |name: &str, change: String, span: Span| {
        diags.error(Code::LayoutChanged, span).arg("x", name).arg("change", change).arg("file", file);
    };
    let members = |value: &Value| value["members"].as_array().cloned().unwrap_or_default();
    let present = members(&now);
    for old in members(recorded) {
        let name = old["name"].as_str().unwrap_or_default();
        let slot = |member: &Value| {
            let slot = member["slot"].as_str().unwrap_or("?").to_owned();
            match member["offset"].as_u64() {
                Some(offset) if offset > 0 => format!("{slot}, byte {offset},"),
                _ => slot,
            }
        };
        let Some(new) = present.iter().find(|member| member["name"] == old["name"]) else {
            report(name, format!("was removed from slot {}", slot(&old)), place_of(name));
            continue;
        };
        let place = |member: &Value| [&member["space"], &member["slot"], &member["offset"]].map(Value::clone);
        if place(new) != place(&old) {
            let change = format!("moved from slot {} to {}", slot(&old), slot(new));
            report(name, change.trim_end_matches(',').to_owned(), place_of(name));
        } else if new["type"] != old["type"] || new["bytes"] != old["bytes"] {
            let shown = |member: &Value| member["type"].as_str().unwrap_or("?").to_owned();
            let change = format!("changed its type from `{}` to `{}`", shown(&old), shown(new));
            report(name, change, place_of(name));
        }
    }
    let shapes = |value: &Value| value["types"].as_object().cloned().unwrap_or_default();
    let present = shapes(&now);
    for (name, old) in shapes(recorded) {
        // A type that nothing holds anymore went with its member, which was reported.
        let Some(new) = present.get(&name) else { continue };
        if *new != old && !only_appends_variants(&old, new) {
            let (old, new) = (shape_text(&old), shape_text(new));
            report(&name, format!("changed from `{old}` to `{new}`"), span_of_type(program, contract, &name));
        }
    }
}

/// The shapes of structs and enums that storage holds.
fn shapes(types: &Types, contract: &Contract) -> BTreeMap<String, Value> {
    let mut shapes = BTreeMap::new();
    let (structs, enums) = types.definitions_in(contract.storage.iter().map(|member| member.ty));
    for id in structs {
        let def = &types.structs[id.index()];
        let mut fields: Vec<String> =
            def.fields.iter().map(|(name, ty)| format!("{name}: {}", types.display(*ty))).collect();
        if def.unpacked {
            fields.push("#[unpacked]".to_owned());
        }
        shapes.insert(def.name.clone(), json!(fields));
    }
    for id in enums {
        let def = &types.enums[id.index()];
        let variants = def.variants.iter().map(|variant| {
            let payload: Vec<String> = variant.payload.iter().map(|&ty| types.display(ty)).collect();
            match payload.is_empty() {
                true => format!("{} = {}", variant.name, variant.discriminant),
                false => format!("{}({})", variant.name, payload.join(", ")),
            }
        });
        shapes.insert(def.name.clone(), json!(variants.collect::<Vec<_>>()));
    }
    shapes
}

/// Whether a shape is that of an enum without payload, and the new one only has more variants behind the old ones.
fn only_appends_variants(old: &Value, new: &Value) -> bool {
    let list = |value: &Value| -> Option<Vec<String>> {
        value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let (Some(old), Some(new)) = (list(old), list(new)) else { return false };
    new.len() > old.len() && new.starts_with(&old) && new.iter().all(|variant| variant.contains(" = "))
}

fn shape_text(shape: &Value) -> String {
    let items = shape.as_array().into_iter().flatten().filter_map(Value::as_str);
    format!("{{ {} }}", items.collect::<Vec<_>>().join(", "))
}

fn span_of_type(program: &Program, contract: &Contract, name: &str) -> Span {
    let types = &program.types;
    let structs = types.structs.iter().find(|def| def.name == name).map(|def| def.span);
    let enums = types.enums.iter().find(|def| def.name == name).map(|def| def.span);
    structs.or(enums).unwrap_or(contract.span)
}
