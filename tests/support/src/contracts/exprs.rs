//! Expressions of a given type.

use super::items::Body;
use super::spots::{KEYS_MAX, Root};
use super::types::{Ty, U8, U64, U256_TY, int_literal};

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
}
