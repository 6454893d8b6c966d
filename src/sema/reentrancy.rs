//! The re-entrancy rule (§11): which calls are unsettled, which entry points lock, and which check.
//!
//! The bodies of a contract become one graph of events: accesses to resources, and call sites. A forward pass over the
//! part that an entry point reaches says what may have been accessed and written before each site, a backward pass
//! whether anything is accessed after it. Calls of internal functions are edges into one copy of the callee, so a path may
//! seem to return to another caller than it came from: that refuses more than the rule asks, never less.
//!
//! A function without effects may run in a static frame, where the lock cannot be taken. Its sites are static; the call of
//! such a function in one with effects stands for them, and is what the lock is held around.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::Sema;
use super::attrs::allows;
use super::lent::Bindings;
use super::scope::ContractIndex;
use super::typed::{
    CallOption, CreateOption, Env, Expr, ExprKind, FuncId, FunctionKind, Guards, LocalId, Place, PlaceRoot,
    Query, RawCallKind, Stmt, StmtKind,
};
use super::visit::{Access, Visit, walk_expr, walk_place, walk_revert, walk_stmt};
use crate::diag::Code;
use crate::source::Span;

/// A root resource: a member by its number, or the balance.
type Resource = u32;

/// The pseudo-resource that the native balance is.
const BALANCE: Resource = u32::MAX;

/// What happens at a node.
#[derive(Clone, Copy, Debug)]
enum Event {
    Nothing,
    Access {
        resource: Resource,
        write: bool,
    },
    /// Any resource may be read and written: code of another contract runs with this one's storage.
    Everything,
    Site {
        span: Span,
        is_static: bool,
        sends_value: bool,
    },
    Call {
        function: FuncId,
        span: Span,
    },
}

#[derive(Debug)]
struct Node {
    event: Event,
    successors: Vec<usize>,
}

/// The events of one function; node 0 is its entry, node 1 its end.
#[derive(Debug)]
struct Graph {
    nodes: Vec<Node>,
}

const ENTRY: usize = 0;
const END: usize = 1;

/// What an entry point does to resources, calls included.
#[derive(Clone, Debug, Default)]
struct Summary {
    reads: BTreeSet<Resource>,
    writes: BTreeSet<Resource>,
    has_sites: bool,
}

/// A site as one entry point sees it.
struct SiteView {
    span: Span,
    is_static: bool,
    /// H.
    shared: BTreeSet<Resource>,
    /// HW.
    exclusive: BTreeSet<Resource>,
}

impl Sema<'_> {
    /// Decides the guards of a contract. `order` lists callees before callers; `has_effects` says which functions may not run
    /// in a static frame.
    pub(super) fn plan_guards(
        &mut self,
        contract: ContractIndex,
        order: &[FuncId],
        has_effects: &dyn Fn(FuncId) -> bool,
    ) {
        let typed = &self.contracts[contract].typed;
        let everything: BTreeSet<Resource> = (0..typed.storage.len() as Resource).chain([BALANCE]).collect();
        let members: HashSet<FuncId> = typed.functions.iter().copied().collect();
        let bindings = self.reference_bindings(&typed.functions);
        // What is changed through a reference is an effect of the function that has it.
        let changes = |id: FuncId| {
            let mut params = 0..self.functions[id.index()].param_count;
            params.any(|param| {
                let bound = bindings.get(&(id, LocalId(param)));
                bound.is_some_and(|bound| bound.iter().any(|&(_, mutable)| mutable))
            })
        };
        let has_effects = &|id: FuncId| has_effects(id) || changes(id);
        let mut graphs: HashMap<FuncId, Graph> = HashMap::new();
        let mut summaries: HashMap<FuncId, Summary> = HashMap::new();
        let mut called = HashSet::new();
        // Tests run outside the contract's rules: they have no part in what it does against others.
        let is_test = |id: &FuncId| self.signature(*id).kind == FunctionKind::Test;
        for &id in order.iter().filter(|id| members.contains(id) && !is_test(id)) {
            let graph = Builder::graph(id, &bindings, &self.functions[id.index()].body);
            let mut summary = Summary::default();
            for node in &graph.nodes {
                match node.event {
                    Event::Access { resource, write: false } => drop(summary.reads.insert(resource)),
                    Event::Access { resource, write: true } => drop(summary.writes.insert(resource)),
                    Event::Everything => {
                        summary.reads.extend(&everything);
                        summary.writes.extend(&everything);
                    }
                    Event::Site { .. } => summary.has_sites = true,
                    Event::Call { function, .. } => {
                        called.insert(function);
                        if let Some(callee) = summaries.get(&function) {
                            summary.reads.extend(&callee.reads);
                            summary.writes.extend(&callee.writes);
                            summary.has_sites |= callee.has_sites;
                        }
                    }
                    Event::Nothing => {}
                }
            }
            summaries.insert(id, summary);
            graphs.insert(id, graph);
        }
        let points = typed.entry_points.iter().map(|point| point.function);
        let entries = points.chain(typed.receive).chain(typed.fallback).filter(|id| !is_test(id));
        let entries: Vec<FuncId> = entries.collect();
        let is_payable = |id: FuncId| self.signature(id).payable;
        let has_attr = |id: FuncId, name| {
            self.signature(id)
                .attrs
                .is_some_and(|attrs: &crate::syntax::ast::Attrs| attrs.find(name).is_some())
        };
        for &id in entries.iter().filter(|&&id| is_payable(id)) {
            summaries.entry(id).or_default().writes.insert(BALANCE);
        }
        let may_lock = |id: FuncId| has_effects(id) || is_payable(id) && !called.contains(&id);

        let mut guards = Guards::default();
        let mut views: Vec<(FuncId, Vec<Span>, Vec<SiteView>)> = Vec::new();
        for &id in entries.iter().filter(|&&id| may_lock(id) && summaries[&id].has_sites) {
            let super_graph = SuperGraph::of(id, &graphs, &summaries, has_effects);
            let (all, unsettled) = super_graph.sites(is_payable(id), &everything);
            if has_attr(id, "nonreentrant") {
                guards.locked.extend(&all);
            }
            let conflicts =
                |site: &SiteView| entries.iter().any(|other| conflict(&summaries[other], site).is_some());
            guards.locked.extend(unsettled.iter().filter(|site| conflicts(site)).map(|site| site.span));
            views.push((id, all, unsettled));
        }
        // A site in a function that several entry points reach is locked in all of them.
        for (id, all, _) in &views {
            if let Some(&first) = all.iter().find(|span| guards.locked.contains(span)) {
                guards.locks.insert(*id, first);
            }
        }
        let mut warnings = Vec::new();
        for &id in &entries {
            let locking = views.iter().filter(|view| guards.locks.contains_key(&view.0));
            let mut sites = locking.flat_map(|view| &view.2);
            let refused = sites.find_map(|site| Some((conflict(&summaries[&id], site)?, site.span)));
            let checks = refused.is_some() || guards.locks.contains_key(&id) || has_attr(id, "nonreentrant");
            if has_attr(id, "reentrant") {
                guards.nested |= guards.locks.contains_key(&id);
                warnings.extend(refused.map(|(resource, site)| (id, resource, site)));
            } else if checks {
                guards.checks.insert(id);
            }
        }
        for (id, resource, site) in warnings {
            let signature = &self.signatures[id.index()];
            if signature.attrs.is_some_and(|attrs| allows(attrs, "W0905")) {
                continue;
            }
            let members = &self.contracts[contract].typed.storage;
            let name = match members.get(resource as usize) {
                Some(member) => member.name.clone(),
                None => "balance".to_owned(),
            };
            let declared = signature.span;
            self.diags
                .warning(Code::ReentrantObserves, site)
                .arg("f", &signature.name)
                .arg("resource", name)
                .secondary(declared, "entered again here");
        }
        self.contracts[contract].typed.guards = guards;
    }
}

/// The resource because of which an entry point may not run while another is suspended at a site.
fn conflict(entry: &Summary, site: &SiteView) -> Option<Resource> {
    let read = entry.reads.intersection(&site.exclusive).next();
    let written = entry.writes.intersection(&site.shared).next().filter(|_| !site.is_static);
    read.or(written).copied()
}

/// The functions that one entry point reaches, as one graph.
struct SuperGraph {
    nodes: Vec<Node>,
    start: usize,
}

impl SuperGraph {
    fn of(
        entry: FuncId,
        graphs: &HashMap<FuncId, Graph>,
        summaries: &HashMap<FuncId, Summary>,
        has_effects: &dyn Fn(FuncId) -> bool,
    ) -> SuperGraph {
        // The functions with a copy of their own, and where it begins.
        let mut bases: HashMap<FuncId, usize> = HashMap::new();
        let mut nodes: Vec<Node> = Vec::new();
        let mut work = vec![entry];
        while let Some(id) = work.pop() {
            if bases.contains_key(&id) {
                continue;
            }
            let base = nodes.len();
            bases.insert(id, base);
            for node in &graphs[&id].nodes {
                let successors = node.successors.iter().map(|next| base + next).collect();
                nodes.push(Node { event: node.event, successors });
                if let Event::Call { function, .. } = node.event
                    && has_effects(function)
                    && graphs.contains_key(&function)
                {
                    work.push(function);
                }
            }
        }
        for at in 0..nodes.len() {
            let Event::Call { function, span } = nodes[at].event else { continue };
            let after = std::mem::take(&mut nodes[at].successors);
            if let Some(&base) = bases.get(&function) {
                nodes[at] = Node { event: Event::Nothing, successors: vec![base + ENTRY] };
                nodes[base + END].successors.extend(after);
                continue;
            }
            // Without effects: what it reads, its calls together, and again what it reads.
            let Some(summary) = summaries.get(&function) else {
                nodes[at] = Node { event: Event::Nothing, successors: after };
                continue;
            };
            let mut events: Vec<Event> = Vec::new();
            let reads = || summary.reads.iter().map(|&resource| Event::Access { resource, write: false });
            events.extend(reads());
            if summary.has_sites {
                events.push(Event::Site { span, is_static: true, sends_value: false });
                events.extend(reads());
            }
            let mut last = at;
            nodes[at].event = Event::Nothing;
            for event in events {
                nodes.push(Node { event, successors: Vec::new() });
                let next = nodes.len() - 1;
                nodes[last].successors = vec![next];
                last = next;
            }
            nodes[last].successors = after;
        }
        SuperGraph { nodes, start: bases[&entry] + ENTRY }
    }

    /// All sites that are reached, in order of their place, and the unsettled ones among them.
    fn sites(&self, payable: bool, everything: &BTreeSet<Resource>) -> (Vec<Span>, Vec<SiteView>) {
        #[derive(Clone, Default, PartialEq)]
        struct Before {
            accessed: BTreeSet<Resource>,
            written: BTreeSet<Resource>,
            sent: bool,
        }
        let mut before: Vec<Option<Before>> = vec![None; self.nodes.len()];
        before[self.start] = Some(Before::default());
        let mut work = vec![self.start];
        while let Some(at) = work.pop() {
            let mut state = before[at].clone().unwrap_or_default();
            match self.nodes[at].event {
                Event::Access { resource, write } => {
                    state.accessed.insert(resource);
                    if write {
                        state.written.insert(resource);
                    }
                }
                Event::Everything => {
                    state.accessed.extend(everything);
                    state.written.extend(everything);
                }
                Event::Site { sends_value, .. } => state.sent |= sends_value,
                Event::Nothing | Event::Call { .. } => {}
            }
            for &next in &self.nodes[at].successors {
                let mut merged = before[next].clone().unwrap_or_default();
                merged.accessed.extend(&state.accessed);
                merged.written.extend(&state.written);
                merged.sent |= state.sent;
                if before[next].as_ref() != Some(&merged) {
                    before[next] = Some(merged);
                    work.push(next);
                }
            }
        }
        let leads_to_access = self.leads_to_access();
        let (mut all, mut unsettled) = (BTreeSet::new(), Vec::new());
        for (at, node) in self.nodes.iter().enumerate() {
            let (Event::Site { span, is_static, sends_value }, Some(state)) = (node.event, &before[at])
            else {
                continue;
            };
            all.insert(span);
            if node.successors.iter().any(|&next| leads_to_access[next]) {
                let mut exclusive = state.written.clone();
                if payable || sends_value || state.sent {
                    exclusive.insert(BALANCE);
                }
                unsettled.push(SiteView { span, is_static, shared: state.accessed.clone(), exclusive });
            }
        }
        (all.into_iter().collect(), unsettled)
    }

    /// For each node, whether it or one that may follow accesses a resource.
    fn leads_to_access(&self) -> Vec<bool> {
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate() {
            node.successors.iter().for_each(|&next| before[next].push(at));
        }
        let is_access = |node: &Node| matches!(node.event, Event::Access { .. } | Event::Everything);
        let mut leads: Vec<bool> = self.nodes.iter().map(is_access).collect();
        let mut work: Vec<usize> = (0..self.nodes.len()).filter(|&at| leads[at]).collect();
        while let Some(at) = work.pop() {
            for &earlier in &before[at] {
                if !std::mem::replace(&mut leads[earlier], true) {
                    work.push(earlier);
                }
            }
        }
        leads
    }
}

/// Makes the graph of one body.
struct Builder<'b> {
    function: FuncId,
    bindings: &'b Bindings,
    nodes: Vec<Node>,
    current: usize,
    /// Where `continue` and `break` of each loop lead.
    loops: Vec<(usize, usize)>,
}

impl Builder<'_> {
    fn graph(function: FuncId, bindings: &Bindings, body: &super::typed::Block) -> Graph {
        let mut builder =
            Builder { function, bindings, nodes: Vec::new(), current: ENTRY, loops: Vec::new() };
        builder.node(Event::Nothing);
        builder.node(Event::Nothing);
        builder.block(body);
        builder.edge_to(END);
        Graph { nodes: builder.nodes }
    }

    fn node(&mut self, event: Event) -> usize {
        self.nodes.push(Node { event, successors: Vec::new() });
        self.nodes.len() - 1
    }

    fn edge_to(&mut self, next: usize) {
        self.nodes[self.current].successors.push(next);
    }

    fn go_to(&mut self, next: usize) {
        self.edge_to(next);
        self.current = next;
    }

    fn event(&mut self, event: Event) {
        let next = self.node(event);
        self.go_to(next);
    }

    /// What follows is not reached from here.
    fn stop(&mut self) {
        self.current = self.node(Event::Nothing);
    }

    fn looped(&mut self, header: impl FnOnce(&mut Self), body: &super::typed::Block) {
        let (head, after) = (self.node(Event::Nothing), self.node(Event::Nothing));
        self.go_to(head);
        header(self);
        self.edge_to(after);
        self.loops.push((head, after));
        self.block(body);
        self.loops.pop();
        self.edge_to(head);
        self.current = after;
    }
}

impl Visit for Builder<'_> {
    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::While { cond, body, .. } => self.looped(|builder| builder.expr(cond), body),
            StmtKind::ForRange { start, end, body, .. } => {
                self.expr(start);
                self.expr(end);
                self.looped(|_| {}, body);
            }
            _ => walk_stmt(self, stmt),
        }
    }

    fn place(&mut self, place: &Place, access: Access) {
        walk_place(self, place);
        let members: Vec<Resource> = match place.root {
            PlaceRoot::Storage(member) => vec![member.0],
            PlaceRoot::Reference(local) => {
                let bound = self.bindings.get(&(self.function, local)).into_iter().flatten();
                bound.map(|&(member, _)| member.0).collect()
            }
            PlaceRoot::Local(_) | PlaceRoot::Immutable(_) => return,
        };
        for resource in members {
            if access != Access::Write {
                self.event(Event::Access { resource, write: false });
            }
            if access != Access::Read {
                self.event(Event::Access { resource, write: true });
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            // What the callee does with it is an access of the callee.
            ExprKind::Borrow { place, .. } => walk_place(self, place),
            ExprKind::Call { function, .. } => {
                walk_expr(self, expr);
                self.event(Event::Call { function: *function, span: expr.span });
                // The node after a call, where its end leads.
                self.event(Event::Nothing);
            }
            ExprKind::External(call) => {
                walk_expr(self, expr);
                let sends_value = call.options.iter().any(|option| option.0 == CallOption::Value);
                self.event(Event::Site { span: expr.span, is_static: call.is_static, sends_value });
            }
            ExprKind::RawCall(call) => {
                walk_expr(self, expr);
                if call.kind == RawCallKind::Delegate {
                    self.event(Event::Everything);
                }
                let (is_static, sends_value) = (call.kind == RawCallKind::Static, call.sends_value());
                self.event(Event::Site { span: expr.span, is_static, sends_value });
            }
            ExprKind::New(creation) => {
                walk_expr(self, expr);
                let sends_value = creation.options.iter().any(|option| option.0 == CreateOption::Value);
                self.event(Event::Site { span: expr.span, is_static: false, sends_value });
            }
            ExprKind::Env(Env::SelfBalance) => {
                self.event(Event::Access { resource: BALANCE, write: false });
            }
            ExprKind::Query { query: Query::Balance, .. } => {
                walk_expr(self, expr);
                self.event(Event::Access { resource: BALANCE, write: false });
            }
            ExprKind::If { cond, then, otherwise } => {
                self.expr(cond);
                let (choice, join) = (self.current, self.node(Event::Nothing));
                self.event(Event::Nothing);
                self.block(then);
                self.edge_to(join);
                self.current = choice;
                if let Some(otherwise) = otherwise {
                    self.event(Event::Nothing);
                    self.block(otherwise);
                }
                self.go_to(join);
            }
            ExprKind::Match(matched) => {
                self.expr(&matched.subject);
                let join = self.node(Event::Nothing);
                for arm in &matched.arms {
                    self.event(Event::Nothing);
                    if let Some(guard) = &arm.guard {
                        self.expr(guard);
                    }
                    // Behind the guard the arm runs, or the next one is tried.
                    let choice = self.current;
                    self.event(Event::Nothing);
                    self.block(&arm.body);
                    self.edge_to(join);
                    self.current = choice;
                }
                self.current = join;
            }
            ExprKind::Logic { left, right, .. } => {
                self.expr(left);
                let (choice, join) = (self.current, self.node(Event::Nothing));
                self.nodes[choice].successors.push(join);
                self.expr(right);
                self.go_to(join);
            }
            ExprKind::Try(_) => {
                walk_expr(self, expr);
                self.edge_to(END);
            }
            ExprKind::Return(_) => {
                walk_expr(self, expr);
                self.edge_to(END);
                self.stop();
            }
            ExprKind::Break | ExprKind::Continue => {
                if let Some(&(head, after)) = self.loops.last() {
                    self.edge_to(if matches!(expr.kind, ExprKind::Break) { after } else { head });
                }
                self.stop();
            }
            ExprKind::Revert(_) => {
                walk_expr(self, expr);
                self.stop();
            }
            ExprKind::Require { cond, failure } => {
                self.expr(cond);
                let passed = self.current;
                self.event(Event::Nothing);
                walk_revert(self, failure);
                self.current = passed;
            }
            _ => walk_expr(self, expr),
        }
    }
}
