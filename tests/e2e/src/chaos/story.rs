//! The story of one seed: a backup, changes, a restore, and the way back or the acceptance, all under faults.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use lab::session;

use super::arena::Arena;
use super::coverage::Coverage;
use super::drive::Drive;
use super::oracle::{self, Moments};
use super::schedule::{Mode, Schedule};
use super::words;
use super::writer::Writer;
use crate::{CLUSTER, assert_differ};

/// Ids of one seed's writes; those of a table that came back are never written again.
const IDS_EACH: i32 = 1_000_000;

/// Carries a schedule through; `number` counts the stories of the arena.
pub async fn run(
    arena: &mut Arena,
    coverage: &mut Coverage,
    schedule: &Schedule,
    number: usize,
) -> Result<()> {
    let begun = Instant::now();
    let Schedule { seed, mode, .. } = schedule;
    say!("chaos seed {seed}: {mode:?}");
    let first = IDS_EACH * i32::try_from(number)?;
    let writer = Writer::start(&arena.world.cluster, first).await?;
    let mut story = Story {
        arena,
        coverage,
        schedule,
        writer,
    };
    story
        .told()
        .await
        .with_context(|| format!("chaos seed {seed}"))?;
    say!("chaos seed {seed}: done after {:?}", begun.elapsed());
    Ok(())
}

struct Story<'a> {
    arena: &'a mut Arena,
    coverage: &'a mut Coverage,
    schedule: &'a Schedule,
    writer: Writer,
}

impl Story<'_> {
    async fn told(&mut self) -> Result<()> {
        let backing_up = self.writer.until_served().await?;
        let before = self.arena.world.digest().await?;
        let backup = self.backed_up().await?;
        let backed_up = self.writer.mark();
        self.changed().await?;
        let restoring = self.writer.until_served().await?;
        let changed = self.arena.world.digest().await?;
        assert_differ(&before, &changed);

        let restore = self.restored(&backup).await?;
        let restored = self.writer.mark();
        let at = Moments {
            backing_up,
            backed_up,
            restoring,
            restored,
        };
        oracle::writes_after_restore(self.arena, &self.writer, &at).await?;
        oracle::same(&before, &self.arena.world.digest().await?).context("after the restore")?;
        match (self.schedule.mode, &self.schedule.rollback) {
            (Mode::Online, _) => {}
            (Mode::InPlace, None) => {
                let accept = ["restore", "accept", &restore, "--yes", "--wait"];
                self.arena.world.cli().ok(&accept).await?;
            }
            (Mode::InPlace, Some(_)) => {
                self.rolled_back(&restore).await?;
                oracle::writes_after_rollback(self.arena, &self.writer, &at).await?;
                let found = self.arena.world.digest().await?;
                oracle::same(&changed, &found).context("after the rollback")?;
            }
        }
        oracle::clean(self.arena).await.context("at the end")?;
        // Refused while anything holds it.
        let delete = ["backup", "delete", &backup, "--yes"];
        self.arena.world.cli().ok(&delete).await?;
        self.arena
            .world
            .cluster
            .nodetool_all(&["clearsnapshot", "--all"])
            .await?;
        Ok(())
    }

    /// The name of a backup that is whole.
    async fn backed_up(&mut self) -> Result<String> {
        let seed = self.schedule.seed;
        let command = |number: usize| {
            let name = format!("seed-{seed}-{number}");
            words(&["backup", "create", CLUSTER, "--name", &name])
        };
        let strikes = &self.schedule.backup;
        let drive = Drive::new(self.arena, self.coverage, strikes).await?;
        let ended = drive.through(command).await?;
        let backup = ended["backup"].as_str().context("the backup's name")?;
        let verify = ["backup", "verify", backup];
        self.arena.world.cli().ok(&verify).await?;
        Ok(backup.to_owned())
    }

    /// Rows change, and a table is gone.
    async fn changed(&mut self) -> Result<()> {
        let world = &self.arena.world;
        world.cluster.wait_ready().await?;
        world.change(self.schedule.seed).await?;
        let session = world.cluster.session().await?;
        session::run(&session, "DROP TABLE shop.baskets").await
    }

    /// The id of the restore's task.
    async fn restored(&mut self, backup: &str) -> Result<String> {
        let mode = match self.schedule.mode {
            Mode::Online => "online",
            Mode::InPlace => "in-place",
        };
        let command = |_: usize| {
            words(&[
                "restore", "start", backup, "--into", CLUSTER, "--mode", mode, "--yes",
            ])
        };
        let strikes = &self.schedule.restore;
        let drive = Drive::new(self.arena, self.coverage, strikes).await?;
        id_of(&drive.through(command).await?)
    }

    async fn rolled_back(&mut self, restore: &str) -> Result<()> {
        let command = |_: usize| words(&["restore", "rollback", restore, "--yes"]);
        let strikes = self.schedule.rollback.as_deref().unwrap_or_default();
        let drive = Drive::new(self.arena, self.coverage, strikes).await?;
        let ended = drive.through(command).await?;
        ensure!(ended["kind"] == "rollback", "{ended}");
        Ok(())
    }
}

fn id_of(task: &serde_json::Value) -> Result<String> {
    Ok(task["id"].as_str().context("a task's id")?.to_owned())
}
