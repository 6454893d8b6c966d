//! Threads that compile what the queue holds.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::Compiler;
use crate::bytecode::Code;
use crate::compiled::queue::Queue;
use crate::compiled::tier::Effort;

/// A request.
struct Job {
    code: Arc<Code>,
    task: Task,
}

/// What is wanted of a code.
#[derive(Clone, Copy)]
enum Task {
    /// To compile the region of that body offset.
    Compile { pc: usize },
    /// To make better code of a region that is compiled.
    Improve { region: usize },
}

impl Job {
    /// Whether somebody waits for it in the interpreter, and how hot it is.
    fn urgency(&self) -> (bool, u64) {
        match self.task {
            Task::Compile { pc } => (true, Compiler::heat_at(&self.code, pc)),
            Task::Improve { region } => (false, Compiler::heat_of(&self.code, region)),
        }
    }
}

/// The threads and their queue; dropping it ends and joins them.
pub(super) struct Background {
    queue: Arc<Queue<Job>>,
    threads: Vec<JoinHandle<()>>,
    is_blocking: bool,
}

impl Background {
    pub(super) fn start(
        compiler: &Arc<Compiler>,
        threads: NonZeroUsize,
        queue_max: usize,
        is_blocking: bool,
    ) -> Background {
        let queue = Arc::new(Queue::new(queue_max));
        let start = |number: usize| {
            let (queue, compiler) = (Arc::clone(&queue), Arc::clone(compiler));
            thread::Builder::new()
                .name(format!("zvm-compile-{number}"))
                .spawn(move || work(&queue, &compiler))
        };
        let threads: Vec<_> = (0..threads.get()).map_while(|number| start(number).ok()).collect();
        if threads.is_empty() {
            // Nobody would take a job: refuse them all.
            queue.close();
        }
        Background { queue, threads, is_blocking }
    }

    /// Queues a request, or refuses; in blocking mode returns when it is answered.
    pub(super) fn ask(&self, code: &Arc<Code>, pc: usize) -> bool {
        let is_queued = self.queue.push(Job { code: Arc::clone(code), task: Task::Compile { pc } }).is_ok();
        if is_queued && self.is_blocking {
            self.queue.wait_until_idle();
        }
        is_queued
    }

    pub(super) fn pause(&self) {
        self.queue.pause();
    }

    pub(super) fn resume(&self) {
        self.queue.resume();
    }

    pub(super) fn wait_until_idle(&self) {
        self.queue.wait_until_idle();
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            // `work` catches panics, so there is no error to lose.
            let _ = thread.join();
        }
    }
}

fn work(queue: &Queue<Job>, compiler: &Compiler) {
    while let Some(taken) = queue.take(Job::urgency) {
        let Job { code, task } = &taken.job;
        // A tier that panics has refused the code: its progress stays at "requested", and the thread lives on.
        let result = catch_unwind(AssertUnwindSafe(|| match *task {
            Task::Compile { pc } => compiler.compile_at(code, pc, Effort::Quick),
            Task::Improve { region } => {
                compiler.improve(code, region);
                None
            }
        }));
        match result {
            Ok(Some(region)) => {
                // A full queue has more urgent work; the region then stays as it is.
                let job = Job { code: Arc::clone(code), task: Task::Improve { region } };
                if queue.push(job).is_err() {
                    compiler.stats.note_queue_full();
                }
            }
            Ok(None) => {}
            Err(_) => compiler.stats.note_panic(),
        }
    }
}
