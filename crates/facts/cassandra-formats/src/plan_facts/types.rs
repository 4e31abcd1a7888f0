//! Finds the types in a serialization header that some releases read wrong.

use crate::statistics::header::SerializationHeader;

/// Every type of the header, as a class string.
pub(super) fn all(header: &SerializationHeader) -> impl Iterator<Item = &str> {
    let columns = header.static_columns.iter().chain(&header.regular_columns);
    std::iter::once(header.key_type.as_str())
        .chain(header.clustering_types.iter().map(String::as_str))
        .chain(columns.map(|column| column.type_class.as_str()))
}

pub(super) fn has_tuple(type_class: &str) -> bool {
    names(type_class).any(|(name, _)| name == "TupleType")
}

pub(super) fn has_unfrozen_user_type(type_class: &str) -> bool {
    names(type_class).any(|(name, frozen)| name == "UserType" && !frozen)
}

/// Whether one column of this type is more than one cell.
pub(super) fn is_multi_cell(type_class: &str) -> bool {
    let outer = names(type_class).next().map(|(name, _)| name);
    matches!(
        outer,
        Some("ListType" | "SetType" | "MapType" | "UserType" | "ColumnToCollectionType")
    )
}

/// Each type that has parameters, without its package, and whether it is inside a frozen one.
fn names(type_class: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut open: Vec<bool> = Vec::new();
    let mut start = 0;
    type_class
        .match_indices(['(', ')', ',', ':'])
        .filter_map(move |(at, sign)| {
            let name = type_class.get(start..at).unwrap_or_default();
            start = at + 1;
            match sign {
                "(" => {
                    let name = crate::simple_name(name);
                    let frozen = open.last().copied().unwrap_or(false);
                    open.push(frozen || name == "FrozenType");
                    Some((name, frozen))
                }
                ")" => {
                    open.pop();
                    None
                }
                _ => None,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARSHAL: &str = "org.apache.cassandra.db.marshal.";

    /// `tuple`, `unfrozen` and `cells`, each if the type has it.
    fn row(type_class: &str) -> String {
        let full = ["Frozen", "User", "Tuple", "UTF8", "Map", "List"]
            .iter()
            .fold(type_class.to_owned(), |text, name| {
                text.replace(&format!("{name}Type"), &format!("{MARSHAL}{name}Type"))
            });
        let kinds = |type_class: &str| {
            [
                has_tuple(type_class).then_some("tuple"),
                has_unfrozen_user_type(type_class).then_some("unfrozen"),
                is_multi_cell(type_class).then_some("cells"),
            ]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" ")
        };
        assert_eq!(kinds(type_class), kinds(&full), "{type_class}");
        kinds(type_class)
    }

    #[test]
    fn types_are_found_at_any_depth() {
        for (type_class, expected) in [
            ("UTF8Type", ""),
            ("UserType(ks,61,62:UTF8Type)", "unfrozen cells"),
            ("FrozenType(UserType(ks,61,62:UTF8Type))", ""),
            (
                "MapType(UTF8Type,FrozenType(UserType(ks,61,62:TupleType(UTF8Type))))",
                "tuple cells",
            ),
            ("FrozenType(ListType(UserType(ks,61,62:UTF8Type)))", ""),
            ("ListType(UserType(ks,61,62:UTF8Type))", "unfrozen cells"),
            (
                "UserType(ks,61,62:FrozenType(UserType(ks,63,64:UTF8Type)))",
                "unfrozen cells",
            ),
            (
                "CompositeType(FrozenType(TupleType(UTF8Type)),UserType(ks,61,62:UTF8Type))",
                "tuple unfrozen",
            ),
            ("FrozenType(TupleType(UTF8Type))", "tuple"),
            (")))(((UserType(", "unfrozen"),
        ] {
            assert_eq!(row(type_class), expected, "{type_class}");
        }
    }
}
