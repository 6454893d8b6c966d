//! Looking inside: `--dump`, `--perf-map`, `--stats`.

use std::path::Path;

use serde_json::Value;

use crate::{Files, HAS_JIT, assert_parts, run};

/// A loop of 3000 rounds, in the text form.
const LOOP: &[u8] =
    b".evm\npush2 3000\nround:\njumpdest\npush1 1\nswap1\nsub\ndup1\npush2 round\njumpi\nhalt\n";

/// The JSON document of a run.
fn document(file: &Path, arguments: &[&str]) -> Value {
    let (stdout, _) = run(file, &[&["--json"], arguments].concat(), 0);
    serde_json::from_str(&stdout).expect("stdout is JSON")
}

#[test]
fn a_dump_shows_regions_intermediate_code_and_machine_code() {
    let files = Files::new("dump");
    let file = files.write("loop.zvm", LOOP);
    if !HAS_JIT {
        let (_, stderr) = run(&file, &["--dump", "clif"], 22);
        assert_parts(&stderr, &["--dump needs native code"]);
        return;
    }
    // Also where nothing else needs native code.
    for tier in ["--interp", "--jit"] {
        let (stdout, _) = run(&file, &[tier, "--dump", "regions,clif,asm"], 0);
        assert_parts(&stdout, &["region 0: 0x0000 to", "bytes of machine code in", "height 1, entry"]);
        assert_parts(&stdout, &["function u0:0(", "000007  ", "isub", "br_table"]);
    }
    let (stdout, _) = run(&file, &["--dump", "regions"], 0);
    assert!(!stdout.contains("function u0:0("), "{stdout}");
    let document = document(&file, &["--dump", "asm,regions"]);
    let region = &document["dump"][0];
    assert_eq!((region["start"].as_u64(), &region["clif"]), (Some(0), &Value::Null));
    assert!(region["code_bytes"].as_u64() > Some(50), "{region}");
    assert_eq!(region["blocks"][1]["stack_height"], 1);
    assert!(region["asm"].as_array().is_some_and(|lines| lines.len() > 20), "{region}");
    run(&file, &["--dump", "everything"], 2);
}

#[test]
fn stats_tell_what_the_tiers_did() {
    let files = Files::new("stats");
    let file = files.write("loop.zvm", LOOP);
    if !HAS_JIT {
        assert_parts(&run(&file, &["--stats"], 0).0, &["compiled  0 regions"]);
        return;
    }
    let (stdout, _) = run(&file, &["--jit", "--stats"], 0);
    assert_parts(
        &stdout,
        &["compiled  1 regions of 1 codes, 0 of them twice: ", "tier-ups  0", "exits     1 ended, 0 trapped"],
    );
    let stats = &document(&file, &["--jit", "--stats"])["stats"];
    assert_eq!((stats["regions_compiled"].as_u64(), stats["exits"]["ended"].as_u64()), (Some(1), Some(1)));
    assert!(stats["code_bytes"].as_u64() > Some(50), "{stats}");
    let stats = &document(&file, &["--interp", "--stats"])["stats"];
    assert_eq!(stats["regions_compiled"], 0);
    assert!(document(&file, &["--jit"])["stats"].is_null());
}

#[cfg(target_os = "linux")]
#[test]
fn a_perf_map_names_native_code() {
    use std::process::{Command, Stdio};
    if !HAS_JIT {
        return;
    }
    let files = Files::new("perf-map");
    let file = files.write("loop.zvm", LOOP);
    let mut command = Command::new(env!("CARGO_BIN_EXE_zvmrun"));
    command.arg(&file).args(["--jit", "--perf-map"]).stdout(Stdio::null());
    let mut child = command.spawn().expect("zvmrun starts");
    let path = format!("/tmp/perf-{}.map", child.id());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    let text = std::fs::read_to_string(&path).expect("the map is there");
    std::fs::remove_file(&path).expect("it is ours");
    let line: Vec<&str> = text.lines().nth(1).expect("a line behind the gate's").split(' ').collect();
    assert!(line.len() == 3 && line[2].starts_with("zvm::") && line[2].ends_with("::region0@0x0"), "{text}");
}
