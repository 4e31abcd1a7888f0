//! A product and its release, as the node itself reports it.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Product {
    Cassandra,
    Dse,
    Hcd,
}

impl Product {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cassandra => "cassandra",
            Self::Dse => "dse",
            Self::Hcd => "hcd",
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text does not name a release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    #[error("`{0}` is not a release; write it like \"cassandra 4.1.9\"")]
    Shape(String),
    #[error("`{0}` is not a product; known are cassandra, dse and hcd")]
    Product(String),
    #[error("`{0}` is not a version; write it like 4.1.9")]
    Version(String),
}

/// A product and its release, for example `cassandra 4.1.9`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Release {
    pub product: Product,
    /// As the node reports it, for example `4.1.9` or `5.0-beta1`.
    pub version: String,
}

impl Release {
    pub fn new(product: Product, version: &str) -> Result<Self, ReleaseError> {
        let release = Self {
            product,
            version: version.to_owned(),
        };
        match release.numbers().len() {
            0 | 1 => Err(ReleaseError::Version(version.to_owned())),
            _ => Ok(release),
        }
    }

    /// The leading numbers: `5.0-beta1` is 5, 0.
    fn numbers(&self) -> Vec<u32> {
        let end = self
            .version
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(self.version.len());
        self.version[..end]
            .split('.')
            .map_while(|part| part.parse().ok())
            .collect()
    }

    /// Major and minor: the release line.
    pub fn line(&self) -> (u32, u32) {
        let numbers = self.numbers();
        (
            numbers.first().copied().unwrap_or(0),
            numbers.get(1).copied().unwrap_or(0),
        )
    }

    /// The number after the release line; 0 where there is none.
    pub(crate) fn patch(&self) -> u32 {
        self.numbers().get(2).copied().unwrap_or(0)
    }

    /// Orders two releases of one product.
    pub fn cmp_version(&self, other: &Self) -> Ordering {
        self.numbers().cmp(&other.numbers())
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.product, self.version)
    }
}

impl FromStr for Release {
    type Err = ReleaseError;

    fn from_str(text: &str) -> Result<Self, ReleaseError> {
        let mut words = text.split_whitespace();
        let (Some(product), Some(version), None) = (words.next(), words.next(), words.next())
        else {
            return Err(ReleaseError::Shape(text.to_owned()));
        };
        let product = match product.to_ascii_lowercase().as_str() {
            "cassandra" => Product::Cassandra,
            "dse" => Product::Dse,
            "hcd" => Product::Hcd,
            _ => return Err(ReleaseError::Product(product.to_owned())),
        };
        Self::new(product, version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_ordered_by_their_numbers() {
        let release = |text: &str| text.parse::<Release>().expect("a release");
        assert_eq!(
            release("cassandra 4.1.10").cmp_version(&release("Cassandra 4.1.9")),
            Ordering::Greater
        );
        assert_eq!(release("cassandra 5.0-beta1").line(), (5, 0));
    }

    #[test]
    fn what_is_not_a_release_is_refused_by_its_part() {
        assert!(matches!(
            "4.1".parse::<Release>(),
            Err(ReleaseError::Shape(_))
        ));
        assert!(matches!(
            "scylla 5.0".parse::<Release>(),
            Err(ReleaseError::Product(_))
        ));
        assert!(matches!(
            "dse six".parse::<Release>(),
            Err(ReleaseError::Version(_))
        ));
    }
}
