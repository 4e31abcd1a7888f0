//! What the node shows of itself that tells products apart: its version, its virtual tables and settings, its schema
//! tables, and the SSTables that it has written for itself.

use std::collections::BTreeSet;

use cassandra_versions::{Product, Release, Signs};
use tracing::debug;

use crate::cql::{Cql, CqlError, Row};
use crate::files;
use crate::folders::DataFolders;
use crate::role::allowed;
use crate::settings::SETTINGS;
use crate::sstables;

const VIEWS: &str =
    "SELECT table_name FROM system_virtual_schema.tables WHERE keyspace_name = 'system_views'";
const MEMTABLE: &str = "SELECT type FROM system_schema.columns WHERE keyspace_name = 'system_schema' AND table_name = 'tables' AND column_name = 'memtable'";
/// The keyspaces whose SSTables no one but the node itself writes. Those of user keyspaces may have been loaded.
const OWN_KEYSPACES: [&str; 2] = ["system", "system_schema"];

/// Reads them. `local` is the row of system.local; what this role may not read, or the node does not have, is left out.
pub(crate) async fn read(
    cql: &dyn Cql,
    local: &Row,
    written_formats: BTreeSet<String>,
) -> Result<Signs, CqlError> {
    let release_version = local
        .text("release_version")
        .map_err(|source| CqlError::Row {
            statement: "system.local".to_owned(),
            source,
        })?;
    let mut signs = Signs {
        release_version: release_version.to_owned(),
        dse_version: local.optional_text("dse_version").map(str::to_owned),
        written_formats,
        ..Signs::default()
    };
    // What DSE has of these is not known, and its own column is enough.
    let base = Release::new(Product::Cassandra, release_version);
    if signs.dse_version.is_some() || !base.is_ok_and(|base| base.has_settings_table()) {
        return Ok(signs);
    }
    signs.views = names(cql, VIEWS, "table_name").await?;
    signs.settings = names(cql, SETTINGS, "name").await?;
    signs.memtable_type = names(cql, MEMTABLE, "type").await?.pop_first();
    Ok(signs)
}

async fn names(cql: &dyn Cql, statement: &str, column: &str) -> Result<BTreeSet<String>, CqlError> {
    let rows = allowed(cql.query(statement).await)?.unwrap_or_default();
    let names = rows.iter().filter_map(|row| row.optional_text(column));
    Ok(names.map(str::to_owned).collect())
}

/// The formats of the SSTables that the node has written for itself; those that cannot be listed are left out.
pub(crate) fn written_formats(folders: &DataFolders) -> BTreeSet<String> {
    let keyspaces = folders
        .iter()
        .flat_map(|data| OWN_KEYSPACES.map(|keyspace| data.path.join(keyspace)));
    let mut formats = BTreeSet::new();
    for keyspace in keyspaces.filter(|keyspace| keyspace.is_dir()) {
        let tables = files::entries(&keyspace).and_then(|tables| {
            let folders = tables.iter().filter(|table| table.is_dir());
            let listed: Result<Vec<_>, _> = folders.map(|table| sstables::list(table)).collect();
            listed
        });
        match tables {
            Ok(found) => {
                let data = found.iter().flatten().filter(|file| file.is_own_data());
                formats.extend(data.map(|file| file.descriptor.format.to_string()));
            }
            Err(error) => debug!(%error, "SSTables of a system keyspace could not be listed"),
        }
    }
    formats
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_the_node_has_written_for_itself_is_found_in_all_data_directories() {
        let root = tempfile::tempdir().unwrap();
        for (data, table, file) in [
            (
                "d1",
                "system/local-7ad54392bcdd35a684174e047860b377",
                "nb-1-big-Data.db",
            ),
            (
                "d2",
                "system_schema/tables-afddfb9dbc1e30688056eed6c302ba09",
                "cc-2-bti-Data.db",
            ),
            // Loaded, perhaps, and not written.
            (
                "d1",
                "shop/orders-00000000000000000000000000000001",
                "da-1-bti-Data.db",
            ),
            // Of a snapshot of before an upgrade.
            (
                "d1",
                "system/local-7ad54392bcdd35a684174e047860b377/snapshots/s",
                "ma-1-big-Data.db",
            ),
        ] {
            let folder = root.path().join(data).join(table);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(file), "").unwrap();
        }
        let paths = ["d1", "d2", "d3"].map(|data| root.path().join(data));
        let formats = written_formats(&DataFolders::new(paths.to_vec()));
        assert_eq!(formats, BTreeSet::from(["big-nb".into(), "bti-cc".into()]));
    }
}
