//! Tests of every operation, generated from the opcode table.
//!
//! For each operation, encoding and immediate: programs whose operands are constants, call data, words in memory
//! and narrow words, run with every edge value in every operand position. Every run goes through all tiers; pure
//! operations are also checked against the [model], gas included. The shapes that make operations fail come from
//! the table too: one operand too few, a full stack, one gas too little, a static frame, an older fork.

mod forms;

use std::collections::BTreeSet;

use alloy_primitives::{Bytes, U256};
use zvm::bytecode::{DynamicGas, Encoding, Op};
use zvm::fork::Fork;
use zvm::gas::STACK_LIMIT;
use zvm::interp::ops::asks;
use zvm::outcome::{Exit, Trap};

use crate::boundary;
use crate::host::{CALLEE, CONTRACT, DELEGATOR};
use crate::model::{self, Effect};
use crate::observe;
use crate::pieces::{Piece, Pieces};
use crate::program::{Program, Setting};
use crate::random::Random;
use crate::tiers::{Agreed, Compile, Prepared};
use forms::{Form, push_operands};

/// Stands below the operands and must survive.
const SENTINEL: u64 = 0x5e17_19e1;
/// Most runs of one program.
const RUNS_MAX: usize = 150;
/// Operands beyond this position are only loaded, since a stack of 255 needs no more kinds of tests than one of 4.
const POSITIONS_MAX: usize = 4;

/// Tests one operation in one encoding; an error names the program, the operands and what went wrong.
pub fn check(op: Op, encoding: Encoding) -> Result<(), String> {
    let mut tally = Tally::default();
    for immediate in immediates(op) {
        let test = OpTest::new(op, encoding, immediate);
        test.operands(&mut tally)?;
        test.failures(&mut tally)?;
    }
    tally.verdict(op)
}

/// What a test has seen, so that it can tell that it tested something.
#[derive(Default)]
struct Tally {
    compiled_blocks: u64,
    /// Runs whose blocks, before and behind the operation, were all compiled.
    resumed: u64,
    performed: u64,
    invalid: u64,
    out_of_gas: u64,
}

impl Tally {
    fn count(&mut self, agreed: &Agreed) {
        self.compiled_blocks += agreed.blocks.compiled;
        let asked = !agreed.observed.requests.is_empty();
        self.resumed += u64::from(asked && agreed.blocks.compiled > 1 && agreed.blocks.interpreted == 0);
        match agreed.observed.exit {
            Exit::Trap(Trap::InvalidOpcode) => self.invalid += 1,
            Exit::Trap(Trap::OutOfGas) => self.out_of_gas += 1,
            _ => self.performed += 1,
        }
    }

    fn verdict(&self, op: Op) -> Result<(), String> {
        let runs = is_active(op) && op != Op::Invalid;
        let grows =
            matches!(op.info().dynamic, DynamicGas::Memory | DynamicGas::PerWord(_) | DynamicGas::PerByte(_));
        if self.compiled_blocks == 0 {
            return Err("no block ran compiled".to_owned());
        }
        if asks(op) && self.resumed == 0 {
            return Err("compiled code never went on behind the operation".to_owned());
        }
        if runs && self.performed == 0 {
            return Err("the operation never had an effect".to_owned());
        }
        if !runs && self.invalid == 0 {
            return Err("an operation that needs another host never was an invalid opcode".to_owned());
        }
        if runs && grows && self.out_of_gas == 0 {
            return Err("no range was large enough to run out of gas".to_owned());
        }
        Ok(())
    }
}

/// Whether the operation is one where the programs run, which is without Hedera's services.
fn is_active(op: Op) -> bool {
    op.is_active(Fork::LATEST, false)
}

/// The immediates an operation is tried with: all that are legal where they are few, and some that are not.
fn immediates(op: Op) -> Vec<Vec<u8>> {
    let bytes: Vec<u8> = match op {
        Op::DupN | Op::SwapN => vec![0, 1, 2, 5, 16, 17, 255],
        Op::TablehashN => vec![0, 1, 2, 3, 16, 17, 255],
        Op::Assert | Op::Panic => vec![0, 0x01, 0x11, 0x61, 0x80, 0xff],
        Op::CAdd | Op::CSub | Op::CMul | Op::CDiv | Op::CMod | Op::CNeg | Op::CExp | Op::CCast => {
            let legal = (0..=255).filter(|&byte| op.immediate_is_legal(byte));
            legal.chain([0x00, 0x21, 0x3f, 0x48, 0x80, 0xa1, 0xff]).collect()
        }
        _ => return wide_immediates(usize::from(op.info().imm)),
    };
    bytes.into_iter().map(|byte| vec![byte]).collect()
}

/// Operands of pushes: edges cut to size, and bytes that would be jump targets.
fn wide_immediates(len: usize) -> Vec<Vec<u8>> {
    let mut all: BTreeSet<Vec<u8>> =
        boundary::edges().iter().map(|word| word.to_be_bytes::<32>()[32 - len..].to_vec()).collect();
    all.extend([vec![0x5b; len], vec![0xa3; len], vec![0x80; len]]);
    all.into_iter().collect()
}

struct OpTest {
    op: Op,
    encoding: Encoding,
    immediate: Vec<u8>,
    /// Words that the operation needs.
    needs: usize,
    /// Words that stand in their place afterwards.
    leaves: usize,
    /// Words that call data is made of.
    words: Vec<U256>,
    /// Whether [`model`] knows the operation.
    is_pure: bool,
}

impl OpTest {
    fn new(op: Op, encoding: Encoding, immediate: Vec<u8>) -> OpTest {
        let byte = immediate.first().copied().unwrap_or(0);
        let (needs, leaves) = op.stack_effect(byte);
        let (needs, leaves) = (usize::from(needs), usize::from(leaves));
        let is_legal = op.immediate_is_legal(byte);
        let is_pure = is_legal && model::evaluate(op, byte, &vec![U256::ONE; needs]).is_some();
        let mut words = boundary::edges();
        if is_pure {
            words.extend(type_edges(op, byte));
        } else {
            // Ranges that are small enough to pay for.
            words.extend([31, 32, 33, 95, 200].map(U256::from));
            // Accounts that exist.
            words
                .extend([CONTRACT, CALLEE, DELEGATOR].map(|address| U256::from_be_slice(address.as_slice())));
        }
        OpTest { op, encoding, immediate, needs, leaves, words, is_pure }
    }

    fn byte(&self) -> u8 {
        self.immediate.first().copied().unwrap_or(0)
    }

    // --- operands ---

    fn operands(&self, tally: &mut Tally) -> Result<(), String> {
        let mut random = Random::new(self.op as u64 * 256 + u64::from(self.byte()));
        for forms in self.shapes(&mut random) {
            let pieces = self.pieces(&forms);
            let program = pieces.assemble();
            let prepared = Prepared::new(&program, &Compile::PLAIN);
            let target = label_offset(&program);
            let mut ran = false;
            for words in self.calldata(&forms, target, &mut random) {
                let setting = Setting { input: calldata(&words), ..program.setting.clone() };
                let agreed = self.run(&prepared, &program, &setting)?;
                tally.count(&agreed);
                self.against_model(&pieces, &program, &setting, &forms, &words, target, &agreed)?;
                if !ran {
                    ran = true;
                    self.at_the_gas_limit(&prepared, &program, &setting, &agreed)?;
                }
            }
        }
        Ok(())
    }

    /// Which forms the operands take, one entry per program.
    fn shapes(&self, random: &mut Random) -> Vec<Vec<Form>> {
        let width = self.needs.min(POSITIONS_MAX);
        let kinds = Form::of_calldata(self.encoding);
        let fill = |form: Form| vec![form; self.needs];
        let mut shapes = vec![fill(Form::Loaded)];
        if width == 0 {
            return shapes;
        }
        shapes.push(fill(Form::Resting));
        let is_jump = matches!(self.op, Op::Jump | Op::JumpI);
        if self.needs <= POSITIONS_MAX {
            for position in 0..width {
                for &word in &self.words {
                    let mut forms = fill(random.pick(&kinds));
                    forms[position] = Form::Literal(word);
                    shapes.push(forms);
                }
                for &kind in &kinds {
                    let mut forms = fill(Form::Loaded);
                    forms[position] = kind;
                    shapes.push(forms);
                }
            }
            let mixed = if self.takes_type() { 4 } else { 24 };
            for _ in 0..mixed {
                shapes.push((0..self.needs).map(|_| random.pick(&kinds)).collect());
                let literal = |random: &mut Random| Form::Literal(random.pick(&self.words));
                shapes.push((0..self.needs).map(|_| literal(random)).collect());
            }
            if self.takes_type() {
                self.thin_out(&mut shapes, random);
            }
        }
        if is_jump {
            for condition in
                kinds.iter().copied().chain([Form::Literal(U256::ZERO), Form::Literal(U256::MAX)])
            {
                let mut forms = fill(condition);
                forms[0] = Form::Target;
                shapes.push(forms);
            }
        }
        shapes
    }

    fn takes_type(&self) -> bool {
        matches!(
            self.op,
            Op::CAdd | Op::CSub | Op::CMul | Op::CDiv | Op::CMod | Op::CNeg | Op::CExp | Op::CCast
        )
    }

    /// There are 64 types: each gets the first two shapes and a sample of the others; common types keep all.
    fn thin_out(&self, shapes: &mut Vec<Vec<Form>>, random: &mut Random) {
        let is_common = matches!(self.byte() & 0xbf, 0x01 | 0x08 | 0x88 | 0x10 | 0x20 | 0xa0);
        if is_common {
            return;
        }
        let mut kept = shapes[..2].to_vec();
        for _ in 0..6 {
            kept.push(shapes[random.index(shapes.len())].clone());
        }
        *shapes = kept;
    }

    /// Call data for one program: every word in every position, and all pairs where they are few.
    fn calldata(&self, forms: &[Form], target: U256, random: &mut Random) -> Vec<Vec<U256>> {
        let mut choices = self.words.clone();
        if matches!(self.op, Op::Jump | Op::JumpI) {
            choices.push(target);
        }
        let varying: Vec<usize> = (0..self.needs.min(POSITIONS_MAX))
            .filter(|&position| !matches!(forms[position], Form::Literal(_) | Form::Target))
            .collect();
        let mut all = Vec::new();
        match varying[..] {
            [] => all.push(self.rotated(0)),
            [first, second] if choices.len() * choices.len() <= 2 * RUNS_MAX => {
                for &a in &choices {
                    for &b in &choices {
                        let mut words = self.rotated(0);
                        (words[first], words[second]) = (a, b);
                        all.push(words);
                    }
                }
            }
            _ => {
                for &position in &varying {
                    for &word in &choices {
                        // Twice among others: once any words, once small ones, so that ranges can be paid for.
                        let mut words: Vec<U256> = (0..self.needs).map(|_| random.pick(&choices)).collect();
                        words[position] = word;
                        all.push(words);
                        let mut words = vec![U256::from(32); self.needs];
                        words[position] = word;
                        all.push(words);
                    }
                }
            }
        }
        // A checked form faults before the operation; that run would test nothing.
        all.retain(|words| forms.iter().zip(words).all(|(form, &word)| form.operand(word, target).is_some()));
        all
    }

    /// Words for all positions, edge after edge.
    fn rotated(&self, start: usize) -> Vec<U256> {
        (0..self.needs).map(|position| self.words[(start + position) % self.words.len()]).collect()
    }

    fn pieces(&self, forms: &[Form]) -> Pieces {
        let encoding = self.encoding;
        let mut pieces = vec![];
        if !self.is_pure {
            // Bytes in memory that are worth reading.
            let pattern = U256::from_be_bytes::<32>(std::array::from_fn(|i| 0x80 ^ (7 * i) as u8));
            for offset in [0, 32] {
                pieces.push(Piece::push(encoding, pattern, 32));
                pieces.push(Piece::push(encoding, U256::from(offset), 1));
                pieces.push(Piece::plain(Op::Mstore));
            }
        }
        pieces.push(Piece::push(encoding, U256::from(SENTINEL), 4));
        push_operands(encoding, forms, &mut pieces);
        pieces.push(Piece::Instruction(self.op, self.immediate.clone()));
        pieces.push(Piece::plain(Op::Halt));
        if matches!(self.op, Op::Jump | Op::JumpI) {
            pieces.extend([
                Piece::Label(0),
                Piece::push(encoding, U256::from(77), 1),
                Piece::plain(Op::Halt),
            ]);
        }
        Pieces { encoding, pieces, setting: setting() }
    }

    /// Pure operations: the words, the panic and the gas are those of the model.
    #[allow(clippy::too_many_arguments, reason = "one call site, and each argument is a different fact")]
    fn against_model(
        &self,
        pieces: &Pieces,
        program: &Program,
        setting: &Setting,
        forms: &[Form],
        words: &[U256],
        target: U256,
        agreed: &Agreed,
    ) -> Result<(), String> {
        let observed = &agreed.observed;
        let fail = |what: String| Err(self.failure(&with(program, setting), &what));
        if !is_active(self.op) || !self.op.immediate_is_legal(self.byte()) {
            if observed.exit != Exit::Trap(Trap::InvalidOpcode) {
                return fail(format!(
                    "expected an invalid opcode, got {}",
                    observe::exit_name(observed.exit)
                ));
            }
            return Ok(());
        }
        let operands: Vec<U256> =
            forms.iter().zip(words).filter_map(|(form, &word)| form.operand(word, target)).collect();
        let pushed = || (self.op.name().starts_with("push")).then(|| U256::from_be_slice(&self.immediate));
        let (effect, dynamic_gas) = match pushed() {
            Some(word) => (Effect::Words(vec![word]), 0),
            None => match model::evaluate(self.op, self.byte(), &operands) {
                Some(expected) => expected,
                None => return Ok(()),
            },
        };
        let static_gas: u64 = pieces.pieces.iter().map(piece_gas).sum();
        let memory_gas = if self.is_pure { 0 } else { zvm::gas::memory_cost(2) };
        let gas = static_gas + memory_gas + dynamic_gas;
        if setting.gas - observed.gas_left != gas {
            let used = setting.gas - observed.gas_left;
            return fail(format!("operands {}: gas {used}, expected {gas}", observe::words(&operands)));
        }
        let expected = match effect {
            Effect::Words(mut results) => {
                results.push(U256::from(SENTINEL));
                results.reverse();
                (Exit::Halt, results, Bytes::new())
            }
            Effect::Panic(code) => {
                let data = [&[0x4e, 0x48, 0x7b, 0x71][..], &[0; 31], &[code]].concat();
                (Exit::Revert, Vec::new(), Bytes::from(data))
            }
        };
        if (observed.exit, &observed.stack, &observed.output) != (expected.0, &expected.1, &expected.2) {
            return fail(format!(
                "operands {}: {} {} {}, expected {} {} {}",
                observe::words(&operands),
                observe::exit_name(observed.exit),
                observe::words(&observed.stack),
                observed.output,
                observe::exit_name(expected.0),
                observe::words(&expected.1),
                expected.2,
            ));
        }
        Ok(())
    }

    /// The same run with exactly the gas it used, and with one less.
    fn at_the_gas_limit(
        &self,
        prepared: &Prepared,
        program: &Program,
        setting: &Setting,
        agreed: &Agreed,
    ) -> Result<(), String> {
        if !matches!(agreed.observed.exit, Exit::Halt | Exit::Return | Exit::Revert) {
            return Ok(());
        }
        let used = setting.gas - agreed.observed.gas_left;
        for gas in [used, used.saturating_sub(1)] {
            let setting = Setting { gas, ..setting.clone() };
            let limited = self.run(prepared, program, &setting)?;
            // Other programs may branch on the gas left, and SSTORE wants more than it uses.
            if self.is_pure && gas < used && limited.observed.exit != Exit::Trap(Trap::OutOfGas) {
                return Err(self.failure(&with(program, &setting), "it did not run out of gas"));
            }
            if self.is_pure && gas == used && limited.observed.exit != agreed.observed.exit {
                return Err(self.failure(&with(program, &setting), "exactly enough gas is not enough"));
            }
        }
        Ok(())
    }

    // --- failures ---

    /// Too few words, too many words, a static frame, other forks.
    fn failures(&self, tally: &mut Tally) -> Result<(), String> {
        let is_built = is_active(self.op);
        let forms = vec![Form::Literal(U256::from(1)); self.needs];
        if self.needs > 0 && self.needs <= STACK_LIMIT {
            let mut pieces = self.pieces(&forms[1..]);
            pieces.pieces.retain(|piece| *piece != Piece::push(self.encoding, U256::from(SENTINEL), 4));
            let expected = if is_built { Trap::StackUnderflow } else { Trap::InvalidOpcode };
            self.must_trap(&pieces, expected, tally)?;
        }
        if self.leaves > self.needs && self.immediate.iter().all(|&byte| byte == self.immediate[0]) {
            // The prologue leaves 2 words' worth of memory and the sentinel below the operands.
            let mut pieces = self.pieces(&forms);
            let fillers = STACK_LIMIT - self.needs - 1;
            pieces.pieces.splice(0..0, std::iter::repeat_n(Piece::plain(Op::Push0), fillers));
            pieces.setting.gas = 1_000_000;
            let is_legal = self.op.immediate_is_legal(self.byte());
            if self.is_pure || !is_legal {
                let expected = if is_built { Trap::StackOverflow } else { Trap::InvalidOpcode };
                self.must_trap(&pieces, expected, tally)?;
            }
        }
        for (fork, is_static) in [(Fork::Cancun, false), (Fork::Prague, false), (Fork::Osaka, true)] {
            let mut pieces = self.pieces(&vec![Form::Loaded; self.needs]);
            pieces.setting.fork = fork;
            pieces.setting.is_static = is_static;
            pieces.setting.input = calldata(&vec![U256::from(32); self.needs]);
            let agreed = self.run_once(&pieces)?;
            let exit = agreed.observed.exit;
            if !self.op.is_active(fork, false) && exit != Exit::Trap(Trap::InvalidOpcode) {
                let program = pieces.assemble();
                return Err(self.failure(&program, "the fork does not have this operation"));
            }
        }
        Ok(())
    }

    fn must_trap(&self, pieces: &Pieces, expected: Trap, tally: &mut Tally) -> Result<(), String> {
        let agreed = self.run_once(pieces)?;
        tally.compiled_blocks += agreed.blocks.compiled;
        if agreed.observed.exit != Exit::Trap(expected) {
            let exit = observe::exit_name(agreed.observed.exit);
            return Err(self.failure(&pieces.assemble(), &format!("expected {expected}, got {exit}")));
        }
        Ok(())
    }

    fn run_once(&self, pieces: &Pieces) -> Result<Agreed, String> {
        let program = pieces.assemble();
        let prepared = Prepared::new(&program, &Compile::PLAIN);
        self.run(&prepared, &program, &program.setting)
    }

    fn run(&self, prepared: &Prepared, program: &Program, setting: &Setting) -> Result<Agreed, String> {
        prepared.check(setting).map_err(|difference| self.failure(&with(program, setting), &difference))
    }

    fn failure(&self, program: &Program, what: &str) -> String {
        format!("{} in {}: {what}\n\n{}", self.op, self.encoding.name(), program.to_text())
    }
}

/// The least and greatest words of a type and their neighbors; the edges of shifts and bytes for other operations.
fn type_edges(op: Op, byte: u8) -> Vec<U256> {
    let bits = 8 * usize::from(byte & 0x3f);
    let power = |bits: usize| if bits >= 256 { U256::ZERO } else { U256::ONE << bits };
    let one = U256::ONE;
    match op {
        Op::CAdd | Op::CSub | Op::CMul | Op::CDiv | Op::CMod | Op::CNeg | Op::CExp | Op::CCast => {
            let (least, greatest) = if byte & 0x80 != 0 {
                (power(bits - 1).wrapping_neg(), power(bits - 1).wrapping_sub(one))
            } else {
                (U256::ZERO, power(bits).wrapping_sub(one))
            };
            vec![
                least,
                least.wrapping_sub(one),
                least.wrapping_add(one),
                greatest,
                greatest.wrapping_add(one),
                U256::from(7),
            ]
        }
        _ => [2, 7, 31, 32, 64, 255, 256].map(U256::from).to_vec(),
    }
}

fn setting() -> Setting {
    let storage = [(U256::ZERO, U256::from(11)), (U256::MAX, U256::from(12))].into();
    Setting { value: U256::from(0x5a1e), storage, gas: 200_000, ..Setting::plain() }
}

fn with(program: &Program, setting: &Setting) -> Program {
    Program { setting: setting.clone(), ..program.clone() }
}

fn calldata(words: &[U256]) -> Bytes {
    words.iter().flat_map(|word| word.to_be_bytes::<32>()).collect::<Vec<u8>>().into()
}

/// Offset of the only labeled `jumpdest` that jumps are tried with: the last of the code.
fn label_offset(program: &Program) -> U256 {
    let code = program.to_code();
    U256::from((0..program.code.len()).rev().find(|&offset| code.is_jump_target(offset)).unwrap_or(0))
}

fn piece_gas(piece: &Piece) -> u64 {
    match piece {
        Piece::Instruction(op, _) => op.info().gas,
        Piece::PushLabel(_) => Op::Push2.info().gas,
        Piece::Label(_) => Op::JumpDest.info().gas,
        Piece::Raw(_) => 0,
    }
}
