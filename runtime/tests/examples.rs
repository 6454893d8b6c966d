//! Every example runs to its end.

#[path = "../examples/custom_database.rs"]
mod custom_database;
#[path = "../examples/embed.rs"]
mod embed;
#[path = "../examples/tracer.rs"]
mod tracer;

#[test]
fn embed_runs() {
    embed::main().expect("it succeeds");
}

#[test]
fn custom_database_runs() {
    custom_database::main().expect("it succeeds");
}

#[test]
fn tracer_runs() {
    tracer::main().expect("it succeeds");
}
