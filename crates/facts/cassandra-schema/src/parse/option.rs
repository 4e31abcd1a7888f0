//! Parses options.

use std::collections::BTreeMap;

use model::cql::TokenKind;

use super::cursor::{Cursor, Parsed};
use super::error::ParseErrorKind;
use crate::option::{Literal, OptionValue, Options};

/// Parses `name = value` into `options`.
pub(super) fn option(cursor: &mut Cursor, options: &mut Options) -> Parsed<()> {
    let duplicate = cursor.peek();
    let name = cursor.name("the name of an option")?;
    cursor.symbol('=', "`=`")?;
    let value = value(cursor)?;
    if options.insert(name.clone(), value).is_some() {
        let at = duplicate.map_or(0, |token| token.at);
        let kind = ParseErrorKind::Duplicate {
            what: "option",
            name,
        };
        return Err(super::ParseError::new(kind, cursor.whole_text(), at));
    }
    Ok(())
}

/// Parses `name = value AND name = value`, to the end.
pub(super) fn options(cursor: &mut Cursor) -> Parsed<Options> {
    let mut found = Options::new();
    loop {
        option(cursor, &mut found)?;
        if !cursor.take(&["AND"]) {
            return Ok(found);
        }
    }
}

fn value(cursor: &mut Cursor) -> Parsed<OptionValue> {
    match cursor.peek() {
        Some(token) if token.kind == TokenKind::String => {
            Ok(OptionValue::text(cursor.string("a value")?))
        }
        Some(token) if token.is_symbol('{') && is_map(cursor) => Ok(OptionValue::Map(map(cursor)?)),
        Some(token) => {
            let text = cursor.text_until(|cursor| cursor.sees("AND"))?;
            match (text.as_str(), token.text) {
                ("", _) => Err(cursor.expected("a value")),
                (_, "{" | "[" | "(") => Ok(OptionValue::Raw(text)),
                _ => Ok(OptionValue::bare(text)),
            }
        }
        None => Err(cursor.expected("a value")),
    }
}

/// Whether braces hold a map: `{}`, or a key with a colon. Others hold a set.
fn is_map(cursor: &Cursor) -> bool {
    let is = |ahead: usize, symbol: char| {
        cursor
            .peek_after(ahead)
            .is_some_and(|token| token.is_symbol(symbol))
    };
    is(1, '}') || is(2, ':')
}

pub(super) fn map(cursor: &mut Cursor) -> Parsed<BTreeMap<String, Literal>> {
    let mut map = BTreeMap::new();
    cursor.symbol('{', "`{`")?;
    if cursor.take_symbol('}') {
        return Ok(map);
    }
    loop {
        let key = literal(cursor)?;
        cursor.symbol(':', "`:`")?;
        map.insert(key.content().to_owned(), literal(cursor)?);
        if cursor.take_symbol('}') {
            return Ok(map);
        }
        cursor.symbol(',', "`,` or `}`")?;
    }
}

fn literal(cursor: &mut Cursor) -> Parsed<Literal> {
    if cursor
        .peek()
        .is_some_and(|token| token.kind == TokenKind::String)
    {
        return Ok(Literal::Text(cursor.string("a literal")?));
    }
    let ends = |cursor: &Cursor| {
        cursor
            .peek()
            .is_some_and(|token| matches!(token.text, ":" | "," | "}"))
    };
    match cursor.text_until(ends)? {
        text if text.is_empty() => Err(cursor.expected("a literal")),
        text => Ok(Literal::Bare(text)),
    }
}
