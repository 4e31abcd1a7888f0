//! The normal form of views, whose conditions may be in any order.

use model::cql::{TokenKind, quote, tokens, unquote};

use super::{Normal, normal_table_options};
use crate::view::{Selection, View};

impl Normal for View {
    fn normal(&self) -> Self {
        Self {
            id: None,
            selection: match &self.selection {
                Selection::All => Selection::All,
                Selection::Columns(names) => {
                    let mut names = names.clone();
                    names.sort();
                    Selection::Columns(names)
                }
            },
            filter: conditions(&self.filter),
            options: normal_table_options(&self.options),
            ..self.clone()
        }
    }
}

/// Sorts the conditions. If an `AND` may belong to a `BETWEEN`, they stay as they are.
fn conditions(filter: &str) -> String {
    let has_between = tokens(filter).any(|token| token.is("BETWEEN"));
    let mut depth = 0_usize;
    let mut found = vec![String::new()];
    for token in tokens(filter) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && token.is("AND") && !has_between {
            found.push(String::new());
        } else if let Some(condition) = found.last_mut() {
            condition.push_str(&word(&token));
            condition.push(' ');
        }
    }
    found.sort();
    found.join("AND ")
}

/// Normalizes blanks, comments and the case of bare words in a piece of CQL.
pub(super) fn without_blanks(text: &str) -> String {
    let mut plain = String::new();
    let mut was_word = false;
    for token in tokens(text) {
        let is_word = token.kind != TokenKind::Symbol;
        if was_word && is_word {
            plain.push(' ');
        }
        plain.push_str(&word(&token));
        was_word = is_word;
    }
    plain
}

fn word(token: &model::cql::Token) -> String {
    match token.kind {
        TokenKind::Word => token.text.to_lowercase(),
        // A name that needs no quotes means the same without them.
        TokenKind::Name => quote(&unquote(token.text)).into_owned(),
        TokenKind::String | TokenKind::Symbol => token.text.to_owned(),
    }
}
