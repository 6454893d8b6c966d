//! Names in scope: what modules, contracts and blocks define, and which names the language predeclares.
//!
//! Types, values and resources are separate name spaces (§3). Looking a path up is
//! [`resolve`](super::resolve)'s business; this file only keeps and searches the tables.

use std::collections::HashMap;
use std::sync::Arc;

use super::exact::Int;
use super::typed::{EventId, FuncId, ImmutableId, LocalId, MemberId};
use super::types::{EnumId, ErrorTypeId, HandleId, IntType, StructId, TypeId};
use crate::source::Span;

/// A number of a contract in the module.
pub(super) type ContractIndex = usize;
/// A number of a constant in the module.
pub(super) type ConstIndex = usize;

/// What a name of the type name space means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TypeDef {
    ErrorType(ErrorTypeId),
    Event(EventId),
    Contract(ContractIndex),
    Interface(HandleId),
    Enum(EnumId),
    Struct(StructId),
}

/// What a name of the value name space means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ValueDef {
    Const(ConstIndex),
    Function(FuncId),
}

/// What `state.name` or `transient.name` means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Resource {
    Member(MemberId),
    /// An immutable, which is reached as `state.name`.
    Immutable(ImmutableId),
}

/// What one module or one contract defines.
#[derive(Default)]
pub(super) struct Names {
    pub(super) types: Table<TypeDef>,
    pub(super) values: Table<ValueDef>,
    pub(super) resources: Table<Resource>,
}

/// One name space of one scope.
pub(super) struct Table<T> {
    entries: HashMap<Arc<str>, (T, Span)>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { entries: HashMap::new() }
    }
}

impl<T: Copy> Table<T> {
    pub(super) fn get(&self, name: &str) -> Option<T> {
        self.entries.get(name).map(|entry| entry.0)
    }

    /// Defines `name`; the place of the earlier definition, if there is one, which then stays.
    pub(super) fn define(&mut self, name: &Arc<str>, def: T, span: Span) -> Result<(), Span> {
        match self.entries.get(name) {
            Some(&(_, first)) => Err(first),
            None => {
                self.entries.insert(name.clone(), (def, span));
                Ok(())
            }
        }
    }

    pub(super) fn span(&self, name: &str) -> Option<Span> {
        self.entries.get(name).map(|entry| entry.1)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(|name| &**name)
    }
}

/// What a name of a block means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum LocalDef {
    /// A parameter, `let` or loop variable.
    Variable(LocalId),
    /// `let const`, or an immutable `let` of type `{int}`: each use is the value.
    Constant(super::consts::Value, TypeId),
    /// A reference: the name stands for the place that the borrow of this number names.
    Alias(usize),
    /// A variable, where only constants are of use.
    NotConstant,
    /// Bound to something that was reported.
    Hole,
    /// Bound to an expression that never gives a value; no use of it is reached.
    Never,
}

/// A name of a block, and whether anything used it.
#[derive(Clone, Debug)]
pub(super) struct LocalEntry {
    pub(super) name: Arc<str>,
    pub(super) span: Span,
    pub(super) def: LocalDef,
    pub(super) used: bool,
    pub(super) is_param: bool,
}

/// The nested blocks of one function.
#[derive(Default)]
pub(super) struct Locals {
    entries: Vec<LocalEntry>,
    blocks: Vec<usize>,
    // Invariant: the positions in `entries` of each name, ascending; never empty.
    by_name: HashMap<Arc<str>, Vec<usize>>,
}

impl Locals {
    pub(super) fn enter(&mut self) {
        self.blocks.push(self.entries.len());
    }

    /// Leaves the innermost block; its names, so that unused ones can be reported.
    pub(super) fn leave(&mut self) -> Vec<LocalEntry> {
        let start = self.blocks.pop().expect("blocks are entered before they are left");
        let left = self.entries.split_off(start);
        for entry in &left {
            if let Some(positions) = self.by_name.get_mut(&entry.name) {
                positions.pop();
                if positions.is_empty() {
                    self.by_name.remove(&entry.name);
                }
            }
        }
        left
    }

    pub(super) fn find(&self, name: &str) -> Option<&LocalEntry> {
        self.by_name.get(name).and_then(|positions| positions.last()).map(|&at| &self.entries[at])
    }

    fn find_mut(&mut self, name: &str) -> Option<&mut LocalEntry> {
        self.by_name.get(name).and_then(|positions| positions.last()).map(|&at| &mut self.entries[at])
    }

    /// Finds `name` and marks it as used.
    pub(super) fn use_name(&mut self, name: &str) -> Option<LocalDef> {
        let entry = self.find_mut(name)?;
        entry.used = true;
        Some(entry.def.clone())
    }

    /// Takes the mark of [`use_name`](Self::use_name) back: the name was only assigned.
    pub(super) fn forget_use(&mut self, name: &str) {
        if let Some(entry) = self.find_mut(name) {
            entry.used = false;
        }
    }

    pub(super) fn define(&mut self, entry: LocalEntry) {
        self.by_name.entry(entry.name.clone()).or_default().push(self.entries.len());
        self.entries.push(entry);
    }

    /// Everything that can be named here.
    pub(super) fn entries(&self) -> &[LocalEntry] {
        &self.entries
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| &*entry.name)
    }
}

/// Predeclared functions and objects: names that items and locals may not take.
pub(super) const PREDECLARED_VALUES: &[&str] = &[
    "msg",
    "tx",
    "block",
    "abi",
    "hts",
    "hcs",
    "hedera",
    "crypto",
    "vm",
    "require",
    "assert",
    "keccak256",
    "sha256",
    "ripemd160",
    "blake2b",
    "ecrecover",
    "block_hash",
    "gas_left",
    "create2_address",
    "concat",
    "Ok",
    "Err",
    "Some",
    "None",
    "assert_eq",
    "assert_ne",
    "assert_lt",
    "assert_approx",
];

/// Predeclared types besides the integers.
pub(super) const PREDECLARED_TYPES: &[&str] = &[
    "bool",
    "Address",
    "Hash",
    "bytes",
    "string",
    "Vec",
    "Map",
    "Option",
    "Result",
    "Error",
    "CallError",
    "DecodeError",
];

/// The integer types of the usual widths: of all of them, those that people mean.
pub(super) const COMMON_INTEGERS: &[&str] =
    &["u8", "u16", "u32", "u64", "u128", "u256", "i8", "i16", "i32", "i64", "i128", "i256"];

/// Whether `name` is predeclared among types.
pub(super) fn is_predeclared_type(name: &str) -> bool {
    PREDECLARED_TYPES.contains(&name) || IntType::from_name(name).is_some()
}

/// Prelude constants of literal type.
pub(super) const PRELUDE: &[(&str, u64)] = &[
    ("WEI", 1),
    ("GWEI", 1_000_000_000),
    ("ETHER", 1_000_000_000_000_000_000),
    ("TINYBAR", 1),
    ("HBAR", 100_000_000),
    ("SECONDS", 1),
    ("MINUTES", 60),
    ("HOURS", 3_600),
    ("DAYS", 86_400),
    ("WEEKS", 604_800),
];

/// The value of a prelude constant.
pub(super) fn prelude(name: &str) -> Option<Int> {
    PRELUDE.iter().find(|row| row.0 == name).map(|row| Int::from_u64(row.1))
}

/// Which of `candidates` a misspelled `name` probably means.
pub(super) fn closest<'n>(name: &str, candidates: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    // Nobody mistypes a name this long, and comparing costs its square.
    if name.len() > 64 {
        return None;
    }
    let limit = (name.len() / 3).clamp(1, 3);
    // Equal distances are decided by spelling, so that the message does not depend on hash order.
    let best = candidates
        .filter(|candidate| *candidate != name && candidate.len().abs_diff(name.len()) <= limit)
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .min()?;
    (best.0 <= limit && best.0 < name.len()).then_some(best.1)
}

/// Insertions, deletions, replacements and swaps of neighbors between two ASCII words.
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &y) in b.iter().enumerate() {
            let same_letter = x.eq_ignore_ascii_case(&y);
            let cost = if x == y { 0 } else { 1 };
            let mut best = (last[j] + cost).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && !same_letter && x == b[j - 1] && a[i - 1] == y {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_are_near_and_never_the_name_itself() {
        let names = ["balances", "amount", "total", "to"];
        let suggest = |name| closest(name, names.into_iter());
        assert_eq!(suggest("balance"), Some("balances"));
        assert_eq!(suggest("amuont"), Some("amount"));
        assert_eq!(suggest("Total"), Some("total"));
        assert_eq!(suggest("xyz"), None);
        assert_eq!(suggest("amount"), None);
        assert_eq!(suggest("a"), None);
        assert_eq!(edit_distance("abcd", "abdc"), 1);
        assert_eq!(edit_distance("", "abc"), 3);
    }
}
