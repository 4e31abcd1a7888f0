//! A release line: the releases that share their SSTable formats and restore into each other as they are.

use std::fmt;

use crate::{Product, Release};

/// A product's release line, for example `cassandra 4.1` or `hcd 1.x`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// The product that the line belongs to.
    pub product: Product,
    /// The first number of its versions.
    pub major: u32,
    /// `None`: every minor release of this major one.
    pub minor: Option<u32>,
}

pub(crate) const C3_11: Line = minor(Product::Cassandra, 3, 11);
pub(crate) const C4_0: Line = minor(Product::Cassandra, 4, 0);
pub(crate) const C4_1: Line = minor(Product::Cassandra, 4, 1);
pub(crate) const C5_0: Line = minor(Product::Cassandra, 5, 0);
pub(crate) const DSE6_8: Line = minor(Product::Dse, 6, 8);
pub(crate) const DSE6_9: Line = minor(Product::Dse, 6, 9);
pub(crate) const HCD1: Line = major(Product::Hcd, 1);
pub(crate) const HCD2: Line = major(Product::Hcd, 2);

/// Every line that is known, by product and age.
const KNOWN: &[Line] = &[C3_11, C4_0, C4_1, C5_0, DSE6_8, DSE6_9, HCD1, HCD2];

const fn minor(product: Product, major: u32, minor: u32) -> Line {
    Line {
        product,
        major,
        minor: Some(minor),
    }
}

const fn major(product: Product, major: u32) -> Line {
    Line {
        product,
        major,
        minor: None,
    }
}

impl Line {
    /// Every line that is known, by product and age.
    pub fn known() -> impl Iterator<Item = Self> {
        KNOWN.iter().copied()
    }

    /// The release with which the line begins, for example `cassandra 4.1.0`.
    pub fn first_release(&self) -> Release {
        Release {
            product: self.product,
            version: format!("{}.{}.0", self.major, self.minor.unwrap_or(0)),
        }
    }

    /// Whether a release belongs to this line.
    pub fn contains(&self, release: &Release) -> bool {
        let (major, minor) = release.line();
        self.product == release.product
            && self.major == major
            && self.minor.is_none_or(|wanted| wanted == minor)
    }

    /// The version without the product, for example `4.1` or `1.x`.
    pub fn version(&self) -> String {
        match self.minor {
            Some(minor) => format!("{}.{minor}", self.major),
            None => format!("{}.x", self.major),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {}", self.product, self.version()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_contains_its_first_release_and_no_other_line_does() {
        for line in Line::known() {
            let first = line.first_release();
            let containing: Vec<Line> = Line::known().filter(|l| l.contains(&first)).collect();
            assert_eq!(containing, [line], "{first}");
        }
    }
}
