//! Calls, from inside and outside, and creations.

use super::items::Body;
use super::spots::{KEYS_MAX, Root};
use super::types::{By, Fails, Func, Place, Ty, U64};

impl Body<'_> {
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

    pub(super) fn create(&mut self, size: usize) -> String {
        self.calls_out += 1;
        let start = self.expr(&U64, size);
        format!("new Child({start})")
    }
}
