//! Kalix texts for the stages of the compiler: contracts of a corpus and generated ones, changed in many small ways.
//!
//! A change is one of tokens, of lines or of bytes. Changes of tokens respect the language a little, so that part of what
//! comes out still compiles: a name becomes another name of the text, a number another number, an operator another one.

use std::path::Path;
use std::sync::LazyLock;

use kalix::syntax::token::Token;
use testkit::random::Random;
use testkit::{cases, contracts};

/// Longest text: longer ones find nothing more and take their time.
const TEXT_SIZE_MAX: usize = 16_000;

/// Names of members and constants that types have; keywords and predeclared names are the compiler's to tell.
const MEMBERS: &[&str] =
    &["sender", "value", "encode", "load", "push", "pop", "len", "clone", "remove", "clear", "MAX", "MIN"];
/// Signs of more than one token.
const SIGNS_JOINED: &[&str] = &["&mut ", "#[", ">=", ">>"];

/// Words that mean something, beside those that a text has.
static WORDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let keywords = spellings().filter(|text| kind(text) == 1);
    keywords.chain(kalix::sema::predeclared_names()).chain(MEMBERS.iter().copied()).collect()
});

/// Operators, brackets and other signs.
static SIGNS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    spellings().filter(|text| kind(text) == 2).chain(SIGNS_JOINED.iter().copied()).collect()
});

/// How the tokens with one spelling are written.
fn spellings() -> impl Iterator<Item = &'static str> {
    Token::FIXED.iter().map(|row| row.1)
}

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "7",
    "31",
    "32",
    "33",
    "255",
    "256",
    "65535",
    "0xffffffffffffffff",
    "u64::MAX",
    "u256::MAX",
    "i256::MIN",
    "i8::MIN",
    "0u8",
    "1u256",
    "5u64",
    "1_000_000",
    "115792089237316195423570985008687907853269984665640564039457584007913129639935",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "99999999999999999999999999999999999999999999999999999999999999999999999",
];

/// Texts that exist, for others to be made of.
#[derive(Debug)]
pub struct Texts {
    texts: Vec<String>,
}

impl Texts {
    /// The examples and filetests of the workspace at `root`, and the samples beside the vectors if they are there.
    pub fn of_workspace(root: &Path) -> Texts {
        let mut texts = Vec::new();
        let filetests = ["run", "run/rules", "chain", "chain/rules", "check", "check/rules", "parser"];
        let folders = filetests.map(|name| root.join("tests/filetests").join(name));
        let samples = zvm_statetest::vectors::vectors_dir().map(|vectors| vectors.join("../samples"));
        for folder in folders.into_iter().chain([root.join("examples")]).chain(samples) {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
            paths.sort();
            let sources = paths.iter().filter(|path| path.extension().is_some_and(|end| end == "kalix"));
            for text in sources.filter_map(|path| std::fs::read_to_string(path).ok()) {
                texts.extend(cases::split(&text).1.iter().map(|case| without_scripts(case.text)));
            }
        }
        texts.retain(|text| text.len() <= TEXT_SIZE_MAX);
        Texts { texts }
    }

    /// Texts of the corpus.
    pub fn all(&self) -> &[String] {
        &self.texts
    }

    /// The text of a number: it follows from the seed and this alone. One in three of them is a generated contract as it
    /// is, if `are_valid`: otherwise all are changed.
    pub fn nth(&self, seed: u64, number: u64, are_valid: bool) -> String {
        let mut r = Random::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number);
        let is_generated = self.texts.is_empty() || r.chance(50);
        let mut text = if is_generated {
            contracts::contract(&mut r)
        } else {
            self.texts[r.index(self.texts.len())].clone()
        };
        if are_valid && is_generated && r.chance(66) {
            return text;
        }
        // Few changes leave a program, many leave a riddle.
        let most = if are_valid { 2 } else { r.pick(&[3, 3, 8, 40]) };
        let changes = 1 + r.index(most);
        for _ in 0..changes {
            self.change(&mut r, &mut text, are_valid);
        }
        cut(&mut text, TEXT_SIZE_MAX);
        text
    }

    fn change(&self, r: &mut Random, text: &mut String, is_gentle: bool) {
        match r.below(if is_gentle { 14 } else { 20 }) {
            0..=6 => change_token(r, text),
            7 | 8 => move_tokens(r, text),
            9 | 10 => change_lines(r, text),
            11 | 12 => self.graft(r, text),
            13 => exchange_groups(r, text),
            14..=17 => change_bytes(r, text),
            18 => {
                let keep = r.index(text.len() + 1);
                cut(text, keep);
            }
            _ => nest(r, text),
        }
    }

    /// Puts lines of another text somewhere.
    fn graft(&self, r: &mut Random, text: &mut String) {
        let other = if self.texts.is_empty() || r.chance(30) {
            contracts::contract(r)
        } else {
            self.texts[r.index(self.texts.len())].clone()
        };
        let source: Vec<&str> = other.lines().collect();
        let mut lines: Vec<&str> = text.lines().collect();
        if source.is_empty() {
            return;
        }
        let from = r.index(source.len());
        let to = (from + 1 + r.index(4)).min(source.len());
        let at = r.index(lines.len() + 1);
        lines.splice(at..at, source[from..to].iter().copied());
        *text = lines.join("\n");
    }
}

/// Scripts tell of calls in comments, which are nothing to a compiler.
fn without_scripts(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("//>") && !line.starts_with("//="));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Shortens to at most `size` bytes.
fn cut(text: &mut String, size: usize) {
    let mut end = size.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
}

/// Byte ranges of words, numbers and single signs; what is between them is left out.
fn tokens(text: &str) -> Vec<(usize, usize)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut tokens: Vec<(usize, usize)> = Vec::new();
    let mut word: Option<usize> = None;
    for (at, c) in text.char_indices() {
        match (is_word(c), word) {
            (true, None) => word = Some(at),
            (true, Some(_)) => {}
            (false, start) => {
                tokens.extend(start.map(|start| (start, at)));
                word = None;
                if !c.is_whitespace() {
                    tokens.push((at, at + c.len_utf8()));
                }
            }
        }
    }
    tokens.extend(word.map(|start| (start, text.len())));
    tokens
}

fn kind(token: &str) -> u8 {
    match token.bytes().next() {
        Some(byte) if byte.is_ascii_digit() => 0,
        Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => 1,
        _ => 2,
    }
}

/// A token becomes another of its kind, mostly one that the text has.
fn change_token(r: &mut Random, text: &mut String) {
    let tokens = tokens(text);
    if tokens.is_empty() {
        return;
    }
    let (from, to) = tokens[r.index(tokens.len())];
    let kind_of = kind(&text[from..to]);
    let own: Vec<&str> =
        tokens.iter().map(|&(from, to)| &text[from..to]).filter(|token| kind(token) == kind_of).collect();
    let new = if r.chance(70) && !own.is_empty() {
        own[r.index(own.len())]
    } else {
        r.pick(match kind_of {
            0 => NUMBERS,
            1 => &WORDS,
            _ => &SIGNS,
        })
    };
    let new = new.to_owned();
    text.replace_range(from..to, &new);
}

/// Tokens go, come twice or change places.
fn move_tokens(r: &mut Random, text: &mut String) {
    let tokens = tokens(text);
    if tokens.len() < 2 {
        return;
    }
    let first = r.index(tokens.len());
    let last = (first + r.index(6)).min(tokens.len() - 1);
    let (from, to) = (tokens[first].0, tokens[last].1);
    let part = text[from..to].to_owned();
    match r.below(4) {
        0 => text.replace_range(from..to, ""),
        1 => text.insert_str(to, &format!(" {part}")),
        2 => {
            let at = tokens[r.index(tokens.len())].0;
            text.insert_str(at, &format!("{part} "));
        }
        _ => {
            let words = if r.chance(50) { &SIGNS } else { &WORDS };
            let sign = r.pick(words);
            text.insert_str(from, &format!(" {sign} "));
        }
    }
}

/// Lines go, come twice or change places.
fn change_lines(r: &mut Random, text: &mut String) {
    let mut lines: Vec<&str> = text.lines().collect();
    if lines.is_empty() {
        return;
    }
    let (a, b) = (r.index(lines.len()), r.index(lines.len()));
    match r.below(4) {
        0 => drop(lines.remove(a)),
        1 => lines.insert(b, lines[a]),
        2 => lines.swap(a, b),
        _ => {
            let line = lines.remove(a);
            lines.insert(b.min(lines.len()), line);
        }
    }
    *text = lines.join("\n");
}

/// The ranges of what stands between brackets, the brackets included.
fn groups(text: &str) -> Vec<(usize, usize)> {
    let mut open = Vec::new();
    let mut groups = Vec::new();
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => open.push(at),
            b')' | b']' | b'}' => groups.extend(open.pop().map(|start| (start, at + 1))),
            _ => {}
        }
    }
    groups
}

/// A group takes the place of another, or an operand that of a whole group.
fn exchange_groups(r: &mut Random, text: &mut String) {
    let groups = groups(text);
    if groups.is_empty() {
        return;
    }
    let (a, b) = (r.pick(&groups), r.pick(&groups));
    let part = if r.chance(20) { r.pick(NUMBERS).to_owned() } else { text[b.0..b.1].to_owned() };
    // Groups in groups in groups grow fast.
    if text.len() + part.len() <= 2 * TEXT_SIZE_MAX {
        text.replace_range(a.0..a.1, &part);
    }
}

/// Something becomes deep.
fn nest(r: &mut Random, text: &mut String) {
    let tokens = tokens(text);
    if tokens.is_empty() {
        return;
    }
    let (from, to) = tokens[r.index(tokens.len())];
    let (open, close) = r.pick(&[
        ("(", ")"),
        ("{", "}"),
        ("[", "]"),
        ("-", ""),
        ("!", ""),
        ("&", ""),
        ("if a {", "}"),
        ("f(", ")"),
        ("Vec<", ">"),
        ("x.", ""),
    ]);
    let depth = 1 << r.index(10);
    let part = text[from..to].to_owned();
    text.replace_range(from..to, &format!("{}{part}{}", open.repeat(depth), close.repeat(depth)));
}

fn change_bytes(r: &mut Random, text: &mut String) {
    let mut bytes = std::mem::take(text).into_bytes();
    for _ in 0..1 + r.below(3) {
        if bytes.is_empty() {
            bytes.push(r.bits64() as u8);
            continue;
        }
        let at = r.index(bytes.len());
        match r.below(4) {
            0 => bytes[at] = r.bits64() as u8,
            1 => bytes[at] ^= 1 << r.below(8),
            2 => drop(bytes.remove(at)),
            _ => bytes.insert(at, r.pick(b"\0\n\"'\\/*{}()[]<>_.;:,#\x80\xe2\xff0aZ")),
        }
    }
    *text = String::from_utf8_lossy(&bytes).into_owned();
}
