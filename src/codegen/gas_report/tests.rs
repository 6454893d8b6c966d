//! Estimates of small modules, added up from the catalogue.

use zvm::bytecode::Op;
use zvm::gas::{SLOT, SSTORE_COLD, SSTORE_SET, SSTORE_WARM};

use super::*;
use crate::codegen::{CodegenOptions, compile_module};
use crate::ir::text::read_module;

fn estimate_of(text: &str) -> GasEstimate {
    let module = read_module(text).expect("readable");
    let assembly = compile_module(&module, &CodegenOptions::STANDARD).expect("compiles");
    Estimator::new(&assembly).estimate([0, 0, 0, 7])
}

fn cost(ops: &[Op]) -> u64 {
    ops.iter().map(|op| op.info().gas).sum()
}

#[test]
fn a_straight_line_is_exact() {
    let found = estimate_of(
        "func \"entry\" -> 0 {\nb0:\n  v0 = const 0\n  v1 = sload v0\n  sstore v0, v1\n  halt\n}\n",
    );
    let fixed = cost(&[Op::Push0, Op::Sload, Op::Push0, Op::Sstore, Op::Halt]);
    let expected = GasEstimate {
        // The slot that was read is warm when it is written.
        bound: Some(fixed + SLOT.cold + SSTORE_SET),
        bound_excluding_calls: Some(fixed + SLOT.cold + SSTORE_SET),
        min: fixed + SLOT.warm + SSTORE_WARM,
        exact: true,
        terms: vec![("sload", Some(1)), ("sstore", Some(1))],
    };
    assert_eq!(found, expected);
}

#[test]
fn dispatch_follows_the_selector() {
    let text = "func \"entry\" -> 0 {\nb0:\n  v0 = const 0\n  v1 = calldataload v0\n  v2 = const 224\n  v3 = shr v2, v1\n  \
                switch v3, [6: b1, 7: b2], b3\nb1:\n  jump b1\nb2:\n  sstore v1, v1\n  halt\nb3:\n  revert v0, v0\n}\n";
    let found = estimate_of(text);
    let prefix = [Op::Push0, Op::CalldataLoad, Op::Push1, Op::Shr];
    let compare = [Op::Dup1, Op::Push1, Op::Eq, Op::Push2, Op::JumpI];
    let case = [Op::Sstore, Op::Halt];
    // The word is needed below its selector: one DUP and one SWAP, wherever they stand.
    let at_least = cost(&prefix) + 2 * cost(&compare) + cost(&case) + SSTORE_WARM;
    assert!(found.min >= at_least && found.min <= at_least + 20, "{found:?} against {at_least}");
    assert_eq!(found.bound, Some(found.min - SSTORE_WARM + SSTORE_COLD + SSTORE_SET));
    assert_eq!(found.terms, [("sstore", Some(1))]);
}

#[test]
fn a_loop_of_known_length_is_walked_and_another_is_not_bounded() {
    let text = |limit: &str| {
        format!(
            "func \"entry\" -> 0 {{\nb0:\n  v0 = const 0\n  v9 = {limit}\n  jump b1(v0)\nb1(v1):\n  v2 = lt v1, v9\n  br v2, b2, b3\n\
             b2:\n  tstore v1, v1\n  v3 = const 1\n  v4 = add v1, v3\n  jump b1(v4)\nb3:\n  halt\n}}\n"
        )
    };
    let four = estimate_of(&text("const 4"));
    let five = estimate_of(&text("const 5"));
    let (four_bound, five_bound) = (four.bound.expect("bounded"), five.bound.expect("bounded"));
    assert!(four.exact && four.min == four_bound && five_bound - four_bound > Op::Tstore.info().gas);
    let open = estimate_of(&text("calldatasize"));
    assert_eq!((open.bound, open.exact), (None, false));
    assert!(open.min < four.min, "no iteration at all");
}
