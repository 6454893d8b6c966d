//! `match` and patterns.
//!
//! Where the subject's first word decides (a tag, or a word compared with constants), a switch leads to the first arm
//! that may fit, and from there to the next one that may. Otherwise, and behind a guard that fails, the arms are tested
//! in order. Each arm's body exists once. A value in storage is loaded only as far as patterns ask, unless a guard may
//! change it in between.

use std::collections::BTreeMap;

use alloy_primitives::{U256, keccak256};

use super::function::Lower;
use super::storage::StoragePlace;
use super::values;
use crate::ir::{BlockId, Op, Value};
use crate::sema::typed::{Block, Expr, ExprKind, Match, Pattern, PatternKind, PlaceRoot};
use crate::sema::types::{Type, TypeId};
use crate::source::Span;

/// What a pattern looks at.
#[derive(Clone)]
pub(super) enum Subject {
    /// A value.
    Words(Vec<Value>),
    /// What lies in storage.
    Stored(StoragePlace),
}

/// From this many constants on, a switch is better than tests in order.
const SWITCH_CASES_MIN: usize = 3;

impl Lower<'_, '_> {
    /// `match`: the words of the value.
    pub(super) fn match_value(&mut self, matched: &Match, ty: TypeId, span: Span) -> Vec<Value> {
        let count = self.words(ty, span);
        let results: Vec<_> = (0..count).map(|_| self.b.declare_var()).collect();
        let join = self.b.create_block();
        self.match_arms(matched, &mut |lower, body| {
            let words = lower.block(body, ty);
            if lower.b.is_open() {
                for (&variable, &word) in results.iter().zip(&words) {
                    lower.b.def_var(variable, word);
                }
                lower.b.jump(join);
            }
        });
        self.b.seal_block(join);
        self.b.switch_to(join);
        results.into_iter().map(|variable| self.b.use_var(variable)).collect()
    }

    /// Tests the arms and runs `body` once for each; it ends its block.
    pub(super) fn match_arms(&mut self, matched: &Match, body: &mut dyn FnMut(&mut Self, &Block)) {
        let guarded = matched.arms.iter().any(|arm| arm.guard.is_some());
        let subject = self.subject(&matched.subject, guarded);
        let ty = matched.subject.ty;
        let count = matched.arms.len();
        // Where testing in order goes on with an arm, and where arms begin; those that something jumps to exist.
        let mut in_order: Vec<Option<BlockId>> = vec![None; count + 1];
        let mut starts: Vec<Option<BlockId>> = vec![None; count];
        if !self.switch_on(matched, ty, &subject, &mut in_order, &mut starts) {
            let first = self.block_at(&mut in_order, 0);
            self.b.jump(first);
        }
        for (index, arm) in matched.arms.iter().enumerate() {
            if let Some(block) = in_order[index] {
                self.b.seal_block(block);
                self.b.switch_to(block);
                self.b.set_span(arm.pattern.span);
                // Every value matches some arm, so the last one needs no test.
                let next = (index + 1 < count).then(|| self.b.create_block());
                self.test(&arm.pattern, &subject, next);
                let start = self.block_at(&mut starts, index);
                self.b.jump(start);
                if let Some(next) = next {
                    self.b.seal_block(next);
                    self.b.switch_to(next);
                    if !self.b.is_unreached(next) {
                        let after = self.block_at(&mut in_order, index + 1);
                        self.b.jump(after);
                    }
                }
            }
            let Some(start) = starts[index] else { continue };
            self.b.seal_block(start);
            self.b.switch_to(start);
            if let Some(guard) = &arm.guard {
                let (holds, after) = (self.b.create_block(), self.block_at(&mut in_order, index + 1));
                self.condition(guard, holds, after);
                self.b.seal_block(holds);
                self.b.switch_to(holds);
            }
            body(self, &arm.body);
        }
        if let Some(end) = in_order[count] {
            // The last arm has a guard only in a tree that checking refused.
            self.b.seal_block(end);
            self.b.switch_to(end);
            self.b.revert_empty();
        }
    }

    fn block_at(&mut self, blocks: &mut [Option<BlockId>], index: usize) -> BlockId {
        match blocks[index] {
            Some(block) => block,
            None => *blocks[index].insert(self.b.create_block()),
        }
    }

    /// What a `match` or `if let` looks at.
    pub(super) fn subject(&mut self, expr: &Expr, whole: bool) -> Subject {
        if let ExprKind::Load(place) = &expr.kind
            && !whole
            && !self.cx.program.types.is_word(expr.ty)
            && !matches!(place.root, PlaceRoot::Immutable(_))
        {
            let outer = self.b.span();
            self.b.set_span(expr.span);
            let lowered = self.place(place);
            let subject = match lowered {
                super::places::LoweredPlace::Storage(stored) => Subject::Stored(stored),
                other => Subject::Words(self.load(&other)),
            };
            self.b.set_span(outer);
            return subject;
        }
        Subject::Words(self.value(expr))
    }

    /// Leads to the arms by the first word, if that is worth it.
    fn switch_on(
        &mut self,
        matched: &Match,
        ty: TypeId,
        subject: &Subject,
        in_order: &mut [Option<BlockId>],
        starts: &mut [Option<BlockId>],
    ) -> bool {
        // For each constant, the arms that it may lead to, up to the first that asks nothing of the word.
        let mut cases: BTreeMap<U256, Vec<(usize, &Pattern)>> = BTreeMap::new();
        let mut open = matched.arms.len();
        for (index, arm) in matched.arms.iter().enumerate() {
            let alternatives = match &arm.pattern.kind {
                PatternKind::Or(parts) => &parts[..],
                _ => std::slice::from_ref(&arm.pattern),
            };
            let keys: Option<Vec<_>> = alternatives.iter().map(|part| Some((word_of(part)?, part))).collect();
            let Some(keys) = keys else {
                open = index;
                break;
            };
            for (key, part) in keys {
                cases.entry(key).or_default().push((index, part));
            }
        }
        if cases.len() < SWITCH_CASES_MIN && !(open == matched.arms.len() && cases.len() == 2) {
            return false;
        }
        let all = self.every_word(ty).is_some_and(|count| count == cases.len());
        let word = self.first_word(ty, subject);
        let blocks: Vec<_> = cases.keys().map(|&key| (key, self.b.create_block())).collect();
        let (tested, default) = if all {
            // No other word exists, so the last one needs no comparison.
            let last = blocks.len() - 1;
            (&blocks[..last], blocks[last].1)
        } else {
            (&blocks[..], self.block_at(in_order, open.min(matched.arms.len() - 1)))
        };
        self.b.switch(word, tested, default);
        for (&(_, block), arms) in blocks.iter().zip(cases.values()) {
            self.b.seal_block(block);
            self.b.switch_to(block);
            let mut done = false;
            for (index, part) in arms {
                let inner: &[Pattern] = match &part.kind {
                    PatternKind::Variant { fields, .. } => fields,
                    _ => &[],
                };
                let certain = inner.iter().all(Pattern::is_irrefutable);
                let next = (!certain).then(|| self.b.create_block());
                if let PatternKind::Variant { tag, fields } = &part.kind {
                    self.test_payload(ty, *tag, fields, subject, next, part.span);
                }
                let start = self.block_at(starts, *index);
                self.b.jump(start);
                match next {
                    Some(next) => {
                        self.b.seal_block(next);
                        self.b.switch_to(next);
                    }
                    None => {
                        done = true;
                        break;
                    }
                }
            }
            if !done {
                let after = self.block_at(in_order, open.min(matched.arms.len() - 1));
                self.b.jump(after);
            }
        }
        true
    }

    /// How many words can stand first, if they are those of tags.
    fn every_word(&self, ty: TypeId) -> Option<usize> {
        let types = &self.cx.program.types;
        match types.get(ty) {
            Type::Enum(id) => Some(types.enums[id.index()].variants.len()),
            Type::Bool => Some(2),
            _ => Some(types.variants(ty).len()).filter(|count| *count > 0),
        }
    }

    /// The tag of a value with variants, or the word that a value is.
    fn first_word(&mut self, ty: TypeId, subject: &Subject) -> Value {
        match subject {
            Subject::Words(words) => words.first().copied().unwrap_or_else(|| self.zero()),
            Subject::Stored(place) if self.cx.program.types.is_word(ty) => {
                let words = self.load_storage(place, self.b.span());
                self.fit(words, 1)[0]
            }
            Subject::Stored(place) => self.load_slot(place.slot, place.transient),
        }
    }

    /// The words of what a pattern looks at.
    fn subject_words(&mut self, ty: TypeId, subject: &Subject, span: Span) -> Vec<Value> {
        match subject {
            Subject::Words(words) => words.clone(),
            Subject::Stored(place) => {
                let words = self.load_storage(place, span);
                let count = self.words(ty, span);
                self.fit(words, count)
            }
        }
    }

    /// The parts of a tuple or payload of what a pattern looks at.
    fn subject_parts(
        &mut self,
        ty: TypeId,
        tag: Option<u32>,
        types: &[TypeId],
        subject: &Subject,
        span: Span,
    ) -> Vec<Subject> {
        match (subject, tag) {
            (Subject::Stored(place), Some(_)) => {
                let parts = (0..types.len() as u32).map(|field| self.payload_place(place, types, field));
                parts.flatten().map(Subject::Stored).collect()
            }
            (Subject::Stored(place), None) => {
                self.storage_fields(place, span).into_iter().map(|field| Subject::Stored(field.1)).collect()
            }
            (Subject::Words(words), _) => {
                let tagged = tag.is_some() && values::is_tagged(&self.cx.program.types, ty);
                let words = words.get(usize::from(tagged)..).unwrap_or_default().to_vec();
                let items = self.items_of(types.iter().copied(), &words);
                items.into_iter().map(|item| Subject::Words(item.1)).collect()
            }
        }
    }

    fn test_payload(
        &mut self,
        ty: TypeId,
        tag: u32,
        fields: &[Pattern],
        subject: &Subject,
        fail: Option<BlockId>,
        span: Span,
    ) {
        let variants = self.cx.program.types.variants(ty).into_iter();
        let types: Vec<TypeId> =
            variants.filter(|variant| variant.0 == tag).flat_map(|variant| variant.2).collect();
        let parts = self.subject_parts(ty, Some(tag), &types, subject, span);
        for (field, part) in fields.iter().zip(&parts) {
            self.test(field, part, fail);
        }
    }

    /// Goes on, with the names bound, if a value matches; else jumps to `fail`. Without `fail`, it is known to match.
    pub(super) fn test(&mut self, pattern: &Pattern, subject: &Subject, fail: Option<BlockId>) {
        let (ty, span) = (pattern.ty, pattern.span);
        match &pattern.kind {
            PatternKind::Any => {}
            PatternKind::Bind(local) => {
                let words = self.subject_words(ty, subject, span);
                for (variable, word) in self.local(*local).into_iter().zip(words) {
                    self.b.def_var(variable, word);
                }
            }
            PatternKind::Const(word) => {
                let Some(fail) = fail else { return };
                let found = self.first_word(ty, subject);
                let same = self.is_word_equal(found, *word);
                self.go_on_if(same, fail);
            }
            PatternKind::Range { first, last } => {
                let Some(fail) = fail else { return };
                let (first, last) = (*first, *last);
                let found = self.first_word(ty, subject);
                let int = ty.as_int();
                let signed = int.is_some_and(|int| int.signed);
                let (less, greater) = if signed { (Op::Slt, Op::Sgt) } else { (Op::Lt, Op::Gt) };
                for (op, bound, end) in [
                    (less, first, int.map(|int| int.min_word())),
                    (greater, last, int.map(|int| int.max_word())),
                ] {
                    if end == Some(bound) || end.is_none() && op == Op::Lt && bound.is_zero() {
                        continue;
                    }
                    let bound = self.b.iconst(bound);
                    let outside = self.b.binary(op, found, bound);
                    let inside = self.b.create_block();
                    self.b.br(outside, fail, inside);
                    self.b.seal_block(inside);
                    self.b.switch_to(inside);
                }
            }
            PatternKind::Text(text) => {
                let Some(fail) = fail else { return };
                let words = self.subject_words(ty, subject, span);
                let pointer = self.fit(words, 1)[0];
                let hash = self.hash_bytes(pointer);
                let expected = self.b.iconst(U256::from_be_bytes(keccak256(text).0));
                let same = self.b.binary(Op::Eq, hash, expected);
                self.go_on_if(same, fail);
            }
            PatternKind::Tuple(parts) => {
                let types = values::field_types(&self.cx.program.types, ty).unwrap_or_default();
                let subjects = self.subject_parts(ty, None, &types, subject, span);
                for (part, subject) in parts.iter().zip(&subjects) {
                    self.test(part, subject, fail);
                }
            }
            PatternKind::Variant { tag, fields } => {
                if let Some(fail) = fail
                    && values::is_tagged(&self.cx.program.types, ty)
                {
                    let found = self.first_word(ty, subject);
                    let same = match (self.every_word(ty), *tag) {
                        // One of two.
                        (Some(2), 1) => found,
                        _ => self.is_word_equal(found, U256::from(*tag)),
                    };
                    self.go_on_if(same, fail);
                }
                self.test_payload(ty, *tag, fields, subject, fail, span);
            }
            PatternKind::Or(alternatives) => {
                let matches = self.b.create_block();
                for (index, alternative) in alternatives.iter().enumerate() {
                    if index + 1 == alternatives.len() {
                        self.test(alternative, subject, fail);
                        self.b.jump(matches);
                        break;
                    }
                    let next = self.b.create_block();
                    self.test(alternative, subject, Some(next));
                    self.b.jump(matches);
                    self.b.seal_block(next);
                    self.b.switch_to(next);
                }
                if let (true, Some(fail)) = (alternatives.is_empty(), fail) {
                    self.b.jump(fail);
                }
                self.b.seal_block(matches);
                self.b.switch_to(matches);
            }
        }
    }

    fn is_word_equal(&mut self, found: Value, word: U256) -> Value {
        if word.is_zero() {
            return self.b.unary(Op::Iszero, found);
        }
        let word = self.b.iconst(word);
        self.b.binary(Op::Eq, found, word)
    }

    fn go_on_if(&mut self, holds: Value, fail: BlockId) {
        let good = self.b.create_block();
        self.b.br(holds, good, fail);
        self.b.seal_block(good);
        self.b.switch_to(good);
    }

    /// Whether a value matches, where that is not a condition: 0 or 1.
    pub(super) fn matches(&mut self, subject: &Expr, pattern: &Pattern) -> Value {
        let ty = pattern.ty;
        let whole = self.subject(subject, false);
        // The tag alone decides.
        if let PatternKind::Variant { tag, fields } = &pattern.kind
            && fields.iter().all(|field| matches!(field.kind, PatternKind::Any))
            && values::is_tagged(&self.cx.program.types, ty)
        {
            let found = self.first_word(ty, &whole);
            return match (self.every_word(ty), *tag) {
                (Some(2), 1) => found,
                _ => self.is_word_equal(found, U256::from(*tag)),
            };
        }
        let result = self.b.declare_var();
        let (fails, join) = (self.b.create_block(), self.b.create_block());
        self.test(pattern, &whole, Some(fails));
        let one = self.b.iconst_u64(1);
        self.b.def_var(result, one);
        self.b.jump(join);
        self.b.seal_block(fails);
        self.b.switch_to(fails);
        let zero = self.zero();
        self.b.def_var(result, zero);
        self.b.jump(join);
        self.b.seal_block(join);
        self.b.switch_to(join);
        self.b.use_var(result)
    }
}

/// The first word that a value has to have for a pattern to match, if there is one.
fn word_of(pattern: &Pattern) -> Option<U256> {
    match &pattern.kind {
        PatternKind::Const(word) => Some(*word),
        PatternKind::Variant { tag, .. } => Some(U256::from(*tag)),
        _ => None,
    }
}
