//! Calls of code written by hand, as benchmark cases: what a transaction and a message call cost by themselves.

use std::collections::BTreeMap;

use alloy_primitives::{Address, Bytes, U256};
use zvm_statetest::Account;
use zvm_statetest::bench::{BenchBlock, BenchCase, BenchExpected};

/// Account that the transaction calls.
const TARGET: Address = Address::repeat_byte(0xcc);

/// Ethereum code that calls account 0xdd.. a thousand times, without data and value, and stores the word returned.
const CALLER: &str = "6103e85b60205f5f5f5f73dddddddddddddddddddddddddddddddddddddddd5af1506001900380600357";
/// Ethereum code that returns the word 42.
const CALLEE: &str = "602a5f5260205ff3";

/// Ethereum code that multiplies the odd numbers from 3 to 200,001: beside a factorial, whose product soon is zero
/// modulo 2^256, one that stays odd and so as wide as a word.
const ODD_FACTORIAL: &str = "62030d4160015b8102906002900390816001106006575f5260205ff3";

/// Every call that is measured: a transaction to an account without code, one to a single `stop`, one that makes a
/// thousand message calls, and a product of full width.
pub fn written_cases() -> Vec<BenchCase> {
    let code = |digits: &str| digits.parse::<Bytes>().expect("hex digits");
    let callee = Address::repeat_byte(0xdd);
    vec![
        case("empty-account", Bytes::new(), &[(TARGET, Bytes::new())]),
        case("empty-stop", Bytes::new(), &[(TARGET, code("00"))]),
        call("factorial-odd-100k", Bytes::new(), code(ODD_FACTORIAL)),
        case("calls-1k", Bytes::new(), &[(TARGET, code(CALLER)), (callee, code(CALLEE))]),
    ]
}

/// A call of the account [`TARGET`] in a state of these contracts. What it must give is left empty.
pub(crate) fn case(name: &str, calldata: Bytes, contracts: &[(Address, Bytes)]) -> BenchCase {
    let sender = Address::repeat_byte(0x11);
    let account = |balance, code| Account { balance, nonce: 0, code, storage: BTreeMap::new() };
    let mut pre = BTreeMap::from([(sender, account(U256::from(1u64 << 60), Bytes::new()))]);
    pre.extend(contracts.iter().map(|(address, code)| (*address, account(U256::ZERO, code.clone()))));
    BenchCase {
        name: name.to_owned(),
        calldata,
        value: U256::ZERO,
        gas_limit: 1 << 40,
        gas_price: U256::ZERO,
        sender,
        target: TARGET,
        env: BenchBlock {
            coinbase: Address::ZERO,
            number: U256::ONE,
            timestamp: U256::ONE,
            gas_limit: U256::from(1u64 << 40),
            base_fee: U256::ZERO,
            chain_id: U256::ONE,
            prev_randao: U256::ZERO,
        },
        pre,
        expected: BenchExpected {
            success: true,
            gas_used: 0,
            gas_used_prague: None,
            exec_gas: 0,
            output: Bytes::new(),
            logs: Vec::new(),
            storage_diff: BTreeMap::new(),
            state_root: None,
            fork_of_gas: "Osaka".to_owned(),
        },
    }
}

/// A call of a single contract; see [`case`].
pub(crate) fn call(name: &str, calldata: Bytes, code: Bytes) -> BenchCase {
    case(name, calldata, &[(TARGET, code)])
}
