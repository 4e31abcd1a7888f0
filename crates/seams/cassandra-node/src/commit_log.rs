//! Whether Cassandra, while it is down, has something in its commit log to replay when it starts.
//!
//! What it replays goes over whatever files are live then, restored ones too. A drain leaves nothing to replay, and every
//! start begins segments under new names. So a node that has been drained is drained still as long as there is no segment
//! that was not there then, whatever has started or stopped it since.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use model::TableId;

use crate::files::{self, FileError, blocking};
use crate::node::CassandraNode;

/// Version, id, length of the parameters, and the parameters of a segment that is neither compressed nor encrypted.
const PLAIN_HEADER: usize = 4 + 8 + 2 + PLAIN_PARAMETERS.len();
const PLAIN_PARAMETERS: &[u8] = b"{}";
const READ_BYTES: usize = 1 << 20;

/// Names of segments.
pub type Segments = BTreeSet<String>;

/// The segments; none if the folder does not exist, which shows nothing about what Cassandra has.
pub async fn segments(node: &CassandraNode) -> Result<Option<Segments>, FileError> {
    let folder = node.yaml.commitlog_directory.clone();
    let is_segment = |name: &str| name.starts_with("CommitLog-") && name.ends_with(".log");
    files::names(folder, is_segment).await
}

/// The segments that Cassandra, which is down, would replay. `drained` are those that the last drain has left, if there was
/// one.
pub fn undrained(found: Segments, drained: &Segments) -> Segments {
    found.difference(drained).cloned().collect()
}

/// Whether one of these segments may hold a write to one of the tables. A write names its table by the 16 bytes of its id,
/// so a plain segment without them holds none. What cannot be searched may hold anything.
pub async fn may_hold(
    node: &CassandraNode,
    segments: &Segments,
    tables: &[TableId],
) -> Result<bool, FileError> {
    let folder = node.yaml.commitlog_directory.clone();
    let (segments, ids) = (segments.clone(), Ids::of(tables));
    blocking(move || {
        for segment in segments {
            let path = folder.join(segment);
            if holds(&path, &ids).map_err(FileError::at("read", &path))? {
                return Ok(true);
            }
        }
        Ok(false)
    })
    .await
}

/// Ids of tables, to be found in a stream of bytes.
struct Ids {
    ids: HashSet<u128>,
    /// By the last two bytes of an id, because few places of a segment need the look-up.
    endings: Vec<bool>,
}

impl Ids {
    fn of(tables: &[TableId]) -> Self {
        let ids: HashSet<u128> = tables.iter().map(|table| table.0.as_u128()).collect();
        let mut endings = vec![false; 1 << 16];
        for id in &ids {
            endings[(id & 0xffff) as usize] = true;
        }
        Self { ids, endings }
    }

    fn contain(&self, window: u128) -> bool {
        self.endings[(window & 0xffff) as usize] && self.ids.contains(&window)
    }
}

fn holds(path: &Path, ids: &Ids) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut header = Vec::new();
    file.by_ref()
        .take(PLAIN_HEADER as u64)
        .read_to_end(&mut header)?;
    // A node that was killed early leaves segments that are empty, or all zeros.
    if header.iter().any(|byte| *byte != 0) && !is_plain(&header) {
        return Ok(true);
    }
    let mut buffer = vec![0; READ_BYTES];
    let mut window = 0_u128;
    loop {
        let length = file.read(&mut buffer)?;
        if length == 0 {
            return Ok(false);
        }
        for byte in &buffer[..length] {
            window = window << 8 | u128::from(*byte);
            if ids.contain(window) {
                return Ok(true);
            }
        }
    }
}

fn is_plain(header: &[u8]) -> bool {
    let length = (PLAIN_PARAMETERS.len() as u16).to_be_bytes();
    header.len() == PLAIN_HEADER && header[12..14] == length && header[14..] == *PLAIN_PARAMETERS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeCassandra;

    /// A segment with these parameters and this content, as Cassandra lays it out.
    fn segment(parameters: &str, content: &[u8]) -> Vec<u8> {
        let mut bytes = 7_i32.to_be_bytes().to_vec();
        bytes.extend(1_700_000_000_000_i64.to_be_bytes());
        bytes.extend((parameters.len() as u16).to_be_bytes());
        bytes.extend(parameters.as_bytes());
        bytes.extend(content);
        bytes
    }

    #[tokio::test]
    async fn a_segment_holds_writes_to_the_tables_whose_ids_are_in_it() {
        let table: TableId = "8d5c3c10-64ff-11f0-9a3b-0db33a5a0c01".parse().unwrap();
        let id = table.0.as_bytes();
        let far = |id: &[u8]| [&vec![7; READ_BYTES - 9], id, &[0; 100]].concat();
        let compressed = r#"{"compressionClass":"LZ4Compressor"}"#;
        for (bytes, expected) in [
            (segment("{}", &far(id)), true),
            (segment("{}", id), true),
            (segment("{}", &far(&id[..15])), false),
            (segment("{}", &[]), false),
            (Vec::new(), false),
            (vec![0; 4096], false),
            (segment(compressed, &[]), true),
            (b"anything".to_vec(), true),
        ] {
            let root = tempfile::tempdir().unwrap();
            let fake = FakeCassandra::new(root.path(), 1, "4.1.9");
            let name = "CommitLog-7-1.log".to_owned();
            std::fs::write(fake.node.yaml.commitlog_directory.join(&name), &bytes).unwrap();
            let found = may_hold(&fake.node, &[name].into(), &[table])
                .await
                .unwrap();
            assert_eq!(found, expected, "{} bytes", bytes.len());
        }
    }

    #[test]
    fn only_segments_that_a_drain_has_left_are_settled() {
        let of =
            |names: &[&str]| -> Segments { names.iter().map(|name| name.to_string()).collect() };
        for (found, drained, expected) in [
            (of(&[]), of(&[]), of(&[])),
            (of(&["1"]), of(&[]), of(&["1"])),
            (of(&["1"]), of(&["1", "2"]), of(&[])),
            (of(&["1", "3"]), of(&["1", "2"]), of(&["3"])),
        ] {
            assert_eq!(undrained(found.clone(), &drained), expected, "{found:?}");
        }
    }

    #[tokio::test]
    async fn a_folder_without_segments_differs_from_one_that_is_absent() {
        let root = tempfile::tempdir().unwrap();
        let fake = FakeCassandra::new(root.path(), 1, "4.1.9");
        assert_eq!(segments(&fake.node).await.unwrap(), Some(Segments::new()));
        let folder = &fake.node.yaml.commitlog_directory;
        std::fs::write(folder.join("CommitLog-7-1.log"), "").unwrap();
        std::fs::write(folder.join("CommitLog-7-1_cdc.idx"), "").unwrap();
        let found = segments(&fake.node).await.unwrap().unwrap();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["CommitLog-7-1.log"]);
        std::fs::remove_dir_all(folder).unwrap();
        assert_eq!(segments(&fake.node).await.unwrap(), None);
    }
}
