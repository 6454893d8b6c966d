//! Programs on which other engines once went wrong: with much gas, with every amount near a limit, in many variants.

use std::collections::BTreeSet;
use std::rc::Rc;

use zvm_fuzz::corpus::suspects;
use zvm_fuzz::execution::{Execution, Kind, Subject};
use zvm_fuzz::gate::Gate;
use zvm_fuzz::machines::Machines;
use zvm_fuzz::oracle::{Judge, rerun};
use zvm_fuzz::variant::Variant;
use zvm_fuzz::world::World;

/// Numbers by which the judge picks variants and inputs.
const SEEDS: u64 = 6;

#[test]
fn what_others_got_wrong_agrees() {
    let mut machines = Machines::default();
    let mut programs_compiled = 0;
    for (name, suspect) in suspects() {
        let mut blocks_compiled = 0;
        for seed in 0..SEEDS {
            let tally = Judge::judge(&mut machines, &suspect, seed);
            let tally = tally.unwrap_or_else(|finding| panic!("{name}: {}", finding.difference));
            blocks_compiled += tally.blocks_compiled;
        }
        programs_compiled += u64::from(blocks_compiled > 0);
    }
    // Some fail in their first block in a way that the compiler sees, and are left to the interpreter.
    assert!(programs_compiled > 20, "{programs_compiled} programs ran compiled");
}

#[test]
fn every_amount_of_gas_near_a_limit_agrees() {
    let mut machines = Machines::default();
    for (name, suspect) in suspects() {
        let subject = Subject {
            program: suspect.pieces.assemble(),
            companions: suspect.companions.clone(),
            is_creation: false,
        };
        // SSTORE needs more than 2300; blocks are short next to the first hundred.
        let mut amounts: BTreeSet<u64> = (0..60).chain(2290..2420).collect();
        machines.show(Rc::new(World::of(&subject)));
        let used = machines.reference(&subject).unwrap_or_else(|error| panic!("{name}: {error}")).exec_gas;
        amounts.extend(used.saturating_sub(60)..used + 2);
        for gas in amounts {
            let mut subject = subject.clone();
            subject.program.setting.gas = gas;
            for kind in [Kind::Frame, Kind::Transaction] {
                let variant = Variant::production();
                let execution = Execution { subject: subject.clone(), kind, variant, gate: Gate::Open };
                if let Err(difference) = rerun(&mut machines, &execution) {
                    panic!("{name}, {gas} gas, {kind:?}: {difference}");
                }
            }
        }
    }
}
