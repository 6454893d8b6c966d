//! Loops whose stack words stay in SSA values from round to round.
//!
//! Such a loop is translated once or twice: a version that keeps some words in one limb each, as the
//! [guess](crate::analysis::loops) says, and a version that keeps all of them full. Every block of it has a stub, its
//! native block as the rest of the region knows it: the stub loads the words from memory and goes on in the
//! version they fit. A word that outgrows its limb on the way round takes the loop to the full version.

use std::collections::BTreeMap;

use alloy_primitives::U256;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, Value, types};
use cranelift_frontend::Variable;

use super::known::Known;
use super::vstack::{Slot, VStack};
use super::words::Word;
use super::{Translator, is_excluded, is_head};
use crate::analysis::blocks::BlockId;
use crate::analysis::heights::Height;
use crate::analysis::loops::{self, LoopPlan};

/// Longest loop, in instructions, that gets a narrow version beside the full one.
const TWO_VERSIONS_OPS_MAX: usize = 256;

/// The variables of one carried word.
#[derive(Clone, Copy, Debug)]
enum Carrier {
    /// One limb, zero-extended.
    Narrow(Variable),
    /// Four limbs, lowest first.
    Full([Variable; 4]),
}

/// One translation of a loop.
struct Version {
    /// By position, the first of the plan's first.
    carriers: Vec<Carrier>,
    /// Native block of each head, entered with the words in the carriers.
    heads: BTreeMap<BlockId, ir::Block>,
}

/// A loop whose words are carried.
pub(super) struct CarriedLoop {
    plan: LoopPlan,
    /// Narrow first if there are two; the last is full.
    // Invariant: not empty.
    versions: Vec<Version>,
    /// Counts gas within the loop; see [`meter`](super::meter).
    meter: Variable,
}

/// Where in which loop a chain is.
#[derive(Clone, Copy, Debug)]
pub(super) struct InLoop {
    number: usize,
    version: usize,
    /// Height at the chain's head relative to the loop's header.
    height: i32,
}

impl Translator<'_> {
    pub(super) fn plan_loops(&mut self) {
        let region = self.region.clone();
        for plan in loops::find(self.code, self.analysis, &region) {
            let ops: usize =
                plan.blocks.keys().map(|&id| self.analysis.blocks[id as usize].instrs.len()).sum();
            let full = vec![false; plan.narrow.len()];
            let mut versions = Vec::new();
            if plan.narrow != full && ops <= TWO_VERSIONS_OPS_MAX {
                versions.push(self.version(&plan, &plan.narrow));
            }
            versions.push(self.version(&plan, &full));
            let meter = self.b.declare_var(types::I64);
            self.loops.push(CarriedLoop { plan, versions, meter });
        }
    }

    fn version(&mut self, plan: &LoopPlan, narrow: &[bool]) -> Version {
        let b = &mut self.b;
        let mut carrier = |&narrow: &bool| match narrow {
            true => Carrier::Narrow(b.declare_var(types::I64)),
            false => Carrier::Full(std::array::from_fn(|_| b.declare_var(types::I64))),
        };
        let carriers = narrow.iter().map(&mut carrier).collect();
        let heads = plan.blocks.keys().filter(|&&id| is_head(self.analysis, id));
        let heads = heads.map(|&id| (id, self.b.create_block())).collect();
        Version { carriers, heads }
    }

    /// The variable that counts gas in this version of the loop, if it has one of its own.
    pub(super) fn meter_of(&self, place: InLoop) -> Option<Variable> {
        (place.version == 0).then_some(self.loops[place.number].meter)
    }

    fn loop_of(&self, id: BlockId) -> Option<(usize, i32)> {
        let mut loops = self.loops.iter().enumerate();
        loops.find_map(|(n, carried)| carried.plan.blocks.get(&id).map(|&height| (n, height)))
    }

    /// Whether a block is in the loop of a place.
    pub(super) fn is_in_this_loop(&self, place: InLoop, id: BlockId) -> bool {
        self.loops[place.number].plan.blocks.contains_key(&id)
    }

    /// The two carried words, by number, of which the first is below the second at a head of this version. At such a
    /// head the gas of its block is known to be there, too.
    pub(super) fn fact_at(&self, place: InLoop, id: BlockId) -> Option<(usize, usize)> {
        let CarriedLoop { plan, versions, .. } = &self.loops[place.number];
        let &(low, high) = plan.below.get(&id)?;
        let number = |position: i32| usize::try_from(position - plan.positions.start).ok();
        let (low, high) = (number(low)?, number(high)?);
        let carriers = &versions[place.version].carriers;
        let is_narrow = |word: usize| matches!(carriers.get(word), Some(Carrier::Narrow(_)));
        (is_narrow(low) && is_narrow(high)).then_some((low, high))
    }

    /// Whether a block is in a loop whose words are carried.
    pub(super) fn is_in_loop(&self, id: BlockId) -> bool {
        self.loop_of(id).is_some()
    }

    /// At the head of a chain: if it is in a loop, writes its stub and gives the versions to translate.
    pub(super) fn enter_loop(&mut self, id: BlockId) -> Vec<InLoop> {
        let Some((number, height)) = self.loop_of(id) else { return Vec::new() };
        let plan = &self.loops[number].plan;
        // What the loop's header and this block both have; positions count from the chain's head.
        let first = plan.positions.start - height;
        let last = plan.positions.end.min(height) - height;
        if self.head_height == Height::Unknown && first < 0 {
            // What is not there can't be loaded, and a loop that needs it would not get far.
            let bytes = self.b.ins().isub(self.head_top, self.stack_base);
            let need = self.imm(i64::from(-first) * 32);
            let is_short = self.b.ins().icmp(IntCC::UnsignedLessThan, bytes, need);
            let pc = self.analysis.blocks[id as usize].pc;
            self.cold_branch(is_short, |t| t.exit_interpret(pc));
        }
        let words: Vec<Word> = (first..last).map(|position| self.load_slot(position)).collect();
        let gas = self.gas_left();
        self.start_meter(self.loops[number].meter, gas);
        self.jump_carried(number, 0, id, &words);
        (0..self.loops[number].versions.len()).map(|version| InLoop { number, version, height }).collect()
    }

    /// Starts a version of a chain in a loop, the carried words on the virtual stack.
    pub(super) fn begin_carried(&mut self, id: BlockId, place: InLoop) {
        let InLoop { number, version, height } = place;
        let CarriedLoop { plan, versions, .. } = &self.loops[number];
        let version = &versions[version];
        let first = plan.positions.start - height;
        let last = plan.positions.end.min(height) - height;
        let carriers = version.carriers.clone();
        self.b.switch_to_block(version.heads[&id]);
        self.in_loop = Some(place);
        self.stack = VStack::new();
        self.memory_known = 0;
        self.known = Known::default();
        if self.head_height == Height::Unknown {
            self.head_top = self.b.use_var(self.top);
        }
        let dropped = if self.fact_at(place, id).is_some() && !is_excluded(self.analysis, self.options, id) {
            self.loops[number].plan.dropped.get(&id).cloned().unwrap_or_default()
        } else {
            Vec::new()
        };
        for (position, carrier) in (first..last).zip(carriers) {
            let word = match carrier {
                // Nothing looks at it; a word in a variable would be moved around all the same.
                _ if dropped.contains(&(position + height)) => Word::Const(U256::ZERO),
                Carrier::Narrow(variable) => Word::unsigned(self.b.use_var(variable), 64),
                Carrier::Full(variables) => Word::Full(variables.map(|variable| self.b.use_var(variable))),
            };
            self.stack.reveal(position);
            self.stack.set(position, Slot::Value { word, home: None });
        }
        if let Some((low, high)) = self.fact_at(place, id) {
            let [low, high] = [low, high].map(|number| self.stack.at(first + number as i32));
            let [low, high] = [low, high].map(|slot| self.word_of(slot)).map(|word| self.low_limb(word));
            self.known.learn_below(low, high);
        }
    }

    /// Gas that is known to be there at the head of a chain in a loop.
    pub(super) fn gas_at_head(&self, place: InLoop, id: BlockId) -> u64 {
        if self.fact_at(place, id).is_some() { self.analysis.blocks[id as usize].gas } else { 0 }
    }

    /// Goes on in a block of the same loop with the words carried; false where there is no such loop.
    pub(super) fn go_to_carried(&mut self, id: BlockId) -> bool {
        let (Some(place), Some((number, height))) = (self.in_loop, self.loop_of(id)) else { return false };
        if number != place.number {
            return false;
        }
        let plan = &self.loops[number].plan;
        let positions = plan.positions.start..plan.positions.end.min(height);
        // Positions of the loop count from its header, those of the stack from the chain's head.
        let words: Vec<Word> =
            positions.clone().map(|position| self.word_of(self.stack.at(position - place.height))).collect();
        for &word in &words {
            self.demand_word(word);
        }
        let mut rest = self.stack.dirty();
        rest.retain(|(position, _)| !positions.contains(&(position + place.height)));
        for (_, word) in self.write(rest) {
            self.demand_word(word);
        }
        if self.analysis.heights[id as usize] == Height::Unknown {
            self.define_top();
        }
        self.pay_gas();
        self.jump_carried(number, place.version, id, &words);
        true
    }

    /// Jumps to a head of a loop with its words in the carriers of the version, or of the full one where a word
    /// does not fit a carrier.
    fn jump_carried(&mut self, number: usize, version: usize, id: BlockId, words: &[Word]) {
        let versions = &self.loops[number].versions;
        let target = |version: &Version| (version.heads[&id], version.carriers.clone());
        let (head, carriers) = target(&versions[version]);
        let (wide_head, wide_carriers) = target(&versions[versions.len() - 1]);
        let outgrow = |t: &mut Self| {
            t.hand_over_gas();
            t.jump_with(&wide_carriers, words, wide_head);
        };
        let narrow = words.iter().zip(&carriers).filter(|(_, carrier)| matches!(carrier, Carrier::Narrow(_)));
        let narrow: Vec<Word> = narrow.map(|(word, _)| *word).collect();
        if let Some(high) = self.high_limbs(&narrow) {
            self.cold_branch(high, outgrow);
        }
        if self.in_loop.is_none() && version == 0 && !self.loops[number].plan.below.is_empty() {
            // Rounds count gas in 63 bits.
            let gas = self.b.use_var(self.gas);
            let zero = self.imm(0);
            let is_large = self.b.ins().icmp(IntCC::SignedLessThan, gas, zero);
            self.cold_branch(is_large, outgrow);
        }
        if let Some((low, high)) = self.fact_at(InLoop { number, version, height: 0 }, id) {
            let [low, high] = [words[low], words[high]].map(|word| self.low_limb(word));
            if !self.known.is_below(low, high) {
                let fails = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, low, high);
                self.cold_branch(fails, outgrow);
            }
            let gas = self.analysis.blocks[id as usize].gas;
            if self.gas_ahead < gas {
                let fails = self.is_short_of(gas);
                self.cold_branch(fails, outgrow);
            }
        }
        self.jump_with(&carriers, words, head);
    }

    fn jump_with(&mut self, carriers: &[Carrier], words: &[Word], head: ir::Block) {
        self.define_carriers(carriers, words);
        self.b.ins().jump(head, &[]);
    }

    fn define_carriers(&mut self, carriers: &[Carrier], words: &[Word]) {
        for (&carrier, &word) in carriers.iter().zip(words) {
            match carrier {
                Carrier::Narrow(variable) => {
                    let limb = self.low_limb(word);
                    self.b.def_var(variable, limb);
                }
                Carrier::Full(variables) => {
                    let limbs: [Value; 4] = self.limbs(word);
                    for (variable, limb) in variables.into_iter().zip(limbs) {
                        self.b.def_var(variable, limb);
                    }
                }
            }
        }
    }
}
