//! Paths in patterns: names to bind, constants, and variants with patterns for their payload.

use alloy_primitives::U256;

use crate::diag::Code;
use crate::sema::check::body::Checker;
use crate::sema::check::patterns::{Behind, Names};
use crate::sema::consts::Value;
use crate::sema::resolve::suggestion;
use crate::sema::scope::{TypeDef, ValueDef, closest};
use crate::sema::typed::{Pattern, PatternKind, PlaceStep};
use crate::sema::types::{EnumId, Type, TypeId};
use crate::source::Span;
use crate::syntax::ast;

impl<'a> Checker<'_, 'a> {
    /// A name, a constant, or a variant with patterns for its payload.
    pub(super) fn path_pattern(
        &mut self,
        path: &'a ast::Path,
        args: Option<&'a [ast::Pattern]>,
        ty: TypeId,
        behind: Option<&Behind>,
        names: &mut Names,
        span: Span,
    ) -> PatternKind {
        if let (Some(name), None) = (path.as_ident(), args)
            && let Some(kind) = self.name_pattern(name, ty, behind, names)
        {
            return kind;
        }
        let Some((own, tag, name)) = self.find_variant(path, ty) else {
            self.holes_of(args);
            return PatternKind::Any;
        };
        if own != ty {
            self.holes_of(args);
            let shown = self.shown(own);
            return self.mismatched_pattern(span, ty, &shown);
        }
        if let Type::Enum(id) = *self.type_of(ty)
            && self.sema.types.enums[id.index()].is_payload_free()
        {
            if let Some(args) = args {
                self.holes_of(Some(args));
                self.diags().error(Code::WrongArgumentCount, span).arg("n", 0).arg("m", args.len());
            }
            return PatternKind::Const(U256::from(tag));
        }
        let variants = self.sema.types.variants(ty).into_iter();
        let payload = variants.filter(|variant| variant.0 == tag).flat_map(|variant| variant.2);
        let payload: Vec<TypeId> = payload.collect();
        let args = args.unwrap_or_default();
        if args.len() != payload.len() {
            self.holes_of(Some(args));
            self.diags()
                .error(Code::WrongArgumentCount, span)
                .arg("n", payload.len())
                .arg("m", args.len())
                .label(format!("`{name}` has {} part(s)", payload.len()));
            let any = |&ty: &TypeId| Pattern { kind: PatternKind::Any, ty, span };
            return PatternKind::Variant { tag, fields: payload.iter().map(any).collect() };
        }
        let mut fields = Vec::with_capacity(args.len());
        for (at, (arg, part)) in args.iter().zip(payload).enumerate() {
            let step = PlaceStep::Payload { tag, field: at as u32 };
            let inner = behind.map(|behind| behind.part(step, part, arg.span));
            fields.push(self.pattern(arg, part, inner.as_ref(), names));
        }
        PatternKind::Variant { tag, fields }
    }

    fn holes_of(&mut self, args: Option<&'a [ast::Pattern]>) {
        args.unwrap_or_default().iter().for_each(|arg| self.bind_holes(arg));
    }

    /// A single name: a constant if it names one, nothing if it names a variant, else a name to bind.
    fn name_pattern(
        &mut self,
        name: &'a ast::Ident,
        ty: TypeId,
        behind: Option<&Behind>,
        names: &mut Names,
    ) -> Option<PatternKind> {
        if self.scope.find(name.as_str()).is_none() {
            if name.as_str() == "None" {
                return None;
            }
            match self.sema.find_value(&name.name, self.contract) {
                Some(ValueDef::Const(index)) => {
                    let (found, value) = match self.sema.constant(index) {
                        Some(constant) => constant,
                        None => return Some(PatternKind::Any),
                    };
                    return Some(self.constant_pattern(found, &value, ty, name.span));
                }
                Some(ValueDef::Function(_)) | None => {}
            }
            if let Some(TypeDef::ErrorType(id)) = self.sema.find_type_name(&name.name, self.contract)
                && !self.sema.types.error_type(id).is_set
            {
                return None;
            }
        }
        Some(self.bind_part(name, false, ty, behind, names))
    }

    fn constant_pattern(&mut self, found: TypeId, value: &Value, ty: TypeId, span: Span) -> PatternKind {
        match value {
            Value::Literal(int) if self.is_int(ty) => {
                self.coerce_literal(*int, ty, span);
                PatternKind::Const(int.low_word())
            }
            Value::Word(word) if self.unify(found, ty) => PatternKind::Const(*word),
            _ => {
                let shown = self.shown(found);
                self.mismatched_pattern(span, ty, &shown)
            }
        }
    }

    /// The variant that a path names: the type, the tag, and the name for messages. `ty` is the type of the values.
    fn find_variant(&mut self, path: &'a ast::Path, ty: TypeId) -> Option<(TypeId, u32, String)> {
        let text = path.to_string();
        if let Some(name) = path.as_ident() {
            let (shape, tag) = match (name.as_str(), self.type_of(ty)) {
                ("None", Type::Option(_)) => (ty, 0),
                ("Some", Type::Option(_)) => (ty, 1),
                ("Ok", Type::Result { .. }) => (ty, 0),
                ("Err", Type::Result { .. }) => (ty, 1),
                ("None" | "Some", _) => {
                    self.mismatched_pattern(path.span, ty, "Option<_>");
                    return None;
                }
                ("Ok" | "Err", _) => {
                    self.mismatched_pattern(path.span, ty, "Result<_, _>");
                    return None;
                }
                _ => (TypeId::ERROR, 0),
            };
            if shape != TypeId::ERROR {
                return Some((shape, tag, text));
            }
        }
        if let Some(error) = self.find_error(path)
            && !self.is_bare_set(error, path)
        {
            let own = self.sema.types.intern(Type::ErrorType(error.ty));
            return Some((own, error.variant, text));
        }
        let (last, parent) = path.segments.split_last()?;
        let parent = ast::Path { segments: parent.to_vec(), span: path.span };
        if let Some(id) = self.enum_named(&parent) {
            let def = &self.sema.types.enums[id.index()];
            if let Some(variant) = def.variants.iter().find(|variant| variant.name == last.as_str()) {
                let tag = variant.discriminant.into();
                let own = self.sema.types.intern(Type::Enum(id));
                return Some((own, tag, text));
            }
            let names = def.variants.iter().map(|variant| variant.name.as_str());
            let hint = suggestion(closest(last.as_str(), names));
            let shown = def.name.clone();
            let diagnostic =
                self.diags().error(Code::NoFieldOrMethod, last.span).arg("t", shown).arg("m", &last.name);
            if !hint.is_empty() {
                diagnostic.label(hint.trim_start_matches("; "));
            }
            return None;
        }
        if parent.segments.is_empty() {
            self.unknown_variant(last, ty);
        } else {
            self.member_not_found(&parent, last, path.span);
        }
        None
    }

    /// A single name with arguments that is no variant; perhaps its enum was left out.
    fn unknown_variant(&mut self, name: &ast::Ident, ty: TypeId) {
        if ty == TypeId::ERROR {
            return;
        }
        let variants: Vec<String> = match self.type_of(ty) {
            Type::Enum(id) => {
                let def = &self.sema.types.enums[id.index()];
                def.variants.iter().map(|variant| format!("{}::{}", def.name, variant.name)).collect()
            }
            _ => self.sema.types.variants(ty).into_iter().map(|variant| variant.1).collect(),
        };
        let full = variants.into_iter().find(|full| full.rsplit("::").next() == Some(name.as_str()));
        let hint = full.as_ref().map(|full| format!("; did you mean `{full}`?")).unwrap_or_default();
        let diagnostic =
            self.diags().error(Code::NotFound, name.span).arg("name", &name.name).arg("hint", hint);
        if let Some(full) = full {
            diagnostic.fix(name.span, full, "name the variant by its type");
        }
    }

    /// The enum that a path names, one of the language's own included.
    pub(super) fn enum_named(&mut self, path: &ast::Path) -> Option<EnumId> {
        if let Some(name) = path.as_ident()
            && let Some(id) = crate::sema::types::Types::predeclared_enum(name.as_str())
        {
            return Some(id);
        }
        match self.sema.find_type(path, self.contract) {
            Some(TypeDef::Enum(id)) => Some(id),
            _ => None,
        }
    }
}
