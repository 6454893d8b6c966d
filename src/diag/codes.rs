//! THE table of diagnostic codes: id, title and explanation, each written once.
//!
//! Rows are grouped as the language reference groups them: `K00` text and grammar, `K01` names, `K02` types,
//! `K03` ownership, `K04` functions and contracts, `K05` calls, `K06` gas, `K07` layout and ABI, `K08`
//! errors and events, `K099` the compiler itself, `W09` warnings. Ids are stable: a row may be reworded,
//! never renumbered. `{name}` in a title is filled by [`Diagnostic::arg`](super::Diagnostic::arg).

use super::Severity;

macro_rules! define_codes {
    ($( $id:literal $Name:ident $title:literal $explanation:literal )*) => {
        /// A kind of mistake.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(
                #[doc = concat!("`", $id, "`: ", $title)]
                $Name,
            )*
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Code] = &[$( Code::$Name ),*];

            /// The stable id, such as `K0201`.
            pub const fn id(self) -> &'static str {
                match self { $( Code::$Name => $id, )* }
            }

            /// The title with its placeholders.
            pub const fn title(self) -> &'static str {
                match self { $( Code::$Name => $title, )* }
            }

            /// What `kalixc explain` prints.
            pub const fn explanation(self) -> &'static str {
                match self { $( Code::$Name => $explanation, )* }
            }
        }
    };
}

define_codes! {
    "K0001" UnexpectedToken "unexpected {tok}, expected {set}"
        "The text does not follow the grammar at this place. The message lists what could stand here. The parser then goes on at the next `;`, `}` or item, so later messages are about other places."
    "K0002" CharacterNotAllowed "character `{c}` is not allowed outside strings and comments"
        "Names, numbers and operators are written in ASCII. Other characters may stand only inside string literals and comments. A look-alike letter copied from a document is a common cause."
    "K0003" BidiControl "bidirectional control character U+{n} is not allowed"
        "Such characters change the order in which text is shown, so a reader could be shown another program than the compiler reads. They are rejected everywhere, also in comments and strings; write an escape such as `\\u{202E}` in a string."
    "K0004" Unterminated "unterminated {what}, opened here"
        "A string literal ends with `\"` on the same line, and every `/*` needs its own `*/`, because block comments nest."
    "K0005" AddressChecksum "address literal has a wrong checksum; expected `{addr}`"
        "A hexadecimal literal of forty digits is an address. If it mixes upper and lower case, the case is a checksum (EIP-55). Check the address; write it in one case to go without the checksum."
    "K0006" IntegerTooLarge "integer literal `{lit}` exceeds 512 bits"
        "Literals are exact integers of at most 512 bits. No type of the language holds a larger one."
    "K0007" UnknownEscape "unknown escape `\\{c}`"
        "The escapes are `\\n`, `\\r`, `\\t`, `\\0`, `\\\"`, `\\\\`, `\\x7F` and `\\u{1F600}`. In `b\"…\"` there are no `\\u` escapes, and `\\xNN` reaches FF."
    "K0008" NestedTooDeeply "{what} is nested more than {n} levels deep"
        "Every stage of the compiler walks the tree recursively, so its depth is limited. Long chains of operators count too: give parts of the expression a name with `let`, or move them into functions."
    "K0011" RepeatedQualifier "qualifier `{q}` is repeated"
        "`pub`, `view` and `payable` may each be written once for a function, before `fn` or after the parameters."
    "K0012" AssignmentAsCondition "assignment used as a condition; did you mean `==`?"
        "An assignment is an expression, but as the condition of `if`, `while` or a `match` guard it is nearly always a mistyped comparison, so it is rejected."
    "K0013" ChainedComparison "comparisons cannot be chained; write `a < b && b < c`"
        "`a < b < c` would compare a `bool` with `c`. Write both comparisons and join them with `&&`."
    "K0014" UnknownAttribute "unknown attribute `{a}`{hint}"
        "Attributes are a closed list, so that a misspelled one cannot be silently without effect."
    "K0101" NotFound "cannot find `{name}` in this scope{hint}"
        "No local, item, import or predeclared name is called so here. State members are reached as `state.name`."
    "K0102" AlreadyDefined "`{name}` is already defined here"
        "A name is defined once per scope, and a local may not take the name of another local of its function or of an item."
    "K0103" FieldNotFunction "`{name}` is a field, not a function; remove `()`"
        "`msg`, `tx`, `block` and `self` have fields, such as `msg.sender`."
    "K0104" ResourceWithoutState "`{name}` is a resource; write `state.{name}`"
        "Members of the storage are reached only through `state.` (or `transient.`), so that every access to storage can be seen in the text."
    "K0105" ModuleNotFound "module `{m}` not found; looked for `{path}`"
        "A module is a file below the package's `src/`; `a::b` is `src/a/b.kalix`."
    "K0106" ImportCycle "import cycle: {cycle}"
        "Modules may not import each other in a circle. Move what both need into a third module."
    "K0107" PrivateItem "`{item}` is private to module `{m}`"
        "Items are visible in their own module only, unless they are `pub`."
    "K0108" NoMember "contract `{c}` has no member `{m}`"
        "`state.x`, `transient.x` and `C::x` reach the members that the contract declares."
    "K0109" ReservedWord "`{word}` is reserved"
        "This word is kept for a later version of the language and cannot be a name."
    "K0110" DefinedTwice "`{f}` is defined twice; overloading is not supported, use `#[abi_name]`"
        "Each name means one thing. Two functions may have the same external name through `#[abi_name(\"…\")]`."
    "K0201" MismatchedTypes "mismatched types: expected `{a}`, found `{b}`"
        "The value has another type than its place requires. There are no implicit conversions; convert with `as`."
    "K0202" ConditionNotBool "condition must be `bool`, found `{t}`"
        "`if`, `while`, `require`, `!`, `&&` and `||` take `bool`. Compare a number with 0 explicitly."
    "K0203" LiteralDoesNotFit "literal `{n}` does not fit `{t}` (range {lo}..{hi})"
        "A literal takes the type that its place requires and has to fit it."
    "K0204" OperatorMismatch "cannot apply `{op}` to `{a}` and `{b}`{hint}"
        "Both operands of an arithmetic, bit or comparison operator have the same type."
    "K0205" InvalidCast "cannot cast `{a}` to `{b}`"
        "`as` converts between integers, from `bool` to integers, and between types with the same representation, as the table of conversions lists."
    "K0206" NoFieldOrMethod "`{t}` has no field or method `{m}`"
        "The type has no member of this name."
    "K0207" WrongArgumentCount "wrong number of arguments: expected {n}, found {m}"
        "A call gives every parameter one argument; there are no default arguments."
    "K0208" CannotInferInteger "cannot infer the integer type of `{x}`; annotate it, e.g. `{annotated}`"
        "There is no default integer type. A mutable variable takes the type of the first use that fixes it; here none does."
    "K0209" ConstantFaults "constant evaluation faults: {reason}"
        "The expression is evaluated at compile time and overflows, divides by zero or indexes out of range."
    "K0210" CopyNeedsCopyFields "`#[copy]` needs Copy fields, but `{f}: {t}` is not Copy"
        "A struct can be copied implicitly only if all its fields can."
    "K0211" RecursiveType "type `{t}` contains itself"
        "A value of the type would have no finite size. Break the circle with a `Map` or an index."
    "K0212" MissingFields "missing field(s) {list} in `{t}` literal"
        "A struct literal names every field once."
    "K0213" MatchNotExhaustive "`match` does not cover {patterns}"
        "Every possible value needs an arm. Add the missing ones, or `_` for all others."
    "K0214" UnusedResult "this `Result` is not used; handle it, add `?`, or write `let _ =`"
        "An error that nobody looks at is lost. Propagate it with `?`, match it, or discard it visibly."
    "K0215" InvalidMapKey "`{t}` cannot be a map key"
        "Keys are Copy types, `bytes`, `string`, or tuples of these."
    "K0216" MissingReturn "not every path returns a value of type `{t}`"
        "The function's body can end without a value."
    "K0217" NotConstant "expression is not constant: {reason}"
        "Constants, array lengths and loop annotations are evaluated at compile time, from literals, constants, operators, casts and hashes of constants."
    "K0218" CannotInferType "nothing here says which type `{x}` has; annotate it"
        "The type of `None`, `Ok(…)`, `Err(…)`, `Vec::new()` or `abi.decode(…)` comes from its place: an annotated `let`, a parameter, a field or a result."
    "K0219" TooLarge "{what} are more than this compiler takes"
        "Sizes are bounded so that the time and memory of compiling are. Split the item, or give parts of it names of their own."
    "K0301" UseAfterMove "use of moved value `{x}`; moved here; consider `.clone()`"
        "Using a value of a move type by value moves it, and it can be used once. Borrow it with `&`, or copy it with `.clone()`."
    "K0302" NotMutable "cannot assign to `{x}`: it is not `mut`"
        "Bindings and parameters are immutable unless they are declared `mut`."
    "K0303" MutablyBorrowed "`{place}` is mutably borrowed here and accessed here"
        "While a `&mut` borrow lives, the place is reached only through it. A binding's borrow ends with its block."
    "K0304" WriteWhileBorrowed "cannot write `{place}` while it is borrowed here"
        "While a `&` borrow lives, the place does not change. A binding's borrow ends with its block."
    "K0305" CallAccessesBorrowed "call to `{f}` accesses `{resource}`, which is borrowed here"
        "A call counts as an access to every resource that the called function reads or writes."
    "K0306" StorageNotCopied "`{place}` is in storage and is not copied implicitly; use `.load()`, `&` or `&mut`"
        "Copying a struct or array from storage costs a read per slot, so it is written out: `.load()` copies, `&` borrows."
    "K0307" ReferenceNotAllowed "references are not allowed in {position}"
        "References may be the type of a `let` binding or of a parameter of a function that is not `pub`, and nothing else."
    "K0308" MapOnlyInStorage "`Map` exists only in storage; it cannot be {what}"
        "A `Map` is a rule for finding slots, not a value that could be created, moved or copied."
    "K0309" MoveOutOfBorrowed "`{place}` is {what}, so it cannot be moved away; use `.clone()`"
        "An element or what a reference refers to belongs to another value, which would be left with a hole. Copy it with `.clone()`, borrow it with `&`, or take it out with `pop`."
    "K0401" NotAFunction "cannot call `{f}`: it is not a function"
        "Only functions, methods, errors, events, variants with a payload, and handle types can be applied to arguments."
    "K0402" Recursion "recursion is not supported: {cycle}"
        "The call graph has no cycles, so that frames, stack and gas bounds are known at compile time. Use a loop."
    "K0403" SecondConstructor "a contract has one {item}; the first is here"
        "`constructor`, `receive` and `fallback` may each be declared once."
    "K0404" ItemNotAllowed "`{item}` is not allowed in {place}"
        "Modules, contracts, interfaces and `impl` blocks each take certain items only."
    "K0405" ViewHasEffect "`{f}` is `view` but {effect} here"
        "A `view` function writes no storage, moves no value, emits no event and calls nothing that does."
    "K0406" SelfIsContract "`self` is the contract here; storage is `state.{x}`"
        "In a contract's function `self` has `address` and `balance`; members live under `state.` and `transient.`."
    "K0407" ValueNotPayable "`msg.value` used, but `{f}` is not `payable`"
        "A function that is not `payable` rejects calls with value, so `msg.value` would always be 0."
    "K0408" TargetNotPayable "`{f}` is not payable, so `value:` is not allowed"
        "The called function would reject the value."
    "K0409" ReturnMismatch "`return` type mismatch: `{f}` returns `{a}`, this is `{b}`"
        "Every `return` gives a value of the declared type."
    "K0411" InterfaceNotImplemented "`{C}` does not implement `{I}.{f}`: {reason}"
        "A contract that names an interface has, for each of its functions, a `pub` function or getter with the same signature and mutability."
    "K0413" ArgumentNotConstant "argument for `const` parameter `{p}` is not constant"
        "A `const` parameter is known at compile time in every call."
    "K0501" CallWhileBorrowed "external call while `{place}` is mutably borrowed; the borrow starts here; end its block first"
        "The called contract may call back and change what the borrow refers to. Copy the fields you need into locals and end the borrow's block before the call."
    "K0503" TryNeedsExternalCall "`try` applies to external calls and `new`, not to `{e}`; use `?`"
        "`try` catches the failure of another contract. An internal `Result` is propagated with `?` or matched."
    "K0506" DelegateCallNotAllowed "`delegate_call` needs `#[allow(delegatecall)]` on `{f}`"
        "The called code runs with this contract's storage and can change all of it, so the function has to say that it wants this."
    "K0507" CreationCycle "creation cycle: {cycle}"
        "The code of a created contract is embedded in its creator; a circle would have no finite size."
    "K0508" OpcodeMissing "`{builtin}` needs opcode {op}, which target `{t}` lacks"
        "Hedera and post-quantum operations exist on target `zvm` only."
    "K0601" GasAboveMax "`{f}` may use {n} gas, above `#[gas(max = {m})]`; the costliest path is shown"
        "The static bound assumes cold storage and stores from zero to non-zero."
    "K0602" GasUnbounded "gas of `{f}` is unbounded because of this loop; add `[max: N]`"
        "A bound needs a trip count that is constant or limited by `max`."
    "K0603" AnnotationNotPositive "`{annotation}` must be a positive constant"
        "Loop and gas annotations are constants greater than 0."
    "K0604" IterationGasAbove "one iteration may cost {n} gas, above `[gas: {m}]`"
        "The bound covers one run of the loop's body and condition, external calls excluded."
    "K0701" SlotOverlap "`{a}` and `{b}` overlap at slot {s}"
        "An explicit `#[slot(…)]` falls on a slot that another member uses."
    "K0702" LayoutChanged "layout changed: `{x}` {change} (recorded in {file})"
        "An upgraded contract would read the old storage wrongly. Append members, or keep their slots with `#[slot(…)]`."
    "K0703" NotStorable "`{t}` cannot be stored{place}"
        "References, `Result` and handles to nothing have no storage form."
    "K0704" NotAbiType "`{t}` is not an ABI type in {place}"
        "`Option`, `Result`, enums with payload, `Map` and references cannot cross a contract's border."
    "K0705" IncompatibleSignature "signature `{sig}` is incompatible with {what}"
        "The signature of `#[selector(\"…\")]` has one type per parameter, each the same or an integer of the same signedness and at least the same width."
    "K0706" SelectorCollision "selector {sel} is shared by `{f}` and `{g}`"
        "Calls are dispatched by four bytes of the signature's hash, and these two have the same. Rename one, or give it a `#[selector(…)]`."
    "K0708" RemoveOfContainer "`remove` on a value that contains `{what}`"
        "The slots of a nested `Map` or `Vec` cannot be listed, so they cannot be zeroed."
    "K0710" RuntimeEmitImpossible "`--emit runtime` is impossible: `{C}` has {what}"
        "Runtime code alone does not run the constructor, initialisers or immutables."
    "K0711" CodeTooLarge "{what} code is {n} bytes, limit {m}; largest functions: {list}"
        "The target limits the size of a contract's code. Split the contract, or share code between functions."
    "K0713" ImmutableMisused "immutable `{x}` is {what}"
        "An immutable is assigned in the constructor, on every path, and nowhere else; it is not read before, not by a function that the constructor calls either."
    "K0801" QuestionConversion "`?` cannot convert `{E1}` to `{E2}`; return `Result<_, Error>` or map it"
        "`?` passes an error on unchanged, or converts it to the predeclared `Error`."
    "K0802" NotAnError "`{x}` is not an error"
        "`revert`, `require` and `Err` take an error that is declared with `error`."
    "K0803" TooManyIndexed "event `{E}` has {n} indexed fields, at most {m}"
        "A log has four topics, and the first is the event's signature unless the event is `#[anonymous]`."
    "K0804" QuestionOutsideResult "`?` outside a function returning `Result` or `Option`"
        "`?` returns early with the error, so the function has to return one."
    "K0805" EmitNeedsEvent "`emit` needs an event, `{x}` is {kind}"
        "`emit` takes an event that is declared with `event`."
    "K0806" VmOutsideTest "`vm` is only available in `test`"
        "`vm` controls the world of a test; a contract has no such power."
    "K0998" Unsupported "{what} is not supported yet"
        "This is part of the language, but this version of the compiler cannot translate it. It reports it here and writes nothing, so that no wrong code can come out."
    "K0999" Internal "internal compiler error: {detail}"
        "The compiler found an inconsistency of its own. Nothing is written. Please report it with the source text."
    "W0901" Unused "unused {what} `{x}`"
        "Nothing uses it. Remove it, or let its name begin with `_`."
    "W0902" UnboundedLoop "loop has no static bound; `{f}` has no gas bound"
        "Add `[max: N]` to bound the number of iterations, or `[gas: N]` to state the cost of one."
    "W0903" TxOrigin "`tx.origin` must not be used for authorisation"
        "`tx.origin` is the account that started the transaction, and any contract that it calls can call this one. Compare `msg.sender`."
    "W0904" Unreachable "unreachable {what}"
        "No value or path leads here."
    "W0905" ReentrantObserves "`#[reentrant]`: `{f}` may observe `{resource}` half-updated during the call here"
        "The reentrancy rule would refuse this entry while the call is running; `#[reentrant]` waives it."
    "W0906" WriteBeforeErr "state is written here before `Err` is returned to a caller that handles it"
        "An `Err` does not undo what was written; only a revert does."
    "W0907" SelectorNotDerived "clients that derive selectors from the signature will not match `#[selector({s})]`"
        "A numeric selector leaves the signature as it is, so tools that hash the signature find another one."
    "W0908" CouldBeView "`{f}` does not write state; mark it `view`"
        "A `view` function can be called without a transaction."
    "W0909" CallDataNotDecoded "return value of low-level call data is not decoded; callee may be any code"
        "A low-level call succeeds with any data, also from an account without code."
}

impl Code {
    /// Error for `K…`, warning for `W…`.
    pub const fn severity(self) -> Severity {
        match self.id().as_bytes()[0] {
            b'W' => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// The code with this id, in either case of its letter.
    pub fn from_id(id: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.id().eq_ignore_ascii_case(id))
    }

    /// Whether the title has a placeholder `{name}`.
    pub(crate) fn has_placeholder(self, name: &str) -> bool {
        self.title().contains(&format!("{{{name}}}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ascending_and_well_formed() {
        for pair in Code::ALL.windows(2) {
            assert!(pair[0].id() < pair[1].id(), "{} before {}", pair[0].id(), pair[1].id());
        }
        for &code in Code::ALL {
            let (letter, digits) = code.id().split_at(1);
            assert!(matches!(letter, "K" | "W"), "{}", code.id());
            assert!(digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{}", code.id());
            assert!(code.explanation().ends_with('.'), "{} is explained in sentences", code.id());
            assert_eq!(Code::from_id(&code.id().to_lowercase()), Some(code));
        }
        assert_eq!(Code::from_id("K0000"), None);
    }
}
