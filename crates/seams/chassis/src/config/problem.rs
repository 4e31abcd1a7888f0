//! A problem with a setting, while it is being read.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use super::error::Place;
use super::tree::shown;

/// A problem with one setting, while its path is still incomplete.
#[derive(Debug)]
pub(super) struct Problem {
    /// Boxed, because results are moved a lot.
    pub(super) what: Box<What>,
    /// Keys from the root.
    pub(super) path: Vec<String>,
    pub(super) place: Place,
    /// The value that was of the wrong type, if it may have been a guess.
    pub(super) guessed: Option<String>,
}

#[derive(Debug)]
pub(super) enum What {
    UnknownKey { key: String, known: Vec<String> },
    Missing { key: String },
    Variant { found: String, known: Vec<String> },
    Value { message: String },
}

impl Problem {
    fn new(what: What) -> Self {
        Self {
            what: Box::new(what),
            path: Vec::new(),
            place: Place::Nowhere,
            guessed: None,
        }
    }

    /// The same problem, seen from the table or list that holds its value.
    pub(super) fn within(mut self, key: &str, place: &Place) -> Self {
        self.path.insert(0, key.to_owned());
        if self.place == Place::Nowhere {
            self.place = place.clone();
        }
        self
    }

    pub(super) fn wrong_type(found: &str, expected: &dyn Expected) -> Self {
        let expected = plain_words(expected.to_string());
        Self::new(What::Value {
            message: format!("expected {expected}, found {found}"),
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.what)
    }
}

impl std::error::Error for Problem {}

impl de::Error for Problem {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(What::Value {
            message: message.to_string(),
        })
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let mut problem = Self::wrong_type(type_word(&unexpected), expected);
        problem.guessed = shown(&unexpected);
        problem
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match unexpected {
            Unexpected::Unsigned(number) => number.to_string(),
            Unexpected::Signed(number) => number.to_string(),
            Unexpected::Float(number) => number.to_string(),
            other => type_word(&other).to_owned(),
        };
        Self::wrong_type(&found, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(What::Variant {
            found: variant.to_owned(),
            known: owned(expected),
        })
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(What::UnknownKey {
            key: field.to_owned(),
            known: owned(expected),
        })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(What::Missing {
            key: field.to_owned(),
        })
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// What was found, without the value itself: it might be a secret.
fn type_word(unexpected: &Unexpected<'_>) -> &'static str {
    match unexpected {
        Unexpected::Bool(_) => "true or false",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a whole number",
        Unexpected::Float(_) => "a number",
        Unexpected::Seq => "a list",
        Unexpected::Map => "a table",
        Unexpected::Str(_) | Unexpected::Char(_) | Unexpected::Bytes(_) => "text",
        _ => "something else",
    }
}

/// serde names what it expects in Rust's terms, which operators need not know.
fn plain_words(expected: String) -> String {
    let range = match expected.as_str() {
        "u8" => (0, u8::MAX.into()),
        "u16" => (0, u16::MAX.into()),
        "u32" => (0, u32::MAX.into()),
        "u64" | "usize" => (0, i64::MAX),
        "i8" => (i8::MIN.into(), i8::MAX.into()),
        "i16" => (i16::MIN.into(), i16::MAX.into()),
        "i32" => (i32::MIN.into(), i32::MAX.into()),
        "i64" | "isize" => (i64::MIN, i64::MAX),
        "f32" | "f64" => return "a number".into(),
        "a boolean" => return "true or false".into(),
        "a string" => return "text in quotes".into(),
        "a sequence" => return "a list".into(),
        _ if expected.starts_with("struct ") || expected == "a map" => return "a table".into(),
        _ => return expected,
    };
    match range {
        (i64::MIN, i64::MAX) => "a whole number".into(),
        (low, i64::MAX) => format!("a whole number from {low}"),
        (low, high) => format!("a whole number from {low} to {high}"),
    }
}
