//! Every fault while nodes rewrite SSTables of an older release: the one kind of step that a backup of the same release lacks.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lab::{Cluster, Random, Release};

use super::arena::Arena;
use super::coverage::Coverage;
use super::drive::Drive;
use super::fault::FAULTS;
use super::oracle;
use super::schedule::{Moment, Strike};
use super::steps::UPGRADE;
use super::{NODES, words};
use crate::CLUSTER;
use crate::moving::backed_up;

/// What both releases can show of the content.
const READ_AS: Release = Release::C311;

/// Restores a backup of 3.11 once for each fault.
pub async fn run_upgrades(coverage: &mut Coverage) -> Result<()> {
    let store = tempfile::tempdir()?;
    let before = backed_up(Cluster::builder(READ_AS), store.path(), READ_AS).await?;
    let mut arena = Arena::start_on(Some(store.path())).await?;
    arena.register().await?;
    let mut random = Random::named("upgrade", 0);
    for fault in FAULTS {
        let moments = [
            Moment::Before,
            Moment::During(Duration::from_millis(random.below(400))),
            Moment::Replied,
        ];
        let strike = Strike {
            step: UPGRADE,
            fault,
            moment: *random.pick(&moments),
            node: random.below(NODES as u64) as usize,
            away: Duration::from_secs(1),
        };
        let command = |_: usize| words(&["restore", "start", "moving", "--into", CLUSTER, "--yes"]);
        let drive = Drive::new(&mut arena, coverage, &[strike]).await?;
        let ended = drive.through(command).await?;
        ensure!(ended["state"] == "succeeded", "{ended}");
        let found = arena.world.digest_as(READ_AS).await?;
        oracle::same(&before, &found).with_context(|| format!("{fault} at upgradesstables"))?;
        oracle::clean(&arena).await?;
        arena
            .world
            .cluster
            .nodetool_all(&["clearsnapshot", "--all"])
            .await?;
    }
    Ok(())
}
