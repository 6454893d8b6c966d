//! Pages of machine code: an arena of segments in which pages are written, then executable, never both.
//!
//! A publication takes whole pages, since protection is a matter of pages, and gives them back when it is dropped;
//! a segment without publications is unmapped. Pages without code can be neither read nor executed.

use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};
use wasmtime_internal_jit_icache_coherence::{clear_cache, pipeline_flush_mt};

use crate::error::JitError;

/// Segments of pages for machine code, shared by all that one compiler compiles.
pub(crate) struct Arena {
    page_bytes: usize,
    segments: Mutex<Vec<Segment>>,
}

/// A mapping of its own.
struct Segment {
    // Invariant: `is_used.len()` pages are mapped here until the segment is dropped.
    base: *mut u8,
    page_bytes: usize,
    is_used: Vec<bool>,
    used: usize,
}

/// Machine code of one function in pages of its own; dropping it frees them.
pub(crate) struct RegionCode {
    arena: Arc<Arena>,
    // Invariant: `pages` pages of a segment of `arena`, used by nobody else, hold a finished function.
    base: *mut u8,
    pages: usize,
    code_bytes: usize,
}

/// What an arena holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodeMemoryStats {
    /// Bytes of pages that hold code.
    pub used_bytes: usize,
    /// Bytes of address space.
    pub mapped_bytes: usize,
}

/// Pages of a segment; a longer function has a segment to itself.
const SEGMENT_PAGES: usize = 256;

// SAFETY: a segment is reached only through the arena's lock, and its mapping belongs to no thread.
unsafe impl Send for Segment {}

// SAFETY: the pages are written before this is made and only executed afterwards, until `drop`.
unsafe impl Send for RegionCode {}
// SAFETY: as above; shared use is execution.
unsafe impl Sync for RegionCode {}

impl Arena {
    pub(crate) fn new() -> Arena {
        Arena { page_bytes: rustix::param::page_size(), segments: Mutex::new(Vec::new()) }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Segment>> {
        // A panic under the lock would leave pages marked as used at worst.
        self.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies a function to fresh pages and makes them executable.
    ///
    /// The caller vouches that `code` is the finished, position-independent output of Cranelift for a function of
    /// this machine, without relocations; only [`compiler`](crate::compiler) does.
    pub(crate) fn publish(self: &Arc<Arena>, code: &[u8]) -> Result<RegionCode, JitError> {
        let pages = code.len().div_ceil(self.page_bytes).max(1);
        let mut segments = self.lock();
        let found = segments.iter().enumerate().find_map(|(i, s)| Some((i, s.free_run(pages)?)));
        let (number, first) = match found {
            Some(found) => found,
            None => {
                segments.push(Segment::map(pages.max(SEGMENT_PAGES), self.page_bytes)?);
                (segments.len() - 1, 0)
            }
        };
        let segment = &mut segments[number];
        let base = segment.write(first, pages, code)?;
        segment.mark(first, pages, true);
        Ok(RegionCode { arena: Arc::clone(self), base, pages, code_bytes: code.len() })
    }

    /// What it holds.
    pub(crate) fn stats(&self) -> CodeMemoryStats {
        let segments = self.lock();
        let pages = |of: fn(&Segment) -> usize| segments.iter().map(of).sum::<usize>() * self.page_bytes;
        CodeMemoryStats { used_bytes: pages(|s| s.used), mapped_bytes: pages(|s| s.is_used.len()) }
    }

    /// Takes pages back.
    fn release(&self, base: *mut u8, pages: usize) {
        let mut segments = self.lock();
        let Some(number) = segments.iter().position(|segment| segment.contains(base)) else {
            unreachable!("a publication lies in a segment of its arena");
        };
        let segment = &mut segments[number];
        let first = (base.addr() - segment.base.addr()) / self.page_bytes;
        // Pages that the system would not take back stay as they are, unused and executable; nothing enters them.
        if segment.seal(first, pages).is_ok() {
            segment.mark(first, pages, false);
        }
        // One empty segment stays for the next publication.
        let is_spare = segments.iter().filter(|segment| segment.used == 0).count() > 1;
        if is_spare && segments[number].used == 0 {
            segments.swap_remove(number);
        }
    }
}

impl Segment {
    /// Maps pages that can't be touched yet.
    fn map(pages: usize, page_bytes: usize) -> Result<Segment, JitError> {
        // SAFETY: a new mapping where the system likes.
        let base = unsafe {
            mmap_anonymous(ptr::null_mut(), pages * page_bytes, ProtFlags::empty(), MapFlags::PRIVATE)
        };
        let base = base.map_err(no_memory)?.cast();
        Ok(Segment { base, page_bytes, is_used: vec![false; pages], used: 0 })
    }

    fn contains(&self, address: *mut u8) -> bool {
        let start = self.base.addr();
        (start..start + self.is_used.len() * self.page_bytes).contains(&address.addr())
    }

    /// The first of that many free pages in a row.
    fn free_run(&self, pages: usize) -> Option<usize> {
        if self.is_used.len() - self.used < pages {
            return None;
        }
        let mut run = 0;
        for (page, is_used) in self.is_used.iter().enumerate() {
            run = if *is_used { 0 } else { run + 1 };
            if run == pages {
                return Some(page + 1 - pages);
            }
        }
        None
    }

    fn mark(&mut self, first: usize, pages: usize, is_used: bool) {
        self.is_used[first..first + pages].fill(is_used);
        self.used = if is_used { self.used + pages } else { self.used - pages };
    }

    /// Address and bytes of pages of this segment.
    fn range(&self, first: usize, pages: usize) -> (*mut u8, usize) {
        assert!(first + pages <= self.is_used.len(), "pages of this segment");
        // SAFETY: that many pages are mapped at `base`.
        (unsafe { self.base.add(first * self.page_bytes) }, pages * self.page_bytes)
    }

    /// Writes code to free pages and makes them executable.
    fn write(&mut self, first: usize, pages: usize, code: &[u8]) -> Result<*mut u8, JitError> {
        let (base, bytes) = self.range(first, pages);
        assert!(code.len() <= bytes && !self.is_used[first..first + pages].contains(&true));
        let place: *mut c_void = base.cast();
        // SAFETY: free pages of our own mapping, which nothing refers to.
        unsafe { mprotect(place, bytes, MprotectFlags::READ | MprotectFlags::WRITE) }.map_err(no_memory)?;
        // SAFETY: writable since the line above, long enough as asserted, and apart from every slice.
        unsafe { ptr::copy_nonoverlapping(code.as_ptr(), base, code.len()) };
        // SAFETY: the same pages; nobody has a reference to them. From here on they are never written.
        let executable = unsafe { mprotect(place, bytes, MprotectFlags::READ | MprotectFlags::EXEC) };
        // SAFETY: the same pages, readable.
        let coherent = unsafe { clear_cache(place, bytes) }.and_then(|()| pipeline_flush_mt());
        let result = executable.map_err(no_memory).and_then(|()| {
            coherent.map_err(|e| JitError::Memory(format!("the instruction cache was not cleared: {e}")))
        });
        if let Err(error) = result {
            // They are not marked as used; at worst they stay mapped as they are.
            let _ = self.seal(first, pages);
            return Err(error);
        }
        Ok(base)
    }

    /// Gives the memory of pages back and forbids every access.
    fn seal(&mut self, first: usize, pages: usize) -> Result<(), JitError> {
        let (base, bytes) = self.range(first, pages);
        let flags = MapFlags::PRIVATE | MapFlags::FIXED;
        // SAFETY: pages of our own mapping whose code nobody can run any more: their owner is being dropped, or
        // they were never given out.
        unsafe { mmap_anonymous(base.cast(), bytes, ProtFlags::empty(), flags) }.map_err(no_memory)?;
        Ok(())
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours. No page holds code that can run: each publication holds the arena.
        let result = unsafe { munmap(self.base.cast(), self.is_used.len() * self.page_bytes) };
        debug_assert!(result.is_ok(), "a whole mapping can be unmapped");
    }
}

impl RegionCode {
    /// Where the function starts; call it only while `self` lives.
    pub(crate) fn start(&self) -> *const u8 {
        self.base
    }

    /// Where it starts.
    pub(crate) fn address(&self) -> usize {
        self.base.addr()
    }

    /// Bytes of the function.
    pub(crate) fn code_bytes(&self) -> usize {
        self.code_bytes
    }

    /// Bytes of its pages.
    pub(crate) fn size_bytes(&self) -> usize {
        self.pages * self.arena.page_bytes
    }
}

impl Drop for RegionCode {
    fn drop(&mut self) {
        self.arena.release(self.base, self.pages);
    }
}

fn no_memory(error: rustix::io::Errno) -> JitError {
    JitError::Memory(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_used_again_and_segments_come_and_go() {
        let arena = Arc::new(Arena::new());
        let page = arena.page_bytes;
        let small = |byte: u8| arena.publish(&[byte; 10]).expect("memory");
        let (first, second) = (small(1), small(2));
        assert_eq!(
            arena.stats(),
            CodeMemoryStats { used_bytes: 2 * page, mapped_bytes: SEGMENT_PAGES * page }
        );
        let base = first.base;
        drop(first);
        let third = arena.publish(&vec![3; page]).expect("memory");
        assert_eq!(third.base, base, "the freed page is the first that fits");
        let long = arena.publish(&vec![4; (SEGMENT_PAGES + 1) * page]).expect("memory");
        assert_eq!(long.size_bytes(), (SEGMENT_PAGES + 1) * page);
        assert_eq!(arena.stats().mapped_bytes, (2 * SEGMENT_PAGES + 1) * page);
        drop((second, third, long));
        let stats = arena.stats();
        assert_eq!(stats.used_bytes, 0);
        assert!(stats.mapped_bytes <= (SEGMENT_PAGES + 1) * page, "one empty segment stays");
    }

    /// The protection of the mapping that an address lies in, as the system tells it.
    #[cfg(target_os = "linux")]
    fn protection(address: *mut u8) -> String {
        let maps = std::fs::read_to_string("/proc/self/maps").expect("the system lists mappings");
        let number = |hex: &str| usize::from_str_radix(hex, 16).expect("a hexadecimal address");
        let line = maps.lines().find(|line| {
            let (start, end) = line.split(' ').next().and_then(|r| r.split_once('-')).expect("a range");
            (number(start)..number(end)).contains(&address.addr())
        });
        line.and_then(|line| line.split(' ').nth(1)).unwrap_or("unmapped").to_owned()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn pages_are_executable_and_not_writable_while_they_hold_code_and_nothing_afterwards() {
        let arena = Arc::new(Arena::new());
        let (kept, freed) =
            (arena.publish(&[0xc3]).expect("memory"), arena.publish(&[0xc3]).expect("memory"));
        let (kept_at, freed_at) = (kept.base, freed.base);
        assert_eq!((protection(kept_at), protection(freed_at)), ("r-xp".to_owned(), "r-xp".to_owned()));
        drop(freed);
        assert_eq!((protection(kept_at), protection(freed_at)), ("r-xp".to_owned(), "---p".to_owned()));
    }
}
