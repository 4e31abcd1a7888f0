//! CQL types as text: which others they are made of, and how they read without `frozen`.

use std::collections::{BTreeMap, BTreeSet};

use model::cql::tokens;

/// A type without `frozen<…>` at any depth: arguments of functions are frozen by themselves and may not say so.
pub(super) fn without_frozen(text: &str) -> String {
    let words: Vec<_> = tokens(text).collect();
    let mut plain = String::new();
    // For each open bracket whether it is kept.
    let mut brackets = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let opens = words.get(at + 1).is_some_and(|next| next.is_symbol('<'));
        if word.is("frozen") && opens {
            brackets.push(false);
            at += 2;
            continue;
        }
        match word.text {
            "<" => {
                brackets.push(true);
                plain.push('<');
            }
            ">" => {
                if brackets.pop().unwrap_or(true) {
                    plain.push('>');
                }
            }
            "," => plain.push_str(", "),
            other => plain.push_str(other),
        }
        at += 1;
    }
    plain
}

/// The names in a type, as Cassandra stores them: of its user-defined types, and of the built-in ones.
pub(super) fn names(text: &str) -> BTreeSet<String> {
    tokens(text).filter_map(|token| token.name()).collect()
}

/// Orders types so that each comes after those that its fields are made of. What is left of a cycle, which Cassandra
/// does not allow, comes last.
pub(super) fn order(mut types: BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut ordered: Vec<String> = Vec::new();
    loop {
        let ready: Vec<String> = types
            .iter()
            .filter(|(name, needs)| {
                !needs
                    .iter()
                    .any(|need| need != *name && types.contains_key(need))
            })
            .map(|(name, _)| name.clone())
            .collect();
        if ready.is_empty() {
            ordered.extend(types.into_keys());
            return ordered;
        }
        for name in ready {
            types.remove(&name);
            ordered.push(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frozen_is_taken_off_at_any_depth() {
        for (text, expected) in [
            ("int", "int"),
            (
                "frozen<list<frozen<map<int, text>>>>",
                "list<map<int, text>>",
            ),
            (
                "frozen<tuple<int, frozen<\"My>Type\">>>",
                "tuple<int, \"My>Type\">",
            ),
            ("map<text, frozen<frozen>>", "map<text, frozen>"),
            ("'org.example.T<x>'", "'org.example.T<x>'"),
        ] {
            assert_eq!(without_frozen(text), expected, "{text}");
        }
    }

    #[test]
    fn types_come_after_those_that_they_are_made_of() {
        let types = [
            ("a", "frozen<c>"),
            ("b", "text"),
            ("c", "map<text, frozen<b>>"),
            ("d", "int"),
        ];
        let types = types.map(|(name, field)| (name.to_owned(), names(field)));
        assert_eq!(order(types.into()), ["b", "d", "c", "a"]);
    }
}
