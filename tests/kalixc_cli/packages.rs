//! Packages: modules of a file, and `build`, `check` and `test` on a whole folder.

use std::fs;

use serde_json::Value;
use zvm::bytecode::container::Container;

use super::{expect, files, folder};

#[test]
fn modules_lie_beside_a_file_or_in_its_package() {
    let token = "pub interface IToken { fn supply() view -> u256; }\npub contract Token { pub state supply: u256; }\n";
    let user = "use token::IToken;\nuse std::math;\ncontract User { pub fn f(t: IToken) view -> u256 { math::sqrt(t.supply()) } }\n";
    let alone = folder("modules_beside");
    fs::write(alone.join("token.kalix"), token).unwrap();
    fs::write(alone.join("user.kalix"), user).unwrap();
    expect(&alone, &["build", "user.kalix", "-o", "out"], 0);
    assert_eq!(files(&alone.join("out")), ["User.abi.json", "User.zvmc"]);

    let root = folder("packages");
    for place in ["tokens/src", "app/src/deep"] {
        fs::create_dir_all(root.join(place)).unwrap();
    }
    fs::write(root.join("tokens/src/token.kalix"), token).unwrap();
    fs::write(root.join("tokens/kalix.toml"), "[package]\nname = \"tokens\"\n").unwrap();
    let manifest =
        "# An application.\n[package]\nname = \"app\"\n\n[dependencies]\ntokens = { path = \"../tokens\" }\n";
    fs::write(root.join("app/kalix.toml"), manifest).unwrap();
    fs::write(root.join("app/src/deep/user.kalix"), user.replace("token::", "tokens::token::")).unwrap();
    fs::write(root.join("app/src/main.kalix"), "use deep::user;\ncontract Main { state u: user::User; }\n")
        .unwrap();
    // `User` is private to its module, and the report names the file as the package does.
    let (_, stderr) = expect(&root, &["check", "app/src/main.kalix", "--error-format", "short"], 1);
    assert!(stderr.contains("app/src/main.kalix:2:32: error[K0107]"), "{stderr}");
    expect(&root, &["build", "app/src/deep/user.kalix", "-o", "out"], 0);
    let container = Container::read(&fs::read(root.join("out/User.zvmc")).unwrap()).expect("a container");
    let abi: Value = serde_json::from_str(&container.abi).expect("JSON");
    assert_eq!(abi["source_map"]["files"][1], "tokens/src/token.kalix");

    fs::write(root.join("app/kalix.toml"), manifest.replace("path", "git")).unwrap();
    let (_, stderr) = expect(&root, &["check", "app/src/main.kalix"], 2);
    assert!(stderr.contains("kalix.toml:6: write `tokens = { path = \"../tokens\" }`"), "{stderr}");
    fs::write(root.join("app/kalix.toml"), manifest.replace("../tokens", "../lost")).unwrap();
    let (_, stderr) = expect(&root, &["check", "app/src/main.kalix"], 2);
    assert!(
        stderr.contains("kalix.toml:6: `tokens` has no folder ") && stderr.contains("lost/src"),
        "{stderr}"
    );
}

#[test]
fn a_package_is_built_from_its_folder_and_from_inside() {
    let root = folder("whole_package");
    fs::create_dir_all(root.join("app/src/deep")).unwrap();
    fs::write(root.join("app/kalix.toml"), "[package]\nname = \"app\"\n").unwrap();
    fs::write(root.join("app/src/a.kalix"), "pub contract A { pub state n: u64; }\n").unwrap();
    fs::write(
        root.join("app/src/deep/b.kalix"),
        "use a::A;\npub contract B { pub fn make() -> A { new A() } }\n\
         test \"b makes a\" { let b = new B(); assert_eq(b.make().n(), 0); }\n",
    )
    .unwrap();
    let (stdout, _) = expect(&root, &["build", "app", "-o", "out"], 0);
    assert_eq!(stdout.lines().count(), 2, "{stdout}");
    assert_eq!(files(&root.join("out")), ["A.abi.json", "A.zvmc", "B.abi.json", "B.zvmc"]);
    expect(&root.join("app"), &["build", "-o", "../inside"], 0);
    expect(&root.join("app/src/deep"), &["build", "-o", "../../../deep"], 0);
    for folder in ["inside", "deep"] {
        let read = |folder: &str, name| {
            Container::read(&fs::read(root.join(folder).join(name)).unwrap()).expect("a container").code
        };
        assert_eq!(read("out", "B.zvmc"), read(folder, "B.zvmc"));
    }
    expect(&root, &["check", "app"], 0);
    let (stdout, _) = expect(&root.join("app"), &["test"], 0);
    assert!(stdout.contains("ok   b makes a"), "{stdout}");
    let (stdout, _) = expect(&root.join("app"), &["test", "makes"], 0);
    assert!(stdout.contains("1 passed"), "{stdout}");

    // One mistake anywhere, and nothing is written.
    fs::write(root.join("app/src/c.kalix"), "contract C { state x: Missing; }\n").unwrap();
    let (_, stderr) = expect(&root, &["build", "app", "-o", "none"], 1);
    assert!(stderr.contains("app/src/c.kalix:1:"), "{stderr}");
    assert!(!root.join("none").exists());
}

#[test]
fn folders_that_are_no_packages_are_refused() {
    let root = folder("no_package");
    let (_, stderr) = expect(&root, &["build"], 2);
    assert!(stderr.contains("kalix.toml"), "{stderr}");
    fs::write(root.join("kalix.toml"), "[package]\nname = \"x\"\n").unwrap();
    let (_, stderr) = expect(&root, &["build"], 2);
    assert!(stderr.contains("src"), "{stderr}");
    fs::create_dir(root.join("src")).unwrap();
    let (_, stderr) = expect(&root, &["build", "."], 2);
    assert!(stderr.contains("holds no file whose name ends in .kalix"), "{stderr}");
    for name in ["a", "b"] {
        fs::write(root.join(format!("src/{name}.kalix")), "contract Same { }\n").unwrap();
    }
    let (_, stderr) = expect(&root, &["build"], 2);
    assert!(stderr.contains("two contracts"), "{stderr}");
    assert_eq!(files(&root), ["kalix.toml", "src"]);
}

#[test]
fn an_output_never_replaces_a_source() {
    let root = folder("own_input");
    fs::write(root.join("C.abi.json"), "contract C { pub state n: u64; }\n").unwrap();
    let (_, stderr) = expect(&root, &["build", "C.abi.json"], 2);
    assert!(stderr.contains("C.abi.json is a source"), "{stderr}");
    assert_eq!(files(&root), ["C.abi.json"]);
}
