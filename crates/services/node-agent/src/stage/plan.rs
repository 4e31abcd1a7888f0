//! Decides what a call stages: everything, or of a table that is being loaded what Cassandra is not known to have.

use std::collections::{BTreeMap, HashMap};

use cassandra_node::files::blocking;
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
        // Attached indexes are read by the line that wrote them; others build their own.
        keep_attached: manifests.iter().all(|(_, manifest)| {
            manifest.release.product == release.product && manifest.release.line() == release.line()
        }),
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
