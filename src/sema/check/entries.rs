//! Entry points: getters of `pub` members, selectors, and the signatures that the ABI exports.

use std::sync::Arc;

use crate::diag::Code;
use crate::sema::attrs::{SelectorAttr, docs, is_identifier};
use crate::sema::check::define::selector_of;
use crate::sema::consts::Value;
use crate::sema::effects::Effects;
use crate::sema::infer::cannot_infer;
use crate::sema::scope::ContractIndex;
use crate::sema::typed::{
    AbiParam, Block, EntryPoint, Expr, ExprKind, FuncId, FunctionKind, Local, LocalId, MemberId, Mutability,
    Place, PlaceRoot, PlaceStep,
};
use crate::sema::types::{Type, TypeId};
use crate::sema::{Body, ConstState, Param, Sema, Signature};
use crate::source::Span;
use crate::syntax::ast;

/// How a function is named and selected from outside.
pub(super) struct ExternalSignature {
    pub(super) name: String,
    /// The canonical types of the parameters.
    pub(super) abi_types: Vec<String>,
    pub(super) signature: String,
    pub(super) selector: [u8; 4],
}

impl<'a> Sema<'a> {
    /// Adds the getter of a `pub` member: the keys of its map levels are the parameters.
    pub(in crate::sema) fn add_member_getter(
        &mut self,
        contract: ContractIndex,
        member: MemberId,
        attrs: &'a ast::Attrs,
    ) {
        let declared = &self.contracts[contract].typed.storage[member.index()];
        let (name, span, mut ty) = (declared.name.clone(), declared.span, declared.ty);
        let (mut keys, mut steps) = (Vec::new(), Vec::new());
        loop {
            let (key, value) = match *self.types.get(ty) {
                Type::Map { key, value } => (key, value),
                Type::Array { element, .. } | Type::Vec(element) => (TypeId::U256, element),
                _ => break,
            };
            let local = PlaceRoot::Local(LocalId(keys.len() as u32));
            let place = Place { root: local, steps: Vec::new(), ty: key, span };
            let operand = Expr { kind: ExprKind::Load(place), ty: key, span };
            steps.push(match self.types.get(ty) {
                Type::Map { .. } => PlaceStep::MapKey(operand),
                _ => PlaceStep::Index(operand),
            });
            keys.push(key);
            ty = value;
        }
        if self.types.abi_type(ty).is_none() {
            let shown = self.types.display(ty);
            self.diags.error(Code::NotAbiType, span).arg("t", shown).arg("place", "return");
            return;
        }
        let place = Place { root: PlaceRoot::Storage(member), steps, ty, span };
        let value = Expr { kind: ExprKind::Load(place), ty, span };
        self.add_getter(contract, &name, span, keys, value, attrs, true);
    }

    /// Adds the getters of `pub` constants of contracts.
    pub(in crate::sema) fn add_constant_getters(&mut self) {
        for index in 0..self.consts.len() {
            let constant = &self.consts[index];
            let (Some(contract), true) = (constant.contract, constant.is_pub) else { continue };
            let ConstState::Done(ty, value) = constant.state.clone() else { continue };
            let (name, attrs) = (&constant.ast.name, constant.attrs);
            if ty == TypeId::INT_LITERAL {
                cannot_infer(&mut self.diags, &name.name, name.span)
                    .note("a `pub` constant has a getter, whose result needs a type");
                continue;
            }
            if self.types.abi_type(ty).is_none() {
                let shown = self.types.display(ty);
                self.diags.error(Code::NotAbiType, name.span).arg("t", shown).arg("place", "return");
                continue;
            }
            let value = self.constant_expr(ty, &value, name.span);
            self.add_getter(contract, name.as_str(), name.span, Vec::new(), value, attrs, false);
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one call site per kind of member; a struct would only rename them"
    )]
    pub(super) fn add_getter(
        &mut self,
        contract: ContractIndex,
        name: &str,
        span: Span,
        keys: Vec<TypeId>,
        value: Expr,
        attrs: &'a ast::Attrs,
        reads_state: bool,
    ) {
        let unnamed = |&ty: &TypeId| Param { name: Arc::from(""), span, ty, mutable: false, constant: false };
        let id = self.add_signature(Signature {
            name: Arc::from(name),
            span,
            kind: FunctionKind::Getter,
            contract: Some(contract),
            attrs: Some(attrs),
            params: keys.iter().map(unnamed).collect(),
            result: value.ty,
            view: true,
            payable: false,
            is_pub: true,
            has_receiver: false,
            body: Body::Ready,
            effects: Effects { reads_state, ..Effects::default() },
        });
        let function = &mut self.functions[id.index()];
        function.docs = docs(attrs);
        function.locals =
            keys.iter().map(|&ty| Local { name: String::new(), span, ty, mutable: false }).collect();
        function.body = Block { stmts: Vec::new(), ty: value.ty, value: Some(Box::new(value)), span };
        self.contracts[contract].entries.push((id, attrs, true));
    }

    /// The tree of a constant's value.
    pub(in crate::sema) fn constant_expr(&mut self, ty: TypeId, value: &Value, span: Span) -> Expr {
        let kind = match value {
            Value::Word(word) => ExprKind::Const(*word),
            Value::Literal(int) => ExprKind::Const(int.low_word()),
            Value::Bytes(bytes) => ExprKind::Bytes(bytes.clone()),
            Value::Variant(tag, args) => {
                let variants = self.types.variants(ty).into_iter();
                let payload: Vec<TypeId> =
                    variants.filter(|variant| variant.0 == *tag).flat_map(|variant| variant.2).collect();
                let args = args.iter().zip(payload).map(|(arg, ty)| self.constant_expr(ty, arg, span));
                ExprKind::Variant { tag: *tag, args: args.collect() }
            }
            Value::Tuple(elements) => match self.types.get(ty).clone() {
                Type::Unit => ExprKind::Unit,
                Type::Array { element, .. } => {
                    let first = elements.first().filter(|first| elements.iter().all(|other| other == *first));
                    match first {
                        // Equal elements are stored by a loop.
                        Some(first) if elements.len() > 1 && self.types.is_copy(element) => {
                            ExprKind::Repeat {
                                element: Box::new(self.constant_expr(element, first, span)),
                                length: elements.len() as u64,
                            }
                        }
                        _ => {
                            let parts = elements.iter();
                            ExprKind::Array(
                                parts.map(|part| self.constant_expr(element, part, span)).collect(),
                            )
                        }
                    }
                }
                Type::Struct(id) => {
                    let fields = self.types.structs[id.index()].fields.clone();
                    let parts = elements.iter().zip(fields).enumerate();
                    let field = |(at, (part, field)): (usize, (&Value, (String, TypeId)))| {
                        (at as u32, self.constant_expr(field.1, part, span))
                    };
                    ExprKind::Struct(parts.map(field).collect())
                }
                shape => {
                    let types = match shape {
                        Type::Tuple(types) => types,
                        _ => vec![TypeId::ERROR; elements.len()],
                    };
                    let parts = elements.iter().zip(types);
                    ExprKind::Tuple(
                        parts.map(|(element, ty)| self.constant_expr(ty, element, span)).collect(),
                    )
                }
            },
        };
        Expr { kind, ty, span }
    }

    /// Gives every entry point its selector and signature, and reports collisions (K0706).
    pub(in crate::sema) fn build_entry_points(&mut self, contract: ContractIndex) {
        let mut entries = self.contracts[contract].entries.clone();
        // Functions come first, each kind in source order.
        entries.sort_by_key(|&(id, _, is_getter)| (is_getter, self.signature(id).span.start));
        let mut points: Vec<EntryPoint> = Vec::new();
        let mut taken: std::collections::HashMap<[u8; 4], FuncId> = std::collections::HashMap::new();
        for (id, attrs, is_getter) in entries {
            let point = self.entry_point(id, attrs, is_getter);
            if let Some(&other) = taken.get(&point.selector) {
                let (name, first) = (self.signature(id).name.clone(), self.signature(other));
                let (first_name, first_span) = (first.name.clone(), first.span);
                self.diags
                    .error(Code::SelectorCollision, self.signatures[id.index()].span)
                    .arg("sel", format_args!("0x{}", alloy_primitives::hex::encode(point.selector)))
                    .arg("f", first_name)
                    .arg("g", name)
                    .secondary(first_span, "the first one");
            }
            taken.insert(point.selector, id);
            points.push(point);
        }
        self.contracts[contract].typed.entry_points = points;
    }

    fn entry_point(&mut self, id: FuncId, attrs: &'a ast::Attrs, is_getter: bool) -> EntryPoint {
        let (name, params) = (self.signature(id).name.to_string(), self.signature(id).params.clone());
        let external = self.external_signature(attrs, &name, &params);
        let inputs = params.iter().zip(external.abi_types);
        EntryPoint {
            function: id,
            selector: external.selector,
            inputs: inputs
                .map(|(param, abi_type)| AbiParam { name: param.name.to_string(), ty: param.ty, abi_type })
                .collect(),
            outputs: self.outputs(self.signature(id).result),
            mutability: Mutability::Mutable,
            name: external.name,
            signature: external.signature,
            is_getter,
            is_hot: attrs.find("hot").is_some(),
            gas_max: self.gas_max(attrs),
        }
    }

    /// Name, types and selector of a function for those outside, as its attributes say.
    pub(super) fn external_signature(
        &mut self,
        attrs: &'a ast::Attrs,
        name: &str,
        params: &[Param],
    ) -> ExternalSignature {
        let mut name = self.abi_name(attrs).unwrap_or_else(|| name.to_owned());
        let mut abi_types: Vec<String> =
            params.iter().map(|param| self.types.abi_type(param.ty).unwrap_or_default()).collect();
        let mut selector = None;
        match self.selector_attr(attrs) {
            Some(SelectorAttr::Number(number)) => {
                selector = Some(number);
                let attr = attrs.find("selector").expect("it was just read");
                self.diags
                    .warning(Code::SelectorNotDerived, attr.span)
                    .arg("s", format_args!("0x{}", alloy_primitives::hex::encode(number)));
            }
            Some(SelectorAttr::Signature(text, span)) => {
                if let Some((external, types)) = self.compatible_signature(&text, span, params, &abi_types) {
                    (name, abi_types) = (external, types);
                }
            }
            None => {}
        }
        let signature = format!("{name}({})", abi_types.join(","));
        ExternalSignature {
            selector: selector.unwrap_or_else(|| selector_of(&signature)),
            name,
            abi_types,
            signature,
        }
    }

    fn outputs(&self, result: TypeId) -> Vec<AbiParam> {
        let types = match self.types.get(result) {
            &Type::Result { ok, .. } => return self.outputs(ok),
            Type::Tuple(elements) => elements.clone(),
            Type::Unit | Type::Error => Vec::new(),
            _ => vec![result],
        };
        let output =
            |ty| AbiParam { name: String::new(), ty, abi_type: self.types.abi_type(ty).unwrap_or_default() };
        types.into_iter().map(output).collect()
    }

    /// Name and types of an explicit signature, if they fit the parameters (§14.2).
    fn compatible_signature(
        &mut self,
        text: &str,
        span: Span,
        params: &[Param],
        abi_types: &[String],
    ) -> Option<(String, Vec<String>)> {
        if params.iter().any(|param| param.ty == TypeId::ERROR) {
            return None;
        }
        let mut incompatible = |what: String, label: String| {
            self.diags
                .error(Code::IncompatibleSignature, span)
                .arg("sig", text)
                .arg("what", what)
                .label(label);
        };
        let parts = text.strip_suffix(')').and_then(|text| text.split_once('('));
        let Some((name, list)) = parts.filter(|(name, _)| is_identifier(name)) else {
            incompatible("any function".into(), "this is not of the form `name(type,type)`".into());
            return None;
        };
        let types: Vec<&str> = if list.is_empty() { Vec::new() } else { list.split(',').collect() };
        if types.len() != params.len() {
            let what = format!("a function with {} parameter(s)", params.len());
            incompatible(what, format!("it has {} type(s)", types.len()));
            return None;
        }
        for ((given, own), param) in types.iter().zip(abi_types).zip(params) {
            if !word_compatible(given, own) {
                let shown = self.types.display(param.ty);
                let label = format!("`{given}` is not `{own}` or a wider integer of the same signedness");
                incompatible(format!("parameter `{}: {shown}`", param.name), label);
                return None;
            }
        }
        Some((name.to_string(), types.into_iter().map(str::to_owned).collect()))
    }
}

/// Whether the canonical type `given` may stand for `own`.
fn word_compatible(given: &str, own: &str) -> bool {
    given == own
        || matches!((abi_int(given), abi_int(own)), (Some(given), Some(own)) if given.0 == own.0 && given.1 >= own.1)
}

/// Signedness and bits of a canonical integer type.
fn abi_int(name: &str) -> Option<(bool, u16)> {
    let signed = !name.starts_with('u');
    let short = if signed { name.strip_prefix("int") } else { name.strip_prefix("uint") };
    let int = crate::sema::types::IntType::from_name(&format!("u{}", short?))?;
    Some((signed, int.bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wider_integers_of_one_signedness_are_compatible() {
        assert!(word_compatible("uint256", "uint64"));
        assert!(word_compatible("int128", "int8"));
        assert!(word_compatible("bytes4", "bytes4"));
        for (given, own) in
            [("uint32", "uint64"), ("int256", "uint64"), ("uint256", "int64"), ("uint", "uint64")]
        {
            assert!(!word_compatible(given, own), "{given} for {own}");
        }
        assert!(!word_compatible("uint160", "address"));
    }
}
