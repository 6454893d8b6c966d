//! What the tiers keep in a code object: who may compile it, how hot it is, what is compiled.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::publication::{Progress, Slot};
use super::tier::CompiledCode;

/// The tiers' part of a [`Code`](crate::bytecode::Code).
#[derive(Default)]
pub(crate) struct TierState {
    /// Number of the engine whose compiled code this is; 0: none yet. One engine has one set of rules.
    owner: AtomicU64,
    /// Whether it was used since the cache last asked.
    touched: AtomicBool,
    /// Of the code as a whole: ready when it is prepared.
    pub(crate) unit: Unit,
    /// Whether every region was compiled or refused.
    is_complete: AtomicBool,
    /// Whether what is compiled must not be entered any more.
    is_banned: AtomicBool,
    /// Checked frames that must agree before other frames may enter what is compiled.
    trial: AtomicU32,
    compiled: Slot<Prepared>,
    preparing: Mutex<()>,
}

/// Something that is compiled as one: how far it is, and the gas that was interpreted in it.
#[derive(Default)]
pub(crate) struct Unit {
    pub(crate) progress: Progress,
    heat: AtomicU64,
}

/// A code that was prepared: what the tier made of it, and the state of its regions.
pub(crate) struct Prepared {
    pub(crate) code: Box<dyn CompiledCode>,
    pub(crate) regions: Box<[Unit]>,
}

impl TierState {
    /// Makes the engine of that number the owner if there is none; whether it is the owner now.
    pub(crate) fn claim(&self, engine: u64) -> bool {
        // A load first: it is asked at each start of a frame, and an exchange costs as much as many instructions.
        match self.owner.load(Ordering::Relaxed) {
            0 => match self.owner.compare_exchange(0, engine, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => true,
                Err(owner) => owner == engine,
            },
            owner => owner == engine,
        }
    }

    /// What was prepared by the owner, if anything, and not banned.
    #[inline]
    pub(crate) fn prepared(&self) -> Option<&Prepared> {
        if self.is_banned.load(Ordering::Relaxed) { None } else { self.compiled.get() }
    }

    /// Closes what is compiled to every frame that is not in it, and asks for no more.
    pub(crate) fn ban(&self) {
        self.is_banned.store(true, Ordering::Relaxed);
        self.unit.progress.finish(false);
    }

    /// Lets only checked frames enter what is compiled until that many have agreed.
    pub(crate) fn begin_trial(&self, frames: u32) {
        if frames > 0 {
            self.trial.store(frames, Ordering::Relaxed);
        }
    }

    /// Whether only checked frames may enter what is compiled.
    #[inline]
    pub(crate) fn is_on_trial(&self) -> bool {
        self.trial.load(Ordering::Relaxed) > 0
    }

    /// Notes that a checked frame agreed.
    pub(crate) fn pass_trial(&self) {
        let less = |left: u32| left.checked_sub(1);
        // An error: there is no trial.
        let _ = self.trial.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// Publishes what the tier has prepared.
    pub(crate) fn publish(&self, code: Box<dyn CompiledCode>) -> &Prepared {
        let regions = (0..code.region_count()).map(|_| Unit::default()).collect();
        let prepared = self.compiled.publish(Box::new(Prepared { code, regions }));
        self.unit.progress.finish(true);
        prepared
    }

    /// Held by whoever prepares, so that others wait for it instead of doing the same.
    pub(crate) fn preparing(&self) -> MutexGuard<'_, ()> {
        self.preparing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete.load(Ordering::Acquire)
    }

    pub(crate) fn set_complete(&self) {
        self.is_complete.store(true, Ordering::Release);
    }

    pub(crate) fn touch(&self) {
        // A load first: the line is shared by all who run the code.
        if !self.touched.load(Ordering::Relaxed) {
            self.touched.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn take_touched(&self) -> bool {
        self.touched.swap(false, Ordering::Relaxed)
    }
}

impl Unit {
    /// Adds gas and gives the sum so far.
    pub(crate) fn add_heat(&self, gas: u64) -> u64 {
        self.heat.fetch_add(gas, Ordering::Relaxed).saturating_add(gas)
    }

    /// The gas so far.
    pub(crate) fn heat(&self) -> u64 {
        self.heat.load(Ordering::Relaxed)
    }
}
