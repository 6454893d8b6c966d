//! Functions, `impl`s and contracts, and what is known inside a body.

use super::MAIN;
use super::types::{By, Decls, Fails, Func, Member, Param, Place, Ty, U64, line};
use crate::random::Random;

/// A program of that generator state.
pub fn contract(r: &mut Random) -> String {
    let mut d = Decls::new(r);
    // Most are small, so that there are many.
    let more = if r.chance(65) { 1 } else { 3 };
    let mut out = String::from("use std::math;\n");
    out += &d.text();
    for ty in list_types(&d) {
        line(&mut out, list_function(&ty));
    }
    for _ in 0..r.index(2) + r.index(more) {
        let text = function(r, &mut d, Place::Free);
        out += &text;
    }
    out += &impls(r, &mut d);
    out += &child(r);
    let members = members(r, &mut d);
    line(&mut out, format!("contract {MAIN} {{"));
    out += &members;
    line(&mut out, "receive() payable {}");
    for _ in 0..r.index(2) + r.index(more) {
        let text = function(r, &mut d, Place::Internal);
        out += &text;
    }
    for _ in 0..2 + r.index(more) {
        let text = function(r, &mut d, Place::Entry);
        out += &text;
    }
    out + "}\n"
}

/// The function that makes a vector of that type.
pub(super) fn list_maker(ty: &Ty) -> String {
    format!("list_of_{}", ty.name())
}

fn list_types(d: &Decls) -> Vec<Ty> {
    let mut types: Vec<Ty> = Vec::new();
    for ty in d.ints.iter().cloned().chain((0..d.points.len()).map(Ty::Point)) {
        if !types.contains(&ty) {
            types.push(ty);
        }
    }
    types
}

fn list_function(ty: &Ty) -> String {
    let (maker, name) = (list_maker(ty), ty.name());
    let item = match ty {
        Ty::Int { .. } if *ty != U64 => format!("x +% (i as% {name})"),
        Ty::Int { .. } => "x ^ i".to_owned(),
        _ => "x".to_owned(),
    };
    format!(
        "fn {maker}(n: u64, x: {name}) -> Vec<{name}> {{ let mut v: Vec<{name}> = Vec::new(); \
         for i in 0..n [max: 16] {{ v.push({item}); }} v }}"
    )
}

/// A contract that the other one creates and calls.
fn child(r: &mut Random) -> String {
    format!(
        "contract Child {{
pub state n: u64;
pub immutable start: u64;
constructor(start: u64) payable {{ require(start % 7u64 != {}u64, Low(start)); state.start = start; state.n = start / 2u64; }}
pub fn bump(by: u64) -> Result<u64, Low> {{ if by > 1_000u64 {{ return Err(Low(state.n)); }} state.n = state.n +% by; Ok(state.n) }}
pub fn check(x: u64) view -> bool {{ require(x != state.n, Fault::Later(x, -1i8)); x < state.n }}
}}
",
        r.below(7)
    )
}

fn members(r: &mut Random, d: &mut Decls) -> String {
    let mut out = String::new();
    let add = |d: &mut Decls, path: String, keys: Vec<Ty>, ty: Ty| d.members.push(Member { path, keys, ty });
    for n in 0..2 + r.index(4) {
        // What holds other things, so that places of many types are there.
        let ty = match n {
            0 => Ty::Record(r.index(d.records.len())),
            1 if r.chance(50) => Ty::Shape(r.index(d.shapes.len())),
            1 => Ty::List(Box::new(d.int(r))),
            _ => d.storable(r),
        };
        let is_public =
            r.chance(30) && (ty.is_int() || matches!(ty, Ty::Bool | Ty::Address | Ty::Bytes | Ty::Text));
        let init = match &ty {
            Ty::Int { .. } if r.chance(40) => format!(" = {}", r.below(9)),
            _ => String::new(),
        };
        let public = if is_public { "pub " } else { "" };
        line(&mut out, format!("{public}state s{n}: {}{init};", ty.name()));
        add(d, format!("state.s{n}"), Vec::new(), ty);
    }
    if r.chance(60) {
        let mut fields = Vec::new();
        for n in 0..2 + r.index(4) {
            let ty = d.scalar(r);
            fields.push(format!("g{n}: {}", ty.name()));
            add(d, format!("state.g{n}"), Vec::new(), ty);
        }
        line(&mut out, format!("state {{ {} }}", fields.join(", ")));
    }
    if r.chance(30) {
        let ty = if r.chance(70) { d.scalar(r) } else { Ty::Point(r.index(d.points.len())) };
        line(&mut out, format!("transient passing: {};", ty.name()));
        add(d, "transient.passing".to_owned(), Vec::new(), ty);
    }
    for n in 0..1 + r.index(3) {
        let ty = d.storable(r);
        let keys: Vec<Ty> = match r.below(6) {
            0 => vec![d.scalar(r), d.int(r)],
            1 => vec![Ty::Pair(Box::new((d.int(r), d.scalar(r))))],
            2 => vec![r.pick(&[&Ty::Bytes, &Ty::Text]).clone()],
            3 => vec![Ty::Address],
            _ => vec![d.int(r)],
        };
        let map = keys.iter().rev().fold(ty.name(), |value, key| format!("Map<{}, {value}>", key.name()));
        line(&mut out, format!("table t{n}: {map};"));
        add(d, format!("state.t{n}"), keys, ty);
    }
    out
}

fn impls(r: &mut Random, d: &mut Decls) -> String {
    let mut out = String::new();
    let points = (0..d.points.len()).map(Ty::Point);
    let records = (0..d.records.len()).map(Ty::Record);
    let shapes = (0..d.shapes.len()).map(Ty::Shape);
    for ty in points.chain(records).chain(shapes).collect::<Vec<_>>() {
        if r.chance(60) {
            continue;
        }
        line(&mut out, format!("impl {} {{", ty.name()));
        for _ in 0..1 + r.index(2) {
            out += &method(r, d, &ty);
        }
        line(&mut out, "}");
    }
    out
}

fn method(r: &mut Random, d: &mut Decls, of: &Ty) -> String {
    let by = if r.chance(50) { By::RefMut } else { By::Ref };
    let extra = d.scalar(r);
    let ret = d.scalar(r);
    let name = format!("m{}", d.funcs.len());
    let mut body = Body::new(r, d);
    body.is_light = true;
    let fails = Fails::No;
    body.ret = Some(ret.clone());
    body.scope.push(Local {
        id: 0,
        name: "self".to_owned(),
        ty: of.clone(),
        is_mut: by == By::RefMut,
        is_ref: true,
        is_stored: false,
        is_hidden: false,
    });
    body.next = 1;
    let param = body.declare(&extra, false);
    let mut text = String::new();
    if let Ty::Shape(n) = of {
        let value = if by == By::RefMut {
            body.arms_that_write(*n)
        } else {
            // What moves is not bound: it lies behind a reference.
            let arms = body.arms_of_shape(*n, true, |body| body.expr(&ret, 1));
            format!("match self {{ {arms} }}")
        };
        if by == By::RefMut {
            line(&mut text, value);
            line(&mut text, body.expr(&ret, 1));
        } else {
            line(&mut text, value);
        }
    } else {
        body.block(2, &mut text);
        line(&mut text, body.expr(&ret, 2));
    }
    let is_view = !body.has_effects;
    let receiver = if by == By::RefMut { "&mut self" } else { "&self" };
    let header = format!("fn {name}({receiver}, {param}: {}) -> {} {{", extra.name(), ret.name());
    let params = vec![Param { ty: of.clone(), by }, Param { ty: extra, by: By::Value }];
    let ret = Some(ret);
    d.funcs.push(Func {
        name,
        place: Place::Method,
        params,
        ret,
        fails,
        is_view,
        is_payable: false,
        is_light: true,
    });
    format!("{header}\n{text}}}\n")
}

fn function(r: &mut Random, d: &mut Decls, place: Place) -> String {
    let is_entry = place == Place::Entry;
    let prefix = match place {
        Place::Free => "free",
        Place::Internal => "inner",
        _ => "entry",
    };
    let name = format!("{prefix}{}", d.funcs.len());
    let mut params = Vec::new();
    for _ in 0..r.index(4) {
        let ty = if is_entry { d.abi(r) } else { d.storable(r) };
        params.push(Param { ty, by: By::Value });
    }
    // One at most, so that no two of a call overlap; what sees storage could meet it there.
    let lends = place == Place::Free && r.chance(70);
    if lends {
        let by = if r.chance(60) { By::RefMut } else { By::Ref };
        let ty = match r.below(3) {
            0 => d.int(r),
            1 => Ty::List(Box::new(d.int(r))),
            _ => d.storable(r),
        };
        params.insert(r.index(params.len() + 1), Param { ty, by });
    }
    let ret = match r.below(10) {
        0 => None,
        1..=6 => Some(d.int(r)),
        _ if is_entry => Some(d.abi(r)),
        _ => Some(d.storable(r)),
    };
    let fails = r.pick(&[Fails::No, Fails::No, Fails::Low, Fails::Fault, Fails::Any]);
    let is_view = place != Place::Free && r.chance(25);
    let is_payable = is_entry && !is_view && r.chance(25);
    let is_light = lends || r.chance(if is_entry { 10 } else { 40 });

    let mut body = Body::new(r, d);
    body.in_contract = place != Place::Free;
    (body.ret, body.fails) = (ret.clone(), fails);
    (body.is_view, body.is_payable, body.is_light) = (is_view, is_payable, is_light);
    let mut shown = Vec::new();
    for param in &params {
        let is_mut = param.by == By::RefMut || (param.by == By::Value && body.r.chance(50));
        let name = body.declare(&param.ty, is_mut);
        body.scope.last_mut().expect("just declared").is_ref = param.by != By::Value;
        let ty = param.ty.name();
        shown.push(match param.by {
            By::Value if is_mut => format!("mut {name}: {ty}"),
            By::Value => format!("{name}: {ty}"),
            By::Ref => format!("{name}: &{ty}"),
            By::RefMut => format!("{name}: &mut {ty}"),
        });
    }
    let mut text = String::new();
    for _ in 0..1 + body.r.index(3) {
        body.local(2, &mut text);
    }
    body.block(2, &mut text);
    if !is_light {
        (0..2).for_each(|_| body.block(4, &mut text));
    }
    body.end(&mut text);
    let is_view = is_view || (place == Place::Free && !body.has_effects);
    let public = if is_entry { "pub " } else { "" };
    let value = ret.as_ref().map_or("()".to_owned(), Ty::name);
    let result = match fails {
        Fails::No if ret.is_none() => String::new(),
        _ => format!("-> {} ", fails.result(&value)),
    };
    let qualifier = if is_payable {
        "payable "
    } else if is_view && place != Place::Free {
        "view "
    } else {
        ""
    };
    let header = format!("{public}fn {name}({}) {qualifier}{result}{{", shown.join(", "));
    d.funcs.push(Func { name, place, params, ret, fails, is_view, is_payable, is_light });
    format!("{header}\n{text}}}\n")
}

/// A local that can be named.
#[derive(Clone, Debug)]
pub(super) struct Local {
    pub(super) id: usize,
    pub(super) name: String,
    pub(super) ty: Ty,
    pub(super) is_mut: bool,
    /// Whether it is a reference to a place of the type.
    pub(super) is_ref: bool,
    /// Whether that place is in storage.
    pub(super) is_stored: bool,
    /// Whether it is lent, so that it must not be touched.
    pub(super) is_hidden: bool,
}

/// What is known inside a body.
pub(super) struct Body<'a> {
    pub(super) r: &'a mut Random,
    pub(super) d: &'a Decls,
    pub(super) scope: Vec<Local>,
    pub(super) next: usize,
    pub(super) loops: usize,
    pub(super) ret: Option<Ty>,
    pub(super) fails: Fails,
    pub(super) in_contract: bool,
    pub(super) is_view: bool,
    pub(super) is_payable: bool,
    /// Neither loops nor calls.
    pub(super) is_light: bool,
    /// Whether a place in storage is borrowed: then no resource and nothing that sees one.
    pub(super) is_lent: bool,
    /// Whether it logs.
    pub(super) has_effects: bool,
    /// How many keys are around.
    pub(super) keys: usize,
    pub(super) calls: usize,
    pub(super) calls_out: usize,
}

impl<'a> Body<'a> {
    fn new(r: &'a mut Random, d: &'a Decls) -> Body<'a> {
        Body {
            r,
            d,
            scope: Vec::new(),
            next: 0,
            loops: 0,
            ret: None,
            fails: Fails::No,
            in_contract: false,
            is_view: false,
            is_payable: false,
            is_light: false,
            is_lent: false,
            has_effects: false,
            keys: 0,
            calls: 0,
            calls_out: 0,
        }
    }

    pub(super) fn fresh(&mut self) -> String {
        self.next += 1;
        format!("x{}", self.next)
    }

    /// A new local in scope; its name.
    pub(super) fn declare(&mut self, ty: &Ty, is_mut: bool) -> String {
        let name = self.fresh();
        let local = Local {
            id: self.next,
            name: name.clone(),
            ty: ty.clone(),
            is_mut,
            is_ref: false,
            is_stored: false,
            is_hidden: false,
        };
        self.scope.push(local);
        name
    }

    pub(super) fn set_hidden(&mut self, id: usize, is_hidden: bool) {
        self.scope.iter_mut().filter(|local| local.id == id).for_each(|local| local.is_hidden = is_hidden);
    }

    pub(super) fn sees_state(&self, is_written: bool) -> bool {
        self.in_contract && !self.is_lent && !(is_written && self.is_view)
    }

    pub(super) fn may_call(&self, func: &Func) -> bool {
        let sees = match func.place {
            Place::Free | Place::Method => true,
            Place::Internal | Place::Entry => self.in_contract && !self.is_lent,
        };
        let is_small = func.is_light || (self.loops == 0 && self.calls < 3);
        sees && !self.is_light && is_small && (!self.is_view || func.is_view)
    }

    pub(super) fn may_call_out(&self, func: &Func) -> bool {
        self.in_contract
            && !self.is_lent
            && !self.is_light
            && self.loops == 0
            && self.calls_out < 2
            && (!self.is_view || func.is_view)
    }

    pub(super) fn may_create(&self) -> bool {
        self.in_contract
            && !self.is_lent
            && !self.is_light
            && !self.is_view
            && self.loops == 0
            && self.calls_out < 2
    }

    pub(super) fn note_call(&mut self, func: &Func) {
        if !func.is_light {
            self.calls += 1;
        }
    }
}
