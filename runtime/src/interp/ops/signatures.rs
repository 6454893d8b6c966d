//! Verification of post-quantum signatures.
//!
//! What a scheme accepts is decided by its crate, pinned to one version: whether bytes are a signature is consensus.
//! A key or signature that does not decode is not valid, at the same price.

use alloy_primitives::U256;
use fn_dsa_vrfy::{DOMAIN_NONE, HASH_ID_ORIGINAL_FALCON, VerifyingKey as _, VerifyingKey512};
use ml_dsa::MlDsa65;
use slh_dsa::Sha2_128s;

use super::memory::{charge_words, touch_all};
use crate::bytecode::Op;
use crate::compiled::frame::Frame;
use crate::host::Host;
use crate::outcome::Exit;

/// Bytes of an ML-DSA-65 key and signature (FIPS 204).
pub const ML_DSA_65: (usize, usize) = (1952, 3309);
/// Bytes of a Falcon-512 key and of a signature in the fixed form of round 3.
pub const FALCON_512: (usize, usize) = (897, 666);
/// Bytes of an SLH-DSA-SHA2-128s key and signature (FIPS 205).
pub const SLH_DSA_SHA2_128S: (usize, usize) = (32, 7856);

/// `pq_verify_dilithium`: ML-DSA-65, the pure variant with empty context.
pub fn dilithium(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    verify(frame, Op::PqVerifyDilithium, ML_DSA_65, ml_dsa_65)
}

/// `pq_verify_falcon`: Falcon-512 of round 3.
pub fn falcon(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    verify(frame, Op::PqVerifyFalcon, FALCON_512, falcon_512)
}

/// `pq_verify_sphincs`: SLH-DSA-SHA2-128s, the pure variant with empty context.
pub fn sphincs(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    verify(frame, Op::PqVerifySphincs, SLH_DSA_SHA2_128S, slh_dsa_sha2_128s)
}

/// Takes the operands off the stack, pays, and pushes 1 if the signature is valid. The price is for the words of the
/// message; the key's size is fixed, and a signature of another size than the scheme's is not looked at.
fn verify(
    frame: &mut Frame,
    op: Op,
    (key_size, signature_size): (usize, usize),
    is_valid: fn(key: &[u8], message: &[u8], signature: &[u8]) -> bool,
) -> Result<(), Exit> {
    let [message_offset, message_size, signature_offset, given_size, key_offset] = frame.stack.pop();
    charge_words(frame, op, &message_size)?;
    let ranges =
        [(message_offset, message_size), (signature_offset, given_size), (key_offset, U256::from(key_size))];
    let [message, signature, key] = touch_all(frame, ranges)?;
    let memory = frame.memory.bytes();
    let has_size = signature.len() == signature_size;
    let valid = has_size && is_valid(&memory[key], &memory[message], &memory[signature]);
    frame.stack.push_word(U256::from(valid));
    Ok(())
}

/// Whether an ML-DSA-65 signature is valid.
pub fn ml_dsa_65(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = ml_dsa::EncodedVerifyingKey::<MlDsa65>::try_from(key) else { return false };
    let Ok(signature) = ml_dsa::Signature::<MlDsa65>::try_from(signature) else { return false };
    ml_dsa::VerifyingKey::decode(&key).verify_with_context(message, b"", &signature)
}

/// Whether a Falcon-512 signature is valid.
pub fn falcon_512(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = VerifyingKey512::decode(key);
    key.is_some_and(|key| key.verify(signature, &DOMAIN_NONE, &HASH_ID_ORIGINAL_FALCON, message))
}

/// Whether an SLH-DSA-SHA2-128s signature is valid.
pub fn slh_dsa_sha2_128s(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = slh_dsa::VerifyingKey::<Sha2_128s>::try_from(key) else { return false };
    let Ok(signature) = slh_dsa::Signature::<Sha2_128s>::try_from(signature) else { return false };
    key.try_verify_with_context(message, b"", &signature).is_ok()
}
