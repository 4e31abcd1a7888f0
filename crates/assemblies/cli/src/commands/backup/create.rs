//! `ringkeep backup create`

use api::clients::{CreateBackup, TaskRunner};
use model::manifest::{BackupKind, KindWithBase};
use model::{BackupName, ClusterName};
use views::started::BackupStartedView;
use views::task::TaskView;

use crate::completeness::CompletenessArg;
use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::names::SelectionArgs;
use crate::queue::QueueArgs;
use crate::screen::Paint;
use crate::text::{backup, finding};
use crate::wait;

/// Backs a cluster up: plans, and if no finding refuses it, starts a task that runs by itself.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The cluster, as it was registered.
    cluster: ClusterName,
    /// The backup's name; made from the cluster's name and the time if absent.
    #[arg(long, value_name = "N")]
    name: Option<BackupName>,
    /// Full is self-contained; differential holds only what the last full backup does not.
    #[arg(
        long,
        default_value = "full",
        value_name = "KIND",
        help_heading = "What"
    )]
    kind: Kind,
    /// For a differential: the full backup to build on; the newest if absent.
    #[arg(long, value_name = "BACKUP", help_heading = "What")]
    base: Option<BackupName>,
    #[command(flatten)]
    selection: SelectionArgs,
    /// Takes damaged SSTables as they are, and marks the backup; without it the first one ends the backup.
    #[arg(long, help_heading = "What")]
    keep_damaged: bool,
    /// Has the nodes upload everything. Without it a full backup copies files that are unchanged since an earlier backup
    /// inside the store, where the store can do that, so that their bytes do not leave the nodes again.
    #[arg(long, help_heading = "What")]
    reupload: bool,
    /// What of the replicas the backup may go without, because nodes are down or gone.
    #[arg(
        long,
        default_value = "all",
        value_name = "REPLICAS",
        help_heading = "What"
    )]
    completeness: CompletenessArg,
    #[command(flatten)]
    queue: QueueArgs,
    /// Waits until the backup is complete. Ctrl-C stops the waiting (exit code 1), not the backup.
    #[arg(long)]
    wait: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    Full,
    Differential,
}

impl From<Kind> for BackupKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Full => Self::Full,
            Kind::Differential => Self::Differential,
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  ringkeep backup create prod --wait
  ringkeep backup create prod --name before-upgrade --keyspace shop
  ringkeep backup create prod --completeness quorum --wait
  ringkeep backup create prod --queue --priority low
  ringkeep backup create prod --kind differential --table shop.orders --table shop.customers";

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let kind = KindWithBase::requested(args.kind.into(), args.base).map_err(|mismatch| {
        Failure::Usage {
            message: mismatch.to_string(),
            hint: "add --kind differential, or leave --base out".into(),
        }
    })?;
    if args.reupload && kind.kind() == BackupKind::Differential {
        return Err(Failure::Usage {
            message: "a differential backup refers to its base, and uploads the rest".into(),
            hint: "leave --reupload out, or make a full backup".into(),
        });
    }
    let create = CreateBackup {
        cluster: args.cluster,
        name: args.name,
        kind: kind.kind(),
        selection: args.selection.to_model(),
        base: kind.base().cloned(),
        keep_damaged: args.keep_damaged,
        reupload: args.reupload,
        completeness: args.completeness.into(),
        queue: args.queue.to_model(),
    };
    let response = context.task_runner()?.create_backup(create).await;
    let response = response.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let backup = response.backup;
    let mut created = BackupStartedView {
        task_id: response.task.map(|id| id.to_string()),
        backup: backup.name.to_string(),
        cluster: backup.cluster.to_string(),
        findings: response.findings,
        task: None,
        result: None,
    };
    let Some(id) = response.task else {
        context.screen.result(&created, text)?;
        return Err(Failure::Refused {
            what: "backup",
            refusals: finding::refusals(&created.findings),
        });
    };
    if !args.wait {
        context
            .screen
            .talk(&format!("watch it with `ringkeep task watch {id}`"));
        return context.screen.result(&created, text);
    }
    context
        .screen
        .talk(&format!("task {id} makes backup {backup}"));
    let task = wait::until_final(id, context).await?;
    created.task = Some(TaskView::from(&task));
    let ended = wait::verdict(&task);
    if ended.is_ok() {
        let cluster = Some(&backup.cluster);
        created.result = Some(super::get(cluster, &backup.name, context).await?);
    }
    context.screen.result(&created, text)?;
    ended
}

fn text(created: &BackupStartedView, paint: &Paint) -> String {
    let head = match (&created.result, &created.task, &created.task_id) {
        (Some(result), _, _) => backup::summary_text(result),
        (None, Some(task), _) => format!("task {} {}\n", task.id, task.state),
        (None, None, Some(id)) => {
            format!(
                "task {id} makes backup {}/{}\n",
                created.cluster, created.backup
            )
        }
        (None, None, None) => String::new(),
    };
    let closing = created.task.iter().flat_map(|task| task.findings.clone());
    let mut findings = created.findings.clone();
    findings.extend(closing.filter(|finding| !created.findings.contains(finding)));
    match (head.is_empty(), findings.is_empty()) {
        (false, false) => format!("{head}\n{}", finding::text(&findings, paint)),
        _ => head + &finding::text(&findings, paint),
    }
}
