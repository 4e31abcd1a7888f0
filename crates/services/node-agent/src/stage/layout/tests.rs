use std::collections::HashSet;

use cassandra_versions::{Product, Release};
use model::manifest::BackupKind;
use model::{RingMember, TableRef};
use uuid::Uuid;

use super::*;

fn host(number: u128) -> HostId {
    HostId(Uuid::from_u128(number))
}

fn table(number: u128) -> TableId {
    TableId(Uuid::from_u128(number))
}

fn target() -> TableTarget {
    TableTarget {
        source: None,
        table: TableRef::new("ks", "t"),
        source_id: table(1),
        target_id: table(2),
    }
}

/// A node that has these files, each of so many bytes.
fn manifest(number: u128, files: &[(&str, u64)]) -> (HostId, NodeManifest) {
    let files = files.iter().map(|(path, bytes)| {
        let (index, name) = match path.rsplit_once('/') {
            Some((index, name)) => (Some(index[1..].to_owned()), name),
            None => (None, *path),
        };
        StoredFile {
            name: name.to_owned(),
            index,
            bytes: *bytes,
            blake3: String::new(),
            object: format!("{number}/{path}"),
            offset: None,
            from: None,
            copied_from: None,
            source: None,
        }
    });
    let manifest = NodeManifest {
        backup: model::BackupRef {
            cluster: "c".parse().unwrap(),
            name: "b".parse().unwrap(),
        },
        kind: BackupKind::Full,
        base: None,
        member: RingMember {
            host_id: host(number),
            address: String::new(),
            datacenter: String::new(),
            rack: String::new(),
            tokens: Vec::new(),
        },
        release: Release::new(Product::Cassandra, "4.1.9").unwrap(),
        partitioner: String::new(),
        snapshot_tag: String::new(),
        snapshot_taken_at: jiff::Timestamp::UNIX_EPOCH,
        damaged: Vec::new(),
        keys: Vec::new(),
        tables: vec![TableFiles {
            keyspace: "ks".into(),
            table: "t".into(),
            id: table(1),
            view_of: None,
            files: files.collect(),
            sstables: Vec::new(),
        }],
    };
    (host(number), manifest)
}

/// Of a node that had nothing.
pub fn empty_manifest(partitioner: &str) -> NodeManifest {
    NodeManifest {
        partitioner: partitioner.to_owned(),
        ..manifest(1, &[]).1
    }
}

const ANYTHING: Rules = Rules {
    keep_time_ids: true,
    keep_attached: true,
};

fn disk_spaces(free: &[(u64, u64)]) -> Vec<DiskSpace> {
    free.iter()
        .zip(["a", "b", "c"])
        .map(|(&(device, free_bytes), label)| DiskSpace {
            label: label.to_owned(),
            device,
            free_bytes,
        })
        .collect()
}

/// `object -> directory path` for each file.
fn lines(sstables: &[StagedSstable]) -> Vec<String> {
    let folder = format!("ks/t-{}/", table(2).folder_suffix());
    let files = sstables.iter().flat_map(|sstable| &sstable.files);
    files
        .map(|f| {
            format!(
                "{} -> {} {}",
                f.stored.object,
                f.directory,
                f.path.replace(&folder, "")
            )
        })
        .collect()
}

fn check(manifests: &[(HostId, NodeManifest)], rules: Rules, expected: &[&str]) {
    let laid = lay_out(
        manifests,
        &[target()],
        &[],
        &[],
        rules,
        disk_spaces(&[(1, 1000)]),
    )
    .unwrap();
    assert_eq!(lines(&laid), expected);
}

#[test]
fn files_of_several_nodes_never_collide() {
    check(
        &[
            manifest(
                1,
                &[
                    ("nb-1-big-Data.db", 1),
                    ("nb-1-big-Index.db", 1),
                    ("nb-7-big-Data.db", 1),
                ],
            ),
            manifest(
                2,
                &[
                    ("nb-1-big-Data.db", 1),
                    ("nb-1-big-Index.db", 1),
                    ("me-2-big-Data.db", 1),
                ],
            ),
        ],
        ANYTHING,
        &[
            "1/nb-1-big-Data.db -> a nb-1-big-Data.db",
            "1/nb-1-big-Index.db -> a nb-1-big-Index.db",
            "1/nb-7-big-Data.db -> a nb-7-big-Data.db",
            "2/me-2-big-Data.db -> a me-2-big-Data.db",
            "2/nb-1-big-Data.db -> a nb-8-big-Data.db",
            "2/nb-1-big-Index.db -> a nb-8-big-Index.db",
        ],
    );
}

#[test]
fn an_id_of_one_format_is_not_given_to_another() {
    check(
        &[manifest(
            1,
            &[("me-1-big-Data.db", 1), ("nb-1-big-Data.db", 1)],
        )],
        ANYTHING,
        &[
            "1/me-1-big-Data.db -> a me-1-big-Data.db",
            "1/nb-1-big-Data.db -> a nb-2-big-Data.db",
        ],
    );
}

#[test]
fn ids_of_time_become_numbers_where_they_would_not_be_read() {
    const TIME: &str = "nb-3h5q_0yyx_2et0025xiqfm4amign-big-Data.db";
    let from = [manifest(1, &[("nb-4-big-Data.db", 1), (TIME, 1)])];
    let kept = format!("1/{TIME} -> a {TIME}");
    let renamed = format!("1/{TIME} -> a nb-5-big-Data.db");
    let four = "1/nb-4-big-Data.db -> a nb-4-big-Data.db";
    check(&from, ANYTHING, &[&kept, four]);
    check(
        &from,
        Rules {
            keep_time_ids: false,
            ..ANYTHING
        },
        &[&renamed, four],
    );
}

#[test]
fn an_index_has_its_own_folder_and_its_own_numbers() {
    check(
        &[
            manifest(1, &[(".i/nb-1-big-Data.db", 1), ("nb-1-big-Data.db", 1)]),
            manifest(2, &[(".i/nb-1-big-Data.db", 1)]),
        ],
        ANYTHING,
        &[
            "1/nb-1-big-Data.db -> a nb-1-big-Data.db",
            "1/.i/nb-1-big-Data.db -> a .i/nb-1-big-Data.db",
            "2/.i/nb-1-big-Data.db -> a .i/nb-2-big-Data.db",
        ],
    );
}

#[test]
fn attached_indexes_of_another_release_are_left_out_with_the_list_that_names_them() {
    let from = [manifest(
        1,
        &[
            ("oa-1-big-Data.db", 1),
            ("oa-1-big-SAI+aa+i+Meta.db", 1),
            ("oa-1-big-TOC.txt", 1),
            ("oa-2-big-Data.db", 1),
            ("oa-2-big-TOC.txt", 1),
        ],
    )];
    check(
        &from,
        Rules {
            keep_attached: false,
            ..ANYTHING
        },
        &[
            "1/oa-1-big-Data.db -> a oa-1-big-Data.db",
            "1/oa-2-big-Data.db -> a oa-2-big-Data.db",
            "1/oa-2-big-TOC.txt -> a oa-2-big-TOC.txt",
        ],
    );
}

#[test]
fn each_sstable_stays_together_in_the_directory_with_the_most_room() {
    let from = [manifest(
        1,
        &[
            ("nb-1-big-Data.db", 60),
            ("nb-1-big-Index.db", 1),
            ("nb-2-big-Data.db", 10),
            ("nb-3-big-Data.db", 10),
        ],
    )];
    let laid = lay_out(
        &from,
        &[target()],
        &[],
        &[],
        ANYTHING,
        disk_spaces(&[(1, 100), (2, 50)]),
    )
    .unwrap();
    let directories: Vec<_> = laid
        .iter()
        .map(|s| s.placement.directory.as_str())
        .collect();
    assert_eq!(directories, ["a", "b", "b"]);
    let shared = lay_out(
        &from,
        &[target()],
        &[],
        &[],
        ANYTHING,
        disk_spaces(&[(1, 100), (1, 100)]),
    )
    .unwrap();
    let used: HashSet<_> = shared
        .iter()
        .map(|s| s.placement.directory.as_str())
        .collect();
    assert_eq!(used.len(), 2, "directories on one filesystem take turns");
}

#[test]
fn what_was_placed_stays_in_its_place() {
    let from = [manifest(
        1,
        &[("nb-1-big-Data.db", 1), ("nb-2-big-Data.db", 1)],
    )];
    let first = lay_out(
        &from,
        &[target()],
        &[],
        &[],
        ANYTHING,
        disk_spaces(&[(1, 9), (2, 5)]),
    )
    .unwrap();
    let placed: Vec<Placement> = vec![Placement {
        to: "nb-40-big".into(),
        directory: "b".into(),
        ..first[0].placement.clone()
    }];
    let again = lay_out(
        &from,
        &[target()],
        &[],
        &placed,
        ANYTHING,
        disk_spaces(&[(1, 9), (2, 5)]),
    )
    .unwrap();
    assert!(again[0].placed_before && !again[1].placed_before);
    assert_eq!(
        lines(&again),
        [
            "1/nb-1-big-Data.db -> b nb-40-big-Data.db",
            "1/nb-2-big-Data.db -> a nb-2-big-Data.db"
        ]
    );
}

#[test]
fn a_manifest_cannot_lead_out_of_the_staging_folder() {
    for bad in [
        "../x-Data.db",
        ".../nb-1-big-Data.db",
        "nb-1-big-Data.db/../../x",
        "nb-1-big-x/../../../../x",
        "nb-1-big-..",
    ] {
        let laid = lay_out(
            &[manifest(1, &[(bad, 1)])],
            &[target()],
            &[],
            &[],
            ANYTHING,
            disk_spaces(&[(1, 9)]),
        );
        assert!(laid.is_err(), "{bad}");
    }
}
