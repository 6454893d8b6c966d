//! How compiled code becomes visible: a [`Slot`] that is filled once, and the [`Progress`] that lets one thread fill it.
//!
//! What is published stays where it is for as long as its slot lives. A frame keeps the slot alive by the `Arc` of
//! its code, so reading needs one load and no counting, and eviction means letting go of the code, never of the
//! contents of its slot.

use std::marker::PhantomData;
use std::ptr;

use super::sync::{AtomicPtr, AtomicU8, Ordering};

/// A place in which one value is published, once.
pub struct Slot<T> {
    // Invariant: null, or from `Box::into_raw`; once it is not null it never changes.
    pointer: AtomicPtr<T>,
    owns: PhantomData<Box<T>>,
}

impl<T: Send + Sync> Slot<T> {
    /// An empty place.
    pub fn new() -> Slot<T> {
        Slot { pointer: AtomicPtr::new(ptr::null_mut()), owns: PhantomData }
    }

    /// What was published: one load.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        let pointer = self.pointer.load(Ordering::Acquire);
        // SAFETY: null or a box's pointer that `publish` stored after the value was complete; it is freed by `drop`
        // alone, which no borrow of `self` outlives, and only shared references are ever made from it.
        unsafe { pointer.as_ref() }
    }

    /// Publishes a value; where another was first, that one stays and this one is dropped. Gives what is published.
    pub fn publish(&self, value: Box<T>) -> &T {
        let new = Box::into_raw(value);
        let exchanged =
            self.pointer.compare_exchange(ptr::null_mut(), new, Ordering::Release, Ordering::Acquire);
        let published = match exchanged {
            Ok(_) => new,
            Err(first) => {
                // SAFETY: `into_raw` above gave this pointer, and nobody else has seen it.
                drop(unsafe { Box::from_raw(new) });
                first
            }
        };
        // SAFETY: as in `get`.
        unsafe { &*published }
    }
}

impl<T: Send + Sync> Default for Slot<T> {
    fn default() -> Slot<T> {
        Slot::new()
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        let pointer = self.pointer.load(Ordering::Acquire);
        if !pointer.is_null() {
            // SAFETY: `publish` stored a box's pointer, and `&mut self` says that no reference is left.
            drop(unsafe { Box::from_raw(pointer) });
        }
    }
}

/// How far the compilation of something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    /// Nobody has asked for it.
    Cold,
    /// Asked for, not done.
    Requested,
    /// Done.
    Ready,
    /// Refused or failed; it is not asked for again.
    Refused,
}

/// The stage of something, seen by all threads: exactly one of them gets to ask for the compilation.
pub struct Progress(AtomicU8);

impl Progress {
    /// [`Stage::Cold`].
    pub fn new() -> Progress {
        Progress(AtomicU8::new(Stage::Cold as u8))
    }

    /// The stage.
    pub fn stage(&self) -> Stage {
        match self.0.load(Ordering::Acquire) {
            0 => Stage::Cold,
            1 => Stage::Requested,
            2 => Stage::Ready,
            _ => Stage::Refused,
        }
    }

    /// Whether the caller is the one who has to see to the compilation: true once.
    pub fn request(&self) -> bool {
        let (cold, requested) = (Stage::Cold as u8, Stage::Requested as u8);
        self.0.compare_exchange(cold, requested, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Takes a request back, so that it can be made again.
    pub fn withdraw(&self) {
        let (cold, requested) = (Stage::Cold as u8, Stage::Requested as u8);
        let exchanged = self.0.compare_exchange(requested, cold, Ordering::AcqRel, Ordering::Acquire);
        debug_assert!(exchanged.is_ok(), "only who has requested withdraws");
    }

    /// Notes how it ended. What is to be found after [`Stage::Ready`] is published before.
    pub fn finish(&self, is_ready: bool) {
        let stage = if is_ready { Stage::Ready } else { Stage::Refused };
        self.0.store(stage as u8, Ordering::Release);
    }
}

impl Default for Progress {
    fn default() -> Progress {
        Progress::new()
    }
}
