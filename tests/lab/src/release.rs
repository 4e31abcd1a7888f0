//! The four Cassandra release lines that the lab can run, each at one exact version.

use std::fmt;
use std::str::FromStr;

use anyhow::{Error, bail};
use serde::{Deserialize, Serialize};

use crate::java::Java;

/// A release line; the lab runs one exact version of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Release {
    #[serde(rename = "3.11")]
    C311,
    #[serde(rename = "4.0")]
    C40,
    #[serde(rename = "4.1")]
    C41,
    #[serde(rename = "5.0")]
    C50,
}

impl Release {
    pub const ALL: [Release; 4] = [Release::C311, Release::C40, Release::C41, Release::C50];

    /// The line as people say it, such as `4.1`.
    pub fn line(self) -> &'static str {
        match self {
            Release::C311 => "3.11",
            Release::C40 => "4.0",
            Release::C41 => "4.1",
            Release::C50 => "5.0",
        }
    }

    /// The exact version that is downloaded and run.
    pub fn version(self) -> &'static str {
        match self {
            Release::C311 => "3.11.19",
            Release::C40 => "4.0.17",
            Release::C41 => "4.1.9",
            Release::C50 => "5.0.5",
        }
    }

    /// The only Java that this line is run on here.
    pub fn java(self) -> Java {
        match self {
            Release::C311 => Java::J8,
            Release::C40 | Release::C41 => Java::J11,
            Release::C50 => Java::J17,
        }
    }

    /// From 4.1 on settings carry their unit in the value and `_enabled` at the end of the name.
    pub fn has_unit_settings(self) -> bool {
        self >= Release::C41
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.line())
    }
}

impl FromStr for Release {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        for release in Release::ALL {
            if text == release.line() || text == release.version() {
                return Ok(release);
            }
        }
        bail!("`{text}` is no release of the lab: use 3.11, 4.0, 4.1 or 5.0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_and_its_exact_version_name_the_same_release() {
        for release in Release::ALL {
            assert_eq!(release.line().parse::<Release>().unwrap(), release);
            assert_eq!(release.version().parse::<Release>().unwrap(), release);
        }
        assert!("2.2".parse::<Release>().is_err());
    }
}
