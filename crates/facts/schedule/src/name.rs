//! Names of schedules, and the names that their backups get.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use model::BackupName;
use serde::{Deserialize, Serialize};

/// The longest name of a schedule. With the time behind it, it is still a label of Kubernetes, which ends at 63.
pub const SCHEDULE_NAME_LEN_MAX: usize = 40;

/// The length of the time in a backup's name, `20261126t020000z`.
const TIME_LEN: usize = 16;

/// A schedule's name, unique within its cluster: a DNS label, so that what is made from it is one too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScheduleName(String);

/// Why a text is not the name of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a schedule's name; allowed are lower-case letters, digits and '-', a letter or digit first and last, and at most {SCHEDULE_NAME_LEN_MAX} characters"
)]
pub struct ScheduleNameError(String);

impl ScheduleName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the backup that is due at a point in time, for example `nightly-20261126t020000z`. It is
    /// the same whenever it is made, and names are in the order of time.
    pub fn backup(&self, due: Timestamp) -> BackupName {
        let due = due.to_zoned(TimeZone::UTC);
        let name = format!("{}-{}", self.0, due.strftime("%Y%m%dt%H%M%Sz"));
        name.parse()
            .expect("a schedule's name with a time behind it is the name of a backup")
    }

    /// The schedule that a backup of this name was made by: the reverse of [`backup`](Self::backup). None if it is not the
    /// name of a scheduled backup.
    pub fn of_backup(backup: &BackupName) -> Option<Self> {
        let name = backup.as_str();
        let (schedule, time) = name.split_at_checked(name.len().checked_sub(TIME_LEN + 1)?)?;
        let due = civil::DateTime::strptime("-%Y%m%dt%H%M%Sz", time).ok()?;
        let due = due.to_zoned(TimeZone::UTC).ok()?.timestamp();
        let schedule: Self = schedule.parse().ok()?;
        // Forms of a time that `backup` never writes are not its own.
        (schedule.backup(due) == *backup).then_some(schedule)
    }
}

impl fmt::Display for ScheduleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ScheduleName {
    type Err = ScheduleNameError;

    fn from_str(text: &str) -> Result<Self, ScheduleNameError> {
        let is_letter_or_digit = |c: &u8| c.is_ascii_lowercase() || c.is_ascii_digit();
        let bytes = text.as_bytes();
        let fits = !bytes.is_empty()
            && bytes.len() <= SCHEDULE_NAME_LEN_MAX
            && bytes.iter().all(|c| is_letter_or_digit(c) || *c == b'-')
            && bytes.first().is_some_and(is_letter_or_digit)
            && bytes.last().is_some_and(is_letter_or_digit);
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(ScheduleNameError(text.to_owned()))
        }
    }
}

impl TryFrom<String> for ScheduleName {
    type Error = ScheduleNameError;

    fn try_from(text: String) -> Result<Self, ScheduleNameError> {
        text.parse()
    }
}

impl From<ScheduleName> for String {
    fn from(name: ScheduleName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_named_after_its_schedule_and_the_time_it_is_due() {
        let name: ScheduleName = "nightly".parse().expect("a name");
        let due = "2026-11-26T02:00:00Z".parse().expect("a time");
        assert_eq!(name.backup(due).as_str(), "nightly-20261126t020000z");
    }

    #[test]
    fn the_schedule_of_a_backup_is_known_by_its_name() {
        let of = |name: &str| {
            let name: BackupName = name.parse().expect("a name");
            ScheduleName::of_backup(&name).map(String::from)
        };
        assert_eq!(of("nightly-20261126t020000z").as_deref(), Some("nightly"));
        let nested = "a-20261126t020000z-20261127t020000z";
        assert_eq!(of(nested).as_deref(), Some("a-20261126t020000z"));
        for other in [
            "nightly",
            "prod-20261126t020000Z",
            "Nightly-20261126t020000z",
            "nightly-20261326t020000z",
            "nightly20261126t020000z",
            "-20261126t020000z",
            "20261126t020000z",
        ] {
            let Ok(name) = other.parse::<BackupName>() else {
                continue;
            };
            assert_eq!(ScheduleName::of_backup(&name), None, "{other}");
        }
    }

    #[test]
    fn the_longest_name_makes_a_label_of_kubernetes() {
        let longest = "x".repeat(SCHEDULE_NAME_LEN_MAX);
        let name: ScheduleName = longest.parse().expect("a name");
        assert!(name.backup(Timestamp::UNIX_EPOCH).as_str().len() <= 63);
        assert!(format!("{longest}x").parse::<ScheduleName>().is_err());
    }

    #[test]
    fn names_that_are_not_dns_labels_are_refused() {
        for text in ["", "Nightly", "a_b", "a.b", "-a", "a-", "ä", "a b"] {
            assert!(text.parse::<ScheduleName>().is_err(), "{text}");
        }
    }
}
