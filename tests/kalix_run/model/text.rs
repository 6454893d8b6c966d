//! Programs of the model as source text.

use std::fmt::Write;

use super::{
    Call, Cond, Contract, ERRORS, EVENTS, End, Expr, Fails, Func, Int, Raise, STRUCTS, Stmt, TABLE_ENTRIES,
    Ty, abs, is_negative,
};

fn lit(ty: Ty, x: &Int) -> String {
    let name = ty.name();
    if is_negative(x) { format!("(-{}{name})", abs(x)) } else { format!("{x}{name}") }
}

impl Expr {
    fn text(&self) -> String {
        match self {
            Expr::Lit(ty, x) => lit(*ty, x),
            Expr::Local(n) => format!("v{n}"),
            Expr::State(n) => format!("state.s{n}"),
            Expr::Entry(n, key) => format!("state.t{n}[{} & {}u8]", key.text(), TABLE_ENTRIES - 1),
            Expr::Binary(op, _, a, b) => format!("({} {} {})", a.text(), op.text(), b.text()),
            Expr::Neg(_, a) => format!("(-{})", a.text()),
            Expr::BitNot(_, a) => format!("(~{})", a.text()),
            Expr::Cast { checked, to, operand } => {
                format!("({} {} {})", operand.text(), if *checked { "as" } else { "as%" }, to.name())
            }
            Expr::If(cond, a, b) => {
                format!("(if {} {{ {} }} else {{ {} }})", cond.text(), a.text(), b.text())
            }
            Expr::Seq(n, value, rest) => format!("({{ v{n} = {}; {} }})", value.text(), rest.text()),
            Expr::Field(of, fields, at) => {
                let field = |(n, value): (usize, &Expr)| format!("m{n}: {}", value.text());
                let fields: Vec<_> = fields.iter().enumerate().map(field).collect();
                format!("(S{of} {{ {} }}).m{at}", fields.join(", "))
            }
            Expr::Call(call) => format!("{}{}", call.text(), if call.fails { "?" } else { "" }),
        }
    }
}

fn list(exprs: &[Expr]) -> String {
    exprs.iter().map(Expr::text).collect::<Vec<_>>().join(", ")
}

impl Call {
    fn text(&self) -> String {
        format!("f{}({})", self.func, list(&self.args))
    }
}

impl Raise {
    fn text(&self) -> String {
        let (name, params) = ERRORS[self.variant];
        let args = if params.is_empty() { String::new() } else { format!("({})", list(&self.args)) };
        format!("Err(E::{name}{args})")
    }
}

impl End {
    fn text(&self, fails: bool) -> String {
        match self {
            End::Value(value) if fails => format!("Ok({})", value.text()),
            End::Value(value) => value.text(),
            End::Fail(cond, raise, value) => {
                format!("if {} {{ {} }} else {{ Ok({}) }}", cond.text(), raise.text(), value.text())
            }
            End::Tail(call) => call.text(),
        }
    }
}

impl Cond {
    fn text(&self) -> String {
        match self {
            Cond::Cmp(op, sides) => format!("({} {} {})", sides.0.text(), op.text(), sides.1.text()),
            Cond::And(a, b) => format!("({} && {})", a.text(), b.text()),
            Cond::Or(a, b) => format!("({} || {})", a.text(), b.text()),
            Cond::Not(a) => format!("(!{})", a.text()),
        }
    }
}

fn block(func: &Func, stmts: &[Stmt], depth: usize, out: &mut String) {
    for stmt in stmts {
        stmt.write(func, depth, out);
    }
}

impl Stmt {
    fn write(&self, func: &Func, depth: usize, out: &mut String) {
        let pad = "    ".repeat(depth);
        let bound = |max: &Option<u64>| max.map(|m| format!(" [max: {m}]")).unwrap_or_default();
        out.push_str(&pad);
        match self {
            Stmt::Let(n, e) => writeln!(out, "let mut v{n}: {} = {};", func.locals[*n].name(), e.text()),
            Stmt::Assign(n, e) => writeln!(out, "v{n} = {};", e.text()),
            Stmt::AssignOp(op, n, e) => writeln!(out, "v{n} {}= {};", op.text(), e.text()),
            Stmt::Put(n, key, e) => {
                writeln!(out, "state.t{n}[{} & {}u8] = {};", key.text(), TABLE_ENTRIES - 1, e.text())
            }
            Stmt::PutOp(op, n, key, e) => {
                let last = TABLE_ENTRIES - 1;
                writeln!(out, "state.t{n}[{} & {last}u8] {}= {};", key.text(), op.text(), e.text())
            }
            Stmt::Store(n, e) => writeln!(out, "state.s{n} = {};", e.text()),
            Stmt::StoreOp(op, n, e) => writeln!(out, "state.s{n} {}= {};", op.text(), e.text()),
            Stmt::Swap(a, b) => writeln!(out, "(v{a}, v{b}) = (v{b}, v{a});"),
            Stmt::If(cond, then, otherwise) => {
                writeln!(out, "if {} {{", cond.text()).expect("a String accepts all");
                block(func, then, depth + 1, out);
                if !otherwise.is_empty() {
                    writeln!(out, "{pad}}} else {{").expect("a String accepts all");
                    block(func, otherwise, depth + 1, out);
                }
                writeln!(out, "{pad}}}")
            }
            Stmt::While { counter, times, cond, max, body } => {
                let counter_ty = func.locals[*counter].name();
                writeln!(out, "v{counter} = 0{counter_ty};").expect("a String accepts all");
                writeln!(
                    out,
                    "{pad}while v{counter} < {times}{counter_ty} && {}{} {{",
                    cond.text(),
                    bound(max)
                )
                .expect("a String accepts all");
                writeln!(out, "{pad}    v{counter} += 1{counter_ty};").expect("a String accepts all");
                block(func, body, depth + 1, out);
                writeln!(out, "{pad}}}")
            }
            Stmt::For { var, from, to, inclusive, max, body } => {
                let ty = func.locals[*var];
                let dots = if *inclusive { "..=" } else { ".." };
                writeln!(out, "for v{var} in {}{dots}{}{} {{", lit(ty, from), lit(ty, to), bound(max))
                    .expect("a String accepts all");
                block(func, body, depth + 1, out);
                writeln!(out, "{pad}}}")
            }
            Stmt::BreakIf(cond) => writeln!(out, "if {} {{ break; }}", cond.text()),
            Stmt::ContinueIf(cond) => writeln!(out, "if {} {{ continue; }}", cond.text()),
            Stmt::ReturnIf(cond, e) if func.fails.is_some() => {
                writeln!(out, "if {} {{ return Ok({}); }}", cond.text(), e.text())
            }
            Stmt::ReturnIf(cond, e) => writeln!(out, "if {} {{ return {}; }}", cond.text(), e.text()),
            Stmt::FailIf(cond, raise) => writeln!(out, "if {} {{ return {}; }}", cond.text(), raise.text()),
            Stmt::Drop(call) => writeln!(out, "let _ = {};", call.text()),
            Stmt::Require(cond) => writeln!(out, "require({});", cond.text()),
            Stmt::Emit(event, args) => writeln!(out, "emit X{event}({});", list(args)),
            Stmt::Assert(cond) => writeln!(out, "assert({});", cond.text()),
        }
        .expect("a String accepts all");
    }
}

impl Contract {
    /// The source text. The entry point is `run`.
    pub(crate) fn text(&self) -> String {
        let param = |(n, ty): (usize, &Ty)| format!("p{n}: {}", ty.name());
        let error = |(name, params): &(&str, &[Ty])| {
            let params: Vec<_> = params.iter().enumerate().map(param).collect();
            if params.is_empty() { (*name).to_owned() } else { format!("{name}({})", params.join(", ")) }
        };
        let errors: Vec<_> = ERRORS.iter().map(error).collect();
        let mut out = format!("error E {{ {} }}\n\n", errors.join(", "));
        for (n, fields) in STRUCTS.iter().enumerate() {
            let field = |(n, ty): (usize, &Ty)| format!("m{n}: {}", ty.name());
            let fields: Vec<_> = fields.iter().enumerate().map(field).collect();
            writeln!(out, "struct S{n} {{ {} }}", fields.join(", ")).expect("a String accepts all");
        }
        out += "contract C {\n";
        for (n, fields) in EVENTS.iter().enumerate() {
            let fields: Vec<_> = fields.iter().enumerate().map(param).collect();
            writeln!(out, "    event X{n}(indexed {});", fields.join(", ")).expect("a String accepts all");
        }
        if self.packed && !self.state.is_empty() {
            let field = |(n, ty): (usize, &Ty)| format!("s{n}: {}", ty.name());
            let fields: Vec<_> = self.state.iter().enumerate().map(field).collect();
            writeln!(out, "    state {{ {} }}", fields.join(", ")).expect("a String accepts all");
        } else {
            for (n, ty) in self.state.iter().enumerate() {
                writeln!(out, "    state s{n}: {};", ty.name()).expect("a String accepts all");
            }
        }
        for (n, ty) in self.tables.iter().enumerate() {
            writeln!(out, "    table t{n}: Map<u8, {}>;", ty.name()).expect("a String accepts all");
        }
        for (n, func) in self.funcs.iter().enumerate() {
            let params: Vec<_> =
                (0..func.params).map(|p| format!("mut v{p}: {}", func.locals[p].name())).collect();
            let name = if n + 1 == self.funcs.len() { "pub fn run".to_owned() } else { format!("fn f{n}") };
            let result = match func.fails {
                None => func.result.name(),
                Some(Fails::Set) => format!("Result<{}, E>", func.result.name()),
                Some(Fails::Any) => format!("Result<{}, Error>", func.result.name()),
            };
            writeln!(out, "    {name}({}) -> {result} {{", params.join(", ")).expect("a String accepts all");
            block(func, &func.body, 2, &mut out);
            writeln!(out, "        {}\n    }}", func.end.text(func.fails.is_some()))
                .expect("a String accepts all");
        }
        out + "}\n"
    }
}
