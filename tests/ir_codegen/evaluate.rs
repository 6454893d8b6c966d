//! Executes IR directly: no stack, no frames, no bytes. What codegen emits must do the same.

use std::collections::BTreeMap;

use alloy_primitives::{I256, U256, keccak256};
use kalix::ir::{Function, Imm, Inst, Module, Op, Terminator, Value};
use testkit::host::{CALLER, CONTRACT, ORIGIN};
use testkit::model::{Effect, evaluate};
use zvm::bytecode::Op as MachineOp;

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Success with return data.
    Success(Vec<u8>),
    /// Revert with return data.
    Revert(Vec<u8>),
    /// Exceptional halt.
    Invalid,
}

/// What can be seen of an execution.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) ending: Ending,
    pub(crate) storage: BTreeMap<U256, U256>,
    pub(crate) transient: BTreeMap<U256, U256>,
    pub(crate) logs: Vec<(Vec<U256>, Vec<u8>)>,
    /// Whether a checked operation met a word that is not in the form of its type.
    pub(crate) is_out_of_type: bool,
}

/// Executes a module's entry function.
pub(crate) fn run(module: &Module, input: &[u8], storage: &BTreeMap<U256, U256>) -> Outcome {
    let mut machine = Machine {
        module,
        input,
        storage: storage.clone(),
        transient: BTreeMap::new(),
        logs: Vec::new(),
        memory: BTreeMap::new(),
        depth: 0,
        is_out_of_type: false,
    };
    let ending = match machine.call(&module.functions[0], &[]) {
        Err(ending) => ending,
        Ok(_) => panic!("the entry function returned"),
    };
    machine.storage.retain(|_, value| !value.is_zero());
    machine.transient.retain(|_, value| !value.is_zero());
    let Machine { storage, transient, logs, is_out_of_type, .. } = machine;
    Outcome { ending, storage, transient, logs, is_out_of_type }
}

struct Machine<'m> {
    module: &'m Module,
    input: &'m [u8],
    storage: BTreeMap<U256, U256>,
    transient: BTreeMap<U256, U256>,
    logs: Vec<(Vec<U256>, Vec<u8>)>,
    memory: BTreeMap<u64, u8>,
    depth: u64,
    is_out_of_type: bool,
}

fn panic_data(code: u8) -> Vec<u8> {
    let mut data = vec![0x4e, 0x48, 0x7b, 0x71];
    data.extend(U256::from(code).to_be_bytes::<32>());
    data
}

impl Machine<'_> {
    fn call(&mut self, function: &Function, args: &[U256]) -> Result<Vec<U256>, Ending> {
        self.depth += 1;
        let mut values = vec![U256::ZERO; function.value_count];
        let mut block = &function.blocks[0];
        let mut incoming = args.to_vec();
        loop {
            for (param, arg) in block.params.iter().zip(&incoming) {
                values[param.index()] = *arg;
            }
            for inst in &block.insts {
                let args: Vec<U256> = inst.args.iter().map(|a| values[a.index()]).collect();
                let results = self.inst(inst, &args)?;
                assert_eq!(results.len(), inst.results.len());
                for (result, word) in inst.results.iter().zip(results) {
                    values[result.index()] = word;
                }
            }
            let get = |v: &Value| values[v.index()];
            let next = match &block.term {
                Terminator::Jump(to) => to,
                Terminator::Br { cond, then, otherwise } => {
                    if get(cond).is_zero() {
                        otherwise
                    } else {
                        then
                    }
                }
                Terminator::Switch { value, cases, default } => {
                    cases.iter().find(|(word, _)| *word == get(value)).map_or(default, |(_, to)| to)
                }
                Terminator::Ret(results) => {
                    self.depth -= 1;
                    return Ok(results.iter().map(get).collect());
                }
                Terminator::Return { address, size } => {
                    return Err(Ending::Success(self.bytes(get(address), get(size))));
                }
                Terminator::Revert { address, size } => {
                    return Err(Ending::Revert(self.bytes(get(address), get(size))));
                }
                Terminator::Halt => return Err(Ending::Success(Vec::new())),
                Terminator::Panic(code) => return Err(Ending::Revert(panic_data(*code))),
                Terminator::Invalid => return Err(Ending::Invalid),
            };
            incoming = next.args.iter().map(get).collect();
            block = &function.blocks[next.block.index()];
        }
    }

    fn inst(&mut self, inst: &Inst, args: &[U256]) -> Result<Vec<U256>, Ending> {
        let word = match (inst.op, inst.imm) {
            (Op::Const, Imm::Word(word)) => word,
            // Distinct per function activation, far from each other: programs stay inside their buffers.
            (Op::FrameAddr, Imm::Slot(slot)) => U256::from((self.depth << 32) + (u64::from(slot.0) << 16)),
            (Op::HeapBase, _) => U256::from(1u64 << 60),
            (Op::Caller, _) => U256::from_be_slice(CALLER.as_slice()),
            (Op::Address, _) => U256::from_be_slice(CONTRACT.as_slice()),
            (Op::Origin, _) => U256::from_be_slice(ORIGIN.as_slice()),
            (Op::Callvalue, _) => U256::ZERO,
            (Op::Calldatasize, _) => U256::from(self.input.len()),
            (Op::Calldataload, _) => {
                let from = usize::try_from(args[0]).unwrap_or(usize::MAX);
                let byte =
                    |i: usize| from.checked_add(i).and_then(|at| self.input.get(at)).copied().unwrap_or(0);
                U256::from_be_bytes::<32>(std::array::from_fn(byte))
            }
            (Op::Mload, _) => U256::from_be_slice(&self.bytes(args[0], U256::from(32))),
            (Op::Mstore, _) => {
                self.store(args[0], &args[1].to_be_bytes::<32>());
                return Ok(vec![]);
            }
            (Op::Mstore8, _) => {
                self.store(args[0], &[args[1].byte(0)]);
                return Ok(vec![]);
            }
            (Op::Mcopy, _) => {
                let bytes = self.bytes(args[1], args[2]);
                self.store(args[0], &bytes);
                return Ok(vec![]);
            }
            (Op::Keccak256, _) => keccak256(self.bytes(args[0], args[1])).into(),
            (Op::Sload, _) => self.storage.get(&args[0]).copied().unwrap_or_default(),
            (Op::Sstore, _) => {
                self.storage.insert(args[0], args[1]);
                return Ok(vec![]);
            }
            (Op::Tload, _) => self.transient.get(&args[0]).copied().unwrap_or_default(),
            (Op::Tstore, _) => {
                self.transient.insert(args[0], args[1]);
                return Ok(vec![]);
            }
            (Op::Log, _) => {
                let data = self.bytes(args[0], args[1]);
                self.logs.push((args[2..].to_vec(), data));
                return Ok(vec![]);
            }
            (Op::Icall, Imm::Func(callee)) => return self.call(&self.module.functions[callee.index()], args),
            _ => return self.pure(inst, args),
        };
        Ok(vec![word])
    }

    fn pure(&mut self, inst: &Inst, args: &[U256]) -> Result<Vec<U256>, Ending> {
        if let (Imm::Type(ty), false) = (inst.imm, matches!(inst.op, Op::Ccast | Op::CcastSigned)) {
            let fits = |word: &U256| match ty.is_signed() {
                true => (I256::from_raw(ty.min_word())..=I256::from_raw(ty.max_word()))
                    .contains(&I256::from_raw(*word)),
                false => *word <= ty.max_word(),
            };
            self.is_out_of_type |= !args.iter().all(fits);
        }
        let byte = match inst.imm {
            Imm::Type(ty) => ty.type_byte() | if inst.op == Op::CcastSigned { 0x40 } else { 0 },
            Imm::Panic(code) => code,
            _ => args.len().saturating_sub(1) as u8,
        };
        let name = match (inst.op, args.len()) {
            (Op::CcastSigned, _) => "ccast",
            (Op::Tablehash, 3..) => "tablehashn",
            (op, _) => op.info().mnemonic,
        };
        let op = MachineOp::from_name(name).unwrap_or_else(|| panic!("{name}"));
        match evaluate(op, byte, args) {
            Some((Effect::Words(words), _)) => Ok(words),
            Some((Effect::Panic(code), _)) => Err(Ending::Revert(panic_data(code))),
            None => panic!("the model does not know {name}"),
        }
    }

    fn bytes(&self, address: U256, size: U256) -> Vec<u8> {
        let (address, size) =
            (u64::try_from(address).expect("a buffer"), u64::try_from(size).expect("small"));
        (address..address + size).map(|at| self.memory.get(&at).copied().unwrap_or(0)).collect()
    }

    fn store(&mut self, address: U256, bytes: &[u8]) {
        let address = u64::try_from(address).expect("a buffer");
        self.memory.extend(bytes.iter().enumerate().map(|(i, &byte)| (address + i as u64, byte)));
    }
}
