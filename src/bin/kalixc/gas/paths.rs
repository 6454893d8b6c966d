//! `kalixc gas paths`: the estimate of every call that tests make, beside what it took.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use alloy_primitives::hex;
use kalix::driver::CompiledContract;
use kalix::sema::typed::Program;
use serde_json::Value;
use zvm::outcome::Exit;

use super::aligned;
use super::follow::{Followed, Ran};
use crate::flags::{CodeFlags, Reporting};
use crate::package::Sources;
use crate::{MISTAKES, counted, print, say};

/// How far the estimate of a call may be off that runs code which the estimator does not know, in percent.
const OUTSIDE_TOLERANCE: u64 = 5;
/// Most calls with a wrong estimate that are listed.
const MISTAKES_MAX: usize = 20;

/// The calls of one function.
#[derive(Default)]
struct Function {
    calls: usize,
    kept: usize,
    ways: BTreeSet<u64>,
    least: u64,
    most: u64,
    // Ran code whose price is only reported.
    outside: usize,
}

/// Runs the command.
pub(super) fn paths(sources: &Sources, code: &CodeFlags, reporting: &Reporting) -> anyhow::Result<ExitCode> {
    let mut functions: BTreeMap<String, Function> = BTreeMap::new();
    let (mut mistakes, mut calls, mut outside, mut tests_found) = (Vec::new(), 0, 0, 0);
    for file in sources.files() {
        let Some((compilation, tests)) = crate::test::compile(file, code, reporting)? else {
            return Ok(ExitCode::from(MISTAKES));
        };
        tests_found += tests.len();
        let contracts: Vec<&CompiledContract> = compilation.contracts.iter().collect();
        for contract in &contracts {
            let name = &contract.artifact.name;
            if !name.starts_with("test ") {
                for name in names_of(&compilation.program, name) {
                    functions.entry(name).or_default();
                }
            }
        }
        let followed = match crate::test::follow(&compilation, &tests, 0)? {
            Ok(followed) => followed,
            Err(title) => {
                say(&format!("kalixc: the test \"{title}\" fails; `kalixc test` says why\n"));
                return Ok(ExitCode::from(MISTAKES));
            }
        };
        for call in followed {
            let name = name_of(&contracts, call.ran);
            calls += 1;
            outside += usize::from(call.estimate.outside > 0);
            if let Some(mistake) = mistake(&call, function_of(&contracts, call.ran)) {
                mistakes.push(format!("{name}: {mistake}; {:?}, {:?}", call.exit, call.estimate));
            }
            functions.entry(name).or_default().add(&call);
        }
    }
    if tests_found == 0 {
        say(&format!("kalixc: {} holds no test\n", sources.shown()));
        return Ok(ExitCode::from(MISTAKES));
    }
    let rows: Vec<[String; 7]> = functions.iter().map(|(name, function)| function.row(name)).collect();
    print(&aligned(["function", "calls", "kept", "ways", "least", "most", ""], &rows))?;
    let never = functions.values().filter(|function| function.calls == 0).count();
    print(&format!(
        "\n{} of {}; {} with code from outside; {} off; {} never called\n",
        counted(calls, "call"),
        counted(functions.len(), "function"),
        outside,
        mistakes.len(),
        never
    ))?;
    for mistake in mistakes.iter().take(MISTAKES_MAX) {
        say(&format!("{mistake}\n"));
    }
    Ok(if mistakes.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(MISTAKES) })
}

/// What an estimate promised and did not keep: to be exact, or close where other code had a part in it, and to lie within
/// the bounds that the ABI has for the function.
fn mistake(call: &Followed, function: Option<&Value>) -> Option<String> {
    let (estimate, taken) = (call.estimate.total(), call.taken);
    let allowed = if call.estimate.outside > 0 { taken * OUTSIDE_TOLERANCE / 100 } else { 0 };
    if call.estimate.is_lost || estimate.abs_diff(taken) > allowed {
        return Some(format!("estimated {estimate}, took {taken}"));
    }
    let figure = |name: &str| function.and_then(|function| function["gas"][name].as_u64());
    let is_kept = matches!(call.exit, Some(Exit::Halt | Exit::Return));
    if let Some(min) = figure("min").filter(|&min| is_kept && taken < min) {
        return Some(format!("took {taken}, less than the least of {min}"));
    }
    let bound = figure("bound").filter(|&bound| taken > bound && !matches!(call.exit, Some(Exit::Trap(_))));
    bound.map(|bound| format!("took {taken}, more than the bound of {bound}"))
}

impl Function {
    fn add(&mut self, call: &Followed) {
        self.least = if self.calls == 0 { call.taken } else { self.least.min(call.taken) };
        self.most = self.most.max(call.taken);
        self.calls += 1;
        self.kept += usize::from(matches!(call.exit, Some(Exit::Halt | Exit::Return)));
        self.outside += usize::from(call.estimate.outside > 0);
        self.ways.insert(call.estimate.way);
    }

    fn row(&self, name: &str) -> [String; 7] {
        let note = match (self.calls, self.outside) {
            (0, _) => "never called",
            (_, 0) => "",
            _ => "runs code from outside",
        };
        let number = |number: u64| if self.calls == 0 { "-".to_owned() } else { number.to_string() };
        [
            name.to_owned(),
            self.calls.to_string(),
            self.kept.to_string(),
            self.ways.len().to_string(),
            number(self.least),
            number(self.most),
            note.to_owned(),
        ]
    }
}

/// The functions of a contract that can be called, its creation included.
fn names_of<'p>(program: &'p Program, contract: &'p str) -> impl Iterator<Item = String> + 'p {
    let found = program.contracts.iter().find(move |found| found.name == contract);
    found.into_iter().flat_map(move |found| {
        let entries = found.entry_points.iter().map(move |entry| format!("{contract}.{}", entry.name));
        let others = [(found.receive.is_some(), "receive"), (found.fallback.is_some(), "fallback")];
        let others = others.into_iter().filter(|other| other.0).map(move |other| other.1);
        entries.chain(others.chain(["constructor"]).map(move |name| format!("{contract}.{name}")))
    })
}

/// The function that a call selected, as the ABI has it.
fn function_of<'c>(contracts: &[&'c CompiledContract], ran: Ran) -> Option<&'c Value> {
    let Ran::Call(contract, Some(selector)) = ran else { return None };
    let wanted = format!("0x{}", hex::encode(selector));
    let functions = contracts[contract].artifact.kalix_abi["functions"].as_array()?;
    functions.iter().find(|function| function["selector"] == wanted.as_str())
}

/// What a call is listed as.
fn name_of(contracts: &[&CompiledContract], ran: Ran) -> String {
    let (contract, function) = match ran {
        Ran::Creation(contract) => (contract, "constructor"),
        Ran::Call(contract, selector) => {
            let abi = &contracts[contract].artifact.kalix_abi;
            let name = function_of(contracts, ran).and_then(|function| function["name"].as_str());
            let other = match (selector.is_none() && abi["receive"] == true, abi["fallback"] == true) {
                (true, _) => "receive",
                (false, true) => "fallback",
                (false, false) => "(none)",
            };
            (contract, name.unwrap_or(other))
        }
    };
    format!("{}.{function}", contracts[contract].artifact.name)
}

#[cfg(test)]
mod tests {
    use kalix::codegen::gas_report::path::PathGas;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_call_off_by_one_or_outside_of_the_bounds_is_a_mistake() {
        let followed = |fixed, outside: u64, taken| Followed {
            ran: Ran::Call(0, None),
            exit: Some(Exit::Return),
            estimate: PathGas { fixed, calls: outside as i64, outside, ..PathGas::default() },
            taken,
        };
        let function = json!({ "gas": { "min": 90, "bound": 110 } });
        let is_wrong = |call: Followed| mistake(&call, Some(&function)).is_some();
        assert!(!is_wrong(followed(100, 0, 100)));
        assert!(is_wrong(followed(100, 0, 101)) && is_wrong(followed(101, 0, 100)));
        assert!(!is_wrong(followed(60, 40, 104)) && is_wrong(followed(60, 40, 106)));
        assert!(is_wrong(followed(89, 0, 89)) && is_wrong(followed(111, 0, 111)));
        let lost = Followed {
            estimate: PathGas { fixed: 100, is_lost: true, ..PathGas::default() },
            ..followed(0, 0, 100)
        };
        assert!(is_wrong(lost));
    }
}
