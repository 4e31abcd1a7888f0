//! One thing that is wrong with a stored backup, and where.

use std::collections::BTreeSet;

use cassandra_formats::parse_file_name;
use model::layout;
use model::manifest::{BackupNode, NodeManifest, StoredFile, TableFiles};

/// One thing that is wrong with a stored backup. Empty where it does not apply.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damage {
    pub node: String,
    pub keyspace: String,
    pub table: String,
    pub sstable: String,
    pub component: String,
    pub object: String,
    pub what: String,
}

impl Damage {
    pub fn of_object(key: &str, what: impl std::fmt::Display) -> Self {
        Self {
            object: key.to_owned(),
            what: what.to_string(),
            ..Self::default()
        }
    }

    /// Of a node manifest.
    pub fn of_node(node: &BackupNode, what: impl std::fmt::Display) -> Self {
        Self {
            node: node.host_id.to_string(),
            ..Self::of_object(&node.manifest, what)
        }
    }

    pub fn of_file(
        manifest: &NodeManifest,
        table: &TableFiles,
        file: &StoredFile,
        what: impl std::fmt::Display,
    ) -> Self {
        let (sstable, component) = match parse_file_name(&file.name) {
            Ok((descriptor, component)) => (descriptor.to_string(), component.to_owned()),
            Err(_) => (String::new(), file.name.clone()),
        };
        Self {
            node: manifest.member.host_id.to_string(),
            keyspace: table.keyspace.clone(),
            table: match &file.index {
                Some(index) => format!("{}.{index}", table.table),
                None => table.table.clone(),
            },
            sstable,
            component,
            ..Self::of_object(&file.object, what)
        }
    }
}

/// The distinct SSTables of a table, those of its indexes not counted.
pub fn sstables(table: &TableFiles) -> u64 {
    let descriptors: BTreeSet<_> = table
        .files
        .iter()
        .filter(|file| file.index.is_none())
        .filter_map(|file| Some(parse_file_name(&file.name).ok()?.0))
        .collect();
    descriptors.len() as u64
}

/// Names an object for the screen: what follows the layout's root.
pub fn short(key: &str) -> &str {
    let rest = key.strip_prefix(layout::ROOT);
    rest.map_or(key, |rest| rest.trim_start_matches('/'))
}
