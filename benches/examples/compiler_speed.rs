//! How fast the Kalix compiler is: the reference contracts and generated modules of 1,000 to 10,000 lines, phase by phase.
//!
//! `cargo run --release -p zvm-benches --example compiler_speed -- [ROUNDS] [KALIXC]` prints medians on the clock, so it
//! wants a quiet machine (CPU time is counted in ticks of 4 ms on some); with the path of a `kalixc` also those of
//! `kalixc build` as a process, and of `kalixc --version`, which is what any process costs. The reference contracts lie
//! beside the vectors (`ZVM_VECTORS`). Optimizing is measured on copies of the IR; code generation is what is left of
//! building the artifact, ABI, gas figures and source map included.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kalix::codegen::artifact::{self, SourceTexts};
use kalix::diag::Diagnostics;
use kalix::ir::lower::lower_contract;
use kalix::ir::opt::optimize;
use kalix::modules::{self, Loaded, Loader};
use kalix::source::Source;
use kalix::{CompileOptions, compile_with};
use zvm_benches::generated::module;
use zvm_statetest::vectors::vectors_dir;

/// The allocator of `kalixc`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Lines of the generated modules.
const LINES: [usize; 4] = [1_000, 2_000, 5_000, 10_000];

/// The modules beside a file.
#[derive(Clone)]
struct Folder(PathBuf);

impl Loader for Folder {
    fn load(&mut self, path: &[String]) -> Loaded {
        let file = self.0.join(path.join("/")).with_extension("kalix");
        match std::fs::read_to_string(&file) {
            Ok(text) => Loaded::File { name: file.display().to_string(), text },
            Err(_) => Loaded::Missing { looked_for: file.display().to_string() },
        }
    }
}

/// Times of one compilation.
#[derive(Clone, Copy, Default)]
struct Times {
    parse: Duration,
    check: Duration,
    lower: Duration,
    optimize: Duration,
    generate: Duration,
    /// Of the whole, measured by itself.
    all: Duration,
}

fn main() {
    let mut words = std::env::args().skip(1);
    let rounds: usize = words.next().and_then(|word| word.parse().ok()).unwrap_or(11);
    let kalixc = words.next().map(PathBuf::from);
    println!(
        "{:<16}{:>7}{:>8}{:>9}{:>9}{:>9}{:>10}{:>10}{:>9}{:>11}{:>12}",
        "module",
        "lines",
        "KB",
        "parse",
        "check",
        "lower",
        "optimize",
        "generate",
        "all ms",
        "µs/line",
        "process ms"
    );
    match vectors_dir().map(|vectors| vectors.join("../samples")) {
        Some(folder) => samples(&folder, rounds, kalixc.as_deref()),
        None => println!("skipped: the reference contracts, which lie beside the vectors (set ZVM_VECTORS)"),
    }
    let folder = std::env::temp_dir().join("kalix-compiler-speed");
    std::fs::create_dir_all(&folder).expect("a folder for generated modules");
    for lines in LINES {
        let path = folder.join(format!("generated_{lines}.kalix"));
        std::fs::write(&path, module(lines, 1)).expect("a file for a generated module");
        row(&path, rounds, kalixc.as_deref());
    }
    if let Some(kalixc) = &kalixc {
        let times = (0..rounds).map(|_| process(kalixc, &["--version"])).collect();
        println!("kalixc --version: {:.1} ms", ms(median(times)));
    }
}

fn samples(folder: &Path, rounds: usize, kalixc: Option<&Path>) {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "kalix"))
        .collect();
    paths.sort();
    for path in paths {
        row(&path, rounds, kalixc);
    }
}

fn row(path: &Path, rounds: usize, kalixc: Option<&Path>) {
    let text = std::fs::read_to_string(path).expect("a readable module");
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let folder = Folder(path.parent().unwrap_or(Path::new(".")).to_owned());
    let all: Vec<Times> = (0..rounds).map(|_| times(&name, &text, &folder)).collect();
    let of = |phase: fn(&Times) -> Duration| ms(median(all.iter().map(phase).collect()));
    let lines = text.lines().count();
    let total = of(|t| t.all);
    let process = kalixc.map(|kalixc| {
        let out = std::env::temp_dir().join("kalix-compiler-speed/out");
        let (path, out) = (path.to_string_lossy(), out.to_string_lossy());
        let runs = (0..rounds).map(|_| process(kalixc, &["build", &path, "--out-dir", &out])).collect();
        format!("{:.1}", ms(median(runs)))
    });
    println!(
        "{name:<16}{lines:>7}{:>8.1}{:>9.2}{:>9.2}{:>9.2}{:>10.2}{:>10.2}{total:>9.2}{:>11.1}{:>12}",
        text.len() as f64 / 1024.0,
        of(|t| t.parse),
        of(|t| t.check),
        of(|t| t.lower),
        of(|t| t.optimize),
        of(|t| t.generate),
        total * 1000.0 / lines as f64,
        process.unwrap_or_default()
    );
}

/// Compiles a module once as a whole and once phase by phase.
fn times(name: &str, text: &str, folder: &Folder) -> Times {
    let source = Source::new(format!("{name}.kalix"), text);
    let root = vec![name.to_owned()];
    let mut options = CompileOptions::STANDARD;
    options.codegen.opt_level = kalix::OptLevel::O1;
    let mut times = Times::default();
    let start = Instant::now();
    let compilation = compile_with(source.clone(), root.clone(), &mut folder.clone(), &options);
    times.all = start.elapsed();
    let mistakes = kalix::diag::render::render_short(&compilation.diagnostics, &compilation.source);
    assert!(!compilation.has_errors(), "{mistakes}");
    drop(compilation);

    let (mut source, mut diags) = (source, Diagnostics::new());
    let start = Instant::now();
    let modules = modules::load(&mut source, root, &mut folder.clone(), &mut diags);
    times.parse = start.elapsed();
    let start = Instant::now();
    let (program, mut diags) = kalix::sema::check_for(&modules, &source, options.codegen.target.encoding());
    times.check = start.elapsed();
    let start = Instant::now();
    let texts = SourceTexts::of(&source, &program);
    times.generate = start.elapsed();
    for contract in program.contracts.iter().filter(|contract| !contract.is_imported) {
        let start = Instant::now();
        let lowered = lower_contract(&program, contract, &mut diags).expect("it has no mistakes");
        times.lower += start.elapsed();
        let (mut runtime, mut init) = (lowered.runtime.clone(), lowered.init.clone());
        let start = Instant::now();
        optimize(&mut runtime, options.codegen.opt_level).expect("the passes keep it well-formed");
        optimize(&mut init, options.codegen.opt_level).expect("the passes keep it well-formed");
        let optimizing = start.elapsed();
        times.optimize += optimizing;
        let start = Instant::now();
        black_box(artifact::build(&program, contract, &lowered, &texts, &options.codegen, &mut diags));
        times.generate += start.elapsed().saturating_sub(optimizing);
    }
    times
}

fn process(program: &Path, args: &[&str]) -> Duration {
    let start = Instant::now();
    let status = Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let time = start.elapsed();
    assert!(status.expect("it can be started").success(), "{args:?}");
    time
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
