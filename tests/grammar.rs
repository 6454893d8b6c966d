//! The grammar in the book, executed: a recognizer that interprets `docs/language/grammar.md` rule by rule
//! and the parser accept the same texts.
//!
//! The recognizer is a PEG with memory (so it is linear), works on the lexer's tokens and knows nothing of
//! the parser. Texts are our contracts, random sentences that the grammar itself derives, and damaged ones.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use kalix::diag::{Code, Diagnostic};
use kalix::source::Source;
use kalix::syntax::parse;
use kalix::syntax::token::Token;
use logos::Logos;

/// The right side of a rule, or a part of it.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// Ordered choice.
    Choice(Vec<Part>),
    Sequence(Vec<Part>),
    Optional(Box<Part>),
    Repeated(Box<Part>),
    /// `&x`
    Followed(Box<Part>),
    /// `!x`
    NotFollowed(Box<Part>),
    /// `"x"`
    Terminal(String),
    /// `INT`, `Expr`
    Name(String),
    /// `Head`: an expression without struct literals outside brackets.
    Head,
}

struct Grammar {
    rules: HashMap<String, Part>,
}

impl Grammar {
    fn of_the_book() -> Grammar {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/language/grammar.md");
        let page = fs::read_to_string(page).expect("the page");
        let start = page.find("```ebnf").expect("a block of rules") + "```ebnf".len();
        let block = &page[start..start + page[start..].find("```").expect("its end")];
        let mut rules = HashMap::new();
        let tokens = ebnf_tokens(block);
        let mut at = 0;
        while at < tokens.len() {
            let name = tokens[at].clone();
            assert_eq!(tokens[at + 1], "=", "rule {name}");
            at += 2;
            let part = if tokens[at] == "<…>" {
                at += 1;
                Part::Head
            } else {
                choice(&tokens, &mut at)
            };
            assert_eq!(tokens[at], ";", "end of rule {name}");
            at += 1;
            rules.insert(name, part);
        }
        Grammar { rules }
    }
}

/// Splits EBNF; text between `<` and `>` becomes one token.
fn ebnf_tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => rest[1..].find('"').expect("a closing quote") + 2,
            '<' => rest.find('>').expect("a closing angle") + 1,
            c if c.is_alphanumeric() || c == '_' => {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            _ => 1,
        };
        tokens.push(if first == '<' { "<…>".to_owned() } else { rest[..length].to_owned() });
        rest = rest[length..].trim_start();
    }
    tokens
}

fn choice(tokens: &[String], at: &mut usize) -> Part {
    let mut options = vec![sequence(tokens, at)];
    while tokens[*at] == "|" {
        *at += 1;
        options.push(sequence(tokens, at));
    }
    if options.len() == 1 { options.remove(0) } else { Part::Choice(options) }
}

fn sequence(tokens: &[String], at: &mut usize) -> Part {
    let mut parts = Vec::new();
    while !matches!(tokens[*at].as_str(), "|" | ";" | ")" | "]" | "}") {
        parts.push(item(tokens, at));
    }
    Part::Sequence(parts)
}

fn item(tokens: &[String], at: &mut usize) -> Part {
    let token = tokens[*at].as_str();
    *at += 1;
    let mut closed = |close: &str| {
        let inner = choice(tokens, at);
        assert_eq!(tokens[*at], close);
        *at += 1;
        inner
    };
    match token {
        "[" => Part::Optional(Box::new(closed("]"))),
        "{" => Part::Repeated(Box::new(closed("}"))),
        "(" => closed(")"),
        "&" => Part::Followed(Box::new(item(tokens, at))),
        "!" => Part::NotFollowed(Box::new(item(tokens, at))),
        terminal if terminal.starts_with('"') => Part::Terminal(terminal.trim_matches('"').to_owned()),
        name => Part::Name(name.to_owned()),
    }
}

/// A token of the text: kind, spelling, and where it stands.
struct Word {
    token: Token,
    text: String,
    start: usize,
    end: usize,
}

fn words(text: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    for (token, span) in Token::lexer(text).spanned() {
        let spelling = &text[span.clone()];
        let token = match token.ok()? {
            Token::Doc if spelling.starts_with("//!") => Token::InnerDoc,
            Token::Doc if !spelling.starts_with("///") || spelling.starts_with("////") => continue,
            Token::BlockComment => continue,
            token => token,
        };
        words.push(Word { token, text: spelling.to_owned(), start: span.start, end: span.end });
    }
    Some(words)
}

/// Interprets the grammar over one text.
struct Recognizer<'a> {
    grammar: &'a Grammar,
    words: Vec<Word>,
    // Where a rule ends that begins at a place, outside and inside a head.
    memory: HashMap<(&'a str, usize, bool), Option<usize>>,
    // The last word that was looked at: where a refused text goes wrong.
    furthest: usize,
}

impl<'a> Recognizer<'a> {
    fn accepts(grammar: &'a Grammar, text: &str) -> bool {
        Self::check(grammar, text).is_ok()
    }

    /// Accepts the text, or gives what follows the place where it goes wrong.
    fn check(grammar: &'a Grammar, text: &str) -> Result<(), String> {
        let words = words(text).ok_or("characters that are no token")?;
        let mut recognizer = Recognizer { grammar, words, memory: HashMap::new(), furthest: 0 };
        if recognizer.rule("Module", 0, false).is_some() {
            return Ok(());
        }
        let rest = recognizer.words.iter().skip(recognizer.furthest).take(12);
        Err(rest.map(|word| word.text.as_str()).collect::<Vec<_>>().join(" "))
    }

    fn rule(&mut self, name: &'a str, at: usize, head: bool) -> Option<usize> {
        if let Some(&known) = self.memory.get(&(name, at, head)) {
            return known;
        }
        let part: &'a Part = self.grammar.rules.get(name).unwrap_or_else(|| panic!("no rule {name}"));
        let end = self.part(part, at, head);
        self.memory.insert((name, at, head), end);
        end
    }

    fn part(&mut self, part: &'a Part, at: usize, head: bool) -> Option<usize> {
        match part {
            Part::Choice(options) => options.iter().find_map(|option| self.part(option, at, head)),
            Part::Sequence(parts) => {
                let (mut at, mut head) = (at, head);
                for part in parts {
                    at = self.part(part, at, head)?;
                    // Inside brackets a struct literal cannot be mistaken for a block.
                    if matches!(part, Part::Terminal(open) if matches!(open.as_str(), "(" | "[" | "{")) {
                        head = false;
                    }
                }
                Some(at)
            }
            Part::Optional(inner) => Some(self.part(inner, at, head).unwrap_or(at)),
            Part::Repeated(inner) => {
                let mut at = at;
                while let Some(next) = self.part(inner, at, head).filter(|&next| next > at) {
                    at = next;
                }
                Some(at)
            }
            Part::Followed(inner) => self.part(inner, at, head).map(|_| at),
            Part::NotFollowed(inner) => self.part(inner, at, head).is_none().then_some(at),
            Part::Head => self.rule("Expr", at, true),
            Part::Terminal(text) => self.terminal(text, at),
            Part::Name(name) => self.name(name, at, head),
        }
    }

    fn name(&mut self, name: &'a str, at: usize, head: bool) -> Option<usize> {
        let kind = match name {
            "EOF" => return (at == self.words.len()).then_some(at),
            "StructLit" if head => return None,
            "IDENT" => Token::Ident,
            "INT" => Token::Int,
            "STRING" => Token::Str,
            "BYTES" => Token::Bytes,
            "DOC" => Token::Doc,
            "INNER_DOC" => Token::InnerDoc,
            _ => return self.rule(name, at, head),
        };
        (self.words.get(at)?.token == kind).then_some(at + 1)
    }

    /// A terminal is one token, or, as `>>` and `#[`, several that stand together.
    fn terminal(&mut self, text: &str, at: usize) -> Option<usize> {
        self.furthest = self.furthest.max(at);
        let first = self.words.get(at)?;
        if first.text == text {
            return Some(at + 1);
        }
        let is_split = text.starts_with('>') || text == "#[";
        let mut rest = text.strip_prefix(first.text.as_str()).filter(|_| is_split)?;
        let (mut at, mut end) = (at + 1, first.end);
        while !rest.is_empty() {
            let word = self.words.get(at)?;
            // `# [` with a space is the same attribute.
            if word.start != end && text != "#[" {
                return None;
            }
            rest = rest.strip_prefix(word.text.as_str())?;
            (at, end) = (at + 1, word.end);
        }
        Some(at)
    }
}

/// Derives random sentences.
struct Deriver<'a> {
    grammar: &'a Grammar,
    seed: u64,
    budget: u32,
    out: String,
}

impl Deriver<'_> {
    fn below(&mut self, n: usize) -> usize {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) as usize % n
    }

    fn word(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push(' ');
    }

    fn part(&mut self, part: &Part, depth: u32) {
        let is_tired = depth > 40 || self.budget == 0;
        match part {
            Part::Choice(options) => {
                // Without a budget the option that ends soonest; rules are written so that it comes late.
                let index = if is_tired { self.shortest(options) } else { self.below(options.len()) };
                self.part(&options[index], depth + 1);
            }
            Part::Sequence(parts) => parts.iter().for_each(|part| self.part(part, depth + 1)),
            Part::Optional(inner) => {
                if !is_tired && self.below(3) == 0 {
                    self.part(inner, depth + 1);
                }
            }
            Part::Repeated(inner) => {
                while self.budget > 0 && depth <= 40 && self.below(3) == 0 {
                    self.part(inner, depth + 1);
                }
            }
            Part::Followed(_) | Part::NotFollowed(_) => {}
            Part::Terminal(text) => self.word(text),
            Part::Head => self.rule("Expr", depth),
            Part::Name(name) => self.rule(name, depth),
        }
    }

    fn rule(&mut self, name: &str, depth: u32) {
        self.budget = self.budget.saturating_sub(1);
        match name {
            "IDENT" => {
                let choices = ["a", "b", "Order", "gas", "value", "max"];
                let name = choices[self.below(choices.len())];
                self.word(name);
            }
            "INT" => self.word("7"),
            "STRING" => self.word("\"s\""),
            "BYTES" => self.word("b\"x\""),
            "DOC" => self.word("/// doc\n"),
            "INNER_DOC" => self.word("//! doc\n"),
            "EOF" => {}
            _ => {
                let part = self.grammar.rules[name].clone();
                self.part(&part, depth + 1);
            }
        }
    }

    fn shortest(&self, options: &[Part]) -> usize {
        (0..options.len()).min_by_key(|&index| self.cost(&options[index], 0)).unwrap_or(0)
    }

    /// About how many tokens a part takes at least.
    fn cost(&self, part: &Part, depth: u32) -> u32 {
        if depth > 24 {
            return 1_000;
        }
        let next = depth + 1;
        match part {
            Part::Choice(options) => options.iter().map(|option| self.cost(option, next)).min().unwrap_or(0),
            Part::Sequence(parts) => parts.iter().map(|part| self.cost(part, next)).sum::<u32>().min(10_000),
            Part::Terminal(_) => 1,
            Part::Head => 1,
            Part::Name(name) => self.grammar.rules.get(name).map_or(1, |rule| self.cost(rule, next)),
            _ => 0,
        }
    }
}

/// Whether the parser finds the text to follow the grammar. What the grammar allows and other rules refuse
/// does not count. Nothing for a repeated qualifier: the grammar allows it before functions only.
fn parser_accepts(text: &str) -> Option<bool> {
    let (_, diags) = parse(&Source::new("text", text));
    if diags.iter().any(|diagnostic| diagnostic.code() == Code::RepeatedQualifier) {
        return None;
    }
    let grammatical = |code| matches!(code, Code::AssignmentAsCondition | Code::IntegerTooLarge);
    // Where `self` may stand is not in the rules.
    let is_about_self = |diagnostic: &Diagnostic| diagnostic.title().starts_with("`self` is not allowed");
    Some(diags.iter().all(|diagnostic| grammatical(diagnostic.code()) || is_about_self(diagnostic)))
}

#[track_caller]
fn compare(grammar: &Grammar, text: &str) {
    let Some(found) = parser_accepts(text) else { return };
    let expected = Recognizer::check(grammar, text);
    if expected.is_ok() != found {
        let source = Source::new("text", text);
        let reported = kalix::diag::render::render_short(&parse(&source).1, &source);
        panic!("the grammar accepts: {expected:?}, the parser accepts: {found}\n{text}\n{reported}");
    }
}

#[test]
fn the_book_accepts_our_contracts() {
    let grammar = Grammar::of_the_book();
    for file in ["examples/token_vault.kalix", "tests/filetests/parser/everything.kalix"] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("a contract");
        compare(&grammar, &text);
        assert!(Recognizer::accepts(&grammar, &text), "{file}");
    }
}

#[test]
fn parser_and_book_agree_on_random_sentences() {
    let grammar = Grammar::of_the_book();
    let mut accepted = 0;
    for seed in 0..6_000 {
        let mut deriver = Deriver { grammar: &grammar, seed, budget: 60, out: String::new() };
        let rule = ["Fn", "Contract", "ModuleItem", "Test"][seed as usize % 4];
        deriver.rule(rule, 0);
        let text = deriver.out;
        compare(&grammar, &text);
        accepted += usize::from(Recognizer::accepts(&grammar, &text));
    }
    // Ordered choice refuses some of what the rules seem to derive.
    assert!(accepted > 3_000, "{accepted}");
}

#[test]
fn parser_and_book_agree_on_damaged_sentences() {
    let grammar = Grammar::of_the_book();
    for seed in 0..6_000 {
        let mut deriver = Deriver { grammar: &grammar, seed: seed + 500_000, budget: 40, out: String::new() };
        deriver.rule("Contract", 0);
        let mut words: Vec<String> = deriver.out.split_inclusive(' ').map(str::to_owned).collect();
        let (at, other) = (deriver.seed as usize % words.len(), (deriver.seed >> 20) as usize % words.len());
        match seed % 3 {
            0 => words.swap(at, other),
            1 => drop(words.remove(at)),
            _ => words.insert(at, words[other].clone()),
        }
        compare(&grammar, &words.concat());
    }
}
