//! Code that begins with EF: only `EF 5A 01` can be deployed, and only where native code is on (EIP-3541).

use zvm::outcome::{Exit, Trap};
use zvm::{Address, Bytes, Fork};

use crate::world::{MODES, World};
use testkit::relay::account_code;

const CREATOR: Address = Address::repeat_byte(0xc4);

/// Creates from its call data and answers with the address.
fn creator(op: &str) -> Bytes {
    let salt = if op == "create2" { "push1 7" } else { "" };
    account_code(&format!(
        ".evm
        calldatasize
        push0
        push0
        calldatacopy
        {salt}
        calldatasize
        push0
        push0
        {op}
        push0
        mstore
        push1 32
        push0
        return"
    ))
}

/// Ethereum init code that returns these bytes.
fn init_code_of(code: &[u8]) -> Bytes {
    let size = code.len() as u8;
    [&[0x60, size, 0x60, 10, 0x5f, 0x39, 0x60, size, 0x5f, 0xf3][..], code].concat().into()
}

/// A delegation, written by hand.
fn delegation() -> Vec<u8> {
    [&[0xef, 0x01, 0x00][..], &[0x11; 20]].concat()
}

/// The code that each way of creating left in place; `None` where it was refused.
fn deployed(native_code: bool, code: &[u8]) -> Vec<(String, Option<Bytes>)> {
    let mut found = Vec::new();
    for mode in MODES {
        for op in ["create", "create2"] {
            let accounts = [(CREATOR, 0, creator(op))];
            let mut world = World::with_rules(mode, Fork::LATEST, native_code, &accounts);
            let result = world.send(Some(CREATOR), 0, init_code_of(code));
            assert!(result.is_success());
            let address = Address::from_slice(&result.output[12..]);
            let deployed = (address != Address::ZERO).then(|| world.code(address));
            if deployed.is_none() {
                assert!(result.gas_used > 29_000_000, "the gas of a rejected creation is lost");
            }
            found.push((format!("{op} {:?}", mode.0), deployed));
        }
        let mut world = World::with_rules(mode, Fork::LATEST, native_code, &[]);
        let result = world.send(None, 0, init_code_of(code));
        let deployed = result.created.map(|address| world.code(address));
        if deployed.is_none() {
            assert_eq!(result.exit, Exit::Trap(Trap::CodeRejected));
            assert_eq!(result.gas_used, 30_000_000);
        }
        found.push((format!("transaction {:?}", mode.0), deployed));
    }
    found
}

#[track_caller]
fn is_refused(code: &[u8]) {
    for native_code in [true, false] {
        for (way, deployed) in deployed(native_code, code) {
            assert_eq!(deployed, None, "{way}, native code {native_code}, {code:02x?}");
        }
    }
}

#[test]
fn a_lone_ef_is_refused() {
    is_refused(&[0xef]);
}

#[test]
fn an_object_format_is_refused() {
    is_refused(&[0xef, 0x00]);
    is_refused(&[0xef, 0x00, 0x01, 0x01]);
}

#[test]
fn a_cut_off_prefix_is_refused() {
    is_refused(&[0xef, 0x5a]);
}

#[test]
fn a_prefix_of_another_version_is_refused() {
    is_refused(&[0xef, 0x5a, 0x02]);
    is_refused(&[0xef, 0x5a, 0x00, 0x00]);
}

#[test]
fn a_delegation_is_refused() {
    is_refused(&delegation());
    is_refused(&[0xef, 0x01, 0x00]);
}

#[test]
fn the_prefix_is_accepted_where_native_code_is_on() {
    for code in [&[0xef, 0x5a, 0x01][..], &[0xef, 0x5a, 0x01, 0x00]] {
        for (way, deployed) in deployed(true, code) {
            assert_eq!(deployed, Some(Bytes::copy_from_slice(code)), "{way}");
        }
        for (way, deployed) in deployed(false, code) {
            assert_eq!(deployed, None, "{way}");
        }
    }
}

#[test]
fn code_without_ef_is_accepted() {
    for native_code in [true, false] {
        for (way, deployed) in deployed(native_code, &[0x5a, 0x01, 0xef]) {
            assert_eq!(deployed, Some(Bytes::from_static(&[0x5a, 0x01, 0xef])), "{way}");
        }
    }
}
