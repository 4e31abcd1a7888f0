//! CQL text, as far as schemas need it: tokens, statements, names and literals.
//!
//! A scanner, not a parser: it knows where strings, quoted names, function bodies and comments begin and end, so that
//! a `;` or a word inside one of them is never taken for syntax.

use std::borrow::Cow;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A bare name, keyword or number.
    Word,
    /// A name in double quotes, quotes included.
    Name,
    /// A string in single quotes or between `$$`, delimiters included.
    String,
    /// One character of punctuation.
    Symbol,
}

/// A piece of CQL that means something; blanks and comments do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    pub kind: TokenKind,
    pub text: &'a str,
    /// Byte offset in the scanned text.
    pub at: usize,
}

impl Token<'_> {
    /// Whether it is this keyword, in any case.
    pub fn is(&self, keyword: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    pub fn is_symbol(&self, symbol: char) -> bool {
        self.kind == TokenKind::Symbol && self.text.starts_with(symbol)
    }

    /// The name that it means, as Cassandra stores it; none for strings and punctuation.
    pub fn name(&self) -> Option<String> {
        match self.kind {
            TokenKind::Word | TokenKind::Name => Some(unquote(self.text)),
            TokenKind::String | TokenKind::Symbol => None,
        }
    }

    /// Where it ends, as a byte offset.
    pub fn end(&self) -> usize {
        self.at + self.text.len()
    }
}

/// The tokens of a text. What is never closed runs to the end of the text.
pub fn tokens(text: &str) -> Tokens<'_> {
    Tokens { text, at: 0 }
}

pub struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.at += blank_len(&self.text[self.at..]);
        let rest = &self.text[self.at..];
        let first = rest.chars().next()?;
        let (kind, len) = match first {
            '\'' => (TokenKind::String, quoted_len(rest, '\'')),
            '"' => (TokenKind::Name, quoted_len(rest, '"')),
            '$' if rest.starts_with("$$") => (TokenKind::String, closed_len(rest, 2, "$$")),
            c if is_word(c) => (
                TokenKind::Word,
                rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            ),
            c => (TokenKind::Symbol, c.len_utf8()),
        };
        let token = Token {
            kind,
            text: &rest[..len],
            at: self.at,
        };
        self.at += len;
        Some(token)
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of blanks and comments at the start.
fn blank_len(text: &str) -> usize {
    let mut at = 0;
    loop {
        let rest = &text[at..];
        at += match rest.chars().next() {
            Some(c) if c.is_whitespace() => c.len_utf8(),
            Some('-') if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            Some('/') if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            Some('/') if rest.starts_with("/*") => closed_len(rest, 2, "*/"),
            _ => return at,
        };
    }
}

/// The length up to the closing mark, `open` bytes of opening included.
fn closed_len(text: &str, open: usize, close: &str) -> usize {
    match text[open..].find(close) {
        Some(at) => open + at + close.len(),
        None => text.len(),
    }
}

/// The length of a quoted text in which a doubled quote means one.
fn quoted_len(text: &str, quote: char) -> usize {
    let mut at = 1;
    while let Some(found) = text[at..].find(quote) {
        at += found + 1;
        if !text[at..].starts_with(quote) {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// The statements of a script, trimmed and without their semicolons; comments between statements are left out.
pub fn statements(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = None;
    let mut end = 0;
    for token in tokens(text) {
        if token.is_symbol(';') {
            found.extend(start.take().map(|start| &text[start..end]));
            continue;
        }
        start.get_or_insert(token.at);
        end = token.end();
    }
    found.extend(start.map(|start| &text[start..end]));
    found
}

/// A name as it must be written in CQL: quoted if it would mean another name, or a keyword, without quotes.
pub fn quote(name: &str) -> Cow<'_, str> {
    let mut chars = name.chars();
    let plain = chars.next().is_some_and(|c| c.is_ascii_lowercase())
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain && RESERVED.binary_search(&name).is_err() {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(format!("\"{}\"", name.replace('"', "\"\"")))
    }
}

/// The name that a piece of CQL means: bare names are lower case, quoted ones are as they are.
pub fn unquote(text: &str) -> String {
    match text
        .strip_prefix('"')
        .and_then(|inner| inner.strip_suffix('"'))
    {
        Some(inner) => inner.replace("\"\"", "\""),
        None => text.to_lowercase(),
    }
}

/// A text as a string literal.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Keywords that are no names, of all release lines together: quoting one too many does no harm. Sorted.
const RESERVED: &[&str] = &[
    "add",
    "allow",
    "alter",
    "and",
    "any",
    "apply",
    "asc",
    "authorize",
    "batch",
    "begin",
    "between",
    "by",
    "columnfamily",
    "create",
    "default",
    "delete",
    "desc",
    "describe",
    "drop",
    "entries",
    "execute",
    "from",
    "full",
    "grant",
    "if",
    "in",
    "index",
    "infinity",
    "insert",
    "into",
    "is",
    "keyspace",
    "limit",
    "materialized",
    "mbean",
    "mbeans",
    "modify",
    "nan",
    "norecursive",
    "not",
    "null",
    "of",
    "on",
    "or",
    "order",
    "primary",
    "rename",
    "replace",
    "revoke",
    "schema",
    "select",
    "set",
    "table",
    "to",
    "token",
    "truncate",
    "unlogged",
    "unset",
    "update",
    "use",
    "using",
    "vector",
    "view",
    "where",
    "with",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(script: &str, expected: &[&str]) {
        assert_eq!(statements(script), expected, "{script}");
    }

    #[test]
    fn statements_end_at_semicolons() {
        check("a; b ;\n c", &["a", "b", "c"]);
        check(" ;; ", &[]);
    }

    #[test]
    fn a_semicolon_inside_something_ends_nothing() {
        check("a 'x;''y;' b; c", &["a 'x;''y;' b", "c"]);
        check("a \"x;\"\"y;\" b; c", &["a \"x;\"\"y;\" b", "c"]);
        check(
            "f AS $$ return 1; // '\n $$; c",
            &["f AS $$ return 1; // '\n $$", "c"],
        );
        check("a /* ; ' */ b; c", &["a /* ; ' */ b", "c"]);
        check("a -- ; '\n b; c", &["a -- ; '\n b", "c"]);
    }

    #[test]
    fn comments_between_statements_are_left_out() {
        check("-- first\na; // second\n/* third; */ b;", &["a", "b"]);
    }

    #[test]
    fn what_is_never_closed_runs_to_the_end() {
        check("a 'x; b", &["a 'x; b"]);
        check("a /* b;", &["a"]);
        check("a $$ b;", &["a $$ b;"]);
    }

    #[test]
    fn names_are_quoted_when_they_must_be() {
        for (name, expected) in [
            ("orders", "orders"),
            ("Orders", "\"Orders\""),
            ("a\"b", "\"a\"\"b\""),
            ("select", "\"select\""),
            ("1st", "\"1st\""),
            ("", "\"\""),
            ("ä", "\"ä\""),
        ] {
            assert_eq!(quote(name), expected);
            assert_eq!(unquote(&quote(name)), name);
        }
        assert_eq!(unquote("ORDERS"), "orders");
        assert_eq!(literal("it's"), "'it''s'");
    }

    #[test]
    fn keywords_are_sorted_so_that_they_can_be_searched() {
        assert!(RESERVED.is_sorted());
    }

    #[test]
    fn tokens_know_where_they_are() {
        let text = "ON ks.\"T\" (a)";
        let found: Vec<_> = tokens(text).map(|t| (t.text, t.at)).collect();
        assert_eq!(
            found,
            [
                ("ON", 0),
                ("ks", 3),
                (".", 5),
                ("\"T\"", 6),
                ("(", 10),
                ("a", 11),
                (")", 12)
            ]
        );
    }
}
