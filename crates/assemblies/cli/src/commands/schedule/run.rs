//! `ringkeep schedule run-now`

use api::clients::TaskRunner;
use views::started::BackupStartedView;

use super::NamedArgs;
use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::screen::Paint;
use crate::text::finding;

/// Makes the backup of a schedule now, also if it is paused. Refused while a run of it has not ended.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    named: NamedArgs,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let named = &args.named;
    let runner = context.task_runner()?;
    let created = runner.run_schedule(&named.cluster, &named.schedule).await;
    let created = created.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let view = BackupStartedView {
        task_id: created.task.map(|id| id.to_string()),
        backup: created.backup.name.to_string(),
        cluster: created.backup.cluster.to_string(),
        findings: created.findings,
        task: None,
        result: None,
    };
    context.screen.result(&view, text)?;
    if view.task_id.is_some() {
        return Ok(());
    }
    Err(Failure::Refused {
        what: "backup",
        refusals: finding::refusals(&view.findings),
    })
}

fn text(view: &BackupStartedView, paint: &Paint) -> String {
    let findings = finding::text(&view.findings, paint);
    match &view.task_id {
        Some(id) => format!(
            "{findings}task {id} makes backup {}/{}\n",
            view.cluster, view.backup
        ),
        None => findings,
    }
}
