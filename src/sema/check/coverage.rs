//! Which values the patterns of a `match` leave over (K0213), and which arms none is left for (W0904).
//!
//! A table of patterns is taken apart column by column: for each way in which the first column's values can be made,
//! the rows that may match it go on with the parts of that value. The work is bounded, because patterns can be written
//! that need exponentially much; what is past the bound counts as covered by no pattern.

use alloy_primitives::U256;

use crate::sema::exact::Int;
use crate::sema::infer::Inference;
use crate::sema::typed::{Pattern, PatternKind};
use crate::sema::types::{IntType, Type, TypeId, Types};
use crate::source::Span;

/// Rows looked at, before the answer is given up.
const STEPS_MAX: usize = 4_000_000;
/// At most this many patterns are named.
const NAMED_MAX: usize = 4;

/// The answer would take too long.
pub(super) struct TooComplex;

/// Patterns that a table leaves over, each a list with one text for each column.
type Left = Vec<Vec<String>>;

/// The state of one question.
pub(super) struct Coverage<'t> {
    types: &'t Types,
    inference: &'t Inference,
    steps: usize,
    any: Pattern,
}

/// A way to make a value.
#[derive(Clone, PartialEq)]
enum Maker {
    /// The value of a variant or the only form of a tuple.
    Variant(u32),
    /// The numbers of a range, as [`key`] orders them.
    Range(U256, U256),
    Text(std::sync::Arc<[u8]>),
}

impl<'t> Coverage<'t> {
    pub(super) fn new(types: &'t Types, inference: &'t Inference) -> Coverage<'t> {
        let any = Pattern { kind: PatternKind::Any, ty: TypeId::ERROR, span: Span::default() };
        Coverage { types, inference, steps: 0, any }
    }

    /// Patterns for values of type `ty` that none of `rows` matches, at most a few; empty if there are none.
    pub(super) fn missing(&mut self, rows: &[&Pattern], ty: TypeId) -> Result<Vec<String>, TooComplex> {
        let any = self.any.clone();
        let rows = rows.iter().map(|&row| vec![row]).collect();
        let left = self.left(rows, vec![&any], vec![ty])?;
        Ok(left.into_iter().flatten().collect())
    }

    /// Whether some value matches `pattern` and none of `rows`.
    pub(super) fn is_useful(&mut self, rows: &[&Pattern], pattern: &Pattern) -> Result<bool, TooComplex> {
        let rows = rows.iter().map(|&row| vec![row]).collect();
        Ok(!self.left(rows, vec![pattern], vec![pattern.ty])?.is_empty())
    }

    /// What of the values that match `asked` is matched by no row.
    fn left<'p>(
        &mut self,
        rows: Vec<Vec<&'p Pattern>>,
        asked: Vec<&'p Pattern>,
        types: Vec<TypeId>,
    ) -> Result<Left, TooComplex> {
        self.steps += 1 + rows.len();
        if self.steps > STEPS_MAX {
            return Err(TooComplex);
        }
        let Some((&ty, _)) = types.split_first() else {
            return Ok(if rows.is_empty() { vec![Vec::new()] } else { Vec::new() });
        };
        if let PatternKind::Or(alternatives) = &asked[0].kind {
            let mut left = Vec::new();
            for alternative in alternatives {
                let asked = [&[alternative], &asked[1..]].concat();
                left.extend(self.left(rows.clone(), asked, types.clone())?);
                if left.len() >= NAMED_MAX {
                    break;
                }
            }
            return Ok(left);
        }
        let rows = flat(rows);
        let ty = self.inference.resolve(self.types, ty);
        let mut left = Left::new();
        self.steps += rows.len();
        let (makers, complete) = self.makers(&rows, asked[0], ty);
        for maker in &makers {
            self.steps += rows.len();
            let parts = self.parts(maker, ty);
            let own: Vec<_> =
                rows.iter().filter_map(|row| self.inside(row, maker, parts.len(), ty)).collect();
            let Some(own_asked) = self.inside(&asked, maker, parts.len(), ty) else { continue };
            let count = parts.len();
            let found = {
                // The wildcards that stand for parts live as long as the question.
                let any = self.any.clone();
                let own = own.into_iter().map(|row| filled(row, &any)).collect();
                self.left(own, filled(own_asked, &any), [&parts[..], &types[1..]].concat())?
            };
            for mut texts in found {
                let rest = texts.split_off(count);
                left.push([vec![self.name(maker, ty, &texts)], rest].concat());
            }
            if left.len() >= NAMED_MAX {
                return Ok(left);
            }
        }
        if !complete {
            // A value that no row names: rows with a wildcard go on.
            let others =
                rows.iter().filter(|row| is_wild(row[0])).map(|row| row[1..].to_vec()).collect::<Vec<_>>();
            let found = self.left(others, asked[1..].to_vec(), types[1..].to_vec())?;
            if let Some(rest) = found.into_iter().next() {
                for text in self.others(&makers, ty) {
                    left.push([vec![text], rest.clone()].concat());
                }
            }
        }
        Ok(left)
    }

    /// The ways to make a value that the column tells apart and `asked` allows, and whether there are no others.
    fn makers(&self, rows: &[Vec<&Pattern>], asked: &Pattern, ty: TypeId) -> (Vec<Maker>, bool) {
        let wild = is_wild(asked);
        let heads = || rows.iter().map(|row| row[0]).chain([asked]);
        if let PatternKind::Tuple(_) = asked.kind {
            return (vec![Maker::Variant(0)], true);
        }
        if let Type::Tuple(_) | Type::Unit = self.types.get(ty) {
            let split = heads().any(|head| matches!(head.kind, PatternKind::Tuple(_)));
            return (if split { vec![Maker::Variant(0)] } else { Vec::new() }, split);
        }
        let mut makers: Vec<Maker> = Vec::new();
        if let Some((low, high)) = self.domain(ty) {
            // Cut where a range begins or ends.
            let mut cuts: Vec<U256> = Vec::new();
            for head in heads() {
                if let Some((first, last)) = self.range(head, ty) {
                    cuts.push(first);
                    cuts.extend(last.checked_add(U256::from(1)));
                }
            }
            if cuts.is_empty() {
                return (Vec::new(), false);
            }
            cuts.push(low);
            cuts.sort_unstable();
            cuts.dedup();
            cuts.retain(|cut| *cut >= low && *cut <= high);
            for (index, &first) in cuts.iter().enumerate() {
                let last = cuts.get(index + 1).map_or(high, |next| *next - U256::from(1));
                let allowed = self.range(asked, ty).is_none_or(|(a, b)| first >= a && last <= b);
                if wild || allowed {
                    makers.push(Maker::Range(first, last));
                }
            }
            return (makers, true);
        }
        for head in heads() {
            let maker = match &head.kind {
                PatternKind::Variant { tag, .. } => Maker::Variant(*tag),
                PatternKind::Const(word) => Maker::Range(*word, *word),
                PatternKind::Text(bytes) => Maker::Text(bytes.clone()),
                _ => continue,
            };
            if (wild || std::ptr::eq(head, asked)) && !makers.contains(&maker) {
                makers.push(maker);
            }
        }
        let count = match self.types.get(ty) {
            Type::Enum(id) => self.types.enums[id.index()].variants.len(),
            _ => self.types.variants(ty).len(),
        };
        (makers.clone(), !wild || count > 0 && makers.len() == count)
    }

    /// The least and greatest key of an integer type, `bool` or `Address`.
    fn domain(&self, ty: TypeId) -> Option<(U256, U256)> {
        match *self.types.get(ty) {
            Type::Bool => Some((U256::ZERO, U256::from(1))),
            Type::Int(int) => Some((key(int.min_word(), int), key(int.max_word(), int))),
            Type::Address => Some((U256::ZERO, IntType::U160.max_word())),
            // One that is not known yet is taken to be the largest.
            Type::Infer(_) => Some((U256::ZERO, U256::MAX)),
            _ => None,
        }
    }

    fn range(&self, pattern: &Pattern, ty: TypeId) -> Option<(U256, U256)> {
        let int = ty.as_int().unwrap_or(IntType::U256);
        match pattern.kind {
            PatternKind::Const(word) => Some((key(word, int), key(word, int))),
            PatternKind::Range { first, last } => Some((key(first, int), key(last, int))),
            _ => None,
        }
    }

    /// The types of the parts of a value.
    fn parts(&self, maker: &Maker, ty: TypeId) -> Vec<TypeId> {
        match (self.types.get(ty), maker) {
            (Type::Tuple(elements), _) => elements.clone(),
            (_, Maker::Variant(tag)) => {
                let variants = self.types.variants(ty).into_iter();
                variants.filter(|variant| variant.0 == *tag).flat_map(|variant| variant.2).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A row for the values that `maker` makes, with the patterns of the parts in front; nothing if it matches none of
    /// them. A part that the row says nothing about is left out.
    fn inside<'p>(
        &self,
        row: &[&'p Pattern],
        maker: &Maker,
        count: usize,
        ty: TypeId,
    ) -> Option<Vec<Option<&'p Pattern>>> {
        let rest = row[1..].iter().map(|&pattern| Some(pattern));
        let parts: Vec<Option<&Pattern>> = match (&row[0].kind, maker) {
            (PatternKind::Any | PatternKind::Bind(_), _) => vec![None; count],
            (PatternKind::Tuple(parts), _) => parts.iter().map(Some).collect(),
            (PatternKind::Variant { tag, fields }, Maker::Variant(own)) if tag == own => {
                fields.iter().map(Some).collect()
            }
            (PatternKind::Text(text), Maker::Text(own)) if text == own => Vec::new(),
            (_, &Maker::Range(first, last)) => {
                let (low, high) = match self.domain(ty) {
                    Some(_) => self.range(row[0], ty)?,
                    None => match row[0].kind {
                        PatternKind::Const(word) => (word, word),
                        _ => return None,
                    },
                };
                if low > first || high < last {
                    return None;
                }
                Vec::new()
            }
            _ => return None,
        };
        (parts.len() == count).then(|| parts.into_iter().chain(rest).collect())
    }

    /// A value as a pattern shows it.
    fn name(&self, maker: &Maker, ty: TypeId, parts: &[String]) -> String {
        match (self.types.get(ty), maker) {
            (Type::Tuple(_), _) => format!("({})", parts.join(", ")),
            (Type::Unit, _) => "()".to_owned(),
            (Type::Bool, Maker::Range(first, _)) => (!first.is_zero()).to_string(),
            (Type::Enum(id), Maker::Range(word, _)) => {
                let def = &self.types.enums[id.index()];
                let variant = def.variants.iter().find(|variant| U256::from(variant.discriminant) == *word);
                variant.map_or_else(|| "_".to_owned(), |variant| format!("{}::{}", def.name, variant.name))
            }
            (Type::Address, _) => "_".to_owned(),
            (_, &Maker::Range(first, last)) => {
                let int = ty.as_int().unwrap_or(IntType::U256);
                if self.domain(ty) == Some((first, last)) || ty.as_int().is_none() {
                    return "_".to_owned();
                }
                let text = |at: U256| match key(at, int) {
                    word if word == int.max_word() && int.bits > 64 => format!("{int}::MAX"),
                    word if word == int.min_word() && int.bits > 64 && int.signed => format!("{int}::MIN"),
                    word => Int::from_word(word, int).to_string(),
                };
                if first == last { text(first) } else { format!("{}..={}", text(first), text(last)) }
            }
            (_, Maker::Variant(tag)) => {
                let name = self.types.variants(ty).into_iter().find(|variant| variant.0 == *tag);
                let name = name.map(|variant| variant.1).unwrap_or_default();
                if parts.is_empty() { name } else { format!("{name}({})", parts.join(", ")) }
            }
            (_, Maker::Text(_)) => "_".to_owned(),
        }
    }

    /// Names for the values that no maker of a column makes.
    fn others(&self, makers: &[Maker], ty: TypeId) -> Vec<String> {
        if makers.is_empty() {
            return vec!["_".to_owned()];
        }
        let all: Vec<Maker> = match self.types.get(ty) {
            Type::Enum(id) if self.types.enums[id.index()].is_payload_free() => {
                let words = self.types.enums[id.index()].variants.iter().map(|v| U256::from(v.discriminant));
                words.map(|word| Maker::Range(word, word)).collect()
            }
            _ => self.types.variants(ty).iter().map(|variant| Maker::Variant(variant.0)).collect(),
        };
        let missing = all.iter().filter(|maker| !makers.contains(maker));
        let names: Vec<_> = missing
            .take(NAMED_MAX)
            .map(|maker| self.name(maker, ty, &vec!["_".to_owned(); self.parts(maker, ty).len()]))
            .collect();
        if names.is_empty() { vec!["_".to_owned()] } else { names }
    }
}

/// A word such that the order of words is the order of the type's values.
fn key(word: U256, int: IntType) -> U256 {
    if int.signed { word ^ (U256::from(1) << 255) } else { word }
}

fn is_wild(pattern: &Pattern) -> bool {
    matches!(pattern.kind, PatternKind::Any | PatternKind::Bind(_))
}

/// Rows whose first pattern is not an alternative of others.
fn flat(rows: Vec<Vec<&Pattern>>) -> Vec<Vec<&Pattern>> {
    let mut out = Vec::with_capacity(rows.len());
    let mut open: Vec<Vec<&Pattern>> = rows.into_iter().rev().collect();
    while let Some(row) = open.pop() {
        match &row[0].kind {
            PatternKind::Or(alternatives) => {
                let rows = alternatives.iter().rev();
                open.extend(rows.map(|alternative| [&[alternative], &row[1..]].concat()));
            }
            _ => out.push(row),
        }
    }
    out
}

fn filled<'p>(row: Vec<Option<&'p Pattern>>, any: &'p Pattern) -> Vec<&'p Pattern> {
    row.into_iter().map(|pattern| pattern.unwrap_or(any)).collect()
}
