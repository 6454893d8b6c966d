//! The page: HTML with its style and script inside, and nothing from elsewhere.

use std::fmt::Write;

use super::Facts;
use super::lines::{CodeLine, Figures, Listing};

/// The whole page.
pub(super) fn html(facts: &Facts, listing: &Listing) -> String {
    let mut page = String::new();
    let title = escaped(&facts.title);
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}: explored</title>\n<style>\n{}</style>\n</head>\n<body>\n",
        include_str!("page.css")
    )
    .expect("writing to a String");
    head(&mut page, facts, listing);
    page.push_str("<main>\n");
    if listing.source.is_some() {
        source_pane(&mut page, listing);
    }
    let most = most(listing.bytecode.iter().map(|line| &line.figures));
    pane_begin(&mut page, "Bytecode", "bytecode", true);
    for line in &listing.bytecode {
        let number = line.pc.map_or(String::new(), |pc| format!("{pc:04x}"));
        code_line(&mut page, line, &number, Some(&most));
    }
    pane_end(&mut page);
    for (name, id, lines) in
        [("Intermediate code (CLIF)", "clif", &listing.clif), ("Machine code", "assembly", &listing.assembly)]
    {
        pane_begin(&mut page, name, id, false);
        for line in lines {
            let number = line.pc.map_or(String::new(), |pc| format!("{pc:04x}"));
            code_line(&mut page, line, &number, None);
        }
        pane_end(&mut page);
    }
    write!(page, "</main>\n<script>\n{}</script>\n</body>\n</html>\n", include_str!("page.js"))
        .expect("writing to a String");
    page
}

fn head(page: &mut String, facts: &Facts, listing: &Listing) {
    let Facts { title, fork, calls, code_size, clock } = facts;
    let Figures { executions, gas, nanoseconds } = listing.total;
    let (native, all) = listing.native_blocks;
    let share = if all > 0 { format!("{:.1} %", 100.0 * native as f64 / all as f64) } else { "–".into() };
    let calls = if calls.is_empty() { "nothing was run".into() } else { calls.join("; ") };
    let facts = [
        ("run", escaped(&calls)),
        ("fork", fork.name().to_owned()),
        ("operations", grouped(executions)),
        ("gas", grouped(gas)),
        ("time", duration(nanoseconds)),
        ("native blocks", share),
        ("bytecode", format!("{} bytes", grouped(*code_size as u64))),
        ("machine code", format!("{} bytes", grouped(listing.machine_code_bytes as u64))),
        ("compiled in", duration(listing.compile_time.as_nanos() as f64)),
    ];
    writeln!(page, "<header>\n<h1>{}</h1>\n<dl>", escaped(title)).expect("writing to a String");
    for (name, value) in facts {
        writeln!(page, "<div><dt>{name}</dt><dd>{value}</dd></div>").expect("writing to a String");
    }
    writeln!(
        page,
        "</dl>\n<details><summary>What the figures mean</summary>\n<p>Everything here is of the contract&#39;s own \
         run-time code, over all calls together. Executions and gas were counted operation by operation in the \
         interpreter and are exact; gas that was given to calls, and gas that a trap took, is not in them. Of a line \
         of source, the executions are those of its most frequent operation.</p>\n<p>Time is wall time of native \
         code, measured at the head of every block with the clock of the system, in code that calls out for it: the \
         shortest of {} runs, less {} ns per block for reading the clock. A block&#39;s time is spread over its \
         operations by the number of machine instructions. So time tells blocks apart; within a block it is an \
         estimate, blocks of a few nanoseconds are uncertain, and the sum is not the time of a call.</p>\n<p>\
         Intermediate and machine code are those of production, without counters. A block that is copied to several \
         places has lines in each. Keys: arrows move, left and right change the column, Enter pins a line, Escape \
         lets go.</p>\n</details>\n</header>",
        super::MEASUREMENTS,
        clock.as_nanos()
    )
    .expect("writing to a String");
}

fn source_pane(page: &mut String, listing: &Listing) {
    let Some(source) = &listing.source else { return };
    let most = most(listing.source_figures.iter());
    pane_begin(page, &escaped(&source.name), "source", true);
    for (index, (text, figures)) in source.lines.iter().zip(&listing.source_figures).enumerate() {
        write!(page, "<div class=\"line\" data-s=\"{index}\"><span class=\"n\">{}</span>", index + 1)
            .expect("writing to a String");
        figure_cells(page, figures, &most);
        writeln!(page, "<code>{}</code></div>", escaped(text)).expect("writing to a String");
    }
    pane_end(page);
}

fn pane_begin(page: &mut String, name: &str, id: &str, has_figures: bool) {
    let columns = if has_figures {
        "<span class=\"f\">runs</span><span class=\"f\">gas</span><span class=\"f\">time</span>"
    } else {
        ""
    };
    writeln!(
        page,
        "<section id=\"{id}\" aria-label=\"{name}\">\n<h2><span class=\"n\"></span>{columns}<span>{name}</span></h2>"
    )
    .expect("writing to a String");
}

fn pane_end(page: &mut String) {
    page.push_str("</section>\n");
}

fn code_line(page: &mut String, line: &CodeLine, number: &str, most: Option<&Figures>) {
    page.push_str("<div class=\"line\"");
    if let Some(pc) = line.pc {
        write!(page, " data-p=\"{pc}\"").expect("writing to a String");
    }
    if let Some(source) = line.source {
        write!(page, " data-s=\"{source}\"").expect("writing to a String");
    }
    write!(page, "><span class=\"n\">{number}</span>").expect("writing to a String");
    if let Some(most) = most {
        figure_cells(page, &line.figures, most);
    }
    writeln!(page, "<code>{}</code></div>", escaped(&line.text)).expect("writing to a String");
}

/// The largest of each figure.
fn most<'f>(all: impl Iterator<Item = &'f Figures>) -> Figures {
    all.fold(Figures::default(), |most, figures| Figures {
        executions: most.executions.max(figures.executions),
        gas: most.gas.max(figures.gas),
        nanoseconds: most.nanoseconds.max(figures.nanoseconds),
    })
}

/// Executions, gas and time, the latter two with a bar as long as their part of the largest.
fn figure_cells(page: &mut String, figures: &Figures, most: &Figures) {
    let Figures { executions, gas, nanoseconds } = *figures;
    let cell = |text: String, part: f64, class: &str| {
        let percent = (100.0 * part).round();
        if percent >= 1.0 {
            format!("<span class=\"f {class}\" style=\"--part:{percent}%\">{text}</span>")
        } else {
            format!("<span class=\"f\">{text}</span>")
        }
    };
    let part = |value: f64, most: f64| if most > 0.0 { value / most } else { 0.0 };
    let shown = |value: u64| if value > 0 { grouped(value) } else { String::new() };
    page.push_str(&cell(shown(executions), 0.0, ""));
    page.push_str(&cell(shown(gas), part(gas as f64, most.gas as f64), "gas"));
    let time = if nanoseconds >= 0.5 { duration(nanoseconds) } else { String::new() };
    page.push_str(&cell(time, part(nanoseconds, most.nanoseconds), "time"));
}

/// A number with its digits in threes.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time in the unit that suits it.
fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.1} µs", ns / 1e3),
        ns if ns < 1e9 => format!("{:.1} ms", ns / 1e6),
        ns => format!("{:.2} s", ns / 1e9),
    }
}

/// Text as it may stand in HTML, within an element and within an attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_markup() {
        assert_eq!(escaped("a<b>&\"c'"), "a&lt;b&gt;&amp;&quot;c&#39;");
        let mut page = String::new();
        let figures = Figures::default();
        let line = CodeLine { text: "</div><script>".into(), pc: Some(1), source: None, figures };
        code_line(&mut page, &line, "0001", None);
        assert!(!page.contains("<script"), "{page}");
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        let times = [12.4, 1500.0, 2.5e6, 3e9].map(duration);
        assert_eq!(times, ["12 ns", "1.5 µs", "2.5 ms", "3.00 s"]);
    }
}
