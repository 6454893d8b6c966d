//! What functions do beyond computing, and what follows from who calls whom.
//!
//! While a body is checked its [`Effects`] are noted; afterwards the call graph is ordered callees first
//! (recursion is reported, K0402), and one pass over that order says which functions write, which read, what
//! `view` forbids (K0405), who may use `msg.value` (K0407), and what nobody uses (W0901).

use std::collections::{BTreeSet, HashSet};

use super::Sema;
use super::attrs::allows;
use super::scope::ContractIndex;
use super::typed::{ErrorRef, EventId, FuncId, FunctionKind, ImmutableId, MemberId, Mutability};
use crate::diag::Code;
use crate::source::Span;

/// What the body of one function does, calls aside.
#[derive(Clone, Default)]
pub(super) struct Effects {
    /// Reads storage or a balance.
    pub(super) reads_state: bool,
    /// Writes and logs: how a message says it, and where.
    pub(super) writes: Vec<(String, Span)>,
    /// Uses of `msg.value`.
    pub(super) value_uses: Vec<Span>,
    /// Internal calls.
    pub(super) calls: Vec<(FuncId, Span)>,
    /// Events that it emits.
    pub(super) events: BTreeSet<EventId>,
    /// Errors that it can raise.
    pub(super) errors: BTreeSet<ErrorRef>,
    /// Immutables that it names.
    pub(super) immutables_read: BTreeSet<ImmutableId>,
    /// Contracts whose creation code it needs.
    pub(super) creates: Vec<(ContractIndex, Span)>,
    /// Loops without a static bound.
    pub(super) unbounded_loops: Vec<Span>,
    /// Calls that leave the contract.
    pub(super) sites: Vec<Span>,
    /// Internal calls while parts of storage are borrowed.
    pub(super) lent: Vec<Lent>,
    /// Calls of `delegate_call`.
    pub(super) delegate_calls: Vec<Span>,
    /// Low-level calls whose data are dropped.
    pub(super) dropped_data: Vec<Span>,
}

/// An internal call, and the parts of storage that are borrowed while it runs.
#[derive(Clone)]
pub(super) struct Lent {
    pub(super) callee: FuncId,
    pub(super) span: Span,
    pub(super) borrows: Vec<LentPlace>,
}

/// A borrowed part of storage.
#[derive(Clone)]
pub(super) struct LentPlace {
    pub(super) member: MemberId,
    pub(super) mutable: bool,
    pub(super) span: Span,
}

/// What a function does, calls included.
#[derive(Clone, Copy, Default)]
struct Total {
    reads: bool,
    writes: bool,
}

impl Sema<'_> {
    /// Everything that needs the whole call graph.
    pub(super) fn check_effects(&mut self) {
        let (order, cyclic) = self.callees_first();
        let totals = self.totals(&order);
        if !cyclic {
            self.check_lent(&order);
        }
        for &id in &order {
            self.check_view(id, &totals);
            self.warn_about_loops(id);
            self.check_low_level_calls(id);
        }
        for index in 0..self.contracts.len() {
            self.finish_contract(index, &totals, &order);
            self.contracts[index].typed.creates =
                self.created_by(index).into_iter().map(|made| made.0).collect();
            if !cyclic && !self.diags.has_errors() {
                self.plan_guards(index, &order, &|id| totals[id.index()].writes);
            }
        }
        self.check_creation_cycles();
        if !cyclic {
            let writes: Vec<bool> = totals.iter().map(|total| total.writes).collect();
            self.warn_about_handled_errors(&order, &writes);
        }
        if !cyclic {
            self.check_value_uses();
            self.check_immutables(&order);
        }
        self.warn_about_unused();
    }

    /// All functions, each after those that it calls, and whether some call each other in a circle.
    fn callees_first(&mut self) -> (Vec<FuncId>, bool) {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            New,
            Open,
            Done,
        }
        let count = self.signatures.len();
        let mut marks = vec![Mark::New; count];
        let mut order = Vec::with_capacity(count);
        let mut cycles: Vec<(Vec<FuncId>, Span)> = Vec::new();
        // An explicit stack: the depth of the graph is the source's choice.
        let mut path: Vec<(FuncId, usize)> = Vec::new();
        for start in (0..count).map(|index| FuncId(index as u32)) {
            if marks[start.index()] == Mark::New {
                marks[start.index()] = Mark::Open;
                path.push((start, 0));
            }
            while let Some((id, next)) = path.last_mut() {
                let Some(&(callee, span)) = self.signatures[id.index()].effects.calls.get(*next) else {
                    marks[id.index()] = Mark::Done;
                    order.push(*id);
                    path.pop();
                    continue;
                };
                *next += 1;
                match marks[callee.index()] {
                    Mark::New => {
                        marks[callee.index()] = Mark::Open;
                        path.push((callee, 0));
                    }
                    Mark::Open => {
                        let from = path
                            .iter()
                            .position(|step| step.0 == callee)
                            .expect("open functions are on the path");
                        cycles.push((path[from..].iter().map(|step| step.0).collect(), span));
                    }
                    Mark::Done => {}
                }
            }
        }
        let mut reported = HashSet::new();
        for (cycle, span) in &cycles {
            if !reported.insert(cycle[0]) {
                continue;
            }
            let names: Vec<_> =
                cycle.iter().chain(cycle.first()).map(|&id| self.signature(id).name.to_string()).collect();
            let text =
                if names.len() > 8 { names[..7].join(" → ") + " → …" } else { names.join(" → ") };
            self.diags.error(Code::Recursion, *span).arg("cycle", text).label("this call closes the circle");
        }
        (order, !cycles.is_empty())
    }

    fn totals(&self, order: &[FuncId]) -> Vec<Total> {
        let mut totals = vec![Total::default(); self.signatures.len()];
        for &id in order {
            let effects = &self.signature(id).effects;
            let mut total = Total { reads: effects.reads_state, writes: !effects.writes.is_empty() };
            for &(callee, _) in &effects.calls {
                total.reads |= totals[callee.index()].reads;
                total.writes |= totals[callee.index()].writes;
            }
            totals[id.index()] = total;
        }
        totals
    }

    fn check_view(&mut self, id: FuncId, totals: &[Total]) {
        let signature = &self.signatures[id.index()];
        let name = &signature.name;
        if signature.view {
            for (effect, span) in &signature.effects.writes {
                self.diags.error(Code::ViewHasEffect, *span).arg("f", name).arg("effect", effect);
            }
            for &(callee, span) in &signature.effects.calls {
                let called = &self.signatures[callee.index()];
                // A callee that is `view` itself has its own report.
                if totals[callee.index()].writes && !called.view {
                    self.diags
                        .error(Code::ViewHasEffect, span)
                        .arg("f", name)
                        .arg("effect", format_args!("calls `{}`", called.name))
                        .secondary(called.span, "this function is not free of effects");
                }
            }
        } else if signature.kind == FunctionKind::Contract
            && signature.is_pub
            && !signature.payable
            && !totals[id.index()].writes
            && !self.diags.has_errors()
        {
            self.diags.warning(Code::CouldBeView, signature.span).arg("f", name);
        }
        if signature.view && !totals[id.index()].reads {
            self.functions[id.index()].mutability = Mutability::Pure;
        }
    }

    fn warn_about_loops(&mut self, id: FuncId) {
        let signature = &self.signatures[id.index()];
        for &span in &signature.effects.unbounded_loops {
            self.diags.warning(Code::UnboundedLoop, span).arg("f", &signature.name);
        }
    }

    /// What low-level calls of a function must say, or are warned about.
    fn check_low_level_calls(&mut self, id: FuncId) {
        let signature = &self.signatures[id.index()];
        let name = &signature.name;
        if !signature.attrs.is_some_and(|attrs| allows(attrs, "delegatecall")) {
            for &span in &signature.effects.delegate_calls {
                self.diags.error(Code::DelegateCallNotAllowed, span).arg("f", name);
            }
        }
        for &span in &signature.effects.dropped_data {
            self.diags.warning(Code::CallDataNotDecoded, span);
        }
    }

    /// Functions that can run, their errors and events, and the mutability of entry points.
    fn finish_contract(&mut self, index: ContractIndex, totals: &[Total], order: &[FuncId]) {
        let contract = &self.contracts[index].typed;
        let roots = contract.entry_points.iter().map(|point| point.function);
        let special = [contract.constructor, contract.initializer, contract.receive, contract.fallback];
        let reachable = self.reachable(roots.chain(special.into_iter().flatten()));
        let mut errors: BTreeSet<ErrorRef> = contract.errors.iter().copied().collect();
        let mut events: BTreeSet<EventId> = contract.events.iter().copied().collect();
        for &id in &reachable {
            errors.extend(&self.signature(id).effects.errors);
            events.extend(&self.signature(id).effects.events);
        }
        let mut points = std::mem::take(&mut self.contracts[index].typed.entry_points);
        for point in &mut points {
            // A getter promises no more than solc's: constants and immutables, too, are `view` to those outside.
            point.mutability = match point.is_getter {
                true => Mutability::View,
                false => self.functions[point.function.index()].mutability,
            };
            debug_assert!(!totals.is_empty(), "an entry point is a function");
        }
        let contract = &mut self.contracts[index].typed;
        contract.entry_points = points;
        contract.functions = order.iter().copied().filter(|id| reachable.contains(id)).collect();
        contract.errors = errors.into_iter().collect();
        contract.events = events.into_iter().collect();
    }

    fn reachable(&self, roots: impl Iterator<Item = FuncId>) -> HashSet<FuncId> {
        let mut found = HashSet::new();
        let mut open: Vec<FuncId> = roots.collect();
        while let Some(id) = open.pop() {
            if found.insert(id) {
                open.extend(self.signature(id).effects.calls.iter().map(|call| call.0));
            }
        }
        found
    }

    /// `msg.value` is used only where some way in accepts value (K0407).
    fn check_value_uses(&mut self) {
        let is_entry = |id: &FuncId| {
            let signature = self.signature(*id);
            let declared = signature.is_pub && signature.kind == FunctionKind::Contract;
            declared
                || matches!(
                    signature.kind,
                    FunctionKind::Constructor
                        | FunctionKind::Initializer
                        | FunctionKind::Receive
                        | FunctionKind::Fallback
                )
        };
        let all = || (0..self.signatures.len()).map(|index| FuncId(index as u32));
        let paid = self.reachable(all().filter(is_entry).filter(|&id| self.signature(id).payable));
        let unpaid = self.reachable(all().filter(is_entry).filter(|&id| !self.signature(id).payable));
        let mut wrong = Vec::new();
        for id in all() {
            // A `pub` function answers for itself, also when a payable one calls it.
            let accused = if is_entry(&id) {
                !self.signature(id).payable
            } else {
                unpaid.contains(&id) && !paid.contains(&id)
            };
            if accused {
                wrong.extend(self.signature(id).effects.value_uses.iter().map(|&span| (id, span)));
            }
        }
        for (id, span) in wrong {
            let signature = &self.signatures[id.index()];
            self.diags
                .error(Code::ValueNotPayable, span)
                .arg("f", &signature.name)
                .secondary(signature.span, "not `payable`");
        }
    }

    /// Items that nothing refers to. Silent while there are errors: a mistyped use would count as none.
    fn warn_about_unused(&mut self) {
        if self.diags.has_errors() {
            return;
        }
        let mut unused: Vec<(&str, Span, String)> = Vec::new();
        for signature in &self.signatures {
            let internal =
                matches!(signature.kind, FunctionKind::Contract | FunctionKind::Free) && !signature.is_pub;
            if internal {
                unused.push(("function", signature.span, signature.name.to_string()));
            }
        }
        for constant in self.consts.iter().filter(|constant| !constant.is_pub) {
            unused.push(("constant", constant.ast.name.span, constant.ast.name.name.to_string()));
        }
        for contract in &self.contracts {
            for member in contract.typed.storage.iter().filter(|member| !member.is_pub) {
                unused.push(("member", member.span, member.name.clone()));
            }
            for immutable in contract.typed.immutables.iter().filter(|immutable| !immutable.is_pub) {
                unused.push(("member", immutable.span, immutable.name.clone()));
            }
        }
        for (name, span) in &self.modules[0].imports {
            unused.push(("import", *span, name.to_string()));
        }
        let is_used = |name: &str, span: &Span| self.used.contains(span) || self.test_words.contains(name);
        unused.retain(|(_, span, name)| !name.starts_with('_') && !is_used(name, span));
        for (what, span, name) in unused {
            self.diags.warning(Code::Unused, span).arg("what", what).arg("x", name);
        }
    }
}
