//! A backup as a request names it.

use model::{BackupName, BackupRef, ClusterName};

use crate::context::Context;
use crate::error::RunnerError;

/// A backup as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedBackup {
    /// None if the backup's name is unique in the bucket.
    pub cluster: Option<ClusterName>,
    pub name: BackupName,
}

impl NamedBackup {
    /// Which backup of the bucket it is, in whatever state.
    pub async fn find(&self, context: &Context) -> Result<BackupRef, RunnerError> {
        let catalog = &context.catalog;
        let found = catalog.find_backup(self.cluster.as_ref(), &self.name).await;
        found.map_err(RunnerError::remote("storage-catalog"))
    }
}
