//! Attributes: which exist, where they may stand, and what they say.
//!
//! The table below is the only list. Hints without meaning for the result (`#[inline]`, `#[hot]`) are accepted.

use alloy_primitives::{U256, keccak256};

use super::Sema;
use super::exact::Int;
use super::scope::closest;
use crate::diag::{Code, Diagnostics, Severity};
use crate::source::Span;
use crate::syntax::ast::{self, AttrArg, LiteralKind};

/// What an attribute stands in front of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Target {
    PubFunction,
    Function,
    Constructor,
    Fallback,
    PubMember,
    Member,
    Constant,
    PubConstant,
    Event,
    Error,
    Contract,
    InterfaceFunction,
    Struct,
    Group,
    Test,
    Other,
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Target::PubFunction => "a `pub` function",
            Target::Function => "a function that is no entry point",
            Target::Constructor => "a constructor",
            Target::Fallback => "`receive` or `fallback`",
            Target::PubMember => "a member",
            Target::Member => "a member that is not `pub`",
            Target::Constant => "a constant that is not `pub`",
            Target::PubConstant => "a constant",
            Target::Event => "an event",
            Target::Error => "an error",
            Target::Contract => "a contract",
            Target::InterfaceFunction => "a function of an interface",
            Target::Struct => "a struct",
            Target::Group => "a `state` group",
            Target::Test => "a test",
            Target::Other => "this item",
        }
    }
}

/// Name, and where it may stand.
const ATTRIBUTES: &[(&str, &[Target])] = {
    use Target::*;
    const FUNCTIONS: &[Target] = &[PubFunction, Function, Constructor, Fallback];
    const EVERYWHERE: &[Target] = &[
        PubFunction,
        Function,
        Constructor,
        Fallback,
        PubMember,
        Member,
        Constant,
        PubConstant,
        Event,
        Error,
        Contract,
        InterfaceFunction,
        Struct,
        Group,
        Test,
        Other,
    ];
    &[
        ("selector", &[PubFunction, PubMember, PubConstant, InterfaceFunction]),
        ("abi_name", &[PubFunction, PubMember, PubConstant, InterfaceFunction, Event, Error]),
        ("gas", &[PubFunction]),
        ("nonreentrant", &[PubFunction, Fallback]),
        ("reentrant", &[PubFunction, Fallback]),
        ("allow", EVERYWHERE),
        ("inline", FUNCTIONS),
        ("noinline", FUNCTIONS),
        ("hot", &[PubFunction]),
        ("copy", &[Struct]),
        ("unpacked", &[Struct]),
        ("slot", &[PubMember, Member]),
        ("layout_lock", &[Contract]),
        ("anonymous", &[Event]),
        ("optional_return", &[InterfaceFunction]),
        ("fuzz", &[Test]),
        ("ignore", &[Test]),
        ("create", &[Test]),
    ]
};

/// Attributes that contradict each other.
const EXCLUSIVE: &[(&str, &str)] = &[("reentrant", "nonreentrant"), ("inline", "noinline")];

/// What `#[selector(…)]` says.
pub(super) enum SelectorAttr {
    Number([u8; 4]),
    Signature(String, Span),
}

/// What `#[fuzz(runs = N)]` says; nothing if it says something else.
pub(super) fn fuzz_runs(attr: &ast::Attr) -> Option<u32> {
    match attr.args.as_slice() {
        [AttrArg::Named { name, value: ast::Literal { kind: LiteralKind::Int(int), .. } }]
            if name.as_str() == "runs" =>
        {
            u32::try_from(int.value).ok().filter(|&runs| runs > 0)
        }
        _ => None,
    }
}

/// Whether `#[allow(word)]` stands there.
pub(super) fn allows(attrs: &ast::Attrs, word: &str) -> bool {
    let allow = attrs.list.iter().filter(|attr| attr.name.as_str() == "allow");
    allow.flat_map(|attr| &attr.args).any(|arg| matches!(arg, AttrArg::Ident(name) if name.as_str() == word))
}

/// The lines of the documentation.
pub(super) fn docs(attrs: &ast::Attrs) -> Vec<String> {
    attrs.docs.iter().map(|line| line.text.to_string()).collect()
}

impl Sema<'_> {
    /// Reports attributes that are unknown, misplaced or repeated; notes which warnings they silence in the item, whose
    /// place is `span`.
    pub(super) fn check_attrs(&mut self, attrs: &ast::Attrs, target: Target, span: Span) {
        for (index, attr) in attrs.list.iter().enumerate() {
            let name = attr.name.as_str();
            let Some(&(_, targets)) = ATTRIBUTES.iter().find(|row| row.0 == name) else {
                let names = ATTRIBUTES.iter().map(|row| row.0);
                let hint = closest(name, names).map(|other| format!("; did you mean `{other}`?"));
                self.diags
                    .error(Code::UnknownAttribute, attr.name.span)
                    .arg("a", name)
                    .arg("hint", hint.unwrap_or_default());
                continue;
            };
            let repeated = attrs.list[..index].iter().any(|other| other.name.as_str() == name);
            if !targets.contains(&target) {
                self.diags
                    .error(Code::ItemNotAllowed, attr.span)
                    .arg("item", format!("#[{name}]"))
                    .arg("place", format!("front of {}", target.name()));
            } else if repeated && name != "allow" {
                self.diags
                    .error(Code::ItemNotAllowed, attr.span)
                    .arg("item", format!("#[{name}]"))
                    .arg("place", "this list twice");
            } else if let Some(other) = contradicted(name, &attrs.list[..index]) {
                self.diags
                    .error(Code::ItemNotAllowed, attr.span)
                    .arg("item", format!("#[{name}]"))
                    .arg("place", format!("front of an item with `#[{other}]`"));
            } else if name == "allow" {
                self.check_allow(attr, attrs.list[0].span.to(span));
            } else if name == "fuzz" && fuzz_runs(attr).is_none() {
                bad_argument(&mut self.diags, attr, "it takes the number of runs, `#[fuzz(runs = 1000)]`");
            } else if name == "create" && attr.args.iter().any(|arg| matches!(arg, AttrArg::Named { .. })) {
                bad_argument(
                    &mut self.diags,
                    attr,
                    "it takes what the constructor gets, literals and constants, `#[create(5, OWNER)]`",
                );
            } else if [
                "ignore",
                "anonymous",
                "inline",
                "noinline",
                "hot",
                "optional_return",
                "reentrant",
                "nonreentrant",
            ]
            .contains(&name)
                && !attr.args.is_empty()
            {
                bad_argument(&mut self.diags, attr, "it takes no argument");
            }
        }
    }

    /// Checks what `#[allow(…)]` names, and notes the warnings among it for the item at `place`.
    fn check_allow(&mut self, attr: &ast::Attr, place: Span) {
        let mut names = attr.args.iter().map(|arg| match arg {
            AttrArg::Ident(name) if name.as_str() == "delegatecall" => Some(None),
            AttrArg::Ident(name) => {
                let code = Code::ALL.iter().find(|code| code.id() == name.as_str());
                code.filter(|code| code.severity() == Severity::Warning).map(|&code| Some(code))
            }
            _ => None,
        });
        let codes: Option<Vec<_>> = names.by_ref().collect();
        match codes.filter(|codes| !codes.is_empty()) {
            Some(codes) => self.allowed.extend(codes.into_iter().flatten().map(|code| (code, place))),
            None => bad_argument(
                &mut self.diags,
                attr,
                "it takes codes of warnings and `delegatecall`, `#[allow(W0901)]`",
            ),
        }
    }

    /// What `#[abi_name("…")]` says.
    pub(super) fn abi_name(&mut self, attrs: &ast::Attrs) -> Option<String> {
        let attr = attrs.find("abi_name")?;
        if let [AttrArg::Literal(ast::Literal { kind: LiteralKind::Str(name), .. })] = attr.args.as_slice()
            && is_identifier(name)
        {
            return Some(name.to_string());
        }
        bad_argument(&mut self.diags, attr, "it takes one name in quotes, `#[abi_name(\"transfer\")]`");
        None
    }

    /// What `#[layout_lock("…")]` says: a file, and where the attribute stands.
    pub(super) fn layout_lock(&mut self, attrs: &ast::Attrs) -> Option<(String, Span)> {
        let attr = attrs.find("layout_lock")?;
        if let [AttrArg::Literal(ast::Literal { kind: LiteralKind::Str(file), .. })] = attr.args.as_slice()
            && !file.is_empty()
        {
            return Some((file.to_string(), attr.span));
        }
        bad_argument(&mut self.diags, attr, "it takes the name of a file, `#[layout_lock(\"layout.json\")]`");
        None
    }

    /// What `#[gas(max = N)]` says: a positive number (K0603), and where the attribute stands.
    pub(super) fn gas_max(&mut self, attrs: &ast::Attrs) -> Option<(u64, Span)> {
        let attr = attrs.find("gas")?;
        let value = match attr.args.as_slice() {
            [AttrArg::Named { name, value }] if name.as_str() == "max" => value,
            _ => {
                let what = "it takes the most that a call may cost, `#[gas(max = 30_000)]`";
                bad_argument(&mut self.diags, attr, what);
                return None;
            }
        };
        let number = match &value.kind {
            LiteralKind::Int(int) => u64::try_from(int.value).ok().filter(|&number| number > 0),
            _ => None,
        };
        if number.is_none() {
            self.diags.error(Code::AnnotationNotPositive, value.span).arg("annotation", "gas(max)");
        }
        number.map(|number| (number, attr.span))
    }

    /// What `#[selector(…)]` says.
    pub(super) fn selector_attr(&mut self, attrs: &ast::Attrs) -> Option<SelectorAttr> {
        let attr = attrs.find("selector")?;
        match attr.args.as_slice() {
            [AttrArg::Literal(ast::Literal { kind: LiteralKind::Str(signature), span })] => {
                return Some(SelectorAttr::Signature(signature.to_string(), *span));
            }
            [AttrArg::Literal(ast::Literal { kind: LiteralKind::Int(int), .. })] => {
                if let Ok(number) = u32::try_from(int.value) {
                    return Some(SelectorAttr::Number(number.to_be_bytes()));
                }
            }
            _ => {}
        }
        bad_argument(
            &mut self.diags,
            attr,
            "it takes four bytes or a signature, `#[selector(\"f(uint256)\")]`",
        );
        None
    }

    /// The slot that `#[slot(…)]` says.
    pub(super) fn slot_attr(&mut self, attrs: &ast::Attrs) -> Option<(U256, Span)> {
        let attr = attrs.find("slot")?;
        match attr.args.as_slice() {
            [AttrArg::Literal(ast::Literal { kind: LiteralKind::Int(int), .. })] => {
                if let Some(slot) = Int::new(false, int.value).to_word(super::types::IntType::U256) {
                    return Some((slot, attr.span));
                }
            }
            [AttrArg::Literal(ast::Literal { kind: LiteralKind::Str(id), .. })] => {
                if let Some(id) = id.strip_prefix("erc7201:") {
                    return Some((erc7201_slot(id), attr.span));
                }
            }
            _ => {}
        }
        bad_argument(&mut self.diags, attr, "it takes a slot number or `\"erc7201:namespace\"`");
        None
    }
}

/// The attribute before this one that it contradicts.
fn contradicted<'a>(name: &str, before: &'a [ast::Attr]) -> Option<&'a str> {
    before
        .iter()
        .map(|other| other.name.as_str())
        .find(|&other| EXCLUSIVE.iter().any(|&(a, b)| (a, b) == (name, other) || (b, a) == (name, other)))
}

fn bad_argument(diags: &mut Diagnostics, attr: &ast::Attr, what: &str) {
    let name = attr.name.as_str();
    diags
        .error(Code::ItemNotAllowed, attr.span)
        .arg("item", format!("#[{name}]"))
        .arg("place", "this form")
        .label(what);
}

/// Whether `text` could be the name of a function.
pub(super) fn is_identifier(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_' || first == b'$')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$')
}

/// The first slot of an ERC-7201 name space.
fn erc7201_slot(id: &str) -> U256 {
    let inner = U256::from_be_bytes(keccak256(id.as_bytes()).0).wrapping_sub(U256::from(1));
    let outer = U256::from_be_bytes(keccak256(inner.to_be_bytes::<32>()).0);
    outer & !U256::from(0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erc7201_gives_the_published_slot() {
        // The example of the ERC: "example.main".
        let slot = format!("{:#x}", erc7201_slot("example.main"));
        assert_eq!(slot, "0x183a6125c38840424c4a85fa12bab2ab606c4b6d0e7cc73c0c06ba5300eab500");
    }
}
