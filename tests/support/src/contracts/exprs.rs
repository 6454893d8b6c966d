//! Expressions of a given type, and places.

use super::items::Body;
use super::types::{By, Fails, Func, Place, Ty, U8, U64, U256_TY, int_literal};

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
    /// A literal, or a literal of literals.
    pub(super) fn literal(&mut self, ty: &Ty) -> String {
        match ty {
            Ty::Bool => self.r.pick(&["true", "false"]).to_owned(),
            Ty::Int { signed, bits } => int_literal(self.r, *signed, *bits),
            Ty::Address => match self.r.below(4) {
                0 => "Address::ZERO".into(),
                1 => "msg.sender".into(),
                _ => format!("({}u160 as Address)", self.r.below(5)),
            },
            Ty::Hash => format!("({} as Hash)", int_literal(self.r, false, 256)),
            Ty::Child => format!("Child({})", self.literal(&Ty::Address)),
            Ty::Choice(n) => format!("Choice{n}::V{}", self.r.index(self.d.choices[*n])),
            Ty::Bytes => self
                .r
                .pick(&["b\"\"", "b\"ab\\x00\"", "b\"0123456789012345678901234567890123456789\""])
                .into(),
            Ty::Text => {
                self.r.pick(&["\"\"", "\"text\"", "\"a text that is longer than one word of memory\""]).into()
            }
            _ => self.built(ty, 0),
        }
    }

    /// A value put together from its parts.
    fn built(&mut self, ty: &Ty, size: usize) -> String {
        match ty {
            Ty::Point(_) | Ty::Record(_) => {
                let fields = self.d.fields(ty).expect("a struct has fields");
                let mut inits: Vec<_> = fields
                    .iter()
                    .enumerate()
                    .map(|(f, field)| format!("f{f}: {}", self.expr(field, size)))
                    .collect();
                if self.r.chance(30) {
                    inits.reverse();
                }
                format!("({} {{ {} }})", ty.name(), inits.join(", "))
            }
            Ty::Shape(n) => {
                let variants = &self.d.shapes[*n];
                let v = self.r.index(variants.len());
                let args: Vec<_> = variants[v].iter().map(|ty| self.expr(ty, size)).collect();
                if args.is_empty() {
                    format!("Shape{n}::V{v}")
                } else {
                    format!("Shape{n}::V{v}({})", args.join(", "))
                }
            }
            Ty::Pair(pair) => format!("({}, {})", self.expr(&pair.0, size), self.expr(&pair.1, size)),
            Ty::Maybe(inner) => {
                if self.r.chance(70) {
                    format!("Some({})", self.expr(inner, size))
                } else {
                    "None".into()
                }
            }
            Ty::List(inner) => {
                let name = super::items::list_maker(inner);
                format!("{name}({}u64, {})", self.r.below(4), self.expr(inner, size))
            }
            Ty::Array(inner, length) => {
                if self.r.chance(30) && inner.is_copy() {
                    return format!("[{}; {length}]", self.expr(inner, size));
                }
                let items: Vec<_> = (0..*length).map(|_| self.expr(inner, size)).collect();
                format!("[{}]", items.join(", "))
            }
            _ => self.literal(ty),
        }
    }

    /// A local, a member or a literal.
    fn leaf(&mut self, ty: &Ty) -> String {
        if self.keys <= KEYS_MAX
            && self.r.chance(75)
            && let Some(spot) = self.spot(ty, false)
        {
            return self.read(&spot);
        }
        if self.keys <= KEYS_MAX && ty.is_int() && self.r.chance(60) {
            // Better another type's value than a constant.
            let other = self.d.int(self.r);
            if other != *ty
                && let Some(spot) = self.spot(&other, false)
            {
                return format!("({} as% {})", spot.text, ty.name());
            }
        }
        self.literal(ty)
    }

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

    /// An expression of that type; with `size` 0 a small one.
    pub(super) fn expr(&mut self, ty: &Ty, size: usize) -> String {
        if size == 0 || self.r.chance(15) {
            return self.leaf(ty);
        }
        let smaller = size - 1;
        if self.r.chance(22)
            && let Some(text) = self.joined(ty, smaller)
        {
            return text;
        }
        if self.r.chance(30)
            && let Some(text) = self.any_call(Some(ty), smaller)
        {
            return text;
        }
        match ty {
            Ty::Bool => self.condition(smaller),
            Ty::Int { .. } => self.int(ty, smaller),
            Ty::Hash => match self.r.below(3) {
                0 => format!("({} as Hash)", self.expr(&U256_TY, smaller)),
                1 => {
                    let ty = self.d.abi(self.r);
                    format!("keccak256(abi.encode({}, {}))", self.expr(&ty, smaller), self.expr(&U64, 0))
                }
                _ => format!("{}({})", self.r.pick(&["keccak256", "sha256"]), self.expr(&Ty::Bytes, smaller)),
            },
            Ty::Address if self.in_contract && self.r.chance(20) => "self.address".into(),
            Ty::Child if self.may_create() && self.r.chance(60) => self.create(smaller),
            Ty::Child => format!("Child({})", self.expr(&Ty::Address, smaller)),
            Ty::Choice(n) => {
                let of = self.d.choices[*n] + usize::from(self.r.chance(10));
                format!("(({} % {of}u8) as Choice{n})", self.expr(&U8, smaller))
            }
            Ty::Bytes => match self.r.below(4) {
                0 => format!("concat({}, {})", self.expr(ty, smaller), self.leaf(ty)),
                1 => {
                    let ty = self.d.abi(self.r);
                    format!("abi.encode({})", self.expr(&ty, smaller))
                }
                2 => format!("({} as bytes)", self.expr(&Ty::Text, smaller)),
                _ => {
                    // Rarely beyond the end.
                    let (from, length) = (self.r.below(4), self.r.below(8));
                    let operand = format!("concat({}, b\"0123456789\")", self.operand(ty));
                    format!("{operand}.slice({from}, {})", from + length)
                }
            },
            Ty::Text if self.r.chance(50) => {
                format!("concat({}, {})", self.expr(ty, smaller), self.leaf(ty))
            }
            _ => self.built(ty, smaller),
        }
    }

    /// Something that a method can be called on without moving anything: a literal in a variable would be the same.
    fn operand(&mut self, ty: &Ty) -> String {
        match self.spot(ty, false) {
            Some(spot) => self.read(&spot),
            None => format!("concat({}, {})", self.literal(ty), self.literal(ty)),
        }
    }

    fn int(&mut self, ty: &Ty, size: usize) -> String {
        let Ty::Int { signed, bits } = *ty else { unreachable!("the caller looked") };
        match self.r.below(20) {
            0..=3 => {
                let op = self.r.pick(&["+%", "-%", "*%", "+|", "-|", "*|", "&", "|", "^"]);
                format!("({} {op} {})", self.expr(ty, size), self.expr(ty, size))
            }
            4 | 5 => {
                let op = self.r.pick(&["+", "-", "*", "/", "%", "/", "%"]);
                let right = if self.r.chance(75) {
                    format!("{}{}", 1 + self.r.below(7), ty.name())
                } else {
                    self.expr(ty, size)
                };
                format!("({} {op} {right})", self.expr(ty, size))
            }
            6 => {
                let count = format!("{}u8", self.r.below(bits as u64 + 4).min(255));
                let op = self.r.pick(&["<<", ">>"]);
                format!("({} {op} {count})", self.expr(ty, size))
            }
            7 => format!("(~{})", self.expr(ty, size)),
            8 if signed => format!("(-{})", self.expr(ty, size)),
            8 => {
                format!("({} ** {}u8)", self.leaf(ty), self.r.below(4))
            }
            9 | 10 => {
                let from = self.d.int(self.r);
                if from == *ty {
                    return self.leaf(ty);
                }
                let how = if self.r.chance(8) { "as" } else { "as%" };
                format!("({} {how} {})", self.expr(&from, size), ty.name())
            }
            11 => format!("({} as {})", self.condition(size), ty.name()),
            12 if *ty == U8 && !self.d.choices.is_empty() => {
                let choice = Ty::Choice(self.r.index(self.d.choices.len()));
                format!("({} as u8)", self.expr(&choice, size))
            }
            12 => format!("(({} as u256) as% {})", self.expr(&Ty::Hash, size), ty.name()),
            13 => {
                let of = match self.r.below(3) {
                    0 => Ty::Bytes,
                    1 => Ty::Text,
                    _ => Ty::List(Box::new(self.d.int(self.r))),
                };
                match self.spot(&of, false) {
                    Some(spot) => format!("({}.len() as% {})", spot.text, ty.name()),
                    None => self.leaf(ty),
                }
            }
            14 => match self.spot(&Ty::Maybe(Box::new(ty.clone())), false) {
                Some(spot) => format!("{}.unwrap_or({})", self.read(&spot), self.expr(ty, size)),
                None => self.leaf(ty),
            },
            15 => {
                let name = self.r.pick(&["min", "max"]);
                format!("math::{name}({}, {})", self.expr(ty, size), self.expr(ty, size))
            }
            16 if *ty == U256_TY => {
                let divisor = format!("({} | 1u256)", self.expr(ty, 0));
                format!("math::mul_div({}, {}, {divisor})", self.leaf(ty), self.expr(ty, size))
            }
            17 => {
                // An assignment is a value, and what it writes may be read to its right.
                match self.spot(ty, true) {
                    Some(spot) => format!("({} = {})", spot.text, self.expr(ty, size)),
                    None => self.leaf(ty),
                }
            }
            18 if self.is_payable => format!("(msg.value as% {})", ty.name()),
            _ => self.leaf(ty),
        }
    }

    /// A condition.
    pub(super) fn condition(&mut self, size: usize) -> String {
        let smaller = size.saturating_sub(1);
        match self.r.below(10) {
            0 => format!("({} && {})", self.expr(&Ty::Bool, smaller), self.expr(&Ty::Bool, smaller)),
            1 => format!("({} || {})", self.expr(&Ty::Bool, smaller), self.expr(&Ty::Bool, smaller)),
            2 => format!("(!{})", self.expr(&Ty::Bool, smaller)),
            3 => {
                let inner = self.d.scalar(self.r);
                match self.spot(&Ty::Maybe(Box::new(inner)), false) {
                    Some(spot) => format!("{}.{}()", spot.text, self.r.pick(&["is_some", "is_none"])),
                    None => self.leaf(&Ty::Bool),
                }
            }
            4 => {
                let ty = match self.r.below(5) {
                    0 => Ty::Bytes,
                    1 => Ty::Text,
                    2 => Ty::Point(self.r.index(self.d.points.len())),
                    3 => Ty::Choice(self.r.index(self.d.choices.len())),
                    _ => Ty::Address,
                };
                let op = self.r.pick(&["==", "!="]);
                format!("({} {op} {})", self.expr(&ty, smaller), self.expr(&ty, smaller))
            }
            _ => {
                let ty = self.d.int(self.r);
                let op = self.r.pick(&["==", "!=", "<", "<=", ">", ">="]);
                format!("({} {op} {})", self.expr(&ty, smaller), self.expr(&ty, smaller))
            }
        }
    }

    /// An `if`, a `match` or a block as a value.
    fn joined(&mut self, ty: &Ty, size: usize) -> Option<String> {
        match self.r.below(8) {
            0 | 1 => {
                let cond = self.condition(size);
                let then = self.expr(ty, size);
                Some(format!("(if {cond} {{ {then} }} else {{ {} }})", self.expr(ty, size)))
            }
            2 => {
                let of = self.d.int(self.r);
                let value = self.expr(&of, size);
                let arms: Vec<String> = (0..1 + self.r.index(3))
                    .map(|_| {
                        let pattern = self.int_pattern(&of);
                        let guard = if self.r.chance(20) {
                            format!(" if {}", self.condition(0))
                        } else {
                            String::new()
                        };
                        format!("{pattern}{guard} => {},", self.expr(ty, size))
                    })
                    .collect();
                let (rest, value_of_rest) = self.bound(&of, false, |body| body.expr(ty, size));
                let rest = if self.r.chance(50) { rest } else { "_".to_owned() };
                let value_of_rest = if rest == "_" { self.expr(ty, size) } else { value_of_rest };
                Some(format!("(match {value} {{ {} {rest} => {value_of_rest} }})", arms.join(" ")))
            }
            3 | 4 => {
                let n = self.r.index(self.d.shapes.len());
                let (value, is_stored) = self.scrutinee(&Ty::Shape(n), size);
                let arms = self.arms_of_shape(n, is_stored, |body| body.expr(ty, size));
                Some(format!("(match {value} {{ {arms} }})"))
            }
            5 => {
                let inner = self.d.scalar(self.r);
                let value = self.scrutinee(&Ty::Maybe(Box::new(inner.clone())), size).0;
                let (name, some) = self.bound(&inner, false, |body| body.expr(ty, size));
                let none = self.expr(ty, size);
                Some(format!("(match {value} {{ Some({name}) => {some}, None => {none} }})"))
            }
            6 => {
                let n = self.r.index(self.d.choices.len());
                let value = self.expr(&Ty::Choice(n), size);
                let flag = self.condition(0);
                let first = self.expr(ty, size);
                let second = self.expr(ty, size);
                let v = self.r.index(self.d.choices[n]);
                let rest = self.expr(ty, size);
                Some(format!(
                    "(match ({value}, {flag}) {{ (Choice{n}::V{v}, true) => {first}, (_, false) => {second}, _ => {rest} }})"
                ))
            }
            _ => {
                let of = self.d.scalar(self.r);
                let init = self.expr(&of, size);
                let (name, value) = self.bound(&of, false, |body| body.expr(ty, size));
                Some(format!("({{ let {name}: {} = {init}; {value} }})", of.name()))
            }
        }
    }

    /// What is matched, and whether it lies in storage: then what moves is borrowed in the arms.
    pub(super) fn scrutinee(&mut self, ty: &Ty, size: usize) -> (String, bool) {
        if self.sees_state(false)
            && self.r.chance(40)
            && let Some(spot) = self.spot(ty, false)
            && spot.root == Root::State
        {
            return (spot.text, true);
        }
        let value = match self.spot(ty, false) {
            Some(spot) => self.read(&spot),
            None => {
                let name = self.fresh();
                format!("({{ let {name}: {} = {}; {name} }})", ty.name(), self.built(ty, size))
            }
        };
        (value, false)
    }

    /// Arms for every variant of a shape, the last ones perhaps as one.
    pub(super) fn arms_of_shape(
        &mut self,
        n: usize,
        is_stored: bool,
        mut arm: impl FnMut(&mut Self) -> String,
    ) -> String {
        let variants = self.d.shapes[n].clone();
        let mut arms = String::new();
        for (v, payload) in variants.iter().enumerate() {
            if v + 1 == variants.len() && self.r.chance(30) {
                return arms + &format!("_ => {}", arm(self));
            }
            let (outer, was_lent) = (self.scope.len(), self.is_lent);
            let names: Vec<String> = payload
                .iter()
                .map(|ty| {
                    if self.r.chance(20) || (is_stored && !ty.is_copy()) {
                        return "_".to_owned();
                    }
                    self.declare(ty, false)
                })
                .collect();
            let value = arm(self);
            self.scope.truncate(outer);
            self.is_lent = was_lent;
            let pattern = if names.is_empty() { String::new() } else { format!("({})", names.join(", ")) };
            arms += &format!("Shape{n}::V{v}{pattern} => {value}, ");
        }
        arms
    }

    fn int_pattern(&mut self, ty: &Ty) -> String {
        let low = self.r.below(8);
        match self.r.below(4) {
            0 => format!("{low}..={}", low + self.r.below(9)),
            1 => format!("{low} | {}", low + 1 + self.r.below(20)),
            2 if matches!(ty, Ty::Int { signed: true, .. }) => format!("-{}..{low}", 1 + self.r.below(9)),
            _ => format!("{low}"),
        }
    }

    /// A local in scope while `inner` is made.
    pub(super) fn bound(
        &mut self,
        ty: &Ty,
        is_mut: bool,
        inner: impl FnOnce(&mut Self) -> String,
    ) -> (String, String) {
        let outer = self.scope.len();
        let name = self.declare(ty, is_mut);
        let text = inner(self);
        self.scope.truncate(outer);
        (name, text)
    }

    /// A call of a function with such a result; of one without a result for `None`.
    pub(super) fn any_call(&mut self, ret: Option<&Ty>, size: usize) -> Option<String> {
        if self.may_create() && self.r.chance(20) {
            return self.call_of_child(ret, size);
        }
        // Any integer will do, cast.
        let fits = |of: Option<&Ty>| of == ret || (of.is_some_and(Ty::is_int) && ret.is_some_and(Ty::is_int));
        let fitting: Vec<usize> = (0..self.d.funcs.len())
            .filter(|&n| fits(self.d.funcs[n].ret.as_ref()) && self.may_call(&self.d.funcs[n]))
            .collect();
        if fitting.is_empty() {
            return None;
        }
        let func = &self.d.funcs[fitting[self.r.index(fitting.len())]];
        let call = self.call_of(func, size)?;
        if func.ret.as_ref() == ret {
            return Some(call);
        }
        ret.map(|ty| format!("({call} as% {})", ty.name()))
    }

    /// A call of that function, from inside or outside, and what becomes of its failure.
    pub(super) fn call_of(&mut self, func: &Func, size: usize) -> Option<String> {
        if func.place == Place::Entry && self.may_call_out(func) && self.r.chance(60) {
            return self.outer_call(func, size);
        }
        self.note_call(func);
        let call = self.call(func, size)?;
        self.settled(func, call, size)
    }

    /// The value of a call that may fail.
    fn settled(&mut self, func: &Func, call: String, size: usize) -> Option<String> {
        let may_ask = match (func.fails, self.fails) {
            (Fails::No, _) => return Some(call),
            (_, Fails::Any) => true,
            (of_callee, own) => of_callee == own,
        };
        if may_ask && self.r.chance(60) {
            return Some(format!("{call}?"));
        }
        let Some(ret) = &func.ret else {
            return Some(format!("({call}.{}())", self.r.pick(&["is_ok", "is_err"])));
        };
        if self.r.chance(40) {
            return Some(format!("{call}.unwrap_or({})", self.expr(ret, size)));
        }
        let (name, ok) = self.bound(ret, false, |body| body.expr(ret, size));
        let arms = match func.fails {
            Fails::Low => {
                let (have, value) = self.bound(&U64, false, |body| body.expr(ret, size));
                format!("Err(Low({have})) => {value}")
            }
            Fails::Fault => {
                let (at, later) = self.bound(&U64, false, |body| body.expr(ret, size));
                let rest = self.expr(ret, size);
                format!("Err(Fault::Later({at}, _)) => {later}, Err(_) => {rest}")
            }
            _ => format!("Err(_) => {}", self.expr(ret, size)),
        };
        Some(format!("(match {call} {{ Ok({name}) => {ok}, {arms} }})"))
    }

    /// The call with its arguments; nothing if there is no place to lend.
    pub(super) fn call(&mut self, func: &Func, size: usize) -> Option<String> {
        let mut hidden = None;
        let was_lent = self.is_lent;
        let mut args = Vec::new();
        for param in &func.params {
            let arg = match param.by {
                By::Value => self.expr(&param.ty, size),
                By::Ref | By::RefMut => {
                    let is_mut = param.by == By::RefMut;
                    // What is lent is named by literals and locals only.
                    let was_keys = std::mem::replace(&mut self.keys, KEYS_MAX);
                    let spot = self.spot(&param.ty, is_mut);
                    self.keys = was_keys;
                    let Some(spot) = spot else {
                        self.is_lent = was_lent;
                        return None;
                    };
                    match spot.root {
                        Root::State => self.is_lent = true,
                        Root::Local(id) => hidden = Some(id),
                    }
                    if let Some(id) = hidden {
                        self.set_hidden(id, true);
                    }
                    if func.place == Place::Method {
                        spot.text
                    } else {
                        format!("&{}{}", if is_mut { "mut " } else { "" }, spot.text)
                    }
                }
            };
            args.push(arg);
        }
        if let Some(id) = hidden {
            self.set_hidden(id, false);
        }
        self.is_lent = was_lent;
        if func.place == Place::Method {
            let receiver = args.remove(0);
            return Some(format!("{receiver}.{}({})", func.name, args.join(", ")));
        }
        Some(format!("{}({})", func.name, args.join(", ")))
    }

    /// A call of an entry point from outside, by this contract itself.
    fn outer_call(&mut self, func: &Func, size: usize) -> Option<String> {
        self.calls_out += 1;
        let args: Vec<_> = func.params.iter().map(|param| self.expr(&param.ty, size)).collect();
        let value = if func.is_payable && self.r.chance(60) { "{value: 1}" } else { "" };
        let call = format!("{}(self.address).{}{value}({})", super::MAIN, func.name, args.join(", "));
        let Some(ret) = func.ret.clone() else { return Some(call) };
        if self.r.chance(25) {
            return Some(call);
        }
        if self.r.chance(40) {
            return Some(format!("(try {call}).unwrap_or({})", self.expr(&ret, size)));
        }
        let (name, ok) = self.bound(&ret, false, |body| body.expr(&ret, size));
        let (data, reverted) = self.bound(&Ty::Bytes, false, |body| body.expr(&ret, size));
        let rest = self.expr(&ret, size);
        Some(format!(
            "(match try {call} {{ Ok({name}) => {ok}, Err(CallError::Reverted({data})) => {reverted}, Err(_) => {rest} }})"
        ))
    }

    /// A creation, or a call of what was created or is not there.
    fn call_of_child(&mut self, ret: Option<&Ty>, size: usize) -> Option<String> {
        let is_flag = ret == Some(&Ty::Bool);
        if !is_flag && !ret.is_some_and(Ty::is_int) {
            return None;
        }
        let child = self.expr(&Ty::Child, size);
        self.calls_out += 1;
        let arg = self.expr(&U64, size);
        if is_flag {
            return Some(match self.r.below(4) {
                0 => format!("(try new Child({arg})).is_ok()"),
                1 => format!("{child}.check({arg})"),
                2 => format!("(try {child}.check({arg})).unwrap_or({})", self.expr(&Ty::Bool, size)),
                _ => format!("(try {child}.bump({arg})).is_err()"),
            });
        }
        let value = match self.r.below(4) {
            0 => format!("{child}.n()"),
            1 => format!("{child}.start()"),
            2 => format!("{child}.bump({arg})"),
            _ => {
                let (name, ok) = self.bound(&U64, false, |body| body.expr(&U64, size));
                let (data, reverted) = self.bound(&Ty::Bytes, false, |body| body.expr(&U64, size));
                let rest = self.expr(&U64, 0);
                format!(
                    "(match try {child}.bump({arg}) {{ Ok({name}) => {ok}, Err(CallError::Reverted({data})) => {reverted}, Err(_) => {rest} }})"
                )
            }
        };
        ret.filter(|ty| **ty != U64)
            .map_or(Some(value.clone()), |ty| Some(format!("({value} as% {})", ty.name())))
    }

    fn create(&mut self, size: usize) -> String {
        self.calls_out += 1;
        let start = self.expr(&U64, size);
        format!("new Child({start})")
    }
}
