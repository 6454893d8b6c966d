//! Ownership of values in memory (§6): which locals, or fields of them, were moved away.
//!
//! A use by value moves a value whose type is not Copy; later use is K0301. What a branch moves counts after it
//! unless the branch never comes to its end; what a loop moves may not be there in its next round. Values are never
//! moved out of storage (K0306), out of elements or through references.

use std::collections::HashMap;

use crate::diag::Code;
use crate::sema::check::body::{Checker, Typed};
use crate::sema::typed::{ExprKind, LocalId, Place, PlaceRoot, PlaceStep};
use crate::sema::types::TypeId;
use crate::source::Span;

/// Places of locals whose values are gone, each with where they went.
#[derive(Clone, Default)]
pub(super) struct Moved {
    places: HashMap<(LocalId, Vec<u32>), Span>,
}

impl Moved {
    /// Notes that a place was moved, if one was.
    pub(super) fn take(&mut self, moved: Option<MovedPlace>) {
        if let Some((id, path, span)) = moved {
            self.places.insert((id, path), span);
        }
    }

    /// What was moved on one of two ways.
    pub(super) fn join(&mut self, other: Moved) {
        for (place, span) in other.places {
            self.places.entry(place).or_insert(span);
        }
    }
}

/// A place that was moved: the local, the fields on the way, and where it went.
pub(super) type MovedPlace = (LocalId, Vec<u32>, Span);

/// What is moved where control leaves the body of a loop before its end.
#[derive(Default)]
pub(super) struct LeftRounds {
    /// By `continue`.
    again: Moved,
    /// By `break`.
    after: Moved,
}

/// The path of fields from a local to a place, and whether the place is beyond it: an element, or behind a reference.
pub(super) fn path_of(place: &Place) -> Option<(LocalId, Vec<u32>, bool)> {
    let PlaceRoot::Local(id) = place.root else { return None };
    let mut path = Vec::new();
    for step in &place.steps {
        match step {
            PlaceStep::Field(index) => path.push(*index),
            PlaceStep::Index(_) | PlaceStep::MapKey(_) | PlaceStep::Payload { .. } => {
                return Some((id, path, true));
            }
        }
    }
    Some((id, path, false))
}

impl<'a> Checker<'_, 'a> {
    /// Reports the use of a place that was moved, or of which a part was.
    pub(super) fn check_not_moved(&mut self, place: &Place) {
        let Some((id, path, _)) = path_of(place) else { return };
        let moved =
            self.moved.places.iter().find(|((other, gone), _)| {
                *other == id && (gone.starts_with(&path) || path.starts_with(gone))
            });
        if let Some((_, &span)) = moved {
            // The local, or the field that is gone.
            let whole = self.locals[id.index()].name.clone();
            let part = self.shorten(span);
            let name = if part.starts_with(&format!("{whole}.")) { part } else { whole };
            self.report_moved(&name, place.span, span);
        }
    }

    fn report_moved(&mut self, name: &str, used: Span, moved: Span) {
        self.diags().error(Code::UseAfterMove, used).arg("x", name).secondary(moved, "moved here");
    }

    /// A use by value: moves what is not Copy.
    pub(super) fn take(&mut self, typed: Typed) -> Typed {
        let ExprKind::Load(place) = &typed.expr.kind else { return typed };
        let behind = matches!(place.root, PlaceRoot::Reference(_));
        let ty = self.resolved(typed.ty());
        if ty == TypeId::ERROR || self.sema.types.is_copy(ty) {
            return typed;
        }
        let span = place.span;
        match path_of(place) {
            Some((id, path, false)) if typed.through.is_none() => {
                // What is lent stays.
                if self.check_borrows(place, None, true) {
                    self.moved.places.insert((id, path), span);
                }
                typed
            }
            found if found.is_some() || behind => {
                let what = if typed.through.is_some() { "behind a reference" } else { "an element" };
                let (text, end) = (self.shorten(span), Span::at(span.end));
                self.diags()
                    .error(Code::MoveOutOfBorrowed, span)
                    .arg("place", text)
                    .arg("what", what)
                    .fix(end, ".clone()", "copy it");
                Typed::hole(span)
            }
            _ => {
                let text = self.shorten(span);
                let end = Span::at(span.end);
                self.diags().error(Code::StorageNotCopied, span).arg("place", text).fix(
                    end,
                    ".load()",
                    "copy it to memory",
                );
                Typed::hole(span)
            }
        }
    }

    /// An assignment gives a place a value again.
    pub(super) fn give_back(&mut self, place: &Place) {
        if let Some((id, path, false)) = path_of(place) {
            self.moved.places.retain(|(other, gone), _| *other != id || !gone.starts_with(&path));
        }
        self.check_not_moved(place);
    }

    /// Ends a branch: what is moved becomes what was before it; what the branch leaves moved, if control comes to its
    /// end.
    pub(super) fn end_branch(&mut self, ty: TypeId, before: Moved) -> Option<Moved> {
        let moved = std::mem::replace(&mut self.moved, before);
        (ty != TypeId::NEVER).then_some(moved)
    }

    /// Joins the branch at hand, which ends with `ty`, with the others.
    pub(super) fn join_branch(&mut self, ty: TypeId, others: Option<Moved>) {
        match others {
            Some(others) if ty == TypeId::NEVER => self.moved = others,
            Some(others) => self.moved.join(others),
            None => {}
        }
    }

    /// Notes what is moved where control leaves a loop, or a round of it for the next one.
    pub(super) fn leave_round(&mut self, ends_loop: bool) {
        let moved = self.moved.clone();
        if let Some(left) = self.left_rounds.last_mut() {
            if ends_loop { left.after.join(moved) } else { left.again.join(moved) }
        }
    }

    /// Reports what was moved since `before` out of the locals below `known`: it happens again in the next round.
    pub(super) fn report_repeated_moves(&mut self, before: &Moved, known: usize) {
        let moved = self.moved.places.iter();
        let again = moved.filter(|(place, _)| place.0.index() < known && !before.places.contains_key(*place));
        let again: Vec<_> = again.map(|(place, &span)| (place.0, span)).collect();
        for (id, span) in again {
            let name = self.locals[id.index()].name.clone();
            self.diags()
                .error(Code::UseAfterMove, span)
                .arg("x", name)
                .label("moved here in an earlier round of the loop");
        }
    }

    /// Reports what a guard moved since `before` out of the locals below `known`.
    pub(super) fn report_moves_in_guard(&mut self, before: &Moved, known: usize) {
        let moved = self.moved.places.iter();
        let new = moved.filter(|(place, _)| place.0.index() < known && !before.places.contains_key(*place));
        let new: Vec<_> = new.map(|(place, &span)| (place.0, span)).collect();
        for (id, span) in new {
            let name = self.locals[id.index()].name.clone();
            self.diags()
                .error(Code::UseAfterMove, span)
                .arg("x", name)
                .label("moved by a guard, whose arm may not be taken");
        }
    }

    /// Checks the body of a loop: what it moves is gone in the next round.
    ///
    /// Locals from `known` on are bound in each round.
    pub(super) fn in_loop<T>(&mut self, known: usize, body: impl FnOnce(&mut Self) -> (T, bool)) -> T {
        let before = self.moved.clone();
        self.left_rounds.push(LeftRounds::default());
        let (result, diverges) = body(self);
        let left = self.left_rounds.pop().unwrap_or_default();
        if diverges {
            self.moved = before.clone();
        }
        self.moved.join(left.again);
        self.report_repeated_moves(&before, known);
        self.moved.join(left.after);
        result
    }
}
