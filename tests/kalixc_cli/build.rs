//! `kalixc build`, `check` and `explain` on one file.

use std::fs;

use serde_json::Value;
use zvm::bytecode::container::Container;

use super::{expect, files, folder};

const GOOD: &str = "contract Counter {\n    state n: u64;\n    pub fn bump() { state.n += 1; }\n}\n";
const BAD: &str = "contract Counter {\n    state n: u64;\n    pub fn bump() { state.n += true; }\n}\n";
const WARNED: &str = "contract Counter {\n    state n: u64;\n    pub fn read() -> u64 { state.n }\n}\n";

#[test]
fn build_writes_container_and_abi_into_the_current_folder() {
    let folder = folder("build");
    fs::write(folder.join("counter.kalix"), GOOD).unwrap();
    let (stdout, stderr) = expect(&folder, &["build", "counter.kalix"], 0);
    assert!(stdout.contains("Counter.zvmc"), "{stdout}");
    assert_eq!(stderr, "");
    assert_eq!(files(&folder), ["Counter.abi.json", "Counter.zvmc", "counter.kalix"]);

    let container = Container::read(&fs::read(folder.join("Counter.zvmc")).unwrap()).expect("a container");
    let abi: Value = serde_json::from_str(&container.abi).expect("JSON");
    assert_eq!(abi["contract"], "Counter");
    assert_eq!(abi["source_map"]["files"][0], "counter.kalix");
    assert!(container.init().is_some());
    let ethereum: Value =
        serde_json::from_slice(&fs::read(folder.join("Counter.abi.json")).unwrap()).expect("JSON");
    assert_eq!(ethereum[0]["name"], "bump");
}

#[test]
fn target_evm_writes_ethereum_bytecode() {
    let folder = folder("target_evm");
    fs::write(folder.join("counter.kalix"), GOOD).unwrap();
    expect(&folder, &["check", "counter.kalix", "--target", "evm"], 0);
    expect(&folder, &["build", "counter.kalix", "--target", "evm", "--emit", "asm"], 0);
    assert_eq!(
        files(&folder),
        [
            "Counter.abi.json",
            "Counter.bin",
            "Counter.bin-runtime",
            "Counter.init.zvm",
            "Counter.zvm",
            "Counter.zvmc",
            "counter.kalix"
        ]
    );
    let container = Container::read(&fs::read(folder.join("Counter.zvmc")).unwrap()).expect("a container");
    assert_eq!(container.target, zvm::bytecode::container::Target::Evm);
    let hex = |name: &str| {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        alloy_primitives::hex::decode(text.trim_end()).expect("hexadecimal digits")
    };
    assert_eq!(hex("Counter.bin-runtime"), container.code.to_vec());
    assert_eq!(container.init().map(|init| init.to_vec()), Some(hex("Counter.bin")));
    // The listing is of that code.
    let listing = fs::read_to_string(folder.join("Counter.zvm")).unwrap();
    let assembled = zvm::bytecode::assemble(&listing).expect("assembly text");
    assert_eq!(assembled.code, container.code);
    let (_, stderr) = expect(&folder, &["build", "counter.kalix", "--target", "wasm"], 2);
    assert!(stderr.contains("zvm, evm"), "{stderr}");
}

#[test]
fn build_creates_the_folder_and_writes_what_emit_names() {
    let folder = folder("emit");
    fs::write(folder.join("counter.kalix"), GOOD).unwrap();
    expect(&folder, &["build", "counter.kalix", "-o", "out/deep", "--emit", "ast,ir,asm"], 0);
    assert_eq!(
        files(&folder.join("out/deep")),
        ["Counter.abi.json", "Counter.init.zvm", "Counter.ir", "Counter.zvm", "Counter.zvmc", "counter.ast"]
    );
    let read = |name: &str| fs::read_to_string(folder.join("out/deep").join(name)).unwrap();
    assert!(read("Counter.zvm").contains("sstore"));
    assert!(read("Counter.ir").contains("sload"));
    assert!(read("counter.ast").contains("Contract"));
    // The listing is the code: it assembles back to what the container holds.
    let container = Container::read(&fs::read(folder.join("out/deep/Counter.zvmc")).unwrap()).unwrap();
    let program = zvm::bytecode::asm::assemble(&read("Counter.zvm")).expect("assembly text");
    assert_eq!(program.code, container.code);
}

#[test]
fn equal_sources_give_equal_files() {
    let folder = folder("determinism");
    fs::write(folder.join("counter.kalix"), GOOD).unwrap();
    expect(&folder, &["build", "counter.kalix", "-o", "a"], 0);
    expect(&folder, &["build", "counter.kalix", "-o", "b"], 0);
    for name in ["Counter.zvmc", "Counter.abi.json"] {
        assert_eq!(
            fs::read(folder.join("a").join(name)).unwrap(),
            fs::read(folder.join("b").join(name)).unwrap()
        );
    }
}

#[test]
fn an_absolute_path_does_not_reach_the_artifact() {
    let folder = folder("absolute");
    let file = folder.join("counter.kalix");
    fs::write(&file, GOOD).unwrap();
    expect(&folder, &["build", file.to_str().unwrap()], 0);
    let container = fs::read(folder.join("Counter.zvmc")).unwrap();
    let needle = folder.to_str().unwrap().as_bytes();
    assert!(!container.windows(needle.len()).any(|window| window == needle));
}

#[test]
fn mistakes_exit_with_1_and_nothing_is_written() {
    let folder = folder("mistakes");
    fs::write(folder.join("counter.kalix"), BAD).unwrap();
    let (stdout, stderr) =
        expect(&folder, &["build", "counter.kalix", "-o", "out", "--emit", "ast,ir,asm"], 1);
    assert_eq!(stdout, "");
    assert!(stderr.contains("error[K0"), "{stderr}");
    assert!(stderr.contains("counter.kalix:3:"), "{stderr}");
    assert!(!stderr.contains('\u{1b}'), "no colors into a pipe: {stderr:?}");
    assert_eq!(files(&folder), ["counter.kalix"]);

    expect(&folder, &["check", "counter.kalix"], 1);
    let (_, stderr) = expect(&folder, &["check", "counter.kalix", "--color", "always"], 1);
    assert!(stderr.contains('\u{1b}'), "{stderr:?}");
    assert_eq!(files(&folder), ["counter.kalix"]);
}

#[test]
fn an_old_artifact_survives_a_failed_build() {
    let folder = folder("survives");
    fs::write(folder.join("counter.kalix"), GOOD).unwrap();
    expect(&folder, &["build", "counter.kalix"], 0);
    let before = fs::read(folder.join("Counter.zvmc")).unwrap();
    fs::write(folder.join("counter.kalix"), BAD).unwrap();
    expect(&folder, &["build", "counter.kalix"], 1);
    assert_eq!(fs::read(folder.join("Counter.zvmc")).unwrap(), before);
}

#[test]
fn several_mistakes_are_reported_in_one_run() {
    let folder = folder("several");
    fs::write(
        folder.join("a.kalix"),
        "contract C {\n    fn f() { let = 1; }\n    state x y;\n    fn g() { 1 + ; }\n}\n",
    )
    .unwrap();
    let (_, stderr) = expect(&folder, &["check", "a.kalix", "--error-format", "short"], 1);
    for place in ["a.kalix:2:", "a.kalix:3:", "a.kalix:4:"] {
        assert!(stderr.contains(place), "{stderr}");
    }
    assert!(stderr.ends_with("a.kalix: 3 errors, 0 warnings\n"), "{stderr}");
}

#[test]
fn json_goes_to_standard_output() {
    let folder = folder("json");
    fs::write(folder.join("counter.kalix"), BAD).unwrap();
    let (stdout, stderr) = expect(&folder, &["check", "counter.kalix", "--error-format", "json"], 1);
    assert_eq!(stderr, "");
    let list: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(list[0]["severity"], "error");
    assert_eq!(list[0]["span"]["line"], 3);
    fs::write(folder.join("counter.kalix"), GOOD).unwrap();
    let (stdout, _) = expect(&folder, &["check", "counter.kalix", "--error-format", "json"], 0);
    assert_eq!(stdout, "[]\n");
}

#[test]
fn warnings_are_shown_and_can_be_denied() {
    let folder = folder("warnings");
    fs::write(folder.join("counter.kalix"), WARNED).unwrap();
    let (_, stderr) = expect(&folder, &["check", "counter.kalix"], 0);
    assert!(stderr.contains("warning[W0908]"), "{stderr}");
    expect(&folder, &["build", "counter.kalix", "--deny", "warnings"], 1);
    assert_eq!(files(&folder), ["counter.kalix"]);
}

#[test]
fn trouble_with_files_exits_with_2_and_names_the_file() {
    let folder = folder("trouble");
    let (_, stderr) = expect(&folder, &["build", "missing.kalix"], 2);
    assert!(stderr.contains("cannot read missing.kalix"), "{stderr}");

    fs::create_dir(folder.join("dir.kalix")).unwrap();
    let (_, stderr) = expect(&folder, &["check", "dir.kalix"], 2);
    assert!(stderr.contains("dir.kalix is a folder without kalix.toml"), "{stderr}");

    fs::write(folder.join("bytes.kalix"), b"contract \xff {}").unwrap();
    let (_, stderr) = expect(&folder, &["check", "bytes.kalix"], 2);
    assert!(stderr.contains("offset 9"), "{stderr}");

    fs::write(folder.join("counter.kalix"), GOOD).unwrap();
    fs::write(folder.join("file"), "").unwrap();
    let (_, stderr) = expect(&folder, &["build", "counter.kalix", "-o", "file"], 2);
    assert!(stderr.contains("cannot create the folder file"), "{stderr}");

    fs::create_dir(folder.join("Counter.abi.json")).unwrap();
    let (_, stderr) = expect(&folder, &["build", "counter.kalix"], 2);
    assert!(stderr.contains("Counter.abi.json: it is a folder"), "{stderr}");
    let left = files(&folder);
    assert!(!left.iter().any(|name| name.ends_with(".tmp") || name.ends_with(".zvmc")), "{left:?}");
}

#[test]
fn a_wrong_command_line_exits_with_2() {
    let folder = folder("usage");
    fs::write(folder.join("counter.kalix"), GOOD).unwrap();
    for args in [
        &[][..],
        &["build"],
        &["bild", "counter.kalix"],
        &["build", "counter.kalix", "--emit", "wasm"],
        &["build", "counter.kalix", "--deny", "everything"],
        &["build", "counter.kalix", "other.kalix"],
        &["explain", "K9999"],
    ] {
        let (_, stderr) = expect(&folder, args, 2);
        assert!(!stderr.is_empty(), "{args:?}");
    }
    assert_eq!(files(&folder), ["counter.kalix"]);
}

#[test]
fn explain_and_help() {
    let folder = folder("explain");
    let (stdout, _) = expect(&folder, &["explain", "k0201"], 0);
    assert!(stdout.starts_with("error[K0201]: mismatched types"), "{stdout}");
    assert!(stdout.contains("There are no implicit conversions"), "{stdout}");
    let (stdout, _) = expect(&folder, &["--help"], 0);
    assert!(stdout.contains("build") && stdout.contains("explain"), "{stdout}");
    expect(&folder, &["--version"], 0);
}

#[test]
fn a_file_without_contracts_writes_nothing_and_says_so() {
    let folder = folder("empty");
    fs::write(folder.join("a.kalix"), "const N: u64 = 1;\n").unwrap();
    let (_, stderr) = expect(&folder, &["build", "a.kalix"], 0);
    assert!(stderr.contains("holds no contract"), "{stderr}");
    assert_eq!(files(&folder), ["a.kalix"]);
}

/// A full disk behind standard error must not turn a mistake of the source into a crash.
#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_error_keeps_the_exit_status() {
    let file = std::env::temp_dir().join(format!("kalixc-full-{}.kalix", std::process::id()));
    std::fs::write(&file, "contract C { state a: Nothing; }").expect("the temporary folder is writable");
    let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has /dev/full");
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_kalixc"))
        .args(["check".as_ref(), file.as_os_str()])
        .stderr(full)
        .status()
        .expect("kalixc starts");
    std::fs::remove_file(&file).expect("the file was written above");
    assert_eq!(status.code(), Some(1));
}
