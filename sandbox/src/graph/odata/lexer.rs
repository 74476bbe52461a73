//! Splits a `$filter` into tokens.
//!
//! Not here: what the tokens mean (`parse`).

use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A name, a path, an operator, or a literal without quotes.
    Word(String),
    /// A literal in quotes, with doubled quotes made single.
    Text(String),
    Open,
    Close,
    Comma,
    Colon,
}

impl fmt::Display for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => out.write_str(word),
            Self::Text(text) => write!(out, "'{text}'"),
            Self::Open => out.write_str("("),
            Self::Close => out.write_str(")"),
            Self::Comma => out.write_str(","),
            Self::Colon => out.write_str(":"),
        }
    }
}

pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '(' => (Token::Open, tail(rest)),
            ')' => (Token::Close, tail(rest)),
            ',' => (Token::Comma, tail(rest)),
            ':' => (Token::Colon, tail(rest)),
            '\'' => quoted(tail(rest))?,
            _ => word(rest)?,
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

fn tail(text: &str) -> &str {
    let mut chars = text.chars();
    chars.next();
    chars.as_str()
}

/// Reads the literal after an opening quote, up to the closing quote.
fn quoted(text: &str) -> Result<(Token, &str), String> {
    let mut value = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\'') {
        value.push_str(before);
        match after.strip_prefix('\'') {
            Some(more) => {
                value.push('\'');
                rest = more;
            }
            None => return Ok((Token::Text(value), after)),
        }
    }
    Err("There is an unterminated string literal.".to_owned())
}

fn word(text: &str) -> Result<(Token, &str), String> {
    let in_time = text.starts_with(|first: char| first.is_ascii_digit());
    let belongs = |letter: char| {
        letter.is_ascii_alphanumeric()
            || matches!(letter, '/' | '_' | '-' | '.' | '@' | '+')
            || (letter == ':' && in_time)
    };
    let end = text.find(|letter| !belongs(letter)).unwrap_or(text.len());
    match text.split_at_checked(end) {
        Some((word, rest)) if !word.is_empty() => Ok((Token::Word(word.to_owned()), rest)),
        _ => {
            let letter = text.chars().next().unwrap_or_default();
            Err(format!("Syntax error: character '{letter}' is not valid."))
        }
    }
}
