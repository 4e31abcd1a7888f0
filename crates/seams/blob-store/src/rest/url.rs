//! Keys and parameters as they stand in a URL.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but what RFC 3986 leaves as it is everywhere: signatures are over the encoded form, so there must be only one.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// A key in a path. `slashes` says whether they separate segments or belong to one.
pub fn encode(key: &str, slashes: Slashes) -> String {
    let reserved = match slashes {
        Slashes::Separate => RESERVED_IN_PATH,
        Slashes::Belong => RESERVED,
    };
    utf8_percent_encode(key, reserved).to_string()
}

/// What a `/` in a key is in a URL.
#[derive(Debug, Clone, Copy)]
pub enum Slashes {
    Separate,
    Belong,
}

/// Parameters, with the `?` before them.
pub fn query(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| {
            let value = utf8_percent_encode(value, RESERVED);
            format!("{name}={value}")
        })
        .collect();
    match pairs.is_empty() {
        true => String::new(),
        false => format!("?{}", pairs.join("&")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_key_is_taken_for_syntax() {
        let key = "a b/c+d?e#f%20&=ü";
        assert_eq!(
            encode(key, Slashes::Separate),
            "a%20b/c%2Bd%3Fe%23f%2520%26%3D%C3%BC"
        );
        assert!(!encode(key, Slashes::Belong).contains('/'));
        assert_eq!(query(&[("a", "b&c"), ("d", "")]), "?a=b%26c&d=");
        assert_eq!(query(&[]), "");
    }
}
