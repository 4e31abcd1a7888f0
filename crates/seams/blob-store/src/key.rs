//! The rules for keys: relative paths that mean the same on every backend.

use crate::StoreError;

/// The longest key in bytes. S3 allows 1024 with the configured prefix, for which this leaves room.
pub const KEY_BYTES_MAX: usize = 900;
/// The longest name that file systems allow, in bytes.
const SEGMENT_BYTES_MAX: usize = 255;

/// Checks that a text can be a key. It must not be able to leave a folder (`..`, a leading `/`), not contain what an
/// XML listing cannot carry (control characters), and be short enough for every backend. Fails with
/// [`StoreError::Key`].
pub fn check(key: &str) -> Result<(), StoreError> {
    match complaint(key) {
        None => Ok(()),
        Some(why) => Err(StoreError::Key {
            key: key.to_owned(),
            why,
        }),
    }
}

/// Checks a prefix: a key that may be cut anywhere, so that it may be empty or end with `/`.
pub(crate) fn check_prefix(prefix: &str) -> Result<(), StoreError> {
    let body = prefix.strip_suffix('/').unwrap_or(prefix);
    if prefix.is_empty() {
        Ok(())
    } else {
        check(body)
    }
}

fn complaint(key: &str) -> Option<&'static str> {
    if key.is_empty() {
        return Some("it is empty");
    }
    if key.len() > KEY_BYTES_MAX {
        return Some("it is longer than 900 bytes");
    }
    if key.chars().any(char::is_control) {
        return Some("it has a control character");
    }
    key.split('/').find_map(|segment| match segment {
        "" => Some("it starts or ends with `/`, or has two in a row"),
        "." | ".." => Some("it has a segment `.` or `..`"),
        _ if segment.len() > SEGMENT_BYTES_MAX => Some("it has a segment of more than 255 bytes"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_could_escape_are_refused() {
        for bad in ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a\nb", "a\0"] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        assert!(check(&"x".repeat(256)).is_err());
        assert!(check(&"x/".repeat(500)).is_err());
    }

    #[test]
    fn odd_but_harmless_keys_are_keys() {
        for good in [
            "a",
            "a b/c+d",
            "ä/\"q'",
            "...",
            ".hidden/x",
            "a%2Fb",
            "a\\b",
        ] {
            assert!(check(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_prefix_may_be_empty_or_end_with_a_slash() {
        for good in ["", "a/", "a/b"] {
            assert!(check_prefix(good).is_ok(), "{good:?}");
        }
        for bad in ["/", "../", "a/../"] {
            assert!(check_prefix(bad).is_err(), "{bad:?}");
        }
    }
}
