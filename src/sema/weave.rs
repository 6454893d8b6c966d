//! Where `test` items become code (§16): each is woven into the tree as an entry point.
//!
//! A test of the module gets a contract of its own, which nothing else is in. The tests of a contract are entry points of
//! a copy of it, so that the contract itself stays what is deployed; those with `#[create(…)]` of a copy whose constructor
//! has these values in place of its parameters. No name of either can be written in a source.

use std::collections::HashSet;
use std::sync::Arc;

use super::attrs::fuzz_runs;
use crate::source::{Source, Span};
use crate::syntax::ast::{self, AttrArg, ContractItemKind, ModuleItemKind};

/// How many inputs a property runs with, unless it says.
const RUNS_DEFAULT: u32 = 256;

/// A test of the root module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// The name between the quotes.
    pub name: String,
    /// Where the item stands.
    pub span: Span,
    /// The contract in which it is declared.
    pub declared_in: Option<String>,
    /// The contract of the typed tree that holds it.
    pub contract: String,
    /// The entry point that it is.
    pub function: String,
    /// How many inputs it runs with, if it has parameters.
    pub runs: u32,
    /// Whether it is `#[ignore]`.
    pub is_ignored: bool,
}

/// Adds to a tree what runs its tests, and says what they are, in source order.
pub fn weave(tree: &mut ast::Module) -> Vec<Test> {
    let (mut tests, mut added) = (Vec::new(), Vec::new());
    for item in &tree.items {
        match &item.kind {
            ModuleItemKind::Test(test) => {
                let function = function_name(test);
                let contract = ast::Contract {
                    name: ast::Ident { name: function.clone(), span: name_span(item.span) },
                    interfaces: Vec::new(),
                    items: vec![entry(test, &item.attrs, item.span)],
                };
                tests.push(describe(test, &item.attrs, item.span, None, &function));
                added.push(with_contract(contract, item.span));
            }
            ModuleItemKind::Contract(contract) => {
                let is_test = |item: &&ast::ContractItem| matches!(item.kind, ContractItemKind::Test(_));
                if !contract.items.iter().any(|item| is_test(&item)) {
                    continue;
                }
                let attrs = contract.items.iter().filter(is_test).map(|item| create_args(&item.attrs));
                let mut ways: Vec<Option<Vec<ast::Expr>>> = Vec::new();
                for way in attrs {
                    if !ways.contains(&way) {
                        ways.push(way);
                    }
                }
                for (nth, way) in ways.iter().enumerate() {
                    let copy_name: Arc<str> = match nth {
                        0 => format!("test of {}", contract.name.name).into(),
                        _ => format!("test of {} #{}", contract.name.name, nth + 1).into(),
                    };
                    let declared_in = contract.name.name.to_string();
                    let mut copy = contract.clone();
                    copy.name.name = copy_name.clone();
                    copy.items.retain(|inner| !is_test(&inner) || create_args(&inner.attrs) == *way);
                    for inner in &mut copy.items {
                        match &mut inner.kind {
                            ContractItemKind::Test(test) => {
                                let declared_in = Some(declared_in.clone());
                                tests.push(describe(test, &inner.attrs, inner.span, declared_in, &copy_name));
                                *inner = entry(test, &inner.attrs, inner.span);
                            }
                            ContractItemKind::Constructor(constructor) => {
                                give(constructor, way.as_deref().unwrap_or_default());
                            }
                            _ => {}
                        }
                    }
                    added.push(with_contract(copy, item.span));
                }
            }
            _ => {}
        }
    }
    tree.items.extend(added);
    tests.sort_by_key(|test: &Test| test.span.start);
    tests
}

/// The values of `#[create(…)]`: literals and names of constants, unlike those of every other test.
fn create_args(attrs: &ast::Attrs) -> Option<Vec<ast::Expr>> {
    let given = |arg: &AttrArg| {
        let (kind, span) = match arg {
            AttrArg::Literal(literal) => (ast::ExprKind::Literal(literal.clone()), literal.span),
            AttrArg::Ident(name) => {
                let path = ast::Path { segments: vec![name.clone()], span: name.span };
                (ast::ExprKind::Path(path), name.span)
            }
            AttrArg::Named { .. } => return None,
        };
        Some(ast::Expr { kind, span })
    };
    attrs.find("create")?.args.iter().map(given).collect()
}

/// Binds the parameters of a constructor to values; nothing if they are not as many, which is reported elsewhere.
fn give(constructor: &mut ast::Constructor, values: &[ast::Expr]) {
    if values.len() != constructor.params.len() {
        return;
    }
    let bind = |(param, value): (ast::Param, &ast::Expr)| {
        let path = ast::Path { span: param.name.span, segments: vec![param.name] };
        let span = path.span;
        let pattern = ast::Pattern { kind: ast::PatternKind::Path { path, args: None }, span };
        let decl = ast::Let { mode: param.mode, pattern, ty: Some(param.ty), value: value.clone() };
        ast::Stmt { kind: ast::StmtKind::Let(decl), span: param.span }
    };
    let params = std::mem::take(&mut constructor.params);
    constructor.body.stmts.splice(0..0, params.into_iter().zip(values).map(bind));
}

/// Every word in the tests of a module.
pub(super) fn words<'s>(tree: &ast::Module, source: &'s Source) -> HashSet<&'s str> {
    let inner = tree.items.iter().flat_map(|item| match &item.kind {
        ModuleItemKind::Contract(contract) => contract.items.as_slice(),
        _ => &[],
    });
    let inner = inner.filter(|item| matches!(item.kind, ContractItemKind::Test(_))).map(|item| item.span);
    let outer = tree.items.iter().filter(|item| matches!(item.kind, ModuleItemKind::Test(_)));
    let spans = outer.map(|item| item.span).chain(inner);
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    spans.flat_map(|span| source.slice(span).split(move |letter| !is_letter(letter))).collect()
}

/// Whether only a test has this name.
pub(super) fn is_test_name(name: &str) -> bool {
    name.starts_with("test ")
}

fn function_name(test: &ast::Test) -> Arc<str> {
    format!("test \"{}\"", test.name).into()
}

/// The word `test`, where messages about the whole test point.
fn name_span(item: Span) -> Span {
    Span::new(item.start, item.end.min(item.start + "test".len() as u32))
}

fn describe(
    test: &ast::Test,
    attrs: &ast::Attrs,
    span: Span,
    declared_in: Option<String>,
    contract: &str,
) -> Test {
    Test {
        name: test.name.to_string(),
        span,
        declared_in,
        contract: contract.to_owned(),
        function: function_name(test).to_string(),
        runs: attrs.find("fuzz").and_then(fuzz_runs).unwrap_or(RUNS_DEFAULT),
        is_ignored: attrs.find("ignore").is_some(),
    }
}

/// The function that a test is. Its attributes were looked at where it is declared; it keeps what silences warnings.
fn entry(test: &ast::Test, attrs: &ast::Attrs, span: Span) -> ast::ContractItem {
    let list = attrs.list.iter().filter(|attr| attr.name.as_str() == "allow").cloned().collect();
    let sig = ast::FnSig {
        name: ast::Ident { name: function_name(test), span: name_span(span) },
        receiver: None,
        params: test.params.clone(),
        view: None,
        payable: None,
        ret: None,
        span,
    };
    ast::ContractItem {
        attrs: ast::Attrs { docs: Vec::new(), list },
        public: Some(name_span(span)),
        kind: ContractItemKind::Fn(ast::Fn { sig, body: test.body.clone() }),
        span,
    }
}

fn with_contract(contract: ast::Contract, span: Span) -> ast::ModuleItem {
    let kind = ModuleItemKind::Contract(contract);
    ast::ModuleItem { attrs: ast::Attrs::default(), public: None, kind, span }
}
