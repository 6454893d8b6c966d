//! Precompiled contracts: which addresses they have at a fork, and how one runs.
//!
//! The contracts themselves come from `revm-precompile`, behind the feature `precompiles`. Without it their
//! addresses stay what they are (always warm, no code), and a call of one is an error of the engine.

use alloy_primitives::{Address, Bytes};

use crate::compiled::frame::Spec;
use crate::engine::EngineError;
use crate::fork::Fork;
use crate::hedera::SYSTEM_CONTRACT;
use crate::outcome::Trap;

/// How a precompiled contract ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Gas left.
    pub gas_left: u64,
    /// Return data.
    pub output: Bytes,
}

/// Whether the address is a precompiled contract of the fork; those are always warm (EIP-2929).
#[inline]
pub fn is_precompile(fork: Fork, address: &Address) -> bool {
    let (high, low) = address.as_slice().split_at(18);
    if high.iter().any(|&byte| byte != 0) {
        return false;
    }
    let number = u16::from_be_bytes([low[0], low[1]]);
    let last = if fork >= Fork::Prague { 0x11 } else { 0x0a };
    (1..=last).contains(&number) || fork >= Fork::Osaka && number == 0x100
}

/// Whether a call of the address runs no code whatever the account has: a precompiled contract, or the system contract
/// of Hedera's services.
#[inline]
pub fn runs_without_code(spec: &Spec, address: &Address) -> bool {
    is_precompile(spec.fork, address) || spec.hedera && *address == SYSTEM_CONTRACT
}

/// Runs the precompiled contract at `address`; a trap consumes all gas.
#[cfg(feature = "precompiles")]
pub(crate) fn run(
    fork: Fork,
    address: &Address,
    input: &[u8],
    gas: u64,
) -> Result<Result<Answer, Trap>, EngineError> {
    use revm_precompile::{PrecompileHalt, PrecompileStatus};

    let Some(contract) = contracts(fork).get(address) else {
        return Err(EngineError::NoPrecompile(*address));
    };
    let result = contract.execute(input, gas, 0);
    let result = result.map_err(|error| crate::host::HostError(error.to_string().into()))?;
    let gas_left = gas.checked_sub(result.gas_used);
    Ok(match (result.status, gas_left) {
        (PrecompileStatus::Success, Some(gas_left)) => Ok(Answer { gas_left, output: result.bytes }),
        (PrecompileStatus::Success, None) | (PrecompileStatus::Halt(PrecompileHalt::OutOfGas), _) => {
            Err(Trap::OutOfGas)
        }
        // None of Ethereum's contracts reverts.
        (PrecompileStatus::Halt(_) | PrecompileStatus::Revert, _) => Err(Trap::PrecompileFailed),
    })
}

#[cfg(feature = "precompiles")]
fn contracts(fork: Fork) -> &'static revm_precompile::Precompiles {
    match fork {
        Fork::Cancun => revm_precompile::Precompiles::cancun(),
        Fork::Prague => revm_precompile::Precompiles::prague(),
        Fork::Osaka => revm_precompile::Precompiles::osaka(),
    }
}

/// Refuses: this build has no precompiled contracts.
#[cfg(not(feature = "precompiles"))]
pub(crate) fn run(_: Fork, address: &Address, _: &[u8], _: u64) -> Result<Result<Answer, Trap>, EngineError> {
    Err(EngineError::NoPrecompile(*address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u64) -> Address {
        Address::left_padding_from(&number.to_be_bytes())
    }

    #[test]
    fn each_fork_has_its_addresses() {
        assert!(is_precompile(Fork::Cancun, &address(0x0a)));
        assert!(!is_precompile(Fork::Cancun, &address(0x0b)));
        assert!(is_precompile(Fork::Prague, &address(0x11)));
        assert!(!is_precompile(Fork::Prague, &address(0x100)));
        assert!(is_precompile(Fork::Osaka, &address(0x100)));
        assert!(!is_precompile(Fork::Osaka, &address(0)));
        assert!(!is_precompile(Fork::Osaka, &address(0x1_0001)));
    }

    #[cfg(feature = "precompiles")]
    #[test]
    fn the_addresses_are_those_of_the_contracts() {
        for fork in Fork::ALL {
            let numbers = 0..=0x200;
            for address in numbers.map(address) {
                let is_there = contracts(fork).get(&address).is_some();
                assert_eq!(is_precompile(fork, &address), is_there, "{fork:?} {address}");
            }
            assert!(contracts(fork).addresses().all(|address| is_precompile(fork, address)));
        }
    }

    #[cfg(feature = "precompiles")]
    #[test]
    fn a_contract_answers_or_fails_by_name() {
        let identity = run(Fork::Osaka, &address(4), b"abc", 100).expect("no engine trouble");
        assert_eq!(identity, Ok(Answer { gas_left: 100 - 18, output: Bytes::from_static(b"abc") }));
        assert_eq!(run(Fork::Osaka, &address(4), b"abc", 17).expect("no trouble"), Err(Trap::OutOfGas));
        let blake = run(Fork::Osaka, &address(9), b"abc", 1000).expect("no trouble");
        assert_eq!(blake, Err(Trap::PrecompileFailed));
    }

    #[cfg(not(feature = "precompiles"))]
    #[test]
    fn without_the_feature_a_call_is_refused_by_name() {
        let refused = run(Fork::Osaka, &address(4), b"abc", 100).expect_err("no contracts");
        assert!(matches!(refused, EngineError::NoPrecompile(at) if at == address(4)));
    }
}
