//! Checks a component of an SSTable with the very bytes that are read for the upload.

use std::sync::Arc;

use cassandra_formats::verify::ComponentCheck;
use cassandra_formats::{Damage, Error};
use cassandra_node::files::FileError;
use cassandra_node::sstables::ComponentFile;
use cassandra_node::tables::Table;
use model::manifest::KeptDamage;
use sstable_files::SstableFiles;

/// One component and the SSTable that it belongs to.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    pub sstable: Arc<SstableFiles>,
    /// For example `Data.db`.
    pub component: String,
}

/// The check of a component whose bytes pass by. What is not understood (an unknown version, encryption) passes unchecked.
pub(super) struct Check {
    sstable: Arc<SstableFiles>,
    check: Option<ComponentCheck>,
    damage: Vec<Damage>,
}

impl Check {
    /// Reads the small components that are needed beside it.
    pub fn begin(checked: &Checked) -> Result<Self, FileError> {
        let mut check = Self {
            sstable: checked.sstable.clone(),
            check: None,
            damage: Vec::new(),
        };
        let begun = ComponentCheck::begin(
            &*checked.sstable,
            checked.sstable.descriptor(),
            &checked.component,
        );
        check.check = check.take(begun)?;
        Ok(check)
    }

    pub fn update(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        let Some(check) = &mut self.check else {
            return Ok(());
        };
        let updated = check.update(bytes);
        if self.take(updated)?.is_none() {
            self.check = None;
        }
        Ok(())
    }

    /// All damage, after the last byte.
    pub fn finish(&mut self) -> Result<Vec<Damage>, FileError> {
        if let Some(check) = self.check.take() {
            let found = self.take(check.finish())?;
            self.damage.extend(found.unwrap_or_default());
        }
        Ok(std::mem::take(&mut self.damage))
    }

    fn take<T>(&mut self, result: Result<T, Error>) -> Result<Option<T>, FileError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Error::Damaged(damage)) => {
                self.damage.push(damage);
                Ok(None)
            }
            Err(Error::Unsupported { .. }) => Ok(None),
            Err(Error::Read { component, source } | Error::Write { component, source }) => {
                let path = self.sstable.path(&component);
                Err(FileError::at("read", path)(source))
            }
        }
    }
}

/// Damage with the SSTable that has it.
pub(super) fn kept(table: &Table, file: &ComponentFile, damage: &[Damage]) -> Vec<KeptDamage> {
    let kept = damage.iter().map(|damage| KeptDamage {
        keyspace: table.table.keyspace.clone(),
        table: table.table.table.clone(),
        index: file.index.clone(),
        sstable: file.descriptor.to_string(),
        component: damage.component.to_string(),
        offset: damage.offset,
        what: damage.what.clone(),
    });
    kept.collect()
}
