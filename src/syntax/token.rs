//! THE token table: kinds, spellings, keywords, and the `T![..]` macro.
//!
//! Each row gives a token's name, its spelling as Rust tokens (for `T![..]`) and as text (for the lexer and
//! for messages). A test holds the two spellings together. The lexer in [`lexer`](super::lexer) is derived
//! from the rows; tokens with contents (names, numbers, strings, documentation) carry none here: the parser
//! reads them from the source text through their span.

use logos::Logos;

macro_rules! define_tokens {
    (
        classes { $( $Class:ident $class_name:literal ; )* }
        reserved { $( $reserved:literal )* }
        fixed { $( $Fixed:ident [ $($spelling:tt)+ ] $text:tt ; )* }
    ) => {
        /// A kind of token.
        #[derive(Logos, Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[logos(skip r"[ \t\r\n\f]+")]
        #[repr(u8)]
        pub enum Token {
            $(
                #[doc = concat!("`", $text, "`")]
                #[token($text)]
                $Fixed,
            )*
            /// A name.
            #[regex("[A-Za-z][A-Za-z0-9_]*|_[A-Za-z0-9_]+")]
            Ident,
            /// A word that is kept for later.
            $( #[token($reserved)] )*
            Reserved,
            /// An integer literal, checked later.
            #[regex("[0-9][A-Za-z0-9_]*")]
            Int,
            /// A string literal; the lexer looks for its end.
            #[token("\"", super::lexer::string_end)]
            Str,
            /// A bytes literal; the lexer looks for its end.
            #[token("b\"", super::lexer::string_end)]
            #[token("hex\"", super::lexer::string_end)]
            Bytes,
            /// `///`; the lexer turns other comments into nothing.
            #[regex("//[^\n]*", allow_greedy = true)]
            Doc,
            /// `//!`
            InnerDoc,
            /// `/* … */`; the lexer looks for its end and drops it.
            #[token("/*", super::lexer::block_comment_end)]
            BlockComment,
        }

        impl Token {
            /// Tokens with one spelling, with it.
            pub const FIXED: &'static [(Token, &'static str)] = &[ $( (Token::$Fixed, $text) ),* ];

            /// How a message names the token: its spelling in backticks, or what kind of thing it is.
            pub const fn description(self) -> &'static str {
                match self {
                    $( Token::$Fixed => concat!("`", $text, "`"), )*
                    $( Token::$Class => $class_name, )*
                }
            }

            #[cfg(test)]
            pub(crate) const SPELLINGS: &'static [(&'static str, &'static str)] =
                &[ $( (stringify!($($spelling)+), $text) ),* ];
        }

        /// `T![state]`, `T![+=]`, `T!['{']`: the token kind with this spelling.
        macro_rules! T {
            $( ($($spelling)+) => { $crate::syntax::token::Token::$Fixed }; )*
        }
    };
}

define_tokens! {
    classes {
        Ident "a name";
        Reserved "a reserved word";
        Int "an integer";
        Str "a string";
        Bytes "a bytes literal";
        Doc "a documentation comment";
        InnerDoc "a `//!` comment";
        BlockComment "a comment";
    }
    reserved { "async" "invariant" "loop" "move" "static" "trait" "where" }
    fixed {
        As [as] "as";
        Break [break] "break";
        Const [const] "const";
        Constructor [constructor] "constructor";
        Continue [continue] "continue";
        Contract [contract] "contract";
        Else [else] "else";
        Emit [emit] "emit";
        Enum [enum] "enum";
        Error [error] "error";
        Event [event] "event";
        Fallback [fallback] "fallback";
        False [false] "false";
        Fn [fn] "fn";
        For [for] "for";
        If [if] "if";
        Immutable [immutable] "immutable";
        Impl [impl] "impl";
        In [in] "in";
        Indexed [indexed] "indexed";
        Interface [interface] "interface";
        Let [let] "let";
        Match [match] "match";
        Mut [mut] "mut";
        New [new] "new";
        Not [not] "not";
        Payable [payable] "payable";
        Pub [pub] "pub";
        Receive [receive] "receive";
        Return [return] "return";
        Revert [revert] "revert";
        SelfWord [self] "self";
        State [state] "state";
        Struct [struct] "struct";
        Table [table] "table";
        Test [test] "test";
        Transient [transient] "transient";
        True [true] "true";
        Try [try] "try";
        Use [use] "use";
        View [view] "view";
        While [while] "while";
        Underscore [_] "_";
        OpenBrace ['{'] "{";
        CloseBrace ['}'] "}";
        OpenParen ['('] "(";
        CloseParen [')'] ")";
        OpenBracket ['['] "[";
        CloseBracket [']'] "]";
        Semi [;] ";";
        Comma [,] ",";
        Colon [:] ":";
        PathSep [::] "::";
        Dot [.] ".";
        Range [..] "..";
        RangeInclusive [..=] "..=";
        Arrow [->] "->";
        FatArrow [=>] "=>";
        Pound [#] "#";
        Question [?] "?";
        Tilde [~] "~";
        Bang [!] "!";
        Eq [=] "=";
        EqEq [==] "==";
        NotEq [!=] "!=";
        Less [<] "<";
        LessEq [<=] "<=";
        Greater [>] ">";
        Shl [<<] "<<";
        ShlEq [<<=] "<<=";
        Plus [+] "+";
        PlusEq [+=] "+=";
        PlusPercent [+%] "+%";
        PlusPercentEq [+%=] "+%=";
        PlusPipe [+|] "+|";
        PlusPipeEq [+|=] "+|=";
        Minus [-] "-";
        MinusEq [-=] "-=";
        MinusPercent [-%] "-%";
        MinusPercentEq [-%=] "-%=";
        MinusPipe [-|] "-|";
        MinusPipeEq [-|=] "-|=";
        Star [*] "*";
        StarEq [*=] "*=";
        StarStar [**] "**";
        StarPercent [*%] "*%";
        StarPercentEq [*%=] "*%=";
        StarPipe [*|] "*|";
        StarPipeEq [*|=] "*|=";
        Slash [/] "/";
        SlashEq [/=] "/=";
        Percent [%] "%";
        PercentEq [%=] "%=";
        Amp [&] "&";
        AmpEq [&=] "&=";
        AmpAmp [&&] "&&";
        Pipe [|] "|";
        PipeEq [|=] "|=";
        PipePipe [||] "||";
        Caret [^] "^";
        CaretEq [^=] "^=";
        AsPercent [as%] "as%";
    }
}

pub(crate) use T;

/// A set of token kinds and of larger things, for "expected …".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    // Invariant: bit `n` stands for the token kind with discriminant `n`.
    tokens: u128,
    parts: u8,
}

/// Parts of the grammar that a message names as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Part {
    Item,
    Expression,
    Type,
    Pattern,
    End,
}

impl Part {
    const ALL: [Part; 5] = [Part::Item, Part::Expression, Part::Type, Part::Pattern, Part::End];

    const fn description(self) -> &'static str {
        match self {
            Part::Item => "an item",
            Part::Expression => "an expression",
            Part::Type => "a type",
            Part::Pattern => "a pattern",
            Part::End => "the end of the file",
        }
    }
}

// `Expected` has one bit per kind.
const _: () = assert!((Token::BlockComment as u8) < 128);

impl Expected {
    pub(crate) const fn token(token: Token) -> Self {
        Self { tokens: 1 << token as u8, parts: 0 }
    }

    pub(crate) const fn part(part: Part) -> Self {
        Self { tokens: 0, parts: 1 << part as u8 }
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self { tokens: self.tokens | other.tokens, parts: self.parts | other.parts }
    }

    pub(crate) const fn contains(self, token: Token) -> bool {
        self.tokens & (1 << token as u8) != 0
    }

    /// `a name, `,` or `)``
    pub(crate) fn describe(self) -> String {
        let parts = Part::ALL.into_iter().filter(|&part| self.parts & (1 << part as u8) != 0);
        let mut names: Vec<&str> = parts.map(Part::description).collect();
        let classes = [Token::Ident, Token::Int, Token::Str, Token::Bytes, Token::Doc];
        let fixed = Token::FIXED.iter().map(|&(token, _)| token);
        names.extend(classes.into_iter().chain(fixed).filter(|&t| self.contains(t)).map(Token::description));
        match names.split_last() {
            None => "something else".to_owned(),
            Some((last, [])) => (*last).to_owned(),
            Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_row_agree() {
        for (tokens, text) in Token::SPELLINGS {
            let tokens: String = tokens.chars().filter(|c| !c.is_whitespace() && *c != '\'').collect();
            assert_eq!(&tokens, text);
        }
    }

    #[test]
    fn each_spelling_lexes_to_its_row() {
        for &(token, text) in Token::FIXED {
            let found: Vec<_> = Token::lexer(text).collect();
            assert_eq!(found, [Ok(token)], "{text}");
        }
    }

    #[test]
    fn expected_sets_read_as_a_sentence() {
        let set = Expected::token(T![;]).and(Expected::part(Part::Expression)).and(Expected::token(T!['}']));
        assert_eq!(set.describe(), "an expression, `}` or `;`");
        assert_eq!(Expected::token(Token::Ident).describe(), "a name");
    }
}
