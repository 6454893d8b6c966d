//! The types of a program, what it declares, and literals of every type.

use std::fmt::Write;

use alloy_primitives::U256;

use crate::random::Random;

/// A type that a program names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ty {
    Bool,
    Int {
        signed: bool,
        bits: usize,
    },
    Address,
    Hash,
    /// Handle of the other contract.
    Child,
    /// A payload-free enum.
    Choice(usize),
    /// A struct that is Copy.
    Point(usize),
    /// A struct that moves.
    Record(usize),
    /// An enum with payloads.
    Shape(usize),
    /// A tuple of Copy types.
    Pair(Box<(Ty, Ty)>),
    Maybe(Box<Ty>),
    List(Box<Ty>),
    Array(Box<Ty>, usize),
    Bytes,
    Text,
}

pub(super) const U8: Ty = Ty::Int { signed: false, bits: 8 };
pub(super) const U64: Ty = Ty::Int { signed: false, bits: 64 };
pub(super) const U256_TY: Ty = Ty::Int { signed: false, bits: 256 };

impl Ty {
    pub(super) fn is_copy(&self) -> bool {
        !matches!(
            self,
            Ty::Record(_) | Ty::Shape(_) | Ty::Maybe(_) | Ty::List(_) | Ty::Array(..) | Ty::Bytes | Ty::Text
        )
    }

    pub(super) fn is_int(&self) -> bool {
        matches!(self, Ty::Int { .. })
    }

    pub(super) fn name(&self) -> String {
        match self {
            Ty::Bool => "bool".into(),
            Ty::Int { signed, bits } => format!("{}{bits}", if *signed { 'i' } else { 'u' }),
            Ty::Address => "Address".into(),
            Ty::Hash => "Hash".into(),
            Ty::Child => "Child".into(),
            Ty::Choice(n) => format!("Choice{n}"),
            Ty::Point(n) => format!("Point{n}"),
            Ty::Record(n) => format!("Record{n}"),
            Ty::Shape(n) => format!("Shape{n}"),
            Ty::Pair(pair) => format!("({}, {})", pair.0.name(), pair.1.name()),
            Ty::Maybe(inner) => format!("Option<{}>", inner.name()),
            Ty::List(inner) => format!("Vec<{}>", inner.name()),
            Ty::Array(inner, length) => format!("[{}; {length}]", inner.name()),
            Ty::Bytes => "bytes".into(),
            Ty::Text => "string".into(),
        }
    }
}

/// What a function may fail with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fails {
    No,
    /// The single error `Low`.
    Low,
    /// The error set `Fault`.
    Fault,
    /// `Error`.
    Any,
}

impl Fails {
    /// The type of what a function gives that may fail so.
    pub(super) fn result(self, value: &str) -> String {
        match self {
            Fails::No => value.to_owned(),
            Fails::Low => format!("Result<{value}, Low>"),
            Fails::Fault => format!("Result<{value}, Fault>"),
            Fails::Any => format!("Result<{value}, Error>"),
        }
    }
}

/// The errors of every program.
pub(super) const ERRORS: &str = "error Low(have: u64);
error Fault { Never, Later(at: u64, mark: i8), Said(text: string) }
";

/// How a parameter is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Value,
    Ref,
    RefMut,
}

#[derive(Clone, Debug)]
pub(super) struct Param {
    pub(super) ty: Ty,
    pub(super) by: By,
}

/// Where a function stands and who may call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Of the module.
    Free,
    /// Of the type of its first parameter, `self`.
    Method,
    /// Of the contract, internal.
    Internal,
    /// Of the contract, `pub`.
    Entry,
}

/// A function that can be called.
#[derive(Clone, Debug)]
pub(super) struct Func {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) params: Vec<Param>,
    /// `None` for `()`.
    pub(super) ret: Option<Ty>,
    pub(super) fails: Fails,
    pub(super) is_view: bool,
    pub(super) is_payable: bool,
    /// Whether it neither loops nor calls, so that loops may call it.
    pub(super) is_light: bool,
}

/// A member of the contract's storage.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// With `state.` or `transient.` before it.
    pub(super) path: String,
    /// The types of its map's keys, outermost first; a pair is a tuple key.
    pub(super) keys: Vec<Ty>,
    /// The type of the member, or of the map's values.
    pub(super) ty: Ty,
}

/// What a program declares.
#[derive(Debug, Default)]
pub(super) struct Decls {
    /// Integer types that the program prefers, so that values meet.
    pub(super) ints: Vec<Ty>,
    /// Numbers of variants.
    pub(super) choices: Vec<usize>,
    /// Fields.
    pub(super) points: Vec<Vec<Ty>>,
    /// Fields.
    pub(super) records: Vec<Vec<Ty>>,
    /// Payloads of the variants.
    pub(super) shapes: Vec<Vec<Vec<Ty>>>,
    /// Fields of events; the first is indexed.
    pub(super) events: Vec<Vec<Ty>>,
    pub(super) members: Vec<Member>,
    pub(super) funcs: Vec<Func>,
}

impl Decls {
    pub(super) fn new(r: &mut Random) -> Decls {
        let mut decls = Decls { ints: vec![U64, U256_TY, U8], ..Decls::default() };
        for _ in 0..1 + r.index(3) {
            let bits = if r.chance(70) { r.pick(&[8, 16, 32, 64, 128, 256]) } else { 8 * (1 + r.index(32)) };
            decls.ints.push(Ty::Int { signed: r.chance(50), bits });
        }
        decls.choices = (0..1 + r.index(2)).map(|_| 2 + r.index(4)).collect();
        for _ in 0..1 + r.index(2) {
            let fields = (0..1 + r.index(4)).map(|_| decls.scalar(r)).collect();
            decls.points.push(fields);
        }
        for _ in 0..1 + r.index(2) {
            let fields = (0..2 + r.index(4)).map(|_| decls.field(r)).collect();
            decls.records.push(fields);
        }
        for _ in 0..1 + r.index(2) {
            let mut variants = vec![Vec::new()];
            for _ in 0..1 + r.index(4) {
                variants.push((0..1 + r.index(3)).map(|_| decls.payload(r)).collect());
            }
            decls.shapes.push(variants);
        }
        for _ in 0..1 + r.index(3) {
            let fields = (0..1 + r.index(3)).map(|_| decls.abi(r)).collect();
            decls.events.push(fields);
        }
        decls
    }

    /// An integer type.
    pub(super) fn int(&self, r: &mut Random) -> Ty {
        self.ints[r.index(self.ints.len())].clone()
    }

    /// A type of one word.
    pub(super) fn scalar(&self, r: &mut Random) -> Ty {
        match r.below(12) {
            0..=7 => self.int(r),
            8 => Ty::Bool,
            9 if !self.choices.is_empty() => Ty::Choice(r.index(self.choices.len())),
            10 => Ty::Address,
            _ => Ty::Hash,
        }
    }

    fn field(&self, r: &mut Random) -> Ty {
        match r.below(10) {
            0..=4 => self.scalar(r),
            5 => Ty::Point(r.index(self.points.len())),
            6 => Ty::List(Box::new(self.int(r))),
            7 => Ty::Maybe(Box::new(self.scalar(r))),
            8 => Ty::Array(Box::new(self.scalar(r)), 2 + r.index(3)),
            _ => r.pick(&[&Ty::Bytes, &Ty::Text]).clone(),
        }
    }

    fn payload(&self, r: &mut Random) -> Ty {
        match r.below(6) {
            0..=3 => self.scalar(r),
            4 => Ty::Point(r.index(self.points.len())),
            _ => r.pick(&[&Ty::Bytes, &Ty::Text]).clone(),
        }
    }

    /// A type of the ABI.
    pub(super) fn abi(&self, r: &mut Random) -> Ty {
        match r.below(16) {
            0..=8 => self.scalar(r),
            9 => Ty::Point(r.index(self.points.len())),
            10 => Ty::List(Box::new(self.int(r))),
            11 => Ty::Array(Box::new(self.scalar(r)), 2 + r.index(2)),
            12 => Ty::Bytes,
            13 => Ty::Text,
            14 => Ty::List(Box::new(Ty::Point(r.index(self.points.len())))),
            _ => self.int(r),
        }
    }

    /// A type that can be stored.
    pub(super) fn storable(&self, r: &mut Random) -> Ty {
        match r.below(14) {
            0..=5 => self.scalar(r),
            6 => Ty::Record(r.index(self.records.len())),
            7 => Ty::Shape(r.index(self.shapes.len())),
            8 => Ty::Maybe(Box::new(self.scalar(r))),
            9 => Ty::Pair(Box::new((self.scalar(r), self.scalar(r)))),
            10 => Ty::Child,
            _ => self.abi(r),
        }
    }

    /// The fields of a struct.
    pub(super) fn fields(&self, ty: &Ty) -> Option<&[Ty]> {
        match ty {
            Ty::Point(n) => Some(&self.points[*n]),
            Ty::Record(n) => Some(&self.records[*n]),
            _ => None,
        }
    }

    /// The declarations of types, events and errors.
    pub(super) fn text(&self) -> String {
        let mut out = ERRORS.to_owned();
        for (n, &variants) in self.choices.iter().enumerate() {
            let names: Vec<_> = (0..variants).map(|v| format!("V{v}")).collect();
            line(&mut out, format!("enum Choice{n} {{ {} }}", names.join(", ")));
        }
        for (kind, structs) in [("#[copy]\nstruct Point", &self.points), ("struct Record", &self.records)] {
            for (n, fields) in structs.iter().enumerate() {
                let fields: Vec<_> =
                    fields.iter().enumerate().map(|(f, ty)| format!("f{f}: {}", ty.name())).collect();
                line(&mut out, format!("{kind}{n} {{ {} }}", fields.join(", ")));
            }
        }
        for (n, variants) in self.shapes.iter().enumerate() {
            let variant = |(v, payload): (usize, &Vec<Ty>)| {
                let types: Vec<_> = payload.iter().map(Ty::name).collect();
                if types.is_empty() { format!("V{v}") } else { format!("V{v}({})", types.join(", ")) }
            };
            let variants: Vec<_> = variants.iter().enumerate().map(variant).collect();
            line(&mut out, format!("enum Shape{n} {{ {} }}", variants.join(", ")));
        }
        for (n, fields) in self.events.iter().enumerate() {
            let field = |(f, ty): (usize, &Ty)| {
                format!("{}f{f}: {}", if f == 0 { "indexed " } else { "" }, ty.name())
            };
            let fields: Vec<_> = fields.iter().enumerate().map(field).collect();
            line(&mut out, format!("event Event{n}({});", fields.join(", ")));
        }
        out
    }
}

pub(super) fn line(out: &mut String, text: impl AsRef<str>) {
    writeln!(out, "{}", text.as_ref()).expect("a String accepts all");
}

/// An integer literal: mostly small, else near a limit or a power of two.
pub(super) fn int_literal(r: &mut Random, signed: bool, bits: usize) -> String {
    let name = format!("{}{bits}", if signed { 'i' } else { 'u' });
    let max = if signed { U256::MAX >> (257 - bits) } else { U256::MAX >> (256 - bits) };
    match r.below(12) {
        0 => format!("{name}::MAX"),
        1 => format!("{name}::MIN"),
        2 => format!("{}{name}", (U256::from(1) << r.index(bits)).min(max)),
        3 => format!("{}{name}", max - U256::from(r.below(3))),
        4 => format!("{}{name}", r.bits() & max),
        5 | 6 if signed => format!("(-{}{name})", 1 + r.below(9)),
        _ => format!("{}{name}", r.below(12)),
    }
}
