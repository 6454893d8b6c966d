//! The shape of the IR for single constructs, as text.

use kalix::ir::text::print_function;

use crate::compile::{check, lower};

/// The IR of one function of the runtime module of a contract with these items, without spans.
fn ir_of(name: &str, items: &str) -> String {
    let text = format!("contract C {{ {items} }}");
    let program = check(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let lowered = lower(&program, 0).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let function = lowered.runtime.functions.iter().find(|function| function.name == name);
    strip_spans(&print_function(function.expect("the function")))
}

fn check_ir(name: &str, items: &str, expected: &str) {
    let found = ir_of(name, items);
    assert_eq!(found.trim(), expected.trim(), "\n{found}");
}

fn strip_spans(text: &str) -> String {
    let strip = |line: &str| match line.rsplit_once(" @") {
        Some((code, span)) => format!("{code}{}", if span.ends_with('{') { " {" } else { "" }),
        None => line.to_owned(),
    };
    text.lines().map(strip).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_table_entry_is_hashed_once() {
    check_ir(
        "g",
        r#"table m: Map<u8, Map<Address, u64>>; fn g(v: u64) { state.m[1][msg.sender] += v; } pub fn f(v: u64) { g(v); }"#,
        r#"
func "g" -> 0 {
b0(v0):
  v1 = const 1
  v2 = caller
  v3 = const 0
  v4 = tablehash v3, v1
  v5 = tablehash v4, v2
  v6 = sload v5
  v7 = cadd.u64 v6, v0
  sstore v5, v7
  ret
}
"#,
    );
}

#[test]
fn an_error_that_only_clients_see_reverts_at_once() {
    check_ir(
        "half",
        r#"error Odd(a: u64); fn half(a: u64) -> Result<u64, Odd> { if a % 2 == 1 { return Err(Odd(a)); } Ok(a / 2) }
 pub fn quarter(a: u64) -> Result<u64, Odd> { Ok(half(half(a)?)?) }"#,
        r#"
func "half" -> 1 {
b0(v0):
  v1 = const 2
  v2 = cmod.u64 v0, v1
  v3 = const 1
  v4 = eq v2, v3
  br v4, b1, b2
b1:
  v5 = const 0xfaecd221
  v6 = const 0
  mstore v6, v5
  v7 = const 32
  mstore v7, v0
  v8 = const 28
  v9 = const 36
  revert v8, v9
b2:
  v10 = const 2
  v11 = cdiv.u64 v0, v10
  ret v11
}
"#,
    );
}

#[test]
fn a_result_that_is_looked_at_is_a_tag_and_a_payload() {
    check_ir(
        "half",
        r#"error Odd(a: u64); fn half(a: u64) -> Result<u64, Odd> { if a % 2 == 1 { return Err(Odd(a)); } Ok(a / 2) }
 pub fn quarter(a: u64) { let _ = half(a); }"#,
        r#"
func "half" -> 2 {
b0(v0):
  v1 = const 2
  v2 = cmod.u64 v0, v1
  v3 = const 1
  v4 = eq v2, v3
  br v4, b1, b2
b1:
  v5 = const 1
  ret v5, v0
b2:
  v6 = const 2
  v7 = cdiv.u64 v0, v6
  v8 = const 0
  ret v8, v7
}
"#,
    );
}

#[test]
fn a_range_tests_at_its_end() {
    check_ir(
        "g",
        r#"fn g(n: u64) -> u64 { let mut t = 0u64; for i in 0..n [max: 9] { t += i; } t }
 pub fn f() view -> u64 { g(2) }"#,
        r#"
func "g" -> 1 {
b0(v0):
  v1 = const 0
  v2 = const 0
  v3 = const 9
  v4 = lt v2, v0
  br v4, b1(v3, v2, v1), b3(v1)
b1(v5, v8, v9):
  assert 0x61, v5
  v6 = const 1
  v7 = sub v5, v6
  v10 = cadd.u64 v9, v8
  jump b2
b2:
  v11 = const 1
  v12 = add v8, v11
  v13 = lt v12, v0
  br v13, b1(v7, v12, v10), b3(v10)
b3(v14):
  ret v14
}
"#,
    );
}

#[test]
fn conditions_are_jumps() {
    check_ir(
        "g",
        r#"fn g(a: bool, b: bool) -> u64 { if a && !b { 1 } else { 2 } } pub fn f() view -> u64 { g(true, true) }"#,
        r#"
func "g" -> 1 {
b0(v0, v1):
  br v0, b4, b3
b1:
  v2 = const 1
  jump b2(v2)
b2(v4):
  ret v4
b3:
  v3 = const 2
  jump b2(v3)
b4:
  br v1, b3, b1
}
"#,
    );
}

#[test]
fn an_entry_point_tests_its_call_once() {
    check_ir(
        "entry",
        r#"pub fn f(a: u8, b: i16) payable -> (u8, i16) { (a, b) }"#,
        r#"
func "entry" -> 0 {
b0:
  v1 = const 0
  v2 = calldataload v1
  v3 = const 224
  v4 = shr v3, v2
  switch v4, [0xb26a1700: b2], b1
b1:
  v0 = const 0
  revert v0, v0
b2:
  v5 = calldatasize
  v6 = const 68
  v7 = lt v5, v6
  v8 = const 4
  v9 = calldataload v8
  v10 = const 8
  v11 = shr v10, v9
  v12 = const 36
  v13 = calldataload v12
  v14 = const 1
  v15 = signextend v14, v13
  v16 = xor v15, v13
  v17 = or v7, v11
  v18 = or v17, v16
  br v18, b1, b3
b3:
  v19 = const 0
  mstore v19, v9
  v20 = const 32
  mstore v20, v13
  v21 = const 0
  v22 = const 64
  return v21, v22
}
"#,
    );
}
