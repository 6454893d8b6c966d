//! Names to definitions: types as written, and paths.
//!
//! A type that the language has and lowering not yet resolves to its real [`Type`]; whether it may stand in a
//! certain place, and whether it is supported there, is [`Sema::allow_type`]'s decision alone.

use std::sync::Arc;

use super::Sema;
use super::consts::Value;
use super::scope::{
    COMMON_INTEGERS, ContractIndex, PREDECLARED_TYPES, Table, TypeDef, ValueDef, closest, is_predeclared_type,
};
use super::types::{IntType, Type, TypeId};
use crate::diag::Code;
use crate::modules::path_in_std;
use crate::source::Span;
use crate::syntax::ast::{self, TypeArg, TypeKind};
use crate::syntax::habits::type_here;

/// So many words of a key are hashed together (TABLEHASHN).
const KEY_WORDS_MAX: usize = 16;

/// Where a type stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Position {
    /// A parameter of a function that is not an entry point, or of an error's or event's constructor.
    Param,
    /// The result of a function that is not an entry point.
    Result,
    /// A parameter of an entry point or constructor.
    EntryParam,
    /// The result of an entry point.
    EntryResult,
    /// The type of a `let`.
    Local,
    /// A `state` member.
    State,
    /// The value of a map.
    MapValue,
    /// A field of a struct.
    Field,
    /// A payload of an enum's variant.
    Payload,
    /// A field of an event.
    EventField,
    /// A parameter of an error.
    ErrorParam,
    /// A constant.
    Constant,
}

impl Position {
    fn name(self) -> &'static str {
        match self {
            Position::Param | Position::EntryParam => "a parameter",
            Position::Result | Position::EntryResult => "a result",
            Position::Local => "a local",
            Position::State => "a `state` member",
            Position::MapValue => "a map value",
            Position::Field => "a field",
            Position::Payload => "a payload",
            Position::EventField => "an event field",
            Position::ErrorParam => "an error parameter",
            Position::Constant => "a constant",
        }
    }

    fn is_abi(self) -> Option<&'static str> {
        match self {
            Position::EntryParam => Some("param"),
            Position::EntryResult => Some("return"),
            Position::EventField => Some("event"),
            Position::ErrorParam => Some("error"),
            _ => None,
        }
    }
}

impl<'a> Sema<'a> {
    /// The type as written, which shall be allowed at `position`.
    pub(super) fn resolve_type(
        &mut self,
        ty: &'a ast::Type,
        contract: Option<ContractIndex>,
        position: Position,
    ) -> TypeId {
        let id = self.resolve_any_type(ty, contract);
        self.allow_type(id, ty.span, position)
    }

    /// The type as written, wherever it may stand.
    pub(super) fn resolve_any_type(&mut self, ty: &'a ast::Type, contract: Option<ContractIndex>) -> TypeId {
        match &ty.kind {
            TypeKind::Missing => TypeId::ERROR,
            TypeKind::Ref { mutable, inner } => {
                let target = self.resolve_any_type(inner, contract);
                if target == TypeId::ERROR {
                    return target;
                }
                self.types.intern(Type::Ref { mutable: *mutable, target })
            }
            TypeKind::Tuple(elements) => {
                let elements: Vec<_> =
                    elements.iter().map(|element| self.resolve_any_type(element, contract)).collect();
                if elements.contains(&TypeId::ERROR) { TypeId::ERROR } else { self.types.tuple(elements) }
            }
            TypeKind::Array { element, length } => {
                let element_span = element.span;
                let element = self.resolve_any_type(element, contract);
                let length = self.array_length(length, contract);
                match length {
                    _ if element == TypeId::ERROR => TypeId::ERROR,
                    Some(length) if self.check_element(element, element_span) => {
                        self.types.intern(Type::Array { element, length })
                    }
                    _ => TypeId::ERROR,
                }
            }
            TypeKind::Path { path, args } => self.resolve_type_path(ty.span, path, args, contract),
        }
    }

    fn resolve_type_path(
        &mut self,
        span: Span,
        path: &'a ast::Path,
        args: &'a [TypeArg],
        contract: Option<ContractIndex>,
    ) -> TypeId {
        let Some(name) = path.as_ident() else {
            return self.resolve_declared_type(path, contract);
        };
        let text = name.as_str();
        if text == "bytes" && !args.is_empty() {
            return self.resolve_fixed_bytes(span, args);
        }
        let arity = match text {
            "Map" | "Result" => 2,
            "Vec" | "Option" => 1,
            _ => 0,
        };
        if is_predeclared_type(text) || !args.is_empty() {
            let known = is_predeclared_type(text);
            if known && args.len() != arity {
                self.diags
                    .error(Code::WrongArgumentCount, span)
                    .arg("n", arity)
                    .arg("m", args.len())
                    .label(format!("`{text}` takes {arity} type argument(s)"));
                return TypeId::ERROR;
            }
            if !known {
                let found = self.resolve_declared_type(path, contract);
                if found != TypeId::ERROR {
                    self.diags
                        .error(Code::WrongArgumentCount, span)
                        .arg("n", 0)
                        .arg("m", args.len())
                        .label(format!("`{text}` takes no type arguments"));
                }
                return TypeId::ERROR;
            }
        }
        if let Some(int) = IntType::from_name(text) {
            return TypeId::int(int);
        }
        let mut args = args.iter().map(|arg| match arg {
            TypeArg::Type(ty) => self.resolve_any_type(ty, contract),
            TypeArg::Int(int) => {
                self.diags.error(Code::MismatchedTypes, int.span).arg("a", "a type").arg("b", &int.text);
                TypeId::ERROR
            }
        });
        let (first, second) = (args.next(), args.next());
        drop(args);
        if first == Some(TypeId::ERROR) || second == Some(TypeId::ERROR) {
            return TypeId::ERROR;
        }
        match (text, first, second) {
            ("bool", ..) => TypeId::BOOL,
            ("Address", ..) => TypeId::ADDRESS,
            ("Hash", ..) => TypeId::HASH,
            ("bytes", ..) => TypeId::BYTES,
            ("string", ..) => TypeId::STRING,
            ("Error", ..) => TypeId::ANY_ERROR,
            ("Vec", Some(element), _) => {
                if self.check_element(element, span) {
                    self.types.intern(Type::Vec(element))
                } else {
                    TypeId::ERROR
                }
            }
            ("DecodeError", ..) => {
                let id = self.decode_error();
                self.types.intern(Type::ErrorType(id))
            }
            ("Option", Some(inner), _) => self.types.intern(Type::Option(inner)),
            ("Map", Some(key), Some(value)) => self.map_type(span, key, value),
            ("Result", Some(ok), Some(err)) => self.result_type(span, ok, err),
            ("CallError", ..) => TypeId::CALL_ERROR,
            _ if PREDECLARED_TYPES.contains(&text) => {
                self.diags.unsupported(span, format_args!("`{text}`"));
                TypeId::ERROR
            }
            _ => self.resolve_declared_type(path, contract),
        }
    }

    fn resolve_fixed_bytes(&mut self, span: Span, args: &[TypeArg]) -> TypeId {
        if let [TypeArg::Int(size)] = args
            && let Ok(size @ 1..=32) = u8::try_from(size.value)
        {
            return TypeId::fixed_bytes(size);
        }
        self.diags
            .error(Code::MismatchedTypes, span)
            .arg("a", "bytes<1> to bytes<32>")
            .arg("b", self.source.slice(span));
        TypeId::ERROR
    }

    fn map_type(&mut self, span: Span, key: TypeId, value: TypeId) -> TypeId {
        let hashable = |key: TypeId, types: &super::Types| {
            types.is_copy(key) && key != TypeId::UNIT && !matches!(types.get(key), Type::Ref { .. })
                || matches!(key, TypeId::BYTES | TypeId::STRING)
        };
        let valid = match self.types.get(key) {
            Type::Tuple(elements) => elements.iter().all(|&element| hashable(element, &self.types)),
            _ => hashable(key, &self.types),
        };
        if !valid {
            self.diags.error(Code::InvalidMapKey, span).arg("t", self.types.display(key));
            return TypeId::ERROR;
        }
        if self.types.parts(key) > 256 || !(1..=KEY_WORDS_MAX).contains(&self.key_words(key)) {
            let what = format!("the words of a key of type `{}`", self.types.display(key));
            self.diags
                .error(Code::TooLarge, span)
                .arg("what", what)
                .label(format!("at most {KEY_WORDS_MAX} words are hashed together"));
            return TypeId::ERROR;
        }
        let value = self.allow_type(value, span, Position::MapValue);
        if value == TypeId::ERROR {
            return value;
        }
        self.types.intern(Type::Map { key, value })
    }

    fn result_type(&mut self, span: Span, ok: TypeId, err: TypeId) -> TypeId {
        match self.types.get(err) {
            Type::ErrorType(_) | Type::AnyError => self.types.intern(Type::Result { ok, err }),
            _ if err == TypeId::CALL_ERROR => self.types.intern(Type::Result { ok, err }),
            _ => {
                self.diags.error(Code::NotAnError, span).arg("x", self.types.display(err));
                TypeId::ERROR
            }
        }
    }

    fn resolve_declared_type(&mut self, path: &'a ast::Path, contract: Option<ContractIndex>) -> TypeId {
        match self.find_type(path, contract) {
            Some(TypeDef::ErrorType(id)) => self.types.intern(Type::ErrorType(id)),
            Some(TypeDef::Enum(id)) => self.types.intern(Type::Enum(id)),
            Some(TypeDef::Struct(id)) => self.types.intern(Type::Struct(id)),
            Some(TypeDef::Contract(index)) => {
                let handle = self.contracts[index].handle;
                self.types.intern(Type::Handle(handle))
            }
            Some(TypeDef::Interface(handle)) => self.types.intern(Type::Handle(handle)),
            Some(TypeDef::Event(_)) => {
                self.diags
                    .error(Code::MismatchedTypes, path.span)
                    .arg("a", "a type")
                    .arg("b", format_args!("event {path}"));
                TypeId::ERROR
            }
            None => {
                self.type_not_found(path, contract);
                TypeId::ERROR
            }
        }
    }

    /// How many words of a key are hashed; `bytes` and `string` are hashed to one before.
    fn key_words(&self, ty: TypeId) -> usize {
        match self.types.get(ty) {
            Type::Tuple(elements) => elements.iter().map(|&element| self.key_words(element)).sum(),
            Type::Struct(id) => {
                let fields = self.types.structs[id.index()].fields.iter();
                fields.map(|field| self.key_words(field.1)).sum()
            }
            Type::Unit => 0,
            _ => 1,
        }
    }

    /// Whether an array or `Vec` may have elements of the type.
    fn check_element(&mut self, element: TypeId, span: Span) -> bool {
        if element != TypeId::UNIT {
            return true;
        }
        self.diags.error(Code::MismatchedTypes, span).arg("a", "a type that has values").arg("b", "()");
        false
    }

    /// N of `[T; N]`: a constant of an unsigned type.
    pub(super) fn array_length(
        &mut self,
        length: &'a ast::Expr,
        contract: Option<ContractIndex>,
    ) -> Option<u64> {
        let (ty, value) = self.constant_here(length, contract)?;
        self.length_of(ty, &value, length.span)
    }

    /// A constant as the length of an array.
    pub(super) fn length_of(&mut self, ty: TypeId, value: &Value, length_span: Span) -> Option<u64> {
        let length = match value {
            Value::Literal(int) => int.to_u64(),
            Value::Word(word) if ty.as_int().is_some_and(|int| !int.signed) => u64::try_from(*word).ok(),
            _ => None,
        };
        if length.is_none_or(|length| length == 0 || length > u64::from(u32::MAX)) {
            self.diags
                .error(Code::MismatchedTypes, length_span)
                .arg("a", "a length from 1 to 4294967295")
                .arg("b", self.source.slice(length_span));
            return None;
        }
        length
    }

    /// Decides whether `ty` may stand at `position`; the type itself, or the error type if it may not.
    pub(super) fn allow_type(&mut self, ty: TypeId, span: Span, position: Position) -> TypeId {
        if ty == TypeId::ERROR {
            return ty;
        }
        match self.refusal(ty, position) {
            None => ty,
            Some((Code::MapOnlyInStorage, _)) => {
                let what =
                    if position.is_abi().is_some() { "passed or returned" } else { "created or copied" };
                self.diags.error(Code::MapOnlyInStorage, span).arg("what", what);
                TypeId::ERROR
            }
            Some((Code::ReferenceNotAllowed, cause)) => {
                let place = match self.types.get(ty) {
                    Type::Ref { .. } if cause == ty => position.name(),
                    _ => "a part of another type",
                };
                self.diags.error(Code::ReferenceNotAllowed, span).arg("position", place);
                TypeId::ERROR
            }
            Some((code, cause)) => {
                let shown = self.types.display(cause);
                self.reject_type(code, &shown, span, position)
            }
        }
    }

    /// Why a type may not stand at a position: the code, and the part that is the cause.
    fn refusal(&self, ty: TypeId, position: Position) -> Option<(Code, TypeId)> {
        let of_all = |types: &mut dyn Iterator<Item = TypeId>| {
            types.filter(|&ty| ty != TypeId::ERROR).find_map(|ty| self.refusal(ty, position))
        };
        let in_storage =
            matches!(position, Position::State | Position::MapValue | Position::Field | Position::Payload);
        let outside = || {
            if position.is_abi().is_some() {
                Code::NotAbiType
            } else if in_storage {
                Code::NotStorable
            } else {
                Code::NotConstant
            }
        };
        match self.types.get(ty) {
            Type::Error => None,
            Type::Bool | Type::Int(_) | Type::Address | Type::Hash | Type::FixedBytes(_) => None,
            Type::Handle(_) => None,
            Type::Unit => {
                let known = matches!(
                    position,
                    Position::Result | Position::EntryResult | Position::Local | Position::Param
                );
                (!known).then_some((outside(), ty))
            }
            Type::Enum(id) if self.types.enums[id.index()].is_payload_free() => None,
            Type::Enum(_) if position.is_abi().is_some() => Some((Code::NotAbiType, ty)),
            Type::Enum(_) => None,
            Type::Map { .. } => {
                let known = matches!(position, Position::State | Position::MapValue | Position::Field);
                (!known).then_some((Code::MapOnlyInStorage, ty))
            }
            &Type::Ref { target, .. } => {
                // A map behind a reference stays where it is.
                let known = position == Position::Param && !self.types.holds_reference(target);
                (!known).then_some((Code::ReferenceNotAllowed, ty))
            }
            _ if self.types.holds_reference(ty) => Some((Code::ReferenceNotAllowed, ty)),
            &Type::Result { ok, .. } => match position {
                Position::Result | Position::EntryResult | Position::Param | Position::Local => {
                    self.refusal(ok, position)
                }
                _ => Some((outside(), ty)),
            },
            Type::AnyError | Type::ErrorType(_) => {
                let known = matches!(position, Position::Result | Position::Param | Position::Local);
                (!known).then_some((outside(), ty))
            }
            Type::Option(_) if position.is_abi().is_some() => Some((Code::NotAbiType, ty)),
            Type::Vec(_) if position == Position::Constant => Some((Code::NotConstant, ty)),
            Type::Bytes | Type::String => None,
            &Type::Vec(inner) | &Type::Array { element: inner, .. } | &Type::Option(inner) => {
                // A map has no value that an element could take, but the elements of an array are there from the start.
                let grows = !matches!(self.types.get(ty), Type::Array { .. });
                match self.types.holds_map(inner) && (grows || !in_storage) {
                    true => Some((Code::MapOnlyInStorage, inner)),
                    false => self.refusal(inner, position),
                }
            }
            Type::Tuple(elements) => of_all(&mut elements.iter().copied()),
            // Its fields were judged where it is defined, as far as storage and memory go.
            Type::Struct(id) => match position {
                Position::State | Position::MapValue | Position::Field => None,
                _ if self.types.holds_map(ty) => Some((Code::MapOnlyInStorage, ty)),
                _ if position.is_abi().is_some() => {
                    of_all(&mut self.types.structs[id.index()].fields.iter().map(|field| field.1))
                }
                _ => None,
            },
            Type::Never | Type::IntLiteral | Type::Infer(_) | Type::Open(_) => Some((outside(), ty)),
        }
    }

    fn reject_type(&mut self, code: Code, shown: &str, span: Span, position: Position) -> TypeId {
        match code {
            Code::NotAbiType => {
                let place = position.is_abi().unwrap_or("this place");
                self.diags.error(code, span).arg("t", shown).arg("place", place);
            }
            Code::NotStorable => {
                let diagnostic = self.diags.error(code, span).arg("t", shown).arg("place", "");
                if matches!(position, Position::Field | Position::Payload) {
                    diagnostic.label(
                        "any struct or enum may be kept in storage, so all its parts must be storable",
                    );
                }
            }
            _ => {
                let reason = format!("a value of type `{shown}` cannot be {}", position.name());
                self.diags.error(Code::NotConstant, span).arg("reason", reason);
            }
        }
        TypeId::ERROR
    }

    /// What a path means in the type name space: `Name`, or `Contract::Name`, perhaps behind `module::`.
    pub(super) fn find_type(&mut self, path: &ast::Path, contract: Option<ContractIndex>) -> Option<TypeDef> {
        let (def, rest) = match path.segments.as_slice() {
            [module, name, rest @ ..] if self.module_named(module.as_str()).is_some() => {
                let module = self.module_named(module.as_str())?;
                (self.exported_type(module, name)?, rest)
            }
            [first, rest @ ..] => (self.find_type_name(&first.name, contract)?, rest),
            [] => return None,
        };
        match (def, rest) {
            (def, []) => Some(def),
            (TypeDef::Contract(index), [name]) => self.type_in_contract(&name.name, index),
            _ => None,
        }
    }

    /// What a single name means in the type name space.
    pub(super) fn find_type_name(
        &mut self,
        name: &Arc<str>,
        contract: Option<ContractIndex>,
    ) -> Option<TypeDef> {
        if let Some(def) = contract.and_then(|index| self.type_in_contract(name, index)) {
            return Some(def);
        }
        let (def, span) = (self.scope().types.get(name), self.scope().types.span(name));
        self.mark_used(span);
        def
    }

    fn type_in_contract(&mut self, name: &Arc<str>, index: ContractIndex) -> Option<TypeDef> {
        let names = &self.contracts[index].names;
        let (def, span) = (names.types.get(name)?, names.types.span(name));
        self.mark_used(span);
        Some(def)
    }

    /// What a single name means in the value name space, locals aside.
    pub(super) fn find_value(
        &mut self,
        name: &Arc<str>,
        contract: Option<ContractIndex>,
    ) -> Option<ValueDef> {
        if let Some(index) = contract
            && let Some(def) = self.contracts[index].names.values.get(name)
        {
            self.mark_used(self.contracts[index].names.values.span(name));
            return Some(def);
        }
        let (def, span) = (self.scope().values.get(name), self.scope().values.span(name));
        self.mark_used(span);
        def
    }

    pub(super) fn mark_used(&mut self, span: Option<Span>) {
        self.used.extend(span);
    }

    /// Reports that a path names no type, with the nearest name that does.
    pub(super) fn type_not_found(&mut self, path: &ast::Path, contract: Option<ContractIndex>) {
        let name = path.segments.last().map_or("", |segment| segment.as_str());
        let mut names: Vec<&str> = PREDECLARED_TYPES.to_vec();
        let scope = |table: &'_ Table<TypeDef>| table.names().map(str::to_owned).collect::<Vec<_>>();
        let declared: Vec<String> = match contract {
            Some(index) => [scope(&self.contracts[index].names.types), scope(&self.scope().types)].concat(),
            None => scope(&self.scope().types),
        };
        names.extend(declared.iter().map(String::as_str));
        names.extend(COMMON_INTEGERS);
        let hint = match type_here(name) {
            Some(kalix) => format!("; it is written `{kalix}`"),
            None => in_std(name).unwrap_or_else(|| suggestion(closest(name, names.into_iter()))),
        };
        self.diags.error(Code::NotFound, path.span).arg("name", path).arg("hint", hint);
    }
}

/// How to import a name of the built-in library.
pub(super) fn in_std(name: &str) -> Option<String> {
    path_in_std(name).map(|path| format!("; write `use {path};`"))
}

/// `; did you mean …?`, or nothing.
pub(super) fn suggestion(name: Option<&str>) -> String {
    name.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}
