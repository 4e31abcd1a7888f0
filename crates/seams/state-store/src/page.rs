//! Pages: a part of the entries under a prefix, in the order of their keys.

use std::ops::Bound;

use crate::{Entry, KEY_BYTES_MAX, PAGE_ENTRIES_MAX, StateError};

/// The order of a page's keys, which are compared as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the lowest key to the highest.
    Ascending,
    /// From the highest key to the lowest.
    Descending,
}

/// Some of the entries under a prefix.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// In the direction that was asked for.
    pub entries: Vec<Entry>,
    /// Whether there were more in that direction. The next page starts after the key of the last entry.
    pub more: bool,
}

pub(crate) fn check_limit(prefix: &str, limit: usize) -> Result<(), StateError> {
    if (1..=PAGE_ENTRIES_MAX).contains(&limit) {
        return Ok(());
    }
    Err(StateError::BadPageLimit {
        prefix: prefix.to_owned(),
        limit,
        max: PAGE_ENTRIES_MAX,
    })
}

/// The keys with the prefix that come after the given one; none if there can be no such key.
pub(crate) fn bounds(
    prefix: &str,
    after: Option<&str>,
    direction: Direction,
) -> Option<(Bound<String>, Bound<String>)> {
    // No key with the prefix is higher, because none is longer, and no text is higher than its highest character.
    let last = prefix.to_owned() + &"\u{10FFFF}".repeat(KEY_BYTES_MAX.div_ceil(4));
    let first = prefix.to_owned();
    match (direction, after) {
        (Direction::Ascending, Some(after)) if after >= prefix => {
            let is_within = after < last.as_str();
            is_within.then(|| (Bound::Excluded(after.to_owned()), Bound::Included(last)))
        }
        (Direction::Descending, Some(after)) if after <= last.as_str() => {
            let is_within = after > prefix;
            is_within.then(|| (Bound::Included(first), Bound::Excluded(after.to_owned())))
        }
        _ => Some((Bound::Included(first), Bound::Included(last))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_the_prefix_and_starts_after_the_key() {
        use Direction::{Ascending, Descending};
        let keys = ["a", "a/", "a/1", "a/2", "a/\u{10FFFF}\u{10FFFF}", "a0", "b"];
        let check = |after: Option<&str>, direction, wanted: &[&str]| {
            let bounds = bounds("a/", after, direction);
            let found: Vec<&str> = keys
                .into_iter()
                .filter(|key| {
                    use std::ops::RangeBounds;
                    bounds
                        .as_ref()
                        .is_some_and(|bounds| bounds.contains(&(*key).to_owned()))
                })
                .collect();
            assert_eq!(found, wanted, "{after:?} {direction:?}");
        };
        let all = &keys[1..5];
        check(None, Ascending, all);
        check(None, Descending, all);
        check(Some("a"), Ascending, all);
        check(Some("a/1"), Ascending, &keys[3..5]);
        check(Some("a/11"), Ascending, &keys[3..5]);
        check(Some("b"), Ascending, &[]);
        check(Some("b"), Descending, all);
        check(Some("a/2"), Descending, &keys[1..3]);
        check(Some("a/"), Descending, &[]);
        check(Some("a"), Descending, &[]);
    }
}
