//! A tier whose code is entered at some basic blocks only, so that runs change from one tier to the other midway.

use std::any::Any;
use std::sync::Arc;

use zvm::bytecode::Code;
use zvm::compiled::frame::{Frame, Spec};
use zvm::compiled::tier::{CompiledCode, Tier};
use zvm::host::Host;
use zvm::outcome::Exit;

/// One block head in as many is entered.
const ENTERED_ONE_IN: u64 = 2;

/// Another tier's code, entered at block heads that a seed picks.
pub(crate) struct MixedTier {
    inner: Arc<dyn Tier>,
    seed: u64,
}

impl MixedTier {
    pub(crate) fn new(inner: Arc<dyn Tier>, seed: u64) -> MixedTier {
        MixedTier { inner, seed }
    }
}

impl Tier for MixedTier {
    fn compile(&self, code: &Code, spec: &Spec) -> Option<Arc<dyn CompiledCode>> {
        let inner = self.inner.compile(code, spec)?;
        // Each code has its own block heads picked, so that every place of many short codes has its turn.
        let seed = code.body().iter().fold(self.seed, |seed, &byte| mix(seed ^ u64::from(byte)));
        Some(Arc::new(MixedCode { inner, seed }))
    }
}

struct MixedCode {
    inner: Arc<dyn CompiledCode>,
    seed: u64,
}

impl CompiledCode for MixedCode {
    fn can_enter(&self, pc: usize) -> bool {
        is_picked(self.seed, pc) && self.inner.can_enter(pc)
    }

    fn run(&self, frame: &mut Frame, host: &mut dyn Host) -> Exit {
        self.inner.run(frame, host)
    }

    fn size_bytes(&self) -> usize {
        self.inner.size_bytes()
    }

    fn as_any(&self) -> &dyn Any {
        self.inner.as_any()
    }
}

/// Whether the seed picks the block head; always the same for the same seed.
fn is_picked(seed: u64, pc: usize) -> bool {
    mix(seed ^ pc as u64).is_multiple_of(ENTERED_ONE_IN)
}

/// One step of SplitMix64: every bit of the input reaches every bit of the output.
fn mix(bits: u64) -> u64 {
    let bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_heads_are_picked_and_seeds_differ() {
        let picked = |seed| (0..3000).filter(move |&pc| is_picked(seed, pc));
        assert!((1400..1600).contains(&picked(1).count()));
        assert!(!picked(1).eq(picked(2)));
        assert!(picked(1).eq(picked(1)));
    }
}
