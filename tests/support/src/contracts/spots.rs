//! Places: what can be read, written or lent.

use super::items::Body;
use super::types::{Ty, U64};

/// How deep keys are nested before they are literals.
pub(super) const KEYS_MAX: usize = 2;

/// Something that can be read, written or borrowed.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    pub(super) text: String,
    pub(super) ty: Ty,
    pub(super) root: Root,
}

/// What a place is part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// The local of that number.
    Local(usize),
    /// Storage.
    State,
}

impl Body<'_> {
    /// The value of a place; what moves is copied.
    pub(super) fn read(&mut self, spot: &Spot) -> String {
        if spot.ty.is_copy() {
            return spot.text.clone();
        }
        let is_stored = match spot.root {
            Root::State => true,
            Root::Local(id) => self.scope.iter().any(|local| local.id == id && local.is_stored),
        };
        format!("{}.{}()", spot.text, if is_stored { "load" } else { "clone" })
    }

    /// A place of that type, reached from a local or a member.
    pub(super) fn spot(&mut self, ty: &Ty, is_written: bool) -> Option<Spot> {
        (0..16).find_map(|_| {
            let mut spot = self.root(is_written)?;
            for _ in 0..4 {
                if spot.ty == *ty {
                    return Some(spot);
                }
                spot = self.inner(spot)?;
            }
            None
        })
    }

    fn root(&mut self, is_written: bool) -> Option<Spot> {
        let members = if self.sees_state(is_written) { self.d.members.len() } else { 0 };
        let locals: Vec<usize> = (0..self.scope.len())
            .filter(|&n| !self.scope[n].is_hidden && (self.scope[n].is_mut || !is_written))
            .collect();
        let n = if members + locals.len() == 0 { return None } else { self.r.index(members + locals.len()) };
        if n < locals.len() {
            let local = &self.scope[locals[n]];
            let is_deref = local.is_ref && (local.ty.is_copy() || is_written);
            let text = if is_deref { format!("(*{})", local.name) } else { local.name.clone() };
            return Some(Spot { text, ty: local.ty.clone(), root: Root::Local(local.id) });
        }
        let member = &self.d.members[n - locals.len()];
        let mut text = member.path.clone();
        for key in &member.keys {
            let key = self.key(key);
            text = format!("{text}[{key}]");
        }
        Some(Spot { text, ty: member.ty.clone(), root: Root::State })
    }

    /// A key of a map: mostly a constant, so that entries meet.
    fn key(&mut self, ty: &Ty) -> String {
        if self.r.chance(30) && self.keys < KEYS_MAX {
            self.keys += 1;
            let key = self.expr(ty, 1);
            self.keys -= 1;
            return key;
        }
        match ty {
            Ty::Int { .. } => format!("{}{}", self.r.below(3), ty.name()),
            _ => {
                self.keys += KEYS_MAX;
                let key = self.literal(ty);
                self.keys -= KEYS_MAX;
                key
            }
        }
    }

    /// A part of a place.
    fn inner(&mut self, spot: Spot) -> Option<Spot> {
        let Spot { text, ty, root } = spot;
        let text = text.strip_prefix("(*").and_then(|rest| rest.strip_suffix(")")).unwrap_or(&text);
        if let Some(fields) = self.d.fields(&ty) {
            let f = self.r.index(fields.len());
            return Some(Spot { text: format!("{text}.f{f}"), ty: fields[f].clone(), root });
        }
        match &ty {
            Ty::Pair(pair) => {
                let f = self.r.index(2);
                let ty = if f == 0 { pair.0.clone() } else { pair.1.clone() };
                Some(Spot { text: format!("{text}.{f}"), ty, root })
            }
            Ty::List(inner) => {
                // Vectors that were never filled are many.
                if self.r.chance(92) {
                    return None;
                }
                let at = self.position(1);
                Some(Spot { text: format!("{text}[{at}]"), ty: (**inner).clone(), root })
            }
            Ty::Array(inner, length) => {
                let at = self.position(*length);
                Some(Spot { text: format!("{text}[{at}]"), ty: (**inner).clone(), root })
            }
            _ => None,
        }
    }

    /// An index, mostly below the length.
    fn position(&mut self, length: usize) -> String {
        let constant = self.r.index(length);
        let local = self.scope.iter().find(|local| local.ty == U64 && !local.is_hidden && !local.is_ref);
        match local.map(|local| local.name.clone()) {
            Some(name) if self.r.chance(40) => {
                let modulus = length + usize::from(self.r.chance(4));
                format!("{name} % {modulus}")
            }
            _ => format!("{constant}u64"),
        }
    }
}
