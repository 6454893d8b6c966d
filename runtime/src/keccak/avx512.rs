//! Keccak-f\[1600\] (FIPS 202, section 3) with one lane in each of 25 vector registers.
//!
//! Of a register only the low 64 bits matter. What vectors bring is not width but 32 registers, so that no lane is
//! spilled, rotation by any count, and [`ternary logic`](_mm_ternarylogic_epi64), which does in one operation what
//! takes two or three on words.

use std::arch::x86_64::{
    __m128i, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_rol_epi64, _mm_setzero_si128, _mm_ternarylogic_epi64,
    _mm_xor_si128,
};

/// Bytes that the permutation absorbs at once: 1,600 bits less twice the digest's.
const RATE: usize = 136;

/// The constants of iota, one a round.
const ROUNDS: [u64; 24] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];

/// Lane (x, y) at x + 5y.
type State = [__m128i; 25];

/// The Keccak-256 hash of `bytes`, or `None` on a processor without these instructions.
pub(super) fn keccak256(bytes: &[u8]) -> Option<[u8; 32]> {
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
        // SAFETY: the processor has both features, as was just asked.
        Some(unsafe { hash(bytes) })
    } else {
        None
    }
}

#[target_feature(enable = "avx512f,avx512vl")]
fn hash(bytes: &[u8]) -> [u8; 32] {
    let mut state = [_mm_setzero_si128(); 25];
    let mut blocks = bytes.chunks_exact(RATE);
    for block in &mut blocks {
        absorb(&mut state, block.try_into().expect("a chunk has the size asked for"));
    }
    let rest = blocks.remainder();
    let mut last = [0; RATE];
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 0x01;
    last[RATE - 1] |= 0x80;
    absorb(&mut state, &last);
    let mut digest = [0; 32];
    for (bytes, lane) in digest.chunks_exact_mut(8).zip(state) {
        bytes.copy_from_slice(&_mm_cvtsi128_si64(lane).to_le_bytes());
    }
    digest
}

/// Adds a block to the state and permutes it.
#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn absorb(state: &mut State, block: &[u8; RATE]) {
    let mut lanes = *state;
    for (lane, bytes) in lanes.iter_mut().zip(block.chunks_exact(8)) {
        let word = i64::from_le_bytes(bytes.try_into().expect("a chunk has the size asked for"));
        *lane = _mm_xor_si128(*lane, _mm_cvtsi64_si128(word));
    }
    for constant in ROUNDS {
        lanes = round(&lanes, constant);
    }
    *state = lanes;
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn round(a: &State, constant: u64) -> State {
    // Theta: the parity of each column, and the same a bit to the left.
    let parity = [0, 1, 2, 3, 4].map(|x| xor3(xor3(a[x], a[x + 5], a[x + 10]), a[x + 15], a[x + 20]));
    let turned = parity.map(|column| _mm_rol_epi64::<1>(column));
    // The rest of theta, rho and pi: lane `$from` goes where the macro stands, turned by `$count`.
    macro_rules! moved {
        ($from:literal, $count:literal) => {
            _mm_rol_epi64::<$count>(xor3(a[$from], parity[($from + 4) % 5], turned[($from + 1) % 5]))
        };
    }
    #[rustfmt::skip]
    let b = [
        moved!(0, 0), moved!(6, 44), moved!(12, 43), moved!(18, 21), moved!(24, 14),
        moved!(3, 28), moved!(9, 20), moved!(10, 3), moved!(16, 45), moved!(22, 61),
        moved!(1, 1), moved!(7, 6), moved!(13, 25), moved!(19, 8), moved!(20, 18),
        moved!(4, 27), moved!(5, 36), moved!(11, 10), moved!(17, 15), moved!(23, 56),
        moved!(2, 62), moved!(8, 55), moved!(14, 39), moved!(15, 41), moved!(21, 2),
    ];
    // Chi, every other lane by two plain operations: ternary logic has fewer units than those.
    macro_rules! chi {
        ($y:literal: $($x:literal),*) => {
            [$(if ($x + $y) % 2 == 0 {
                chi_plain(b[$y + $x], b[$y + ($x + 1) % 5], b[$y + ($x + 2) % 5])
            } else {
                chi_ternary(b[$y + $x], b[$y + ($x + 1) % 5], b[$y + ($x + 2) % 5])
            }),*]
        };
    }
    let rows = [
        chi!(0: 0, 1, 2, 3, 4),
        chi!(5: 0, 1, 2, 3, 4),
        chi!(10: 0, 1, 2, 3, 4),
        chi!(15: 0, 1, 2, 3, 4),
        chi!(20: 0, 1, 2, 3, 4),
    ];
    let mut next = *rows.as_flattened().first_chunk().expect("five rows of five lanes");
    next[0] = _mm_xor_si128(next[0], _mm_cvtsi64_si128(constant.cast_signed()));
    next
}

/// a ⊕ b ⊕ c.
#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn xor3(a: __m128i, b: __m128i, c: __m128i) -> __m128i {
    _mm_ternarylogic_epi64::<0x96>(a, b, c)
}

/// a ⊕ (¬b ∧ c) in one operation.
#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn chi_ternary(a: __m128i, b: __m128i, c: __m128i) -> __m128i {
    _mm_ternarylogic_epi64::<0xd2>(a, b, c)
}

/// a ⊕ (¬b ∧ c) in two operations, which the compiler would make one again if it saw them.
#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn chi_plain(a: __m128i, b: __m128i, c: __m128i) -> __m128i {
    let result;
    // SAFETY: both instructions read and write registers only, and exist where this function may be called.
    unsafe {
        std::arch::asm!(
            "vpandnq {result:x}, {b:x}, {c:x}",
            "vpxorq {result:x}, {result:x}, {a:x}",
            a = in(zmm_reg) a,
            b = in(zmm_reg) b,
            c = in(zmm_reg) c,
            result = out(zmm_reg) result,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    result
}
