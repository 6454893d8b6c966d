//! `zvmrun compile`, `--code-cache`, `zvmrun replay`: files of machine code and of cases.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use zvm::bytecode::Code;
use zvm::check::{Case, Checking};
use zvm::compiled::frame::{Frame, Message, Spec};
use zvm::compiled::tier::{CompiledCode, Refusal, Tier};
use zvm::host::{BlockEnv, Host, TxEnv};
use zvm::outcome::Exit;
use zvm::state::InMemoryDatabase;
use zvm::{Address, Bytes, Engine, Executor, Fork, Mode, U256, interp};

use super::{Files, HAS_JIT, assert_parts, run};

const LOOP: &[u8] = b".evm
push1 0
push1 200
again:
jumpdest
push1 1
swap1
sub
dup1
push1 again
jumpi
halt
";

#[test]
fn what_is_compiled_ahead_is_not_compiled_again_and_is_the_same_in_every_process() {
    let files = Files::new("compile");
    let program = files.write("loop.zvm", LOOP);
    let cache = files.0.join("cache");
    let folder = cache.to_str().expect("a plain path");
    if !HAS_JIT {
        run(Path::new("compile"), &[program.to_str().expect("a plain path"), "--code-cache", folder], 22);
        return;
    }
    let path = program.to_str().expect("a plain path");
    let (stdout, _) = run(Path::new("compile"), &[path, "--code-cache", folder], 0);
    assert_parts(&stdout, &["code: ", "1 compiled and stored, 0 there already"]);
    let (stdout, _) = run(Path::new("compile"), &[path, "--code-cache", folder], 0);
    assert_parts(&stdout, &["0 compiled and stored, 1 there already"]);
    let (stdout, stderr) = run(&program, &["--jit", "--code-cache", folder], 0);
    assert_parts(&stdout, &[" compiled, 0 interpreted"]);
    assert_eq!(stderr, "");

    // Machine code holds no address of the process that made it.
    let other = files.0.join("other");
    run(Path::new("compile"), &[path, "--code-cache", other.to_str().expect("a plain path")], 0);
    let read = |folder: &Path| {
        let entry = fs::read_dir(folder).expect("the folder").next().expect("a file").expect("an entry");
        (entry.file_name(), fs::read(entry.path()).expect("the file"))
    };
    assert_eq!(read(&cache), read(&other));

    // Damage is told, and does no harm.
    let (name, mut bytes) = read(&cache);
    bytes.truncate(100);
    fs::write(cache.join(name), bytes).expect("written");
    let (stdout, _) = run(&program, &["--jit", "--code-cache", folder], 0);
    assert_parts(&stdout, &["note: code cache: 1 files rejected"]);
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_can_write_to_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    if !HAS_JIT {
        return;
    }
    let files = Files::new("refused");
    let program = files.write("loop.zvm", LOOP);
    let cache = files.0.join("cache");
    fs::create_dir(&cache).expect("a folder");
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o777)).expect("permissions");
    let folder = cache.to_str().expect("a plain path");
    let (_, stderr) = run(&program, &["--code-cache", folder], 3);
    assert_parts(&stderr, &["is refused", "chmod go-w"]);
    let path = program.to_str().expect("a plain path");
    let (_, stderr) = run(Path::new("compile"), &[path, "--code-cache", folder], 3);
    assert_parts(&stderr, &["is refused"]);
}

/// A compiler whose code keeps one gas too much.
struct Generous;

impl Tier for Generous {
    fn prepare(&self, _: &Code, _: &Spec) -> Result<Box<dyn CompiledCode>, Refusal> {
        Ok(Box::new(Generous))
    }
}

impl CompiledCode for Generous {
    fn can_enter(&self, _: usize) -> bool {
        true
    }

    fn run(&self, frame: &mut Frame, host: &mut dyn Host) -> Exit {
        let exit = interp::run(frame, host);
        frame.gas += 1;
        exit
    }

    fn size_bytes(&self) -> usize {
        0
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// The case of a wrong compiler.
fn case() -> Case {
    let told: Arc<Mutex<Vec<Case>>> = Arc::default();
    let list = told.clone();
    let checking = Checking {
        on_difference: Some(Arc::new(move |report| list.lock().expect("no panic").push(report.case.clone()))),
        ..Checking::new()
    };
    let engine = Engine::builder().mode(Mode::Check).tier(Arc::new(Generous)).checking(checking).build();
    let mut executor = Executor::new(engine, InMemoryDatabase::new());
    executor.state_mut().begin_transaction(Fork::LATEST);
    let message = Message {
        address: Address::repeat_byte(1),
        caller: Address::repeat_byte(2),
        value: U256::ZERO,
        input: Bytes::new(),
        is_static: false,
        depth: 0,
    };
    // push1 5, push1 1, sstore, push1 1, sload, pop, stop
    let code = Code::evm(vec![0x60, 5, 0x60, 1, 0x55, 0x60, 1, 0x54, 0x50, 0x00]);
    let result = executor.execute(Arc::new(code), message, 100_000, &BlockEnv::default(), &TxEnv::default());
    assert_eq!(result.expect("the interpreter's result").exit, Exit::Halt);
    let case = told.lock().expect("no panic").pop();
    case.expect("a difference")
}

#[test]
fn a_case_is_replayed() {
    let files = Files::new("replay");
    let text = case().to_string();
    let replay = |name: &str, text: &str, status: i32| {
        let file = files.write(name, text.as_bytes());
        run(Path::new("replay"), &[file.to_str().expect("a plain path")], status)
    };
    if !HAS_JIT {
        replay("case", &text, 2);
        return;
    }
    let (stdout, _) = replay("case", &text, 0);
    assert_parts(&stdout, &["recorded     gas left: interpreted ", "equal: the tiers agree"]);
    // A record in which the interpreter asks something else.
    let (stdout, _) = replay(
        "other",
        &text.replace(
            "sload 0x0101010101010101010101010101010101010101 0x1 ",
            "sload 0x0101010101010101010101010101010101010101 0x2 ",
        ),
        1,
    );
    assert_parts(&stdout, &["DEPARTS: the interpreter no longer follows the record: question 2"]);
    for (name, text) in
        [("empty", ""), ("cut", &text[..text.len() - 5]), ("noise", "zvm-case 1\n\u{7f}\nend")]
    {
        let (_, stderr) = replay(name, text, 2);
        assert_parts(&stderr, &["not a case: line ", name]);
    }
    run(Path::new("replay"), &["no/such/file"], 2);
    run(Path::new("replay"), &[], 2);
    run(Path::new("replay"), &["--help"], 0);
}
