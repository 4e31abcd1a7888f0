//! A Cassandra cluster with Ringkeep beside it, and the steps that all paths share.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use anyhow::{Context, Result, bail, ensure};
use lab::digest::{self, Digest, Reading, diff};
use lab::workload::{self, KEYSPACES, Scale};
use lab::{Cluster, ClusterBuilder, Minio, Release};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Answer, Cli, Deployment, Extras, Shape, Store};

/// The name under which the cluster is registered.
pub const CLUSTER: &str = "prod";

/// How many nodes the worlds of one test program may have at a time. A small machine can run that many, and one world
/// alone leaves it idle: most of a test's time is waiting for a node.
const NODES_AT_ONCE: u32 = 4;
static NODES: LazyLock<Arc<Semaphore>> =
    LazyLock::new(|| Arc::new(Semaphore::new(NODES_AT_ONCE as usize)));

pub struct World {
    // Dropped in this order: Ringkeep first, then the store, then Cassandra, then the folder, then its place for another world.
    pub deployment: Deployment,
    pub store: Store,
    pub cluster: Cluster,
    folder: TempDir,
    _place: OwnedSemaphorePermit,
}

pub struct WorldBuilder {
    cluster: ClusterBuilder,
    shape: Shape,
    s3: bool,
    store: Option<PathBuf>,
    agents_as: Option<(&'static str, &'static str)>,
    extras: Extras,
}

impl World {
    pub fn builder(cluster: ClusterBuilder) -> WorldBuilder {
        WorldBuilder {
            cluster,
            shape: Shape::Standalone,
            s3: false,
            store: None,
            agents_as: None,
            extras: Extras::default(),
        }
    }

    pub fn cli(&self) -> &Cli {
        &self.deployment.cli
    }

    /// A folder of this world's own.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the objects lie, if the store is a folder.
    pub fn store_folder(&self) -> Result<&Path> {
        match &self.store {
            Store::Folder(path) => Ok(path),
            Store::S3 { .. } => bail!("the store is not a folder"),
        }
    }

    /// Registers the cluster with all its agents.
    pub async fn add_cluster(&self) -> Result<Answer> {
        self.add_cluster_at(&self.deployment.agents).await
    }

    /// The same, with agents that the task-runner reaches at these addresses.
    pub async fn add_cluster_at(&self, agents: &[String]) -> Result<Answer> {
        let mut arguments = vec!["cluster", "add", CLUSTER];
        for agent in agents {
            arguments.extend(["--agent", agent]);
        }
        self.cli().ok(&arguments).await
    }

    /// Changes the settings of standalone, and starts it again.
    pub async fn reconfigure(&mut self, change: impl FnOnce(String) -> String) -> Result<()> {
        let config = self.folder().join("ringkeep/standalone.toml");
        let text = fs::read_to_string(&config)?;
        let changed = change(text.clone());
        ensure!(changed != text, "nothing is changed in {text}");
        fs::write(&config, changed)?;
        let process = self.deployment.process("standalone")?;
        process.kill()?;
        process.run().await
    }

    /// Leaves the agents nothing but nodetool, which a test may have replaced.
    pub async fn control_by_nodetool(&mut self) -> Result<()> {
        self.reconfigure(|text| {
            let lines = text.lines().filter(|line| !line.starts_with("jmx_address"));
            lines.collect::<Vec<_>>().join("\n")
        })
        .await
    }

    pub async fn fill(&self) -> Result<()> {
        workload::fill(&self.cluster, Scale::Small).await
    }

    /// Updates, inserts and deletes in a way that digests show.
    pub async fn change(&self, seed: u64) -> Result<()> {
        workload::change(&self.cluster, seed).await
    }

    pub async fn digest(&self) -> Result<Digest> {
        self.digest_as(self.cluster.release()).await
    }

    /// As a cluster of an older release would show it, to compare across releases. A dropped keyspace has no content.
    pub async fn digest_as(&self, release: Release) -> Result<Digest> {
        // Nodes that were restarted take a moment to see each other, and the digest asks all replicas.
        self.cluster.wait_ready().await?;
        let session = self.cluster.session().await?;
        let query = "SELECT keyspace_name FROM system_schema.keyspaces";
        let mut there = Vec::new();
        for row in lab::session::rows(&session, query).await? {
            let name = row.into_iter().next().flatten();
            there.extend(name.and_then(|name| name.into_string()));
        }
        let keyspaces: Vec<&str> = KEYSPACES
            .into_iter()
            .filter(|name| there.iter().any(|other| other == name))
            .collect();
        digest::digest(&session, release, &keyspaces, Reading::default()).await
    }

    /// Makes a backup and waits for it.
    pub async fn backup(&self, name: &str, kind: &str) -> Result<Answer> {
        self.cli()
            .ok(&[
                "backup", "create", CLUSTER, "--name", name, "--kind", kind, "--wait",
            ])
            .await
    }

    /// Restores into the same cluster and waits for it.
    pub async fn restore(&self, backup: &str, mode: &str) -> Result<Answer> {
        self.until_schema_agrees(backup).await?;
        self.cli()
            .ok(&[
                "restore", "start", backup, "--into", CLUSTER, "--mode", mode, "--wait", "--yes",
            ])
            .await
    }

    /// Does what the finding SCHEMA_DISAGREEMENT says to do: waits, and plans again.
    async fn until_schema_agrees(&self, backup: &str) -> Result<()> {
        for _ in 0..60 {
            let plan = self
                .cli()
                .run(&["restore", "plan", backup, "--into", CLUSTER])
                .await?;
            if !plan
                .finding_codes()
                .contains(&"SCHEMA_DISAGREEMENT".to_owned())
            {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
        bail!("the nodes do not come to one schema")
    }

    /// Drops a keyspace as a mistake at night would.
    pub async fn drop_keyspace(&self, keyspace: &str) -> Result<()> {
        let session = self.cluster.session().await?;
        lab::session::run(&session, &format!("DROP KEYSPACE {keyspace}")).await
    }

    /// Names of the Data components in the live folders of the user keyspaces of the first node.
    pub fn live_data_files(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for folder in &self.cluster.node(0).data_dirs {
            for path in folder_objects(folder, "-Data.db")? {
                let text = path.to_string_lossy();
                let is_copy = text.contains("/snapshots/") || text.contains("/backups/");
                if !text.contains("/system") && !is_copy {
                    let name = path.file_name().unwrap_or_default();
                    names.push(name.to_string_lossy().into_owned());
                }
            }
        }
        Ok(names)
    }

    /// Whether any node still has a snapshot of ours or a staging folder.
    pub fn leftovers(&self) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for node in self.cluster.nodes() {
            walk(&node.dir, &mut |path| {
                let name = path
                    .file_name()
                    .and_then(|name| name.to_str())
                    .unwrap_or_default();
                let parent = path
                    .parent()
                    .and_then(Path::file_name)
                    .and_then(|name| name.to_str());
                let snapshot = parent == Some("snapshots") && name.starts_with("ringkeep");
                let staged = parent.is_some_and(|parent| parent.starts_with("ringkeep-staging"));
                if snapshot || staged {
                    found.push(path.to_path_buf());
                }
            })?;
        }
        Ok(found)
    }
}

impl WorldBuilder {
    /// Four services and an agent for each node, each a process.
    pub fn separate(mut self) -> Self {
        self.shape = Shape::Separate;
        self
    }

    /// The same, with more settings.
    pub fn separate_with(mut self, extras: Extras) -> Self {
        self.shape = Shape::Separate;
        self.extras = extras;
        self
    }

    /// Backups go to a real MinIO.
    pub fn s3(mut self) -> Self {
        self.s3 = true;
        self
    }

    /// Backups go to this folder, which outlives the world.
    pub fn store(mut self, folder: &Path) -> Self {
        self.store = Some(folder.to_path_buf());
        self
    }

    /// The agents log in by this name and password, which need not exist yet, and not as the superuser.
    pub fn agents_as(mut self, role: &'static str, password: &'static str) -> Self {
        self.agents_as = Some((role, password));
        self
    }

    pub async fn start(self) -> Result<World> {
        let wanted = NODES_AT_ONCE.min(self.cluster.node_count());
        let place = NODES.clone().acquire_many_owned(wanted).await?;
        let folder = tempfile::Builder::new().prefix("ringkeep-e2e-").tempdir()?;
        let cluster = self.cluster.start().await.context("bring up Cassandra")?;
        let store = match (self.s3, self.store) {
            (true, _) => {
                let bucket = "backups".to_owned();
                let minio = Minio::start(folder.path().join("minio")).await?;
                minio.create_bucket(&bucket)?;
                Store::S3 { minio, bucket }
            }
            (false, Some(path)) => Store::Folder(path),
            (false, None) => Store::Folder(folder.path().join("store")),
        };
        let superuser = Some(("cassandra", "cassandra"));
        let credentials = match cluster.has_authenticator() {
            true => self.agents_as.or(superuser),
            false => None,
        };
        let ringkeep = folder.path().join("ringkeep");
        let nodes = cluster.nodes();
        let deployment = match self.shape {
            Shape::Standalone => {
                Deployment::start(self.shape, nodes, &store, &ringkeep, credentials).await?
            }
            Shape::Separate => {
                let extras = &self.extras;
                Deployment::start_separate(nodes, &store, &ringkeep, credentials, extras).await?
            }
        };
        Ok(World {
            deployment,
            store,
            cluster,
            folder,
            _place: place,
        })
    }
}

/// All objects in a folder store whose key contains a text.
pub fn folder_objects(store: &Path, containing: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    walk(store, &mut |path| {
        if path.is_file() && path.to_string_lossy().contains(containing) {
            found.push(path.to_path_buf());
        }
    })?;
    found.sort();
    Ok(found)
}

fn walk(folder: &Path, visit: &mut dyn FnMut(&Path)) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry?.path();
        visit(&path);
        if path.is_dir() && !path.is_symlink() {
            walk(&path, visit)?;
        }
    }
    Ok(())
}

/// Fails with the first differences unless two digests are equal.
#[track_caller]
pub fn assert_same(before: &Digest, after: &Digest) {
    assert!(
        before.partitions() > 0,
        "a digest of nothing proves nothing"
    );
    let differences = diff(before, after);
    let shown: Vec<String> = differences
        .iter()
        .take(20)
        .map(ToString::to_string)
        .collect();
    assert!(
        differences.is_empty(),
        "{} differences, among them:\n{}",
        differences.len(),
        shown.join("\n")
    );
}

/// Fails unless two digests differ.
#[track_caller]
pub fn assert_differ(before: &Digest, after: &Digest) {
    assert!(
        !diff(before, after).is_empty(),
        "the change must be visible in the digest"
    );
}

/// Waits until a task has some step of this kind running or done; answers the task.
pub async fn until_step(cli: &Cli, task: &str, kind: &str) -> Result<Value> {
    for _ in 0..1200 {
        let answer = cli.ok(&["task", "show", task]).await?;
        let begun = answer.json["steps"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|step| step["kind"] == kind && step["state"] != "pending");
        if begun || is_final(&answer.json) {
            return Ok(answer.json);
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    bail!("task {task} never came to a step of kind {kind}")
}

/// Waits until a task has ended or is paused; tolerates services that are away meanwhile.
pub async fn until_final(cli: &Cli, task: &str) -> Result<Value> {
    for _ in 0..1800 {
        let answer = cli.run(&["task", "show", task]).await?;
        if answer.code == 0 && is_final(&answer.json) {
            return Ok(answer.json);
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    bail!("task {task} does not end")
}

fn is_final(task: &Value) -> bool {
    matches!(
        task["state"].as_str(),
        Some("succeeded" | "failed" | "cancelled" | "paused")
    )
}
