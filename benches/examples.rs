//! Calls of the project's own example contracts, compiled here, as benchmark cases.

use alloy_primitives::{Bytes, U256, keccak256};
use kalix::source::Source;
use kalix::{CompileOptions, compile};
use zvm::bytecode::Code;
use zvm_statetest::bench::BenchCase;

use crate::written::call;

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
        call(self.name, calldata.into(), account_code(self.text))
    }

    /// The analyzed code.
    pub fn code(&self) -> Code {
        Code::new(account_code(self.text), true)
    }
}
