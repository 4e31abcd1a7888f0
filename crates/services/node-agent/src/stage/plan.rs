//! Decides what a call stages: everything, or of a table that is being loaded what Cassandra is not known to have.

use std::collections::{BTreeMap, HashMap};

use cassandra_node::files::blocking;
use cassandra_versions::Release;
use model::manifest::NodeManifest;
use model::{HostId, TableId};

use super::layout::{self, Rules, StagedSstable};
use super::{Stage, StageError};
use crate::agent::Agent;
use crate::load;
use crate::restore::RestoreState;

/// What to stage where, and the counts of tables whose staging is over.
pub(super) async fn plan(
    agent: &Agent,
    stage: &Stage,
    state: &RestoreState,
    manifests: &[(HostId, NodeManifest)],
) -> Result<(Vec<StagedSstable>, BTreeMap<TableId, u64>), StageError> {
    let release = agent.node.identity().await?.release;
    let mut kept = BTreeMap::new();
    let mut open = Vec::new();
    for target in &stage.tables {
        let id = target.target_id;
        let (is_past, loading) = (state.is_past_staging(&id), state.loading.contains_key(&id));
        if is_past || loading {
            let before = state.staged.as_ref().and_then(|staged| staged.get(&id));
            kept.insert(id, before.copied().unwrap_or(0));
        }
        if !is_past {
            open.push(target.clone());
        }
    }
    let rules = Rules {
        keep_time_ids: release.parses_time_ids() && agent.node.yaml.time_ids,
        keep_attached: attached_are_of_use(
            &release,
            manifests.iter().map(|(_, manifest)| &manifest.release),
        ),
    };
    let folders = agent.folders.clone();
    let spaces = blocking(move || layout::disk_spaces(&folders)).await?;
    let mut sstables = layout::lay_out(
        manifests,
        &open,
        &stage.shares,
        &state.placed,
        rules,
        spaces,
    )?;
    leave_out_loaded(agent, stage, state, &mut sstables).await?;
    Ok((sstables, kept))
}

/// Attached indexes are read by the line that wrote them; other lines build their own.
fn attached_are_of_use<'a>(
    target: &Release,
    mut sources: impl Iterator<Item = &'a Release>,
) -> bool {
    sources.all(|source| source.product == target.product && source.line() == target.line())
}

/// Of a table that is being loaded, only what is not proven live is staged again.
async fn leave_out_loaded(
    agent: &Agent,
    stage: &Stage,
    state: &RestoreState,
    sstables: &mut Vec<StagedSstable>,
) -> Result<(), StageError> {
    let mut staging = HashMap::new();
    for data in &agent.folders.data {
        staging.insert(
            data.label.clone(),
            agent.folders.staging_of(data, &stage.restore)?,
        );
    }
    for target in &stage.tables {
        let id = target.target_id;
        if !state.loading.contains_key(&id) || state.is_past_staging(&id) {
            continue;
        }
        let (folders, of, unseen) = (agent.folders.clone(), target.clone(), state.unseen(&id));
        let wanted = blocking(move || load::not_live(&folders, &of, unseen)).await?;
        sstables.retain(|sstable| {
            let placement = &sstable.placement;
            let path = || {
                let folder = staging[&placement.directory].join(&sstable.folder);
                load::data_path(&folder, &placement.to)
            };
            // Cassandra builds the tables of indexes for what it loads.
            placement.table != id || (placement.index.is_none() && wanted.contains(&path()))
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attached_indexes_are_kept_by_the_line_that_wrote_them_only() {
        let release = |text: &str| -> Release { text.parse().expect("a release") };
        for (target, sources, kept) in [
            ("cassandra 5.0.5", vec!["cassandra 5.0.5"], true),
            ("cassandra 5.0.5", vec!["cassandra 5.0.2"], true),
            ("cassandra 5.0.5", vec!["cassandra 4.1.9"], false),
            ("cassandra 4.1.9", vec!["cassandra 4.0.17"], false),
            ("cassandra 5.0.5", vec!["hcd 2.0.6"], false),
            ("hcd 2.0.6", vec!["hcd 2.0.4"], true),
            ("hcd 2.0.6", vec!["hcd 1.2.3"], false),
            ("dse 6.9.3", vec!["dse 6.9.1"], true),
            ("dse 6.9.3", vec!["dse 6.8.50"], false),
            // One node of another line is enough: a restore treats all of its sources alike.
            (
                "cassandra 4.1.9",
                vec!["cassandra 4.1.9", "cassandra 4.0.17"],
                false,
            ),
        ] {
            let of: Vec<Release> = sources.iter().map(|text| release(text)).collect();
            assert_eq!(
                attached_are_of_use(&release(target), of.iter()),
                kept,
                "{sources:?} into {target}"
            );
        }
    }
}
