//! The `[state]` section: which backend, and where it keeps the state.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{EtcdConfig, EtcdStore, RedbStore, StateError, StateStore};

/// The `[state]` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateConfig {
    /// Which backend; redb if absent.
    #[serde(default)]
    pub kind: StateKind,
    /// The file of the state, for redb.
    #[serde(default)]
    pub path: PathBuf,
    /// Where etcd is, for etcd.
    #[serde(default)]
    pub etcd: EtcdConfig,
}

/// The backends that there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StateKind {
    /// One file, for one process.
    #[default]
    Redb,
    /// A cluster of etcd, for several processes.
    Etcd,
}

impl StateConfig {
    /// State in one file, for one process.
    pub fn redb(path: impl Into<PathBuf>) -> Self {
        Self {
            kind: StateKind::Redb,
            path: path.into(),
            etcd: EtcdConfig::default(),
        }
    }

    /// State in etcd.
    pub fn etcd(etcd: EtcdConfig) -> Self {
        Self {
            kind: StateKind::Etcd,
            path: PathBuf::new(),
            etcd,
        }
    }
}

impl StateConfig {
    /// Refuses settings that could not work, by name. Reaches nothing.
    pub fn check(&self) -> Result<(), StateError> {
        match self.kind {
            // Each of several task-runners would have a state of its own.
            StateKind::Redb if !self.etcd.endpoints.is_empty() => Err(StateError::Settings {
                what: "`state.etcd.endpoints` is given, and `state.kind` is not `etcd`; set `kind = \"etcd\"`, or remove the section `[state.etcd]`".to_owned(),
            }),
            StateKind::Redb if self.path.as_os_str().is_empty() => Err(StateError::Settings {
                what: "`state.path` is empty".to_owned(),
            }),
            StateKind::Redb => Ok(()),
            StateKind::Etcd => self.etcd.check(),
        }
    }
}

/// Opens the configured backend. A file and its folder are created if absent.
pub async fn open(config: &StateConfig) -> Result<Arc<dyn StateStore>, StateError> {
    config.check()?;
    match config.kind {
        StateKind::Redb => {
            let store = RedbStore::open(&config.path, Arc::new(Timestamp::now)).await?;
            Ok(Arc::new(store))
        }
        StateKind::Etcd => Ok(Arc::new(EtcdStore::open(&config.etcd).await?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_may_be_left_out_and_an_unknown_one_is_refused_by_name() {
        let config: StateConfig = toml::from_str("path = '/s/state.redb'").expect("a section");
        assert_eq!(config, StateConfig::redb("/s/state.redb"));
        let same = toml::to_string(&config).expect("TOML");
        assert_eq!(toml::from_str::<StateConfig>(&same).expect("TOML"), config);
        let error = toml::from_str::<StateConfig>("kind = 'zookeeper'\npath = '/s'");
        let error = error.expect_err("no such kind").to_string();
        assert!(
            error.contains("zookeeper") && error.contains("redb"),
            "{error}"
        );
    }

    #[test]
    fn settings_that_could_not_work_are_refused_before_anything_is_opened() {
        let endpoints = "kind = 'etcd'\n[etcd]\nendpoints = ['http://127.0.0.1:2379']";
        for (section, works) in [
            ("path = '/s/state.redb'", true),
            ("kind = 'redb'", false),
            (endpoints, true),
            ("kind = 'etcd'", false),
            (
                "path = '/s'\n[etcd]\nendpoints = ['http://127.0.0.1:2379']",
                false,
            ),
        ] {
            let config: StateConfig = toml::from_str(section).expect("a section");
            assert_eq!(config.check().is_ok(), works, "{section}");
        }
    }

    #[tokio::test]
    async fn what_was_opened_by_its_settings_is_a_store() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = StateConfig::redb(folder.path().join("new/state.redb"));
        let store = open(&config).await.expect("open");
        assert!(store.list("").await.expect("list").is_empty());
        assert!(config.path.exists());
    }
}
