//! Recursion to the deepest frame, on a thread whose native stack could not hold it.

use std::thread;

use zvm::{Address, Bytes, Mode, U256};

use testkit::relay::account_code;

use crate::world::World;

const HERE: Address = Address::repeat_byte(0xdd);
/// Frames from the outermost one to depth 1024.
const FRAMES: u64 = 1025;
/// What 1024 frames leave of it, each all but one 64th, still pays for a creation.
const GAS: u64 = 1 << 48;
const NATIVE_STACK_BYTES: usize = 1 << 20;

fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(NATIVE_STACK_BYTES).spawn(run).expect("a thread");
    thread.join().expect("no overflow of the native stack, and no failure above");
}

const TIERS: [(Mode, bool); 2] = [(Mode::Interp, false), (Mode::Jit, true)];

/// Counts the frame in slot 0 and calls itself with all gas; the deepest frame's call fails, the others succeed.
fn recursion(encoding: &str, op: &str) -> Bytes {
    let value = if op == "call" || op == "callcode" { "push0" } else { "" };
    account_code(&format!(
        "{encoding}
        push0
        sload
        push1 1
        add
        push0
        sstore
        push0
        push0
        push0
        push0
        {value}
        address
        gas
        {op}
        push1 1
        sload
        add
        push1 1
        sstore
        halt"
    ))
}

#[test]
fn calls_recurse_to_the_limit_in_both_tiers() {
    on_a_small_stack(|| {
        for encoding in [".zvm", ".evm"] {
            for op in ["call", "callcode", "delegatecall"] {
                for mode in TIERS {
                    let mut world = World::new(mode, &[(HERE, 0, recursion(encoding, op))]);
                    let result = world.send_with_gas(Some(HERE), 0, Bytes::new(), GAS);
                    let row = format!("{op} in {encoding}, {:?}", mode.0);
                    assert!(result.is_success(), "{row}");
                    assert_eq!(world.storage(HERE, 0), U256::from(FRAMES), "{row}: frames");
                    assert_eq!(world.storage(HERE, 1), U256::from(FRAMES - 1), "{row}: successful calls");
                    let blocks = result.blocks_compiled + result.blocks_interpreted;
                    assert_eq!(blocks, 2 * FRAMES, "{row}: a block up to each call and one behind it");
                }
            }
        }
    });
}

/// Init code that logs and creates from itself, a copy of it made where the prefix needs it.
fn creation(encoding: &str) -> Bytes {
    let (prefix, prefix_len) = match encoding {
        ".zvm" => {
            ("push32 0xef5a010000000000000000000000000000000000000000000000000000000000\n push0\n mstore", 3)
        }
        _ => ("", 0),
    };
    account_code(&format!(
        "{encoding}
        {prefix}
        codesize
        push0
        push1 {prefix_len}
        codecopy
        push0
        push0
        log0
        codesize
        push1 {prefix_len}
        add
        push0
        push0
        create
        pop
        halt"
    ))
}

#[test]
fn creations_recurse_to_the_limit_in_both_tiers() {
    on_a_small_stack(|| {
        for encoding in [".zvm", ".evm"] {
            for mode in TIERS {
                let mut world = World::new(mode, &[]);
                let result = world.send_with_gas(None, 0, creation(encoding), GAS);
                let row = format!("{encoding}, {:?}", mode.0);
                assert!(result.is_success(), "{row}");
                assert_eq!(result.logs.len() as u64, FRAMES, "{row}: frames");
            }
        }
    });
}
