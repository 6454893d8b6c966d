//! Keeps `docs/zvmrun.md` equal to the flags and the table of statuses; `BLESS=1` rewrites its generated parts.

use std::path::Path;

use clap::CommandFactory;

use crate::flags::Flags;
use crate::status::Status;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/zvmrun.md");

/// The page with the part between two marker lines replaced.
fn with_part(page: &str, name: &str, part: &str) -> String {
    let (begin, end) = (format!("<!-- generated: {name} -->\n"), format!("<!-- end: {name} -->\n"));
    let (before, rest) = page.split_once(&begin).expect("the page has the first marker");
    let (_, after) = rest.split_once(&end).expect("the page has the second marker");
    format!("{before}{begin}{part}{end}{after}")
}

#[test]
fn the_page_of_the_book_is_current() {
    let page = std::fs::read_to_string(PAGE).expect("docs/zvmrun.md is there");
    let help = Flags::command().term_width(100).render_long_help().to_string();
    // The statuses follow as a table of their own.
    let options = help.split("Exit status:").next().expect("a split has a first part");
    let options = options.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    let options = options.trim_end();
    let current = with_part(&page, "help", &format!("```text\n{options}\n```\n"));
    let current = with_part(&current, "statuses", &Status::markdown());
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(Path::new(PAGE), &current).expect("docs/zvmrun.md can be written");
    }
    assert!(page == current, "docs/zvmrun.md is stale: run `BLESS=1 cargo test -p kalix --bin zvmrun`");
}

#[test]
fn help_shows_every_status() {
    let help = Flags::command().render_help().to_string();
    for status in Status::ALL {
        assert!(help.contains(&format!("{:>2}  ", status.number())), "{status:?}");
    }
}
