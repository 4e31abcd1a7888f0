//! The few changes that a plan makes to the CQL of a schema, and when two definitions are the same.

use std::collections::BTreeMap;

pub(crate) use cassandra_schema::if_not_exists;
use model::cql::{Token, TokenKind, quote, tokens, unquote};
use model::{TableId, TableRef};

/// The option of tables that says how long tombstones are kept.
pub(crate) const GRACE: &str = "gc_grace_seconds";

/// A table's name as it must be written.
pub(crate) fn table_name(table: &TableRef) -> String {
    qualified(&table.keyspace, &table.table)
}

/// A name within a keyspace as it must be written.
pub(crate) fn qualified(keyspace: &str, name: &str) -> String {
    format!("{}.{}", quote(keyspace), quote(name))
}

/// An option of a `WITH … AND …` list: its name as stored, and where it stands.
struct TableOption {
    name: String,
    start: usize,
    end: usize,
}

/// Where the option list begins, and its options; nothing if there is none.
fn options(statement: &str) -> Option<(usize, Vec<TableOption>)> {
    let mut depth = 0_usize;
    let mut with = None;
    let mut found: Vec<TableOption> = Vec::new();
    let mut starts_new = false;
    for token in tokens(statement) {
        if token.kind == TokenKind::Symbol {
            match token.text {
                "(" | "{" | "[" => depth += 1,
                ")" | "}" | "]" => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        let splits = depth == 0 && (token.is("AND") || with.is_none() && token.is("WITH"));
        match (splits, with) {
            (true, None) if token.is("WITH") => {
                with = Some(token.at);
                starts_new = true;
            }
            (true, Some(_)) => starts_new = true,
            (_, None) => {}
            (false, Some(_)) if token.is_symbol(';') && depth == 0 => break,
            (false, Some(_)) if starts_new => {
                found.push(TableOption {
                    name: unquote(token.text),
                    start: token.at,
                    end: token.end(),
                });
                starts_new = false;
            }
            (false, Some(_)) => {
                if let Some(option) = found.last_mut() {
                    option.end = token.end();
                }
            }
        }
    }
    with.map(|with| (with, found))
}

/// The statement without the options that are not to be kept.
pub(crate) fn retain_options(statement: &str, keep: impl Fn(&str) -> bool) -> String {
    let Some((with, options)) = options(statement) else {
        return statement.to_owned();
    };
    let kept: Vec<&str> = options
        .iter()
        .filter(|option| keep(&option.name))
        .map(|option| &statement[option.start..option.end])
        .collect();
    if kept.len() == options.len() {
        return statement.to_owned();
    }
    let mut text = statement[..with].trim_end().to_owned();
    if !kept.is_empty() {
        text.push_str(" WITH ");
        text.push_str(&kept.join(" AND "));
    }
    text
}

/// The statement with another value for an option that it has.
pub(crate) fn with_option(statement: &str, name: &str, value: &str) -> String {
    let options = options(statement);
    let option = options.iter().flat_map(|(_, options)| options);
    match option.into_iter().find(|option| option.name == name) {
        Some(option) => format!(
            "{}{name} = {value}{}",
            &statement[..option.start],
            &statement[option.end..]
        ),
        None => statement.to_owned(),
    }
}

/// The statement with this value for an option, whether it has it or not.
pub(crate) fn with_option_set(statement: &str, name: &str, value: &str) -> String {
    let has_it = options(statement)
        .is_some_and(|(_, options)| options.iter().any(|option| option.name == name));
    if has_it {
        return with_option(statement, name, value);
    }
    let word = match options(statement) {
        Some(_) => "AND",
        None => "WITH",
    };
    let statement = statement.trim_end().trim_end_matches(';');
    format!("{statement} {word} {name} = {value}")
}

/// An option whose value is one word, number or string.
pub(crate) fn option_text(statement: &str, wanted: &str) -> Option<String> {
    let (_, options) = options(statement)?;
    let option = options.iter().find(|option| option.name == wanted)?;
    let value = tokens(&statement[option.start..option.end])
        .skip_while(|token| !token.is_symbol('='))
        .nth(1)?;
    Some(content(&value))
}

/// The table or view is made with this id.
pub(crate) fn with_id(statement: &str, id: TableId) -> String {
    let statement = retain_options(statement, |name| name != "id");
    let id = format!("ID = {id}");
    match options(&statement) {
        Some((with, _)) => {
            let (before, after) = statement.split_at(with + "WITH".len());
            format!("{before} {id} AND{after}")
        }
        None => format!("{} WITH {id}", statement.trim_end().trim_end_matches(';')),
    }
}

/// An option whose value is a map of strings, such as `replication` or `compaction`.
pub(crate) fn option_map(statement: &str, wanted: &str) -> Option<BTreeMap<String, String>> {
    let (_, options) = options(statement)?;
    let option = options.iter().find(|option| option.name == wanted)?;
    let text = &statement[option.start..option.end];
    let mut map = BTreeMap::new();
    let mut key: Option<String> = None;
    let mut value = String::new();
    for token in tokens(text)
        .skip_while(|token| !token.is_symbol('{'))
        .skip(1)
    {
        match token.text {
            ":" if value.is_empty() => {}
            ":" => key = Some(std::mem::take(&mut value)),
            "," | "}" => {
                if let Some(key) = key.take() {
                    map.insert(key, std::mem::take(&mut value));
                }
            }
            _ => value.push_str(&content(&token)),
        }
    }
    Some(map)
}

/// What a literal stands for.
fn content(token: &Token) -> String {
    match token.kind {
        TokenKind::String if token.text.starts_with('\'') && token.text.len() >= 2 => {
            token.text[1..token.text.len() - 1].replace("''", "'")
        }
        _ => token.text.to_owned(),
    }
}

/// Whether two lists of statements define the same thing. Blanks, comments, `IF NOT EXISTS`, the table's id and the case
/// of bare words mean nothing, nor does how long tombstones are kept; everything else counts.
pub(crate) fn same_definition(a: &[String], b: &[String]) -> bool {
    let normal = |statements: &[String]| -> Vec<Vec<String>> {
        statements
            .iter()
            .map(|statement| normal_form(statement))
            .collect()
    };
    normal(a) == normal(b)
}

fn normal_form(statement: &str) -> Vec<String> {
    let counts = |name: &str| name != "id" && name != GRACE;
    let statement = if_not_exists(&retain_options(statement, counts));
    tokens(&statement)
        .filter(|token| !token.is_symbol(';'))
        .map(|token| match token.kind {
            TokenKind::Word => token.text.to_lowercase(),
            // A name that need not be quoted is the same without.
            TokenKind::Name => quote(&unquote(token.text)).into_owned(),
            TokenKind::String | TokenKind::Symbol => token.text.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests;
