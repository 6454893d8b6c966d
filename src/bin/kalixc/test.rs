//! `kalixc test`: compiles the tests of a file or package and runs each in a world of its own.

mod cheats;
mod explain;
mod run;
mod values;

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use alloy_dyn_abi::DynSolValue;
use alloy_primitives::{Address, keccak256};
use kalix::driver::{Compilation, CompiledContract, compile_tests};
use kalix::sema::typed::EntryPoint;
use kalix::sema::types::TypeId;
use kalix::sema::weave::Test;

use crate::flags::{CodeFlags, Reporting, TestTier};
use crate::gas::follow::Followed;
use crate::package::{Folders, Sources};
use crate::{MISTAKES, counted, print, read, report, say};
use anyhow::bail;
use explain::Explainer;
pub(crate) use run::{BALANCE, CALLER, GAS, first_block, interpreter};
use run::{Machine, Outcome, TEST, Watch, difference};
use values::{Random, Values};

/// Of the inputs that a property tries, how many `vm.assume` may refuse for each that it takes.
const REFUSED_PER_RUN_MAX: u32 = 32;
/// Most inputs that native code runs with: each run compiles what it creates.
const NATIVE_RUNS_MAX: u32 = 32;
/// Most inputs of a property whose calls are followed one operation at a time.
const FOLLOWED_RUNS_MAX: u32 = 16;
/// Most runs in search of a smaller input.
const SHRINK_RUNS_MAX: u32 = 2_000;

/// What to run and how.
pub(crate) struct TestRequest<'f> {
    pub(crate) filter: Option<&'f str>,
    pub(crate) tier: TestTier,
    pub(crate) seed: u64,
    pub(crate) code: &'f CodeFlags,
    pub(crate) reporting: &'f Reporting,
}

/// What became of tests.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    ignored: usize,
    filtered: usize,
    /// Blocks that ran as native code, and in the interpreter, where native code was asked for.
    native_blocks: u64,
    interpreted_blocks: u64,
}

/// One passed test, for snapshots of gas.
pub(crate) struct Passed {
    pub(crate) name: String,
    /// Gas of the test, the median over its inputs.
    pub(crate) gas: u64,
    pub(crate) runs: u32,
}

/// Runs the tests of the sources; 1 if one fails, does not compile or if there is none.
pub(crate) fn test(sources: &Sources, request: &TestRequest<'_>) -> anyhow::Result<ExitCode> {
    let (tally, _) = match run_all(sources, request, true)? {
        Some(done) => done,
        None => return Ok(ExitCode::from(MISTAKES)),
    };
    let ran = tally.passed + tally.failed;
    let mut summary = format!("\n{} passed, {} failed", tally.passed, tally.failed);
    if tally.ignored > 0 {
        write!(summary, ", {} ignored", tally.ignored)?;
    }
    if tally.filtered > 0 {
        write!(summary, ", {} not selected", tally.filtered)?;
    }
    let blocks = tally.native_blocks + tally.interpreted_blocks;
    if blocks > 0 {
        let share = tally.native_blocks as f64 * 100.0 / blocks as f64;
        write!(summary, "; {share:.0} % of the blocks of the jit tier ran as native code")?;
    }
    print(&format!("{summary}\n"))?;
    if ran == 0 && tally.ignored == 0 {
        let place = sources.shown();
        match request.filter {
            Some(filter) => say(&format!("kalixc: no test of {place} has a name with `{filter}` in it\n")),
            None => say(&format!("kalixc: {place} holds no test\n")),
        }
        return Ok(ExitCode::from(MISTAKES));
    }
    Ok(if tally.failed > 0 { ExitCode::from(MISTAKES) } else { ExitCode::SUCCESS })
}

/// Runs the tests; nothing if a source has a mistake, which was reported.
fn run_all(
    sources: &Sources,
    request: &TestRequest<'_>,
    is_told: bool,
) -> anyhow::Result<Option<(Tally, Vec<Passed>)>> {
    let mut machines = Vec::new();
    if request.tier != TestTier::Jit {
        machines.push(Machine::interpreter());
    }
    if request.tier != TestTier::Interp {
        machines.push(Machine::jit()?);
    }
    let (mut tally, mut passed) = (Tally::default(), Vec::new());
    for file in sources.files() {
        let Some((compilation, tests)) = compile(file, request.code, request.reporting)? else {
            return Ok(None);
        };
        let names = names_of(&compilation);
        let values = Values::new(&compilation.program.types, &names);
        for test in &tests {
            if request.filter.is_some_and(|filter| !title(test).contains(filter)) {
                tally.filtered += 1;
                continue;
            }
            if test.is_ignored {
                tally.ignored += 1;
                if is_told {
                    print(&format!("skip {} (#[ignore])\n", title(test)))?;
                }
                continue;
            }
            let Some((contract, entry)) = find(&compilation, test) else {
                anyhow::bail!("the test \"{}\" got lost on the way to code", test.name);
            };
            let runner = Runner { compilation: &compilation, contract, entry, test, values: &values };
            match runner.run(&machines, request.seed, &mut tally)? {
                Ok(done) => {
                    tally.passed += 1;
                    if is_told {
                        let runs = match done.runs {
                            1 if entry.inputs.is_empty() => String::new(),
                            runs => format!("{}, ", counted(runs as usize, "run")),
                        };
                        print(&format!("ok   {} ({runs}gas {})\n", title(test), done.gas))?;
                    }
                    passed.push(done);
                }
                Err(reason) => {
                    tally.failed += 1;
                    let mut text = format!("FAIL {}\n", title(test));
                    for line in reason.lines() {
                        writeln!(text, "     {line}")?;
                    }
                    print(&text)?;
                }
            }
        }
    }
    Ok(Some((tally, passed)))
}

/// The tests that passed, for a snapshot of their gas; nothing if some did not.
pub(crate) fn measure(sources: &Sources, request: &TestRequest<'_>) -> anyhow::Result<Option<Vec<Passed>>> {
    let done = run_all(sources, request, false)?;
    Ok(done.filter(|(tally, _)| tally.failed == 0).map(|(_, passed)| passed))
}

/// Runs the tests of a compiled file, each with its first inputs, and gives every call of a contract with its estimate. A
/// test that fails has no calls that somebody meant: then its title.
pub(crate) fn follow(
    compilation: &Compilation,
    tests: &[Test],
    seed: u64,
) -> anyhow::Result<Result<Vec<Followed>, String>> {
    let machine = Machine::interpreter();
    let names = names_of(compilation);
    let values = Values::new(&compilation.program.types, &names);
    let mut followed = Vec::new();
    for test in tests.iter().filter(|test| !test.is_ignored) {
        let Some((contract, entry)) = find(compilation, test) else {
            bail!("the test \"{}\" got lost on the way to code", test.name);
        };
        let runner = Runner { compilation, contract, entry, test, values: &values };
        let params: Vec<TypeId> = entry.inputs.iter().map(|input| input.ty).collect();
        let mut random = Random::new(seed);
        let runs = if params.is_empty() { 1 } else { test.runs.min(FOLLOWED_RUNS_MAX) };
        for run in 0..runs {
            let input = values.input(&params, run, &mut random);
            let outcome = runner.outcome(&machine, &input, Watch::Gas)?;
            if !outcome.is_good() {
                return Ok(Err(title(test)));
            }
            followed.extend(outcome.followed);
        }
    }
    Ok(Ok(followed))
}

/// Compiles a file with its tests; nothing if it has a mistake, which was reported.
pub(crate) fn compile(
    file: &Path,
    code: &CodeFlags,
    reporting: &Reporting,
) -> anyhow::Result<Option<(Compilation, Vec<Test>)>> {
    let mut folders = Folders::around(file)?;
    let source = read(file)?;
    let path = folders.module_path(file);
    let (compilation, tests) = compile_tests(source, path, &mut folders, &code.compile_options());
    folders.trouble()?;
    // What is to be said about what compiles is said by a build; here it would only hide the tests.
    let has_failed = compilation.has_errors() || reporting.denies_warnings();
    if has_failed && report(&compilation.diagnostics, &compilation.source, reporting)? {
        return Ok(None);
    }
    Ok(Some((compilation, tests)))
}

/// How a test is listed.
fn title(test: &Test) -> String {
    match &test.declared_in {
        Some(contract) => format!("{contract}: {}", test.name),
        None => test.name.clone(),
    }
}

/// Accounts with names: those of `vm.address`, and the test's own.
fn names_of(compilation: &Compilation) -> Vec<(Address, String)> {
    let named = compilation.program.test_addresses.iter();
    let mut names: Vec<(Address, String)> =
        named.map(|name| (Address::from_word(keccak256(name.as_bytes())), name.clone())).collect();
    names.push((TEST, "the test".to_owned()));
    names.push((CALLER, "the test's caller".to_owned()));
    names
}

fn find<'c>(compilation: &'c Compilation, test: &Test) -> Option<(&'c CompiledContract, &'c EntryPoint)> {
    let program = &compilation.program;
    let contract = program.contracts.iter().find(|contract| contract.name == test.contract)?;
    let is_own = |entry: &&EntryPoint| program.function(entry.function).name == test.function;
    let entry = contract.entry_points.iter().find(is_own)?;
    let compiled = compilation.contracts.iter().find(|compiled| compiled.artifact.name == test.contract)?;
    Some((compiled, entry))
}

/// One test, ready to run.
struct Runner<'p> {
    compilation: &'p Compilation,
    contract: &'p CompiledContract,
    entry: &'p EntryPoint,
    test: &'p Test,
    values: &'p Values<'p>,
}

impl Runner<'_> {
    /// Runs the test with all its inputs in all tiers: its gas, or why it failed.
    fn run(
        &self,
        machines: &[Machine],
        seed: u64,
        tally: &mut Tally,
    ) -> anyhow::Result<Result<Passed, String>> {
        let params: Vec<TypeId> = self.entry.inputs.iter().map(|input| input.ty).collect();
        let name_seed = keccak256(self.test.name.as_bytes()).0;
        let name_seed = u64::from_be_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|at: usize| name_seed[at]));
        let mut random = Random::new(seed ^ name_seed);
        let is_native_only = machines.iter().all(|machine| machine.is_jit);
        let runs = match params.is_empty() {
            true => 1,
            false if is_native_only => self.test.runs.min(NATIVE_RUNS_MAX),
            false => self.test.runs,
        };
        let (mut taken, mut gas) = (0, Vec::new());
        let (mut native_blocks, mut interpreted_blocks) = (0, 0);
        for attempt in 0..runs.saturating_mul(REFUSED_PER_RUN_MAX) {
            if taken == runs {
                break;
            }
            let input = self.values.input(&params, attempt, &mut random);
            let machines = if taken < NATIVE_RUNS_MAX { machines } else { &machines[..1] };
            let outcomes = match self.outcomes(machines, &input)? {
                Ok(outcomes) => outcomes,
                Err(reason) => return Ok(Err(reason + &self.show_input(&input))),
            };
            if let Some(reason) = self.failure(&outcomes) {
                return Ok(Err(self.explain(machines, &params, input, (attempt, seed), reason)?));
            }
            for (machine, outcome) in machines.iter().zip(&outcomes).filter(|(machine, _)| machine.is_jit) {
                debug_assert!(machine.is_jit, "only native code is counted");
                native_blocks += outcome.blocks_compiled;
                interpreted_blocks += outcome.blocks_interpreted;
            }
            if !outcomes[0].is_rejected {
                taken += 1;
                gas.push(outcomes[0].gas);
            }
        }
        tally.native_blocks += native_blocks;
        tally.interpreted_blocks += interpreted_blocks;
        if taken == 0 {
            let tried = runs.saturating_mul(REFUSED_PER_RUN_MAX);
            return Ok(Err(format!(
                "vm.assume refused all {} that were tried",
                counted(tried as usize, "input")
            )));
        }
        if machines.iter().any(|machine| machine.is_jit) && native_blocks == 0 && interpreted_blocks > 0 {
            return Ok(Err("nothing of the test ran as native code, which --tier asks for".to_owned()));
        }
        gas.sort_unstable();
        Ok(Ok(Passed { name: title(self.test), gas: gas[gas.len() / 2], runs: taken }))
    }

    /// The outcome in each tier, or what went wrong outside the test.
    fn outcomes(
        &self,
        machines: &[Machine],
        input: &[DynSolValue],
    ) -> anyhow::Result<Result<Vec<Outcome>, String>> {
        let mut outcomes = Vec::new();
        for machine in machines {
            match self.outcome(machine, input, Watch::Nothing) {
                Ok(outcome) => outcomes.push(outcome),
                Err(error) => return Ok(Err(format!("{error}\n"))),
            }
        }
        Ok(Ok(outcomes))
    }

    fn outcome(
        &self,
        machine: &Machine,
        input: &[DynSolValue],
        watch: Watch,
    ) -> Result<Outcome, run::Trouble> {
        let mut call_data = self.entry.selector.to_vec();
        call_data.extend(DynSolValue::Tuple(input.to_vec()).abi_encode_params());
        let args = self.test.declared_in.is_some().then(|| self.constructor_args());
        machine.run(self.compilation, self.contract, call_data, args.as_deref(), watch)
    }

    /// What the constructor of a contract with tests in it gets: zeros.
    fn constructor_args(&self) -> Vec<u8> {
        let program = &self.compilation.program;
        let contract = program.contracts.iter().find(|contract| contract.name == self.test.contract);
        let Some(constructor) = contract.and_then(|contract| contract.constructor) else { return Vec::new() };
        let params: Vec<TypeId> =
            program.function(constructor).params().iter().map(|param| param.ty).collect();
        DynSolValue::Tuple(self.values.zeros(&params)).abi_encode_params()
    }

    /// Why the test failed, if it did, in a few words where that needs no trace.
    fn failure(&self, outcomes: &[Outcome]) -> Option<Option<String>> {
        if let [interpreter, native] = outcomes
            && let Some(difference) = difference(interpreter, native)
        {
            return Some(Some(format!("the tiers differ, which is a fault of the machine\n{difference}\n")));
        }
        outcomes.iter().any(|outcome| !outcome.is_good()).then_some(None)
    }

    /// The whole story of a failure, with the smallest input that was found.
    fn explain(
        &self,
        machines: &[Machine],
        params: &[TypeId],
        input: Vec<DynSolValue>,
        (attempt, seed): (u32, u64),
        reason: Option<String>,
    ) -> anyhow::Result<String> {
        if let Some(reason) = reason {
            return Ok(reason + &self.show_input(&input));
        }
        let interpreter = Machine::interpreter();
        let first = input.clone();
        let smallest = self.shrink(machines, params, input)?;
        let outcome = match self.outcome(&interpreter, &smallest, Watch::Failures) {
            Ok(outcome) => outcome,
            Err(error) => return Ok(error.to_string()),
        };
        let explainer =
            Explainer { compilation: self.compilation, holder: self.contract, values: self.values };
        let mut text = explainer.reason(&outcome);
        if !params.is_empty() {
            text += &self.show_input(&smallest);
            if smallest != first {
                write!(text, "found as {}", self.show_input(&first))?;
            }
            writeln!(text, "run {} with --seed {seed}", attempt + 1)?;
        }
        Ok(text)
    }

    /// A smaller input with which the test fails too.
    fn shrink(
        &self,
        machines: &[Machine],
        params: &[TypeId],
        mut input: Vec<DynSolValue>,
    ) -> anyhow::Result<Vec<DynSolValue>> {
        let mut runs = 0;
        'smaller: loop {
            for candidate in self.values.smaller(params, &input) {
                runs += 1;
                if runs > SHRINK_RUNS_MAX {
                    return Ok(input);
                }
                if let Ok(outcome) = self.outcome(&machines[0], &candidate, Watch::Nothing)
                    && !outcome.is_good()
                {
                    input = candidate;
                    continue 'smaller;
                }
            }
            return Ok(input);
        }
    }

    fn show_input(&self, input: &[DynSolValue]) -> String {
        if input.is_empty() {
            return String::new();
        }
        let params = self.entry.inputs.iter().zip(input);
        let shown =
            params.map(|(param, value)| format!("{} = {}", param.name, self.values.show(param.ty, value)));
        format!("input: {}\n", shown.collect::<Vec<_>>().join(", "))
    }
}
