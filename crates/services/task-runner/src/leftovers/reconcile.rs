//! Reconciles what is left on nodes and in the bucket with the tasks that have ended, at the start and from time to time.

use std::sync::Arc;
use std::time::Duration;

use model::ClusterName;
use model::leftover::{LeftoverKind, LeftoverOwner};
use state_store::Expected;

use super::Found;
use crate::cluster;
use crate::engine::{Engine, Stored, TaskRecord};
use crate::error::RunnerError;
use crate::signals;

/// Reconciles until the runner drains; never if its setting is 0.
pub(crate) async fn reconcile_loop(engine: Arc<Engine>) {
    let every = Duration::from_secs(engine.context.config.leftovers_every_seconds);
    if every.is_zero() {
        return;
    }
    loop {
        tokio::select! {
            () = engine.drain.cancelled() => return,
            () = reconcile(&engine) => {}
        }
        tokio::select! {
            () = engine.drain.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
    }
}

async fn reconcile(engine: &Engine) {
    if let Err(error) = release_all(engine).await {
        warn(&error);
    }
    let clusters = match cluster::list(&engine.context).await {
        Ok(clusters) => clusters,
        Err(error) => return warn(&error),
    };
    for cluster in clusters {
        if let Err(error) = clear_ended(engine, &cluster.name).await {
            warn(&error);
        }
    }
}

fn warn(error: &RunnerError) {
    let error = api::error::chain(error);
    tracing::warn!(error, "leftovers could not be reconciled");
}

/// Clears what ended tasks have left. Old files stay: whether a restore in place is good is not for the runner to say.
async fn clear_ended(engine: &Engine, cluster: &ClusterName) -> Result<(), RunnerError> {
    let found = Found::on(&engine.context, cluster).await?;
    signals::note_reach(&engine.context, cluster, found.unreachable.len()).await;
    for agent in &found.unreachable {
        tracing::debug!(
            agent = agent.agent,
            why = agent.reason,
            "leftovers not known"
        );
    }
    let is_wanted = |kind| kind != LeftoverKind::OldFiles;
    for (task, owner) in &found.owners {
        if *owner != LeftoverOwner::Ended {
            continue;
        }
        for (agent, cleared) in found.clear(engine, *task, &is_wanted).await? {
            let kind = cleared.kind;
            match cleared.kept_because {
                None => tracing::info!(
                    agent,
                    task_id = %task,
                    ?kind,
                    bytes = cleared.freed_bytes,
                    "leftover of an ended task cleared"
                ),
                Some(why) => tracing::warn!(agent, task_id = %task, ?kind, why, "leftover stays"),
            }
        }
    }
    Ok(())
}

/// Releases what ended tasks still hold in the bucket, if something that only tidies up had failed in them.
async fn release_all(engine: &Engine) -> Result<(), RunnerError> {
    let records = engine.context.tasks.all_records().await?;
    for record in records.iter().filter(|record| is_untidy(record)) {
        release(engine, record).await?;
    }
    Ok(())
}

fn is_untidy(record: &TaskRecord) -> bool {
    record.untidy && record.state.is_final() && !record.has_leftovers()
}

/// Under the task's lease, so that it is not resumed meanwhile.
async fn release(engine: &Engine, record: &TaskRecord) -> Result<(), RunnerError> {
    let tasks = &engine.context.tasks;
    let Ok(fence) = tasks.acquire(record.id, &engine.holder).await else {
        return Ok(());
    };
    let released = async {
        let Some(Stored {
            mut record,
            version,
        }) = tasks.get(record.id).await?
        else {
            return Ok(());
        };
        if !is_untidy(&record) {
            return Ok(());
        }
        let kind = engine.kind(record.kind)?;
        match kind.release(&engine.context, &record).await {
            Ok(()) => {
                record.untidy = false;
                let expected = Expected::Version(version);
                tasks.save_record(&record, expected, &fence).await?;
            }
            Err(error) => {
                let error = error.text();
                tracing::warn!(task_id = %record.id, error, "an ended task still holds what it had in the bucket");
            }
        }
        Ok(())
    };
    let released = released.await;
    tasks.release(&fence).await;
    released
}
