//! Tree to text: `parse(pretty(t)) == t`, apart from spans.
//!
//! Parentheses are not in the tree, so they are put where the grammar needs them. Holes print as comments
//! and do not come back. Here are types, patterns, statements and the writer; items and expressions have
//! their own files.

mod exprs;
mod items;

use std::fmt::Write;

use super::ast::{
    BindMode, Block, ExprKind, ForIter, Let, LoopBound, LoopBoundKind, Module, PatLit, PatLitKind, Pattern,
    PatternKind, Stmt, StmtKind, Type, TypeArg, TypeKind,
};
use exprs::Context;

/// Prints a module.
pub fn pretty(module: &Module) -> String {
    let mut printer = Printer { out: String::new(), indent: 0 };
    printer.module(module);
    printer.out
}

struct Printer {
    out: String,
    indent: usize,
}

impl Printer {
    fn text(&mut self, text: impl AsRef<str>) {
        self.out.push_str(text.as_ref());
    }

    fn line(&mut self) {
        self.out.push('\n');
        for _ in 0..self.indent {
            self.out.push_str("    ");
        }
    }

    /// `{`, each element on its own line, `}`.
    fn braces<T>(&mut self, elements: &[T], separator: &str, mut print: impl FnMut(&mut Self, &T)) {
        self.text("{");
        self.indent += 1;
        for element in elements {
            self.line();
            print(self, element);
            self.text(separator);
        }
        self.indent -= 1;
        self.line();
        self.text("}");
    }

    /// Elements on one line, separated by commas.
    fn commas<T>(&mut self, elements: &[T], mut print: impl FnMut(&mut Self, &T)) {
        for (index, element) in elements.iter().enumerate() {
            if index > 0 {
                self.text(", ");
            }
            print(self, element);
        }
    }

    /// `( … )`; one element is followed by a comma, because it is a tuple and no group.
    fn tuple<T>(&mut self, elements: &[T], print: impl FnMut(&mut Self, &T)) {
        self.text("(");
        self.commas(elements, print);
        self.text(if elements.len() == 1 { ",)" } else { ")" });
    }

    fn ty(&mut self, ty: &Type) {
        match &ty.kind {
            TypeKind::Ref { mutable, inner } => {
                // A space, because `&&` is one token.
                self.text(if *mutable { "&mut " } else { "& " });
                self.ty(inner);
            }
            TypeKind::Tuple(types) => self.tuple(types, Self::ty),
            TypeKind::Array { element, length } => {
                self.text("[");
                self.ty(element);
                self.text("; ");
                self.expr(length, Context::PLAIN);
                self.text("]");
            }
            TypeKind::Path { path, args } => {
                self.text(path.to_string());
                if !args.is_empty() {
                    self.text("<");
                    self.commas(args, |p, arg| match arg {
                        TypeArg::Int(literal) => p.text(&literal.text),
                        TypeArg::Type(ty) => p.ty(ty),
                    });
                    self.text(">");
                }
            }
            TypeKind::Missing => self.text("/* missing type */"),
        }
    }

    fn pattern(&mut self, pattern: &Pattern) {
        match &pattern.kind {
            PatternKind::Wildcard => self.text("_"),
            PatternKind::Literal(literal) => self.pattern_literal(literal),
            PatternKind::Range { start, end, inclusive } => {
                self.pattern_literal(start);
                self.text(if *inclusive { "..=" } else { ".." });
                self.pattern_literal(end);
            }
            PatternKind::Tuple(patterns) => {
                self.text("(");
                self.commas(patterns, Self::pattern);
                self.text(")");
            }
            PatternKind::BindMut(name) => {
                self.text("mut ");
                self.text(&name.name);
            }
            PatternKind::Path { path, args } => {
                self.text(path.to_string());
                if let Some(args) = args {
                    self.text("(");
                    self.commas(args, Self::pattern);
                    self.text(")");
                }
            }
            PatternKind::Or(alternatives) => {
                for (index, alternative) in alternatives.iter().enumerate() {
                    self.text(if index > 0 { " | " } else { "" });
                    let nested = matches!(alternative.kind, PatternKind::Or(_));
                    self.text(if nested { "(" } else { "" });
                    self.pattern(alternative);
                    self.text(if nested { ")" } else { "" });
                }
            }
            PatternKind::Missing => self.text("/* missing pattern */"),
        }
    }

    fn pattern_literal(&mut self, literal: &PatLit) {
        match &literal.kind {
            PatLitKind::Int { negative, value } => {
                self.text(if *negative { "-" } else { "" });
                self.text(&value.text);
            }
            PatLitKind::Str(value) => self.string(value),
            PatLitKind::Bool(value) => self.text(if *value { "true" } else { "false" }),
        }
    }

    /// A string literal.
    fn string(&mut self, value: &str) {
        self.out.push('"');
        for c in value.chars() {
            match c {
                '"' => self.text("\\\""),
                '\\' => self.text("\\\\"),
                '\n' => self.text("\\n"),
                ' '..='~' => self.out.push(c),
                _ => write!(self.out, "\\u{{{:X}}}", c as u32).expect("a string grows"),
            }
        }
        self.out.push('"');
    }

    fn block(&mut self, block: &Block) {
        if block.stmts.is_empty() && block.tail.is_none() {
            return self.text("{ }");
        }
        self.text("{");
        self.indent += 1;
        for (index, stmt) in block.stmts.iter().enumerate() {
            self.line();
            let is_last = index + 1 == block.stmts.len() && block.tail.is_none();
            self.stmt(stmt, is_last);
        }
        if let Some(tail) = &block.tail {
            self.line();
            self.expr_at_statement(tail);
        }
        self.indent -= 1;
        self.line();
        self.text("}");
    }

    fn stmt(&mut self, stmt: &Stmt, is_last: bool) {
        match &stmt.kind {
            StmtKind::Let(binding) => self.binding(binding),
            StmtKind::Emit(event) => {
                self.text("emit ");
                self.payload(event);
                self.text(";");
            }
            StmtKind::While(while_loop) => {
                self.text("while ");
                self.cond(&while_loop.cond);
                self.loop_bounds(&while_loop.bounds);
                self.block(&while_loop.body);
            }
            StmtKind::For(for_loop) => {
                self.text("for ");
                self.pattern(&for_loop.pattern);
                self.text(" in ");
                match &for_loop.iter {
                    ForIter::Value(value) => self.expr(value, Context::HEAD),
                    ForIter::Range { start, end, inclusive } => {
                        self.expr(start, Context::HEAD);
                        self.text(if *inclusive { "..=" } else { ".." });
                        self.expr(end, Context::HEAD);
                    }
                }
                self.loop_bounds(&for_loop.bounds);
                self.block(&for_loop.body);
            }
            StmtKind::Expr(expr) => {
                self.expr_at_statement(expr);
                // Without `;` the last one would be the block's value.
                let ends_itself = expr.kind.is_block_like() && !is_last;
                self.text(if ends_itself { "" } else { ";" });
            }
            StmtKind::Error => self.text("/* unreadable statement */"),
        }
    }

    fn binding(&mut self, binding: &Let) {
        self.text("let ");
        self.bind_mode(binding.mode);
        self.pattern(&binding.pattern);
        if let Some(ty) = &binding.ty {
            self.text(": ");
            self.ty(ty);
        }
        self.text(" = ");
        self.expr(&binding.value, Context::PLAIN);
        self.text(";");
    }

    fn bind_mode(&mut self, mode: BindMode) {
        self.text(match mode {
            BindMode::Plain => "",
            BindMode::Mut => "mut ",
            BindMode::Const => "const ",
        });
    }

    fn loop_bounds(&mut self, bounds: &[LoopBound]) {
        self.text(" ");
        if bounds.is_empty() {
            return;
        }
        self.text("[");
        self.commas(bounds, |p, bound| {
            p.text(match bound.kind {
                LoopBoundKind::Gas => "gas: ",
                LoopBoundKind::Max => "max: ",
            });
            p.expr(&bound.value, Context::PLAIN);
        });
        self.text("] ");
    }

    /// An expression where a statement may stand: one that begins with a block would end there.
    fn expr_at_statement(&mut self, expr: &super::ast::Expr) {
        if !expr.kind.is_block_like() && exprs::would_end_early(expr) {
            self.parenthesized(expr);
        } else {
            self.expr(expr, Context::PLAIN);
        }
    }
}

/// Whether the text of an expression begins with `{`.
fn begins_with_block(mut expr: &super::ast::Expr) -> bool {
    loop {
        if matches!(expr.kind, ExprKind::Block(_)) {
            return true;
        }
        match exprs::left_part(expr) {
            Some(left) => expr = left,
            None => return false,
        }
    }
}
