//! Calls of the project's own example contracts, compiled here, as benchmark cases.

use std::collections::BTreeMap;

use alloy_primitives::{Address, Bytes, U256, keccak256};
use kalix::source::Source;
use kalix::{CompileOptions, compile};
use zvm::bytecode::Code;
use zvm_statetest::Account;
use zvm_statetest::bench::{BenchBlock, BenchCase, BenchExpected};

/// A call to measure: file, its text, contract, signature, arguments.
pub struct Example {
    /// Name of the row.
    pub name: &'static str,
    /// Source text.
    pub text: &'static str,
    signature: &'static str,
    arguments: &'static [u64],
}

const TOKEN_VAULT: &str = include_str!("../examples/token_vault.kalix");
const LOOPS: &str = include_str!("../examples/loops.kalix");

/// Every call that is measured.
pub const EXAMPLES: &[Example] = &[
    Example { name: "vault-deposit", text: TOKEN_VAULT, signature: "deposit(uint256)", arguments: &[100] },
    Example { name: "vault-balance", text: TOKEN_VAULT, signature: "balance_of(address)", arguments: &[1] },
    Example {
        name: "kalix-fibonacci-100k",
        text: LOOPS,
        signature: "fibonacci(uint64)",
        arguments: &[100_000],
    },
    Example { name: "kalix-sum-100k", text: LOOPS, signature: "sum(uint64)", arguments: &[100_000] },
    Example { name: "kalix-mix-100k", text: LOOPS, signature: "mix(uint64)", arguments: &[100_000] },
];

/// The only contract of a source text, compiled: run-time code as an account holds it.
pub fn account_code(text: &str) -> Bytes {
    let compilation = compile(&Source::new("example.kalix", text), &CompileOptions::STANDARD);
    assert!(!compilation.has_errors(), "the examples compile");
    compilation.contracts[0].artifact.container.account_code()
}

impl Example {
    /// The call as a case; what it must give is what the interpreter gives, so `expected` is left empty.
    pub fn case(&self) -> BenchCase {
        let mut calldata = keccak256(self.signature)[..4].to_vec();
        for argument in self.arguments {
            calldata.extend(U256::from(*argument).to_be_bytes::<32>());
        }
        let (sender, target) = (Address::repeat_byte(0x11), Address::repeat_byte(0xcc));
        let account =
            |balance: U256, code: Bytes| Account { balance, nonce: 0, code, storage: BTreeMap::new() };
        BenchCase {
            name: self.name.to_owned(),
            calldata: calldata.into(),
            value: U256::ZERO,
            gas_limit: 1 << 40,
            gas_price: U256::ZERO,
            sender,
            target,
            env: BenchBlock {
                coinbase: Address::ZERO,
                number: U256::ONE,
                timestamp: U256::ONE,
                gas_limit: U256::from(1u64 << 40),
                base_fee: U256::ZERO,
                chain_id: U256::ONE,
                prev_randao: U256::ZERO,
            },
            pre: BTreeMap::from([
                (sender, account(U256::from(1u64 << 60), Bytes::new())),
                (target, account(U256::ZERO, account_code(self.text))),
            ]),
            expected: BenchExpected {
                success: true,
                gas_used: 0,
                gas_used_prague: None,
                exec_gas: 0,
                output: Bytes::new(),
                logs: Vec::new(),
                storage_diff: BTreeMap::new(),
                state_root: None,
                fork_of_gas: "osaka".to_owned(),
            },
        }
    }

    /// The analyzed code.
    pub fn code(&self) -> Code {
        Code::new(account_code(self.text), true)
    }
}
