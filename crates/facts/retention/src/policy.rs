//! Which backups are kept.

use model::Zone;
use serde::{Deserialize, Serialize};

use crate::Period;

/// The newest good backups that are kept whatever their age, unless a policy has another number.
pub const FLOOR_DEFAULT: u32 = 2;
/// Days after which what failed goes, unless a policy has another number.
pub const FAILED_DAYS_DEFAULT: u32 = 7;

/// Rules, each of which keeps backups; what no rule keeps goes. Failed, damaged and running backups are never counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The newest so many.
    #[serde(default)]
    pub last: u32,
    /// Those that are younger.
    #[serde(default)]
    pub days: u32,
    /// The newest one of each of so many hours that have any.
    #[serde(default)]
    pub hourly: u32,
    /// The same by days.
    #[serde(default)]
    pub daily: u32,
    /// The same by weeks, which begin on Mondays.
    #[serde(default)]
    pub weekly: u32,
    /// The same by months.
    #[serde(default)]
    pub monthly: u32,
    /// The same by years.
    #[serde(default)]
    pub yearly: u32,
    /// The newest good ones, so many, are kept whatever the other rules say; at least one.
    #[serde(default = "floor_default")]
    pub floor: u32,
    /// Days after which what failed or is damaged goes, since it was begun or since damage was found in it.
    #[serde(default = "failed_days_default")]
    pub failed_days: u32,
    /// By whose calendar.
    #[serde(default)]
    pub zone: Zone,
    /// Everything, whatever the other rules say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_all: bool,
}

fn floor_default() -> u32 {
    FLOOR_DEFAULT
}

fn failed_days_default() -> u32 {
    FAILED_DAYS_DEFAULT
}

/// Why a policy is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// No rule keeps anything, so that only the floor would be left.
    #[error(
        "the policy has no rule; set at least one of last, days, hourly, daily, weekly, monthly and yearly"
    )]
    NoRule,
    /// A floor of zero would let the last good backup go.
    #[error("the floor is 0; at least one good backup is always kept")]
    NoFloor,
}

impl Policy {
    /// A policy without rules; it is refused until it has one.
    pub fn new() -> Self {
        Self {
            last: 0,
            days: 0,
            hourly: 0,
            daily: 0,
            weekly: 0,
            monthly: 0,
            yearly: 0,
            floor: floor_default(),
            failed_days: failed_days_default(),
            zone: Zone::default(),
            keep_all: false,
        }
    }

    /// Keeps everything.
    pub fn keeping_all() -> Self {
        Self {
            keep_all: true,
            ..Self::new()
        }
    }

    /// Whether it may be applied.
    pub fn check(&self) -> Result<(), PolicyError> {
        let periods = Period::ALL.map(|period| self.of(period));
        if !self.keep_all
            && self.last == 0
            && self.days == 0
            && periods.iter().all(|kept| *kept == 0)
        {
            return Err(PolicyError::NoRule);
        }
        if self.floor == 0 {
            return Err(PolicyError::NoFloor);
        }
        Ok(())
    }

    /// How many periods of a kind keep a backup.
    pub fn of(&self, period: Period) -> u32 {
        match period {
            Period::Hour => self.hourly,
            Period::Day => self.daily,
            Period::Week => self.weekly,
            Period::Month => self.monthly,
            Period::Year => self.yearly,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}
