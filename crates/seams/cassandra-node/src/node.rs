//! The node with all its ports, built from settings.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tracing::warn;

use crate::config::{CassandraConfig, ProductError, masked};
use crate::control::CassandraControl;
use crate::control::jmx::{Jmx, JmxAddress};
use crate::control::nodetool::{JmxLogin, Nodetool};
use crate::control::preferred::Preferred;
use crate::cql::{Cql, CqlError, CqlSession, CqlSettings};
use crate::files::{self, FileError};
use crate::folders::DataFolders;
use crate::process::commands::Commands;
use crate::process::{Action, CassandraProcess, unit};
use crate::ring::{self, Identity};
use crate::signs;
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
    /// A user name without a password, or the reverse, or one that nodetool cannot be given in a file.
    #[error(
        "jmx_username and jmx_password in [cassandra] are given together or not at all, and without blanks in them"
    )]
    JmxLogin,
    /// The file for the login of JMX cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// Not host:port.
    #[error("jmx_address in [cassandra] is `{0}`, which is not host:port")]
    JmxAddress(String),
    /// What the node is stated to be is nothing that it could be.
    #[error(transparent)]
    Product(#[from] ProductError),
    /// No command to control Cassandra with.
    #[error("`nodetool` in [cassandra] is empty, so there is no way to control Cassandra")]
    NoControl,
}

impl CassandraNode {
    /// Reads cassandra.yaml; connects to nothing yet. The output of commands that start and stop Cassandra goes to files
    /// in `output_folder`, and so does the login of JMX.
    pub fn open(settings: CassandraConfig, output_folder: PathBuf) -> Result<Self, OpenError> {
        let yaml = CassandraYaml::read(&settings.config_file, &settings.storage_dir)?;
        let Some(address) = settings.cql_address.clone().or(yaml.cql_address.clone()) else {
            return Err(OpenError::Yaml(YamlError::Interface {
                path: settings.config_file,
            }));
        };
        settings.stated()?;
        if settings.nodetool.is_empty() {
            return Err(OpenError::NoControl);
        }
        let cql: Arc<dyn Cql> = Arc::new(CqlSession::new(CqlSettings {
            address,
            login: login(&settings)?,
            tls: settings.cql_tls.clone(),
            timeout: Duration::from_secs(settings.cql_timeout_seconds),
        }));
        warn_of(&settings);
        let control = control(&settings, &output_folder, &cql)?;
        let commands = Commands::new(
            settings.start_command.clone(),
            settings.stop_command.clone(),
            output_folder,
        );
        Ok(Self {
            cql,
            control,
            process: Arc::new(commands),
            yaml,
            settings,
            start_interval: START_INTERVAL,
        })
    }

    /// Which node this is and which ring it sees.
    pub async fn identity(&self) -> Result<Identity, CqlError> {
        let folders = self.data_folders();
        let formats = files::blocking(move || signs::written_formats(&folders)).await;
        // Settings that state nothing were refused when the node was opened.
        let stated = self.settings.stated().unwrap_or_default();
        ring::identity(&*self.cql, stated.as_ref(), formats).await
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

/// JMX with nodetool behind it, or nodetool alone if it is not known where JMX is.
fn control(
    settings: &CassandraConfig,
    output_folder: &Path,
    cql: &Arc<dyn Cql>,
) -> Result<Arc<dyn CassandraControl>, OpenError> {
    let limit = Duration::from_secs(settings.nodetool_timeout_seconds);
    let nodetool = Nodetool::new(settings.nodetool.clone(), limit)
        .with_login(jmx_login(settings, output_folder)?);
    let address = match &settings.jmx_address {
        Some(text) => {
            let address = JmxAddress::parse(text);
            Some(address.ok_or_else(|| OpenError::JmxAddress(text.clone()))?)
        }
        None => JmxAddress::of_nodetool(&settings.nodetool),
    };
    let Some(address) = address else {
        return Ok(Arc::new(nodetool));
    };
    let login = settings.jmx_password.clone();
    let login = login.map(|password| (settings.jmx_username.clone(), password));
    let jmx = Jmx::new(&address, login, limit);
    let preferred = Preferred::new(Arc::new(jmx), Arc::new(nodetool), cql.clone());
    Ok(Arc::new(preferred))
}

fn jmx_login(settings: &CassandraConfig, folder: &Path) -> Result<Option<JmxLogin>, OpenError> {
    match (settings.jmx_username.as_str(), &settings.jmx_password) {
        ("", None) => {
            JmxLogin::remove(folder)?;
            Ok(None)
        }
        (user, Some(password)) if JmxLogin::fits(user, password) => {
            Ok(Some(JmxLogin::write(user, password, folder)?))
        }
        _ => Err(OpenError::JmxLogin),
    }
}

/// Settings that work, and do harm later.
fn warn_of(settings: &CassandraConfig) {
    if !masked::passwords(&settings.nodetool).is_empty() {
        warn!(
            "every user of this host can read the password in `nodetool` of [cassandra]; set jmx_username and \
             jmx_password instead"
        );
    }
    if let Some(unit) = unit::starts_within_own_unit(&settings.start_command) {
        warn!(
            unit,
            "start_command starts Cassandra as a part of the agent's own unit, and systemd kills it when the agent \
             stops; let it start Cassandra through systemctl or systemd-run"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use secret::Secret;

    use super::*;

    /// How opening ends on settings that are changed in one way.
    fn opened(yaml: &str, change: impl FnOnce(&mut CassandraConfig)) -> Result<(), String> {
        let root = tempfile::tempdir().unwrap();
        let config_file = root.path().join("cassandra.yaml");
        std::fs::write(&config_file, yaml).unwrap();
        let mut settings = CassandraConfig {
            config_file,
            ..CassandraConfig::default()
        };
        change(&mut settings);
        let opened = CassandraNode::open(settings, root.path().to_owned());
        opened.map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_that_lead_to_no_node_are_named() {
        let yaml = "cluster_name: c";
        assert_eq!(opened(yaml, |_| ()), Ok(()));
        let no_nodetool = opened(yaml, |settings| settings.nodetool.clear());
        assert!(no_nodetool.unwrap_err().contains("`nodetool`"));
        let no_password = opened(yaml, |settings| settings.cql_username = "u".to_owned());
        assert!(no_password.unwrap_err().contains("cql_password"));
        let no_user = opened(yaml, |settings| {
            settings.cql_password = Some(Secret::new("hush"));
        });
        let no_user = no_user.unwrap_err();
        assert!(no_user.contains("cql_username") && !no_user.contains("hush"));
        let no_jmx_password = opened(yaml, |settings| settings.jmx_username = "u".to_owned());
        assert!(no_jmx_password.unwrap_err().contains("jmx_password"));
        let two_words = opened(yaml, |settings| {
            settings.jmx_username = "u".to_owned();
            settings.jmx_password = Some(Secret::new("hush hush"));
        });
        let two_words = two_words.unwrap_err();
        assert!(two_words.contains("blanks") && !two_words.contains("hush"));
        let no_port = opened(yaml, |settings| settings.jmx_address = Some("n1".into()));
        assert!(
            no_port
                .unwrap_err()
                .contains("`n1`, which is not host:port")
        );
        let no_product = opened(yaml, |it| it.product_version = Some("1.2.3".into()));
        assert!(no_product.unwrap_err().contains("`product`"));
        let no_version = opened(yaml, |settings| {
            settings.product = Some(cassandra_versions::Product::Hcd);
            settings.product_version = Some("two".into());
        });
        assert!(no_version.unwrap_err().contains("`two` is not a version"));
        let interface = "rpc_interface: eth0";
        let no_address = opened(interface, |_| ());
        assert!(no_address.unwrap_err().contains("cql_address"));
        let address = |settings: &mut CassandraConfig| settings.cql_address = Some("n:9".into());
        assert_eq!(opened(interface, address), Ok(()));
    }

    #[test]
    fn relative_folders_are_below_the_storage_folder() {
        let root = tempfile::tempdir().unwrap();
        let config_file = root.path().join("cassandra.yaml");
        std::fs::write(&config_file, "data_file_directories: [d1, /d2]").unwrap();
        let settings = CassandraConfig {
            config_file,
            storage_dir: "/storage".into(),
            ..CassandraConfig::default()
        };
        let node = CassandraNode::open(settings, root.path().to_owned()).unwrap();
        let folders = node.data_folders();
        let paths: Vec<&Path> = folders.iter().map(|data| data.path.as_path()).collect();
        assert_eq!(paths, [Path::new("/storage/d1"), Path::new("/d2")]);
        assert!(!node.can_restart());
    }
}
