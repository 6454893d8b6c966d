//! Estimates against execution: every entry point of some examples, called with what comes to mind.
//!
//! Scripts hold each of their calls against its estimate as well ([`super::files`]). Here nobody writes the calls down, so
//! many of them are reverted; which entry points never succeeded is part of the test's output.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{Address, U256};
use kalix::diag::Diagnostics;
use kalix::modules::{Loaded, Loader};
use kalix::sema::typed::Program;
use kalix::sema::types::TypeId;
use kalix::source::Source;
use zvm::outcome::Exit;

use crate::compile::{Compiled, World};
use crate::files::{every_way, is_executed_natively};

/// The examples.
const FILES: [&str; 5] = ["amm_pair", "loops", "staking", "token", "token_vault"];
/// How often all entry points of a contract are called one after another.
const ROUNDS: usize = 6;
/// Numbers for arguments.
const NUMBERS: [u64; 6] = [0, 1, 3, 2, 1_000, 1_000_000];

/// Modules that lie beside each other.
struct Folder(PathBuf);

impl Loader for Folder {
    fn load(&mut self, path: &[String]) -> Loaded {
        let name = format!("{}.kalix", path.join("/"));
        match std::fs::read_to_string(self.0.join(&name)) {
            Ok(text) => Loaded::File { name, text },
            Err(_) => Loaded::Missing { looked_for: name },
        }
    }
}

#[test]
fn executions_of_examples_lie_within_their_estimates() {
    let folder = Path::new(crate::ROOT).join("examples");
    let mut failures = String::new();
    let (mut called, mut succeeded) = (BTreeSet::new(), BTreeSet::new());
    for file in FILES {
        let path = folder.join(format!("{file}.kalix"));
        let text = std::fs::read_to_string(&path).expect("a readable example");
        let mut source = Source::new(file, text);
        let mut diags = Diagnostics::new();
        let modules = kalix::modules::load(&mut source, Vec::new(), &mut Folder(folder.clone()), &mut diags);
        let (program, checked) = kalix::sema::check(&modules, &source);
        diags.append(checked);
        assert!(!diags.has_errors(), "{}", kalix::diag::render::render_short(&diags, &source));
        for (index, contract) in program.contracts.iter().enumerate() {
            // What creates others needs their code, which only whole compilations have.
            if contract.is_imported || !contract.creates.is_empty() {
                continue;
            }
            for options in every_way() {
                let compiled = Compiled::contract_of(program.clone(), index, &options)
                    .unwrap_or_else(|error| panic!("{file}: {error}"));
                let compiled = Compiled { is_native: is_executed_natively(&options), ..compiled };
                let name = format!("{file}: {}", contract.name);
                let Some(mut world) = deployed(compiled) else { continue };
                for round in 0..ROUNDS {
                    for entry in &contract.entry_points {
                        let types: Vec<TypeId> = entry.inputs.iter().map(|input| input.ty).collect();
                        let args = arguments(&program, &types, round);
                        let input = [&entry.selector[..], &args].concat();
                        let called_as = format!("{name}.{}", entry.name);
                        let observed = world.call(input.into(), U256::ZERO);
                        let observed = observed.unwrap_or_else(|error| panic!("{called_as}: {error}"));
                        if let Err(error) = world.check_gas(entry.selector, &observed) {
                            let (target, level) = (options.target.name(), options.opt_level);
                            writeln!(failures, "{called_as} for {target}, {level:?}: {error}")
                                .expect("a String accepts all");
                        }
                        if matches!(observed.exit, Exit::Halt | Exit::Return) {
                            succeeded.insert(called_as.clone());
                        }
                        called.insert(called_as);
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
    let never: Vec<_> = called.difference(&succeeded).collect();
    println!("{} of {} entry points succeeded; never: {never:?}", succeeded.len(), called.len());
    assert!(
        called.len() >= 30 && 2 * succeeded.len() > called.len(),
        "{} of {}",
        succeeded.len(),
        called.len()
    );
}

/// The contract with the first arguments of its constructor that it accepts.
fn deployed(compiled: Compiled) -> Option<World> {
    let constructor = compiled.contract().constructor;
    let types: Vec<TypeId> = constructor.map_or(Vec::new(), |id| {
        compiled.program.function(id).params().iter().map(|param| param.ty).collect()
    });
    let args = arguments(&compiled.program, &types, 3);
    World::deploy(compiled, &args, U256::ZERO).expect("a run of the creation code").1
}

fn arguments(program: &Program, types: &[TypeId], round: usize) -> Vec<u8> {
    let values = types.iter().enumerate().map(|(at, &ty)| {
        let name = program.types.abi_type(ty).expect("an ABI type");
        value(&DynSolType::parse(&name).expect("an ABI type"), round + at)
    });
    DynSolValue::Tuple(values.collect()).abi_encode_params()
}

/// A value of a type that depends on `seed` alone.
fn value(ty: &DynSolType, seed: usize) -> DynSolValue {
    let number = U256::from(NUMBERS[seed % NUMBERS.len()]);
    match ty {
        DynSolType::Bool => DynSolValue::Bool(seed % 2 == 1),
        DynSolType::Int(bits) => {
            DynSolValue::Int((number % U256::from(100)).try_into().expect("small"), *bits)
        }
        DynSolType::Uint(bits) if *bits < 32 => DynSolValue::Uint(number % U256::from(2), *bits),
        DynSolType::Uint(bits) => DynSolValue::Uint(number, *bits),
        DynSolType::Address if seed.is_multiple_of(2) => DynSolValue::Address(testkit::host::CALLER),
        DynSolType::Address => DynSolValue::Address(Address::with_last_byte(0x77 + (seed % 3) as u8)),
        DynSolType::FixedBytes(size) => DynSolValue::FixedBytes(number.into(), *size),
        DynSolType::Bytes => DynSolValue::Bytes(vec![7; 40 * (seed % 3)]),
        DynSolType::String => DynSolValue::String("word ".repeat(5 * (seed % 3))),
        DynSolType::Array(inner) => {
            DynSolValue::Array((0..seed % 4).map(|at| value(inner, seed + at)).collect())
        }
        DynSolType::FixedArray(inner, size) => {
            DynSolValue::FixedArray((0..*size).map(|at| value(inner, seed + at)).collect())
        }
        DynSolType::Tuple(parts) => {
            DynSolValue::Tuple(parts.iter().enumerate().map(|(at, part)| value(part, seed + at)).collect())
        }
        other => panic!("no values of {other}"),
    }
}
