//! The hints that this node keeps for others, as files of its hints folder.
//!
//! Cassandra deletes such a file once the node that it is for has taken everything in it. A hint is in memory at first, and
//! in a file after the flush period.

use std::collections::BTreeSet;

use crate::files::{self, FileError};
use crate::node::CassandraNode;

/// Names of files of hints; each begins with the host id of the node that it is for.
pub type HintFiles = BTreeSet<String>;

/// The files; none if the folder does not exist, which shows nothing about what Cassandra has.
pub async fn files(node: &CassandraNode) -> Result<Option<HintFiles>, FileError> {
    let folder = node.yaml.hints_directory.clone();
    files::names(folder, |name| name.ends_with(".hints")).await
}

/// The host ids that the files are for.
pub fn nodes(files: &HintFiles) -> BTreeSet<&str> {
    const HOST_ID_CHARS: usize = 36;
    files
        .iter()
        .map(|name| name.get(..HOST_ID_CHARS).unwrap_or(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeCassandra;

    const A: &str = "11111111-0000-0000-0000-000000000001";
    const B: &str = "11111111-0000-0000-0000-000000000002";

    #[tokio::test]
    async fn files_are_known_by_their_ending_and_say_whom_they_are_for() {
        let root = tempfile::tempdir().unwrap();
        let fake = FakeCassandra::new(root.path(), 1, "4.1.9");
        let folder = &fake.node.yaml.hints_directory;
        assert_eq!(files(&fake.node).await.unwrap(), None);
        std::fs::create_dir_all(folder).unwrap();
        let names = [
            format!("{A}-1700000000000-2.hints"),
            format!("{B}-1700000000001-2.hints"),
        ];
        for name in &names {
            std::fs::write(folder.join(name), "").unwrap();
        }
        std::fs::write(folder.join(format!("{A}-1700000000000-2.crc32")), "").unwrap();
        let found = files(&fake.node).await.unwrap().unwrap();
        assert_eq!(found, BTreeSet::from(names));
        assert_eq!(nodes(&found), BTreeSet::from([A, B]));
        assert_eq!(
            nodes(&["x.hints".to_owned()].into()),
            BTreeSet::from(["x.hints"])
        );
    }
}
