//! Patterns: what they ask of a value, and the names that they bind.
//!
//! A name takes a copy of a Copy part. Other parts of a value that nobody else owns move into their names; parts of a
//! value that stays where it is, in storage, in an element or behind a reference, are named by `&`, and after
//! `match &mut place` every name is a `&mut`. Which variant or constant a path names is
//! [`variants`](super::variants)'s business.

use std::sync::Arc;

use alloy_primitives::U256;

use crate::diag::{Code, Severity};
use crate::sema::check::body::Checker;
use crate::sema::check::borrows::Borrow;
use crate::sema::check::coverage::{Coverage, TooComplex};
use crate::sema::exact::Int;
use crate::sema::scope::LocalDef;
use crate::sema::typed::{LocalId, Pattern, PatternKind, Place, PlaceStep};
use crate::sema::types::{IntType, Type, TypeId};
use crate::source::Span;
use crate::syntax::ast::{self, PatLit, PatLitKind};

/// A value that stays where it is while patterns look at it.
#[derive(Clone)]
pub(super) struct Behind {
    pub(super) place: Place,
    pub(super) through: Option<usize>,
    /// Whether all names are `&mut`, also those of Copy parts.
    pub(super) mutable: bool,
    /// Whether all names are references.
    pub(super) by_reference: bool,
}

impl Behind {
    /// A part of the value.
    pub(super) fn part(&self, step: PlaceStep, ty: TypeId, span: Span) -> Behind {
        let mut part = self.clone();
        part.place.steps.push(step);
        (part.place.ty, part.place.span) = (ty, span);
        part
    }
}

/// What the names of a pattern were bound to.
#[derive(Default)]
pub(super) struct Names {
    bound: Vec<Bound>,
    /// The names of an alternative before this one, which this one binds too.
    expected: Option<Vec<Bound>>,
    /// Where a part that is not Copy moves into a name.
    pub(super) moves: Option<Span>,
}

#[derive(Clone)]
struct Bound {
    name: Arc<str>,
    span: Span,
    local: Option<LocalId>,
    ty: TypeId,
}

impl<'a> Checker<'_, 'a> {
    /// Checks a pattern for values of type `ty` and binds its names in the innermost block.
    pub(super) fn pattern(
        &mut self,
        pattern: &'a ast::Pattern,
        ty: TypeId,
        behind: Option<&Behind>,
        names: &mut Names,
    ) -> Pattern {
        let mut ty = self.resolved(ty);
        let (span, before) = (pattern.span, self.sema.diags.as_slice().len());
        let kind = match &pattern.kind {
            ast::PatternKind::Wildcard | ast::PatternKind::Missing => PatternKind::Any,
            ast::PatternKind::Literal(literal) => self.literal_pattern(literal, ty),
            ast::PatternKind::Range { start, end, inclusive } => {
                self.range_pattern((start, end, *inclusive), ty, span)
            }
            ast::PatternKind::Tuple(parts) => self.tuple_pattern(parts, ty, behind, names, span),
            ast::PatternKind::BindMut(name) => self.bind_part(name, true, ty, behind, names),
            ast::PatternKind::Path { path, args } => {
                self.path_pattern(path, args.as_deref(), ty, behind, names, span)
            }
            ast::PatternKind::Or(parts) => self.or_pattern(parts, ty, behind, names),
        };
        let reported = &self.sema.diags.as_slice()[before..];
        if reported.iter().any(|diagnostic| diagnostic.severity() == Severity::Error) {
            // What it matches is not known.
            ty = TypeId::ERROR;
        }
        Pattern { kind, ty, span }
    }

    pub(super) fn mismatched_pattern(&mut self, span: Span, want: TypeId, found: &str) -> PatternKind {
        if !matches!(want, TypeId::ERROR | TypeId::NEVER) {
            let shown = self.shown(want);
            self.diags().error(Code::MismatchedTypes, span).arg("a", shown).arg("b", found);
        }
        PatternKind::Any
    }

    fn literal_pattern(&mut self, literal: &PatLit, ty: TypeId) -> PatternKind {
        let span = literal.span;
        match &literal.kind {
            PatLitKind::Bool(value) if ty == TypeId::BOOL => PatternKind::Const(U256::from(*value)),
            PatLitKind::Bool(_) => self.mismatched_pattern(span, ty, "bool"),
            PatLitKind::Str(text) if ty == TypeId::STRING => PatternKind::Text(Arc::from(text.as_bytes())),
            PatLitKind::Str(_) => self.mismatched_pattern(span, ty, "string"),
            PatLitKind::Int { .. } => match self.pattern_number(literal, ty) {
                Some(value) => PatternKind::Const(value.low_word()),
                None => PatternKind::Any,
            },
        }
    }

    /// The value of an integer in a pattern for values of type `ty`; nothing if it is none of them.
    fn pattern_number(&mut self, literal: &PatLit, ty: TypeId) -> Option<Int> {
        let span = literal.span;
        let PatLitKind::Int { negative, value: lit } = &literal.kind else {
            self.mismatched_pattern(span, ty, "a literal that is no integer");
            return None;
        };
        let value = Int::new(*negative, lit.value);
        if ty == TypeId::ADDRESS && lit.address_digits().is_some() && !negative {
            self.int_literal(lit, false, span, Some(TypeId::ADDRESS));
            return Some(value);
        }
        if !self.is_int(ty) {
            self.mismatched_pattern(span, ty, "{int}");
            return None;
        }
        if let Some(suffix) = lit.suffix {
            let own = TypeId::int(IntType { signed: suffix.signed, bits: suffix.bits });
            if !self.unify(own, ty) {
                let shown = self.shown(own);
                self.mismatched_pattern(span, ty, &shown);
                return None;
            }
        }
        self.coerce_literal(value, ty, span);
        let fits = ty.as_int().is_none_or(|int| value.to_word(int).is_some());
        fits.then_some(value)
    }

    fn range_pattern(
        &mut self,
        (start, end, inclusive): (&PatLit, &PatLit, bool),
        ty: TypeId,
        span: Span,
    ) -> PatternKind {
        let (first, end) = (self.pattern_number(start, ty), self.pattern_number(end, ty));
        let (Some(first), Some(end)) = (first, end) else { return PatternKind::Any };
        let last = if inclusive { Some(end) } else { end.sub(Int::from_u64(1)) };
        match last {
            Some(last) if first <= last => {
                PatternKind::Range { first: first.low_word(), last: last.low_word() }
            }
            _ => {
                let text = self.shorten(span);
                self.diags().warning(Code::Unreachable, span).arg("what", format_args!("range `{text}`"));
                PatternKind::Or(Vec::new())
            }
        }
    }

    fn tuple_pattern(
        &mut self,
        parts: &'a [ast::Pattern],
        ty: TypeId,
        behind: Option<&Behind>,
        names: &mut Names,
        span: Span,
    ) -> PatternKind {
        let elements = match self.type_of(ty).clone() {
            Type::Tuple(elements) if elements.len() == parts.len() => elements,
            Type::Unit if parts.is_empty() => Vec::new(),
            Type::Error | Type::Never => vec![ty; parts.len()],
            _ => {
                self.mismatched_pattern(span, ty, &format!("a tuple of {}", parts.len()));
                vec![TypeId::ERROR; parts.len()]
            }
        };
        let part = |(at, (part, ty)): (usize, (&'a ast::Pattern, TypeId))| {
            let inner = behind.map(|behind| behind.part(PlaceStep::Field(at as u32), ty, part.span));
            self.pattern(part, ty, inner.as_ref(), names)
        };
        PatternKind::Tuple(parts.iter().zip(elements).enumerate().map(part).collect())
    }

    fn or_pattern(
        &mut self,
        parts: &'a [ast::Pattern],
        ty: TypeId,
        behind: Option<&Behind>,
        names: &mut Names,
    ) -> PatternKind {
        let Some((first, rest)) = parts.split_first() else { return PatternKind::Any };
        let start = names.bound.len();
        let mut patterns = vec![self.pattern(first, ty, behind, names)];
        for part in rest {
            // In an alternative of an alternative, the outermost names are still those to bind.
            let mine = names.bound[start..].to_vec();
            let mut inner = Names { expected: Some(mine.clone()), ..Names::default() };
            if let Some(outer) = &names.expected {
                inner.expected = Some([&mine[..], &outer[..]].concat());
            }
            patterns.push(self.pattern(part, ty, behind, &mut inner));
            names.moves = names.moves.or(inner.moves);
            for bound in &mine {
                if !inner.bound.iter().any(|other| other.name == bound.name) {
                    self.diags()
                        .error(Code::NotFound, part.span)
                        .arg("name", &bound.name)
                        .arg("hint", "; every alternative of a pattern binds the same names")
                        .secondary(bound.span, "bound here");
                }
            }
        }
        PatternKind::Or(patterns)
    }

    /// A name for a part.
    pub(super) fn bind_part(
        &mut self,
        name: &'a ast::Ident,
        mutable: bool,
        ty: TypeId,
        behind: Option<&Behind>,
        names: &mut Names,
    ) -> PatternKind {
        if names.bound.iter().any(|bound| bound.name == name.name) {
            let first = names.bound.iter().find(|bound| bound.name == name.name).map(|bound| bound.span);
            self.sema.already_defined(name, first.unwrap_or(name.span));
            return PatternKind::Any;
        }
        let copied = self.sema.types.is_copy(ty);
        let alias = behind.filter(|behind| behind.by_reference && behind.mutable || !copied);
        let mut bound = Bound { name: name.name.clone(), span: name.span, local: None, ty };
        if let Some(expected) = &names.expected {
            let known = expected.iter().find(|known| known.name == name.name).cloned();
            match known {
                Some(known) => {
                    if !self.unify(known.ty, ty) {
                        let shown = self.shown(ty);
                        self.mismatched_pattern(name.span, known.ty, &shown);
                    } else if alias.is_some() && ty != TypeId::ERROR {
                        let position = "alternatives of a pattern";
                        self.diags()
                            .error(Code::ReferenceNotAllowed, name.span)
                            .arg("position", position)
                            .label("this part is not copied, so its name is a reference");
                    }
                    bound.local = known.local;
                }
                None => {
                    self.diags()
                        .error(Code::NotFound, name.span)
                        .arg("name", &name.name)
                        .arg("hint", "; the alternative before does not bind it");
                    self.define_name(&name.name, name.span, LocalDef::Hole, false);
                }
            }
            names.bound.push(bound.clone());
            if !copied && behind.is_none() {
                names.moves = names.moves.or(Some(name.span));
            }
            return bound.local.map_or(PatternKind::Any, PatternKind::Bind);
        }
        let def = match ty {
            TypeId::ERROR => Some(LocalDef::Hole),
            TypeId::NEVER => Some(LocalDef::Never),
            _ => None,
        };
        let kind = match (def, alias) {
            (Some(def), _) => {
                self.define_name(&name.name, name.span, def, false);
                PatternKind::Any
            }
            (None, Some(behind)) => {
                if mutable {
                    self.diags()
                        .error(Code::ItemNotAllowed, name.span)
                        .arg("item", "mut")
                        .arg("place", "a name that is a reference");
                }
                let index = self.borrows.len();
                let (place, parent) = (behind.place.clone(), behind.through);
                self.borrows.push(Borrow { place, mutable: behind.mutable, parent, live: true });
                self.define_name(&name.name, name.span, LocalDef::Alias(index), false);
                PatternKind::Any
            }
            (None, None) => {
                if !copied {
                    names.moves = names.moves.or(Some(name.span));
                }
                let local = self.define_local(&name.name, name.span, ty, mutable, false);
                bound.local = Some(local);
                PatternKind::Bind(local)
            }
        };
        names.bound.push(bound);
        kind
    }

    /// Reports values that no pattern covers (K0213), and arms that nothing reaches (W0904). `guarded` says which arms
    /// have a guard.
    pub(super) fn check_coverage(
        &mut self,
        patterns: &[(&Pattern, bool)],
        ty: TypeId,
        subject: Span,
        whole: Span,
    ) {
        if ty == TypeId::ERROR || patterns.iter().any(|(pattern, _)| pattern.ty == TypeId::ERROR) {
            return;
        }
        let (types, inference) = (&self.sema.types, &self.inference);
        let mut coverage = Coverage::new(types, inference);
        let mut rows: Vec<&Pattern> = Vec::with_capacity(patterns.len());
        let mut unreachable = Vec::new();
        let mut repeated = Vec::new();
        for (pattern, guarded) in patterns {
            if let PatternKind::Or(parts) = &pattern.kind {
                let mut earlier = rows.clone();
                for part in parts {
                    if let Ok(false) = coverage.is_useful(&earlier, part) {
                        repeated.push(part.span);
                    }
                    earlier.push(part);
                }
            }
            // Past the bound, nothing is said.
            if let Ok(false) = coverage.is_useful(&rows, pattern)
                && !matches!(&pattern.kind, PatternKind::Or(parts) if parts.is_empty())
            {
                unreachable.push(pattern.span);
                repeated.retain(|part: &Span| part.start < pattern.span.start || part.end > pattern.span.end);
            }
            if !guarded {
                rows.push(pattern);
            }
        }
        let missing = Coverage::new(types, inference).missing(&rows, ty);
        for span in unreachable {
            self.diags().warning(Code::Unreachable, span).arg("what", "arm");
        }
        for span in repeated {
            self.diags().warning(Code::Unreachable, span).arg("what", "alternative");
        }
        match missing {
            Ok(missing) if missing.is_empty() => {}
            Ok(missing) => self.report_missing(missing, subject),
            Err(TooComplex) => {
                self.diags().error(Code::TooLarge, whole).arg("what", "the patterns of one `match`");
            }
        }
    }

    fn report_missing(&mut self, missing: Vec<String>, subject: Span) {
        let list: Vec<_> = missing.iter().map(|pattern| format!("`{pattern}`")).collect();
        self.diags()
            .error(Code::MatchNotExhaustive, subject)
            .arg("patterns", list.join(", "))
            .note("add an arm for what is missing, or `_ => …` for all of it");
    }

    /// Reports what a pattern that stands where every value shall match leaves over.
    pub(super) fn check_irrefutable(&mut self, pattern: &Pattern, ty: TypeId) {
        if ty == TypeId::ERROR {
            return;
        }
        if let Ok(missing) = Coverage::new(&self.sema.types, &self.inference).missing(&[pattern], ty)
            && !missing.is_empty()
        {
            let list: Vec<_> = missing.iter().map(|pattern| format!("`{pattern}`")).collect();
            self.diags()
                .error(Code::MatchNotExhaustive, pattern.span)
                .arg("patterns", list.join(", "))
                .label("`let` takes a pattern that every value matches; use `if let` or `match`");
        }
    }
}
