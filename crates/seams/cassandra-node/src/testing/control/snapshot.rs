//! Snapshots of a fake node: hard links and a manifest, as Cassandra makes them.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::sstables;

pub(super) fn link_snapshot(table: &Path, tag: &str, lost: Option<&str>, empty: bool) {
    let into = table.join("snapshots").join(tag);
    fs::create_dir_all(&into).unwrap();
    let mut named = Vec::new();
    let files = if empty {
        Vec::new()
    } else {
        sstables::list(table).unwrap()
    };
    for file in files
        .iter()
        .filter(|file| lost != Some(file.component.as_str()))
    {
        let inside = file.path.strip_prefix(table).unwrap();
        let to = into.join(inside);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::hard_link(&file.path, to).unwrap();
        if file.is_data() {
            named.push(inside.display().to_string());
        }
    }
    fs::write(
        into.join("manifest.json"),
        json!({ "files": named }).to_string(),
    )
    .unwrap();
    fs::write(into.join("schema.cql"), "-- schema").unwrap();
}
