//! The `[state]` section: which backend, and where it keeps the state.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{RedbStore, StateError, StateStore};

/// The `[state]` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateConfig {
    /// Which backend; redb if absent.
    #[serde(default)]
    pub kind: StateKind,
    /// The file of the state.
    pub path: PathBuf,
}

/// The backends that there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StateKind {
    /// One file, for one process.
    #[default]
    Redb,
}

impl StateConfig {
    /// State in one file, for one process.
    pub fn redb(path: impl Into<PathBuf>) -> Self {
        Self {
            kind: StateKind::Redb,
            path: path.into(),
        }
    }
}

/// Opens the configured backend. The file and its folder are created if absent.
pub async fn open(config: &StateConfig) -> Result<Arc<dyn StateStore>, StateError> {
    match config.kind {
        StateKind::Redb => {
            let store = RedbStore::open(&config.path, Arc::new(Timestamp::now)).await?;
            Ok(Arc::new(store))
        }
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

    #[tokio::test]
    async fn what_was_opened_by_its_settings_is_a_store() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = StateConfig::redb(folder.path().join("new/state.redb"));
        let store = open(&config).await.expect("open");
        assert!(store.list("").await.expect("list").is_empty());
        assert!(config.path.exists());
    }
}
