//! One test per file below `filetests/`, and one per operation and encoding; see `testkit::filetests`.

fn main() -> std::process::ExitCode {
    testkit::filetests::main(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/filetests").as_ref())
}
