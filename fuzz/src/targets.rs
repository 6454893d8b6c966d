//! Functions from any bytes to a verdict, for fuzzers that make bytes and watch coverage. Each panics when something
//! is wrong; `libfuzzer/` is glue over them, and the ordinary tests feed them mutated seeds.

use std::cell::RefCell;

use alloy_primitives::{Bytes, U256};
use testkit::program::{Program, Setting};
use zvm::Fork;
use zvm::bytecode::{Container, DisasmOptions, Encoding, assemble, disassemble};

use crate::execution::{Execution, Kind, Subject};
use crate::gate::Gate;
use crate::machines::Machines;
use crate::oracle::rerun;
use crate::stages::Stage;
use crate::variant::{VARIANTS, Variant};

/// Longest code that is run: longer ones find nothing more and take their time.
const CODE_SIZE_MAX: usize = 2048;
/// Gas of a run.
const GAS: u64 = 60_000;

thread_local! {
    static MACHINES: RefCell<Machines> = RefCell::default();
}

/// A function that any bytes can be given to.
pub type Function = fn(&[u8]);

/// Every target with its name.
pub const TARGETS: [(&str, Function); 8] = [
    ("tiers", tiers),
    ("container", container),
    ("assembly", assembly),
    ("statetest", statetest),
    ("kalix_parse", kalix_parse),
    ("kalix_check", kalix_check),
    ("kalix_lower", kalix_lower),
    ("kalix_run", kalix_run),
];

/// Bytes as Ethereum code behind two bytes that pick the fork and how it is compiled: revm, the interpreter and
/// compiled code agree, on the transaction and on the frame.
pub fn tiers(bytes: &[u8]) {
    let [choice, gate, code @ ..] = bytes else { return };
    run(Encoding::Evm, code, *choice, *gate);
}

/// A container, if it is one: written again it is the same, and its code gives the same in both tiers.
pub fn container(bytes: &[u8]) {
    let Ok(container) = Container::read(bytes) else { return };
    if let Ok(written) = container.write() {
        let again = Container::read(&written).map(|again| again == container);
        assert_eq!(again, Ok(true), "a container changes when it is written and read");
    }
    let code = container.analyzed_code();
    run(code.encoding(), code.body(), bytes.len() as u8, bytes[bytes.len() / 2]);
}

/// Text that assembles, and any bytes as code: disassembled and assembled again they are the same.
pub fn assembly(bytes: &[u8]) {
    for encoding in [Encoding::Zvm, Encoding::Evm] {
        survives(bytes, encoding);
    }
    let assembled = std::str::from_utf8(bytes).ok().and_then(|text| assemble(text).ok());
    if let Some(assembly) = assembled {
        survives(&assembly.code, assembly.encoding);
    }
}

/// Text as a file of state tests: cases or an error.
pub fn statetest(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Err(error) = zvm_statetest::read(text)
    {
        assert!(!error.to_string().is_empty(), "an error says something");
    }
}

/// Text as a module: [`Stage::Parse`].
pub fn kalix_parse(bytes: &[u8]) {
    judge(Stage::Parse, bytes);
}

/// Text as a module: [`Stage::Check`].
pub fn kalix_check(bytes: &[u8]) {
    judge(Stage::Check, bytes);
}

/// Text as a module: [`Stage::Lower`].
pub fn kalix_lower(bytes: &[u8]) {
    judge(Stage::Lower, bytes);
}

/// Text as a module: [`Stage::Run`].
pub fn kalix_run(bytes: &[u8]) {
    judge(Stage::Run, bytes);
}

fn judge(stage: Stage, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(error) = stage.judge(&text, bytes.len() as u64) {
        panic!("stage {}: {error}\n{text}", stage.name());
    }
}

fn survives(code: &[u8], encoding: Encoding) {
    let text = disassemble(code, encoding, DisasmOptions { offsets: false });
    match assemble(&text) {
        Ok(again) => assert!(again.code == code && again.encoding == encoding, "not the same code:\n{text}"),
        Err(error) => panic!("what was disassembled does not assemble: {error}\n{text}"),
    }
}

fn run(encoding: Encoding, code: &[u8], choice: u8, gate: u8) {
    let code = code[..code.len().min(CODE_SIZE_MAX)].to_vec();
    let fork = Fork::ALL[usize::from(choice) % Fork::ALL.len()];
    let input = Bytes::copy_from_slice(&U256::from(gate).to_be_bytes::<32>());
    let setting = Setting { fork, gas: GAS, input, ..Setting::plain() };
    let subject =
        Subject { program: Program { encoding, code, setting }, companions: Vec::new(), is_creation: false };
    let gate = if gate & 1 == 0 { Gate::Open } else { Gate::Random(gate.into()) };
    for kind in [Kind::Transaction, Kind::Frame] {
        let variant = Variant::nth(usize::from(choice) % VARIANTS);
        let execution = Execution { subject: subject.clone(), kind, variant, gate };
        MACHINES.with_borrow_mut(|machines| {
            if let Err(difference) = rerun(machines, &execution) {
                panic!("{kind:?}: {difference}\n\n{}", execution.subject.program.to_text());
            }
        });
    }
}
