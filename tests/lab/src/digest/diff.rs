//! Compares two digests and says in words where they differ.

use std::fmt;

use super::{Digest, TableDigest, TableName};

/// One place where two digests differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub table: TableName,
    /// `None` where the whole table is missing on one side.
    pub partition: Option<String>,
    pub what: What,
}

/// How the second digest differs from the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Missing,
    Added,
    Changed,
}

/// Empty when both hold the same.
pub fn diff(first: &Digest, second: &Digest) -> Vec<Difference> {
    let mut found = Vec::new();
    for (name, table) in &first.tables {
        match second.tables.get(name) {
            Some(other) => diff_table(name, table, other, &mut found),
            None => found.push(Difference::of(name, None, What::Missing)),
        }
    }
    for name in second
        .tables
        .keys()
        .filter(|name| !first.tables.contains_key(name))
    {
        found.push(Difference::of(name, None, What::Added));
    }
    found
}

fn diff_table(
    name: &TableName,
    first: &TableDigest,
    second: &TableDigest,
    found: &mut Vec<Difference>,
) {
    for (key, hash) in &first.partitions {
        match second.partitions.get(key) {
            Some(other) if other == hash => {}
            Some(_) => found.push(Difference::of(name, Some(key), What::Changed)),
            None => found.push(Difference::of(name, Some(key), What::Missing)),
        }
    }
    for key in second
        .partitions
        .keys()
        .filter(|key| !first.partitions.contains_key(*key))
    {
        found.push(Difference::of(name, Some(key), What::Added));
    }
}

impl Difference {
    fn of(table: &TableName, partition: Option<&String>, what: What) -> Self {
        Self {
            table: table.clone(),
            partition: partition.cloned(),
            what,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.table)?;
        match &self.partition {
            Some(key) => write!(f, "partition {}", readable(key))?,
            None => write!(f, "the whole table")?,
        }
        let what = match self.what {
            What::Missing => "is missing in the second digest",
            What::Added => "is in the second digest only",
            What::Changed => "holds something else in the second digest",
        };
        write!(f, " {what}")
    }
}

/// The key in hex, and again with its text parts as text where it has any.
fn readable(key: &str) -> String {
    let texts: Vec<Option<String>> = key.split(':').map(text_of).collect();
    if texts.iter().all(Option::is_none) {
        return key.to_owned();
    }
    let parts: Vec<String> = key
        .split(':')
        .zip(texts)
        .map(|(hex, text)| text.unwrap_or_else(|| format!("0x{hex}")))
        .collect();
    format!("{key} ({})", parts.join(", "))
}

fn text_of(hex: &str) -> Option<String> {
    let bytes: Vec<u8> = (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).ok())
        .collect::<Option<_>>()?;
    let text = String::from_utf8(bytes).ok()?;
    let is_readable = !text.is_empty() && !text.chars().any(char::is_control);
    is_readable.then(|| format!("'{text}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `"shop.orders 61=1 62=2"` reads: that table, with two partitions and their hashes.
    fn digest(tables: &[&str]) -> Digest {
        let mut digest = Digest::default();
        for line in tables {
            let mut words = line.split(' ');
            let name = words.next().unwrap().parse().unwrap();
            let table: &mut TableDigest = digest.tables.entry(name).or_default();
            for (key, hash) in words.map(|word| word.split_once('=').unwrap()) {
                table.partitions.insert(key.to_owned(), hash.to_owned());
            }
        }
        digest
    }

    #[track_caller]
    fn check(first: &[&str], second: &[&str], expected: &[&str]) {
        let found = diff(&digest(first), &digest(second));
        let lines: Vec<String> = found.iter().map(Difference::to_string).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn equal_digests_have_no_difference() {
        check(&["a.t 61=1", "a.u"], &["a.t 61=1", "a.u"], &[]);
    }

    #[test]
    fn each_partition_that_differs_is_named() {
        check(
            &["a.t 61=1 62=2 00ff:63=3"],
            &["a.t 62=9 00ff:63=3 64=4"],
            &[
                "a.t: partition 61 ('a') is missing in the second digest",
                "a.t: partition 62 ('b') holds something else in the second digest",
                "a.t: partition 64 ('d') is in the second digest only",
            ],
        );
    }

    #[test]
    fn a_table_of_one_side_is_named_once() {
        check(
            &["a.t 61=1"],
            &["b.t 61=1"],
            &[
                "a.t: the whole table is missing in the second digest",
                "b.t: the whole table is in the second digest only",
            ],
        );
    }

    #[test]
    fn a_digest_survives_json() {
        let before = digest(&["a.t 61=1", "B.Quoted 62=2"]);
        let text = serde_json::to_string(&before).unwrap();
        assert!(text.contains("\"B.Quoted\""), "{text}");
        assert_eq!(serde_json::from_str::<Digest>(&text).unwrap(), before);
    }
}
