//! BLAKE2b for a target without the operation: a function around EIP-152's precompiled contract.
//!
//! That contract is the compression function of the hash (RFC 7693, §3.2). The function here keeps the state, cuts the
//! input into blocks, pads the last one with zeros, and counts bytes.

use alloy_primitives::U256;

use super::Helpers;
use crate::ir::build::FunctionBuilder;
use crate::ir::{BlockId, FuncId, Function, Imm, Op, Value};
use crate::source::Span;

/// The precompiled contract (EIP-152).
const BLAKE2F_ADDRESS: u64 = 9;
/// Rounds of BLAKE2b.
const ROUNDS: u64 = 12;
/// Bytes of a block of input.
const BLOCK_BYTES: u64 = 128;
/// Bytes of the state, which is also what the contract returns.
const STATE_BYTES: u64 = 64;
/// What the contract takes: rounds, state, block, two words of the count, and whether the block is the last.
const INPUT_BYTES: u64 = STATE + STATE_BYTES + BLOCK_BYTES + 16 + 1;
/// Where the state begins in it, the block, and the count.
const STATE: u64 = 4;
const BLOCK: u64 = STATE + STATE_BYTES;
const COUNT: u64 = BLOCK + BLOCK_BYTES;

/// The fractional parts of the square roots of the first eight primes (RFC 7693, §2.6).
const INITIAL: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];
/// Digest of 32 bytes, no key, one leaf (RFC 7693, §2.5).
const PARAMETERS: u64 = 0x0101_0020;

impl Helpers {
    /// The function (address, size) -> hash.
    pub(super) fn blake2b(&mut self, span: Span) -> FuncId {
        if let Some(id) = self.blake2b {
            return id;
        }
        let id = self.add(blake2b(span));
        self.blake2b = Some(id);
        id
    }
}

fn blake2b(span: Span) -> Function {
    let mut b = FunctionBuilder::new("blake2b", 2, 1, span);
    let [address, size] = b.params()[..] else { unreachable!("two parameters") };
    // The count is written as a whole word.
    let slot = b.new_slot((COUNT + 32).next_multiple_of(32) as u32);
    let input = b.frame_addr(slot);
    let at = |b: &mut FunctionBuilder, offset: u64| {
        let offset = b.iconst_u64(offset);
        b.binary(Op::Add, input, offset)
    };
    let rounds = b.iconst(U256::from(ROUNDS) << 224);
    b.mstore(input, rounds);
    for (index, word) in initial_state().into_iter().enumerate() {
        let place = at(&mut b, STATE + 32 * index as u64);
        let word = b.iconst(word);
        b.mstore(place, word);
    }
    let block = at(&mut b, BLOCK);
    let done = b.declare_var();
    let zero = b.iconst(U256::ZERO);
    b.def_var(done, zero);

    let (head, body, last) = (b.create_block(), b.create_block(), b.create_block());
    let failed = b.create_block();
    b.jump(head);
    b.switch_to(head);
    let (so_far, block_bytes) = (b.use_var(done), b.iconst_u64(BLOCK_BYTES));
    let left = b.binary(Op::Sub, size, so_far);
    // A last block that is full is still the last.
    let goes_on = b.binary(Op::Gt, left, block_bytes);
    b.br(goes_on, body, last);
    b.seal_block(body);
    b.seal_block(last);

    b.switch_to(body);
    let (so_far, block_bytes) = (b.use_var(done), b.iconst_u64(BLOCK_BYTES));
    let source = b.binary(Op::Add, address, so_far);
    b.ins0(Op::Mcopy, Imm::None, &[block, source, block_bytes]);
    let next = b.binary(Op::Add, so_far, block_bytes);
    b.def_var(done, next);
    compress(&mut b, input, next, false, failed);
    b.jump(head);
    b.seal_block(head);

    b.switch_to(last);
    for offset in (0..BLOCK_BYTES).step_by(32) {
        let (place, zero) = (at(&mut b, BLOCK + offset), b.iconst(U256::ZERO));
        b.mstore(place, zero);
    }
    let so_far = b.use_var(done);
    let source = b.binary(Op::Add, address, so_far);
    let left = b.binary(Op::Sub, size, so_far);
    b.ins0(Op::Mcopy, Imm::None, &[block, source, left]);
    compress(&mut b, input, size, true, failed);
    let state = at(&mut b, STATE);
    let hash = b.unary(Op::Mload, state);
    b.ret(&[hash]);

    b.seal_block(failed);
    b.switch_to(failed);
    b.revert_empty();
    b.finish()
}

/// Takes the block in `input` into the state there; it fails only for want of gas.
fn compress(b: &mut FunctionBuilder, input: Value, count: Value, is_last: bool, failed: BlockId) {
    let mut word = reversed(b, count);
    if is_last {
        // The byte behind the 16 bytes of the count.
        let flag = b.iconst(U256::ONE << (8 * (31 - 16)));
        word = b.binary(Op::Or, word, flag);
    }
    let place = b.iconst_u64(COUNT);
    let place = b.binary(Op::Add, input, place);
    b.mstore(place, word);
    let state = b.iconst_u64(STATE);
    let state = b.binary(Op::Add, input, state);
    let (gas, contract) = (b.nullary(Op::Gas), b.iconst_u64(BLAKE2F_ADDRESS));
    let (input_bytes, state_bytes) = (b.iconst_u64(INPUT_BYTES), b.iconst_u64(STATE_BYTES));
    let args = [gas, contract, input, input_bytes, state, state_bytes];
    let succeeded = b.ins(Op::Staticcall, Imm::None, &args);
    let next = b.create_block();
    b.br(succeeded, next, failed);
    b.seal_block(next);
    b.switch_to(next);
}

/// The eight bytes of a number, least first, at the upper end of a word.
fn reversed(b: &mut FunctionBuilder, number: Value) -> Value {
    let mut word = number;
    for (bits, pattern) in [(8, 0x00ff_00ff_00ff_00ff_u64), (16, 0x0000_ffff_0000_ffff), (32, 0xffff_ffff)] {
        let (bits, mask) = (b.iconst_u64(bits), b.iconst_u64(pattern));
        let low = b.binary(Op::And, word, mask);
        let low = b.binary(Op::Shl, bits, low);
        let high = b.binary(Op::Shr, bits, word);
        let high = b.binary(Op::And, high, mask);
        word = b.binary(Op::Or, low, high);
    }
    let to_top = b.iconst_u64(192);
    b.binary(Op::Shl, to_top, word)
}

/// The state before the first block, as two words of memory.
fn initial_state() -> [U256; 2] {
    let mut bytes = [0; STATE_BYTES as usize];
    for (index, word) in INITIAL.into_iter().enumerate() {
        let word = if index == 0 { word ^ PARAMETERS } else { word };
        bytes[8 * index..][..8].copy_from_slice(&word.to_le_bytes());
    }
    [&bytes[..32], &bytes[32..]].map(U256::from_be_slice)
}
