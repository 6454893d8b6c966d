//! Statements, blocks and the ends of bodies.

use super::items::{Body, Local};
use super::spots::{KEYS_MAX, Root};
use super::types::{Fails, Ty, U64, line};

impl Body<'_> {
    /// A local with a value.
    pub(super) fn local(&mut self, size: usize, out: &mut String) {
        let ty = match self.r.below(10) {
            0..=4 => self.d.int(self.r),
            5 => Ty::List(Box::new(self.d.int(self.r))),
            6 => Ty::Record(self.r.index(self.d.records.len())),
            _ => self.d.storable(self.r),
        };
        let init = self.expr(&ty, size);
        let is_mut = self.r.chance(75);
        let name = self.declare(&ty, is_mut);
        let mutable = if is_mut { "mut " } else { "" };
        line(out, format!("let {mutable}{name}: {} = {init};", ty.name()));
    }

    /// Statements in a scope of their own.
    pub(super) fn block(&mut self, size: usize, out: &mut String) {
        let outer = self.scope.len();
        let before = out.len();
        for _ in 0..1 + self.r.index(size + 1) {
            self.stmt(size, out);
        }
        if out.len() == before {
            self.stmt(size, out);
        }
        self.scope.truncate(outer);
    }

    fn nested(&mut self, size: usize) -> String {
        let mut text = String::new();
        self.block(size, &mut text);
        text
    }

    fn loop_body(&mut self, size: usize) -> String {
        self.loops += 1;
        let text = self.nested(size);
        self.loops -= 1;
        text
    }

    fn bound_of_loop(&mut self, rounds: u64) -> String {
        if self.r.chance(40) {
            format!("[max: {}] ", (rounds + self.r.below(3)).max(1))
        } else {
            String::new()
        }
    }

    fn stmt(&mut self, size: usize, out: &mut String) {
        let smaller = size.saturating_sub(1);
        let may_loop = size > 0 && !self.is_light && self.loops < 2;
        match self.r.below(34) {
            0..=4 => self.assign(out),
            5 | 6 => self.op_assign(out),
            7 | 8 if size > 0 => {
                let cond = self.condition(1);
                let then = self.nested(smaller);
                let otherwise = if self.r.chance(50) {
                    format!(" else {{\n{}}}", self.nested(smaller))
                } else {
                    String::new()
                };
                line(out, format!("if {cond} {{\n{then}}}{otherwise}"));
            }
            9 if may_loop => {
                let name = self.fresh();
                let rounds = self.r.below(5);
                let cond = self.condition(0);
                let max = self.bound_of_loop(rounds);
                let body = self.loop_body(smaller);
                line(out, format!("let mut {name}: u64 = 0;"));
                line(out, format!("while {name} < {rounds} && {cond} {max}{{\n{name} += 1;\n{body}}}"));
            }
            10 if may_loop => {
                let ty = self.d.int(self.r);
                let (from, rounds) = (self.r.below(4), self.r.below(5));
                let range = self.r.pick(&["..", "..="]);
                let max = self.bound_of_loop(rounds);
                let (name, body) = self.bound(&ty, false, |body| body.loop_body(smaller));
                let suffix = ty.name();
                line(
                    out,
                    format!("for {name} in {from}{suffix}{range}{}{suffix} {max}{{\n{body}}}", from + rounds),
                );
            }
            11 | 12 if may_loop => self.each(smaller, out),
            13 if self.loops > 0 => {
                let cond = self.condition(1);
                line(out, format!("if {cond} {{ {}; }}", self.r.pick(&["break", "continue"])));
            }
            14 | 15 => self.require(out),
            16 if !self.is_view => {
                self.has_effects = true;
                let n = self.r.index(self.d.events.len());
                let fields = self.d.events[n].clone();
                let args: Vec<_> = fields.iter().map(|ty| self.expr(ty, 1)).collect();
                if self.r.chance(30) {
                    let named: Vec<_> =
                        args.iter().enumerate().map(|(f, arg)| format!("f{f}: {arg}")).collect();
                    line(out, format!("emit Event{n} {{ {} }};", named.join(", ")));
                } else {
                    line(out, format!("emit Event{n}({});", args.join(", ")));
                }
            }
            17 | 18 => self.grow(out),
            19 if size > 0 => self.borrow(smaller, out),
            20 if size > 0 => {
                let n = self.r.index(self.d.shapes.len());
                if self.r.chance(50) {
                    let arms = self.written_shape(n);
                    return arms.into_iter().for_each(|text| line(&mut *out, text));
                }
                let (value, is_stored) = self.scrutinee(&Ty::Shape(n), 1);
                let arms = self.arms_of_shape(n, is_stored, |body| format!("{{\n{}}}", body.nested(smaller)));
                line(out, format!("match {value} {{ {arms} }}"));
            }
            21 if size > 0 => {
                let inner = self.d.scalar(self.r);
                let value = self.scrutinee(&Ty::Maybe(Box::new(inner.clone())), 1).0;
                let (name, then) = self.bound(&inner, false, |body| body.nested(smaller));
                let otherwise = self.nested(smaller);
                line(out, format!("if let Some({name}) = {value} {{\n{then}}} else {{\n{otherwise}}}"));
            }
            22 if self.r.chance(40) => {
                let cond = self.condition(1);
                let value = self.value_of_end(1);
                line(out, format!("if {cond} {{ return {value}; }}"));
            }
            23 | 24 => {
                let callable: Vec<usize> =
                    (0..self.d.funcs.len()).filter(|&n| self.may_call(&self.d.funcs[n])).collect();
                if !callable.is_empty() {
                    let func = &self.d.funcs[self.r.pick(&callable)];
                    if let Some(call) = self.call_of(func, 1) {
                        line(out, format!("let _ = {call};"));
                    }
                }
            }
            25 => self.swap(out),
            26 => self.remove(out),
            27 if size > 0 => self.borrow(smaller, out),
            28 if may_loop => self.each(smaller, out),
            29 => self.grow(out),
            30 => self.assign(out),
            _ => self.local(2, out),
        }
    }

    fn assign(&mut self, out: &mut String) {
        let ty = match self.r.below(3) {
            0 => self.d.storable(self.r),
            _ => self.d.int(self.r),
        };
        if let Some(spot) = self.spot(&ty, true) {
            let value = self.expr(&ty, 2);
            line(out, format!("{} = {value};", spot.text));
        }
    }

    fn op_assign(&mut self, out: &mut String) {
        let ty = self.d.int(self.r);
        if let Some(spot) = self.spot(&ty, true) {
            let op = self.r.pick(&["+%", "-%", "*%", "+|", "-|", "^", "|", "+", "-"]);
            let value = self.expr(&ty, 1);
            line(out, format!("{} {op}= {value};", spot.text));
        }
    }

    /// A loop over what a vector or bytes hold.
    fn each(&mut self, size: usize, out: &mut String) {
        let element = if self.r.chance(25) { super::types::U8 } else { self.d.int(self.r) };
        let ty = if element == super::types::U8 { Ty::Bytes } else { Ty::List(Box::new(element.clone())) };
        let Some(spot) = self.spot(&ty, false) else { return };
        let max = self.bound_of_loop(4);
        let was_lent = self.is_lent;
        let hidden = match spot.root {
            Root::State => {
                self.is_lent = true;
                None
            }
            Root::Local(id) => Some(id),
        };
        hidden.into_iter().for_each(|id| self.set_hidden(id, true));
        let may_drain = self.r.chance(40) && ty != Ty::Bytes;
        let (name, body) = self.bound(&element, false, |body| body.loop_body(size));
        hidden.into_iter().for_each(|id| self.set_hidden(id, false));
        self.is_lent = was_lent;
        let is_writable = match spot.root {
            Root::State => self.sees_state(true),
            Root::Local(id) => self.scope.iter().any(|local| local.id == id && local.is_mut),
        };
        if may_drain && is_writable {
            line(out, format!("while let Some({name}) = {}.pop() {max}{{\n{body}}}", spot.text));
        } else {
            line(out, format!("for {name} in {} {max}{{\n{body}}}", spot.text));
        }
    }

    fn require(&mut self, out: &mut String) {
        let cond = self.condition(1);
        // Otherwise hardly a call would come to its end.
        let cond = if self.r.chance(93) {
            let ty = self.d.int(self.r);
            format!("{} >= {}::MIN || {cond}", self.expr(&ty, 1), ty.name())
        } else {
            cond
        };
        let number = self.expr(&U64, 1);
        let text = match self.r.below(7) {
            0 => format!("require({cond});"),
            1 => format!("require({cond}, Low({number}));"),
            2 => format!("require({cond}, Fault::Later({number}, -3i8));"),
            3 => format!("require({cond}, \"refused\");"),
            4 => format!("assert({cond});"),
            5 => {
                let said = self.expr(&Ty::Text, 1);
                format!("if !({cond}) {{ revert Fault::Said({said}); }}")
            }
            _ => format!("if !({cond}) {{ revert; }}"),
        };
        line(out, text);
    }

    /// Makes a vector or bytes longer, shorter or empty.
    fn grow(&mut self, out: &mut String) {
        let element = self.d.int(self.r);
        let ty = if self.r.chance(25) { Ty::Bytes } else { Ty::List(Box::new(element.clone())) };
        let Some(spot) = self.spot(&ty, true) else { return };
        let was_lent = self.is_lent;
        match spot.root {
            Root::State => self.is_lent = true,
            Root::Local(id) => self.set_hidden(id, true),
        }
        let text = match (&ty, self.r.below(8)) {
            (Ty::Bytes, 0) => format!("{}.clear();", spot.text),
            (Ty::Bytes, _) if spot.root == Root::State => {
                format!("{} = {};", spot.text, self.expr(&Ty::Bytes, 1))
            }
            (Ty::Bytes, _) => format!("{}.push({});", spot.text, self.expr(&super::types::U8, 1)),
            (_, 0) => format!("{}.clear();", spot.text),
            (_, 1 | 2) => format!("let _ = {}.pop();", spot.text),
            _ => format!("{}.push({});", spot.text, self.expr(&element, 1)),
        };
        if let Root::Local(id) = spot.root {
            self.set_hidden(id, false);
        }
        self.is_lent = was_lent;
        line(out, text);
    }

    /// A block with another name for a place.
    fn borrow(&mut self, size: usize, out: &mut String) {
        let ty = match self.r.below(4) {
            0 => self.d.int(self.r),
            1 => Ty::Record(self.r.index(self.d.records.len())),
            2 => Ty::Point(self.r.index(self.d.points.len())),
            _ => Ty::List(Box::new(self.d.int(self.r))),
        };
        let is_mut = self.r.chance(70);
        let was_keys = std::mem::replace(&mut self.keys, KEYS_MAX);
        let spot = self.spot(&ty, is_mut);
        self.keys = was_keys;
        let Some(spot) = spot else { return };
        let was_lent = self.is_lent;
        let is_stored = match spot.root {
            Root::State => {
                self.is_lent = true;
                true
            }
            Root::Local(id) => {
                self.set_hidden(id, true);
                self.scope.iter().any(|local| local.id == id && local.is_stored)
            }
        };
        let outer = self.scope.len();
        let name = self.fresh();
        self.scope.push(Local {
            id: self.next,
            name: name.clone(),
            ty,
            is_mut,
            is_ref: true,
            is_stored,
            is_hidden: false,
        });
        let body = self.nested(size);
        self.scope.truncate(outer);
        if let Root::Local(id) = spot.root {
            self.set_hidden(id, false);
        }
        self.is_lent = was_lent;
        let mutable = if is_mut { "mut " } else { "" };
        line(out, format!("if true {{\nlet {name} = &{mutable}{};\n{body}}}", spot.text));
    }

    /// A `match` that changes what a shape holds, where it is.
    fn written_shape(&mut self, n: usize) -> Option<String> {
        let was_keys = std::mem::replace(&mut self.keys, KEYS_MAX);
        let spot = self.spot(&Ty::Shape(n), true);
        self.keys = was_keys;
        let spot = spot?;
        let was_lent = self.is_lent;
        match spot.root {
            Root::State => self.is_lent = true,
            Root::Local(id) => self.set_hidden(id, true),
        }
        let arms = self.arms_with_references(n);
        if let Root::Local(id) = spot.root {
            self.set_hidden(id, false);
        }
        self.is_lent = was_lent;
        Some(format!("match &mut {} {{ {arms} }}", spot.text))
    }

    /// Such a `match` of `self`.
    pub(super) fn arms_that_write(&mut self, n: usize) -> String {
        self.set_hidden(0, true);
        let arms = self.arms_with_references(n);
        self.set_hidden(0, false);
        format!("match &mut *self {{ {arms} }}")
    }

    fn arms_with_references(&mut self, n: usize) -> String {
        let variants = self.d.shapes[n].clone();
        let mut arms = String::new();
        for (v, payload) in variants.iter().enumerate() {
            let names: Vec<String> = payload.iter().map(|_| self.fresh()).collect();
            let mut text = String::new();
            for (name, ty) in names.iter().zip(payload) {
                let value = self.expr(ty, 1);
                match ty {
                    Ty::Int { .. } if self.r.chance(50) => line(&mut text, format!("*{name} +%= {value};")),
                    _ => line(&mut text, format!("*{name} = {value};")),
                }
            }
            let pattern = if names.is_empty() { String::new() } else { format!("({})", names.join(", ")) };
            arms += &format!("Shape{n}::V{v}{pattern} => {{\n{text}}} ");
        }
        arms
    }

    fn swap(&mut self, out: &mut String) {
        let ty = self.d.int(self.r);
        let (Some(a), Some(b)) = (self.spot(&ty, true), self.spot(&ty, true)) else { return };
        let (x, y) = (self.expr(&ty, 1), self.expr(&ty, 0));
        line(out, format!("({}, {}) = ({x}, {y});", a.text, b.text));
    }

    /// Sets the value of a key to zero.
    fn remove(&mut self, out: &mut String) {
        if !self.sees_state(true) {
            return;
        }
        let plain: Vec<usize> = (0..self.d.members.len())
            .filter(|&n| {
                let member = &self.d.members[n];
                member.keys.len() == 1
                    && (member.ty.is_copy() || matches!(member.ty, Ty::Bytes | Ty::Maybe(_)))
            })
            .collect();
        if plain.is_empty() {
            return;
        }
        let member = &self.d.members[self.r.pick(&plain)];
        let key = self.expr(&member.keys[0], 1);
        line(out, format!("{}.remove({key});", member.path));
    }

    /// What an early return gives.
    fn value_of_end(&mut self, size: usize) -> String {
        let value = match self.ret.clone() {
            Some(ty) => self.expr(&ty, size),
            None => "()".to_owned(),
        };
        match (self.fails, &self.ret) {
            (Fails::No, None) => String::new(),
            (Fails::No, Some(_)) => value,
            _ if self.r.chance(30) => format!("Err({})", self.error()),
            _ => format!("Ok({value})"),
        }
    }

    fn error(&mut self) -> String {
        let number = self.expr(&U64, 1);
        let is_low = match self.fails {
            Fails::Low => true,
            Fails::Fault => false,
            _ => self.r.chance(50),
        };
        if is_low {
            return format!("Low({number})");
        }
        match self.r.below(3) {
            0 => "Fault::Never".to_owned(),
            1 => format!("Fault::Later({number}, 7i8)"),
            _ => format!("Fault::Said({})", self.expr(&Ty::Text, 1)),
        }
    }

    /// The value of the body.
    pub(super) fn end(&mut self, out: &mut String) {
        if self.fails == Fails::No {
            if let Some(ty) = self.ret.clone() {
                line(out, self.expr(&ty, 3));
            }
            return;
        }
        if self.r.chance(35) {
            let (cond, error) = (self.condition(1), self.error());
            line(out, format!("if {cond} {{ return Err({error}); }}"));
        }
        let value = match self.ret.clone() {
            Some(ty) => self.expr(&ty, 3),
            None => "()".to_owned(),
        };
        line(out, format!("Ok({value})"));
    }
}
