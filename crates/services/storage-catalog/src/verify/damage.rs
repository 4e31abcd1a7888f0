//! One thing that is wrong with a stored backup, and where.

use std::collections::BTreeSet;

use bucket::keys;
use cassandra_formats::parse_file_name;
use model::manifest::{BackupNode, KeptDamage, NodeManifest, StoredFile, TableFiles};

/// One thing that is wrong with a stored backup. Empty where it does not apply.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damage {
    pub node: String,
    pub keyspace: String,
    pub table: String,
    pub sstable: String,
    pub component: String,
    pub object: String,
    /// Where in the component; `None` where it is wrong as a whole.
    pub offset: Option<u64>,
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
            table: table_name(&table.table, file.index.as_deref()),
            sstable,
            component,
            ..Self::of_object(&file.object, what)
        }
    }

    /// Of what a file holds.
    pub fn of_component(
        manifest: &NodeManifest,
        table: &TableFiles,
        file: &StoredFile,
        damage: cassandra_formats::Damage,
    ) -> Self {
        Self {
            component: damage.component.into_owned(),
            offset: damage.offset,
            ..Self::of_file(manifest, table, file, damage.what)
        }
    }

    /// Of what a component of the same SSTable holds.
    pub fn of_sibling(
        manifest: &NodeManifest,
        table: &TableFiles,
        file: &StoredFile,
        damage: cassandra_formats::Damage,
    ) -> Self {
        let sibling = parse_file_name(&file.name)
            .ok()
            .and_then(|(descriptor, _)| {
                let name = format!("{descriptor}-{}", damage.component);
                let mut files = table.files.iter();
                files.find(|other| other.index == file.index && other.name == name)
            });
        Self::of_component(manifest, table, sibling.unwrap_or(file), damage)
    }

    /// What was damaged on the node already.
    pub fn kept(manifest: &NodeManifest) -> impl Iterator<Item = Self> {
        manifest.damaged.iter().map(|kept| {
            let object = object_of(manifest, kept).unwrap_or_default();
            let what = format!(
                "{}; it was so on the node, and was kept on demand",
                kept.what
            );
            Self {
                node: manifest.member.host_id.to_string(),
                keyspace: kept.keyspace.clone(),
                table: table_name(&kept.table, kept.index.as_deref()),
                sstable: kept.sstable.clone(),
                component: kept.component.clone(),
                offset: kept.offset,
                ..Self::of_object(object, what)
            }
        })
    }

    /// Whether it is the very damage that was kept.
    pub fn is(&self, kept: &KeptDamage) -> bool {
        self.keyspace == kept.keyspace
            && self.table == table_name(&kept.table, kept.index.as_deref())
            && self.sstable == kept.sstable
            && self.component == kept.component
            && self.offset == kept.offset
            && self.what == kept.what
    }
}

fn table_name(table: &str, index: Option<&str>) -> String {
    match index {
        Some(index) => format!("{table}.{index}"),
        None => table.to_owned(),
    }
}

fn object_of<'a>(manifest: &'a NodeManifest, kept: &KeptDamage) -> Option<&'a str> {
    let mut tables = manifest.tables.iter();
    let table = tables.find(|t| t.keyspace == kept.keyspace && t.table == kept.table)?;
    let name = kept.file_name();
    let mut files = table.files.iter();
    let file = files.find(|file| file.index == kept.index && file.name == name)?;
    Some(&file.object)
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
    let rest = key.strip_prefix(keys::ROOT);
    rest.map_or(key, |rest| rest.trim_start_matches('/'))
}
