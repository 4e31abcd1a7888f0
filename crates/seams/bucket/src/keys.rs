//! Where each object is in the bucket. docs/format.md is the specification.
//!
//! Backup manifests are in a tree of their own, so that listing the backups of a cluster reads one page of keys per
//! thousand backups, whatever the backups hold.

use model::{
    BackupRef, ClusterName, HostId, Sample, SampleParts, TableId, TableRef, TaskId, VerifyLevel,
};

/// Root of all that Ringkeep writes, below the configured prefix. The number is the form of the whole layout.
pub const ROOT: &str = "ringkeep/1";

/// The prefix under which a cluster's backup manifests are; all clusters' with `None`.
pub fn backup_manifests(cluster: Option<&ClusterName>) -> String {
    match cluster {
        Some(cluster) => format!("{ROOT}/backups/{cluster}/"),
        None => format!("{ROOT}/backups/"),
    }
}

/// A backup exists when this object does.
pub fn backup_manifest(backup: &BackupRef) -> String {
    format!("{ROOT}/backups/{}/{}.json", backup.cluster, backup.name)
}

/// The prefix under which a backup's node manifests are.
pub fn node_manifests(backup: &BackupRef) -> String {
    format!("{ROOT}/nodes/{}/{}/", backup.cluster, backup.name)
}

/// Everything that one node contributed to a backup; the node's last object.
pub fn node_manifest(backup: &BackupRef, node: &HostId) -> String {
    format!("{}{node}.json", node_manifests(backup))
}

/// The prefix under which everything that a backup uploaded is.
pub fn data(backup: &BackupRef) -> String {
    format!("{ROOT}/data/{}/{}/", backup.cluster, backup.name)
}

/// A component of an SSTable: of a table, or of the hidden table of one of its secondary indexes.
pub fn file(
    backup: &BackupRef,
    node: &HostId,
    (table, id): (&TableRef, &TableId),
    index: Option<&str>,
    name: &str,
) -> String {
    let (data, suffix) = (data(backup), id.folder_suffix());
    let folder = format!("{data}{node}/{}/{}-{suffix}", table.keyspace, table.table);
    match index {
        Some(index) => format!("{folder}/.{index}/{name}"),
        None => format!("{folder}/{name}"),
    }
}

/// A pack of small files of one node. No keyspace has a name with a dot.
pub fn pack(backup: &BackupRef, node: &HostId, name: &str) -> String {
    format!("{}{node}/.packs/{name}", data(backup))
}

/// The name of a pack, of its key, whatever backup it is of; `None` if it is the key of something else.
pub fn name_of_pack(key: &str) -> Option<&str> {
    let (_, last) = key.rsplit_once("/.packs/")?;
    let (name, number) = last.split_once('.').unwrap_or((last, "2"));
    let is_name = name.len() == 64
        && name
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_name && is_number).then_some(name)
}

/// The key for the `number`th content that is stored under the name of a file, counted from 1: what an earlier attempt
/// has left under the first key is never overwritten.
pub fn numbered(file: &str, number: u32) -> String {
    match number {
        0 | 1 => file.to_owned(),
        _ => format!("{file}.{number}"),
    }
}

/// Says that a backup was begun, by which task, on which base; written before anything else of it.
pub fn intent(backup: &BackupRef) -> String {
    format!("{ROOT}/intents/{}/{}.json", backup.cluster, backup.name)
}

/// The prefix under which the intents of a cluster are; all clusters' with `None`.
pub fn intents(cluster: Option<&ClusterName>) -> String {
    match cluster {
        Some(cluster) => format!("{ROOT}/intents/{cluster}/"),
        None => format!("{ROOT}/intents/"),
    }
}

/// Says why a begun backup was given up.
pub fn failure(backup: &BackupRef) -> String {
    format!("{ROOT}/failures/{}/{}.json", backup.cluster, backup.name)
}

/// The prefix under which the failures of a cluster are; all clusters' with `None`.
pub fn failures(cluster: Option<&ClusterName>) -> String {
    match cluster {
        Some(cluster) => format!("{ROOT}/failures/{cluster}/"),
        None => format!("{ROOT}/failures/"),
    }
}

/// The prefix under which the deletion marks of a cluster are; all clusters' with `None`.
pub fn deletions(cluster: Option<&ClusterName>) -> String {
    match cluster {
        Some(cluster) => format!("{ROOT}/deletions/{cluster}/"),
        None => format!("{ROOT}/deletions/"),
    }
}

/// The prefix under which a backup's deletion marks are. While there is one, the backup cannot be pinned.
pub fn deletion_marks(backup: &BackupRef) -> String {
    format!("{ROOT}/deletions/{}/{}/", backup.cluster, backup.name)
}

/// The mark of one attempt to delete a backup. The attempt whose mark sorts last is the one that may go on.
pub fn deletion_mark(backup: &BackupRef, number: u32, attempt: &uuid::Uuid) -> String {
    format!("{}{number:08}-{attempt}.json", deletion_marks(backup))
}

/// The mark of an attempt to delete what bears a name only if it is of no use.
pub fn collection_mark(backup: &BackupRef, number: u32, attempt: &uuid::Uuid) -> String {
    format!("{}{number:08}-gc-{attempt}.json", deletion_marks(backup))
}

/// Whether it is the key of a mark of such an attempt: it does not show that anything was to be deleted.
pub fn is_collection_mark(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or(key);
    name.split_once('-')
        .is_some_and(|(_, rest)| rest.starts_with("gc-"))
}

/// The prefix under which the tombstones of a cluster are; all clusters' with `None`.
pub fn tombstones(cluster: Option<&ClusterName>) -> String {
    match cluster {
        Some(cluster) => format!("{ROOT}/tombstones/{cluster}/"),
        None => format!("{ROOT}/tombstones/"),
    }
}

/// Says that a backup of this name was deleted. It stays: the keys of the objects of two backups of one name would be the
/// same, and a deletion that was held up for long would delete those of the second one.
pub fn tombstone(backup: &BackupRef) -> String {
    format!("{ROOT}/tombstones/{}/{}.json", backup.cluster, backup.name)
}

/// The prefix under which the pins of a backup are.
pub fn pins(backup: &BackupRef) -> String {
    format!("{ROOT}/pins/{}/{}/", backup.cluster, backup.name)
}

/// The prefix under which the pins of a cluster are; all clusters' with `None`.
pub fn all_pins(cluster: Option<&ClusterName>) -> String {
    match cluster {
        Some(cluster) => format!("{ROOT}/pins/{cluster}/"),
        None => format!("{ROOT}/pins/"),
    }
}

/// Keeps a backup from being deleted while a task needs it, or as long as people want to keep it.
pub fn pin(backup: &BackupRef, task: &TaskId) -> String {
    format!("{}{task}.json", pins(backup))
}

/// The prefix under which the results of verifications of a backup are.
pub fn verifications(backup: &BackupRef) -> String {
    format!("{ROOT}/verifications/{}/{}/", backup.cluster, backup.name)
}

/// The prefix under which the results of verifications of a cluster are; all clusters' with `None`.
pub fn all_verifications(cluster: Option<&ClusterName>) -> String {
    match cluster {
        Some(cluster) => format!("{ROOT}/verifications/{cluster}/"),
        None => format!("{ROOT}/verifications/"),
    }
}

/// The same for one level.
pub fn verifications_of(backup: &BackupRef, level: VerifyLevel) -> String {
    format!("{}{}/", verifications(backup), level.as_str())
}

/// The result of one verification. Of those of one level, the newest sorts last.
pub fn verification(
    backup: &BackupRef,
    level: VerifyLevel,
    number: u32,
    attempt: &uuid::Uuid,
) -> String {
    let prefix = verifications_of(backup, level);
    format!("{prefix}{number:08}-{attempt}.json")
}

/// The prefix under which the results of verifications of parts of a backup are. They are beside the others because lists
/// read those, and because to an older release a part would be the whole.
pub fn samples(backup: &BackupRef) -> String {
    format!("{ROOT}/samples/{}/{}/", backup.cluster, backup.name)
}

/// The same for one level and number of parts.
pub fn samples_of(backup: &BackupRef, level: VerifyLevel, of: SampleParts) -> String {
    format!("{}{}/{:04}/", samples(backup), level.as_str(), of.get())
}

/// The same for one part.
pub fn samples_of_part(backup: &BackupRef, level: VerifyLevel, sample: Sample) -> String {
    format!(
        "{}{:04}-",
        samples_of(backup, level, sample.of),
        sample.part
    )
}

/// The result of one verification of a part. The number counts over all parts of one level and number of parts.
pub fn sample(
    backup: &BackupRef,
    level: VerifyLevel,
    sample: Sample,
    number: u32,
    attempt: &uuid::Uuid,
) -> String {
    let prefix = samples_of_part(backup, level, sample);
    format!("{prefix}{number:08}-{attempt}.json")
}

/// The prefix under which the summaries of a cluster's backup manifests are.
pub fn summaries(cluster: &ClusterName) -> String {
    format!("{ROOT}/summaries/{cluster}/")
}

/// One document of summaries. Of several, the one that sorts last counts.
pub fn summaries_document(cluster: &ClusterName, number: u32, attempt: &uuid::Uuid) -> String {
    format!("{}{number:08}-{attempt}.json", summaries(cluster))
}

/// The backup of a key of the form `<root><cluster>/<backup>/<more>`, where `root` is the prefix of a tree over all clusters.
pub fn parse_key_below(root: &str, key: &str) -> Option<BackupRef> {
    let mut segments = key.strip_prefix(root)?.split('/');
    let (cluster, name) = (segments.next()?, segments.next()?);
    segments.next()?;
    Some(BackupRef {
        cluster: cluster.parse().ok()?,
        name: name.parse().ok()?,
    })
}

/// Splits `<prefix>/<cluster>/<backup>.json` under one of the trees above.
pub fn parse_backup_key(tree: &str, key: &str) -> Option<BackupRef> {
    let rest = key.strip_prefix(ROOT)?.strip_prefix('/')?;
    let rest = rest.strip_prefix(tree)?.strip_prefix('/')?;
    let (cluster, name) = rest.strip_suffix(".json")?.split_once('/')?;
    Some(BackupRef {
        cluster: cluster.parse().ok()?,
        name: name.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_key_reads_back() {
        let backup = BackupRef {
            cluster: "prod".parse().expect("name"),
            name: "b.1".parse().expect("name"),
        };
        assert_eq!(backup_manifest(&backup), "ringkeep/1/backups/prod/b.1.json");
        assert_eq!(
            parse_backup_key("backups", &backup_manifest(&backup)),
            Some(backup)
        );
        assert_eq!(
            parse_backup_key("backups", "ringkeep/1/backups/prod/x/y.json"),
            None
        );
    }

    #[test]
    fn a_files_key_names_node_table_and_index() {
        let backup = BackupRef {
            cluster: "prod".parse().expect("name"),
            name: "b".parse().expect("name"),
        };
        let node = HostId(uuid::Uuid::nil());
        let (table, id) = (TableRef::new("ks", "t"), TableId(uuid::Uuid::from_u128(1)));
        let key = |index| file(&backup, &node, (&table, &id), index, "nb-1-big-Data.db");
        let folder = "ringkeep/1/data/prod/b/00000000-0000-0000-0000-000000000000/ks/t-00000000000000000000000000000001";
        assert_eq!(key(None), format!("{folder}/nb-1-big-Data.db"));
        assert_eq!(key(Some("i")), format!("{folder}/.i/nb-1-big-Data.db"));
        assert_eq!(
            pack(&backup, &node, "abc"),
            "ringkeep/1/data/prod/b/00000000-0000-0000-0000-000000000000/.packs/abc"
        );
        assert_eq!(numbered(&key(None), 1), key(None));
        assert_eq!(
            numbered(&key(None), 2),
            format!("{folder}/nb-1-big-Data.db.2")
        );
    }

    #[test]
    fn marks_of_collections_are_known_and_sort_by_their_numbers() {
        let backup = BackupRef {
            cluster: "prod".parse().expect("name"),
            name: "gc-1".parse().expect("name"),
        };
        let attempt = uuid::Uuid::from_u128(u128::MAX);
        let of_collection = collection_mark(&backup, 1, &attempt);
        let of_deletion = deletion_mark(&backup, 2, &attempt);
        assert!(is_collection_mark(&of_collection));
        assert!(!is_collection_mark(&of_deletion));
        assert!(of_collection < of_deletion);
    }

    #[test]
    fn one_backups_prefix_never_covers_anothers() {
        let named = |name: &str| BackupRef {
            cluster: "c".parse().expect("name"),
            name: name.parse().expect("name"),
        };
        assert!(!data(&named("b10")).starts_with(&data(&named("b1"))));
        assert!(!pins(&named("b10")).starts_with(&pins(&named("b1"))));
    }
}
