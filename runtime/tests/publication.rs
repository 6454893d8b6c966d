//! The structures by which threads share compiled code, under every interleaving that loom finds.
//!
//! The files under test are included here beside a `sync` of loom's primitives; they use nothing else.
#![allow(dead_code, unreachable_pub, reason = "the included files serve the machine, and a test uses a part")]

mod sync {
    pub(super) use loom::sync::atomic::{AtomicPtr, AtomicU8, Ordering};
    pub(super) use loom::sync::{Arc, Condvar, Mutex, MutexGuard, RwLock};
}

#[path = "../src/compiled/cache.rs"]
mod cache;
#[path = "../src/compiled/publication.rs"]
mod publication;
#[path = "../src/compiled/queue.rs"]
mod queue;

use std::hash::{BuildHasherDefault, DefaultHasher};

use cache::{CacheLimits, Cached, CodeCache};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;
use publication::{Progress, Slot, Stage};
use queue::Queue;

/// Machine code that knows whether its pages are still mapped.
struct Pages {
    mapped: Arc<AtomicUsize>,
    /// Written before publication without an order of its own: loom lets a reader see the old value where
    /// publication doesn't order it.
    content: AtomicUsize,
}

impl Pages {
    fn new(mapped: &Arc<AtomicUsize>) -> Pages {
        mapped.fetch_add(1, Ordering::Relaxed);
        let pages = Pages { mapped: Arc::clone(mapped), content: AtomicUsize::new(0) };
        pages.content.store(7, Ordering::Relaxed);
        pages
    }

    fn run(&self) {
        assert!(self.mapped.load(Ordering::Relaxed) > 0, "the pages are gone");
        assert_eq!(self.content.load(Ordering::Relaxed), 7);
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.mapped.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A code object as the machine has it, as far as threads meet in it.
struct Code {
    progress: Progress,
    compiled: Slot<Pages>,
    touched: AtomicBool,
}

impl Code {
    fn new() -> Code {
        Code { progress: Progress::new(), compiled: Slot::new(), touched: AtomicBool::new(false) }
    }

    /// What a thread that compiles does.
    fn compile(&self, mapped: &Arc<AtomicUsize>) {
        self.compiled.publish(Box::new(Pages::new(mapped)));
        self.progress.finish(true);
    }
}

impl Cached for Code {
    fn touch(&self) {
        self.touched.store(true, Ordering::Relaxed);
    }
    fn take_touched(&self) -> bool {
        self.touched.swap(false, Ordering::Relaxed)
    }
    fn own_bytes(&self) -> usize {
        1
    }
    fn compiled_bytes(&self) -> usize {
        usize::from(self.compiled.get().is_some())
    }
}

/// Hashes the same in every run, which loom needs.
type Cache = CodeCache<u8, Code, BuildHasherDefault<DefaultHasher>>;

fn cache(analyzed_bytes: usize, compiled_bytes: usize) -> Cache {
    Cache::new(CacheLimits { analyzed_bytes, compiled_bytes })
}

#[test]
fn what_is_published_is_complete_and_published_once() {
    loom::model(|| {
        let mapped = Arc::new(AtomicUsize::new(0));
        let slot = Arc::new(Slot::new());
        let writers: Vec<_> = (0..2)
            .map(|_| {
                let (slot, mapped) = (Arc::clone(&slot), Arc::clone(&mapped));
                thread::spawn(move || {
                    let published: *const Pages = slot.publish(Box::new(Pages::new(&mapped)));
                    published as usize
                })
            })
            .collect();
        let seen = slot.get().map(|pages| {
            pages.run();
            std::ptr::from_ref(pages) as usize
        });
        let published: Vec<usize> = writers.into_iter().map(|w| w.join().expect("no panic")).collect();
        assert_eq!(published[0], published[1], "both see the same");
        assert!(seen.is_none_or(|seen| seen == published[0]), "and it never changes");
        assert_eq!(mapped.load(Ordering::Relaxed), 1, "the other was dropped");
        drop(slot);
        assert_eq!(mapped.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn one_of_many_compiles_and_what_is_ready_is_there() {
    loom::model(|| {
        let mapped = Arc::new(AtomicUsize::new(0));
        let code = Arc::new(Code::new());
        let compiled = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (code, mapped, compiled) =
                    (Arc::clone(&code), Arc::clone(&mapped), Arc::clone(&compiled));
                thread::spawn(move || {
                    if code.progress.request() {
                        compiled.fetch_add(1, Ordering::Relaxed);
                        code.compile(&mapped);
                    }
                    if code.progress.stage() == Stage::Ready {
                        code.compiled.get().expect("published before it was ready").run();
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        assert_eq!(compiled.load(Ordering::Relaxed), 1);
        assert_eq!(code.progress.stage(), Stage::Ready);
    });
}

/// A frame runs while the code is compiled by another thread and evicted by a third.
#[test]
fn eviction_never_takes_pages_from_a_running_frame() {
    loom::model(|| {
        let mapped = Arc::new(AtomicUsize::new(0));
        let cache = Arc::new(cache(1, 10));
        let frame = cache.insert(1, Arc::new(Code::new()));
        let compiler = {
            let (cache, mapped, code) = (Arc::clone(&cache), Arc::clone(&mapped), Arc::clone(&frame));
            thread::spawn(move || {
                code.compile(&mapped);
                cache.grown(&1, &code);
            })
        };
        let evictor = {
            let cache = Arc::clone(&cache);
            // Room for one: this evicts the first, or waits behind it for its turn.
            thread::spawn(move || drop(cache.insert(2, Arc::new(Code::new()))))
        };
        if let Some(pages) = frame.compiled.get() {
            pages.run();
            thread::yield_now();
            pages.run();
        }
        compiler.join().expect("no panic");
        evictor.join().expect("no panic");
        assert_eq!(mapped.load(Ordering::Relaxed), 1, "the frame still holds it");
        frame.compiled.get().expect("compiled by now").run();
        let stats = cache.stats();
        assert_eq!(
            (stats.codes, stats.analyzed_bytes, stats.compiled_bytes),
            (1, 1, 0),
            "only the second is held"
        );
        assert!(cache.get(&1).is_none() && cache.get(&2).is_some());
        drop(frame);
        assert_eq!(mapped.load(Ordering::Relaxed), 0, "and then it is gone");
    });
}

#[test]
fn two_threads_that_insert_the_same_code_share_one() {
    loom::model(|| {
        let cache = Arc::new(cache(10, 10));
        let other = {
            let cache = Arc::clone(&cache);
            thread::spawn(move || cache.insert(1, Arc::new(Code::new())))
        };
        let mine = cache.insert(1, Arc::new(Code::new()));
        let theirs = other.join().expect("no panic");
        assert!(Arc::ptr_eq(&mine, &theirs));
        assert_eq!(cache.stats().codes, 1);
    });
}

/// The whole way: a request through the queue, the publication, the end of the thread when the engine goes.
#[test]
fn requests_are_answered_once_and_threads_end() {
    loom::model(|| {
        let mapped = Arc::new(AtomicUsize::new(0));
        let queue = Arc::new(Queue::new(1));
        let code = Arc::new(Code::new());
        let worker = {
            let (queue, mapped) = (Arc::clone(&queue), Arc::clone(&mapped));
            thread::spawn(move || {
                while let Some(taken) = queue.take(|_| 0) {
                    let taken: queue::Taken<'_, Arc<Code>> = taken;
                    taken.job.compile(&mapped);
                }
            })
        };
        assert!(code.progress.request());
        assert!(queue.push(Arc::clone(&code)).is_ok(), "there is room");
        assert!(!code.progress.request(), "asked for already");
        queue.wait_until_idle();
        assert_eq!(code.progress.stage(), Stage::Ready);
        code.compiled.get().expect("compiled").run();
        queue.close();
        worker.join().expect("the thread ends");
        assert!(queue.push(code).is_err(), "closed");
        assert_eq!(mapped.load(Ordering::Relaxed), 0, "jobs hold nothing");
    });
}

#[test]
fn a_queue_that_closes_loses_no_thread_and_no_job_runs_twice() {
    loom::model(|| {
        let queue = Arc::new(Queue::new(2));
        let ran = Arc::new(AtomicUsize::new(0));
        let worker = {
            let (queue, ran) = (Arc::clone(&queue), Arc::clone(&ran));
            thread::spawn(move || {
                while let Some(taken) = queue.take(|_| 0) {
                    ran.fetch_add(taken.job, Ordering::Relaxed);
                }
            })
        };
        assert!(queue.push(1).is_ok());
        queue.pause();
        assert!(queue.push(10).is_ok());
        queue.resume();
        queue.close();
        queue.wait_until_idle();
        worker.join().expect("the thread ends");
        assert!([0, 1, 11].contains(&ran.load(Ordering::Relaxed)));
    });
}

#[test]
fn a_full_queue_refuses_and_the_request_can_be_made_again() {
    loom::model(|| {
        let queue = Queue::new(1);
        let progress = Progress::new();
        assert!(queue.push(1).is_ok());
        assert!(progress.request());
        assert_eq!(queue.push(2), Err(2));
        progress.withdraw();
        drop(queue.take(|_| 0));
        assert!(progress.request() && queue.push(2).is_ok());
        assert_eq!(queue.waiting(), 1);
    });
}

#[test]
fn the_most_urgent_job_comes_first_and_the_oldest_of_equals() {
    loom::model(|| {
        let queue = Queue::new(4);
        for job in [10, 31, 20, 32] {
            assert!(queue.push(job).is_ok());
        }
        let mut order = Vec::new();
        while queue.waiting() > 0 {
            order.extend(queue.take(|job| job / 10).map(|taken| taken.job));
        }
        assert_eq!(order, [31, 32, 20, 10]);
    });
}
