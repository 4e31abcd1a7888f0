//! Describes the node: who it is, what it holds, how much space it has, and whether it is healthy.

use std::collections::BTreeSet;
use std::fs;

use api::{ErrorKind, ServiceError};
use cassandra_node::files::{self, FileError, blocking};
use cassandra_node::ring::Identity;
use cassandra_node::settings::{self, Settings};
use cassandra_node::tables::{self, Table};
use cassandra_node::{ControlError, CqlError, NodeError, gossip, role};
use cassandra_versions::{readable_formats, written_format};
use model::{
    AgentRole, DataDirectory, HostId, NodeDescription, NodeSetup, PeerView, TableDescription,
};
use tracing::warn;

use crate::agent::Agent;
use crate::error::wire_kind;
use crate::folders::Folders;

/// A data directory with less free space than this cannot even take a flush.
const FREE_BYTES_MIN: u64 = 32 << 20;

/// Why a node cannot even be described.
#[derive(Debug, thiserror::Error)]
pub enum DescribeError {
    /// The node is down, and was never seen up.
    #[error("the node cannot be described, because it was never seen up")]
    Unknown(#[source] CqlError),
    #[error(transparent)]
    Cql(CqlError),
}

impl ServiceError for DescribeError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unknown(error) | Self::Cql(error) => wire_kind(error),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Unknown(error) | Self::Cql(error) => error.reason(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown(error) | Self::Cql(error) => error.hint(),
        }
    }
}

/// What the node reported of itself, or what was last known of it if it is down.
struct Seen {
    identity: Identity,
    tables: Vec<Table>,
    settings: Settings,
    role: Option<AgentRole>,
    ghosts: Vec<HostId>,
    problems: Vec<String>,
}

pub async fn describe(agent: &Agent) -> Result<NodeDescription, DescribeError> {
    let (seen, mode) = tokio::join!(look(agent), agent.node.control.mode());
    let mut seen = seen?;
    seen.problems.extend(mode_problem(&seen.identity, &mode));
    let folders = agent.folders.clone();
    let listed = std::mem::take(&mut seen.tables);
    let (tables, (data_directories, problems)) =
        blocking(move || (describe_tables(&folders, listed), directories(&folders))).await;
    seen.problems.extend(problems);
    let tables = tables.unwrap_or_else(|error| {
        seen.problems.push(api::error::chain(&error));
        Vec::new()
    });
    let Identity {
        cluster_name,
        release,
        member,
        ring,
        partitioner,
        schema_version,
        schema_versions,
        dissenting,
        recognition,
        ..
    } = seen.identity;
    Ok(NodeDescription {
        agent: String::new(),
        cluster_name,
        readable_formats: readable_formats(&release, &seen.settings.formats)
            .iter()
            .map(ToString::to_string)
            .collect(),
        written_format: written_format(&release, &seen.settings.formats)
            .unwrap_or_default()
            .to_owned(),
        storage_compatibility_mode: seen.settings.storage_compatibility_mode,
        features: seen.settings.features,
        release,
        member,
        ring: ring.into(),
        partitioner,
        schema_version,
        schema_versions,
        tables,
        data_directories,
        can_restart: agent.node.can_restart(),
        unhealthy: seen.problems.join("; "),
        setup: NodeSetup {
            settings: seen.settings.switches,
            role: seen.role,
        },
        peers: PeerView {
            dissenting,
            ghosts: seen.ghosts,
        },
        recognition,
    })
}

async fn look(agent: &Agent) -> Result<Seen, DescribeError> {
    match ask(agent).await {
        Ok(seen) => {
            if let Err(error) = remember(agent, &seen.identity).await {
                warn!(%error, "what is known of the node could not be kept");
            }
            Ok(seen)
        }
        Err(
            error @ (CqlError::Down { .. }
            | CqlError::Login { .. }
            | CqlError::Certificate { .. }
            | CqlError::Timeout { .. }),
        ) => {
            let Some(identity) = recall(agent).await else {
                return Err(DescribeError::Unknown(error));
            };
            Ok(Seen {
                settings: Settings::of_yaml(&identity.release, &agent.node.yaml),
                identity,
                tables: Vec::new(),
                role: None,
                ghosts: Vec::new(),
                problems: vec![error.to_string()],
            })
        }
        Err(error) => Err(DescribeError::Cql(error)),
    }
}

async fn ask(agent: &Agent) -> Result<Seen, CqlError> {
    let node = &agent.node;
    let identity = node.identity().await?;
    Ok(Seen {
        tables: tables::list(&*node.cql).await?,
        settings: settings::read(node, &identity.release).await?,
        role: role::read(node, &identity.release).await?,
        ghosts: gossip::ghosts(node, &identity.release, &identity.ring).await,
        identity,
        problems: Vec::new(),
    })
}

fn mode_problem(identity: &Identity, mode: &Result<String, ControlError>) -> Option<String> {
    match mode {
        Err(error) => Some(error.to_string()),
        Ok(mode) if mode != "NORMAL" => Some(format!("Cassandra is {mode}, not NORMAL")),
        Ok(_) if identity.bootstrapped != "COMPLETED" => Some(format!(
            "Cassandra has not joined the ring: its bootstrap is {}",
            identity.bootstrapped
        )),
        Ok(_) => None,
    }
}

fn describe_tables(
    folders: &Folders,
    tables: Vec<Table>,
) -> Result<Vec<TableDescription>, FileError> {
    tables
        .into_iter()
        .map(|table| {
            let files = folders.data.live_files(&table.table, &table.id)?;
            let formats: BTreeSet<String> = files
                .iter()
                .map(|file| file.descriptor.format.to_string())
                .collect();
            Ok(TableDescription {
                live_bytes: files.iter().map(|file| file.bytes).sum(),
                formats: formats.into_iter().collect(),
                table: table.table,
                id: table.id,
                view_of: table.view_of,
                compaction_class: table.compaction_class,
            })
        })
        .collect()
}

/// The data directories that can be used, and what is wrong with the others.
fn directories(folders: &Folders) -> (Vec<DataDirectory>, Vec<String>) {
    let mut problems = Vec::new();
    let mut found = Vec::new();
    for data in &folders.data {
        let read = fs::read_dir(&data.path).map_err(FileError::at("list", &data.path));
        match read.and_then(|_| data.space()) {
            Ok(space) => {
                if space.free_bytes < FREE_BYTES_MIN {
                    problems.push(format!(
                        "the data directory `{}` is full: {} bytes are free",
                        data.path.display(),
                        space.free_bytes
                    ));
                }
                found.push(DataDirectory {
                    path: data.path.display().to_string(),
                    free_bytes: space.free_bytes,
                    total_bytes: space.total_bytes,
                });
            }
            Err(error) => problems.push(api::error::chain(&error)),
        }
    }
    (found, problems)
}

/// Keeps what the node reports of itself for the time when it is down; it is on disk when this returns.
pub async fn remember(agent: &Agent, identity: &Identity) -> Result<(), FileError> {
    // One at a time: all write beside the file under the same name.
    let _held = agent.locks.lock("identity").await;
    let path = agent.folders.identity_file();
    let identity = identity.clone();
    blocking(move || {
        let text = serde_json::to_vec(&identity).map_err(std::io::Error::other);
        let text = text.map_err(FileError::at("write", &path))?;
        files::replace(&path, &text)
    })
    .await
}

/// What was last known of the node.
pub async fn recall(agent: &Agent) -> Option<Identity> {
    let path = agent.folders.identity_file();
    blocking(move || serde_json::from_slice(&fs::read(path).ok()?).ok()).await
}
