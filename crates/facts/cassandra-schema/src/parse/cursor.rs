//! Walks the tokens of one statement.

use model::cql::{Token, TokenKind, tokens, unquote};

use super::error::{ParseError, ParseErrorKind};

pub(super) type Parsed<T> = Result<T, ParseError>;

pub(super) struct Cursor<'a> {
    text: &'a str,
    tokens: Vec<Token<'a>>,
    at: usize,
    /// The keyspace of names that are not qualified.
    keyspace: Option<&'a str>,
}

impl<'a> Cursor<'a> {
    /// A semicolon ends the statement.
    pub fn new(text: &'a str, keyspace: Option<&'a str>) -> Parsed<Self> {
        let tokens: Vec<Token> = tokens(text)
            .take_while(|token| !token.is_symbol(';'))
            .collect();
        if let Some(open) = tokens.iter().find(|token| !is_closed(token)) {
            return Err(ParseError::new(ParseErrorKind::Unclosed, text, open.at));
        }
        Ok(Self {
            text,
            tokens,
            at: 0,
            keyspace,
        })
    }

    pub fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    pub fn peek_after(&self, tokens: usize) -> Option<Token<'a>> {
        self.tokens.get(self.at + tokens).copied()
    }

    pub fn next(&mut self) -> Option<Token<'a>> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    pub fn sees(&self, keyword: &str) -> bool {
        self.peek().is_some_and(|token| token.is(keyword))
    }

    /// Takes these keywords, all or none.
    pub fn take(&mut self, keywords: &[&str]) -> bool {
        let all = keywords.iter().enumerate().all(|(ahead, keyword)| {
            self.peek_after(ahead)
                .is_some_and(|token| token.is(keyword))
        });
        if all {
            self.at += keywords.len();
        }
        all
    }

    pub fn take_symbol(&mut self, symbol: char) -> bool {
        let is_there = self.peek().is_some_and(|token| token.is_symbol(symbol));
        if is_there {
            self.at += 1;
        }
        is_there
    }

    pub fn keywords(&mut self, keywords: &[&str], expected: &'static str) -> Parsed<()> {
        if self.take(keywords) {
            Ok(())
        } else {
            Err(self.expected(expected))
        }
    }

    pub fn symbol(&mut self, symbol: char, expected: &'static str) -> Parsed<()> {
        if self.take_symbol(symbol) {
            Ok(())
        } else {
            Err(self.expected(expected))
        }
    }

    /// The name of something, as Cassandra stores it.
    pub fn name(&mut self, expected: &'static str) -> Parsed<String> {
        match self.peek() {
            Some(token) if is_name(&token) => {
                self.at += 1;
                Ok(unquote(token.text))
            }
            _ => Err(self.expected(expected)),
        }
    }

    /// `keyspace.name`, or a name in the keyspace in use.
    pub fn qualified(&mut self, expected: &'static str) -> Parsed<(String, String)> {
        let start = self.at;
        let first = self.name(expected)?;
        if self.take_symbol('.') {
            return Ok((first, self.name(expected)?));
        }
        match self.keyspace {
            Some(keyspace) => Ok((keyspace.to_owned(), first)),
            None => {
                self.at = start;
                Err(self.error(ParseErrorKind::NoKeyspace(first)))
            }
        }
    }

    /// A string, without its quotes.
    pub fn string(&mut self, expected: &'static str) -> Parsed<String> {
        match self.peek().and_then(|token| string_content(&token)) {
            Some(content) => {
                self.at += 1;
                Ok(content)
            }
            None => Err(self.expected(expected)),
        }
    }

    pub fn integer(&mut self, expected: &'static str) -> Parsed<i64> {
        let start = self.at;
        let sign = if self.take_symbol('-') { "-" } else { "" };
        let digits = self.next().map(|token| format!("{sign}{}", token.text));
        match digits.and_then(|text| text.parse().ok()) {
            Some(number) => Ok(number),
            None => {
                self.at = start;
                Err(self.expected(expected))
            }
        }
    }

    /// Takes `IF NOT EXISTS`, and returns whether it was there.
    pub fn if_not_exists(&mut self) -> bool {
        self.take(&["IF", "NOT", "EXISTS"])
    }

    /// The text up to the first token outside of brackets that ends it, as it was written, but without comments.
    pub fn text_until(&mut self, ends: impl Fn(&Self) -> bool) -> Parsed<String> {
        let unclosed = self.error(ParseErrorKind::Unclosed);
        let mut depth = 0_usize;
        let mut text = String::new();
        let mut last_end = None;
        while let Some(token) = self.peek() {
            if depth == 0 && (ends(self) || matches!(token.text, ")" | "]" | "}")) {
                break;
            }
            match token.text {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
            if last_end.is_some_and(|end| end != token.at) {
                text.push(' ');
            }
            text.push_str(token.text);
            last_end = Some(token.end());
            self.at += 1;
        }
        match depth {
            0 => Ok(text),
            _ => Err(unclosed),
        }
    }

    pub fn rest(&mut self) -> Parsed<String> {
        self.text_until(|_| false)
    }

    pub fn end(&self) -> Parsed<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.expected("the end of the statement")),
        }
    }

    pub fn expected(&self, expected: &'static str) -> ParseError {
        let found = match self.peek() {
            Some(token) => format!("`{}`", token.text.chars().take(40).collect::<String>()),
            None => "the end of the statement".to_owned(),
        };
        self.error(ParseErrorKind::Expected { expected, found })
    }

    pub fn error(&self, kind: ParseErrorKind) -> ParseError {
        let at_bytes = self.peek().map_or(self.text.len(), |token| token.at);
        ParseError::new(kind, self.text, at_bytes)
    }

    pub fn whole_text(&self) -> &'a str {
        self.text
    }
}

fn is_name(token: &Token) -> bool {
    match token.kind {
        TokenKind::Name => true,
        TokenKind::Word => token.text.starts_with(|c: char| c.is_ascii_alphabetic()),
        TokenKind::String | TokenKind::Symbol => false,
    }
}

/// Whether a quoted text has both of its ends.
fn is_closed(token: &Token) -> bool {
    match token.kind {
        TokenKind::Name => inner(token.text, "\"")
            .is_some_and(|inner| inner.replace("\"\"", "").find('"').is_none()),
        TokenKind::String => string_content(token).is_some(),
        TokenKind::Word | TokenKind::Symbol => true,
    }
}

fn inner<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.strip_prefix(mark)?.strip_suffix(mark)
}

fn string_content(token: &Token) -> Option<String> {
    if token.kind != TokenKind::String {
        return None;
    }
    if token.text.starts_with("$$") {
        return inner(token.text, "$$").map(str::to_owned);
    }
    let inner = inner(token.text, "'")?;
    let is_closed = inner.replace("''", "").find('\'').is_none();
    is_closed.then(|| inner.replace("''", "'"))
}
