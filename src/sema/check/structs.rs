//! Structs and enums with payloads: what they are made of, literals, fields.

use crate::diag::Code;
use crate::sema::Sema;
use crate::sema::attrs::Target;
use crate::sema::check::body::{Checker, Typed};
use crate::sema::check::raise::{Borrow, Fields};
use crate::sema::resolve::{Position, suggestion};
use crate::sema::scope::{ContractIndex, TypeDef, ValueDef, closest};
use crate::sema::typed::{ExprKind, PlaceStep};
use crate::sema::types::{EnumId, StructDef, StructId, TYPE_PARTS_MAX, Type, TypeId};
use crate::source::Span;
use crate::syntax::ast::{self, FieldInit};

/// A struct or enum whose parts are not resolved yet.
pub(super) enum Definition<'a> {
    Struct(&'a ast::Struct, StructId, Option<ContractIndex>),
    Enum(&'a ast::Enum, EnumId, Option<ContractIndex>),
}

/// The parts of one definition: for an enum, those of each variant.
struct Parts {
    name: String,
    span: Span,
    types: Vec<Vec<TypeId>>,
}

impl<'a> Sema<'a> {
    /// Makes the name of a struct known.
    pub(super) fn declare_struct(
        &mut self,
        decl: &'a ast::Struct,
        attrs: &'a ast::Attrs,
        contract: Option<ContractIndex>,
    ) -> Definition<'a> {
        let id = StructId(self.types.structs.len() as u32);
        self.types.structs.push(StructDef {
            name: decl.name.name.to_string(),
            span: decl.name.span,
            fields: Vec::new(),
            copy: attrs.find("copy").is_some(),
            unpacked: attrs.find("unpacked").is_some(),
        });
        self.define_type(&decl.name, TypeDef::Struct(id), contract);
        Definition::Struct(decl, id, contract)
    }

    /// Resolves the parts of all structs and enums, and refuses those that contain themselves (K0211).
    pub(super) fn define_types(&mut self, definitions: &[Definition<'a>]) {
        // Nothing looks into a definition before all of them are known to end.
        let mut all: Vec<Parts> = definitions.iter().map(|definition| self.parts_of(definition)).collect();
        self.cut_circles(definitions, &mut all);
        for (definition, parts) in definitions.iter().zip(all) {
            match definition {
                Definition::Struct(decl, id, _) => {
                    let names = decl.fields.iter().map(|field| field.name.name.to_string());
                    let types = parts.types.into_iter().next().unwrap_or_default();
                    self.types.structs[id.index()].fields = names.zip(types).collect();
                }
                Definition::Enum(_, id, _) => {
                    let variants = &mut self.types.enums[id.index()].variants;
                    for (variant, payload) in variants.iter_mut().zip(parts.types) {
                        variant.payload = payload;
                    }
                }
            }
        }
        for definition in definitions {
            let Definition::Struct(decl, id, _) = definition else { continue };
            if !self.types.structs[id.index()].copy {
                continue;
            }
            let fields = self.types.structs[id.index()].fields.clone();
            for (field, (name, ty)) in decl.fields.iter().zip(fields) {
                if !self.types.is_copy(ty) {
                    let shown = self.types.display(ty);
                    self.diags.error(Code::CopyNeedsCopyFields, field.ty.span).arg("f", name).arg("t", shown);
                }
            }
        }
    }

    fn parts_of(&mut self, definition: &Definition<'a>) -> Parts {
        let (Definition::Struct(ast::Struct { name, .. }, ..) | Definition::Enum(ast::Enum { name, .. }, ..)) =
            *definition;
        // Each module is a file of its own, and both are numbered alike.
        self.current = self.source.file_at(name.span.start).index();
        match *definition {
            Definition::Struct(decl, _, contract) => {
                self.report_repeated(decl.fields.iter().map(|field| &field.name));
                let mut types = Vec::with_capacity(decl.fields.len());
                for field in &decl.fields {
                    self.check_attrs(&field.attrs, Target::Other, field.name.span);
                    types.push(self.resolve_type(&field.ty, contract, Position::Field));
                }
                Parts { name: decl.name.name.to_string(), span: decl.name.span, types: vec![types] }
            }
            Definition::Enum(decl, _, contract) => {
                let variants = decl.variants.iter();
                let types = variants.map(|variant| {
                    let payload = variant.payload.iter();
                    payload.map(|ty| self.resolve_type(ty, contract, Position::Payload)).collect()
                });
                let types = types.collect();
                Parts { name: decl.name.name.to_string(), span: decl.name.span, types }
            }
        }
    }

    /// Empties definitions that contain themselves or have too many parts, so that everything else may follow types
    /// to their end.
    fn cut_circles(&mut self, definitions: &[Definition<'a>], all: &mut [Parts]) {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            New,
            Open,
            Done(usize),
        }
        let find = |wanted: &Type| {
            definitions.iter().position(|definition| match (definition, wanted) {
                (Definition::Struct(_, id, _), Type::Struct(other)) => id == other,
                (Definition::Enum(_, id, _), Type::Enum(other)) => id == other,
                _ => false,
            })
        };
        let mut marks = vec![Mark::New; definitions.len()];
        for start in 0..definitions.len() {
            // An explicit stack: the length of a chain of definitions is the source's choice.
            let mut path = vec![start];
            while let Some(&index) = path.last() {
                if let Mark::Done(_) = marks[index] {
                    path.pop();
                    continue;
                }
                marks[index] = Mark::Open;
                let mut inner = Vec::new();
                for &ty in all[index].types.iter().flatten() {
                    self.mentioned(ty, &mut inner);
                }
                let inner: Vec<usize> = inner.iter().filter_map(|&ty| find(self.types.get(ty))).collect();
                if inner.iter().any(|&other| marks[other] == Mark::Open) {
                    let parts = &mut all[index];
                    self.diags.error(Code::RecursiveType, parts.span).arg("t", &parts.name);
                    parts.types.iter_mut().flatten().for_each(|ty| *ty = TypeId::ERROR);
                    marks[index] = Mark::Done(1);
                    continue;
                }
                if let Some(&next) = inner.iter().find(|&&other| marks[other] == Mark::New) {
                    path.push(next);
                    continue;
                }
                let nested: usize = inner
                    .iter()
                    .map(|&other| if let Mark::Done(count) = marks[other] { count } else { 1 })
                    .sum();
                let own: usize = all[index].types.iter().flatten().map(|&ty| self.types.parts_here(ty)).sum();
                let count = 1 + own + nested;
                if count > TYPE_PARTS_MAX {
                    let span = all[index].span;
                    let what = format!("more than {TYPE_PARTS_MAX} parts of one type");
                    self.diags.error(Code::TooLarge, span).arg("what", what);
                    all[index].types.iter_mut().flatten().for_each(|ty| *ty = TypeId::ERROR);
                }
                marks[index] = Mark::Done(count.min(TYPE_PARTS_MAX));
                path.pop();
            }
        }
    }

    /// Collects the structs and enums that a type mentions, once for each time.
    fn mentioned(&self, ty: TypeId, found: &mut Vec<TypeId>) {
        match self.types.get(ty) {
            Type::Struct(_) | Type::Enum(_) => found.push(ty),
            Type::Tuple(elements) => elements.iter().for_each(|&element| self.mentioned(element, found)),
            Type::Array { element: inner, .. } | Type::Vec(inner) | Type::Option(inner) => {
                self.mentioned(*inner, found);
            }
            Type::Map { value, .. } => self.mentioned(*value, found),
            _ => {}
        }
    }
}

impl<'a> Checker<'_, 'a> {
    /// `S { a: 1, b }`.
    pub(super) fn struct_literal(
        &mut self,
        path: &'a ast::Path,
        inits: &'a [FieldInit],
        span: Span,
    ) -> Typed {
        let fields = Fields::Named(inits);
        let id = match self.sema.find_type(path, self.contract) {
            Some(TypeDef::Struct(id)) => id,
            found => {
                if let Some(error) = self.find_error(path)
                    && !self.is_bare_set(error, path)
                {
                    return self.error_value(error, fields, span, Borrow::No);
                }
                self.check_loosely(fields);
                let name = path.as_ident();
                let value = name.and_then(|name| self.sema.find_value(&name.name, self.contract));
                match found {
                    None if matches!(value, Some(ValueDef::Function(_))) => {
                        // `f{gas: 5}(…)` reads like a struct.
                        self.diags()
                            .error(Code::ItemNotAllowed, span)
                            .arg("item", "{…}")
                            .arg("place", "a call that does not leave the contract");
                    }
                    None => match path.segments.split_last() {
                        Some((last, parent)) if !parent.is_empty() => {
                            let parent = ast::Path { segments: parent.to_vec(), span: path.span };
                            let is_variant = self.enum_named(&parent).is_some_and(|id| {
                                let mut variants = self.sema.types.enums[id.index()].variants.iter();
                                variants.any(|variant| variant.name == last.as_str())
                            });
                            if !is_variant {
                                return self.member_not_found(&parent, last, span);
                            }
                            self.diags()
                                .error(Code::MismatchedTypes, path.span)
                                .arg("a", "a struct")
                                .arg("b", format!("variant {path}"))
                                .label(format!("the parts of a variant have no names; write `{path}(…)`"));
                        }
                        _ => self.sema.type_not_found(path, self.contract),
                    },
                    Some(_) => {
                        let what = format!("{} {path}", self.kind_of_type(path));
                        self.diags()
                            .error(Code::MismatchedTypes, path.span)
                            .arg("a", "a struct")
                            .arg("b", what);
                    }
                }
                return Typed::hole(span);
            }
        };
        let def = &self.sema.types.structs[id.index()];
        let (name, declared) = (def.name.clone(), def.fields.clone());
        let Some(values) = self.fields(&name, &declared, fields, span, Borrow::No) else {
            return Typed::hole(span);
        };
        if values.iter().any(|(_, value)| value.ty == TypeId::ERROR) {
            return Typed::hole(span);
        }
        let ty = self.sema.types.intern(Type::Struct(id));
        if self.sema.holds_map(ty) {
            self.diags().error(Code::MapOnlyInStorage, span).arg("what", "created");
            return Typed::hole(span);
        }
        if values.iter().any(|(_, value)| value.ty == TypeId::NEVER) {
            return self.diverging(values.into_iter().map(|value| value.1).collect(), span);
        }
        Typed::new(ExprKind::Struct(values), ty, span)
    }

    /// `base.name` of a struct; nothing if it has no such field, which is then reported.
    pub(super) fn struct_field(
        &mut self,
        base: Typed,
        id: StructId,
        name: &'a ast::Ident,
        span: Span,
    ) -> Typed {
        let def = &self.sema.types.structs[id.index()];
        let Some(at) = def.fields.iter().position(|field| field.0 == name.as_str()) else {
            let hint = suggestion(closest(name.as_str(), def.fields.iter().map(|field| field.0.as_str())));
            let shown = def.name.clone();
            let label = hint.trim_start_matches("; ").to_owned();
            let diagnostic =
                self.diags().error(Code::NoFieldOrMethod, name.span).arg("t", shown).arg("m", &name.name);
            if !label.is_empty() {
                diagnostic.label(label);
            }
            return Typed::hole(span);
        };
        let ty = def.fields[at].1;
        if ty == TypeId::ERROR {
            return Typed::hole(span);
        }
        let index = at as u32;
        match base.expr.kind {
            ExprKind::Load(mut place) => {
                place.steps.push(PlaceStep::Field(index));
                (place.ty, place.span) = (ty, span);
                Typed { through: base.through, ..Typed::new(ExprKind::Load(place), ty, span) }
            }
            kind => {
                let tuple = Box::new(crate::sema::typed::Expr { kind, ..base.expr });
                Typed::new(ExprKind::TupleField { tuple, index }, ty, span)
            }
        }
    }
}
