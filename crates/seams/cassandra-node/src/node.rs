//! The node with all its ports, built from settings.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::config::CassandraConfig;
use crate::control::CassandraControl;
use crate::control::nodetool::Nodetool;
use crate::cql::{Cql, CqlError, CqlSession, CqlSettings};
use crate::folders::DataFolders;
use crate::process::commands::Commands;
use crate::process::{Action, CassandraProcess};
use crate::ring::{self, Identity};
use crate::yaml::{CassandraYaml, YamlError};

/// The pause between two attempts to start Cassandra.
const START_INTERVAL: Duration = Duration::from_secs(3);

/// The Cassandra node on this host.
pub struct CassandraNode {
    /// Statements.
    pub cql: Arc<dyn Cql>,
    /// Everything else that is asked of the running process.
    pub control: Arc<dyn CassandraControl>,
    /// The process itself, started and stopped.
    pub process: Arc<dyn CassandraProcess>,
    /// cassandra.yaml as it was when this was built.
    pub yaml: CassandraYaml,
    /// The settings that this was built from.
    pub settings: CassandraConfig,
    /// The pause between two attempts to start Cassandra.
    pub start_interval: Duration,
}

/// Why the settings do not lead to a node.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// cassandra.yaml cannot be used.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A user name without a password, or the reverse.
    #[error("cql_username and cql_password in [cassandra] are given together or not at all")]
    Login,
    /// No command to control Cassandra with.
    #[error("`nodetool` in [cassandra] is empty, so there is no way to control Cassandra")]
    NoControl,
}

impl CassandraNode {
    /// Reads cassandra.yaml; connects to nothing yet. The output of commands that start and stop Cassandra goes to files
    /// in `output_folder`.
    pub fn open(settings: CassandraConfig, output_folder: PathBuf) -> Result<Self, OpenError> {
        let yaml = CassandraYaml::read(&settings.config_file, &settings.storage_dir)?;
        let Some(address) = settings.cql_address.clone().or(yaml.cql_address.clone()) else {
            return Err(OpenError::Yaml(YamlError::Interface {
                path: settings.config_file,
            }));
        };
        if settings.nodetool.is_empty() {
            return Err(OpenError::NoControl);
        }
        let cql = CqlSession::new(CqlSettings {
            address,
            login: login(&settings)?,
            tls: settings.cql_tls.clone(),
            timeout: Duration::from_secs(settings.cql_timeout_seconds),
        });
        let nodetool = Nodetool::new(
            settings.nodetool.clone(),
            Duration::from_secs(settings.nodetool_timeout_seconds),
        );
        let commands = Commands::new(
            settings.start_command.clone(),
            settings.stop_command.clone(),
            output_folder,
        );
        Ok(Self {
            cql: Arc::new(cql),
            control: Arc::new(nodetool),
            process: Arc::new(commands),
            yaml,
            settings,
            start_interval: START_INTERVAL,
        })
    }

    /// Which node this is and which ring it sees.
    pub async fn identity(&self) -> Result<Identity, CqlError> {
        ring::identity(&*self.cql, self.settings.product).await
    }

    /// The data directories that cassandra.yaml names.
    pub fn data_folders(&self) -> DataFolders {
        DataFolders::new(self.yaml.data_directories.clone())
    }

    /// Whether Cassandra can be stopped and started.
    pub fn can_restart(&self) -> bool {
        self.process.supports(Action::Stop) && self.process.supports(Action::Start)
    }

    /// The most that one CQL statement may take, and that the ring may take to agree on a schema.
    pub fn cql_timeout(&self) -> Duration {
        Duration::from_secs(self.settings.cql_timeout_seconds)
    }

    /// The most that Cassandra may take to start, and to stop.
    pub fn start_timeout(&self) -> Duration {
        Duration::from_secs(self.settings.start_timeout_seconds)
    }
}

fn login(settings: &CassandraConfig) -> Result<Option<(String, String)>, OpenError> {
    match (settings.cql_username.as_str(), &settings.cql_password) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => Err(OpenError::Login),
        (user, Some(password)) => Ok(Some((user.to_owned(), password.expose().to_owned()))),
    }
}
