//! A bounded queue of jobs between those who ask and the threads that compile.
//!
//! Nobody who asks ever waits for room: a full queue refuses. That a job is not queued twice is the business of
//! [`Progress`](super::publication::Progress), which lets one of many ask.

use std::collections::VecDeque;
use std::sync::PoisonError;

use super::sync::{Condvar, Mutex, MutexGuard};

/// A bounded queue.
pub struct Queue<J> {
    state: Mutex<State<J>>,
    /// Signals every change that somebody may wait for.
    changed: Condvar,
    capacity: usize,
}

struct State<J> {
    jobs: VecDeque<J>,
    /// Jobs taken and not finished.
    running: usize,
    is_paused: bool,
    is_closed: bool,
}

/// A job taken from the queue; dropping it says that it is done.
pub struct Taken<'q, J> {
    queue: &'q Queue<J>,
    /// The job.
    pub job: J,
}

impl<J> Queue<J> {
    /// An empty queue for at most `capacity` jobs.
    pub fn new(capacity: usize) -> Queue<J> {
        let state = State { jobs: VecDeque::new(), running: 0, is_paused: false, is_closed: false };
        Queue { state: Mutex::new(state), changed: Condvar::new(), capacity }
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        // No code that can panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a job; gives it back when the queue is full or closed.
    pub fn push(&self, job: J) -> Result<(), J> {
        let mut state = self.lock();
        if state.is_closed || state.jobs.len() >= self.capacity {
            return Err(job);
        }
        state.jobs.push_back(job);
        self.changed.notify_all();
        Ok(())
    }

    /// The most urgent job, the oldest of equals; waits for one. `None` once the queue is closed.
    ///
    /// `urgency` is asked under the lock: it must be short and can't panic.
    pub fn take<U: Ord>(&self, urgency: impl Fn(&J) -> U) -> Option<Taken<'_, J>> {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return None;
            }
            if !state.is_paused
                && let Some(job) = state.take_most_urgent(&urgency)
            {
                state.running += 1;
                return Some(Taken { queue: self, job });
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until no job is queued or running; a closed or paused queue is waited for only while a job runs.
    pub fn wait_until_idle(&self) {
        let mut state = self.lock();
        while state.running > 0 || !(state.jobs.is_empty() || state.is_closed || state.is_paused) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Hands out no further job until [`Queue::resume`].
    pub fn pause(&self) {
        self.lock().is_paused = true;
        self.changed.notify_all();
    }

    /// Hands out jobs again.
    pub fn resume(&self) {
        self.lock().is_paused = false;
        self.changed.notify_all();
    }

    /// Hands out no further job, for good; threads that wait for one end.
    pub fn close(&self) {
        let jobs = {
            let mut state = self.lock();
            state.is_closed = true;
            std::mem::take(&mut state.jobs)
        };
        self.changed.notify_all();
        // Outside the lock: a job may own much.
        drop(jobs);
    }

    /// Jobs that wait.
    pub fn waiting(&self) -> usize {
        self.lock().jobs.len()
    }
}

impl<J> State<J> {
    fn take_most_urgent<U: Ord>(&mut self, urgency: impl Fn(&J) -> U) -> Option<J> {
        let jobs = self.jobs.iter().enumerate();
        let (at, _) = jobs.max_by_key(|&(at, job)| (urgency(job), std::cmp::Reverse(at)))?;
        self.jobs.remove(at)
    }
}

impl<J> Drop for Taken<'_, J> {
    fn drop(&mut self) {
        self.queue.lock().running -= 1;
        self.queue.changed.notify_all();
    }
}
