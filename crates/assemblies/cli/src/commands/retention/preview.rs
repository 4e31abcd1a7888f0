//! `ringkeep retention preview`

use api::clients::StorageCatalog;
use jiff::Timestamp;
use model::{BackupState, BackupSummary, ClusterName, Zone};
use plan::TextTable;
use retention::{Backup, FLOOR_DEFAULT, Policy, Standing, decide};
use views::retention::RetentionPreviewView;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::human;

/// Shows which backups of a cluster a policy would keep, which would go, and why. Deletes nothing.
///
/// Each rule keeps backups, and what no rule keeps would go. Only complete backups count; a full backup stays as long as a
/// differential that builds on it. What verifications have found is not read.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The cluster; also one that is no longer registered.
    cluster: ClusterName,
    /// Keeps the newest so many.
    #[arg(long, default_value_t = 0, value_name = "N", help_heading = "Rules")]
    last: u32,
    /// Keeps those of the last so many days.
    #[arg(long, default_value_t = 0, value_name = "N", help_heading = "Rules")]
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
    /// Complete backups that are kept whatever the rules say; at least 1.
    #[arg(long, default_value_t = FLOOR_DEFAULT, value_name = "N", help_heading = "Rules")]
    floor: u32,
    /// Days after which what failed would go.
    #[arg(long, default_value_t = 7, value_name = "N", help_heading = "Rules")]
    failed_days: u32,
    /// By whose calendar: an IANA name.
    #[arg(
        long,
        default_value = "UTC",
        value_name = "ZONE",
        help_heading = "Rules"
    )]
    zone: Zone,
    /// As it would be at this time, RFC 3339; now if absent.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep retention preview prod --last 7
  ringkeep retention preview prod --daily 7 --weekly 4 --monthly 12 --zone Europe/Berlin";

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let policy = policy(&args);
    policy.check().map_err(|why| Failure::Usage {
        message: why.to_string(),
        hint: "for example --last 7, or --daily 7 --weekly 4".into(),
    })?;
    let catalog = context.catalog()?;
    let listed = catalog.list_backups(Some(&args.cluster)).await;
    let listed = listed.map_err(|error| context.failed(Service::StorageCatalog, error))?;
    let backups: Vec<Backup> = listed.iter().map(backup).collect();
    let now = args.at.unwrap_or_else(Timestamp::now);
    let decided = decide(&policy, &backups, now).expect("the policy was checked");
    let view = RetentionPreviewView::new(args.cluster.as_str(), policy, &listed, &decided);
    context.screen.result(&view, |view, _| text(view))
}

fn policy(args: &Args) -> Policy {
    Policy {
        last: args.last,
        days: args.days,
        hourly: args.hourly,
        daily: args.daily,
        weekly: args.weekly,
        monthly: args.monthly,
        yearly: args.yearly,
        floor: args.floor,
        failed_days: args.failed_days,
        zone: args.zone.clone(),
    }
}

fn backup(summary: &BackupSummary) -> Backup {
    // Without a start it cannot be dated, and what cannot be dated is kept.
    let standing = match (summary.state, summary.started_at) {
        (None, _) | (_, None) | (Some(BackupState::Unreadable), _) => Standing::Unreadable,
        (Some(BackupState::Complete), _) => Standing::Good,
        (Some(BackupState::Running), _) => Standing::Running,
        (Some(BackupState::Failed | BackupState::Deleting), _) => Standing::Failed,
    };
    Backup {
        name: summary.backup.name.clone(),
        base: summary.base.clone(),
        started_at: summary.started_at.unwrap_or(Timestamp::MIN),
        standing,
        pin: None,
        in_use: false,
        in_scope: true,
    }
}

fn text(view: &RetentionPreviewView) -> String {
    let mut table = TextTable::new(&[
        "NAME",
        "KIND",
        "STATE",
        "STARTED",
        ">UPLOADED",
        "VERDICT",
        "WHY",
    ]);
    for backup in &view.backups {
        let summary = &backup.summary;
        table.row([
            summary.name.clone(),
            summary.kind.into(),
            summary.state.into(),
            human::time(summary.started_at.as_deref().unwrap_or_default()),
            human::bytes(summary.uploaded_bytes),
            backup.verdict.into(),
            backup.reasons.join("; "),
        ]);
    }
    format!(
        "{}\n{} of {} would go, {} freed; nothing was deleted\n",
        table.render(),
        view.go.len(),
        view.backups.len(),
        human::bytes(view.freed_bytes)
    )
}
