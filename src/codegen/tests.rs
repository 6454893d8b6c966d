//! Whole modules through codegen: the code passes its own checks, and its shape is what the specification shows.

use super::*;
use crate::ir::text::read_module;

fn compile(text: &str) -> Assembly {
    let module = read_module(text).expect("readable");
    // As written: these tests are about codegen alone.
    compile_module(&module, &CodegenOptions { opt_level: OptLevel::O0, ..CodegenOptions::STANDARD })
        .unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn listing(assembly: &Assembly) -> String {
    let code = &assembly.bytes[..assembly.code_size];
    let names = zvm::bytecode::instructions(code, zvm::bytecode::Encoding::Zvm).map(|i| {
        let name = i.op.map_or("?", |op| op.name());
        if i.immediate.is_empty() { name.to_owned() } else { format!("{name} {:#x}", i.immediate_word()) }
    });
    names.collect::<Vec<_>>().join("; ")
}

#[test]
fn an_expression_is_folded_into_its_use() {
    let assembly = compile(
        "func \"entry\" -> 0 {\nb0:\n  v0 = const 4\n  v1 = calldataload v0\n  v2 = const 1\n  v3 = cadd.u64 v1, v2\n  \
         v4 = const 0\n  sstore v4, v3\n  halt\n}\n",
    );
    assert_eq!(listing(&assembly), "push1 0x1; push1 0x4; calldataload; cadd 0x8; push0; sstore; halt");
}

#[test]
fn a_table_update_has_the_shape_of_the_specification() {
    let assembly = compile(
        "func \"entry\" -> 0 {\nb0:\n  v0 = const 4\n  v1 = calldataload v0\n  v2 = caller\n  v3 = const 0\n  \
         v4 = tablehash v3, v2\n  v5 = sload v4\n  v6 = cadd.u64 v5, v1\n  sstore v4, v6\n  halt\n}\n",
    );
    assert_eq!(
        listing(&assembly),
        "caller; push0; tablehash; dup1; sload; push1 0x4; calldataload; cadd 0x8; swap1; sstore; halt"
    );
}

#[test]
fn a_call_hands_over_and_returns_on_the_stack() {
    let assembly = compile(
        "func \"entry\" -> 0 {\nb0:\n  v0 = caller\n  v1 = callvalue\n  v2 = icall f1, v0, v1\n  v3 = const 0\n  \
         sstore v3, v2\n  halt\n}\nfunc \"sub\" -> 1 {\nb0(v0, v1):\n  v2 = csub.u256 v0, v1\n  ret v2\n}\n",
    );
    assert_eq!(
        listing(&assembly),
        "push2 0x9; caller; callvalue; push2 0xd; jump; jumpdest; push0; sstore; halt; \
         jumpdest; swap1; csub 0x20; swap1; jump"
    );
}
