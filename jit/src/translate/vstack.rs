//! The virtual stack: where each word of the operand stack is while a block is translated.
//!
//! A slot is in memory, or in SSA values, or both. Pushing, popping, duplicating and swapping move slots at compile
//! time and emit nothing; what differs from memory is written when the block ends. Positions count from the stack
//! height at the head of the chain of blocks: -1 is the word that was on top there.

use alloy_primitives::U256;
use cranelift_codegen::ir::Value;

use super::words::Word;

/// Where one word of the stack is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Slot {
    /// Only in memory, at this position.
    Memory(i32),
    /// In SSA values; the memory at `home`, if any, holds the same word.
    Value { word: Word, home: Option<i32> },
}

impl Slot {
    /// The position in memory that holds this word.
    pub(crate) fn home(self) -> Option<i32> {
        match self {
            Slot::Memory(home) => Some(home),
            Slot::Value { home, .. } => home,
        }
    }
}

/// The stack of one chain of blocks.
#[derive(Clone, Debug, Default)]
pub(crate) struct VStack {
    /// Slots from the lowest touched up to the top.
    slots: Vec<Slot>,
    /// Position of `slots[0]`, at most 0.
    lowest: i32,
}

impl VStack {
    /// The stack at a block head: everything is in memory.
    pub(crate) fn new() -> VStack {
        VStack::default()
    }

    /// Position one above the top: words now on the stack less words at the head.
    pub(crate) fn height(&self) -> i32 {
        self.lowest + self.slots.len() as i32
    }

    /// Makes at least `depth` words visible.
    fn reach(&mut self, depth: usize) {
        if self.slots.len() < depth {
            let missing = (depth - self.slots.len()) as i32;
            let lowest = self.lowest - missing;
            self.slots.splice(0..0, (lowest..self.lowest).map(Slot::Memory));
            self.lowest = lowest;
        }
    }

    /// The slot of word `n`, 1 = top.
    pub(crate) fn word(&mut self, n: usize) -> &mut Slot {
        self.reach(n);
        let index = self.slots.len() - n;
        &mut self.slots[index]
    }

    /// Drops the top.
    pub(crate) fn drop_top(&mut self) {
        self.reach(1);
        self.slots.pop();
        // Without slots the position of the next push is carried by `lowest`.
    }

    /// Pushes a word.
    pub(crate) fn push(&mut self, slot: Slot) {
        self.slots.push(slot);
    }

    /// Duplicates word `n`, 1 = top.
    pub(crate) fn dup(&mut self, n: usize) {
        let slot = *self.word(n);
        self.slots.push(slot);
    }

    /// Swaps the top with word `n + 1`.
    pub(crate) fn swap(&mut self, n: usize) {
        self.reach(n + 1);
        let top = self.slots.len() - 1;
        self.slots.swap(top, top - n);
    }

    /// Slots that differ from memory, with their positions.
    pub(crate) fn dirty(&self) -> Vec<(i32, Slot)> {
        let positions = self.lowest..;
        positions.zip(&self.slots).filter(|(p, slot)| slot.home() != Some(*p)).map(|(p, s)| (p, *s)).collect()
    }

    /// Slots to write before a call that works on the top `operands` words in memory: those, and others that are
    /// better in memory than in registers across a call.
    pub(crate) fn dirty_for_call(&self, operands: usize) -> Vec<(i32, Slot)> {
        let first = self.height() - operands as i32;
        let mut dirty = self.dirty();
        dirty.retain(|(position, slot)| {
            let is_small = matches!(
                slot,
                Slot::Value { word: Word::Const(_) | Word::Flag(_) | Word::Narrow { .. }, .. }
            );
            *position >= first || !is_small
        });
        dirty
    }

    /// After some slots were written: memory elsewhere no longer holds what the dirty slots hold.
    pub(crate) fn disown_dirty(&mut self) {
        for (position, slot) in (self.lowest..).zip(&mut self.slots) {
            if let Slot::Value { word, home: Some(home) } = *slot
                && home != position
            {
                *slot = Slot::Value { word, home: None };
            }
        }
    }

    /// Before a call: wide words that memory holds are better read again than kept across it.
    pub(crate) fn forget_wide(&mut self) {
        for slot in &mut self.slots {
            if let Slot::Value { word: Word::Full(_) | Word::Wide { .. }, home: Some(home) } = *slot {
                *slot = Slot::Memory(home);
            }
        }
    }

    /// Number of slots that differ from memory.
    pub(crate) fn dirty_count(&self) -> usize {
        (self.lowest..).zip(&self.slots).filter(|(p, slot)| slot.home() != Some(*p)).count()
    }

    /// Constants above the height at the head.
    pub(crate) fn pushed_constants(&self) -> impl Iterator<Item = U256> {
        let pushed = usize::try_from(-self.lowest).unwrap_or(0);
        self.slots.iter().skip(pushed).filter_map(|slot| match slot {
            Slot::Value { word, .. } => word.constant(),
            Slot::Memory(_) => None,
        })
    }

    /// Whether a word of one limb is on the stack, as far as it is known.
    pub(crate) fn holds(&self, value: Value) -> bool {
        self.slots
            .iter()
            .any(|slot| matches!(slot, Slot::Value { word: Word::Narrow { limb, .. }, .. } if *limb == value))
    }

    /// The slot at a position below the height.
    pub(crate) fn at(&self, position: i32) -> Slot {
        match usize::try_from(position - self.lowest) {
            Ok(index) => self.slots[index],
            Err(_) => Slot::Memory(position),
        }
    }

    /// Makes a position below the height visible.
    pub(crate) fn reveal(&mut self, position: i32) {
        if let Ok(depth) = usize::try_from(self.height() - position) {
            self.reach(depth);
        }
    }

    /// Sets the slot at a visible position.
    pub(crate) fn set(&mut self, position: i32, slot: Slot) {
        let index = (position - self.lowest) as usize;
        self.slots[index] = slot;
    }
}
