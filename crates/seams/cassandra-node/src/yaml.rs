//! cassandra.yaml, as far as it is needed here: names of all release lines, defaults for absent keys.

mod snake;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cassandra_versions::FormatSettings;
use model::NodeFeatures;
use serde_yaml_ng::{Mapping, Value};

use crate::files::FileError;
use crate::settings::features_of;
use crate::switches;

pub(crate) use snake::flag;

const NATIVE_PORT: u64 = 9042;
const STORAGE_PORT: u64 = 7000;
const HINTS_FLUSH_PERIOD: Duration = Duration::from_secs(10);

/// Why cassandra.yaml cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum YamlError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is not YAML.
    #[error("`{}` is not YAML", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where it is not.
        #[source]
        source: serde_yaml_ng::Error,
    },
    /// A value is of another type.
    #[error("`{key}` in `{}` is not {expected}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The key of the value.
        key: &'static str,
        /// The type that it should have.
        expected: &'static str,
    },
    /// CQL has no address.
    #[error(
        "`{}` names an interface for CQL and no address; set cql_address in [cassandra]",
        path.display()
    )]
    Interface {
        /// The file.
        path: PathBuf,
    },
}

/// What is read from cassandra.yaml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CassandraYaml {
    /// `Test Cluster` if absent, as Cassandra has it.
    pub cluster_name: String,
    /// At least one.
    pub data_directories: Vec<PathBuf>,
    /// The folder of saved key and row caches.
    pub saved_caches_directory: PathBuf,
    /// The folder of the commit log.
    pub commitlog_directory: PathBuf,
    /// The folder of hints for other nodes.
    pub hints_directory: PathBuf,
    /// How long a hint may stay in memory before it is in a file there.
    pub hints_flush_period: Duration,
    /// Where CQL is served, host:port; absent if only an interface is named.
    pub cql_address: Option<String>,
    /// Where other nodes reach this one, host:port.
    pub storage_address: Option<String>,
    /// Whether Cassandra serves clients by Thrift when it starts; only releases before 4.0 can.
    pub starts_thrift: bool,
    /// New SSTables get UUID-based identifiers.
    pub time_ids: bool,
    /// As written; Cassandra 5.0 and later have it.
    pub storage_compatibility_mode: Option<String>,
    /// The format of new SSTables, `big` or `bti`, if it is set.
    pub selected_format: Option<String>,
    /// The features that it turns on or off.
    pub features: NodeFeatures,
    /// What switches something off or limits it, by name.
    pub switches: BTreeMap<String, String>,
}

impl CassandraYaml {
    /// Reads the file. Relative folders in it are relative to `storage_dir`.
    pub fn read(path: &Path, storage_dir: &Path) -> Result<Self, YamlError> {
        let text = std::fs::read_to_string(path).map_err(FileError::at("read", path))?;
        Self::parse(&text, path, storage_dir)
    }

    /// Reads its text; `path` is for errors.
    pub fn parse(text: &str, path: &Path, storage_dir: &Path) -> Result<Self, YamlError> {
        let value = snake::document(text).map_err(|source| YamlError::Syntax {
            path: path.to_owned(),
            source,
        })?;
        let Value::Mapping(keys) = value else {
            return Err(YamlError::Shape {
                path: path.to_owned(),
                key: "the document",
                expected: "a map of settings",
            });
        };
        let at = Reader { keys: &keys, path };
        let folder = |text: &str| storage_dir.join(text);
        let data_directories = match at.list("data_file_directories")? {
            Some(folders) if !folders.is_empty() => folders.iter().map(|f| folder(f)).collect(),
            _ => vec![folder("data")],
        };
        let features = features_of(|key| at.optional_flag(key))?;
        let listen = at.text("listen_address")?;
        let storage_port = at.number("storage_port")?.unwrap_or(STORAGE_PORT);
        Ok(Self {
            cluster_name: at
                .text("cluster_name")?
                .unwrap_or_else(|| "Test Cluster".to_owned()),
            data_directories,
            saved_caches_directory: folder(
                at.text("saved_caches_directory")?
                    .as_deref()
                    .unwrap_or("saved_caches"),
            ),
            commitlog_directory: folder(
                at.text("commitlog_directory")?
                    .as_deref()
                    .unwrap_or("commitlog"),
            ),
            hints_directory: folder(at.text("hints_directory")?.as_deref().unwrap_or("hints")),
            hints_flush_period: hints_flush_period(&at)?,
            cql_address: cql_address(&at, listen.as_deref())?,
            storage_address: listen.map(|host| join_address(&host, storage_port)),
            starts_thrift: at.optional_flag("start_rpc")? == Some(true),
            time_ids: features.time_sstable_ids == Some(true),
            storage_compatibility_mode: at.text("storage_compatibility_mode")?,
            selected_format: match at.text("sstable.selected_format")? {
                Some(format) => Some(format),
                None => at.nested("sstable", "selected_format"),
            },
            features,
            switches: switches::of_yaml(&keys),
        })
    }

    /// The settings that choose the format of new SSTables.
    pub fn format_settings(&self) -> FormatSettings {
        FormatSettings::parse(
            self.storage_compatibility_mode.as_deref(),
            self.selected_format.as_deref(),
        )
    }
}

/// The old name of the key has a number of milliseconds, the new one of 4.1 a text with its unit. What this does not
/// understand is no reason to refuse the file.
fn hints_flush_period(at: &Reader<'_>) -> Result<Duration, YamlError> {
    let old = at
        .number("hints_flush_period_in_ms")?
        .map(Duration::from_millis);
    let new = at.text("hints_flush_period")?;
    let new = new.as_deref().and_then(snake::duration);
    Ok(old.or(new).unwrap_or(HINTS_FLUSH_PERIOD))
}

fn cql_address(at: &Reader<'_>, listen: Option<&str>) -> Result<Option<String>, YamlError> {
    let port = at.number("native_transport_port")?.unwrap_or(NATIVE_PORT);
    let host = match at.text("rpc_address")? {
        // Every address of the machine: the loopback one is the nearest.
        Some(any) if any == "0.0.0.0" => "127.0.0.1".to_owned(),
        Some(any) if any == "::" => "::1".to_owned(),
        Some(host) => host,
        None if at.text("rpc_interface")?.is_some() => return Ok(None),
        // Cassandra uses the host name's address then, as it does for other nodes.
        None => listen.unwrap_or("localhost").to_owned(),
    };
    Ok(Some(join_address(&host, port)))
}

fn join_address(host: &str, port: u64) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// Reads keys; an absent key, an empty one and null are the same to Cassandra.
struct Reader<'a> {
    keys: &'a Mapping,
    path: &'a Path,
}

impl Reader<'_> {
    fn wrong(&self, key: &'static str, expected: &'static str) -> YamlError {
        YamlError::Shape {
            path: self.path.to_owned(),
            key,
            expected,
        }
    }

    fn text(&self, key: &'static str) -> Result<Option<String>, YamlError> {
        match self.keys.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(value) => scalar(value)
                .map(Some)
                .ok_or_else(|| self.wrong(key, "a text")),
        }
    }

    fn number(&self, key: &'static str) -> Result<Option<u64>, YamlError> {
        match self.text(key)? {
            None => Ok(None),
            Some(text) => snake::number(&text)
                .map(Some)
                .ok_or_else(|| self.wrong(key, "a number")),
        }
    }

    fn optional_flag(&self, key: &'static str) -> Result<Option<bool>, YamlError> {
        match self.text(key)?.as_deref() {
            None => Ok(None),
            Some(text) => flag(text)
                .map(Some)
                .ok_or_else(|| self.wrong(key, "true or false")),
        }
    }

    fn list(&self, key: &'static str) -> Result<Option<Vec<String>>, YamlError> {
        match self.keys.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Sequence(items)) => items
                .iter()
                .map(|item| scalar(item).ok_or_else(|| self.wrong(key, "a list of folders")))
                .collect::<Result<_, _>>()
                .map(Some),
            Some(one) => scalar(one)
                .map(|folder| Some(vec![folder]))
                .ok_or_else(|| self.wrong(key, "a list of folders")),
        }
    }

    fn nested(&self, outer: &str, inner: &str) -> Option<String> {
        scalar(self.keys.get(outer)?.get(inner)?)
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
