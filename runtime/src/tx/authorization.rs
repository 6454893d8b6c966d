//! Authorizations of EIP-7702: an account lets the code of another run in its place.

use alloy_primitives::{Address, Bytes, U256};

use crate::bytecode::delegation_to;
use crate::engine::Executor;
use crate::fork::Fork;
use crate::gas;
use crate::host::{BlockEnv, HostError};
use crate::inspect::Inspector;
use crate::state::Database;

/// One delegation that a set-code transaction carries, its signer recovered already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// Chain it is valid on; 0 means any.
    pub chain_id: U256,
    /// Account whose code is to run; zero takes a delegation away.
    pub address: Address,
    /// Nonce that the signer must have.
    pub nonce: u64,
    /// The signer; `None` if the signature is invalid, which makes the authorization have no effect.
    pub authority: Option<Address>,
}

#[cfg(feature = "precompiles")]
impl Authorization {
    /// Half the order of secp256k1; a signature with a larger `s` is invalid (EIP-2).
    const S_MAX: U256 = U256::from_limbs([
        0xdfe9_2f46_681b_20a0,
        0x5d57_6e73_57a4_501d,
        0xffff_ffff_ffff_ffff,
        0x7fff_ffff_ffff_ffff,
    ]);

    /// The byte that stands before the signed list.
    const MAGIC: u8 = 0x05;

    /// An authorization with the signer that its signature names.
    pub fn recover(
        chain_id: U256,
        address: Address,
        nonce: u64,
        y_parity: U256,
        r: U256,
        s: U256,
    ) -> Authorization {
        let authority = Self::signer(chain_id, address, nonce, y_parity, r, s);
        Authorization { chain_id, address, nonce, authority }
    }

    fn signer(
        chain_id: U256,
        address: Address,
        nonce: u64,
        y_parity: U256,
        r: U256,
        s: U256,
    ) -> Option<Address> {
        use alloy_primitives::B512;
        use alloy_rlp::Encodable;

        use crate::keccak::keccak256;

        if y_parity > U256::ONE || s > Self::S_MAX {
            return None;
        }
        let chain_id = chain_id.to_be_bytes_trimmed_vec();
        let list: [&dyn Encodable; 3] = [&chain_id.as_slice(), &address.as_slice(), &nonce];
        let mut signed = vec![Self::MAGIC];
        alloy_rlp::encode_list::<_, dyn Encodable>(&list, &mut signed);

        let mut signature = B512::ZERO;
        signature[..32].copy_from_slice(&r.to_be_bytes::<32>());
        signature[32..].copy_from_slice(&s.to_be_bytes::<32>());
        let parity = u8::from(y_parity == U256::ONE);
        let signer = revm_precompile::secp256k1::ecrecover(&signature, parity, &keccak256(&signed));
        signer.ok().map(Address::from_word)
    }
}

impl<D: Database, I: Inspector> Executor<D, I> {
    /// Writes the delegations of a set-code transaction; gives the refund that they earn. An authorization that
    /// breaks a rule has no effect.
    pub(super) fn apply_authorizations(
        &mut self,
        authorizations: &[Authorization],
        block: &BlockEnv,
    ) -> Result<u64, HostError> {
        let mut refund = 0;
        for authorization in authorizations {
            refund += self.apply_authorization(authorization, block)?;
        }
        Ok(refund)
    }

    fn apply_authorization(
        &mut self,
        authorization: &Authorization,
        block: &BlockEnv,
    ) -> Result<u64, HostError> {
        let Authorization { chain_id, address, nonce, authority } = authorization;
        if !chain_id.is_zero() && *chain_id != block.chain_id || *nonce == u64::MAX {
            return Ok(0);
        }
        let Some(authority) = authority else {
            return Ok(0);
        };
        self.state_mut().warm_account(authority)?;
        let info = self.state_mut().account(authority)?;
        if info.has_code() && !self.is_delegating(authority)? || info.nonce != *nonce {
            return Ok(0);
        }
        let refund = if info.is_empty() { 0 } else { gas::TX_AUTHORIZATION_REFUND };
        let code = if address.is_zero() { Bytes::new() } else { delegation_to(address) };
        self.state_mut().set_code(authority, code)?;
        self.state_mut().set_nonce(authority, nonce + 1)?;
        Ok(refund)
    }

    /// Whether the account's code is a delegation, which no fork before Prague knows.
    pub(super) fn is_delegating(&mut self, address: &Address) -> Result<bool, HostError> {
        let knows_delegations = self.engine().spec().fork >= Fork::Prague;
        Ok(knows_delegations && self.code_of(address)?.is_some_and(|code| code.delegation().is_some()))
    }
}
