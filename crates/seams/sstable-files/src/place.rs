//! Keyspace and table of the SSTables in a folder, by the folder's path.

use std::path::Path;

/// `<keyspace>/<table>[-<id>]/[snapshots/<tag>/|backups/][.<index>/]`, as Cassandra lays folders out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The keyspace's name.
    pub keyspace: String,
    /// The table's name.
    pub table: String,
    /// 32 hex digits; tables from before Cassandra 2.1 have none.
    pub table_id: Option<String>,
    /// The snapshot's tag, if the folder is one of a snapshot.
    pub snapshot: Option<String>,
    /// The legacy secondary index whose hidden table this is.
    pub index: Option<String>,
}

impl Place {
    /// Parses a folder's path; `None` if it is not laid out like this.
    pub fn of(folder: &Path) -> Option<Self> {
        let mut names: Vec<&str> = folder
            .components()
            .filter_map(|part| match part {
                std::path::Component::Normal(name) => name.to_str(),
                _ => None,
            })
            .collect();
        let mut index = None;
        if let Some(name) = names.last().and_then(|name| name.strip_prefix('.')) {
            index = Some(name.to_owned());
            names.pop();
        }
        let mut snapshot = None;
        match names.as_slice() {
            [.., "snapshots", tag] => {
                snapshot = Some((*tag).to_owned());
                names.truncate(names.len() - 2);
            }
            [.., "backups"] => {
                names.pop();
            }
            _ => {}
        }
        let (Some(table), Some(keyspace)) = (names.pop(), names.pop()) else {
            return None;
        };
        let (table, table_id) = match table.rsplit_once('-') {
            Some((table, id)) if is_id(id) => (table, Some(id.to_owned())),
            _ => (table, None),
        };
        let is_word = |name: &str| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        (is_word(keyspace) && is_word(table)).then(|| Self {
            keyspace: keyspace.to_owned(),
            table: table.to_owned(),
            table_id,
            snapshot,
            index,
        })
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(folder: &str, expected: Option<(&str, &str, Option<&str>, Option<&str>)>) {
        let place = Place::of(Path::new(folder));
        let found = place.as_ref().map(|place| {
            (
                place.keyspace.as_str(),
                place.table.as_str(),
                place.snapshot.as_deref(),
                place.index.as_deref(),
            )
        });
        assert_eq!(found, expected, "{folder}");
    }

    #[test]
    fn keyspace_and_table_are_read_from_the_path() {
        let table = "/data/shop/orders-1b255f4def2540a60000000000000005";
        check(table, Some(("shop", "orders", None, None)));
        check(
            &format!("{table}/snapshots/daily/.by_day"),
            Some(("shop", "orders", Some("daily"), Some("by_day"))),
        );
        check(
            &format!("{table}/backups"),
            Some(("shop", "orders", None, None)),
        );
        check("shop/orders", Some(("shop", "orders", None, None)));
        check("orders", None);
        check("my files/some folder", None);
    }
}
