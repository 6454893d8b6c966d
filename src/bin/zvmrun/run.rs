//! One run of zvmrun, step by step: load, deploy, call, report.

use alloy_primitives::{Address, Bytes, U256};
use zvm::Fork;

use crate::abi::lookup::encode;
use crate::abi::{Abi, Function};
use crate::execution::{self, Blocks};
use crate::failure::Failure;
use crate::flags::{CallText, Flags, GAS_DEFAULT, Mode};
use crate::names::{Names, address_without_deployment};
use crate::output::{Output, complain};
use crate::places::{Places, SourcePlace};
use crate::program::Program;
use crate::report::{Header, Report, Step, StepKind, json, text};
use crate::session::{Extras, Session, Transaction};
use crate::status::Status;
use crate::trail::FailedFrame;
use crate::values::{parse_hex, parse_magnitude};
use crate::words::split_words;

/// Does what the flags ask for, printing as it goes; the status is for the shell.
pub(crate) fn run(flags: &Flags, output: &mut Output) -> Status {
    let mut report = Report::default();
    let mut names = Names::new();
    if let Err(failure) = steps(flags, output, &mut report, &mut names) {
        complain(&failure);
        report.failure = Some(failure);
    }
    output.json(&json::document(&report, &names));
    report.status()
}

/// What the flags say once their texts are read.
struct Settings {
    calls: Vec<CallText>,
    calldata: Option<Vec<u8>>,
    from: Address,
    value: U256,
    init_value: U256,
    gas: u64,
    fork: Fork,
    mode: Mode,
}

impl Settings {
    fn read(flags: &Flags, names: &mut Names) -> Result<Settings, Failure> {
        let calldata =
            flags.calldata.as_deref().map(|text| parse_hex(text).map_err(wrong_flag("--calldata", text)));
        Ok(Settings {
            calls: flags.call_texts()?,
            calldata: calldata.transpose()?,
            from: names.address(&flags.from).map_err(wrong_flag("--from", &flags.from))?,
            value: read_wei("--value", &flags.value)?,
            init_value: read_wei("--init-value", &flags.init_value)?,
            gas: read_gas(&flags.gas)?,
            fork: fork(flags)?,
            mode: flags.mode(),
        })
    }
}

fn wrong_flag(flag: &str, text: &str) -> impl Fn(String) -> Failure {
    move |error| Failure::new(Status::Usage, format!("{flag} `{text}`: {error}"))
}

fn read_wei(flag: &str, text: &str) -> Result<U256, Failure> {
    parse_magnitude(text).map_err(wrong_flag(flag, text))
}

fn read_gas(text: &str) -> Result<u64, Failure> {
    let number = parse_magnitude(text).map_err(wrong_flag("--gas", text))?;
    u64::try_from(number).map_err(|_| wrong_flag("--gas", text)(format!("at most {}", u64::MAX)))
}

fn steps(flags: &Flags, output: &mut Output, report: &mut Report, names: &mut Names) -> Result<(), Failure> {
    let settings = Settings::read(flags, names)?;
    let program = Program::load(&flags.file)?;
    let places = Places::of(&program);
    let extras = Extras {
        perf_map: flags.perf_map,
        cases: flags.cases.clone(),
        code_cache: flags.code_cache.clone(),
        finds_failures: !places.is_empty(),
    };
    let session = Session::new(settings.mode, program.rules(settings.fork), extras)?;
    let mut runner =
        Runner { settings, session, program, names, report, output, places, contract: Address::ZERO };
    runner.run(flags)?;
    runner.look_inside(flags)?;
    if let Some(problem) = runner.session.cache_problem() {
        runner.note(problem);
    }
    runner.say_what_was_compiled()
}

/// What is left of a run in a session that was given.
#[cfg(feature = "jit")]
pub(crate) struct Ran {
    /// Everything that was to be said.
    pub(crate) report: Report,
    /// The world and the engine.
    pub(crate) session: Session,
    /// What was run.
    pub(crate) program: Program,
    contract: Address,
}

#[cfg(feature = "jit")]
impl Ran {
    /// The code of the contract.
    pub(crate) fn code(&mut self) -> Result<std::sync::Arc<zvm::bytecode::Code>, Failure> {
        self.session.code(&self.contract, &self.program.code)
    }
}

/// Deploys and calls what the flags say in a session of whatever kind.
#[cfg(feature = "jit")]
pub(crate) fn run_in(flags: &Flags, session: Session, output: &mut Output) -> Result<Ran, Failure> {
    let (mut report, mut names) = (Report::default(), Names::new());
    let settings = Settings::read(flags, &mut names)?;
    let program = Program::load(&flags.file)?;
    let mut runner = Runner {
        settings,
        session,
        program,
        names: &mut names,
        report: &mut report,
        output,
        places: Places::default(),
        contract: Address::ZERO,
    };
    runner.run(flags)?;
    let Runner { session, program, contract, .. } = runner;
    Ok(Ran { report, session, program, contract })
}

/// The rules that the flags name.
pub(crate) fn fork(flags: &Flags) -> Result<Fork, Failure> {
    Fork::from_name(&flags.fork)
        .ok_or("write cancun, prague or osaka".to_string())
        .map_err(wrong_flag("--fork", &flags.fork))
}

struct Runner<'r> {
    settings: Settings,
    session: Session,
    program: Program,
    names: &'r mut Names,
    report: &'r mut Report,
    output: &'r mut Output,
    places: Places,
    contract: Address,
}

impl Runner<'_> {
    /// Deploys, then makes the calls.
    fn run(&mut self, flags: &Flags) -> Result<(), Failure> {
        let header = Header {
            file: flags.file.display().to_string(),
            program: self.program.clone(),
            mode: self.settings.mode,
            fork: self.settings.fork,
            address: None,
        };
        self.output.text(&text::header(&header));
        self.report.header = Some(header);
        self.deploy(flags)?;
        if self.is_deployed() {
            self.calls();
        }
        Ok(())
    }

    /// Runs the init code, or puts the code in place if there is none.
    fn deploy(&mut self, flags: &Flags) -> Result<(), Failure> {
        let Some(init) = self.program.init.clone() else {
            if flags.init_args.is_some() || !self.settings.init_value.is_zero() {
                let message = "--init-args and --init-value are for a constructor, but there is no init code";
                return Err(Failure::new(Status::Argument, message).at(flags.file.display().to_string()));
            }
            let address = address_without_deployment();
            self.session.install(address, &self.program.code)?;
            self.deployed_at(address);
            let contract = self.names.show(&self.contract);
            self.note(format!("no init code: the code was put in place at {contract}"));
            return Ok(());
        };
        let arguments = self.init_arguments(flags.init_args.as_deref())?;
        let mut step = Step::new(StepKind::Deploy, "deploy");
        step.from = Some(self.settings.from);
        step.value = self.settings.init_value;
        // A limit that is meant for the calls would rarely do for a deployment.
        step.gas_limit = self.settings.gas.max(GAS_DEFAULT);
        let transaction = Transaction {
            from: self.settings.from,
            to: None,
            data: [&init[..], &arguments].concat().into(),
            value: self.settings.init_value,
            gas: step.gas_limit,
        };
        match self.session.execute(&transaction) {
            Ok(ran) => {
                if let Some(address) = ran.execution.created {
                    self.deployed_at(address);
                }
                let places = self.places_of(&ran);
                step.finish(ran, places, self.program.abi.as_ref(), None, self.names);
            }
            Err(failure) => step.failure = Some(failure),
        }
        self.report_step(step, "deployment".into());
        let has_calls = !self.settings.calls.is_empty() || self.settings.calldata.is_some();
        if has_calls && !self.is_deployed() {
            self.note("no call was run, because the deployment failed".into());
        }
        Ok(())
    }

    fn deployed_at(&mut self, address: Address) {
        self.contract = address;
        self.names.set_contract(address);
        if let Some(header) = &mut self.report.header {
            header.address = Some(address);
        }
    }

    fn is_deployed(&self) -> bool {
        self.report.steps.iter().all(|step| step.kind != StepKind::Deploy || step.ran_successfully())
    }

    fn init_arguments(&mut self, text: Option<&str>) -> Result<Vec<u8>, Failure> {
        let place = "--init-args";
        let text = text.unwrap_or_default().trim();
        let Some(abi) = &self.program.abi else {
            let bytes = if text.is_empty() { Ok(vec![]) } else { parse_hex(text) };
            return bytes.map_err(|error| {
                let message = format!("`{text}`: {error}");
                Failure::new(Status::Argument, message)
                    .at(place)
                    .help("without an ABI, give encoded bytes in hex")
            });
        };
        let words = split_words(text)
            .map_err(|error| Failure::new(Status::Usage, format!("`{text}`: {error}")).at(place))?
            .into_iter()
            .map(|word| word.text)
            .collect::<Vec<_>>();
        encode("the constructor", &abi.constructor, &words, self.names).map_err(|failure| failure.at(place))
    }

    /// Makes every call that was asked for, or lists what can be called.
    fn calls(&mut self) {
        if let Some(data) = self.settings.calldata.clone() {
            self.call_raw("--calldata", data);
        } else if !self.settings.calls.is_empty() {
            let calls = self.settings.calls.clone();
            for (index, call) in calls.iter().enumerate() {
                let place = if calls.len() == 1 {
                    "call".into()
                } else {
                    format!("call {} of {}", index + 1, calls.len())
                };
                let step = self.call(call);
                self.report_step(step, place);
            }
        } else if let Some(abi) = &self.program.abi {
            self.output.text(&text::functions(abi));
            self.report.functions = Some(abi.clone());
        } else {
            self.call_raw("run", vec![]);
        }
    }

    fn call_raw(&mut self, title: &str, data: Vec<u8>) {
        let function = self.program.abi.as_ref().and_then(|abi| abi.function_of_calldata(&data)).cloned();
        let step = Step::new(StepKind::Call, title);
        let step =
            self.transact(step, self.settings.from, self.settings.value, self.settings.gas, data, function);
        self.report_step(step, "call".into());
    }

    /// Makes one call; whatever is wrong with it is in the step.
    fn call(&mut self, call: &CallText) -> Step {
        let mut step = Step::new(StepKind::Call, &call.title);
        match self.plan(call) {
            Ok(Plan { from, value, gas, data, function }) => {
                self.transact(step, from, value, gas, data, Some(function))
            }
            Err(failure) => {
                step.failure = Some(failure);
                step
            }
        }
    }

    fn plan(&mut self, call: &CallText) -> Result<Plan, Failure> {
        let Settings { from, value, gas, .. } = self.settings;
        let abi = self.program.abi.as_ref().ok_or_else(|| no_abi(&call.function))?;
        let function = abi.function(&call.function)?.clone();
        let data = function.calldata(&call.arguments, self.names)?;
        Ok(Plan {
            from: match &call.from {
                Some(text) => self.names.address(text).map_err(wrong_flag("--from", text))?,
                None => from,
            },
            value: call.value.as_deref().map_or(Ok(value), |text| read_wei("--value", text))?,
            gas: call.gas.as_deref().map_or(Ok(gas), read_gas)?,
            data,
            function,
        })
    }

    fn transact(
        &mut self,
        mut step: Step,
        from: Address,
        value: U256,
        gas: u64,
        data: Vec<u8>,
        function: Option<Function>,
    ) -> Step {
        step.signature = function.as_ref().map(|function| function.signature.clone());
        step.from = Some(from);
        step.value = value;
        step.gas_limit = gas;
        let transaction = Transaction { from, to: Some(self.contract), data: Bytes::from(data), value, gas };
        match self.session.execute(&transaction) {
            Ok(ran) => {
                let places = self.places_of(&ran);
                step.finish(ran, places, self.abi(), function.as_ref(), self.names);
            }
            Err(failure) => step.failure = Some(failure),
        }
        step
    }

    /// Where in the source it failed, the innermost place first.
    fn places_of(&self, ran: &execution::Ran) -> Vec<SourcePlace> {
        // A contract that is being created has no address yet that this would know.
        let is_own = |frame: &&FailedFrame| {
            frame.is_creation && frame.depth == 0 || frame.code_address == self.contract
        };
        let found = ran.blamed.iter().rev().filter(is_own).filter_map(|frame| self.places.of_frame(frame));
        let mut places: Vec<SourcePlace> = found.collect();
        places.dedup();
        places
    }

    fn abi(&self) -> Option<&Abi> {
        self.program.abi.as_ref()
    }

    fn report_step(&mut self, mut step: Step, place: String) {
        self.output.text(&text::step(&step, self.names));
        if let Some(failure) = step.failure.take() {
            let failure = failure.at(place);
            complain(&failure);
            step.failure = Some(failure);
        }
        if let Some(note) = step.bound_exceeded() {
            self.note(note);
        }
        self.report.steps.push(step);
    }

    fn note(&mut self, note: String) {
        self.output.text(&format!("note: {note}\n"));
        self.report.notes.push(note);
    }

    /// What becomes of the contract's code, and what the tiers did.
    fn look_inside(&mut self, flags: &Flags) -> Result<(), Failure> {
        if !flags.dump.is_empty() {
            let code = self.session.code(&self.contract, &self.program.code)?;
            let (text, json) = self.session.dump(&code, &flags.dump)?;
            self.output.text(&text);
            self.report.dump = Some(json);
        }
        if flags.stats {
            let stats = self.session.stats();
            self.output.text(&stats.text());
            self.report.stats = Some(stats);
        }
        if let Some(failure) = self.session.perf_map_failure() {
            self.note(failure);
        }
        Ok(())
    }

    /// A run that was to be native but was not says why; a check that compared nothing is a failure.
    fn say_what_was_compiled(&mut self) -> Result<(), Failure> {
        let facts = self.report.steps.iter().filter_map(|step| step.facts.as_ref());
        let blocks: Vec<Blocks> = facts
            .map(|facts| {
                facts.checked.as_ref().map_or(facts.execution.blocks, |checked| checked.native.blocks)
            })
            .collect();
        let has_compiled = blocks.iter().any(|blocks| blocks.compiled > 0);
        if !self.settings.mode.needs_jit() || blocks.is_empty() || has_compiled {
            return Ok(());
        }
        let why = self.session.why_not_compiled(&self.program.code);
        if self.settings.mode == Mode::Check && self.report.status() == Status::Success {
            let message = "no block ran as native code, so the check compared nothing";
            return Err(Failure::new(Status::NothingCompiled, message).help(why));
        }
        self.note(format!("no block ran as native code: {why}"));
        Ok(())
    }
}

/// A call that is ready to be sent.
struct Plan {
    from: Address,
    value: U256,
    gas: u64,
    data: Vec<u8>,
    function: Function,
}

fn no_abi(function: &str) -> Failure {
    let message = format!("`{function}` cannot be looked up: the file has no ABI");
    Failure::new(Status::UnknownFunction, message)
        .help("send encoded data with --calldata 0x…, or run the code once by giving the file alone")
}
