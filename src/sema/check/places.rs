//! Places: `state.x`, `m[k]`, `t.0`, and assignment to them.

use crate::diag::Code;
use crate::sema::check::body::{Checker, Typed};
use crate::sema::infer::Demand;
use crate::sema::resolve::suggestion;
use crate::sema::scope::{ContractIndex, LocalDef, Resource, closest};
use crate::sema::typed::{
    AssignTarget, ExprKind, FunctionKind, ImmutableId, MemberId, MemberKind, Place, PlaceOp, PlaceRoot,
    PlaceStep, Revert,
};
use crate::sema::types::{Type, TypeId};
use crate::source::Span;
use crate::syntax::ast::{self, IntLit};

impl<'a> Checker<'_, 'a> {
    /// `state.name`: the whole member.
    pub(super) fn resource(
        &mut self,
        base_span: Span,
        name: &'a ast::Ident,
        transient: bool,
        span: Span,
    ) -> Typed {
        let word = if transient { "transient" } else { "state" };
        let Some(contract) = self.contract else {
            let hint = "; only functions of a contract see its storage";
            self.diags().error(Code::NotFound, base_span).arg("name", word).arg("hint", hint);
            return Typed::hole(span);
        };
        let names = &self.sema.contracts[contract].names.resources;
        let (found, declared) = (names.get(name.as_str()), names.span(name.as_str()));
        self.sema.mark_used(declared);
        match found {
            Some(Resource::Member(member)) if self.is_transient(contract, member) == transient => {
                let ty = self.sema.contracts[contract].typed.storage[member.index()].ty;
                if ty == TypeId::ERROR {
                    return Typed::hole(span);
                }
                let place = Place { root: PlaceRoot::Storage(member), steps: Vec::new(), ty, span };
                self.load(place)
            }
            Some(Resource::Immutable(id)) if !transient => {
                let ty = self.sema.contracts[contract].typed.immutables[id.index()].ty;
                if ty == TypeId::ERROR {
                    return Typed::hole(span);
                }
                self.effects.immutables_read.insert(id);
                let place = Place { root: PlaceRoot::Immutable(id), steps: Vec::new(), ty, span };
                Typed::new(ExprKind::Load(place), ty, span)
            }
            _ => {
                let resources = &self.sema.contracts[contract].names.resources;
                let hint = match found {
                    Some(_) if transient => format!("; it is `state.{}`", name.as_str()),
                    Some(_) => format!("; it is `transient.{}`", name.as_str()),
                    None => suggestion(closest(name.as_str(), resources.names())),
                };
                let shown = self.sema.contracts[contract].ast.name.name.clone();
                let label = hint.trim_start_matches("; ").to_owned();
                let diagnostic =
                    self.diags().error(Code::NoMember, name.span).arg("c", shown).arg("m", &name.name);
                if !label.is_empty() {
                    diagnostic.label(label);
                }
                Typed::hole(span)
            }
        }
    }

    fn is_transient(&self, contract: ContractIndex, member: MemberId) -> bool {
        self.sema.contracts[contract].typed.storage[member.index()].kind == MemberKind::Transient
    }

    /// Reading a place. That it reads is noted where the value is used: an assignment only writes.
    fn load(&mut self, place: Place) -> Typed {
        if let PlaceRoot::Storage(_) = place.root
            && !self.sema.is_map(place.ty)
        {
            self.effects.reads_state = true;
        }
        let (ty, span) = (place.ty, place.span);
        Typed::new(ExprKind::Load(place), ty, span)
    }

    /// `base[index]`.
    pub(super) fn index(&mut self, base: &'a ast::Expr, index: &'a ast::Expr, span: Span) -> Typed {
        let base = self.part(base, None);
        let ty = self.resolved(base.ty());
        if ty == TypeId::NEVER {
            self.expr(index, None);
            return base;
        }
        let shape = self.type_of(ty).clone();
        if let Type::Array { element, .. } | Type::Vec(element) = shape {
            let index = self.index_operand(index);
            return self.element(base, element, index, span);
        }
        if let Type::Bytes = shape {
            let index = self.index_operand(index);
            return self.element(base, TypeId::U8, index, span);
        }
        let through = base.through;
        match (shape, base.expr.kind) {
            (Type::Map { key, value }, ExprKind::Load(mut place)) => {
                let key = self.borrowed_as(index, key);
                place.steps.push(PlaceStep::MapKey(key));
                (place.ty, place.span) = (value, span);
                Typed { through, ..self.load(place) }
            }
            (Type::Error, _) => {
                self.expr(index, None);
                Typed::hole(span)
            }
            _ => {
                self.expr(index, None);
                let shown = self.shown(ty);
                self.diags().error(Code::NoFieldOrMethod, span).arg("t", shown).arg("m", "[…]");
                Typed::hole(span)
            }
        }
    }

    /// `base.0`.
    pub(super) fn tuple_field(&mut self, base: &'a ast::Expr, index: &'a IntLit, span: Span) -> Typed {
        let base = self.part(base, None);
        let ty = self.resolved(base.ty());
        let element = match self.type_of(ty) {
            Type::Error => return Typed::hole(span),
            Type::Never => return base,
            Type::Tuple(elements) => {
                u32::try_from(index.value).ok().and_then(|at| Some((at, *elements.get(at as usize)?)))
            }
            _ => None,
        };
        let Some((at, ty)) = element else {
            let shown = self.shown(ty);
            self.diags().error(Code::NoFieldOrMethod, index.span).arg("t", shown).arg("m", &index.text);
            return Typed::hole(span);
        };
        match base.expr.kind {
            ExprKind::Load(mut place) => {
                place.steps.push(PlaceStep::Field(at));
                (place.ty, place.span) = (ty, span);
                Typed { through: base.through, ..Typed::new(ExprKind::Load(place), ty, span) }
            }
            kind => {
                let tuple = Box::new(crate::sema::typed::Expr { kind, ..base.expr });
                Typed::new(ExprKind::TupleField { tuple, index: at }, ty, span)
            }
        }
    }

    /// `place = value` and `place op= value`.
    pub(super) fn assign(
        &mut self,
        op: Option<ast::BinaryOp>,
        op_span: Span,
        place: &'a ast::Expr,
        value: &'a ast::Expr,
        span: Span,
    ) -> Typed {
        match op {
            None => self.plain_assign(place, value, span),
            Some(op) => self.op_assign(op, op_span, place, value, span),
        }
    }

    fn plain_assign(&mut self, place: &'a ast::Expr, value: &'a ast::Expr, span: Span) -> Typed {
        let reads = self.effects.reads_state;
        let target = self.target(place);
        // Naming a place to store to does not read it; its keys may have read, but then they stay in a place
        // that is written, and `view` is lost anyway.
        self.effects.reads_state = reads;
        let Some((target, ty)) = target else {
            self.expr(value, None);
            return Typed::hole(span);
        };
        let value = self.expr_as(value, ty);
        self.give_back_all(&target);
        if value.ty == TypeId::NEVER {
            return self.diverging(vec![value], span);
        }
        // The value of the assignment would be a second owner.
        if !self.sema.types.is_copy(self.resolved(ty)) {
            let assign = crate::sema::typed::Expr {
                kind: ExprKind::Assign { target, value: Box::new(value) },
                ty,
                span,
            };
            return Typed::new(self.run_and_drop(assign), TypeId::UNIT, span);
        }
        Typed::new(ExprKind::Assign { target, value: Box::new(value) }, ty, span)
    }

    fn give_back_all(&mut self, target: &AssignTarget) {
        match target {
            AssignTarget::Place(place) => self.give_back(place),
            AssignTarget::Tuple(targets) => targets.iter().for_each(|target| self.give_back_all(target)),
        }
    }

    fn op_assign(
        &mut self,
        op: ast::BinaryOp,
        op_span: Span,
        place: &'a ast::Expr,
        value: &'a ast::Expr,
        span: Span,
    ) -> Typed {
        let target = self.target(place);
        let tuple = match &target {
            Some((AssignTarget::Tuple(_), ty)) => Some(*ty),
            _ => None,
        };
        if let Some((AssignTarget::Place(Place { root: PlaceRoot::Immutable(id), .. }), _)) = &target {
            self.effects.immutables_read.insert(*id);
        }
        let (Some((AssignTarget::Place(place), ty)), Some((op, spelled, uneven))) =
            (target, self.assign_op(op))
        else {
            self.expr(value, tuple);
            if tuple.is_some() {
                let text = self.shorten(place.span);
                self.diags()
                    .error(Code::NotMutable, place.span)
                    .arg("x", text)
                    .label("`=` assigns a tuple; another operator takes one place");
            }
            return Typed::hole(span);
        };
        let hint = (!uneven).then_some(ty);
        let typed = self.expr(value, hint);
        if ty == TypeId::ERROR || typed.ty() == TypeId::ERROR {
            return Typed::hole(span);
        }
        if typed.ty() == TypeId::NEVER {
            return self.diverging(vec![typed.expr], span);
        }
        let found = self.resolved(typed.ty());
        let operand_fits =
            if uneven { self.is_int(found) } else { typed.literal.is_some() || self.unify(ty, found) };
        if !self.applies(op, ty) || !operand_fits {
            return self.operator_mismatch(spelled, op_span, ty, found, span);
        }
        let value = match (uneven, typed.literal) {
            (false, _) => self.coerce(typed, ty),
            (true, Some(value)) => self.coerce_literal(value, TypeId::U256, typed.expr.span),
            (true, None) => {
                self.inference.demand(Demand::Unsigned(found, typed.span()));
                typed.expr
            }
        };
        Typed::new(ExprKind::AssignOp { op, place, value: Box::new(value) }, ty, span)
    }

    /// What stands left of `=`, and its type; nothing if it is not assignable, which was reported.
    fn target(&mut self, expr: &'a ast::Expr) -> Option<(AssignTarget, TypeId)> {
        if let ast::ExprKind::Tuple(elements) = &expr.kind
            && !elements.is_empty()
        {
            let parts: Vec<_> = elements.iter().map(|element| self.target(element)).collect();
            let parts: Vec<_> = parts.into_iter().collect::<Option<_>>()?;
            let (targets, types): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
            return Some((AssignTarget::Tuple(targets), self.sema.types.tuple(types)));
        }
        // Assigning to a local is not a use of it.
        let unused = self.unused_local(expr);
        let read = self.effects.immutables_read.clone();
        let typed = self.part(expr, None);
        if matches!(&typed.expr.kind, ExprKind::Load(Place { root: PlaceRoot::Immutable(_), .. })) {
            self.effects.immutables_read = read;
        }
        let ExprKind::Load(place) = typed.expr.kind else {
            if typed.expr.ty != TypeId::ERROR {
                let text = self.shorten(expr.span);
                self.diags()
                    .error(Code::NotMutable, expr.span)
                    .arg("x", text)
                    .label("this is a value, not a place that could be assigned");
            }
            return None;
        };
        if !self.check_assignable(&place, typed.through) {
            return None;
        }
        if typed.through.is_some() && matches!(expr.kind, ast::ExprKind::Path(_) | ast::ExprKind::SelfValue) {
            let text = self.shorten(expr.span);
            self.diags()
                .error(Code::NotMutable, expr.span)
                .arg("x", &text)
                .label(format!("this is a reference; what it refers to is `*{text}`"))
                .fix(Span::at(expr.span.start), "*", "assign what it refers to");
            return None;
        }
        if let Some(name) = unused {
            self.scope.forget_use(name);
        }
        let ty = place.ty;
        Some((AssignTarget::Place(place), ty))
    }

    fn unused_local(&self, expr: &'a ast::Expr) -> Option<&'a str> {
        let ast::ExprKind::Path(path) = &expr.kind else { return None };
        let name = path.as_ident()?.as_str();
        self.scope.find(name).filter(|entry| !entry.used).map(|_| name)
    }

    pub(super) fn check_assignable(&mut self, place: &Place, through: Option<usize>) -> bool {
        self.check_borrows(place, through, true);
        if through.is_some() && !self.check_mutable(place, through) {
            return false;
        }
        match place.root {
            PlaceRoot::Local(_) if through.is_some() => true,
            PlaceRoot::Reference(_) if self.sema.is_map(place.ty) => {
                self.diags()
                    .error(Code::MapOnlyInStorage, place.span)
                    .arg("what", "assigned; assign to an element, `m[key] = v`");
                false
            }
            PlaceRoot::Reference(_) => true,
            PlaceRoot::Local(id) => {
                let local = &self.locals[id.index()];
                if local.mutable {
                    return true;
                }
                let (name, declared) = (local.name.clone(), local.span);
                self.diags()
                    .error(Code::NotMutable, place.span)
                    .arg("x", name)
                    .secondary(declared, "declared without `mut` here");
                false
            }
            PlaceRoot::Storage(member) => {
                let text = self.member_name(member);
                if self.sema.is_map(place.ty) {
                    self.diags()
                        .error(Code::MapOnlyInStorage, place.span)
                        .arg("what", "assigned; assign to an element, `m[key] = v`");
                    return false;
                }
                self.effects.writes.push((format!("writes `{text}`"), place.span));
                true
            }
            PlaceRoot::Immutable(id) => self.immutable_is_assignable(id, place.span),
        }
    }

    /// Immutables are assigned in the constructor itself (K0713).
    fn immutable_is_assignable(&mut self, id: ImmutableId, span: Span) -> bool {
        if self.kind == FunctionKind::Constructor {
            return true;
        }
        let contract = self.contract.expect("immutables belong to contracts");
        let declared = &self.sema.contracts[contract].typed.immutables[id.index()];
        let (name, declared) = (declared.name.clone(), declared.span);
        self.diags()
            .error(Code::ImmutableMisused, span)
            .arg("x", name)
            .arg("what", "assigned outside the constructor")
            .secondary(declared, "declared here");
        false
    }

    /// A member as source reaches it.
    fn member_name(&self, member: MemberId) -> String {
        let contract = self.contract.expect("members belong to contracts");
        let space = if self.is_transient(contract, member) { "transient" } else { "state" };
        format!("{space}.{}", self.sema.contracts[contract].typed.storage[member.index()].name)
    }

    /// `m.remove(key)`: stores the zero value.
    pub(super) fn map_remove(&mut self, map: Typed, args: &'a [ast::Expr], span: Span) -> Typed {
        let Type::Map { key, value } = *self.type_of(map.ty()) else { return Typed::hole(span) };
        let [arg] = args else {
            args.iter().for_each(|arg| drop(self.expr(arg, None)));
            self.diags().error(Code::WrongArgumentCount, span).arg("n", 1).arg("m", args.len());
            return Typed::hole(span);
        };
        let key = self.borrowed_as(arg, key);
        if let Some(what) = self.container_in(value) {
            self.diags().error(Code::RemoveOfContainer, span).arg("what", what);
            return Typed::hole(span);
        }
        let through = map.through;
        let ExprKind::Load(mut place) = map.expr.kind else { return Typed::hole(span) };
        place.steps.push(PlaceStep::MapKey(key));
        (place.ty, place.span) = (value, span);
        if !self.check_assignable(&place, through) {
            return Typed::hole(span);
        }
        let kind = ExprKind::AtPlace { op: PlaceOp::Clear, place, args: Vec::new() };
        Typed::new(kind, TypeId::UNIT, span)
    }

    /// Which container a type is or holds: of those there is none that `remove` could clear.
    fn container_in(&self, ty: TypeId) -> Option<&'static str> {
        match self.type_of(ty) {
            Type::Map { .. } => Some("Map"),
            Type::Vec(_) => Some("Vec"),
            Type::Tuple(elements) => elements.iter().find_map(|&element| self.container_in(element)),
            Type::Struct(id) => {
                let fields = self.sema.types.structs[id.index()].fields.iter();
                fields.map(|field| field.1).find_map(|field| self.container_in(field))
            }
            &Type::Array { element: inner, .. } | &Type::Option(inner) => self.container_in(inner),
            Type::Enum(id) => {
                let variants = self.sema.types.enums[id.index()].variants.iter();
                variants.flat_map(|variant| &variant.payload).find_map(|&part| self.container_in(part))
            }
            _ => None,
        }
    }

    /// The source text of an expression, short enough for a message.
    pub(super) fn shorten(&self, span: Span) -> String {
        let text = self.sema.source.slice(span);
        let line: String = text.lines().next().unwrap_or("").chars().take(40).collect();
        if line.len() < text.len() { format!("{line}…") } else { line }
    }

    /// A local as an expression.
    pub(super) fn local(&mut self, def: LocalDef, span: Span) -> Typed {
        match def {
            LocalDef::Hole => Typed::hole(span),
            LocalDef::Never => Typed::new(ExprKind::Revert(Revert::Empty), TypeId::NEVER, span),
            LocalDef::Variable(id) => {
                let ty = self.locals[id.index()].ty;
                let ty = self.resolved(ty);
                if ty == TypeId::ERROR {
                    return Typed::hole(span);
                }
                let place = Place { root: PlaceRoot::Local(id), steps: Vec::new(), ty, span };
                Typed::new(ExprKind::Load(place), ty, span)
            }
            LocalDef::Constant(value, ty) => self.constant(ty, &value, span),
            LocalDef::Alias(index) => self.borrowed_place(index, span),
            LocalDef::NotConstant => {
                self.diags().error(Code::NotConstant, span).arg("reason", "it reads a variable");
                Typed::hole(span)
            }
        }
    }
}
