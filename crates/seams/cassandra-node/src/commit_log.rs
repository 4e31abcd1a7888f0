//! Whether Cassandra, while it is down, has something in its commit log to replay when it starts.
//!
//! What it replays goes over whatever files are live then, restored ones too. A drain leaves nothing to replay, and every
//! start begins segments under new names. So a node that has been drained is drained still as long as there is no segment
//! that was not there then, whatever has started or stopped it since.

use std::collections::BTreeSet;

use crate::files::{self, FileError, blocking};
use crate::node::CassandraNode;

/// Names of segments.
pub type Segments = BTreeSet<String>;

/// The segments; none if the folder does not exist, which shows nothing about what Cassandra has.
pub async fn segments(node: &CassandraNode) -> Result<Option<Segments>, FileError> {
    let folder = node.yaml.commitlog_directory.clone();
    blocking(move || {
        if !folder.is_dir() {
            return Ok(None);
        }
        let entries = files::entries(&folder)?;
        let names = entries.iter().map(|path| files::name_of(path).to_owned());
        let is_segment = |name: &String| name.starts_with("CommitLog-") && name.ends_with(".log");
        Ok(Some(names.filter(is_segment).collect()))
    })
    .await
}

/// Whether Cassandra, which is down, would replay nothing of these segments. `drained` are the segments that the last drain
/// has left, if there was one.
pub fn is_settled(found: &Segments, drained: Option<&Segments>) -> bool {
    found.is_empty() || drained.is_some_and(|drained| found.is_subset(drained))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeCassandra;

    #[test]
    fn only_segments_that_a_drain_has_left_are_settled() {
        let of =
            |names: &[&str]| -> Segments { names.iter().map(|name| name.to_string()).collect() };
        for (found, drained, expected) in [
            (of(&[]), None, true),
            (of(&["1"]), None, false),
            (of(&["1"]), Some(of(&["1", "2"])), true),
            (of(&["1", "3"]), Some(of(&["1", "2"])), false),
        ] {
            assert_eq!(is_settled(&found, drained.as_ref()), expected, "{found:?}");
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
