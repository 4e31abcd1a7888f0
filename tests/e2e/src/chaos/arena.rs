//! Three real nodes and all services of Ringkeep, with a gate and a wire before each service that the task-runner calls.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use lab::{Cluster, Node, Release, disk};
use nix::sys::signal::Signal;
use tokio::sync::mpsc;

use super::fault::Victim;
use super::gate::{Gate, Held, Place, Wanted};
use super::wire::Wire;
use super::writer;
use crate::{Extras, Process, World};

/// Enough for everything that the seeds of one run leave in snapshots of Cassandra's own.
const DISK_MB: u32 = 768;
/// Retries come soon, and what tasks have left is cleared soon. The cutoff of a restore in place is near; on a busy machine
/// the task-runner doubles the time by itself.
const RUNNER: &str =
    "[tasks]\nstep_retry_max_ms = 2000\nleftovers_every_seconds = 5\nquiesce_seconds = 20\n";

/// Starts of Cassandra that may fail in one run.
const FAILED_STARTS_MAX: u32 = 20;

pub struct Arena {
    pub world: World,
    pub wanted: Wanted,
    pub held: mpsc::UnboundedReceiver<Held>,
    agents: Vec<Wire>,
    catalog: Wire,
    pub has_disks: bool,
    /// Which nodes ran when the supervisor looked last.
    ran: Vec<bool>,
    failed_starts: u32,
}

/// Inside the data folder, where Cassandra does not look: the data folder may be a disk of its own.
fn staging(node: &Node) -> Vec<PathBuf> {
    let folders = node.data_dirs.iter();
    folders.map(|it| it.join("ringkeep/snapshots")).collect()
}

fn agent_lines(node: &Node) -> String {
    format!("staging_directories = {:?}\n", staging(node))
}

impl Arena {
    /// With a full cluster that is registered.
    pub async fn start() -> Result<Self> {
        let arena = Self::start_on(None).await?;
        arena.register().await?;
        arena.world.fill().await?;
        writer::make_table(&arena.world.cluster).await?;
        Ok(arena)
    }

    /// With an empty cluster, on a store that outlives it or on one of its own.
    pub async fn start_on(store: Option<&Path>) -> Result<Self> {
        let has_disks = disk::can_mount();
        let mut cluster = Cluster::builder(Release::C41)
            .nodes(3)
            .num_tokens(4)
            // A node that is killed has what it has acknowledged.
            .setting("commitlog_sync", "batch")
            .setting("commitlog_sync_period", "")
            // A server that cannot write ends, so that its supervisor starts it again.
            .setting("disk_failure_policy", "die");
        if has_disks {
            cluster = cluster.disk_mb(DISK_MB);
        }
        let wanted = Wanted::default();
        let (sender, held) = mpsc::unbounded_channel();
        let catalog_gate = Gate::new(Place::Catalog, wanted.clone(), sender.clone());
        let catalog = Wire::to(catalog_gate.open().await?).await?;
        let extras = Extras {
            agent: Some(agent_lines),
            runner: RUNNER.to_owned(),
            catalog: Some(catalog.address.to_string()),
        };
        let mut world = World::builder(cluster).separate_with(extras);
        if let Some(store) = store {
            world = world.store(store);
        }
        let world = world.start().await?;
        catalog_gate.lead_to(&world.deployment.catalog)?;
        let ran = vec![true; world.cluster.nodes().len()];
        let mut agents = Vec::new();
        for (at, agent) in world.deployment.agents.iter().enumerate() {
            let gate = Gate::new(Place::Agent(at), wanted.clone(), sender.clone());
            gate.lead_to(agent)?;
            agents.push(Wire::to(gate.open().await?).await?);
        }
        Ok(Self {
            world,
            wanted,
            held,
            agents,
            catalog,
            has_disks,
            ran,
            failed_starts: 0,
        })
    }

    /// Registers the cluster by the wires of its agents.
    pub async fn register(&self) -> Result<()> {
        let wires = self.agents.iter();
        let addresses: Vec<String> = wires.map(|wire| wire.address.to_string()).collect();
        self.world.add_cluster_at(&addresses).await.map(drop)
    }

    pub fn wire(&self, place: Place) -> &Wire {
        match place {
            Place::Agent(at) => &self.agents[at],
            Place::Catalog => &self.catalog,
        }
    }

    fn process(&mut self, victim: Victim, node: usize) -> Result<&mut Process> {
        self.world.deployment.process(&match victim {
            Victim::Agent => format!("node-agent-{node}"),
            Victim::Runner => "task-runner".to_owned(),
            Victim::Catalog => "storage-catalog".to_owned(),
            Victim::Cassandra => anyhow::bail!("Cassandra is a process of the lab"),
        })
    }

    /// False: there is none that runs.
    pub async fn kill(&mut self, victim: Victim, node: usize) -> Result<bool> {
        if victim != Victim::Cassandra {
            self.process(victim, node)?.kill()?;
            return Ok(true);
        }
        let node = self.world.cluster.node(node).clone();
        if !node.is_running() {
            return Ok(false);
        }
        tokio::task::spawn_blocking(move || node.kill()).await?;
        Ok(true)
    }

    /// As a supervisor does.
    pub async fn start_again(&mut self, victim: Victim, node: usize) -> Result<()> {
        match victim {
            Victim::Cassandra => self.world.cluster.node(node).start().await,
            _ => self.process(victim, node)?.run().await,
        }
    }

    /// False: there is none that runs.
    pub fn signal(&mut self, victim: Victim, node: usize, signal: Signal) -> Result<bool> {
        if victim != Victim::Cassandra {
            self.process(victim, node)?.signal(signal)?;
            return Ok(true);
        }
        let process = self.world.cluster.node(node).process();
        if let Some(process) = process {
            process.signal(signal);
        }
        Ok(process.is_some())
    }

    pub fn fill_disk(&self, node: usize) -> Result<()> {
        disk::fill(self.data(node)?)
    }

    pub fn free_disk(&self, node: usize) -> Result<()> {
        disk::free(self.data(node)?, DISK_MB)
    }

    fn data(&self, node: usize) -> Result<&PathBuf> {
        let folders = &self.world.cluster.node(node).data_dirs;
        folders.first().context("a node has a data folder")
    }

    /// Starts nodes that have ended by themselves, unless a task may be stopping them: then those that are down are meant to be
    /// until they have been seen running again.
    pub async fn supervise(&mut self, is_stopping: bool) -> Result<()> {
        for (node, ran) in self.world.cluster.nodes().iter().zip(&mut self.ran) {
            if !node.is_running() && *ran && !is_stopping {
                say!("  the supervisor starts Cassandra {} again", node.name);
                // As an init system would: Cassandra may not come up while its disk is full or its peers are down.
                if let Err(error) = start_or_mend(node).await {
                    self.failed_starts += 1;
                    if self.failed_starts > FAILED_STARTS_MAX {
                        return Err(error);
                    }
                    say!(
                        "  Cassandra {} has not started; another try follows",
                        node.name
                    );
                    continue;
                }
            }
            *ran = node.is_running();
        }
        Ok(())
    }

    /// Folders of restores on any node.
    pub fn staged(&self) -> Result<Vec<PathBuf>> {
        let folders = self.world.cluster.nodes().iter().flat_map(staging);
        let found: Result<Vec<_>> = folders.map(|folder| entries(&folder)).collect();
        Ok(found?.concat())
    }

    /// What the store holds of uploads that were begun.
    pub fn unfinished_uploads(&self) -> Result<Vec<PathBuf>> {
        entries(&self.world.store_folder()?.join(".tmp"))
    }
}

/// Cassandra that was killed while it dropped a table may have lost the half of it, and does not start by itself; the task
/// that dropped it drops it again.
async fn start_or_mend(node: &Node) -> Result<()> {
    let Err(error) = node.start().await else {
        return Ok(());
    };
    if !error
        .to_string()
        .contains("Columns not found in schema table")
    {
        return Err(error);
    }
    say!(
        "  half of a dropped table is left on {}: it is ignored, as an operator would have it",
        node.name
    );
    node.start_ignoring_broken_tables().await
}

/// None if there is no such folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder)?;
    entries.map(|entry| Ok(entry?.path())).collect()
}
