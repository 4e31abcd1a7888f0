//! Why a file is not taken: it changed, it is damaged, or it cannot be read.

use cassandra_node::sstables::ComponentFile;
use cassandra_node::tables::Table;
use model::manifest::KeptDamage;

use super::UploadError;
use super::damage::kept;
use super::file::{Try, Uploader};
use super::read::ReadFault;

impl Uploader {
    pub(super) fn unreadable(
        &self,
        table: &Table,
        file: &ComponentFile,
        fault: ReadFault,
    ) -> Result<Try, UploadError> {
        match fault {
            ReadFault::Changed => Ok(Try::Changed),
            fault => Err(self.fault(table, file, fault)),
        }
    }

    /// Why the upload ends.
    pub(super) fn fault(
        &self,
        table: &Table,
        file: &ComponentFile,
        fault: ReadFault,
    ) -> UploadError {
        match fault {
            ReadFault::Changed => UploadError::FileChanged {
                path: file.path.clone(),
                tries: 1,
            },
            ReadFault::File(error) => error.into(),
            ReadFault::Stopped(stopped) => stopped.into(),
            ReadFault::Damaged(damage) => self.damaged(table, file, kept(table, file, &damage)),
        }
    }

    /// Damage that was found at an earlier reading counts as it did then.
    pub(super) fn allow(
        &self,
        table: &Table,
        file: &ComponentFile,
        damage: &[KeptDamage],
    ) -> Result<(), UploadError> {
        if self.keep_damaged || damage.is_empty() {
            Ok(())
        } else {
            Err(self.damaged(table, file, damage.to_vec()))
        }
    }

    fn damaged(&self, table: &Table, file: &ComponentFile, damage: Vec<KeptDamage>) -> UploadError {
        UploadError::Damaged {
            node: self.host_id.to_string(),
            table: table.table.clone(),
            path: file.path.clone(),
            damage,
        }
    }
}
