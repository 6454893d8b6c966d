//! chumsky plumbing: the token input, the error type, primitive parsers and recovery. Knows no grammar.
//!
//! Every production is a boxed [`Rule`], built once per thread and kept (see [`grammar`](super::grammar)).
//! For that the input may not borrow from the source: it is a stream of `(Token, Span)`, and the text lies
//! in [`Context`], where names and literals are read through their spans.
//!
//! The grammar needs at most three tokens of lookahead, so productions choose by peeking and do not
//! backtrack: parsing is linear, and an error is built only where one is reported. Tokens that would have
//! been possible but were absent (an optional `= e`, say) are remembered as hints and join the "expected"
//! list if the parse fails at that very place.

use std::ops::Range;
use std::sync::Arc;

use chumsky::DefaultExpected;
use chumsky::error::{Error, LabelError};
use chumsky::extra;
use chumsky::input::{InputRef, MappedInput, Stream};
use chumsky::inspector::SimpleState;
use chumsky::prelude::*;
use chumsky::recursive::Indirect;
use chumsky::util::MaybeRef;

use super::ast::Ident;
use super::habits;
use super::token::{Expected, Part, T, Token};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;

/// How deep the tree may be.
pub(super) const NESTING_MAX: u32 = 256;

/// The input of every production.
pub(super) type Tokens = MappedInput<'static, Token, Span, Stream<std::vec::IntoIter<(Token, Span)>>>;

/// chumsky's type parameters for every production.
pub(super) type Extra = extra::Full<ParseError, SimpleState<Context>, ()>;

/// A boxed production.
pub(super) type Rule<O> = Boxed<'static, 'static, Tokens, O, Extra>;

/// A production that may contain itself: declared first, defined later.
pub(super) type RecursiveRule<O> = Recursive<Indirect<'static, 'static, Tokens, O, Extra>>;

/// What a hand-written production reads from.
pub(super) type Cursor<'parse> = InputRef<'static, 'parse, Tokens, Extra>;

/// The result of a hand-written production.
pub(super) type Parsed<O> = Result<O, ParseError>;

/// State of one parse.
pub(super) struct Context {
    text: Arc<str>,
    depth: u32,
    // Upper bound of the height of the tree built since the enclosing `nested` production began.
    height: u32,
    hint_at: usize,
    hints: Expected,
    // Where the latest failure was noticed: recovery goes at least so far.
    failed_at: usize,
    // Keywords that were reported where a name is declared.
    keywords_as_names: Expected,
}

impl Context {
    pub(super) fn new(text: &str) -> Self {
        Self {
            text: text.into(),
            depth: 0,
            height: 0,
            hint_at: 0,
            hints: Expected::default(),
            failed_at: 0,
            keywords_as_names: Expected::default(),
        }
    }
}

impl chumsky::span::Span for Span {
    type Context = ();
    type Offset = u32;

    fn new((): (), range: Range<u32>) -> Self {
        Span { start: range.start, end: range.end }
    }

    fn context(&self) {}

    fn start(&self) -> u32 {
        self.start
    }

    fn end(&self) -> u32 {
        self.end
    }
}

/// Why a production failed.
#[derive(Clone, Debug)]
pub(super) struct ParseError {
    span: Span,
    kind: ParseErrorKind,
}

#[derive(Clone, Debug)]
enum ParseErrorKind {
    Unexpected { found: Option<Token>, expected: Expected },
    Other(Box<Diagnostic>),
}

impl ParseError {
    /// The diagnostic to show for it.
    pub(super) fn into_diagnostic(self, text: &str) -> Diagnostic {
        let (found, expected) = match self.kind {
            ParseErrorKind::Other(diagnostic) => return *diagnostic,
            ParseErrorKind::Unexpected { found, expected } => (found, expected),
        };
        let word = text.get(self.span.range()).unwrap_or("");
        if found == Some(Token::Reserved) {
            return reserved(word, self.span);
        }
        let mut diagnostic = Diagnostic::new(Code::UnexpectedToken, self.span);
        match found {
            None => diagnostic.arg("tok", "end of file"),
            Some(Token::Str | Token::Bytes | Token::Doc | Token::InnerDoc) => {
                diagnostic.arg("tok", found.map_or("", Token::description))
            }
            Some(_) => diagnostic.arg("tok", format_args!("`{word}`")),
        };
        diagnostic.arg("set", expected.describe());
        match found {
            Some(Token::Ident) => drop(habits::note(word).map(|note| diagnostic.note(note))),
            Some(T![::]) => {
                let note = "a value names no type arguments: the type stands with its name, `let v: Vec<u64> = Vec::new();`";
                diagnostic.note(note);
            }
            Some(T![!]) => {
                diagnostic.note("there are no macros: a call is written `name(…)`");
            }
            _ => {}
        }
        diagnostic
    }

    pub(super) fn other(diagnostic: Diagnostic) -> Self {
        Self { span: diagnostic.span(), kind: ParseErrorKind::Other(Box::new(diagnostic)) }
    }
}

impl LabelError<'static, Tokens, DefaultExpected<'static, Token>> for ParseError {
    fn expected_found<E: IntoIterator<Item = DefaultExpected<'static, Token>>>(
        expected: E,
        found: Option<MaybeRef<'static, Token>>,
        span: Span,
    ) -> Self {
        let one = |expected: DefaultExpected<'static, Token>| match expected {
            DefaultExpected::Token(token) => Expected::token(token.into_inner()),
            DefaultExpected::EndOfInput => Expected::part(Part::End),
            _ => Expected::default(),
        };
        let expected = expected.into_iter().map(one).fold(Expected::default(), Expected::and);
        Self { span, kind: ParseErrorKind::Unexpected { found: found.map(MaybeRef::into_inner), expected } }
    }
}

impl Error<'static, Tokens> for ParseError {
    /// chumsky calls this for two failures of one production; the one that got further explains more.
    fn merge(self, other: Self) -> Self {
        use std::cmp::Ordering::{Equal, Greater, Less};
        match (self.span.start.cmp(&other.span.start), self.kind, other.kind) {
            (Greater, kind, _) | (Equal, kind @ ParseErrorKind::Other(_), _) => {
                Self { span: self.span, kind }
            }
            (Less, _, kind) | (Equal, _, kind @ ParseErrorKind::Other(_)) => Self { span: other.span, kind },
            (
                Equal,
                ParseErrorKind::Unexpected { found, expected },
                ParseErrorKind::Unexpected { expected: more, .. },
            ) => Self {
                span: self.span,
                kind: ParseErrorKind::Unexpected { found, expected: expected.and(more) },
            },
        }
    }
}

fn reserved(word: &str, span: Span) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(Code::ReservedWord, span);
    diagnostic.arg("word", word).label("kept for a later version of the language");
    diagnostic
}

/// Makes a production of a function.
pub(super) fn rule<O: 'static>(parse: impl Fn(&mut Cursor<'_>) -> Parsed<O> + 'static) -> Rule<O> {
    custom(parse).boxed()
}

/// Guards a recursive production: counts how deep it is nested and how high its tree is.
pub(super) fn nested<O: 'static>(
    what: &'static str,
    parse: impl Fn(&mut Cursor<'_>) -> Parsed<O> + Clone + 'static,
) -> impl Parser<'static, Tokens, O, Extra> + Clone {
    custom(move |input: &mut Cursor<'_>| {
        if input.state().depth >= NESTING_MAX {
            return Err(too_deep(input, what));
        }
        input.state().depth += 1;
        let outer_height = std::mem::take(&mut input.state().height);
        let result = parse(input);
        input.state().depth -= 1;
        let grown = grow(input, what);
        // Siblings do not add up: the highest one counts.
        let own_height = input.state().height;
        input.state().height = outer_height.max(own_height);
        result.and_then(|node| grown.map(|()| node))
    })
}

/// Notes that a node was put on top of those just parsed.
pub(super) fn grow(input: &mut Cursor<'_>, what: &'static str) -> Parsed<()> {
    input.state().height += 1;
    if input.state().height <= NESTING_MAX { Ok(()) } else { Err(too_deep(input, what)) }
}

fn too_deep(input: &mut Cursor<'_>, what: &'static str) -> ParseError {
    input.state().failed_at = position(input);
    let mut diagnostic = Diagnostic::new(Code::NestedTooDeeply, peek_span(input));
    diagnostic.arg("what", what).arg("n", NESTING_MAX);
    ParseError::other(diagnostic)
}

/// Reports `diagnostic` and goes on.
pub(super) fn report(input: &mut Cursor<'_>, diagnostic: Diagnostic) {
    input.emit(ParseError::other(diagnostic));
}

/// The next two and three tokens.
pub(super) fn peek3(input: &mut Cursor<'_>) -> [Option<Token>; 3] {
    let here = input.save();
    let tokens = [input.next(), input.next(), input.next()];
    input.rewind(here);
    tokens
}

/// The span of the next token; the end of the text if there is none.
pub(super) fn peek_span(input: &mut Cursor<'_>) -> Span {
    let here = input.save();
    let start = input.cursor();
    input.skip();
    let span = input.span_since(&start);
    input.rewind(here);
    span
}

/// How many tokens were taken.
fn position(input: &Cursor<'_>) -> usize {
    input.cursor().inner().0
}

/// The text under `span`.
pub(super) fn text<'c>(input: &'c mut Cursor<'_>, span: Span) -> &'c str {
    input.state().text.get(span.range()).unwrap_or("")
}

/// Whether the next token is a contextual keyword: a name with this text.
pub(super) fn at_word(input: &mut Cursor<'_>, words: &[&str]) -> bool {
    if input.peek() != Some(Token::Ident) {
        return false;
    }
    let span = peek_span(input);
    words.contains(&text(input, span))
}

/// The failure of a production that found something else than `expected` at this place.
pub(super) fn unexpected(input: &mut Cursor<'_>, mut expected: Expected) -> ParseError {
    let at = position(input);
    input.state().failed_at = at;
    if input.state().hint_at == at {
        expected = expected.and(input.state().hints);
    }
    let found = input.peek();
    ParseError { span: peek_span(input), kind: ParseErrorKind::Unexpected { found, expected } }
}

/// The message for something else than `expected` at this place.
pub(super) fn unexpected_diagnostic(input: &mut Cursor<'_>, expected: Expected) -> Diagnostic {
    let source = input.state().text.clone();
    unexpected(input, expected).into_diagnostic(&source)
}

/// Notes that one of `expected` could have stood here.
pub(super) fn hint(input: &mut Cursor<'_>, expected: Expected) {
    let at = position(input);
    let state = input.state();
    state.hints = if state.hint_at == at { state.hints.and(expected) } else { expected };
    state.hint_at = at;
}

/// Reports that something else than `expected` stands here, and goes on.
pub(super) fn report_expected(input: &mut Cursor<'_>, expected: Expected) {
    let error = unexpected(input, expected);
    input.emit(error);
}

/// Takes `token` if it is next.
pub(super) fn eat(input: &mut Cursor<'_>, token: Token) -> Option<Span> {
    if input.peek() == Some(token) {
        Some(bump(input))
    } else {
        hint(input, Expected::token(token));
        None
    }
}

/// Takes the next token, whatever it is.
pub(super) fn bump(input: &mut Cursor<'_>) -> Span {
    let start = input.cursor();
    input.skip();
    input.span_since(&start)
}

/// Takes `token` or fails.
pub(super) fn expect(input: &mut Cursor<'_>, token: Token) -> Parsed<Span> {
    match eat(input, token) {
        Some(span) => Ok(span),
        None => Err(unexpected(input, Expected::token(token))),
    }
}

/// Takes a name. A reserved word is reported and taken as one.
pub(super) fn expect_ident(input: &mut Cursor<'_>) -> Parsed<Ident> {
    match input.peek() {
        Some(Token::Ident | Token::Reserved) => {
            let is_reserved = input.peek() == Some(Token::Reserved);
            let span = bump(input);
            let name: Arc<str> = text(input, span).into();
            if is_reserved {
                report(input, reserved(&name, span));
            }
            Ok(Ident { name, span })
        }
        _ => match keyword_as_name(input, Expected::token(Token::Ident)) {
            Some(name) => Ok(name),
            None => Err(unexpected(input, Expected::token(Token::Ident))),
        },
    }
}

/// Takes a keyword that stands where a name is missing, as what follows it shows, and reports it.
pub(super) fn keyword_as_name(input: &mut Cursor<'_>, expected: Expected) -> Option<Ident> {
    let [Some(token), Some(next), _] = peek3(input) else { return None };
    let spelling = Token::FIXED.iter().find(|row| row.0 == token)?.1;
    let follows_name = matches!(next, T![=] | T![:] | T![;] | T![,] | T!['('] | T![')'] | T![<] | T![in]);
    if !follows_name || !is_word(spelling) {
        return None;
    }
    report_keyword(input, spelling, expected);
    let known = input.state().keywords_as_names;
    input.state().keywords_as_names = known.and(Expected::token(token));
    Some(Ident { name: spelling.into(), span: bump(input) })
}

/// Whether a keyword stands where a value is missing, as what follows it shows.
pub(super) fn at_keyword_value(input: &mut Cursor<'_>) -> bool {
    let [Some(token), next, _] = peek3(input) else { return false };
    let ends =
        matches!(next, Some(T![;] | T![,] | T![')'] | T![']'] | T!['}'] | T![.] | T![?] | T![as] | T![as%]));
    let assigns_or_compares =
        matches!(next, Some(T![=] | T![+=] | T![-=] | T![==] | T![!=] | T![<] | T![<=] | T![>]));
    let computes =
        matches!(next, Some(T![+] | T![-] | T![*] | T![/] | T![%] | T![&&] | T![||] | T![&] | T![|]));
    let follows_value = ends || assigns_or_compares || computes;
    follows_value && Token::FIXED.iter().any(|row| row.0 == token && is_word(row.1))
}

/// Takes a keyword that stands where a value is missing, and reports it unless its declaration was reported: then
/// it is the name that was meant.
pub(super) fn keyword_as_value(input: &mut Cursor<'_>, expected: Expected) -> Option<Ident> {
    let token = input.peek()?;
    let spelling = Token::FIXED.iter().find(|row| row.0 == token)?.1;
    let is_known = input.state().keywords_as_names.contains(token);
    if !is_known {
        report_keyword(input, spelling, expected);
    }
    let span = bump(input);
    is_known.then(|| Ident { name: spelling.into(), span })
}

fn is_word(spelling: &str) -> bool {
    spelling.starts_with(|first: char| first.is_ascii_alphabetic())
}

fn report_keyword(input: &mut Cursor<'_>, spelling: &str, expected: Expected) {
    let mut diagnostic = unexpected_diagnostic(input, expected);
    diagnostic.label(format!("`{spelling}` is a keyword, so it is no name"));
    report(input, diagnostic);
}

/// Takes the `;` that ends something. One that is missing at the end of a line, or before `}`, is reported
/// and the parse goes on as if it stood there.
pub(super) fn expect_semi(input: &mut Cursor<'_>, start: &StartOf) -> Parsed<()> {
    if eat(input, T![;]).is_some() {
        return Ok(());
    }
    let before = start.span(input);
    let next = peek_span(input);
    let gap = text(input, Span::new(before.end, next.start));
    let plausible = gap.contains('\n') || matches!(input.peek(), None | Some(T!['}']));
    if !plausible || input.peek() == Some(Token::Reserved) {
        return Err(unexpected(input, Expected::token(T![;])));
    }
    let mut diagnostic = unexpected_diagnostic(input, Expected::token(T![;]));
    diagnostic.move_to(before.after());
    diagnostic.label("`;` is missing here").fix(before.after(), ";", "add `;`");
    report(input, diagnostic);
    Ok(())
}

/// Where a production began.
pub(super) struct StartOf(u32);

impl StartOf {
    /// Begins where `span` begins.
    pub(super) fn at(span: Span) -> Self {
        Self(span.start)
    }

    /// Begins at the next token.
    pub(super) fn here(input: &mut Cursor<'_>) -> Self {
        Self(peek_span(input).start)
    }

    /// From the beginning to the last token taken.
    pub(super) fn span(&self, input: &mut Cursor<'_>) -> Span {
        // The position after a token carries that token's end.
        let end = input.cursor().inner().1.unwrap_or(self.0);
        Span::new(self.0, end.max(self.0))
    }
}

/// `[ item { "," item } [ "," ] ] close`, after the opening bracket. Also tells whether a comma ended it.
pub(super) fn comma_list<O>(
    input: &mut Cursor<'_>,
    close: Token,
    mut item: impl FnMut(&mut Cursor<'_>) -> Parsed<O>,
) -> Parsed<(Vec<O>, bool)> {
    let mut items = Vec::new();
    let mut trailing = false;
    loop {
        if eat(input, close).is_some() {
            return Ok((items, trailing));
        }
        items.push(item(input)?);
        trailing = eat(input, T![,]).is_some();
        if !trailing {
            expect(input, close)?;
            return Ok((items, false));
        }
    }
}

/// `item { "," item } close`, after the opening bracket: at least one, and without a comma at the end.
pub(super) fn strict_list<O>(
    input: &mut Cursor<'_>,
    close: Token,
    mut item: impl FnMut(&mut Cursor<'_>) -> Parsed<O>,
) -> Parsed<Vec<O>> {
    let mut items = vec![item(input)?];
    while eat(input, T![,]).is_some() {
        items.push(item(input)?);
    }
    expect(input, close)?;
    Ok(items)
}

/// Skips what could not be read, up to the end of a statement or item: after `;` or a group in braces,
/// before the `}` of the enclosing block, before a token of `starts`. Goes at least to the place of the
/// failure, and always takes something, unless the very next token ends the enclosing block.
pub(super) fn skip_broken(input: &mut Cursor<'_>, starts: fn(Token) -> bool) {
    let failed_at = input.state().failed_at;
    let mut brackets = 0usize;
    let mut first = true;
    while let Some(token) = input.peek() {
        let may_end = position(input) >= failed_at;
        match token {
            T![;] if brackets == 0 && may_end => {
                input.skip();
                return;
            }
            T!['}'] => return,
            T!['{'] => {
                skip_braces(input);
                first = false;
                if position(input) >= failed_at && input.peek() != Some(T![else]) {
                    eat(input, T![;]);
                    return;
                }
                continue;
            }
            T!['['] => brackets += 1,
            T![']'] => brackets = brackets.saturating_sub(1),
            token if !first && may_end && starts(token) => return,
            _ => {}
        }
        first = false;
        input.skip();
    }
}

/// Skips what stands where a type is missing.
pub(super) fn skip_type(input: &mut Cursor<'_>) {
    let ends = |token| matches!(token, T![,] | T![')'] | T![;] | T![=] | T!['{'] | T!['}'] | T![in]);
    while input.peek().is_some_and(|token| !ends(token)) {
        input.skip();
    }
}

/// Skips a match arm that could not be read: after its `,`, or before the `}` of the match.
pub(super) fn skip_arm(input: &mut Cursor<'_>) {
    while let Some(token) = input.peek() {
        match token {
            T!['}'] => return,
            T!['{'] => {
                skip_braces(input);
                eat(input, T![,]);
                return;
            }
            _ => input.skip(),
        }
        if token == T![,] {
            return;
        }
    }
}

/// Skips `{ … }`, or to the end of the text if it is not closed.
fn skip_braces(input: &mut Cursor<'_>) {
    let mut depth = 0usize;
    while let Some(token) = input.next() {
        match token {
            T!['{'] => depth += 1,
            T!['}'] => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return;
        }
    }
}

/// Skips `( … )` whose contents could not be read. Fails where a list of parameters cannot go on.
pub(super) fn skip_parens(input: &mut Cursor<'_>) -> Parsed<()> {
    expect(input, T!['('])?;
    let mut depth = 1usize;
    while depth > 0 {
        match input.peek() {
            Some(T!['(']) => depth += 1,
            Some(T![')']) => depth -= 1,
            None | Some(T![;] | T!['{'] | T!['}']) => {
                return Err(unexpected(input, Expected::token(T![')'])));
            }
            Some(_) => {}
        }
        input.skip();
    }
    Ok(())
}

/// Parses with `rule`; where it fails, reports and lets `recover` go on from where `rule` began.
pub(super) fn recovered<O: 'static>(
    rule: Rule<O>,
    recover: impl Fn(&mut Cursor<'_>) -> Parsed<O> + 'static,
) -> Rule<O> {
    rule.recover_with(via_parser(custom(recover))).boxed()
}

/// Runs one production inside another.
pub(super) fn run<O>(input: &mut Cursor<'_>, rule: &impl Parser<'static, Tokens, O, Extra>) -> Parsed<O> {
    input.parse(rule)
}
