//! References as parameters: one instance of a function for each combination of places that its calls pass (§6).
//!
//! What lies in memory has no address of its own while it is in SSA variables, so it goes in as words and, behind `&mut`,
//! comes back as results, which the caller stores; nobody else can see it meanwhile, because it is borrowed. What lies in
//! storage is passed as its slot, and a word that shares its slot with others also as how far it is shifted.

use super::function::Lower;
use super::places::LoweredPlace;
use super::storage::{Part, Shift, StoragePlace};
use super::values;
use crate::ir::Value;
use crate::ir::build::Variable;
use crate::sema::typed::{self, Expr, ExprKind, FuncId, LocalId};
use crate::sema::types::{Type, TypeId, Types};
use crate::source::Span;

/// Where what a parameter refers to lies.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Location {
    /// In memory or variables; also a parameter that is no reference.
    Memory,
    /// In storage.
    Storage {
        /// In the transient space.
        transient: bool,
        /// A word that shares its slot.
        shared: bool,
    },
}

/// The locations of all parameters of a function; empty stands for [`Location::Memory`] alone.
pub(super) type Locations = Vec<Location>;

/// How many words a parameter is, and how many of them come back.
fn param_words(types: &Types, ty: TypeId, location: Location) -> (usize, usize) {
    let Type::Ref { mutable, target } = *types.get(ty) else {
        return (values::word_count(types, ty).unwrap_or(0), 0);
    };
    match location {
        Location::Memory => {
            let count = values::word_count(types, target).unwrap_or(0);
            (count, if mutable { count } else { 0 })
        }
        Location::Storage { shared, .. } => (1 + usize::from(shared), 0),
    }
}

/// The location of a parameter.
pub(super) fn location_of(locations: &[Location], index: usize) -> Location {
    locations.get(index).copied().unwrap_or(Location::Memory)
}

/// How many words the parameters of an instance are, and how many come back besides its result.
pub(super) fn instance_words(
    types: &Types,
    function: &typed::Function,
    locations: &[Location],
) -> (usize, usize) {
    let params = function.params().iter().enumerate();
    let each = params.map(|(index, param)| param_words(types, param.ty, location_of(locations, index)));
    each.fold((0, 0), |(all, back), (words, own)| (all + words, back + own))
}

impl Lower<'_, '_> {
    /// How many words a local of the instance at hand is.
    pub(super) fn local_words(&mut self, ty: TypeId, location: Location, span: Span) -> usize {
        match self.cx.program.types.get(ty) {
            Type::Ref { .. } => param_words(&self.cx.program.types, ty, location).0,
            _ => self.words(ty, span),
        }
    }

    /// What a reference parameter refers to.
    pub(super) fn referred(&mut self, local: LocalId) -> Option<(LoweredPlace, TypeId)> {
        let &Type::Ref { target, .. } = self.cx.program.types.get(self.local_type(local)) else {
            return None;
        };
        let variables = self.local(local);
        let place = match self.location(local) {
            Location::Memory => LoweredPlace::Local(variables),
            Location::Storage { transient, shared } => {
                let slot = self.b.use_var(*variables.first()?);
                let mut part = None;
                if shared {
                    let shift = Shift::Computed(self.b.use_var(*variables.get(1)?));
                    let size_bytes = self.cx.program.types.word_size_bytes(target)?;
                    part = Some(Part { shift, size_bytes });
                }
                LoweredPlace::Storage(StoragePlace { slot, transient, ty: target, part })
            }
        };
        Some((place, target))
    }

    /// Calls a function: the words of its result. What it changed through references is stored.
    pub(super) fn call(&mut self, function: FuncId, args: &[Expr], span: Span) -> Vec<Value> {
        let program = self.cx.program;
        let params = program.function(function).params();
        let mut words = Vec::new();
        let mut locations = Vec::new();
        let mut returned: Vec<(LoweredPlace, usize)> = Vec::new();
        for (arg, param) in args.iter().zip(params) {
            let &Type::Ref { mutable, target } = program.types.get(param.ty) else {
                words.extend(self.value_as(arg, param.ty));
                locations.push(Location::Memory);
                continue;
            };
            let Some(place) = self.reference(arg) else {
                // It never comes so far.
                let count = self.words(target, arg.span);
                words.extend(self.fit(Vec::new(), count));
                locations.push(Location::Memory);
                continue;
            };
            match place {
                LoweredPlace::Storage(stored) => {
                    words.push(stored.slot);
                    match stored.part {
                        Some(Part { shift: Shift::Constant(bits), .. }) => {
                            words.push(self.b.iconst_u64(bits.into()));
                        }
                        Some(Part { shift: Shift::Computed(bits), .. }) => words.push(bits),
                        None => {}
                    }
                    let (transient, shared) = (stored.transient, stored.part.is_some());
                    locations.push(Location::Storage { transient, shared });
                }
                place => {
                    let loaded = self.load(&place);
                    let count = self.words(target, arg.span);
                    words.extend(self.fit(loaded, count));
                    locations.push(Location::Memory);
                    if mutable {
                        returned.push((place, count));
                    }
                }
            }
        }
        if locations.iter().all(|location| *location == Location::Memory) {
            locations.clear();
        }
        let callee = self.cx.instance(function, locations);
        let declared = &self.cx.module.functions[callee.index()];
        let (count, results) = (declared.params().len(), declared.result_count);
        let words = self.fit(words, count);
        let mut found = self.locked_around(span, |lower| lower.b.icall(callee, &words, results));
        let back: usize = returned.iter().map(|(_, count)| count).sum();
        let mut changed = found.split_off(found.len().saturating_sub(back));
        for (place, count) in &returned {
            let rest = changed.split_off((*count).min(changed.len()));
            self.store(place, &changed);
            changed = rest;
        }
        found
    }

    /// The place that an argument lends; nothing if control does not come so far.
    fn reference(&mut self, arg: &Expr) -> Option<LoweredPlace> {
        let outer = self.b.span();
        self.b.set_span(arg.span);
        let place = match &arg.kind {
            ExprKind::Borrow { place, .. } => Some(self.place(place)),
            ExprKind::Block(block) => self.statements(block).and_then(|value| self.reference(value)),
            _ => {
                self.value(arg);
                None
            }
        };
        self.b.set_span(outer);
        place
    }

    /// Returns from the function, with what it changed through references behind its result.
    pub(super) fn ret(&mut self, words: &[Value]) {
        let mut all = words.to_vec();
        for variables in self.returned_variables() {
            all.extend(variables.into_iter().map(|variable: Variable| self.b.use_var(variable)));
        }
        self.b.ret(&all);
    }
}
