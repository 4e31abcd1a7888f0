//! Where everything is in etcd: below the prefix, `entries/` with the values, `leases/` with the held leases, and `meta`.

use std::ops::Bound;

use crate::StateError;

const ENTRIES: &str = "entries/";
const LEASES: &str = "leases/";
const META: &str = "meta";

/// The prefix of one state, and the keys below it.
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    pub fn new(prefix: &str) -> Self {
        Self {
            prefix: format!("{prefix}/"),
        }
    }

    pub fn entry(&self, key: &str) -> Vec<u8> {
        format!("{}{ENTRIES}{key}", self.prefix).into_bytes()
    }

    pub fn lease(&self, lease: &str) -> Vec<u8> {
        format!("{}{LEASES}{lease}", self.prefix).into_bytes()
    }

    pub fn meta(&self) -> Vec<u8> {
        self.meta_text().into_bytes()
    }

    pub fn meta_text(&self) -> String {
        format!("{}{META}", self.prefix)
    }

    /// All leases: first key, and the key after the last.
    pub fn leases(&self) -> (Vec<u8>, Vec<u8>) {
        let first = self.lease("");
        let end = after_prefix(&first);
        (first, end)
    }

    /// All entries with the prefix: first key, and the key after the last.
    pub fn entries(&self, prefix: &str) -> (Vec<u8>, Vec<u8>) {
        let first = self.entry(prefix);
        let end = after_prefix(&first);
        (first, end)
    }

    /// The same for bounds of the port's keys.
    pub fn range(&self, lower: &Bound<String>, upper: &Bound<String>) -> (Vec<u8>, Vec<u8>) {
        let first = match lower {
            Bound::Included(key) => self.entry(key),
            Bound::Excluded(key) => next(self.entry(key)),
            Bound::Unbounded => self.entry(""),
        };
        let end = match upper {
            Bound::Included(key) => next(self.entry(key)),
            Bound::Excluded(key) => self.entry(key),
            Bound::Unbounded => after_prefix(&self.entry("")),
        };
        (first, end)
    }

    /// The port's key of an entry in etcd.
    pub fn of_entry(&self, key: &[u8]) -> Result<String, StateError> {
        self.below(ENTRIES, key)
    }

    /// The port's key of a lease in etcd.
    pub fn of_lease(&self, key: &[u8]) -> Result<String, StateError> {
        self.below(LEASES, key)
    }

    fn below(&self, folder: &str, key: &[u8]) -> Result<String, StateError> {
        let text = std::str::from_utf8(key).ok();
        let below = text
            .and_then(|text| text.strip_prefix(&self.prefix))
            .and_then(|rest| rest.strip_prefix(folder));
        match below {
            Some(key) if crate::write::check_key(key).is_ok() => Ok(key.to_owned()),
            _ => Err(StateError::Foreign {
                key: String::from_utf8_lossy(key).into_owned(),
                what: "it is no key of a state".to_owned(),
            }),
        }
    }
}

/// The lowest key above this one.
pub(super) fn next(mut key: Vec<u8>) -> Vec<u8> {
    key.push(0);
    key
}

/// The lowest key above all with this prefix, which has a byte below 255: prefixes are UTF-8.
fn after_prefix(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_others_are_refused() {
        let keys = Keys::new("fleet");
        assert_eq!(
            keys.of_entry(&keys.entry("tasks/1")).expect("ours"),
            "tasks/1"
        );
        for foreign in [
            b"fleet/leases/a".as_slice(),
            b"fleet/entries/",
            b"fleet/entries/\xff",
            b"other/entries/a",
        ] {
            let refused = keys.of_entry(foreign);
            assert!(
                matches!(refused, Err(StateError::Foreign { .. })),
                "{foreign:?}"
            );
        }
    }

    #[test]
    fn a_prefix_ends_before_its_neighbours() {
        let keys = Keys::new("fleet");
        let (first, end) = keys.entries("tasks/");
        for (key, is_within) in [
            ("tasks/", true),
            ("tasks/\u{10FFFF}", true),
            ("tasks0", false),
            ("tasks.", false),
        ] {
            let key = keys.entry(key);
            assert_eq!(first <= key && key < end, is_within, "{key:?}");
        }
    }
}
