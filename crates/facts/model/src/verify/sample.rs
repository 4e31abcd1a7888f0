//! Samples: a backup is divided into parts of about the same number of SSTables, of which a verification reads one.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Into how many parts a backup is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct SampleParts(u32);

/// A number of parts, or a percentage, that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no sample: use a percentage from 0.1% to 50%")]
pub struct InvalidSample(String);

/// One part. The parts of one number have every SSTable once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Sample {
    /// From 1.
    pub part: u32,
    pub of: SampleParts,
}

/// A part that a document names, which may be none.
#[derive(Deserialize)]
struct Unchecked {
    part: u32,
    of: SampleParts,
}

/// A part that was read, and how far the others are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleRead {
    pub sample: Sample,
    /// Absent if the result could not be kept, so that it counts for nothing.
    pub progress: Option<SampleProgress>,
}

/// How far the parts of one number are, the one that was read last among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleProgress {
    pub parts_read: u32,
    /// How many of them were clean when they were last read.
    pub parts_clean: u32,
}

impl SampleParts {
    pub const MIN: u32 = 2;
    /// The result of each part is an object that is read to know how far the others are.
    pub const MAX: u32 = 1000;

    pub fn new(parts: u32) -> Result<Self, InvalidSample> {
        if (Self::MIN..=Self::MAX).contains(&parts) {
            Ok(Self(parts))
        } else {
            Err(InvalidSample(format!("1 of {parts} parts")))
        }
    }

    pub fn get(self) -> u32 {
        self.0
    }
}

impl Sample {
    pub fn new(part: u32, of: SampleParts) -> Result<Self, InvalidSample> {
        if (1..=of.0).contains(&part) {
            Ok(Self { part, of })
        } else {
            Err(InvalidSample(format!("part {part} of {}", of.0)))
        }
    }

    /// Whether a thing with this hash is in the part.
    pub fn has(self, hash: u64) -> bool {
        hash % u64::from(self.of.0) + 1 == u64::from(self.part)
    }
}

impl TryFrom<Unchecked> for Sample {
    type Error = InvalidSample;

    fn try_from(unchecked: Unchecked) -> Result<Self, InvalidSample> {
        Self::new(unchecked.part, unchecked.of)
    }
}

impl TryFrom<u32> for SampleParts {
    type Error = InvalidSample;

    fn try_from(parts: u32) -> Result<Self, InvalidSample> {
        Self::new(parts)
    }
}

impl From<SampleParts> for u32 {
    fn from(parts: SampleParts) -> Self {
        parts.0
    }
}

/// A percentage, for example `1%`. A part is never larger than that: 3% are 34 parts.
impl FromStr for SampleParts {
    type Err = InvalidSample;

    fn from_str(text: &str) -> Result<Self, InvalidSample> {
        let invalid = || InvalidSample(text.to_owned());
        let percent = text.strip_suffix('%').ok_or_else(invalid)?;
        let percent: f64 = percent.trim_end().parse().map_err(|_| invalid())?;
        if !(0.1..=50.0).contains(&percent) {
            return Err(invalid());
        }
        // Without the division's error 0.1% would be 1001 parts.
        let parts = (100.0 / percent - 1e-9).ceil();
        Self::new(parts as u32).map_err(|_| invalid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_a_number_of_parts_that_are_not_larger() {
        let parts = |text: &str| text.parse::<SampleParts>().map(SampleParts::get);
        for (text, expected) in [
            ("1%", 100),
            ("50%", 2),
            ("0.1%", 1000),
            ("0.3 %", 334),
            ("3%", 34),
            ("49%", 3),
            ("10%", 10),
        ] {
            assert_eq!(parts(text), Ok(expected), "{text}");
        }
        for text in [
            "1", "0%", "0.09%", "51%", "100%", "-1%", "NaN%", "inf%", "%", "a%",
        ] {
            let error = parts(text).expect_err(text);
            assert!(error.to_string().contains(&format!("`{text}`")), "{error}");
        }
    }

    #[test]
    fn each_hash_is_in_one_part() {
        let of = SampleParts::new(7).expect("parts");
        for hash in [0, 1, 6, 7, 1 << 40, u64::MAX] {
            let parts = (1..=7).filter(|part| Sample { part: *part, of }.has(hash));
            assert_eq!(parts.count(), 1, "{hash}");
        }
    }

    #[test]
    fn a_document_with_a_part_that_is_none_is_refused() {
        let read = |text: &str| serde_json::from_str::<Sample>(text);
        assert!(read(r#"{"part":3,"of":3}"#).is_ok());
        for text in [
            r#"{"part":4,"of":3}"#,
            r#"{"part":0,"of":3}"#,
            r#"{"part":1,"of":1}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_document_with_a_number_of_parts_out_of_range_is_refused() {
        for parts in ["1", "0", "1001"] {
            assert!(
                serde_json::from_str::<SampleParts>(parts).is_err(),
                "{parts}"
            );
        }
    }
}
