//! The store of a benchmark, as its command line names it.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use blob_store::{Folder, S3, S3Config, Store};
use futures::TryStreamExt;
use tempfile::TempDir;

#[derive(Debug, clap::Args)]
pub struct StoreArgs {
    /// A bucket of an S3 server; its keys come from the environment, as `AWS_ACCESS_KEY_ID` and so on. Without it a folder
    /// is the store.
    #[arg(long, requires = "endpoint")]
    bucket: Option<String>,
    #[arg(long, requires = "bucket")]
    endpoint: Option<String>,
    /// Where the folder is made, if the store is one; by default in the place for temporary files.
    #[arg(long)]
    folder: Option<PathBuf>,
}

impl StoreArgs {
    /// Opens the store. A folder ends with what is returned beside it.
    pub async fn open(&self) -> Result<(Store, TempDir)> {
        let folder = match &self.folder {
            Some(folder) => tempfile::tempdir_in(folder)?,
            None => tempfile::tempdir()?,
        };
        let Some(bucket) = &self.bucket else {
            return Ok((Arc::new(Folder::open(folder.path())?), folder));
        };
        let config = S3Config {
            bucket: bucket.clone(),
            endpoint: self.endpoint.clone().context("an endpoint")?,
            region: "us-east-1".to_owned(),
            path_style: true,
            ..S3Config::default()
        };
        Ok((Arc::new(S3::open(&config).await?), folder))
    }
}

/// Deletes what is under a prefix. Returns how many objects there were.
pub async fn clear(store: &Store, prefix: &str) -> Result<usize> {
    let found = store.list(prefix).map_ok(|meta| meta.key);
    let keys: Vec<String> = found.try_collect().await?;
    store.delete_many(&keys).await?;
    Ok(keys.len())
}
