//! A product and its release, as the node itself reports it.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Who makes the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Product {
    /// Apache Cassandra.
    Cassandra,
    /// DataStax Enterprise.
    Dse,
    /// DataStax Hyper-Converged Database.
    Hcd,
}

impl Product {
    /// The name in lower case, as text and JSON have it.
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
    /// The text is not a product followed by a version.
    #[error("`{0}` is not a release; write it like \"cassandra 4.1.9\"")]
    Shape(String),
    /// The product is none that is known.
    #[error("`{0}` is not a product; known are cassandra, dse and hcd")]
    Product(String),
    /// The version does not begin with two numbers.
    #[error("`{0}` is not a version; write it like 4.1.9")]
    Version(String),
}

/// A product and its release, for example `cassandra 4.1.9`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Release {
    /// Who makes it.
    pub product: Product,
    /// As the node reports it, for example `4.1.9` or `5.0-beta1`.
    pub version: String,
}

impl Release {
    /// From a version as the node reports it. Fails if it does not begin with two numbers, such as `4.1`.
    pub fn new(product: Product, version: &str) -> Result<Self, ReleaseError> {
        let release = Self {
            product,
            version: version.to_owned(),
        };
        let is_version = match release.numbers().len() {
            0 => false,
            // For HCD only the line may be known: `1.x-4.0.11-2a99ee441fb7`.
            1 => product == Product::Hcd && version.contains(".x"),
            _ => true,
        };
        if is_version {
            Ok(release)
        } else {
            Err(ReleaseError::Version(version.to_owned()))
        }
    }

    /// HCD by the version that its nodes report, which is that of Cassandra: HCD 1.x is built on 4.0, HCD 2.x on 5.0.
    /// Its own version is not reported. `None` if HCD is not built on this one.
    pub fn hcd_built_on(version: &str) -> Option<Self> {
        let line = match Self::new(Product::Cassandra, version).ok()?.line() {
            (4, 0) => "1.x",
            (5, 0) => "2.x",
            _ => return None,
        };
        Self::new(Product::Hcd, &format!("{line}-{version}")).ok()
    }

    /// Whether the version is one that no release of Apache Cassandra has, such as `5.0.7.0-ea50e91ba01f` with its
    /// commit. Other products, HCD among them, report such versions, and by the version alone nothing shows which
    /// product it is.
    pub fn is_unknown_build(&self) -> bool {
        self.product == Product::Cassandra && (self.has_commit() || self.numbers().len() > 3)
    }

    /// Whether the version ends with a hyphen and 12 hex digits.
    pub(crate) fn has_commit(&self) -> bool {
        before_commit(&self.version).is_some()
    }

    /// Whether the version is two or three numbers and at most one of the suffixes that Apache's releases use.
    pub(crate) fn has_form_of_apache(&self) -> bool {
        let numbers = self.numbers().len();
        let suffix = self
            .version
            .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        (2..=3).contains(&numbers) && is_suffix_of_apache(suffix)
    }

    /// The same without the commit, for a build that is known to be Cassandra.
    pub fn without_commit(self) -> Self {
        let version = before_commit(&self.version).map(str::to_owned);
        Self {
            version: version.unwrap_or(self.version),
            ..self
        }
    }

    /// The leading numbers: `5.0-beta1` is 5, 0.
    pub(crate) fn numbers(&self) -> Vec<u32> {
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

    /// The number after the release line; 0 if there is none.
    pub(crate) fn patch(&self) -> u32 {
        self.numbers().get(2).copied().unwrap_or(0)
    }

    /// Orders two releases of one product by their leading numbers; `5.0-beta1` and `5.0` are equal.
    pub fn cmp_version(&self, other: &Self) -> Ordering {
        self.numbers().cmp(&other.numbers())
    }
}

/// The part before a final hyphen and 12 hex digits.
fn before_commit(version: &str) -> Option<&str> {
    let (base, commit) = version.rsplit_once('-')?;
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (commit.len() == 12 && commit.bytes().all(is_hex)).then_some(base)
}

/// For example `-beta1`, `-SNAPSHOT` or `-alpha2-SNAPSHOT`; none is one, too.
fn is_suffix_of_apache(suffix: &str) -> bool {
    let mut words = suffix.split('-');
    let is_word = |word: &str| {
        let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
        ["alpha", "beta", "rc", "SNAPSHOT"].contains(&word)
    };
    words.next() == Some("") && words.all(is_word)
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
    fn builds_that_are_not_apaches_are_recognized_by_their_commit() {
        let release = |version| Release::new(Product::Cassandra, version).expect("a release");
        for (version, unknown) in [
            ("5.0.7.0-ea50e91ba01f", true),
            ("4.0.11-2a99ee441fb7", true),
            ("4.1.9", false),
            ("4.1-alpha1", false),
            ("5.0-beta1", false),
            ("5.0-rc2", false),
            ("4.0.0-SNAPSHOT", false),
            ("4.0.11-2a99ee441fb", false),
            ("4.0.11-2a99ee441fbg", false),
            // Nor has a release of Apache's four numbers.
            ("5.0.7.0", true),
        ] {
            assert_eq!(release(version).is_unknown_build(), unknown, "{version}");
        }
        let known = release("4.0.11-2a99ee441fb7").without_commit();
        assert_eq!(known.to_string(), "cassandra 4.0.11");
        assert!(!known.is_unknown_build());
        assert_eq!(release("5.0-beta1").without_commit(), release("5.0-beta1"));
    }

    #[test]
    fn versions_of_apache_have_its_suffixes_only() {
        for (version, is_apaches) in [
            ("4.1.9", true),
            ("5.0", true),
            ("5.0-beta1", true),
            ("4.1-alpha1-SNAPSHOT", true),
            ("4.0.0-SNAPSHOT", true),
            ("4.1.9-acme", false),
            ("4.0.11-2a99ee441fb7", false),
            ("5.0.7.0", false),
        ] {
            let release = Release::new(Product::Cassandra, version).expect("a release");
            assert_eq!(release.has_form_of_apache(), is_apaches, "{version}");
        }
    }

    #[test]
    fn the_line_of_hcd_follows_from_the_cassandra_it_is_built_on() {
        for (version, line) in [
            ("4.0.11-2a99ee441fb7", Some((1, 0))),
            ("5.0.7.0-ea50e91ba01f", Some((2, 0))),
            ("4.1.9", None),
            ("six", None),
        ] {
            let hcd = Release::hcd_built_on(version);
            assert_eq!(hcd.as_ref().map(Release::line), line, "{version}");
            if let Some(hcd) = hcd {
                let again: Release = hcd.to_string().parse().expect("a release");
                assert_eq!(again, hcd);
                assert!(hcd.has_import() && !hcd.is_unknown_build(), "{version}");
            }
        }
        assert!("hcd 1.x-4.0.11".parse::<Release>().is_ok());
        assert!("cassandra 4.x".parse::<Release>().is_err());
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
