//! Contracts and what only they contain.

use super::items::{Items, body, check_qualifiers, element, misplaced};
use super::signatures::{Qualifiers, attrs, function, qualifiers, ret};
use super::types::{annotation, path};
use crate::syntax::ast::{
    Constructor, Contract, ContractItem, ContractItemKind, Fallback, Member, Receive, StateDecl, StateGroup,
};
use crate::syntax::parser::{
    Cursor, Parsed, Rule, StartOf, bump, comma_list, eat, expect, expect_ident, expect_semi, rule, run,
    unexpected,
};
use crate::syntax::token::{Expected, Part, T};

/// `Contract`
pub(super) fn contract(items: &Items) -> Rule<Contract> {
    let item = element(contract_item(items));
    rule(move |input| {
        expect(input, T![contract])?;
        let name = expect_ident(input)?;
        let mut interfaces = Vec::new();
        if eat(input, T![:]).is_some() {
            interfaces.push(path(input)?);
            while eat(input, T![,]).is_some() {
                interfaces.push(path(input)?);
            }
        }
        Ok(Contract { name, interfaces, items: body(input, &item)? })
    })
}

/// `ContractItem`
fn contract_item(items: &Items) -> Rule<ContractItem> {
    let items = items.clone();
    rule(move |input| {
        let attrs = attrs(input)?;
        let start = StartOf::here(input);
        let mut found = Qualifiers::default();
        qualifiers(input, &mut found);
        let token = input.peek();
        check_qualifiers(input, &found)?;
        let kind = match token {
            Some(T![constructor]) => ContractItemKind::Constructor(items.constructor(input)?),
            Some(T![receive]) => ContractItemKind::Receive(items.receive(input)?),
            Some(T![fallback]) => ContractItemKind::Fallback(items.fallback(input)?),
            Some(T![test]) => ContractItemKind::Test(items.test(input)?),
            Some(T![state]) => items.state(input)?,
            Some(T![table]) => ContractItemKind::Table(items.member(input)?),
            Some(T![immutable]) => ContractItemKind::Immutable(items.member(input)?),
            Some(T![transient]) => ContractItemKind::Transient(items.member(input)?),
            Some(T![const]) => ContractItemKind::Const(items.constant(input)?),
            Some(T![struct]) => ContractItemKind::Struct(items.structure(input)?),
            Some(T![enum]) => ContractItemKind::Enum(items.enumeration(input)?),
            Some(T![error]) => ContractItemKind::Error(items.error(input)?),
            Some(T![event]) => ContractItemKind::Event(items.event(input)?),
            Some(T![fn]) => ContractItemKind::Fn(function(&items.g, &items.params, input, &mut found)?),
            Some(T![use] | T![impl] | T![interface] | T![contract]) => {
                return Err(misplaced(input, "a contract; it belongs into a module"));
            }
            _ => return Err(unexpected(input, Expected::part(Part::Item).and(Expected::token(T!['}'])))),
        };
        Ok(ContractItem { attrs, public: found.public, kind, span: start.span(input) })
    })
}

impl Items {
    /// `StateDecl` or `StateGroup`
    fn state(&self, input: &mut Cursor<'_>) -> Parsed<ContractItemKind> {
        let start = StartOf::here(input);
        expect(input, T![state])?;
        if eat(input, T!['{']).is_some() {
            let (fields, _) = comma_list(input, T!['}'], |input| self.field(input))?;
            return Ok(ContractItemKind::StateGroup(StateGroup { fields }));
        }
        let name = expect_ident(input)?;
        let ty = annotation(&self.g, input)?;
        let init = match eat(input, T![=]) {
            Some(_) => Some(run(input, &self.g.expr)?),
            None => None,
        };
        expect_semi(input, &start)?;
        Ok(ContractItemKind::State(StateDecl { name, ty, init }))
    }

    /// `TableDecl`, `Immutable` or `Transient`
    fn member(&self, input: &mut Cursor<'_>) -> Parsed<Member> {
        let start = StartOf::here(input);
        bump(input);
        let name = expect_ident(input)?;
        let ty = annotation(&self.g, input)?;
        expect_semi(input, &start)?;
        Ok(Member { name, ty })
    }

    /// `Constructor`
    fn constructor(&self, input: &mut Cursor<'_>) -> Parsed<Constructor> {
        bump(input);
        let params = run(input, &self.plain_params)?;
        let payable = eat(input, T![payable]);
        Ok(Constructor { params, payable, body: run(input, &self.g.block)? })
    }

    /// `Receive`
    fn receive(&self, input: &mut Cursor<'_>) -> Parsed<Receive> {
        bump(input);
        expect(input, T!['('])?;
        expect(input, T![')'])?;
        expect(input, T![payable])?;
        Ok(Receive { body: run(input, &self.g.block)? })
    }

    /// `Fallback`
    fn fallback(&self, input: &mut Cursor<'_>) -> Parsed<Fallback> {
        bump(input);
        let mut params = run(input, &self.plain_params)?;
        if params.len() > 1 {
            return Err(misplaced_param(&params[1]));
        }
        let payable = eat(input, T![payable]);
        let ret = ret(&self.g, input)?;
        Ok(Fallback { param: params.pop(), payable, ret, body: run(input, &self.g.block)? })
    }
}

fn misplaced_param(param: &crate::syntax::ast::Param) -> crate::syntax::parser::ParseError {
    let mut diagnostic = crate::diag::Diagnostic::new(crate::diag::Code::ItemNotAllowed, param.span);
    diagnostic.arg("item", &param.name.name).arg("place", "`fallback`, which has at most one parameter");
    crate::syntax::parser::ParseError::other(diagnostic)
}
