//! What an inspector is told, and that running without one is the same.

use zvm::call_stack::CallKind;
use zvm::compiled::frame::Frame;
use zvm::host::{BlockEnv, Log};
use zvm::inspect::{CallEnd, CallStart, Inspector, StorageAccess, StorageAccessKind};
use zvm::outcome::{Exit, Trap};
use zvm::state::InMemoryDatabase;
use zvm::tx::Transaction;
use zvm::{Address, Bytes, Engine, Executor, U256};

use crate::word;

const SENDER: Address = Address::repeat_byte(0x5e);
const OUTER: Address = Address::repeat_byte(0x01);
const INNER: Address = Address::repeat_byte(0x02);

/// Writes down what it is told.
#[derive(Default)]
struct Tape {
    lines: Vec<String>,
    wants_steps: bool,
}

impl Inspector for Tape {
    fn wants_steps(&self) -> bool {
        self.wants_steps
    }

    fn step(&mut self, frame: &Frame) {
        let opcode = frame.code.padded()[frame.pc];
        let (depth, height) = (frame.message.depth, frame.stack.len());
        self.lines
            .push(format!("step {depth} pc {} {opcode:#04x} height {height} gas {}", frame.pc, frame.gas));
    }

    fn call_start(&mut self, start: &CallStart<'_>) {
        let verb = format!("{:?}", start.kind).to_lowercase();
        self.lines.push(format!("{verb} {} to {:#04x} value {}", start.depth, start.address[0], start.value));
    }

    fn call_end(&mut self, end: &CallEnd<'_>) {
        self.lines.push(format!("end {} {:?}", end.depth, end.exit));
    }

    fn log(&mut self, log: &Log) {
        self.lines.push(format!("log {:#04x} topics {}", log.address[0], log.topics.len()));
    }

    fn storage(&mut self, access: &StorageAccess) {
        let what = match access.kind {
            StorageAccessKind::Read { value, .. } => format!("read {value}"),
            StorageAccessKind::Written { previous, value, .. } => format!("write {previous} {value}"),
            StorageAccessKind::TransientRead { value } => format!("tread {value}"),
            StorageAccessKind::TransientWritten { value } => format!("twrite {value}"),
        };
        self.lines.push(format!("{:#04x}[{}] {what}", access.address[0], access.key));
    }
}

/// `call(inner, value 0), call(0x99, value 1), create(value 0, "fe")`
fn outer_code() -> Vec<u8> {
    let call = |address: u8, value: u8| {
        let mut code = vec![0x5f, 0x5f, 0x5f, 0x5f, 0x60, value, 0x73];
        code.extend_from_slice(Address::repeat_byte(address).as_slice());
        code.extend_from_slice(&[0x61, 0xff, 0xff, 0xf1, 0x50]);
        code
    };
    // push1 fe, push0, mstore8, push1 1, push0, push0, create
    let create = [0x60, 0xfe, 0x5f, 0x53, 0x60, 1, 0x5f, 0x5f, 0xf0];
    [call(2, 0), call(0x99, 1), create.to_vec()].concat()
}

/// `sstore(1, 7), sload(1), tstore(2, 8), tload(2), log0, revert`
const INNER_CODE: &[u8] = &[
    0x60, 7, 0x60, 1, 0x55, 0x60, 1, 0x54, 0x50, 0x60, 8, 0x60, 2, 0x5d, 0x60, 2, 0x5c, 0x50, 0x5f, 0x5f,
    0xa0, 0x5f, 0x5f, 0xfd,
];

fn database(outer: &[u8], inner: &[u8]) -> InMemoryDatabase {
    let mut database = InMemoryDatabase::new();
    database.insert_account(SENDER, 0, U256::ONE << 100, Bytes::new());
    database.insert_account(OUTER, 1, U256::ZERO, Bytes::copy_from_slice(outer));
    database.insert_account(INNER, 1, U256::ZERO, Bytes::copy_from_slice(inner));
    database
}

fn transaction() -> Transaction {
    Transaction::legacy(SENDER, Some(OUTER), word(3), Bytes::new(), 1_000_000, U256::ZERO)
}

fn block() -> BlockEnv {
    BlockEnv { number: word(1), gas_limit: word(30_000_000), ..BlockEnv::default() }
}

#[test]
fn calls_storage_and_logs_are_told_in_order_with_their_ends() {
    let engine = Engine::builder().build();
    let database = database(&outer_code(), INNER_CODE);
    let mut executor = Executor::with_inspector(engine, database, Tape::default());
    executor.transact(&transaction(), &block()).expect("it runs");
    let created = zvm::engine::created_address(&OUTER, 1)[0];
    let expected = [
        "call 0 to 0x01 value 3",
        "call 1 to 0x02 value 0",
        "0x02[1] write 0 7",
        "0x02[1] read 7",
        "0x02[2] twrite 8",
        "0x02[2] tread 8",
        "log 0x02 topics 0",
        &format!("end 1 {:?}", Some(Exit::Revert)),
        "call 1 to 0x99 value 1",
        &format!("end 1 {:?}", Some(Exit::Halt)),
        &format!("create 1 to {created:#04x} value 0"),
        &format!("end 1 {:?}", Some(Exit::Trap(Trap::InvalidOpcode))),
        &format!("end 0 {:?}", Some(Exit::Halt)),
    ];
    assert_eq!(executor.inspector().lines, expected);
}

#[test]
fn each_kind_of_call_names_the_account_whose_code_runs() {
    // Four zeros, with a fifth as the value of callcode; then address, gas and the operation.
    let ask = |opcode: u8, operands: usize| {
        let mut code = vec![0x5f; operands];
        code.push(0x73);
        code.extend_from_slice(INNER.as_slice());
        code.extend_from_slice(&[0x61, 0xff, 0xff, opcode, 0x50]);
        code
    };
    let create2 = vec![0x5f, 0x5f, 0x5f, 0x5f, 0xf5];
    let outer = [ask(0xf2, 5), ask(0xf4, 4), ask(0xfa, 4), create2].concat();
    let mut executor =
        Executor::with_inspector(Engine::builder().build(), database(&outer, &[]), Kinds::default());
    executor.transact(&transaction(), &block()).expect("it runs");
    let created = OUTER.create2([0; 32], alloy_primitives::KECCAK256_EMPTY);
    let expected = [
        (CallKind::Call, OUTER, OUTER, word(3)),
        (CallKind::CallCode, INNER, OUTER, word(0)),
        (CallKind::DelegateCall, INNER, OUTER, word(3)),
        (CallKind::StaticCall, INNER, INNER, word(0)),
        (CallKind::Create2, created, created, word(0)),
    ];
    assert_eq!(executor.inspector().starts, expected);
}

/// Kind, code's account, account and value of each start.
#[derive(Default)]
struct Kinds {
    starts: Vec<(CallKind, Address, Address, U256)>,
}

impl Inspector for Kinds {
    fn call_start(&mut self, start: &CallStart<'_>) {
        self.starts.push((start.kind, start.code_address, start.address, start.value));
    }
}

#[test]
fn steps_come_before_each_operation_and_change_nothing() {
    // push1 3, jump, jumpdest (reached by the jump), push0, pop, at the end of code
    let code = [0x60, 3, 0x56, 0x5b, 0x5f, 0x50];
    let engine = Engine::builder().build();
    let tape = Tape { wants_steps: true, ..Tape::default() };
    let mut executor = Executor::with_inspector(engine.clone(), database(&code, &[]), tape);
    let result = executor.transact(&transaction(), &block()).expect("it runs");
    let gas = 1_000_000 - 21_000;
    let steps: Vec<String> = [
        (0, 0x60, 0, gas),
        (2, 0x56, 1, gas - 3),
        (3, 0x5b, 0, gas - 11),
        (4, 0x5f, 0, gas - 12),
        (5, 0x50, 1, gas - 14),
        (6, 0x00, 0, gas - 16),
    ]
    .iter()
    .map(|(pc, opcode, height, gas)| format!("step 0 pc {pc} {opcode:#04x} height {height} gas {gas}"))
    .collect();
    let lines = &executor.inspector().lines;
    assert_eq!(lines[1..lines.len() - 1], steps);

    let mut plain = Executor::new(engine, database(&code, &[]));
    let expected = plain.transact(&transaction(), &block()).expect("it runs");
    assert_eq!((result.exit, result.gas_used), (expected.exit, expected.gas_used));
    assert_eq!(executor.changes(), plain.changes());
}

#[test]
fn an_inspector_may_be_borrowed_or_chosen_at_run_time() {
    let engine = Engine::builder().build();
    let mut tape = Tape::default();
    let database = || database(&[], &[]);
    Executor::with_inspector(engine.clone(), database(), &mut tape)
        .transact(&transaction(), &block())
        .expect("it runs");
    assert_eq!(tape.lines.len(), 2);
    let chosen: Box<dyn Inspector> = Box::new(tape);
    let mut executor = Executor::with_inspector(engine, database(), chosen);
    executor.transact(&transaction(), &block()).expect("it runs");
    assert!(executor.inspector().is_active());
}
