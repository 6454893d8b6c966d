//! Judges a program: the interpreter is the reference, compiled code must not be told from it, and where revm knows
//! the encoding it must see the same.

use std::collections::BTreeMap;
use std::rc::Rc;

use alloy_primitives::Bytes;
use serde::{Deserialize, Serialize};
use testkit::observe::exit_name;
use testkit::pieces::Pieces;
use testkit::program::Setting;
use testkit::random::Random;
use testkit::shrink::shrink;
use testkit::tiers;

use crate::execution::{Execution, Kind, Subject};
use crate::gate::Gate;
use crate::machines::Machines;
use crate::peer;
use crate::variant::{VARIANTS, Variant};
use crate::world::World;

/// Most candidates that the shrinker tries.
const SHRINK_TRIES: usize = 2000;
/// Variants that each program is compiled in; the first is production's.
const VARIANTS_PER_PROGRAM: usize = 4;

/// What executions did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// Executions: one program, one input, one disturbance.
    pub executions: u64,
    /// Of these, single frames.
    pub frames: u64,
    /// Transactions that revm ran too.
    pub peer_runs: u64,
    /// Executions by the way they ended.
    pub exits: BTreeMap<String, u64>,
    /// Blocks that compiled code ran.
    pub blocks_compiled: u64,
    /// Blocks that the interpreter ran when compiled code led.
    pub blocks_interpreted: u64,
    /// Blocks that compiled code ran where nothing kept it out.
    pub open_compiled: u64,
    /// Blocks that the interpreter ran there.
    pub open_interpreted: u64,
    /// Operations of the first transaction.
    pub operations: u64,
}

impl Tally {
    /// Adds another's figures.
    pub fn add(&mut self, other: &Tally) {
        self.executions += other.executions;
        self.frames += other.frames;
        self.peer_runs += other.peer_runs;
        for (exit, count) in &other.exits {
            *self.exits.entry(exit.clone()).or_default() += count;
        }
        self.blocks_compiled += other.blocks_compiled;
        self.blocks_interpreted += other.blocks_interpreted;
        self.open_compiled += other.open_compiled;
        self.open_interpreted += other.open_interpreted;
        self.operations += other.operations;
    }

    fn count(&mut self, is_open: bool, exit: zvm::outcome::Exit, compiled: u64, interpreted: u64) {
        self.executions += 1;
        *self.exits.entry(exit_name(exit)).or_default() += 1;
        self.blocks_compiled += compiled;
        self.blocks_interpreted += interpreted;
        if is_open {
            self.open_compiled += compiled;
            self.open_interpreted += interpreted;
        }
    }
}

/// A program that is judged: its parts, so that it can be made small, and what surrounds it.
#[derive(Clone, Debug)]
pub struct Suspect {
    /// The program and its first input.
    pub pieces: Pieces,
    /// Code of the other contracts.
    pub companions: Vec<Bytes>,
    /// Whether it is a transaction's init code.
    pub is_creation: bool,
}

impl Suspect {
    fn subject(&self) -> Subject {
        Subject {
            program: self.pieces.assemble(),
            companions: self.companions.clone(),
            is_creation: self.is_creation,
        }
    }
}

/// An execution that shows a difference, as small as it got.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The execution.
    pub execution: Execution,
    /// What differs.
    pub difference: String,
}

/// Runs one execution with its reference and, in Ethereum's encoding, revm; an error says what differs.
pub fn rerun(machines: &mut Machines, execution: &Execution) -> Result<(), String> {
    let Execution { subject, kind, variant, gate } = execution;
    if *kind == Kind::Frame {
        let reference = interpreted_frame(subject)?;
        let (observed, _, _) = machines.frame(subject, variant, *gate)?;
        return differ("interpreter against compiled frame", reference.difference(&observed));
    }
    let world = Rc::new(World::of(subject));
    machines.show(world.clone());
    let reference = machines.reference(subject)?;
    if !subject.is_native() {
        let peer = peer::transact(&world, subject.program.setting.fork, &subject.transaction())?;
        differ("revm against the interpreter", peer.difference(&reference.seen))?;
    }
    let (stepwise, ..) = machines.stepwise(subject)?;
    differ("step by step against the interpreter", stepwise.seen.difference(&reference.seen))?;
    let ran = machines.compiled(subject, variant, *gate)?;
    differ("interpreter against compiled code", reference.seen.difference(&ran.seen))
}

/// The frame by the book, confirmed by the interpreter's loop.
fn interpreted_frame(subject: &Subject) -> Result<testkit::observe::Observed, String> {
    let code = subject.program.to_code();
    let setting = &subject.program.setting;
    let stepwise = tiers::run_stepwise(&code, setting).observed;
    let interpreted = tiers::run_interpreted(&code, setting).observed;
    differ("step by step against the interpreter's frame", stepwise.difference(&interpreted))?;
    Ok(interpreted)
}

fn differ(who: &str, difference: Option<String>) -> Result<(), String> {
    difference.map_or(Ok(()), |difference| Err(format!("{who}:\n  {difference}")))
}

/// Judges programs one after the other.
pub struct Judge<'m> {
    machines: &'m mut Machines,
    world: Rc<World>,
    random: Random,
    tally: Tally,
}

/// What stops a judgment: the execution, and what differs.
type Stop = Box<(Execution, String)>;

impl<'m> Judge<'m> {
    /// Judges a program by executions that `seed` picks; a finding is made small first.
    pub fn judge(machines: &'m mut Machines, suspect: &Suspect, seed: u64) -> Result<Tally, Box<Finding>> {
        let subject = suspect.subject();
        let world = Rc::new(World::of(&subject));
        machines.show(world.clone());
        let mut judge = Judge { machines, world, random: Random::new(seed), tally: Tally::default() };
        match judge.all(subject) {
            Ok(()) => Ok(judge.tally),
            Err(stop) => Err(Box::new(make_small(judge.machines, suspect, *stop))),
        }
    }

    fn all(&mut self, subject: Subject) -> Result<(), Stop> {
        let variants = self.variants();
        let at_operations = self.first_transaction(&subject)?;
        let used = self.transaction(&subject, &variants)?;
        let with = |setting: Setting| {
            let mut other = subject.clone();
            other.program.setting = setting;
            other
        };
        let amounts = self.amounts_of_gas(&subject.program.setting, used, &at_operations);
        for (index, &gas) in amounts.iter().enumerate() {
            let other = with(Setting { gas, ..subject.program.setting.clone() });
            self.transaction(&other, &variants)?;
            // The last ones leave little in front of some operation.
            if index >= amounts.len().saturating_sub(2) && !subject.is_creation {
                self.frame(&other, &variants)?;
            }
        }
        for setting in self.other_inputs(&subject.program.setting) {
            self.transaction(&with(setting), &variants)?;
        }
        if subject.is_creation { Ok(()) } else { self.frame(&subject, &variants) }
    }

    fn variants(&mut self) -> Vec<Variant> {
        let mut variants = vec![Variant::production()];
        while variants.len() < VARIANTS_PER_PROGRAM {
            let variant = Variant::nth(self.random.index(VARIANTS));
            if !variants.contains(&variant) {
                variants.push(variant);
            }
        }
        variants
    }

    /// Gas next to what the first run used: exactly enough, one less, and such that little is left in front of some
    /// operation. A random part of all gas would nearly always end in one of the few operations that cost much.
    fn amounts_of_gas(&mut self, base: &Setting, used: u64, at_operations: &[u64]) -> Vec<u64> {
        let mut amounts = vec![used];
        if used > 1 {
            amounts.extend([used - 1, self.random.below(used)]);
        }
        if !at_operations.is_empty() {
            let first = at_operations[0];
            amounts.extend((0..3).map(|_| {
                let spent = first.saturating_sub(self.random.pick(at_operations));
                spent + self.random.below(40)
            }));
        }
        amounts.retain(|&gas| gas != base.gas);
        amounts
    }

    /// Other call data and values.
    fn other_inputs(&mut self, base: &Setting) -> Vec<Setting> {
        let mut settings = Vec::new();
        for _ in 0..3 {
            let mut input = Vec::new();
            for _ in 0..1 + self.random.below(4) {
                input.extend_from_slice(&self.random.word().to_be_bytes::<32>());
            }
            input.truncate(input.len() - self.random.index(8));
            let value = if self.random.chance(50) { base.value } else { self.random.word() };
            settings.push(Setting { input: input.into(), value, ..base.clone() });
        }
        settings
    }

    fn gates(&mut self) -> [Gate; 2] {
        let other = if self.random.chance(60) {
            Gate::Random(self.random.bits64())
        } else {
            Gate::After(1 + self.random.below(20))
        };
        [Gate::Open, other]
    }

    /// The first input, operation by operation; gives the gas before each operation.
    fn first_transaction(&mut self, subject: &Subject) -> Result<Vec<u64>, Stop> {
        let stop = |difference: String| Box::new((plain(subject, Kind::Transaction), difference));
        let reference = self.machines.reference(subject).map_err(stop)?;
        let (stepwise, operations, gas) = self.machines.stepwise(subject).map_err(stop)?;
        differ("step by step against the interpreter", stepwise.seen.difference(&reference.seen))
            .map_err(stop)?;
        self.tally.operations += operations;
        Ok(gas)
    }

    /// One input as a transaction, in every variant; gives the gas that the top frame used.
    fn transaction(&mut self, subject: &Subject, variants: &[Variant]) -> Result<u64, Stop> {
        let stop = |difference: String| Box::new((plain(subject, Kind::Transaction), difference));
        let reference = self.machines.reference(subject).map_err(stop)?;
        if !subject.is_native() {
            self.tally.peer_runs += 1;
            let peer = peer::transact(&self.world, subject.program.setting.fork, &subject.transaction());
            let peer = peer.map_err(stop)?;
            differ("revm against the interpreter", peer.difference(&reference.seen)).map_err(stop)?;
        }
        for variant in variants {
            for gate in self.gates() {
                let stop = |difference: String| {
                    let execution = plain(subject, Kind::Transaction);
                    Box::new((Execution { variant: variant.clone(), gate, ..execution }, difference))
                };
                let ran = self.machines.compiled(subject, variant, gate).map_err(stop)?;
                differ("interpreter against compiled code", reference.seen.difference(&ran.seen))
                    .map_err(stop)?;
                let is_open = gate == Gate::Open && !variant.leaves_blocks();
                self.tally.count(is_open, ran.exit, ran.blocks_compiled, ran.blocks_interpreted);
            }
        }
        Ok(reference.exec_gas)
    }

    /// The program as a single frame, in every variant.
    fn frame(&mut self, subject: &Subject, variants: &[Variant]) -> Result<(), Stop> {
        let stop = |difference: String| Box::new((plain(subject, Kind::Frame), difference));
        let reference = interpreted_frame(subject).map_err(stop)?;
        for variant in variants {
            for gate in self.gates() {
                let stop = |difference: String| {
                    let execution = plain(subject, Kind::Frame);
                    Box::new((Execution { variant: variant.clone(), gate, ..execution }, difference))
                };
                let (observed, compiled, interpreted) =
                    self.machines.frame(subject, variant, gate).map_err(stop)?;
                differ("interpreter against compiled frame", reference.difference(&observed))
                    .map_err(stop)?;
                let is_open = gate == Gate::Open && !variant.leaves_blocks();
                self.tally.count(is_open, observed.exit, compiled, interpreted);
                self.tally.frames += 1;
            }
        }
        Ok(())
    }
}

/// The execution of a subject that nothing disturbs.
fn plain(subject: &Subject, kind: Kind) -> Execution {
    Execution { subject: subject.clone(), kind, variant: Variant::production(), gate: Gate::Open }
}

/// Drops what the difference does not need.
fn make_small(
    machines: &mut Machines,
    suspect: &Suspect,
    (found, difference): (Execution, String),
) -> Finding {
    let machines = std::cell::RefCell::new(machines);
    let execution = |pieces: &Pieces, companions: &[Bytes]| Execution {
        subject: Subject {
            program: pieces.assemble(),
            companions: companions.to_vec(),
            ..found.subject.clone()
        },
        ..found.clone()
    };
    let fails = |pieces: &Pieces, companions: &[Bytes]| {
        rerun(&mut machines.borrow_mut(), &execution(pieces, companions)).is_err()
    };
    let start = Pieces { setting: found.subject.program.setting.clone(), ..suspect.pieces.clone() };
    let mut companions = suspect.companions.clone();
    if !fails(&start, &companions) {
        // Something else than the execution alone decides, such as what was compiled before it.
        return Finding { execution: found, difference: format!("{difference}\n  (not when run alone)") };
    }
    for index in 0..companions.len() {
        let mut fewer = companions.clone();
        fewer[index] = Bytes::new();
        if fails(&start, &fewer) {
            companions = fewer;
        }
    }
    let small = shrink(&start, SHRINK_TRIES, |pieces| fails(pieces, &companions));
    let execution = execution(&small, &companions);
    let difference = rerun(&mut machines.borrow_mut(), &execution).err().unwrap_or(difference);
    Finding { execution, difference }
}

impl Finding {
    /// A program that made the process panic.
    pub fn panicked(suspect: &Suspect) -> Finding {
        let execution = plain(&suspect.subject(), Kind::Transaction);
        Finding { execution, difference: "a panic".to_owned() }
    }
}
