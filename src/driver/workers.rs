//! Work on many contracts at once: as many workers as the machine has cores, results in the order of the work.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, available_parallelism, scope};

/// Native stack of a worker, in bytes: what a main thread usually has. Only what is used of it takes memory.
const STACK_BYTES: usize = 8 << 20;

/// What `work` makes of the numbers below `count`, in their order, whichever was finished first.
///
/// # Panics
/// If `work` does, with the same payload.
pub(super) fn in_parallel<R: Send>(count: usize, work: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let cores = available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    let run = || {
        let mut made = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return made;
            }
            made.push((index, work(index)));
        }
    };
    let mut made: Vec<(usize, R)> = scope(|scope| {
        // This thread is one of the workers. One that can't be started is no loss but of time.
        let spawn = |_| Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, run).ok();
        let others: Vec<_> = (1..cores.min(count)).filter_map(spawn).collect();
        let mut made = run();
        for other in others {
            made.extend(other.join().unwrap_or_else(|payload| resume_unwind(payload)));
        }
        made
    });
    made.sort_unstable_by_key(|&(index, _)| index);
    made.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_have_the_order_of_the_work() {
        assert_eq!(in_parallel(1_000, |index| 2 * index), (0..1_000).map(|n| 2 * n).collect::<Vec<_>>());
        assert_eq!(in_parallel(1, |index| index), [0]);
        assert!(in_parallel(0, |index| index).is_empty());
    }

    #[test]
    fn a_panic_of_a_worker_is_one_of_the_caller() {
        for bad in [0, 63] {
            let caught = std::panic::catch_unwind(|| {
                in_parallel(64, |index| {
                    if index == bad {
                        panic!("number {index}");
                    }
                })
            });
            let payload = caught.expect_err("it panics");
            assert_eq!(payload.downcast_ref::<String>(), Some(&format!("number {bad}")));
        }
    }
}
