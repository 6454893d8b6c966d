//! Borrowed storage while functions run (§6.5, §6.6): what each function accesses, and which member each reference
//! parameter may refer to.
//!
//! A call counts as an access to every member that the callee accesses by name, its own callees included (K0305); and
//! storage that is borrowed to be changed is not borrowed while a call may leave the contract (K0501). What is reached
//! through a reference is the business of the call that passes it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Sema;
use super::typed::{Expr, ExprKind, FuncId, LocalId, MemberId, Place, PlaceRoot};
use super::visit::{Access, Visit, walk_expr, walk_place};
use crate::diag::Code;
use crate::source::Span;

/// What a function does to storage that others may have borrowed.
#[derive(Clone, Default)]
struct Summary {
    /// Members accessed by name, and whether one is written.
    members: BTreeMap<MemberId, bool>,
    /// A call that leaves the contract.
    site: Option<Span>,
}

/// Collects the members that one body names.
struct Named(BTreeMap<MemberId, bool>);

impl Visit for Named {
    fn place(&mut self, place: &Place, access: Access) {
        walk_place(self, place);
        if let PlaceRoot::Storage(member) = place.root {
            *self.0.entry(member).or_default() |= access != Access::Read;
        }
    }
}

/// The members that reference parameters may refer to, by the function and the parameter.
pub(super) type Bindings = HashMap<(FuncId, LocalId), BTreeSet<(MemberId, bool)>>;

/// Collects what the calls in one body pass.
struct Passed<'b> {
    function: FuncId,
    bindings: &'b mut Bindings,
}

impl Passed<'_> {
    fn argument(&mut self, callee: FuncId, index: usize, arg: &Expr) {
        match &arg.kind {
            ExprKind::Borrow { place, mutable } => {
                let found: BTreeSet<(MemberId, bool)> = match place.root {
                    PlaceRoot::Storage(member) => BTreeSet::from([(member, *mutable)]),
                    PlaceRoot::Reference(local) => {
                        let known = self.bindings.get(&(self.function, local)).into_iter().flatten();
                        known.map(|&(member, own)| (member, own && *mutable)).collect()
                    }
                    PlaceRoot::Local(_) | PlaceRoot::Immutable(_) => BTreeSet::new(),
                };
                self.bindings.entry((callee, LocalId(index as u32))).or_default().extend(found);
            }
            ExprKind::Block(block) => {
                if let Some(value) = &block.value {
                    self.argument(callee, index, value);
                }
            }
            _ => {}
        }
    }
}

impl Visit for Passed<'_> {
    fn expr(&mut self, expr: &Expr) {
        if let ExprKind::Call { function, args } = &expr.kind {
            for (index, arg) in args.iter().enumerate() {
                self.argument(*function, index, arg);
            }
        }
        walk_expr(self, expr);
    }
}

impl Sema<'_> {
    /// What the reference parameters of the functions of a contract may refer to, and whether it is to be changed.
    /// `order` lists callees before callers.
    pub(super) fn reference_bindings(&self, order: &[FuncId]) -> Bindings {
        let mut bindings = Bindings::new();
        for &function in order.iter().rev() {
            let mut passed = Passed { function, bindings: &mut bindings };
            passed.block(&self.functions[function.index()].body);
        }
        bindings
    }

    /// Checks every call that happens while storage is borrowed.
    pub(super) fn check_lent(&mut self, order: &[FuncId]) {
        let mut summaries: Vec<Summary> = vec![Summary::default(); self.signatures.len()];
        for &id in order {
            let mut named = Named(BTreeMap::new());
            named.block(&self.functions[id.index()].body);
            let effects = &self.signature(id).effects;
            let mut summary = Summary { members: named.0, site: effects.sites.first().copied() };
            for &(callee, _) in &effects.calls {
                let inner = &summaries[callee.index()];
                for (&member, &written) in &inner.members {
                    *summary.members.entry(member).or_default() |= written;
                }
                summary.site = summary.site.or(inner.site);
            }
            summaries[id.index()] = summary;
        }
        for &id in order {
            for lent in self.signature(id).effects.lent.clone() {
                let summary = &summaries[lent.callee.index()];
                let name = self.signature(lent.callee).name.clone();
                let conflict = lent.borrows.iter().find(|borrow| {
                    summary.members.get(&borrow.member).is_some_and(|&written| borrow.mutable || written)
                });
                if let Some(borrow) = conflict {
                    let text = self.member_text(id, borrow.member);
                    self.diags
                        .error(Code::CallAccessesBorrowed, lent.span)
                        .arg("f", &name)
                        .arg("resource", text)
                        .secondary(borrow.span, "borrowed here");
                }
                let changed = lent.borrows.iter().find(|borrow| borrow.mutable);
                if let (Some(borrow), Some(site)) = (changed, summary.site) {
                    let text = self.member_text(id, borrow.member);
                    self.diags
                        .error(Code::CallWhileBorrowed, lent.span)
                        .arg("place", text)
                        .label(format!("`{name}` calls another contract"))
                        .secondary(borrow.span, "the borrow starts here")
                        .secondary(site, "this call may re-enter the contract")
                        .note("copy the fields that you need into locals and end the borrow's block before the call");
                }
            }
        }
    }

    /// A member as the source of a function reaches it.
    fn member_text(&self, function: FuncId, member: MemberId) -> String {
        let Some(contract) = self.signature(function).contract else { return "storage".to_owned() };
        let member = &self.contracts[contract].typed.storage[member.index()];
        let space = match member.kind {
            super::typed::MemberKind::Transient => "transient",
            _ => "state",
        };
        format!("{space}.{}", member.name)
    }
}
