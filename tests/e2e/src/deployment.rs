//! Ringkeep beside a cluster: as one process, or as four services and an agent for each node.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use lab::ports::free_port;
use lab::{Minio, Node};

use crate::{Cli, Process, binaries, ingress};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `ringkeep standalone`, agents inside.
    Standalone,
    /// Each service and each agent a process of its own, over TCP.
    Separate,
}

/// Where backups go.
pub enum Store {
    Folder(PathBuf),
    S3 { minio: Minio, bucket: String },
}

impl Store {
    fn toml(&self) -> String {
        match self {
            Self::Folder(path) => format!("[store]\nkind = \"folder\"\npath = {path:?}\n"),
            Self::S3 { minio, bucket } => format!(
                "[store]\nkind = \"s3\"\nbucket = {bucket:?}\nregion = \"us-east-1\"\nendpoint = {:?}\npath_style = true\n\
                 access_key_id = {:?}\nsecret_access_key = {:?}\n",
                minio.endpoint(),
                minio.access_key(),
                minio.secret_key()
            ),
        }
    }
}

/// What a test sets besides, for services that are processes of their own.
#[derive(Default)]
pub struct Extras {
    /// Lines of an agent's `[agent]`.
    pub agent: Option<fn(&Node) -> String>,
    /// Sections of the task-runner.
    pub runner: String,
    /// Where the task-runner reaches the catalog, if not at the catalog's own address.
    pub catalog: Option<String>,
}

pub struct Deployment {
    pub processes: Vec<Process>,
    pub cli: Cli,
    /// host:port of each agent, in the order of the nodes.
    pub agents: Vec<String>,
    /// host:port of the catalog.
    pub catalog: String,
}

impl Deployment {
    pub async fn start(
        shape: Shape,
        nodes: &[Node],
        store: &Store,
        folder: &Path,
        credentials: Option<(&str, &str)>,
    ) -> Result<Self> {
        fs::create_dir_all(folder)?;
        match shape {
            Shape::Standalone => standalone(nodes, store, folder, credentials).await,
            Shape::Separate => {
                let extras = Extras::default();
                separate(nodes, store, folder, credentials, &extras).await
            }
        }
    }

    /// Each service a process of its own, with more settings.
    pub async fn start_separate(
        nodes: &[Node],
        store: &Store,
        folder: &Path,
        credentials: Option<(&str, &str)>,
        extras: &Extras,
    ) -> Result<Self> {
        fs::create_dir_all(folder)?;
        separate(nodes, store, folder, credentials, extras).await
    }

    /// The process of this name.
    pub fn process(&mut self, name: &str) -> Result<&mut Process> {
        self.processes
            .iter_mut()
            .find(|process| process.name() == name)
            .with_context(|| format!("no process is named {name}"))
    }

    /// What all processes have logged.
    pub fn logs(&self) -> String {
        self.processes.iter().map(Process::log).collect()
    }
}

/// The agent's sections that depend on its node; `table` is the TOML path before them.
fn agent_sections(
    table: &str,
    node: &Node,
    state: &Path,
    credentials: Option<(&str, &str)>,
) -> String {
    let mut toml = format!("[{table}cassandra]\n");
    let _ = writeln!(toml, "config_file = {:?}", node.config);
    let _ = writeln!(toml, "nodetool = [{:?}]", node.script("nodetool"));
    let _ = writeln!(toml, "jmx_address = \"127.0.0.1:{}\"", node.jmx_port);
    let _ = writeln!(toml, "stop_command = [{:?}]", node.script("stop"));
    let _ = writeln!(toml, "start_command = [{:?}]", node.script("start"));
    if let Some((username, password)) = credentials {
        let _ = writeln!(
            toml,
            "cql_username = {username:?}\ncql_password = {password:?}"
        );
    }
    let _ = writeln!(toml, "[{table}agent]\nstate_dir = {state:?}");
    toml
}

async fn standalone(
    nodes: &[Node],
    store: &Store,
    folder: &Path,
    credentials: Option<(&str, &str)>,
) -> Result<Deployment> {
    let port = free_port()?;
    let mut toml = format!("data_dir = {:?}\n", folder.join("data"));
    let _ = writeln!(toml, "[server]\nlisten = \"127.0.0.1:{port}\"");
    toml.push_str(&store.toml());
    let mut agents = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        let agent = format!("127.0.0.1:{}", free_port()?);
        let _ = writeln!(toml, "[[agents]]\nlisten = {agent:?}");
        let state = folder.join(format!("agent-{at}"));
        toml.push_str(&agent_sections("agents.", node, &state, credentials));
        agents.push(agent);
    }
    let config = folder.join("standalone.toml");
    fs::write(&config, toml)?;
    let binary = binaries::path("ringkeep")?;
    let arguments = [
        "standalone".into(),
        "--config".into(),
        config.display().to_string(),
    ];
    let process = Process::start(
        "standalone",
        binary.clone(),
        arguments.into(),
        vec![],
        folder,
        port,
    )
    .await?;
    Ok(Deployment {
        processes: vec![process],
        cli: Cli {
            binary,
            endpoint: format!("http://127.0.0.1:{port}"),
        },
        agents,
        catalog: format!("127.0.0.1:{port}"),
    })
}

async fn separate(
    nodes: &[Node],
    store: &Store,
    folder: &Path,
    credentials: Option<(&str, &str)>,
    extras: &Extras,
) -> Result<Deployment> {
    let mut processes = Vec::new();
    let mut agents = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        let mut toml = store.toml();
        let state = folder.join(format!("agent-{at}"));
        toml.push_str(&agent_sections("", node, &state, credentials));
        toml.push_str(&extras.agent.map(|lines| lines(node)).unwrap_or_default());
        let name = format!("node-agent-{at}");
        let port = service(&mut processes, &name, "ringkeep-node-agent", toml, folder).await?;
        agents.push(format!("127.0.0.1:{port}"));
    }
    let binary = "ringkeep-storage-catalog";
    let catalog = service(
        &mut processes,
        "storage-catalog",
        binary,
        store.toml(),
        folder,
    )
    .await?;
    let planner = service(
        &mut processes,
        "planner",
        "ringkeep-planner",
        String::new(),
        folder,
    )
    .await?;
    let at = |port| format!("127.0.0.1:{port}");
    let toml = format!(
        "[state]\npath = {:?}\n[clients]\ncatalog = \"http://{}\"\nplanner = \"http://127.0.0.1:{planner}\"\n{}",
        folder.join("tasks.redb"),
        extras.catalog.clone().unwrap_or_else(|| at(catalog)),
        extras.runner
    );
    let runner = service(
        &mut processes,
        "task-runner",
        "ringkeep-task-runner",
        toml,
        folder,
    )
    .await?;
    let endpoint = ingress::start(&[
        ("ringkeep.storage_catalog.v1.StorageCatalog", at(catalog)),
        ("ringkeep.planner.v1.Planner", at(planner)),
        ("ringkeep.task_runner.v1.TaskRunner", at(runner)),
    ])
    .await?;
    Ok(Deployment {
        processes,
        cli: Cli {
            binary: binaries::path("ringkeep")?,
            endpoint: format!("http://{endpoint}"),
        },
        agents,
        catalog: at(catalog),
    })
}

/// Starts one service on a free port with its sections.
async fn service(
    processes: &mut Vec<Process>,
    name: &str,
    binary: &str,
    sections: String,
    folder: &Path,
) -> Result<u16> {
    let port = free_port()?;
    let config = folder.join(format!("{name}.toml"));
    fs::write(
        &config,
        format!("{sections}[server]\nlisten = \"127.0.0.1:{port}\"\n"),
    )?;
    let arguments = vec!["--config".to_owned(), config.display().to_string()];
    let process = Process::start(
        name,
        binaries::path(binary)?,
        arguments,
        vec![],
        folder,
        port,
    )
    .await?;
    processes.push(process);
    Ok(port)
}
