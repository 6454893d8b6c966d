//! What the builder makes.

use super::*;
use crate::ir::Module;
use crate::ir::text::print_function;

fn check(function: Function, expected: &str) {
    let mut module = Module::new("test");
    let printed = print_function(&function);
    module.functions.push(Function::new("entry", 0, 0, Span::default()));
    module.functions.push(function);
    crate::ir::verify::verify(&module).expect("well-formed");
    assert_eq!(printed.trim(), expected.trim());
}

#[test]
fn a_loop_gets_a_parameter_for_what_changes_and_none_for_what_does_not() {
    let mut b = FunctionBuilder::new("sum", 1, 1, Span::default());
    let (n, i, total) = (b.declare_var(), b.declare_var(), b.declare_var());
    let param = b.params()[0];
    b.def_var(n, param);
    let zero = b.iconst_u64(0);
    b.def_var(i, zero);
    b.def_var(total, zero);
    let (head, body, exit) = (b.create_block(), b.create_block(), b.create_block());
    b.jump(head);
    b.switch_to(head);
    let (iv, nv) = (b.use_var(i), b.use_var(n));
    let more = b.binary(Op::Lt, iv, nv);
    b.br(more, body, exit);
    b.seal_block(body);
    b.seal_block(exit);
    b.switch_to(body);
    let (tv, iv) = (b.use_var(total), b.use_var(i));
    let sum = b.checked(Op::Cadd, IntType::U256, &[tv, iv]);
    b.def_var(total, sum);
    let one = b.iconst_u64(1);
    let next = b.binary(Op::Add, iv, one);
    b.def_var(i, next);
    b.jump(head);
    b.seal_block(head);
    b.switch_to(exit);
    let result = b.use_var(total);
    b.ret(&[result]);
    check(
        b.finish(),
        "
func \"sum\" -> 1 {
b0(v0):
  v1 = const 0
  jump b1(v1, v1)
b1(v2, v5):
  v4 = lt v2, v0
  br v4, b2, b3
b2:
  v6 = cadd.u256 v5, v2
  v7 = const 1
  v8 = add v2, v7
  jump b1(v8, v6)
b3:
  ret v5
}",
    );
}

#[test]
fn code_after_a_terminator_disappears() {
    let mut b = FunctionBuilder::new("early", 0, 1, Span::default());
    let x = b.declare_var();
    let one = b.iconst_u64(1);
    b.ret(&[one]);
    let unreached = b.use_var(x);
    b.def_var(x, unreached);
    b.ret(&[unreached]);
    check(b.finish(), "func \"early\" -> 1 {\nb0:\n  v0 = const 1\n  ret v0\n}");
}

#[test]
fn a_long_chain_of_joins_needs_no_deep_recursion() {
    let mut b = FunctionBuilder::new("chain", 1, 1, Span::default());
    let x = b.declare_var();
    let cond = b.params()[0];
    b.def_var(x, cond);
    for _ in 0..50_000 {
        let (then, join) = (b.create_block(), b.create_block());
        b.br(cond, then, join);
        b.seal_block(then);
        b.switch_to(then);
        b.jump(join);
        b.seal_block(join);
        b.switch_to(join);
    }
    let value = b.use_var(x);
    b.ret(&[value]);
    let function = b.finish();
    assert!(function.blocks.iter().skip(1).all(|block| block.params.is_empty()));
}
