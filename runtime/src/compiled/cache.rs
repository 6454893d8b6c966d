//! Codes by their key, within two byte budgets: one for analyzed code, one for what was compiled for it.
//!
//! The order of eviction is the clock's: a hand goes round, spares what was used since its last visit, and evicts
//! the rest. To evict is to let go of an `Arc`: a frame that runs in the code holds another, and memory is given
//! back when the last of them goes.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::sync::PoisonError;

use super::sync::{Arc, RwLock};

/// What the cache asks of its values.
pub trait Cached {
    /// Notes a use.
    fn touch(&self);
    /// Whether it was used since this was last asked.
    fn take_touched(&self) -> bool;
    /// Bytes held for the value itself; always the same.
    fn own_bytes(&self) -> usize;
    /// Bytes held for what was compiled for it; grows.
    fn compiled_bytes(&self) -> usize;
}

/// How many bytes a cache may hold. The value added or grown last stays even where it alone is larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// Bytes of analyzed code.
    pub analyzed_bytes: usize,
    /// Bytes of machine code and its tables.
    pub compiled_bytes: usize,
}

impl Default for CacheLimits {
    /// 256 MiB each.
    fn default() -> CacheLimits {
        CacheLimits { analyzed_bytes: 256 << 20, compiled_bytes: 256 << 20 }
    }
}

/// What a cache holds and has let go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Codes held.
    pub codes: usize,
    /// Bytes of analyzed code held.
    pub analyzed_bytes: usize,
    /// Bytes of machine code and its tables held.
    pub compiled_bytes: usize,
    /// Codes let go of so far.
    pub evictions: u64,
}

/// The cache.
pub struct CodeCache<K, C, S> {
    limits: CacheLimits,
    inner: RwLock<Inner<K, C, S>>,
}

struct Inner<K, C, S> {
    /// Position in `ring` of each key.
    positions: HashMap<K, usize, S>,
    ring: Vec<Entry<K, C>>,
    hand: usize,
    stats: CacheStats,
}

struct Entry<K, C> {
    key: K,
    value: Arc<C>,
    /// As far as they are counted in the sum.
    compiled_bytes: usize,
}

impl<K: Copy + Eq + Hash, C: Cached, S: BuildHasher + Default> CodeCache<K, C, S> {
    /// An empty cache.
    pub fn new(limits: CacheLimits) -> CodeCache<K, C, S> {
        let inner =
            Inner { positions: HashMap::default(), ring: Vec::new(), hand: 0, stats: CacheStats::default() };
        CodeCache { limits, inner: RwLock::new(inner) }
    }

    /// The value of a key.
    pub fn get(&self, key: &K) -> Option<Arc<C>> {
        // A panic while the lock was held can't have left a half-made entry: nothing under it panics.
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let entry = &inner.ring[*inner.positions.get(key)?];
        entry.value.touch();
        Some(Arc::clone(&entry.value))
    }

    /// Adds a value, unless the key has one: then that one stays. Gives the value that is held.
    pub fn insert(&self, key: K, value: Arc<C>) -> Arc<C> {
        let (held, evicted) = {
            let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(&position) = inner.positions.get(&key) {
                return Arc::clone(&inner.ring[position].value);
            }
            let position = inner.ring.len();
            inner.positions.insert(key, position);
            inner.stats.codes += 1;
            inner.stats.analyzed_bytes += value.own_bytes();
            let compiled_bytes = value.compiled_bytes();
            inner.stats.compiled_bytes += compiled_bytes;
            inner.ring.push(Entry { key, value: Arc::clone(&value), compiled_bytes });
            (value, inner.evict(&self.limits, &key))
        };
        // Outside the lock: to drop code may unmap pages.
        drop(evicted);
        held
    }

    /// Counts what was compiled for a value since; nothing happens where the cache no longer holds it.
    pub fn grown(&self, key: &K, value: &Arc<C>) {
        let evicted = {
            let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
            let Some(&position) = inner.positions.get(key) else { return };
            let entry = &mut inner.ring[position];
            if !Arc::ptr_eq(&entry.value, value) {
                return;
            }
            let before = std::mem::replace(&mut entry.compiled_bytes, entry.value.compiled_bytes());
            let after = entry.compiled_bytes;
            inner.stats.compiled_bytes = inner.stats.compiled_bytes - before + after;
            inner.evict(&self.limits, key)
        };
        drop(evicted);
    }

    /// What is held and was let go.
    pub fn stats(&self) -> CacheStats {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).stats
    }
}

impl<K: Copy + Eq + Hash, C: Cached, S: BuildHasher> Inner<K, C, S> {
    /// Evicts until both budgets hold, or only `spared` is left; gives what was evicted.
    fn evict(&mut self, limits: &CacheLimits, spared: &K) -> Vec<Entry<K, C>> {
        let mut evicted = Vec::new();
        // Every entry is passed at most twice: once to forget that it was used, once to go.
        let mut visits_left = 2 * self.ring.len();
        while visits_left > 0 {
            let is_analyzed_over = self.stats.analyzed_bytes > limits.analyzed_bytes;
            let is_compiled_over = self.stats.compiled_bytes > limits.compiled_bytes;
            if !is_analyzed_over && !is_compiled_over {
                break;
            }
            visits_left -= 1;
            self.hand = if self.hand < self.ring.len() { self.hand } else { 0 };
            let entry = &self.ring[self.hand];
            let helps = is_analyzed_over || entry.compiled_bytes > 0;
            if !helps || entry.key == *spared || entry.value.take_touched() {
                self.hand += 1;
                continue;
            }
            evicted.push(self.remove(self.hand));
        }
        evicted
    }

    fn remove(&mut self, position: usize) -> Entry<K, C> {
        let entry = self.ring.swap_remove(position);
        self.positions.remove(&entry.key);
        if let Some(moved) = self.ring.get(position) {
            self.positions.insert(moved.key, position);
        }
        self.stats.codes -= 1;
        self.stats.analyzed_bytes -= entry.value.own_bytes();
        self.stats.compiled_bytes -= entry.compiled_bytes;
        self.stats.evictions += 1;
        entry
    }
}
