//! Creation code, once the run-time code exists: the code to deploy becomes data, and immutables are written into it.
//!
//! Lowering leaves two gaps in the init module: the segment [`RUNTIME_SEGMENT`] is empty, and nothing yet stores the
//! immutables, because where they are read is known only in finished code. The constructor has left each immutable in
//! its word at the beginning of the heap.

use alloy_primitives::U256;

use super::Assembly;
use crate::ir::lower::{Lowered, RUNTIME_SEGMENT};
use crate::ir::{DataId, Function, Imm, Inst, Module, Op, Value};

/// Where finished code reads an immutable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImmutableSite {
    /// The number of the immutable.
    pub index: usize,
    /// The offset of the 32 bytes that hold its value, zero until creation.
    pub offset: u32,
}

/// The init module of a contract, complete; `prefix` stands before the run-time code on the chain.
pub fn complete(lowered: &Lowered, runtime: &Assembly, prefix: &[u8]) -> Module {
    let mut module = lowered.init.clone();
    let Some(index) = module.data.iter().position(|segment| segment.name == RUNTIME_SEGMENT) else {
        return module;
    };
    module.data[index].bytes = [prefix, &runtime.bytes].concat();
    store_immutables(
        &mut module.functions[Module::ENTRY.index()],
        DataId::new(index),
        &runtime.immutables,
        prefix,
    );
    module
}

/// Adds, behind the copy of the run-time code to memory, one store for each place that reads an immutable.
fn store_immutables(entry: &mut Function, runtime: DataId, sites: &[ImmutableSite], prefix: &[u8]) {
    let insts = || entry.blocks.iter().flat_map(|block| &block.insts);
    let offset = insts().find(|inst| inst.op == Op::DataOffset && inst.imm == Imm::Data(runtime));
    let Some(source) = offset.map(|inst| inst.results[0]) else { return };
    let is_copy = |inst: &Inst| inst.op == Op::Codecopy && inst.args[1] == source;
    let at = entry.blocks.iter().enumerate().find_map(|(block, contents)| {
        contents.insts.iter().position(is_copy).map(|position| (block, position))
    });
    let Some((block, position)) = at else { return };
    let (dest, span) = {
        let copy = &entry.blocks[block].insts[position];
        (copy.args[0], copy.span)
    };
    let mut stores = Vec::new();
    let mut value_of = |entry: &mut Function, op, imm, args: Vec<Value>| {
        let result = entry.new_value();
        stores.push(Inst { op, imm, args, results: vec![result], span });
        result
    };
    let mut addresses = Vec::new();
    for site in sites {
        let base = value_of(entry, Op::HeapBase, Imm::None, vec![]);
        let own = value_of(entry, Op::Const, Imm::Word(U256::from(32 * site.index)), vec![]);
        let own = value_of(entry, Op::Add, Imm::None, vec![base, own]);
        let word = value_of(entry, Op::Mload, Imm::None, vec![own]);
        let within = U256::from(prefix.len()) + U256::from(site.offset);
        let within = value_of(entry, Op::Const, Imm::Word(within), vec![]);
        let address = value_of(entry, Op::Add, Imm::None, vec![dest, within]);
        addresses.push((address, word));
    }
    for (address, word) in addresses {
        stores.push(Inst {
            op: Op::Mstore,
            imm: Imm::None,
            args: vec![address, word],
            results: vec![],
            span,
        });
    }
    entry.blocks[block].insts.splice(position + 1..position + 1, stores);
}
