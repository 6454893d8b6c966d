//! Bytes to [`Code`]: encoding, jump targets, padded end, hash. Never fails: any bytes are code.

use std::sync::OnceLock;

use alloy_primitives::{Address, B256, Bytes};

use super::decode::{Instruction, instructions};
use super::encoding::{Encoding, NATIVE_PREFIX, delegation_target};
use super::info::Op;
use super::steps::step;
use crate::compiled::cache::Cached;
use crate::compiled::state::TierState;
use crate::keccak::keccak256;

/// Zero bytes after the body, so that an immediate and the `halt` after it can always be read.
///
/// A zero byte is `halt` in both encodings, and no immediate is longer than 32 bytes.
pub const CODE_PADDING: usize = 34;

/// Analyzed code of an account or of a creation, shared by every frame that runs it.
pub struct Code {
    raw: Bytes,
    encoding: Encoding,
    /// Body followed by [`CODE_PADDING`] zeros.
    // Invariant: `padded.len() == body_len + CODE_PADDING`.
    padded: Box<[u8]>,
    /// What the run loop of the interpreter reads: see [`steps`](super::steps).
    // Invariant: as long as `padded`, and zero behind the body likewise.
    steps: Box<[u8]>,
    body_len: usize,
    /// One bit per body byte that is a jump target.
    jump_targets: Box<[u64]>,
    hash: OnceLock<B256>,
    tier_state: TierState,
}

impl Code {
    /// Analyzes the bytes of an account's code; `native_code` says whether the prefix `EF 5A 01` has a meaning.
    pub fn new(raw: impl Into<Bytes>, native_code: bool) -> Code {
        let raw: Bytes = raw.into();
        if native_code && raw.starts_with(&NATIVE_PREFIX) {
            Code::analyze(raw, Encoding::Zvm, NATIVE_PREFIX.len())
        } else {
            Code::analyze(raw, Encoding::Evm, 0)
        }
    }

    /// Analyzes native code given without its prefix, as containers hold it.
    pub fn native(body: &[u8]) -> Code {
        let raw = [&NATIVE_PREFIX[..], body].concat();
        Code::analyze(raw.into(), Encoding::Zvm, NATIVE_PREFIX.len())
    }

    /// Analyzes Ethereum code, whatever its first bytes.
    pub fn evm(raw: impl Into<Bytes>) -> Code {
        Code::new(raw, false)
    }

    fn analyze(raw: Bytes, encoding: Encoding, body_start: usize) -> Code {
        let body = &raw[body_start..];
        let body_len = body.len();
        let mut padded = vec![0; body_len + CODE_PADDING].into_boxed_slice();
        padded[..body_len].copy_from_slice(body);
        let mut jump_targets = vec![0u64; body_len.div_ceil(64)].into_boxed_slice();
        let mut steps = padded.clone();
        let mut window = instructions(body, encoding);
        let (mut first, mut second) = (window.next(), window.next());
        while let Some(instruction) = first {
            let third = window.next();
            let op_of = |instruction: &Option<Instruction<'_>>| instruction.and_then(|found| found.op);
            steps[instruction.offset] = step(&instruction, op_of(&second), op_of(&third));
            if instruction.op == Some(Op::JumpDest) {
                jump_targets[instruction.offset / 64] |= 1 << (instruction.offset % 64);
            }
            (first, second) = (second, third);
        }
        Code {
            raw,
            encoding,
            padded,
            steps,
            body_len,
            jump_targets,
            hash: OnceLock::new(),
            tier_state: TierState::default(),
        }
    }

    /// All bytes of the account's code, prefix included.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// The account whose code runs in place of this one, if it is a delegation (EIP-7702).
    pub fn delegation(&self) -> Option<Address> {
        delegation_target(&self.raw)
    }

    /// The encoding of the body.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The bytes that run; offsets count from its start.
    pub fn body(&self) -> &[u8] {
        &self.padded[..self.body_len]
    }

    /// The body and the zeros after it.
    pub fn padded(&self) -> &[u8] {
        &self.padded
    }

    /// What the run loop of the interpreter reads in place of [`padded`](Code::padded).
    pub(crate) fn steps(&self) -> &[u8] {
        &self.steps
    }

    /// Whether a jump to that body offset is valid.
    #[inline]
    pub fn is_jump_target(&self, offset: usize) -> bool {
        match self.jump_targets.get(offset / 64) {
            Some(bits) => bits >> (offset % 64) & 1 == 1,
            None => false,
        }
    }

    /// Keccak-256 of all bytes.
    pub fn hash(&self) -> B256 {
        *self.hash.get_or_init(|| keccak256(&self.raw))
    }

    /// How hot the code is and what is compiled of it.
    #[inline]
    pub(crate) fn tier_state(&self) -> &TierState {
        &self.tier_state
    }
}

impl Cached for Code {
    fn touch(&self) {
        self.tier_state.touch();
    }

    fn take_touched(&self) -> bool {
        self.tier_state.take_touched()
    }

    fn own_bytes(&self) -> usize {
        size_of::<Code>()
            + self.raw.len()
            + self.padded.len()
            + self.steps.len()
            + 8 * self.jump_targets.len()
    }

    fn compiled_bytes(&self) -> usize {
        self.tier_state.prepared().map_or(0, |prepared| prepared.code.size_bytes())
    }
}

/// Equal where the same bytes run in the same encoding.
impl PartialEq for Code {
    fn eq(&self, other: &Code) -> bool {
        self.encoding == other.encoding && self.raw == other.raw
    }
}

impl Eq for Code {}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Code").field("encoding", &self.encoding).field("body_len", &self.body_len).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_an_immediate_are_no_jump_targets() {
        let code = Code::evm(vec![0x60, 0x5b, 0x5b]);
        assert!(!code.is_jump_target(1));
        assert!(code.is_jump_target(2));
        assert!(!code.is_jump_target(3));
        assert!(!code.is_jump_target(usize::MAX));
    }

    #[test]
    fn the_prefix_has_a_meaning_only_with_native_code_on() {
        let bytes = vec![0xef, 0x5a, 0x01, 0xa3];
        let native = Code::new(bytes.clone(), true);
        assert_eq!((native.encoding(), native.body()), (Encoding::Zvm, &[0xa3][..]));
        assert!(native.is_jump_target(0));
        assert_eq!(Code::new(bytes, false).encoding(), Encoding::Evm);
        assert_eq!(native.hash(), Code::native(&[0xa3]).hash());
    }
}
