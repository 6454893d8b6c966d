//! Splits the text of a call into words: spaces separate, quotes and brackets hold together.

/// One word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// The word without its quotes.
    pub(crate) text: String,
    /// Whether it began with a quote, so that it is never a flag.
    pub(crate) quoted: bool,
}

/// Splits at white space outside quotes and brackets.
///
/// Inside brackets quotes stay, because [`values`](crate::values) reads them again.
pub(crate) fn split_words(text: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        let Some(&first) = chars.peek() else { return Ok(words) };
        let mut word = Word { text: String::new(), quoted: matches!(first, '"' | '\'') };
        let mut depth = 0_usize;
        while let Some(c) = chars.next_if(|c| depth > 0 || !c.is_whitespace()) {
            match c {
                '"' | '\'' => take_quoted(c, depth > 0, &mut chars, &mut word.text)?,
                _ => {
                    match c {
                        '[' | '(' => depth += 1,
                        ']' | ')' => {
                            depth = depth.checked_sub(1).ok_or_else(|| format!("`{c}` closes nothing"))?;
                        }
                        _ => {}
                    }
                    word.text.push(c);
                }
            }
        }
        if depth > 0 {
            return Err("a bracket is not closed".into());
        }
        words.push(word);
    }
}

/// Reads up to the closing quote; a backslash takes the next character as it is.
fn take_quoted(
    quote: char,
    keep: bool,
    chars: &mut impl Iterator<Item = char>,
    out: &mut String,
) -> Result<(), String> {
    if keep {
        out.push(quote);
    }
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let escaped = chars.next().ok_or("a backslash ends the text")?;
                if keep {
                    out.push(c);
                }
                out.push(escaped);
            }
            _ if c == quote => {
                if keep {
                    out.push(quote);
                }
                return Ok(());
            }
            _ => out.push(c),
        }
    }
    Err(format!("the quote {quote} is not closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        split_words(text).unwrap().into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn spaces_separate_and_quotes_hold_together() {
        assert_eq!(words("  deposit  100\t@caller "), ["deposit", "100", "@caller"]);
        assert_eq!(words(r#"say "two words" 'it''s' "a\"b" ''"#), ["say", "two words", "its", "a\"b", ""]);
        assert_eq!(words(""), Vec::<String>::new());
    }

    #[test]
    fn brackets_hold_together_and_keep_their_quotes() {
        assert_eq!(words(r#"f [1, (2, "a b")] g(u64) x"#), ["f", r#"[1, (2, "a b")]"#, "g(u64)", "x"]);
        assert_eq!(words(r#"f ["a)b"]"#), ["f", r#"["a)b"]"#]);
    }

    #[test]
    fn what_is_not_closed_is_an_error() {
        for text in ["'a", "[1", "1]", "f \"\\"] {
            assert!(split_words(text).is_err(), "{text}");
        }
    }
}
