//! `ringkeep retention preview`

use api::clients::StorageCatalog;
use jiff::Timestamp;
use model::ClusterName;
use plan::TextTable;
use retention::{Backup, Policies};
use views::retention::RetentionPreviewView;

use super::policy::PolicyArgs;
use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::human;

/// Shows which backups of a cluster a policy would keep, which would go, and why. Deletes nothing, and sets no policy.
///
/// Each rule keeps backups, and what no rule keeps would go. Only complete backups in which no damage was found count; a full
/// backup stays as long as a differential that builds on it. Ages are measured against the newest of them, so that a clock
/// that is ahead lets nothing go. `ringkeep retention run --dry-run` shows the same for the policies that are set.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The cluster; also one that is no longer registered.
    cluster: ClusterName,
    #[command(flatten)]
    policy: PolicyArgs,
    /// As it would be at this time, RFC 3339; now if absent.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep retention preview prod --keep-last 7
  ringkeep retention preview prod --daily 7 --weekly 4 --monthly 12 --zone Europe/Berlin";

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let policy = args.policy.checked()?;
    let catalog = context.catalog()?;
    let listed = catalog.list_backups(Some(&args.cluster)).await;
    let listed = listed.map_err(|error| context.failed(Service::StorageCatalog, error))?;
    let backups: Vec<Backup> = listed.iter().map(Backup::from).collect();
    let now = args.at.unwrap_or_else(Timestamp::now);
    let policies = Policies {
        cluster: Some(policy.clone()),
        ..Policies::default()
    };
    let ruled = policies
        .decide(&backups, now)
        .expect("the policy was checked");
    let going = Policies::going(&ruled, &backups);
    let cluster = args.cluster.as_str();
    let view = RetentionPreviewView::new(cluster, policy, &listed, &ruled, &going);
    context.screen.result(&view, |view, _| text(view))
}

fn text(view: &RetentionPreviewView) -> String {
    if view.backups.is_empty() {
        return format!("cluster {} has no backups in the bucket\n", view.cluster);
    }
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
