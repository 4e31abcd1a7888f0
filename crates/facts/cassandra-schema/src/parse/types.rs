//! Parses types.

use super::cursor::{Cursor, Parsed};
use super::error::{ParseError, ParseErrorKind};
use crate::cql_type::{CqlType, Native};

/// The deepest nesting of types that is accepted: more than real schemas have, and little enough for any stack.
const DEPTH_MAX: usize = 64;

/// Parses a type, for example `frozen<map<text, int>>`.
pub fn parse_type(text: &str) -> Result<CqlType, ParseError> {
    let mut cursor = Cursor::new(text, None)?;
    let of = cql_type(&mut cursor)?;
    cursor.end()?;
    Ok(of)
}

pub(super) fn cql_type(cursor: &mut Cursor) -> Parsed<CqlType> {
    nested(cursor, 0)
}

fn nested(cursor: &mut Cursor, depth: usize) -> Parsed<CqlType> {
    if depth > DEPTH_MAX {
        return Err(cursor.error(ParseErrorKind::TooDeep));
    }
    let Some(token) = cursor.peek() else {
        return Err(cursor.expected("a type"));
    };
    if token.kind == model::cql::TokenKind::String {
        return Ok(CqlType::Custom(cursor.string("a type")?));
    }
    let opens = cursor
        .peek_after(1)
        .is_some_and(|token| token.is_symbol('<'));
    if token.kind == model::cql::TokenKind::Word && opens {
        return constructed(cursor, depth);
    }
    let is_quoted = token.kind == model::cql::TokenKind::Name;
    let name = cursor.name("a type")?;
    if cursor.take_symbol('.') {
        return Ok(CqlType::User {
            keyspace: Some(name),
            name: cursor.name("a user type")?,
        });
    }
    Ok(match Native::from_name(&name).filter(|_| !is_quoted) {
        Some(native) => CqlType::Native(native),
        None => CqlType::User {
            keyspace: None,
            name,
        },
    })
}

fn constructed(cursor: &mut Cursor, depth: usize) -> Parsed<CqlType> {
    let start = cursor.expected("frozen, list, set, map, tuple or vector");
    let constructor = cursor.name("a type")?;
    cursor.symbol('<', "`<`")?;
    let first = nested(cursor, depth + 1)?;
    let boxed = Box::new;
    let of = match constructor.as_str() {
        "frozen" => CqlType::Frozen(boxed(first)),
        "list" => CqlType::List(boxed(first)),
        "set" => CqlType::Set(boxed(first)),
        "map" => {
            cursor.symbol(',', "`,`")?;
            CqlType::Map(boxed(first), boxed(nested(cursor, depth + 1)?))
        }
        "tuple" => {
            let mut parts = vec![first];
            while cursor.take_symbol(',') {
                parts.push(nested(cursor, depth + 1)?);
            }
            CqlType::Tuple(parts)
        }
        "vector" => {
            cursor.symbol(',', "`,`")?;
            let error = cursor.expected("how many dimensions");
            let dimension = cursor.integer("how many dimensions")?;
            CqlType::Vector(boxed(first), u32::try_from(dimension).map_err(|_| error)?)
        }
        _ => return Err(start),
    };
    cursor.symbol('>', "`>`")?;
    Ok(of)
}
