//! Code made to be hard to compile: what comes out stays in proportion to what goes in.
//!
//! The sizes of deployed code are for the release build, `cargo test --release -p zvm-jit --test adversarial --
//! --ignored`, which also holds each compilation to 2 seconds and 200 MB. Smaller ones run always, against a bound on
//! machine code per byte, which does not depend on how busy the machine is.

mod support;

use std::time::Duration;

use support::{Both, spec};
use zvm::bytecode::Code;
use zvm_jit::{Jit, JitOptions};

/// Longest code that can be deployed.
const CODE_SIZE: usize = 24_576;

/// Bytes of machine code per byte of code that no shape may pass.
const EXPANSION_MAX: usize = 160;

fn repeated(round: &[u8], size: usize) -> Vec<u8> {
    round.iter().copied().cycle().take(size / round.len() * round.len()).collect()
}

/// Jumps through a constant that is one of two at each step, and each step's pair depends on the one before.
fn nested_constants(size: usize) -> Vec<u8> {
    let mut code = Vec::new();
    while code.len() + 20 < size {
        let at = code.len();
        // callvalue; push2 a; jumpi; push2 b; push2 c; jump; a: jumpdest; push2 b'; c: jumpdest; jump; b: jumpdest
        let offset = |n: usize| [((at + n) >> 8) as u8, (at + n) as u8];
        let [a, b, c] = [offset(12), offset(18), offset(16)];
        code.extend([0x34, 0x61, a[0], a[1], 0x57, 0x61, b[0], b[1], 0x61, c[0], c[1], 0x56]);
        code.extend([0x5b, 0x61, b[0], b[1], 0x5b, 0x56, 0x5b]);
    }
    code
}

/// Calls of one function that calls another, each call with a return address of its own.
fn calls(size: usize) -> Vec<u8> {
    // push1 8; jump; f: jumpdest; swap1; pop; jump; (8) jumpdest
    let mut code = vec![0x60, 0x08, 0x56, 0x5b, 0x90, 0x50, 0x90, 0x56];
    code[6] = 0x80;
    code.extend([0x5b, 0x5f]);
    while code.len() + 10 < size {
        let back = code.len() + 7;
        // push2 back; swap1; push1 3; jump; back: jumpdest
        code.extend([0x61, (back >> 8) as u8, back as u8, 0x90, 0x60, 0x03, 0x56, 0x5b]);
    }
    code
}

fn shapes(size: usize) -> Vec<(&'static str, Vec<u8>)> {
    let deep = [&[0x5f; 16][..], &[0x8f, 0x61, 0, 0, 0x57][..]].concat();
    let alternating: Vec<u8> = {
        let mut code = repeated(&[0x5f], 900);
        code.extend(repeated(&[0x8f, 0x9f, 0x61, 0x03, 0x84, 0x57], size - 901));
        code[900] = 0x5b;
        code
    };
    vec![
        ("jumpdest", repeated(&[0x5b], size)),
        ("jumpdest and a jump anywhere", [&[0x34, 0x56][..], &repeated(&[0x5b], size - 2)].concat()),
        ("shl", repeated(&[0x80, 0x1b], size)),
        ("shl of many words", repeated(&[0x34, 0x35, 0x34, 0x1b], size)),
        ("mod by a constant", repeated(&[0x60, 7, 0x81, 0x06, 0x50], size)),
        ("signed division", repeated(&[0x34, 0x35, 0x34, 0x05, 0x50], size)),
        ("jumpi with deep stacks", alternating),
        ("jumpi of pushes", repeated(&deep, size)),
        ("mstore", repeated(&[0x34, 0x34, 0x52], size)),
        ("mload", repeated(&[0x34, 0x51], size)),
        ("sload", repeated(&[0x34, 0x54], size)),
        ("keccak", repeated(&[0x60, 0x40, 0x34, 0x20], size)),
        ("exp", repeated(&[0x60, 0x04, 0x34, 0x35, 0x0a], size)),
        ("nested constants", nested_constants(size)),
        ("calls", calls(size)),
    ]
}

#[test]
fn machine_code_is_in_proportion_to_code() {
    let jit = support::jit();
    for (name, code) in shapes(3000) {
        let size = code.len();
        let both = Both::new(&jit, Code::evm(code));
        let bytes = both.compiled.stats().code_bytes;
        assert!(bytes <= EXPANSION_MAX * size, "{name}: {bytes} bytes of machine code from {size}");
        // And it is still right.
        both.check(&[1; 64], 100_000);
        both.check(&[], 2_000);
    }
}

#[test]
fn twice_the_code_is_about_twice_the_machine_code() {
    let jit = support::jit();
    for ((name, half), (_, whole)) in shapes(1500).into_iter().zip(shapes(3000)) {
        let bytes = |code| Both::new(&jit, Code::evm(code)).compiled.stats().code_bytes;
        let (half, whole) = (bytes(half), bytes(whole));
        assert!(whole <= 3 * half + 4096, "{name}: {half} bytes, then {whole}");
    }
}

/// CPU time of this thread, which other work on the machine does not lengthen.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts CPU time");
    let nanoseconds = text.split(' ').next().and_then(|word| word.parse().ok());
    Duration::from_nanos(nanoseconds.expect("the first number is CPU time"))
}

/// Most memory that this process has held, in KB, since the last reset.
fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux says how much memory it gave");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line says the peak");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number of KB")
}

#[test]
#[ignore = "measures time and memory: for a release build on a machine with nothing else to do"]
fn the_longest_code_compiles_within_its_bounds() {
    let jit = Jit::new(JitOptions::production()).expect("this machine has a code generator");
    for (name, code) in shapes(CODE_SIZE) {
        // Resets the peak to what is held now.
        std::fs::write("/proc/self/clear_refs", "5").expect("Linux forgets the peak");
        let before = peak_kb();
        let code = Code::evm(code);
        let start = cpu_time();
        let compiled = jit.compile(&code, &spec());
        let time = cpu_time() - start;
        let megabytes = peak_kb().saturating_sub(before) / 1024;
        let bytes = compiled.map_or(0, |compiled| compiled.stats().code_bytes);
        println!("{name}: {time:.0?}, {megabytes} MB, {bytes} bytes of machine code");
        assert!(time <= Duration::from_secs(2), "{name} took {time:?}");
        assert!(megabytes <= 200, "{name} took {megabytes} MB");
    }
}
