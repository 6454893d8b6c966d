//! Types that a later use fixes (§4.1), and the pass that writes them into the finished tree.
//!
//! While a body is checked, `let mut x = 0;` has the type [`Type::Infer`], and `Vec::new()` elements of the type
//! [`Type::Open`]; meeting a type, each takes it. [`Inference::settle`] decides what is left, and [`Substitution`]
//! replaces every such type in the function.

use super::exact::Int;
use super::typed::{
    AssignTarget, Block, CastKind, Expr, ExprKind, LetPattern, Local, Pattern, Place, PlaceStep, Revert,
    Stmt, StmtKind,
};
use super::types::{InferId, IntType, TYPE_PARTS_MAX, Type, TypeId, Types};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::source::Span;

/// The unknown types of one function.
#[derive(Default)]
pub(super) struct Inference {
    variables: Vec<Variable>,
    /// What shall hold of a type once it is known.
    demands: Vec<Demand>,
}

struct Variable {
    ty: TypeId,
    binding: Option<TypeId>,
    /// Taken if nothing fixes the type.
    default: Option<TypeId>,
    /// What K0208 or K0218 calls it: a name or an expression.
    name: String,
    span: Span,
    /// In how many types it stands, one in the other.
    depth: usize,
}

/// What is found of a type while it is measured.
struct Size {
    /// Parts that it may still have.
    parts_left: usize,
    /// What is open in it, and in how many types that stands.
    open: Option<(InferId, usize)>,
}

/// A requirement on a type that may not be known yet.
pub(super) enum Demand {
    /// A literal of this type, which shall fit.
    Fits(TypeId, Int, Span),
    /// The operand of unary `-`.
    Signed(TypeId, Span),
    /// The right operand of a shift or `**`.
    Unsigned(TypeId, Span),
}

/// A moment in the checking of a function.
#[derive(Clone, Copy, Default)]
pub(super) struct Mark {
    variables: usize,
    demands: usize,
}

impl Inference {
    /// A new unknown integer type.
    pub(super) fn fresh(
        &mut self,
        types: &mut Types,
        name: &str,
        span: Span,
        default: Option<TypeId>,
    ) -> TypeId {
        let ty = types.intern(Type::Infer(InferId(self.variables.len() as u32)));
        self.variables.push(Variable { ty, binding: None, default, name: name.to_owned(), span, depth: 0 });
        ty
    }

    /// A new unknown type, an integer or not.
    pub(super) fn fresh_open(&mut self, types: &mut Types, name: &str, span: Span) -> TypeId {
        let ty = types.intern(Type::Open(InferId(self.variables.len() as u32)));
        self.variables.push(Variable {
            ty,
            binding: None,
            default: None,
            name: name.to_owned(),
            span,
            depth: 0,
        });
        ty
    }

    /// The type as far as it is known.
    pub(super) fn resolve(&self, types: &Types, mut ty: TypeId) -> TypeId {
        while let Type::Infer(id) | Type::Open(id) = types.get(ty) {
            match self.variables[id.index()].binding {
                Some(next) => ty = next,
                None => break,
            }
        }
        ty
    }

    /// Makes two types equal if they can be.
    pub(super) fn unify(&mut self, types: &Types, a: TypeId, b: TypeId) -> bool {
        let (a, b) = (self.resolve(types, a), self.resolve(types, b));
        if a == b {
            return true;
        }
        if a == TypeId::ERROR || b == TypeId::ERROR {
            self.excuse(types, if a == TypeId::ERROR { b } else { a });
            return true;
        }
        match (types.get(a), types.get(b)) {
            (Type::Open(open), _) => self.bind_open(types, *open, b),
            (_, Type::Open(open)) => self.bind_open(types, *open, a),
            (Type::Infer(x), Type::Infer(y)) => {
                let (x, y) = (x.index(), y.index());
                // A default gives way to a variable that has none and shall be annotated.
                let default = self.variables[x].default.or(self.variables[y].default);
                self.variables[y].default = default;
                self.variables[x].binding = Some(b);
                true
            }
            (Type::Infer(x), Type::Int(_)) => {
                self.variables[x.index()].binding = Some(b);
                true
            }
            (Type::Int(_), Type::Infer(y)) => {
                self.variables[y.index()].binding = Some(a);
                true
            }
            (&Type::Array { element: a, length: m }, &Type::Array { element: b, length: n }) => {
                m == n && self.unify(types, a, b)
            }
            (&Type::Vec(a), &Type::Vec(b)) | (&Type::Option(a), &Type::Option(b)) => self.unify(types, a, b),
            (&Type::Result { ok: a, err: e }, &Type::Result { ok: b, err: f }) => {
                e == f && self.unify(types, a, b)
            }
            (Type::Tuple(a), Type::Tuple(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| self.unify(types, a, b))
            }
            _ => false,
        }
    }

    /// Fixes an open type, unless no element can have the type, it would contain itself, or it may grow too large.
    fn bind_open(&mut self, types: &Types, open: InferId, ty: TypeId) -> bool {
        let is_element =
            !matches!(types.get(ty), Type::Unit | Type::Never | Type::IntLiteral | Type::Ref { .. });
        let mut size = Size { parts_left: TYPE_PARTS_MAX, open: None };
        let depth = self.variables[open.index()].depth;
        let fits = is_element
            && self.measure(types, ty, depth, &mut size)
            && size.open.is_none_or(|(inner, _)| inner != open)
            && !types.holds_map(ty);
        match fits {
            true => self.variables[open.index()].binding = Some(ty),
            false => self.variables[open.index()].default = Some(TypeId::ERROR),
        }
        if let (true, Some((inner, depth))) = (fits, size.open) {
            let known = &mut self.variables[inner.index()].depth;
            *known = depth.max(*known);
        }
        fits
    }

    /// Measures a type within `depth` others, as far as it is known; whether it keeps to the limits. What is open in it
    /// stands there once: with two of them, types would double from use to use.
    fn measure(&self, types: &Types, ty: TypeId, depth: usize, size: &mut Size) -> bool {
        if size.parts_left == 0 || depth > TYPE_PARTS_MAX {
            return false;
        }
        size.parts_left -= 1;
        match types.get(self.resolve(types, ty)) {
            Type::Open(open) => size.open.replace((*open, depth)).is_none(),
            Type::Tuple(elements) => {
                elements.iter().all(|&element| self.measure(types, element, depth + 1, size))
            }
            &Type::Array { element: inner, .. }
            | &Type::Vec(inner)
            | &Type::Option(inner)
            | &Type::Result { ok: inner, .. } => self.measure(types, inner, depth + 1, size),
            _ => true,
        }
    }

    /// Notes that a use of an unknown type was reported, which might have fixed it.
    fn excuse(&mut self, types: &Types, ty: TypeId) {
        if let Type::Infer(id) | Type::Open(id) = types.get(ty) {
            self.variables[id.index()].default.get_or_insert(TypeId::ERROR);
        }
    }

    /// Notes a requirement; it is judged at the end.
    pub(super) fn demand(&mut self, demand: Demand) {
        self.demands.push(demand);
    }

    /// How much there is now, for [`settle`](Self::settle).
    pub(super) fn mark(&self) -> Mark {
        Mark { variables: self.variables.len(), demands: self.demands.len() }
    }

    /// Takes defaults, reports what stays unknown and which requirements do not hold, from `mark` on.
    pub(super) fn settle(&mut self, mark: Mark, types: &Types, diags: &mut Diagnostics) {
        for index in mark.variables..self.variables.len() {
            let variable = &self.variables[index];
            if self.resolve(types, variable.ty) != variable.ty {
                continue;
            }
            match types.get(variable.ty) {
                _ if variable.default.is_some() => {}
                Type::Open(_) => cannot_infer_elements(diags, &variable.name, variable.span),
                _ => {
                    cannot_infer(diags, &variable.name, variable.span);
                }
            }
            self.variables[index].binding = Some(self.variables[index].default.unwrap_or(TypeId::ERROR));
        }
        for demand in self.demands.split_off(mark.demands) {
            match demand {
                Demand::Fits(ty, value, span) => {
                    if let Some(int) = self.resolve(types, ty).as_int()
                        && value.to_word(int).is_none()
                    {
                        literal_does_not_fit(diags, value, int, span);
                    }
                }
                Demand::Signed(ty, span) => match self.resolve(types, ty).as_int() {
                    Some(int) if !int.signed => {
                        diags.error(Code::MismatchedTypes, span).arg("a", "a signed integer").arg("b", int);
                    }
                    _ => {}
                },
                Demand::Unsigned(ty, span) => match self.resolve(types, ty).as_int() {
                    Some(int) if int.signed => {
                        diags
                            .error(Code::MismatchedTypes, span)
                            .arg("a", "an unsigned integer")
                            .arg("b", int);
                    }
                    _ => {}
                },
            }
        }
    }
}

/// Reports `Vec::new()` whose elements nothing says the type of (K0218).
pub(super) fn cannot_infer_elements(diags: &mut Diagnostics, name: &str, span: Span) {
    diags
        .error(Code::CannotInferType, span)
        .arg("x", name)
        .note("for example `let mut list: Vec<u256> = Vec::new();`");
}

/// Reports a number whose type nothing fixes (K0208): a variable or member of this name, or a literal.
pub(super) fn cannot_infer<'d>(diags: &'d mut Diagnostics, name: &str, span: Span) -> &'d mut Diagnostic {
    let is_literal = name.starts_with(|first: char| first.is_ascii_digit());
    let annotated = match name.strip_prefix('-') {
        Some(_) => format!("{name}i256"),
        None if is_literal => format!("{name}u256"),
        None => format!("{name}: u256"),
    };
    diags.error(Code::CannotInferInteger, span).arg("x", name).arg("annotated", annotated)
}

/// Reports K0203.
pub(super) fn literal_does_not_fit(diags: &mut Diagnostics, value: Int, int: IntType, span: Span) {
    diags
        .error(Code::LiteralDoesNotFit, span)
        .arg("n", value)
        .arg("t", int)
        .arg("lo", Int::from_word(int.min_word(), int))
        .arg("hi", Int::from_word(int.max_word(), int));
}

/// Writes settled types into the tree of one function.
pub(super) struct Substitution<'s> {
    pub(super) inference: &'s Inference,
    pub(super) types: &'s mut Types,
    /// The first part of the tree that cannot be lowered: there has to be a report about it.
    pub(super) hole: Option<Span>,
}

impl Substitution<'_> {
    fn ty(&mut self, ty: &mut TypeId) {
        *ty = self.settled(*ty);
    }

    fn settled(&mut self, ty: TypeId) -> TypeId {
        let ty = self.inference.resolve(self.types, ty);
        match self.types.get(ty) {
            Type::Tuple(elements) => {
                let elements = elements.clone();
                let settled: Vec<_> = elements.iter().map(|&element| self.settled(element)).collect();
                if settled == elements { ty } else { self.types.intern(Type::Tuple(settled)) }
            }
            &Type::Array { element, length } => {
                let element = self.settled(element);
                self.types.intern(Type::Array { element, length })
            }
            &Type::Vec(element) => {
                let element = self.settled(element);
                self.types.intern(Type::Vec(element))
            }
            &Type::Ref { mutable, target } => {
                let target = self.settled(target);
                self.types.intern(Type::Ref { mutable, target })
            }
            &Type::Option(inner) => {
                let inner = self.settled(inner);
                self.types.intern(Type::Option(inner))
            }
            &Type::Result { ok, err } => {
                let ok = self.settled(ok);
                self.types.intern(Type::Result { ok, err })
            }
            _ => ty,
        }
    }

    pub(super) fn locals(&mut self, locals: &mut [Local]) {
        for local in locals {
            self.ty(&mut local.ty);
        }
    }

    pub(super) fn block(&mut self, block: &mut Block) {
        self.ty(&mut block.ty);
        for stmt in &mut block.stmts {
            self.stmt(stmt);
        }
        if let Some(value) = &mut block.value {
            self.expr(value);
        }
    }

    fn stmt(&mut self, stmt: &mut Stmt) {
        match &mut stmt.kind {
            StmtKind::Let { pattern, init } => {
                self.let_pattern(pattern);
                self.expr(init);
            }
            StmtKind::Expr(expr) => self.expr(expr),
            StmtKind::Emit { fields, .. } => fields.iter_mut().for_each(|field| self.expr(&mut field.1)),
            StmtKind::While { cond, body, .. } => {
                self.expr(cond);
                self.block(body);
            }
            StmtKind::ForRange { start, end, body, .. } => {
                self.expr(start);
                self.expr(end);
                self.block(body);
            }
        }
    }

    fn let_pattern(&mut self, pattern: &mut LetPattern) {
        match pattern {
            LetPattern::Discard | LetPattern::Local(_) => {}
            LetPattern::Tuple(parts) => parts.iter_mut().for_each(|part| self.let_pattern(part)),
            LetPattern::Parts(pattern) => self.pattern(pattern),
        }
    }

    fn pattern(&mut self, pattern: &mut Pattern) {
        pattern.for_each_mut(&mut |pattern| self.ty(&mut pattern.ty));
    }

    fn place(&mut self, place: &mut Place) {
        self.ty(&mut place.ty);
        for step in &mut place.steps {
            match step {
                PlaceStep::MapKey(key) | PlaceStep::Index(key) => self.expr(key),
                PlaceStep::Field(_) | PlaceStep::Payload { .. } => {}
            }
        }
    }

    fn target(&mut self, target: &mut AssignTarget) {
        match target {
            AssignTarget::Place(place) => self.place(place),
            AssignTarget::Tuple(targets) => targets.iter_mut().for_each(|target| self.target(target)),
        }
    }

    fn revert(&mut self, revert: &mut Revert) {
        if let Revert::Error(error) = revert {
            self.expr(error);
        }
    }

    pub(super) fn expr(&mut self, expr: &mut Expr) {
        self.ty(&mut expr.ty);
        if matches!(expr.kind, ExprKind::Hole) || matches!(expr.ty, TypeId::ERROR | TypeId::INT_LITERAL) {
            self.hole.get_or_insert(expr.span);
        }
        match &mut expr.kind {
            ExprKind::Const(_) | ExprKind::Unit | ExprKind::Env(_) | ExprKind::Hole => {}
            ExprKind::Bytes(_) => {}
            ExprKind::Struct(fields) => fields.iter_mut().for_each(|field| self.expr(&mut field.1)),
            ExprKind::Repeat { element, .. } => self.expr(element),
            ExprKind::Variant { args, .. } => args.iter_mut().for_each(|arg| self.expr(arg)),
            ExprKind::Match(matched) => {
                self.expr(&mut matched.subject);
                for arm in &mut matched.arms {
                    self.pattern(&mut arm.pattern);
                    if let Some(guard) = &mut arm.guard {
                        self.expr(guard);
                    }
                    self.block(&mut arm.body);
                }
            }
            ExprKind::Matches { subject, pattern } => {
                self.expr(subject);
                self.pattern(pattern);
            }
            ExprKind::AtPlace { place, args, .. } => {
                self.place(place);
                args.iter_mut().for_each(|arg| self.expr(arg));
            }
            ExprKind::Break | ExprKind::Continue | ExprKind::Return(None) => {}
            ExprKind::Load(place) | ExprKind::Borrow { place, .. } => self.place(place),
            ExprKind::Tuple(parts) | ExprKind::Array(parts) | ExprKind::Data { args: parts, .. } => {
                parts.iter_mut().for_each(|part| self.expr(part));
            }
            ExprKind::TupleField { tuple: inner, .. }
            | ExprKind::Unary { operand: inner, .. }
            | ExprKind::Query { operand: inner, .. }
            | ExprKind::Ok(inner)
            | ExprKind::Err(inner)
            | ExprKind::IntoAnyError(inner)
            | ExprKind::Try(inner)
            | ExprKind::Return(Some(inner))
            | ExprKind::Assert(inner) => self.expr(inner),
            ExprKind::Cast { kind, operand } => {
                self.expr(operand);
                // A cast is checked before the type of its operand may be known.
                if let (
                    Some(from),
                    CastKind::IntChecked { from: slot, .. } | CastKind::IntWrapping { from: slot, .. },
                ) = (operand.ty.as_int(), kind)
                {
                    *slot = from;
                }
            }
            ExprKind::Binary { left, right, .. }
            | ExprKind::Compare { left, right, .. }
            | ExprKind::Logic { left, right, .. } => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Call { args, .. } => args.iter_mut().for_each(|arg| self.expr(arg)),
            ExprKind::Error { args, .. } => args.iter_mut().for_each(|arg| self.expr(&mut arg.1)),
            ExprKind::New(creation) => {
                creation.options.iter_mut().for_each(|option| self.expr(&mut option.1));
                creation.args.iter_mut().for_each(|arg| self.expr(arg));
            }
            ExprKind::InitHash { args, .. } => args.iter_mut().for_each(|arg| self.expr(arg)),
            ExprKind::Create2Address(operands) => {
                operands.iter_mut().for_each(|operand| self.expr(operand));
            }
            ExprKind::Modulo { operands, .. } => operands.iter_mut().for_each(|operand| self.expr(operand)),
            ExprKind::External(call) => {
                self.expr(&mut call.target);
                call.options.iter_mut().for_each(|option| self.expr(&mut option.1));
                call.args.iter_mut().for_each(|arg| self.expr(arg));
            }
            ExprKind::RawCall(call) => {
                self.expr(&mut call.target);
                call.options.iter_mut().for_each(|option| self.expr(&mut option.1));
                self.expr(&mut call.arg);
            }
            ExprKind::If { cond, then, otherwise } => {
                self.expr(cond);
                self.block(then);
                if let Some(otherwise) = otherwise {
                    self.block(otherwise);
                }
            }
            ExprKind::Block(block) => self.block(block),
            ExprKind::Assign { target, value } => {
                self.target(target);
                self.expr(value);
            }
            ExprKind::AssignOp { place, value, .. } => {
                self.place(place);
                self.expr(value);
            }
            ExprKind::Revert(revert) => self.revert(revert),
            ExprKind::Require { cond, failure } => {
                self.expr(cond);
                self.revert(failure);
            }
        }
    }
}
