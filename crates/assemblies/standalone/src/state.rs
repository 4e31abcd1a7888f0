//! `ringkeep state`: moves the state of task-runners, or of standalone, to a file and back.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chassis::config;
use state_store::transfer::{self, TransferError};
use state_store::{StateConfig, StateError, StateKind};

use crate::Error;
use crate::data_dir::DataDir;

/// Tasks name tables and nodes, which is for this user alone to read.
const FILE_MODE: u32 = 0o600;

/// Which state: that of a task-runner by its settings, or that of standalone by its data folder.
#[derive(Debug, Clone, Default)]
pub struct StatePlace {
    pub config: Option<PathBuf>,
    pub data_dir: Option<PathBuf>,
}

impl StatePlace {
    /// The settings of the state, and the data folder, which is held meanwhile.
    fn open(&self) -> Result<(StateConfig, Option<DataDir>), Error> {
        if let Some(path) = &self.data_dir {
            let data_dir = DataDir::take(path)?;
            return Ok((StateConfig::redb(data_dir.state()), Some(data_dir)));
        }
        let settings: task_runner::Config =
            config::load(self.config.as_deref(), config::environment())?;
        Ok((settings.state, None))
    }
}

/// Writes a state into a new file. Returns the number of its entries.
pub async fn export_state(place: &StatePlace, file: &Path) -> Result<u64, Error> {
    let (config, _data_dir) = place.open()?;
    let created = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(file);
    let out = created.map_err(|source| failed(file, source))?;
    let exported = write(&config, out).await;
    if exported.is_err() {
        // Half of an export is of no use, and would be in the way of the next.
        let _ = std::fs::remove_file(file);
    }
    exported
}

async fn write(config: &StateConfig, out: File) -> Result<u64, Error> {
    let mut out = BufWriter::new(out);
    let entries = transfer::export(config, &mut out).await?;
    out.get_ref().sync_all().map_err(TransferError::File)?;
    Ok(entries)
}

/// Reads a file into a state. Returns the number of its entries.
pub async fn import_state(place: &StatePlace, file: &Path, replace: bool) -> Result<u64, Error> {
    let (config, _data_dir) = place.open()?;
    if config.kind == StateKind::Redb
        && let Some(folder) = config.path.parent()
    {
        std::fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
    }
    Ok(transfer::import(&config, file, replace).await?)
}

fn failed(path: &Path, source: std::io::Error) -> Error {
    let path = path.to_owned();
    match source.kind() {
        ErrorKind::AlreadyExists => Error::FileExists(path),
        _ => Error::Transfer(TransferError::Path { path, source }),
    }
}

/// Whether it is the settings that do not work.
pub(crate) fn is_usage(error: &TransferError) -> bool {
    matches!(error, TransferError::State(StateError::Settings { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(data_dir: &Path) -> StatePlace {
        StatePlace {
            config: None,
            data_dir: Some(data_dir.to_owned()),
        }
    }

    async fn state(data_dir: &Path) -> std::sync::Arc<dyn state_store::StateStore> {
        std::fs::create_dir_all(data_dir).expect("a folder");
        let config = StateConfig::redb(data_dir.join("task-runner.redb"));
        state_store::open(&config).await.expect("open")
    }

    #[tokio::test]
    async fn the_state_of_one_data_folder_moves_to_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        let store = state(&old).await;
        let expected = state_store::Expected::Absent;
        let put = store.put("a", serde_json::json!(1), expected, None).await;
        put.expect("put");
        drop(store);
        let file = folder.path().join("state.jsonl");
        assert_eq!(export_state(&at(&old), &file).await.expect("exported"), 1);
        let twice = export_state(&at(&old), &file).await;
        assert!(matches!(twice, Err(Error::FileExists(_))), "{twice:?}");
        let imported = import_state(&at(&new), &file, false).await;
        assert_eq!(imported.expect("imported"), 1);
        let again = import_state(&at(&new), &file, false).await;
        let error = again.expect_err("it is not empty");
        assert!(
            error.hint().expect("a hint").contains("--replace"),
            "{error:?}"
        );
        let moved = state(&new).await.get("a").await.expect("get");
        assert_eq!(moved.expect("an entry").value, serde_json::json!(1));
    }

    #[tokio::test]
    async fn an_import_into_etcd_makes_no_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let unused = folder.path().join("unused");
        let config = folder.path().join("task-runner.toml");
        let settings = format!(
            "[state]\nkind = \"etcd\"\npath = \"{}\"\n[state.etcd]\nendpoints = [\"http://127.0.0.1:1\"]\n",
            unused.join("state.redb").display()
        );
        std::fs::write(&config, settings).expect("a file");
        let place = StatePlace {
            config: Some(config),
            data_dir: None,
        };
        let missing = import_state(&place, &folder.path().join("none"), false).await;
        assert!(matches!(missing, Err(Error::Transfer(_))), "{missing:?}");
        assert!(!unused.exists());
    }

    #[tokio::test]
    async fn an_export_that_fails_leaves_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("state.jsonl");
        let failed = export_state(&at(&folder.path().join("empty")), &file).await;
        assert!(matches!(failed, Err(Error::Transfer(_))), "{failed:?}");
        assert!(!file.exists());
    }
}
