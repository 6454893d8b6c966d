//! The facts of a run, read by the ABI. [`text`] and [`json`] print the same facts in two forms.

pub(crate) mod json;
pub(crate) mod text;

use std::time::Duration;

use alloy_primitives::{Address, Bytes, U256};
use serde_json::Value;
use zvm::Fork;
use zvm::outcome::Trap;

use crate::abi::{Abi, Function};
use crate::decode::{Named, ReadLog, Reason, decode, read_log, reason};
use crate::execution::{Checked, End, Execution, Ran};
use crate::failure::Failure;
use crate::flags::Mode;
use crate::names::Names;
use crate::places::SourcePlace;
use crate::program::Program;
use crate::stats::Stats;
use crate::status::Status;

/// What is known before anything runs.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    /// The file as the user named it.
    pub(crate) file: String,
    /// The contract.
    pub(crate) program: Program,
    /// How transactions are executed.
    pub(crate) mode: Mode,
    /// The rules.
    pub(crate) fork: Fork,
    /// Where the contract lies, once it does.
    pub(crate) address: Option<Address>,
}

/// Everything a run of zvmrun has to say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// What runs; `None` if the file could not be loaded.
    pub(crate) header: Option<Header>,
    /// Deployment and calls, in order.
    pub(crate) steps: Vec<Step>,
    /// What can be called, where it was asked for.
    pub(crate) functions: Option<Abi>,
    /// Facts about the run as a whole.
    pub(crate) notes: Vec<String>,
    /// What becomes of the code, as JSON, where it was asked for.
    pub(crate) dump: Option<Value>,
    /// What the tiers did, where it was asked for.
    pub(crate) stats: Option<Stats>,
    /// A failure that belongs to no step.
    pub(crate) failure: Option<Failure>,
}

impl Report {
    /// The status of the process: the last failure's, but a difference between the tiers outweighs all.
    pub(crate) fn status(&self) -> Status {
        if self.steps.iter().any(|step| step.status() == Status::TiersDiffer) {
            return Status::TiersDiffer;
        }
        let of_steps = self.steps.iter().filter_map(|step| step.failure.as_ref());
        of_steps.chain(&self.failure).next_back().map_or(Status::Success, |failure| failure.status)
    }
}

/// What a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StepKind {
    /// The deployment: a creation, or code put in place.
    Deploy,
    /// A call.
    Call,
}

/// One thing that was asked for, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// What it is.
    pub(crate) kind: StepKind,
    /// As the user wrote it.
    pub(crate) title: String,
    /// Signature of the function.
    pub(crate) signature: Option<String>,
    /// Sender.
    pub(crate) from: Option<Address>,
    /// Wei sent.
    pub(crate) value: U256,
    /// Gas limit.
    pub(crate) gas_limit: u64,
    /// What the compiler promised about the gas of the execution.
    pub(crate) gas_bound: Option<u64>,
    /// What it did; `None` if it never ran.
    pub(crate) facts: Option<Facts>,
    /// Why it counts as failed.
    pub(crate) failure: Option<Failure>,
}

/// What a transaction did, read by the ABI.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// Raw facts.
    pub(crate) execution: Execution,
    /// Results by the ABI; `None` if there is none, or the output is something else.
    pub(crate) results: Option<Vec<Named>>,
    /// Logs by the ABI.
    pub(crate) logs: Vec<ReadLog>,
    /// The native side of `--check`.
    pub(crate) checked: Option<Checked>,
    /// Time that compiling took before the transaction.
    pub(crate) compile_time: Option<Duration>,
    /// Where in the source it failed, the innermost place first.
    pub(crate) places: Vec<SourcePlace>,
}

/// How a transaction ended, and why.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// Successfully.
    Success,
    /// Undone by the program.
    Reverted(Reason),
    /// Exceptionally.
    Trap(Trap),
}

impl Step {
    /// A step that has not run.
    pub(crate) fn new(kind: StepKind, title: impl Into<String>) -> Step {
        Step {
            kind,
            title: title.into(),
            signature: None,
            from: None,
            value: U256::ZERO,
            gas_limit: 0,
            gas_bound: None,
            facts: None,
            failure: None,
        }
    }

    /// Takes what the transaction did, and finds what is wrong with it.
    pub(crate) fn finish(
        &mut self,
        ran: Ran,
        places: Vec<SourcePlace>,
        abi: Option<&Abi>,
        function: Option<&Function>,
        names: &Names,
    ) {
        let facts = Facts { places, ..Facts::read(ran, abi, function, self.kind) };
        self.gas_bound = function.and_then(|function| function.gas.bound);
        self.failure = facts.failure(&self.title, self.gas_limit, function, names);
        self.facts = Some(facts);
    }

    /// A broken promise of the compiler about gas.
    pub(crate) fn bound_exceeded(&self) -> Option<String> {
        let (bound, executed) = (self.gas_bound?, self.facts.as_ref()?.execution.gas.execution);
        // After a trap all gas is gone, whatever was needed.
        let is_trap = matches!(self.facts.as_ref()?.outcome, Outcome::Trap(_));
        (executed > bound && !is_trap).then(|| {
            format!(
                "`{}` executed {executed} gas, above the bound {bound} of its ABI; please report it",
                self.title
            )
        })
    }

    /// Whether its effects are in the world.
    pub(crate) fn ran_successfully(&self) -> bool {
        self.facts.as_ref().is_some_and(|facts| facts.outcome == Outcome::Success)
    }

    /// The status it would end the process with.
    pub(crate) fn status(&self) -> Status {
        self.failure.as_ref().map_or(Status::Success, |failure| failure.status)
    }
}

impl Facts {
    fn read(ran: Ran, abi: Option<&Abi>, function: Option<&Function>, kind: StepKind) -> Facts {
        let Ran { execution, checked, compile_time, blamed: _ } = ran;
        let outcome = match execution.end {
            End::Success => Outcome::Success,
            End::Revert => Outcome::Reverted(reason(abi, &execution.output)),
            End::Trap(trap) => Outcome::Trap(trap),
        };
        // What a creation returns is the code.
        let results = match (&outcome, function) {
            (Outcome::Success, Some(function)) if kind == StepKind::Call => {
                decode(&function.outputs, &execution.output)
            }
            _ => None,
        };
        let logs = execution.logs.iter().map(|log| read_log(abi, log.clone())).collect();
        Facts { outcome, execution, results, logs, checked, compile_time, places: Vec::new() }
    }

    /// Why the step failed. A difference between the tiers outweighs how either of them ended.
    fn failure(
        &self,
        title: &str,
        gas_limit: u64,
        function: Option<&Function>,
        names: &Names,
    ) -> Option<Failure> {
        if let Some(checked) = &self.checked
            && !checked.differences.is_empty()
        {
            let mut message = format!("`{title}`: THE TIERS DIFFER, interpreter and native code disagree:");
            for difference in &checked.differences {
                let (what, a, b) = (&difference.what, &difference.interpreter, &difference.native);
                message.push_str(&format!("\n  {what}\n    interpreter: {a}\n    native code: {b}"));
            }
            let help =
                "this is a bug of zvm or zvm-jit: please report it with the file and this command line";
            return Some(Failure::new(Status::TiersDiffer, message).help(help));
        }
        match &self.outcome {
            Outcome::Success => None,
            Outcome::Reverted(reason) => {
                let message = match reason {
                    Reason::Empty => format!("`{title}` reverted without data"),
                    _ => format!("`{title}` reverted with {}", reason.show(names)),
                };
                let failure = Failure::new(Status::Reverted, message);
                Some(match reason.help() {
                    Some(help) => failure.help(help),
                    None => failure,
                })
            }
            Outcome::Trap(Trap::OutOfGas) => {
                let bound = function.and_then(|function| function.gas.bound);
                let mut help = format!("it had {gas_limit}, give it more with --gas");
                if let Some(bound) = bound {
                    help.push_str(&format!(
                        "\nthe bound of its execution is {bound}; a transaction pays 21000 and its call data beside"
                    ));
                }
                Some(Failure::new(Status::OutOfGas, format!("`{title}` ran out of gas")).help(help))
            }
            Outcome::Trap(trap) => {
                let message = format!("`{title}` ended with a trap, {trap}: {}", trap.message());
                let failure = Failure::new(Status::Trap, message);
                Some(match trap {
                    Trap::InvalidOpcode => failure.help(
                        "an operation of a newer fork needs --fork; operations that this version does not have \
                         yet are invalid opcodes, too",
                    ),
                    _ => failure,
                })
            }
        }
    }
}

/// Output that no ABI explains, if there is any to show.
pub(crate) fn raw_output(facts: &Facts, kind: StepKind) -> Option<&Bytes> {
    let is_shown = kind == StepKind::Call
        && matches!(facts.outcome, Outcome::Success)
        && facts.results.is_none()
        && !facts.execution.output.is_empty();
    is_shown.then_some(&facts.execution.output)
}
