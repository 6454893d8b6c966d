//! `zvmrun explore`: the page holds source and code, figures and links, and nothing that is fetched or run by accident.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Files, HAS_JIT, assert_parts};

/// Runs `zvmrun explore`, checks the status, and gives stdout and stderr.
#[track_caller]
fn explore(arguments: &[&str], status: i32) -> (String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zvmrun"));
    let output = command.arg("explore").args(arguments).output().expect("zvmrun starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is text");
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{arguments:?}\n{stdout}\n{stderr}");
    (stdout, stderr)
}

/// A source file and the container made of it, each in the folder of the test.
fn compiled(files: &Files, name: &str, source: &str) -> (PathBuf, PathBuf) {
    let path = files.write("source.kalix", source.as_bytes());
    let mut kalixc = Command::new(env!("CARGO_BIN_EXE_kalixc"));
    let output = kalixc.arg("build").arg(&path).arg("-o").arg(&files.0).output().expect("kalixc starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (path, files.0.join(format!("{name}.zvmc")))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the path is text")
}

/// Numbers in the cells of the first line of the page that holds `part`: runs and gas.
fn runs_and_gas(page: &str, part: &str) -> Vec<u64> {
    let line = page.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("no line has {part}"));
    let cells = line.split("<span class=\"f").skip(1).take(2);
    let number = |cell: &str| {
        let text = cell.split('>').nth(1).and_then(|rest| rest.split('<').next()).expect("a cell");
        text.replace(',', "").parse().unwrap_or(0)
    };
    cells.map(number).collect()
}

const SOURCE: &str = "/// Text that is \"not\" markup: <script>alert('x')</script> & more
contract Sums {
    pub fn sum(n: u64) view -> u64 {
        let mut total: u64 = 0;
        let mut i: u64 = 0;
        while i < n {
            i += 1;
            total += i;
        }
        total
    }
    pub fn never(n: u64) view -> u64 { n / 7 }
}
";

#[test]
fn source_bytecode_and_native_code_stand_side_by_side_with_their_cost() {
    let files = Files::new("explore");
    if !HAS_JIT {
        return;
    }
    let (source, contract) = compiled(&files, "Sums", SOURCE);
    let page_path = files.0.join("page.html");
    let (stdout, _) = explore(&["-o", text(&page_path), text(&contract), "sum", "1000"], 0);
    assert_parts(&stdout, &["> sum 1000", "500500", "wrote ", "page.html"]);
    let page = std::fs::read_to_string(&page_path).expect("the page is there");
    assert_parts(&page, &["<!doctype html>", "<h1>Sums</h1>", "run</dt><dd>deploy; sum 1000", "100.0 %"]);
    for pane in ["id=\"source\"", "id=\"bytecode\"", "id=\"clif\"", "id=\"assembly\""] {
        assert_eq!(page.matches(pane).count(), 1, "{pane}");
    }
    // Nothing of the source is markup, and nothing is fetched.
    assert!(!page.contains("<script>alert") && page.contains("&lt;script&gt;alert(&#39;x&#39;)"));
    assert_eq!(page.matches("<script").count(), 1);
    for fetched in ["http:", "https:", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(fetched), "{fetched}");
    }
    // A round runs a thousand times and costs more than what runs once.
    let round = runs_and_gas(&page, "<code>            total += i;");
    let once = runs_and_gas(&page, "<code>        let mut total: u64 = 0;");
    assert_eq!(round[0], 1000, "{round:?}");
    assert!(round[1] > 3000 && once[1] < 100, "{round:?} {once:?}");
    assert_eq!(runs_and_gas(&page, "never(n: u64)"), [0, 0]);
    // Code of every kind is linked to the line.
    let line = SOURCE.lines().position(|line| line.contains("total += i")).expect("it is there");
    let linked = format!(" data-s=\"{line}\"");
    for pane in page.split("<section").skip(1) {
        let count = pane.lines().filter(|line| line.contains(&linked)).count();
        assert!(count > 0, "{}", &pane[..40]);
    }

    // A source that has changed is not the contract's.
    std::fs::write(&source, SOURCE.replace("while", "/**/ while")).expect("it can be written");
    let (_, stderr) = explore(&["--source", text(&source), text(&contract)], 3);
    assert_parts(&stderr, &["not the source that the contract was compiled from"]);
    explore(&["-o", text(&page_path), text(&contract)], 0);
    let page = std::fs::read_to_string(&page_path).expect("the page is there");
    // The container carries the text that it was compiled from.
    assert!(page.contains("id=\"source\"") && !page.contains("/**/ while"));
}

#[test]
fn code_without_a_source_shows_the_other_three_columns() {
    let files = Files::new("explore-evm");
    let file = files.write(
        "loop.zvm",
        b".evm\npush1 9\nround:\njumpdest\npush1 1\nswap1\nsub\ndup1\npush1 round\njumpi\nhalt\n",
    );
    if !HAS_JIT {
        return;
    }
    let (stdout, _) = explore(&[text(&file)], 0);
    assert_parts(&stdout, &["wrote ", "loop.html"]);
    let executed = stdout.split(" executed").next().and_then(|text| text.rsplit(' ').next());
    let executed = executed.and_then(|text| text.parse::<u64>().ok()).expect("the report tells the gas");
    let page = std::fs::read_to_string(files.0.join("loop.html")).expect("it stands beside the file");
    assert_eq!(page.matches("<section").count(), 3);
    assert!(page.contains(&format!("<dt>gas</dt><dd>{executed}</dd>")), "all gas is some line's: {executed}");
    // 9 rounds of 3 + 3 + 3 + 3 + 3 + 10 gas, and the jumpdest's.
    assert_eq!(runs_and_gas(&page, "<code>    jumpdest"), [9, 9]);
    assert_eq!(runs_and_gas(&page, "<code>    jumpi"), [9, 90]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let files = Files::new("explore-usage");
    if !HAS_JIT {
        return;
    }
    let counter = files.counter();
    explore(&[], 2);
    explore(&["--jit", text(&counter)], 2);
    explore(&["--json", text(&counter)], 2);
    explore(&[text(&files.0.join("absent.zvmc"))], 3);
    explore(&["-o", text(&files.0.join("no/such/page.html")), text(&counter), "--init-args", "1"], 3);
    let (stdout, _) = explore(&["--help"], 0);
    assert_parts(&stdout, &["side by", "Usage: zvmrun explore", "--source"]);
}
