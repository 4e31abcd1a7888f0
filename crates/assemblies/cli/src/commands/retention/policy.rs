//! A policy as it is written on the command line.

use model::Zone;
use retention::{FAILED_DAYS_DEFAULT, FLOOR_DEFAULT, Policy};

use crate::failure::Failure;

/// Rules, each of which keeps backups.
#[derive(Debug, clap::Args)]
pub struct PolicyArgs {
    /// Keeps the newest so many.
    #[arg(
        long = "keep-last",
        alias = "last",
        default_value_t = 0,
        value_name = "N",
        help_heading = "Rules"
    )]
    last: u32,
    /// Keeps those that are younger than so many days.
    #[arg(
        long = "keep-days",
        alias = "days",
        default_value_t = 0,
        value_name = "N",
        help_heading = "Rules"
    )]
    days: u32,
    /// Keeps the newest of each of so many hours that have any.
    #[arg(long, default_value_t = 0, value_name = "N", help_heading = "Rules")]
    hourly: u32,
    /// The same by days.
    #[arg(long, default_value_t = 0, value_name = "N", help_heading = "Rules")]
    daily: u32,
    /// The same by weeks, which begin on Mondays.
    #[arg(long, default_value_t = 0, value_name = "N", help_heading = "Rules")]
    weekly: u32,
    /// The same by months.
    #[arg(long, default_value_t = 0, value_name = "N", help_heading = "Rules")]
    monthly: u32,
    /// The same by years.
    #[arg(long, default_value_t = 0, value_name = "N", help_heading = "Rules")]
    yearly: u32,
    /// The newest good backups that are kept whatever the rules say; at least 1.
    #[arg(long, default_value_t = FLOOR_DEFAULT, value_name = "N", help_heading = "Rules")]
    floor: u32,
    /// Days after which what failed or is damaged goes, since it was begun or since damage was found.
    #[arg(long, default_value_t = FAILED_DAYS_DEFAULT, value_name = "N", help_heading = "Rules")]
    failed_days: u32,
    /// By whose calendar: an IANA name.
    #[arg(
        long,
        default_value = "UTC",
        value_name = "ZONE",
        help_heading = "Rules"
    )]
    zone: Zone,
}

impl PolicyArgs {
    /// The policy, if it may be applied.
    pub fn checked(&self) -> Result<Policy, Failure> {
        let policy = Policy {
            last: self.last,
            days: self.days,
            hourly: self.hourly,
            daily: self.daily,
            weekly: self.weekly,
            monthly: self.monthly,
            yearly: self.yearly,
            floor: self.floor,
            failed_days: self.failed_days,
            zone: self.zone.clone(),
            keep_all: false,
        };
        match policy.check() {
            Ok(()) => Ok(policy),
            Err(why) => Err(Failure::Usage {
                message: why.to_string(),
                hint: "for example --keep-last 7, or --daily 7 --weekly 4".into(),
            }),
        }
    }
}
