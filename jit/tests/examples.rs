//! The example runs to its end, and threads come only where they are asked for. One test: threads are the process's.

use std::sync::Arc;

use zvm::engine::Compiling;
use zvm::{Engine, Mode};
use zvm_jit::{Jit, JitOptions};

#[path = "../examples/tiering.rs"]
mod tiering;

/// Threads that compile, by their name; 0 where the system doesn't list threads.
fn compiling_threads() -> usize {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0 };
    let names = tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.starts_with("zvm-compile")).count()
}

#[test]
fn tiering_runs_and_its_threads_end_with_their_engines() {
    let jit = Arc::new(Jit::new(JitOptions::checked()).expect("this machine has a code generator"));
    let build = |mode, compiling| Engine::builder().mode(mode).tier(jit.clone()).compiling(compiling).build();
    let silent = [
        build(Mode::Tiered, Compiling::Inline),
        build(Mode::Jit, Compiling::ONE_THREAD),
        build(Mode::Interp, Compiling::ONE_THREAD),
        build(Mode::Check, Compiling::ONE_THREAD),
    ];
    assert_eq!(compiling_threads(), 0, "no thread starts unless it is asked for");
    let asked_for = build(Mode::Tiered, Compiling::ONE_THREAD);
    // A thread names itself once it runs.
    let has_started = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        compiling_threads() == 1
    });
    assert!(has_started || !cfg!(target_os = "linux"));
    drop((silent, asked_for));
    assert_eq!(compiling_threads(), 0, "dropping an engine joins its threads");

    tiering::main().expect("it succeeds");
    assert_eq!(compiling_threads(), 0);
}
