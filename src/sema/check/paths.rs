//! Paths and fields: names of values, associated constants, the environment.

use alloy_primitives::U256;
use zvm::bytecode::Op;

use crate::diag::Code;
use crate::sema::check::body::{Checker, Typed};
use crate::sema::consts::Value;
use crate::sema::exact::Int;
use crate::sema::resolve::{in_std, suggestion};
use crate::sema::scope::{
    PREDECLARED_VALUES, PRELUDE, TypeDef, ValueDef, closest, is_predeclared_type, prelude,
};
use crate::sema::typed::{CastKind, Env, ErrorRef, ExprKind, Query};
use crate::sema::types::{ErrorTypeId, IntType, Type, TypeId};
use crate::source::Span;
use crate::syntax::{ast, habits};

/// The objects of the environment and their fields.
const FIELDS: &[(&str, &str, Env, TypeId)] = &[
    ("msg", "sender", Env::MsgSender, TypeId::ADDRESS),
    ("msg", "value", Env::MsgValue, TypeId::U256),
    ("msg", "data", Env::MsgData, TypeId::BYTES),
    ("msg", "sig", Env::MsgSig, TypeId::BYTES4),
    ("tx", "origin", Env::TxOrigin, TypeId::ADDRESS),
    ("tx", "gasprice", Env::TxGasPrice, TypeId::U256),
    ("block", "timestamp", Env::BlockTimestamp, TypeId::U64),
    ("block", "number", Env::BlockNumber, TypeId::U64),
    ("block", "chainid", Env::BlockChainId, TypeId::U64),
    ("block", "gaslimit", Env::BlockGasLimit, TypeId::U64),
    ("block", "basefee", Env::BlockBaseFee, TypeId::U256),
    ("block", "prevrandao", Env::BlockPrevRandao, TypeId::U256),
    ("block", "coinbase", Env::BlockCoinbase, TypeId::ADDRESS),
    ("self", "address", Env::SelfAddress, TypeId::ADDRESS),
    ("self", "balance", Env::SelfBalance, TypeId::U256),
    ("hedera", "account_id", Env::HederaAccountId, TypeId::ADDRESS),
    ("hedera", "timestamp", Env::HederaTimestamp, TypeId::U64),
];

/// Predeclared objects: they have fields or methods and are no values themselves.
pub(super) const OBJECTS: &[&str] = &["msg", "tx", "block", "abi", "hts", "hcs", "hedera", "crypto", "vm"];

impl<'a> Checker<'_, 'a> {
    /// A path as a value.
    pub(super) fn path(&mut self, path: &'a ast::Path, span: Span, want: Option<TypeId>) -> Typed {
        match path.segments.as_slice() {
            [name] => self.name(name, path, span, want),
            [.., last] => self.long_path(path, last, span),
            [] => Typed::hole(span),
        }
    }

    fn name(&mut self, name: &'a ast::Ident, path: &'a ast::Path, span: Span, want: Option<TypeId>) -> Typed {
        let text = name.as_str();
        if let Some(def) = self.scope.use_name(text) {
            return self.local(def, span);
        }
        match self.sema.find_value(&name.name, self.contract) {
            Some(ValueDef::Const(index)) => {
                return match self.sema.constant(index) {
                    Some((ty, value)) => self.constant(ty, &value, span),
                    None => Typed::hole(span),
                };
            }
            Some(ValueDef::Function(_)) => {
                self.diags()
                    .error(Code::MismatchedTypes, span)
                    .arg("a", "a value")
                    .arg("b", format_args!("function {text}"))
                    .label("functions are not values; call it with `()`");
                return Typed::hole(span);
            }
            // Another meaning may still be found among types.
            None => {}
        }
        if let Some(value) = prelude(text) {
            return Typed::literal(value, span);
        }
        match self.sema.find_type_name(&name.name, self.contract) {
            Some(TypeDef::ErrorType(id)) => return self.unit_error(id, 0, span),
            Some(
                TypeDef::Event(_)
                | TypeDef::Contract(_)
                | TypeDef::Interface(_)
                | TypeDef::Enum(_)
                | TypeDef::Struct(_),
            ) => {
                let what = format!("{} {text}", self.kind_of_type(path));
                self.diags().error(Code::MismatchedTypes, span).arg("a", "a value").arg("b", what);
                return Typed::hole(span);
            }
            None => {}
        }
        if text == "None" {
            return self.none(span, want);
        }
        if is_predeclared_type(text) || PREDECLARED_VALUES.contains(&text) {
            let what = format!("`{text}`");
            self.diags()
                .error(Code::MismatchedTypes, span)
                .arg("a", "a value")
                .arg("b", what.trim_matches('`'));
            return Typed::hole(span);
        }
        self.value_not_found(name);
        Typed::hole(span)
    }

    /// What kind of type-level item a path names, for messages.
    pub(super) fn kind_of_type(&mut self, path: &ast::Path) -> &'static str {
        match self.sema.find_type(path, self.contract) {
            Some(TypeDef::Event(_)) => "event",
            Some(TypeDef::Contract(_)) => "contract",
            Some(TypeDef::Interface(_)) => "interface",
            Some(TypeDef::ErrorType(_)) => "error",
            Some(TypeDef::Enum(_)) => "enum",
            Some(TypeDef::Struct(_)) => "struct",
            None => "type",
        }
    }

    /// K0101, or K0104 for a member without `state.`.
    pub(super) fn value_not_found(&mut self, name: &'a ast::Ident) {
        let text = name.as_str();
        if let Some(contract) = self.contract {
            let declared = self.sema.contracts[contract].names.resources.span(text);
            if declared.is_some() {
                self.sema.mark_used(declared);
                self.diags()
                    .error(Code::ResourceWithoutState, name.span)
                    .arg("name", text)
                    .arg("name", text)
                    .fix(name.span, format!("state.{text}"), "reach it through `state`");
                return;
            }
        }
        let mut names: Vec<&str> = self.scope.names().collect();
        if let Some(contract) = self.contract {
            let own = &self.sema.contracts[contract].names;
            names.extend(own.values.names().chain(own.types.names()));
        }
        let scope = self.sema.scope();
        names.extend(scope.values.names().chain(scope.types.names()));
        names.extend(PREDECLARED_VALUES.iter().copied().chain(PRELUDE.iter().map(|row| row.0)));
        let hint = match text {
            "now" => "; the time is `block.timestamp`".to_owned(),
            "this" => "; the contract is `self`".to_owned(),
            _ => in_std(text).unwrap_or_else(|| suggestion(closest(text, names.into_iter()))),
        };
        self.diags().error(Code::NotFound, name.span).arg("name", text).arg("hint", hint);
    }

    pub(super) fn constant(&mut self, ty: TypeId, value: &Value, span: Span) -> Typed {
        match value {
            Value::Literal(int) => Typed::literal(*int, span),
            _ => Typed { expr: self.sema.constant_expr(ty, value, span), literal: None, through: None },
        }
    }

    /// An error of a type without parentheses.
    fn unit_error(&mut self, ty: ErrorTypeId, variant: u32, span: Span) -> Typed {
        let def = self.sema.types.error_type(ty);
        if def.is_set && variant == 0 && !self.sema.source.slice(span).contains("::") {
            let name = def.name.clone();
            self.diags()
                .error(Code::MismatchedTypes, span)
                .arg("a", "a value")
                .arg("b", format_args!("error set {name}"))
                .label("name one of its errors, `Set::Error`");
            return Typed::hole(span);
        }
        let fields = super::raise::Fields::None;
        self.error_value(ErrorRef { ty, variant }, fields, span, super::raise::Borrow::No)
    }

    /// `C::LIMIT`, a constant of a contract.
    fn contract_constant(&mut self, path: &ast::Path, last: &ast::Ident) -> Option<ValueDef> {
        let (_, parents) = path.segments.split_last()?;
        let parent = ast::Path { segments: parents.to_vec(), span: path.span };
        let Some(TypeDef::Contract(index)) = self.sema.find_type(&parent, self.contract) else { return None };
        let owner = &self.sema.contracts[index];
        let found @ ValueDef::Const(constant) = owner.names.values.get(last.as_str())? else { return None };
        let module = owner.module;
        if !self.sema.consts[constant].is_pub && module != self.sema.current {
            let (shown, declared) = (self.sema.module_path(module), self.sema.consts[constant].ast.name.span);
            self.diags()
                .error(Code::PrivateItem, last.span)
                .arg("item", &last.name)
                .arg("m", shown)
                .secondary(declared, "declared without `pub` here");
        }
        Some(found)
    }

    fn long_path(&mut self, path: &'a ast::Path, last: &'a ast::Ident, span: Span) -> Typed {
        let first = &path.segments[0];
        let found = self.contract_constant(path, last);
        match found.or_else(|| self.sema.find_exported_value(path)) {
            Some(ValueDef::Const(index)) => {
                return match self.sema.constant(index) {
                    Some((ty, value)) => self.constant(ty, &value, span),
                    None => Typed::hole(span),
                };
            }
            Some(ValueDef::Function(_)) => {
                self.diags()
                    .error(Code::MismatchedTypes, span)
                    .arg("a", "a value")
                    .arg("b", format_args!("function {path}"))
                    .label("functions are not values; call it with `()`");
                return Typed::hole(span);
            }
            None => {}
        }
        if let [_, _] = path.segments.as_slice() {
            if let Some(int) = IntType::from_name(first.as_str()) {
                return self.int_constant(int, first, last, span);
            }
            if first.as_str() == "Address" {
                return match last.as_str() {
                    "ZERO" => Typed::new(ExprKind::Const(U256::ZERO), TypeId::ADDRESS, span),
                    _ => self.no_member_of("Address", last, span),
                };
            }
            if is_predeclared_type(first.as_str())
                && crate::sema::types::Types::predeclared_enum(first.as_str()).is_none()
            {
                return self.no_member_of(first.as_str(), last, span);
            }
        }
        let parent = ast::Path {
            segments: path.segments[..path.segments.len() - 1].to_vec(),
            span: first.span.to(path.segments[path.segments.len() - 2].span),
        };
        if let Some(id) = self.enum_named(&parent) {
            return match self.enum_variant(id, last, None, span) {
                Some(typed) => typed,
                None => self.member_not_found(&parent, last, span),
            };
        }
        match last.as_str() {
            "SELECTOR" | "TOPIC" => self.item_constant(&parent, last, span),
            _ => match self.find_error(path) {
                Some(error) => self.unit_error(error.ty, error.variant, span),
                None => self.member_not_found(&parent, last, span),
            },
        }
    }

    fn int_constant(&mut self, int: IntType, first: &ast::Ident, last: &ast::Ident, span: Span) -> Typed {
        let word = match last.as_str() {
            "MAX" => int.max_word(),
            "MIN" => int.min_word(),
            "BITS" => return Typed::literal(Int::from_u64(u64::from(int.bits)), span),
            _ => return self.no_member_of(first.as_str(), last, span),
        };
        Typed::new(ExprKind::Const(word), TypeId::int(int), span)
    }

    fn no_member_of(&mut self, ty: &str, member: &ast::Ident, span: Span) -> Typed {
        self.diags().error(Code::NoFieldOrMethod, member.span).arg("t", ty).arg("m", &member.name);
        Typed::hole(span)
    }

    /// `Item::SELECTOR`, `Event::TOPIC`.
    fn item_constant(&mut self, parent: &ast::Path, last: &ast::Ident, span: Span) -> Typed {
        let selector = |bytes: [u8; 4]| {
            let word = U256::from(u32::from_be_bytes(bytes)) << 224;
            Typed::new(ExprKind::Const(word), TypeId::BYTES4, span)
        };
        let wants_topic = last.as_str() == "TOPIC";
        if let Some(TypeDef::Event(id)) = self.sema.find_type(parent, self.contract) {
            let topic = self.sema.events[id.index()].topic;
            if wants_topic {
                let word = U256::from_be_bytes(topic);
                return Typed::new(ExprKind::Const(word), TypeId::HASH, span);
            }
            return self.no_member_of(&parent.to_string(), last, span);
        }
        if wants_topic {
            return self.member_not_found(parent, last, span);
        }
        if let Some(error) = self.find_error(parent) {
            let def = self.sema.types.error_type(error.ty);
            if parent.segments.len() > 1 || !def.is_set {
                return match def.variants.get(error.variant as usize) {
                    Some(variant) => selector(variant.selector),
                    None => Typed::hole(span),
                };
            }
        }
        if let Some(function) = self.handle_function(parent) {
            let word = U256::from(u32::from_be_bytes(function.selector)) << 224;
            return Typed::new(ExprKind::Const(word), TypeId::BYTES4, span);
        }
        if let Some(name) = parent.as_ident()
            && let Some(ValueDef::Function(id)) = self.sema.find_value(&name.name, self.contract)
        {
            let signature = self.sema.signature(id);
            if let (true, Some(contract)) = (signature.is_pub, signature.contract) {
                let points = &self.sema.contracts[contract].typed.entry_points;
                if let Some(point) = points.iter().find(|point| point.function == id) {
                    return selector(point.selector);
                }
                let signature = self.sema.signature(id);
                // In a constant: entry points come later, and report then what is wrong with their attributes.
                if let Some(attrs) = signature.attrs {
                    let params = signature.params.clone();
                    let reported = self.sema.diags.clone();
                    let found = self.sema.external_signature(attrs, name.as_str(), &params).selector;
                    self.sema.diags = reported;
                    return selector(found);
                }
            }
        }
        self.member_not_found(parent, last, span)
    }

    /// The error that a path names: `Error`, `Set::Variant`, `Contract::Error`, `Contract::Set::Variant`.
    pub(super) fn find_error(&mut self, path: &ast::Path) -> Option<ErrorRef> {
        if let Some(TypeDef::ErrorType(ty)) = self.sema.find_type(path, self.contract) {
            return Some(ErrorRef { ty, variant: 0 });
        }
        let (last, parent) = path.segments.split_last()?;
        let parent = ast::Path { segments: parent.to_vec(), span: path.span };
        let Some(TypeDef::ErrorType(ty)) = self.sema.find_type(&parent, self.contract) else { return None };
        let def = self.sema.types.error_type(ty);
        let variant = def.variants.iter().position(|variant| variant.name == last.as_str())?;
        def.is_set.then_some(ErrorRef { ty, variant: variant as u32 })
    }

    /// Reports the end of a path that names nothing.
    pub(super) fn member_not_found(&mut self, parent: &ast::Path, last: &ast::Ident, span: Span) -> Typed {
        let contract = self.contract;
        match self.sema.find_type(parent, contract) {
            Some(TypeDef::ErrorType(id)) => {
                let def = self.sema.types.error_type(id);
                let names = def.variants.iter().map(|variant| variant.name.as_str());
                let hint = suggestion(closest(last.as_str(), names));
                let shown = def.name.clone();
                let label = hint.trim_start_matches("; ").to_owned();
                let diagnostic =
                    self.diags().error(Code::NoFieldOrMethod, last.span).arg("t", shown).arg("m", &last.name);
                if !label.is_empty() {
                    diagnostic.label(label);
                }
            }
            Some(TypeDef::Enum(id)) => {
                let def = &self.sema.types.enums[id.index()];
                let names = def.variants.iter().map(|variant| variant.name.as_str());
                let hint = closest(last.as_str(), names).map(|other| format!("did you mean `{other}`?"));
                let shown = def.name.clone();
                let diagnostic =
                    self.diags().error(Code::NoFieldOrMethod, last.span).arg("t", shown).arg("m", &last.name);
                if let Some(hint) = hint {
                    diagnostic.label(hint);
                }
            }
            Some(TypeDef::Contract(index)) => {
                let shown = self.sema.contracts[index].ast.name.name.clone();
                let known = self.sema.contracts[index].names.values.get(last.as_str()).is_some();
                if last.as_str() == "init_hash" {
                    let text = format!("{parent}::init_hash");
                    self.diags()
                        .error(Code::MismatchedTypes, span)
                        .arg("a", "a value")
                        .arg("b", format!("function {text}"));
                } else if known {
                    self.diags()
                        .error(Code::MismatchedTypes, span)
                        .arg("a", "a value")
                        .arg("b", format_args!("a member of contract {shown}"));
                } else {
                    self.diags().error(Code::NoMember, last.span).arg("c", shown).arg("m", &last.name);
                }
            }
            Some(TypeDef::Event(_) | TypeDef::Interface(_) | TypeDef::Struct(_)) => {
                self.no_member_of(&parent.to_string(), last, span);
            }
            None => {
                let first = &parent.segments[0];
                if matches!(first.as_str(), "std" | "super") {
                    let hint = "; bring the module in with `use`";
                    self.diags().error(Code::NotFound, span).arg("name", parent).arg("hint", hint);
                } else if let Some(module) = self.sema.module_named(first.as_str()) {
                    self.sema.not_exported(module, last);
                } else if self.sema.find_value(&first.name, contract).is_none() {
                    self.sema.type_not_found(parent, contract);
                } else {
                    self.no_member_of(&parent.to_string(), last, span);
                }
            }
        }
        Typed::hole(span)
    }

    /// `base.name`.
    pub(super) fn field(&mut self, base: &'a ast::Expr, name: &'a ast::Ident, span: Span) -> Typed {
        match &base.kind {
            ast::ExprKind::State => return self.resource(base.span, name, false, span),
            ast::ExprKind::Transient => return self.resource(base.span, name, true, span),
            ast::ExprKind::SelfValue if self.scope.find("self").is_none() => {
                return self.object_field("self", base.span, name, span);
            }
            ast::ExprKind::Path(path) => {
                if let Some(object) = path.as_ident()
                    && OBJECTS.contains(&object.as_str())
                    && self.scope.find(object.as_str()).is_none()
                {
                    return self.object_field(object.as_str(), base.span, name, span);
                }
            }
            _ => {}
        }
        if self.dot_after_type(base, name, span) {
            return Typed::hole(span);
        }
        let base = self.part(base, None);
        let ty = self.resolved(base.ty());
        match self.type_of(ty) {
            Type::Error => return Typed::hole(span),
            Type::Never => return base,
            &Type::Struct(id) => return self.struct_field(base, id, name, span),
            Type::Address => {
                let query = match name.as_str() {
                    "balance" => Some((Query::Balance, TypeId::U256)),
                    "code_size" => Some((Query::CodeSize, TypeId::U256)),
                    "code_hash" => Some((Query::CodeHash, TypeId::HASH)),
                    _ => None,
                };
                if let Some((query, ty)) = query {
                    self.effects.reads_state |= query == Query::Balance;
                    return Typed::new(ExprKind::Query { query, operand: Box::new(base.expr) }, ty, span);
                }
            }
            Type::Handle(_) if name.as_str() == "address" => {
                let kind = ExprKind::Cast { kind: CastKind::SameWord, operand: Box::new(base.expr) };
                return Typed::new(kind, TypeId::ADDRESS, span);
            }
            _ => {}
        }
        self.no_field(ty, name, &["balance", "code_size", "code_hash"]);
        Typed::hole(span)
    }

    /// Reports `Type.name` and `module.name`, which are written with `::`; whether it is one.
    pub(super) fn dot_after_type(&mut self, base: &'a ast::Expr, name: &ast::Ident, span: Span) -> bool {
        let ast::ExprKind::Path(path) = &base.kind else { return false };
        let Some(first) = path.segments.first() else { return false };
        if path.as_ident().is_some() && self.scope.find(first.as_str()).is_some()
            || self.sema.find_exported_value(path).is_some()
            || path.as_ident().is_some_and(|name| self.sema.find_value(&name.name, self.contract).is_some())
        {
            return false;
        }
        let is_module = path.as_ident().is_some() && self.sema.module_named(first.as_str()).is_some();
        let kind = match self.sema.find_type(path, self.contract) {
            Some(_) => self.kind_of_type(path),
            None if is_module => "module",
            None if path.as_ident().is_some() && is_predeclared_type(first.as_str()) => "type",
            None => return false,
        };
        let whole = Span::new(span.start, name.span.end);
        let written = format!("{path}::{}", name.name);
        let help = format!("write `{written}`");
        self.diags()
            .error(Code::MismatchedTypes, base.span)
            .arg("a", "a value")
            .arg("b", format_args!("{kind} {path}"))
            .fix(whole, written, help);
        true
    }

    pub(super) fn no_field(&mut self, ty: TypeId, name: &ast::Ident, known: &[&str]) {
        let is_address = self.resolved(ty) == TypeId::ADDRESS;
        let hint = match is_address {
            true => {
                closest(name.as_str(), known.iter().copied()).map(|other| format!("did you mean `{other}`?"))
            }
            false => None,
        };
        let hint =
            hint.or_else(|| habits::member_here(self.kind_for_habits(ty), name.as_str()).map(str::to_owned));
        let shown = self.shown(ty);
        let diagnostic =
            self.diags().error(Code::NoFieldOrMethod, name.span).arg("t", shown).arg("m", &name.name);
        if let Some(hint) = hint {
            diagnostic.label(hint);
        }
    }

    fn kind_for_habits(&self, ty: TypeId) -> habits::Kind {
        match self.type_of(ty) {
            Type::Address => habits::Kind::Address,
            Type::Bytes | Type::String | Type::Vec(_) | Type::Array { .. } => habits::Kind::Sequence,
            Type::Map { .. } => habits::Kind::Map,
            Type::Option(_) | Type::Result { .. } => habits::Kind::Maybe,
            Type::Int(_) | Type::Infer(_) => habits::Kind::Integer,
            _ => habits::Kind::Other,
        }
    }

    /// A field of `msg`, `tx`, `block` or `self`.
    fn object_field(&mut self, object: &str, object_span: Span, name: &'a ast::Ident, span: Span) -> Typed {
        if object == "vm" && !self.is_test() {
            self.diags().error(Code::VmOutsideTest, object_span);
            return Typed::hole(span);
        }
        if object == "self" && self.contract.is_none() {
            let hint = "; only functions of a contract see it";
            self.diags().error(Code::NotFound, object_span).arg("name", "self").arg("hint", hint);
            return Typed::hole(span);
        }
        if let Some(&(_, _, env, ty)) = FIELDS.iter().find(|row| row.0 == object && row.1 == name.as_str()) {
            match env {
                Env::MsgValue => self.effects.value_uses.push(span),
                Env::SelfBalance => self.effects.reads_state = true,
                Env::TxOrigin => {
                    self.diags().warning(Code::TxOrigin, span);
                }
                Env::HederaAccountId | Env::HederaTimestamp => {
                    let op =
                        if env == Env::HederaTimestamp { Op::HederaTimestamp } else { Op::HederaAccountId };
                    if self.target_lacks(op, &format!("{object}.{}", name.name), span) {
                        return Typed::hole(span);
                    }
                    self.effects.reads_state = true;
                }
                _ => {}
            }
            return Typed::new(ExprKind::Env(env), ty, span);
        }
        if object == "self" && self.is_resource(name.as_str()) {
            self.diags().error(Code::SelfIsContract, span).arg("x", &name.name).fix(
                span,
                format!("state.{}", name.name),
                "reach it through `state`",
            );
            return Typed::hole(span);
        }
        let fields: Vec<&str> = FIELDS.iter().filter(|row| row.0 == object).map(|row| row.1).collect();
        self.no_member(object, name, &fields);
        Typed::hole(span)
    }

    /// Whether the target has no operation for a builtin; reports that (K0508).
    pub(super) fn target_lacks(&mut self, op: Op, builtin: &str, span: Span) -> bool {
        let encoding = self.sema.encoding;
        let lacks = encoding.byte(op).is_none();
        if lacks {
            self.diags()
                .error(Code::OpcodeMissing, span)
                .arg("builtin", builtin)
                .arg("op", op.name().to_uppercase())
                .arg("t", encoding.name());
        }
        lacks
    }

    /// Whether the environment has this field (K0103 when it is called).
    pub(super) fn is_env_field(&self, object: &str, name: &str) -> bool {
        FIELDS.iter().any(|row| row.0 == object && row.1 == name)
    }

    fn is_resource(&mut self, name: &str) -> bool {
        let Some(contract) = self.contract else { return false };
        let declared = self.sema.contracts[contract].names.resources.span(name);
        self.sema.mark_used(declared);
        declared.is_some()
    }
}
