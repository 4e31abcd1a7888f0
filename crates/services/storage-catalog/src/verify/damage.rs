//! One thing that is wrong with a stored backup, and where.

use std::collections::BTreeSet;

use bucket::keys;
use cassandra_formats::parse_file_name;
use model::Damage;
use model::manifest::{BackupNode, KeptDamage, NodeManifest, StoredFile, TableFiles};

/// Damage of nothing yet; what does not apply stays empty.
fn nothing() -> Damage {
    Damage {
        node: String::new(),
        keyspace: String::new(),
        table: String::new(),
        sstable: String::new(),
        component: String::new(),
        object: String::new(),
        what: String::new(),
        offset: None,
    }
}

pub fn of_object(key: &str, what: impl std::fmt::Display) -> Damage {
    Damage {
        object: key.to_owned(),
        what: what.to_string(),
        ..nothing()
    }
}

/// Of a node manifest.
pub fn of_node(node: &BackupNode, what: impl std::fmt::Display) -> Damage {
    Damage {
        node: node.host_id.to_string(),
        ..of_object(&node.manifest, what)
    }
}

pub fn of_file(
    manifest: &NodeManifest,
    table: &TableFiles,
    file: &StoredFile,
    what: impl std::fmt::Display,
) -> Damage {
    let (sstable, component) = match parse_file_name(&file.name) {
        Ok((descriptor, component)) => (descriptor.to_string(), component.to_owned()),
        Err(_) => (String::new(), file.name.clone()),
    };
    Damage {
        node: manifest.member.host_id.to_string(),
        keyspace: table.keyspace.clone(),
        table: table_name(&table.table, file.index.as_deref()),
        sstable,
        component,
        ..of_object(&file.object, what)
    }
}

/// Of what a file holds.
pub fn of_component(
    manifest: &NodeManifest,
    table: &TableFiles,
    file: &StoredFile,
    damage: cassandra_formats::Damage,
) -> Damage {
    Damage {
        component: damage.component.into_owned(),
        offset: damage.offset,
        ..of_file(manifest, table, file, damage.what)
    }
}

/// What was damaged on the node already.
pub fn kept(manifest: &NodeManifest) -> impl Iterator<Item = Damage> {
    manifest.damaged.iter().map(|kept| {
        let object = object_of(manifest, kept).unwrap_or_default();
        let what = format!(
            "{}; it was so on the node, and was kept on demand",
            kept.what
        );
        Damage {
            node: manifest.member.host_id.to_string(),
            keyspace: kept.keyspace.clone(),
            table: table_name(&kept.table, kept.index.as_deref()),
            sstable: kept.sstable.clone(),
            component: kept.component.clone(),
            offset: kept.offset,
            ..of_object(object, what)
        }
    })
}

/// Of what a component of the same SSTable holds.
pub fn of_sibling(
    manifest: &NodeManifest,
    table: &TableFiles,
    file: &StoredFile,
    damage: cassandra_formats::Damage,
) -> Damage {
    let sibling = parse_file_name(&file.name)
        .ok()
        .and_then(|(descriptor, _)| {
            let name = format!("{descriptor}-{}", damage.component);
            let mut files = table.files.iter();
            files.find(|other| other.index == file.index && other.name == name)
        });
    of_component(manifest, table, sibling.unwrap_or(file), damage)
}

/// Whether it is the very damage that was kept.
pub fn is(damage: &Damage, kept: &KeptDamage) -> bool {
    damage.keyspace == kept.keyspace
        && damage.table == table_name(&kept.table, kept.index.as_deref())
        && damage.sstable == kept.sstable
        && damage.component == kept.component
        && damage.offset == kept.offset
        && damage.what == kept.what
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

/// The distinct SSTables of a table that have files which are read, those of its indexes not counted.
pub fn sstables(table: &TableFiles, is_read: impl Fn(&StoredFile) -> bool) -> u64 {
    let descriptors: BTreeSet<_> = table
        .files
        .iter()
        .filter(|file| file.index.is_none() && is_read(file))
        .filter_map(|file| Some(parse_file_name(&file.name).ok()?.0))
        .collect();
    descriptors.len() as u64
}

/// Names an object for the screen: what follows the layout's root.
pub fn short(key: &str) -> &str {
    let rest = key.strip_prefix(keys::ROOT);
    rest.map_or(key, |rest| rest.trim_start_matches('/'))
}
