//! A time zone by its IANA name.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

/// A time zone by its IANA name, for example `Europe/Berlin`. By default `UTC`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

/// A name that no time zone has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time zone; write it like Europe/Berlin or UTC")]
pub struct ZoneError(String);

impl Zone {
    /// Its IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A point in time as clocks of this zone show it.
    pub fn at(&self, time: Timestamp) -> Zoned {
        time.to_zoned(self.rules.clone())
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self {
            name: "UTC".to_owned(),
            rules: TimeZone::UTC,
        }
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl FromStr for Zone {
    type Err = ZoneError;

    fn from_str(text: &str) -> Result<Self, ZoneError> {
        let rules = TimeZone::get(text).map_err(|_| ZoneError(text.to_owned()))?;
        // As the database spells it: names are compared without case.
        let name = rules.iana_name().unwrap_or(text).to_owned();
        Ok(Self { name, rules })
    }
}

impl TryFrom<String> for Zone {
    type Error = ZoneError;

    fn try_from(text: String) -> Result<Self, ZoneError> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_known_by_its_iana_name() {
        for (text, name) in [
            ("UTC", "UTC"),
            ("Europe/Berlin", "Europe/Berlin"),
            ("europe/berlin", "Europe/Berlin"),
        ] {
            assert_eq!(text.parse::<Zone>().expect("a zone").name(), name);
        }
        for text in ["", "CEST+2", "Berlin", "Mars/Olympus"] {
            assert!(text.parse::<Zone>().is_err(), "{text}");
        }
    }
}
