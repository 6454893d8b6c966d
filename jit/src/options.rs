//! Every knob of the compiler. There is no `Default`: whoever compiles says what they want.

use std::num::NonZeroU32;

/// How much Cranelift optimizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OptLevel {
    /// Not at all, and registers are given out in one pass: a third of the time to compile, half the speed. Jumps back
    /// go by the table of all code, in which better code appears.
    Quick,
    /// Not at all.
    None,
    /// For speed.
    Speed,
}

/// Disturbances that must not change any result; for tests and fuzzing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Perturbation {
    /// Write the stack to memory after every instruction.
    pub flush_always: bool,
    /// Leave blocks whose number is a multiple of this to the interpreter.
    pub exit_every: Option<NonZeroU32>,
    /// Enter compiled code only at blocks picked at random by this seed, about half of them.
    pub enter_seed: Option<u64>,
    /// Make a mistake; unlike everything else, this shows.
    #[cfg(feature = "canary")]
    pub mistake: Option<Mistake>,
}

/// Mistakes that the compiler makes on purpose, so that fuzzing can show that it finds such. Only a build with the
/// feature `canary` can ask for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mistake {
    /// Blocks of eight or more instructions cost one gas too little.
    BlockGas,
    /// SLT and SGT compare the upper halves of wide words as unsigned.
    SignedLess,
    /// SSTORE sees less gas than there is: what its block has charged ahead is missing.
    SstoreGas,
    /// A word of memory that SWAP or DUP put elsewhere is not written to its new place when a path leaves.
    StaleWord,
    /// Checked unsigned operations ignore the highest limb of their operands.
    CheckedLimb,
    /// GAS tells what is left after its whole block.
    GasLeft,
}

impl Mistake {
    /// Every mistake.
    pub const ALL: [Mistake; 6] = [
        Mistake::BlockGas,
        Mistake::SignedLess,
        Mistake::SstoreGas,
        Mistake::StaleWord,
        Mistake::CheckedLimb,
        Mistake::GasLeft,
    ];
}

impl Perturbation {
    /// Whether compiled code may be entered at a block.
    pub(crate) fn may_enter(&self, block: u32) -> bool {
        // The finalizer of SplitMix64 spreads neighboring numbers.
        self.enter_seed.is_none_or(|seed| {
            let mut bits = seed.wrapping_add(u64::from(block).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            (bits ^ bits >> 31) & 1 == 0
        })
    }

    /// Whether the compiler is to make that mistake.
    pub(crate) const fn makes(&self, mistake: Mistake) -> bool {
        #[cfg(feature = "canary")]
        return matches!(self.mistake, Some(made) if made as u8 == mistake as u8);
        #[cfg(not(feature = "canary"))]
        {
            let _ = mistake;
            false
        }
    }

    /// No disturbance.
    pub const NONE: Perturbation = Perturbation {
        flush_always: false,
        exit_every: None,
        enter_seed: None,
        #[cfg(feature = "canary")]
        mistake: None,
    };
}

/// Every knob of the compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JitOptions {
    /// How much Cranelift optimizes.
    pub opt_level: OptLevel,
    /// Most blocks in one native function; longer chains of conditional jumps are kept together.
    pub region_blocks_max: usize,
    /// Most instructions in one native function, chains of conditional jumps aside.
    pub region_ops_max: usize,
    /// Keep the stack words of inner loops in registers.
    pub carry_loops: bool,
    /// Most instructions that one path through a region copies from the blocks it jumps to.
    pub copied_ops_max: usize,
    /// Most instructions in one block.
    pub block_ops_max: usize,
    /// Longest code body in bytes that is compiled.
    pub code_size_max: usize,
    /// Fuel: most instructions of intermediate code per operation of a region.
    pub instructions_per_op_max: usize,
    /// Count blocks and operations in the frame.
    pub count_blocks: bool,
    /// Tell the frame's tracker of every block, for engines that [profile](zvm::profile::Profiling).
    pub profile: bool,
    /// Check the intermediate code with Cranelift's verifier.
    pub verify: bool,
    /// Disturbances for tests.
    pub perturbation: Perturbation,
}

impl JitOptions {
    /// What a node wants: fast code, no counting, no verifier.
    pub const fn production() -> JitOptions {
        JitOptions {
            opt_level: OptLevel::Speed,
            region_blocks_max: 16,
            region_ops_max: 256,
            carry_loops: true,
            copied_ops_max: 96,
            block_ops_max: 256,
            code_size_max: zvm::gas::INIT_CODE_SIZE_MAX,
            instructions_per_op_max: 400,
            count_blocks: false,
            profile: false,
            verify: false,
            perturbation: Perturbation::NONE,
        }
    }

    /// How code is compiled that has to be there soon, and that these options replace later; `None` where these are
    /// not for the best code either.
    pub(crate) fn quick(&self) -> Option<JitOptions> {
        let quick = JitOptions { opt_level: OptLevel::Quick, carry_loops: false, copied_ops_max: 0, ..*self };
        (self.opt_level == OptLevel::Speed).then_some(quick)
    }

    /// What a test wants: the code of [`production`](JitOptions::production), counted and verified.
    pub const fn checked() -> JitOptions {
        JitOptions { count_blocks: true, verify: true, ..JitOptions::production() }
    }
}
