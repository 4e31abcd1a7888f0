use jiff::Timestamp;
use model::manifest::BackupKind;
use model::{HostId, RingMember, TableId};
use uuid::Uuid;

use super::*;
use crate::document::open_checked;
use crate::envelope::{DocumentKind, seal};

const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn backup(name: &str) -> BackupRef {
    BackupRef {
        cluster: "prod".parse().expect("a name"),
        name: name.parse().expect("a name"),
    }
}

fn file(name: &str, index: Option<&str>, from: Option<&str>) -> StoredFile {
    StoredFile {
        name: name.to_owned(),
        index: index.map(str::to_owned),
        bytes: 1,
        blake3: HASH.to_owned(),
        object: format!(
            "{}node/ks/t/{name}",
            keys::data(&backup(from.unwrap_or("d1")))
        ),
        offset: None,
        from: from.map(|from| from.parse().expect("a name")),
        copied_from: None,
        source: None,
    }
}

fn table(name: &str, id: u128, files: Vec<StoredFile>) -> TableFiles {
    TableFiles {
        keyspace: "ks".to_owned(),
        table: name.to_owned(),
        id: TableId(Uuid::from_u128(id)),
        view_of: None,
        files,
        sstables: Vec::new(),
    }
}

/// A differential backup `d1` on `f1`, with names of every kind.
fn manifest() -> NodeManifest {
    let files = vec![
        file("nb-1-big-Data.db", None, Some("f1")),
        file("nb-1-big-Data.db", Some("by_Name"), None),
        file("nb-1-big-Digest.crc32", None, None),
        file(
            "da-3h5q_0yyx_2et0025xiqfm4amign-bti-SAI+db+1+i+Meta.db",
            None,
            None,
        ),
    ];
    NodeManifest {
        backup: backup("d1"),
        kind: BackupKind::Differential,
        base: Some("f1".parse().expect("a name")),
        member: RingMember {
            host_id: HostId(Uuid::from_u128(1)),
            address: String::new(),
            datacenter: String::new(),
            rack: String::new(),
            tokens: Vec::new(),
        },
        release: "cassandra 4.1.9".parse().expect("a release"),
        partitioner: String::new(),
        snapshot_tag: String::new(),
        snapshot_taken_at: Timestamp::UNIX_EPOCH,
        tables: vec![table("t", 1, files), table("empty", 2, Vec::new())],
        damaged: Vec::new(),
        keys: Vec::new(),
    }
}

fn key() -> String {
    keys::node_manifest(&backup("d1"), &HostId(Uuid::from_u128(1)))
}

/// The complaint about a manifest that was changed.
#[track_caller]
fn complaint(change: impl FnOnce(&mut NodeManifest)) -> String {
    let mut manifest = manifest();
    change(&mut manifest);
    let error = check(&manifest, &key()).expect_err("a complaint");
    error.to_string()
}

#[test]
fn a_sound_manifest_reads_back() {
    let (sealed, hash) = seal(DocumentKind::NodeManifest, &manifest()).expect("seals");
    let opened = open_checked::<NodeManifest>(&key(), &sealed).expect("opens");
    assert_eq!((opened.document, opened.blake3), (manifest(), hash));
}

#[test]
fn a_manifest_of_another_node_backup_or_cluster_is_misplaced() {
    let others: [fn(&mut NodeManifest); 3] = [
        |other| other.member.host_id = HostId(Uuid::from_u128(2)),
        |other| other.backup.name = "d2".parse().expect("a name"),
        |other| other.backup.cluster = "other".parse().expect("a name"),
    ];
    for change in others {
        let mut other = manifest();
        change(&mut other);
        let (sealed, _) = seal(DocumentKind::NodeManifest, &other).expect("seals");
        let opened = open_checked::<NodeManifest>(&key(), &sealed);
        assert!(matches!(opened, Err(DocumentError::Misplaced { .. })));
    }
}

#[test]
fn file_names_that_leave_their_folder_are_refused() {
    for bad in [
        "nb-1-big-x/../../../../etc/cassandra/jvm.options",
        "nb-1-big-..",
        "../nb-1-big-Data.db",
        "..",
        ".",
        ".hidden",
        "/etc/passwd",
        "nb-1-big-Data.db\0",
        "nb-1-big-Data.db\n",
        "nb-1-big-Data\\.db",
        "",
        &"x".repeat(256),
    ] {
        let what = complaint(|manifest| manifest.tables[0].files[2].name = bad.to_owned());
        assert!(what.contains("is not that of a file"), "{bad:?}: {what}");
        assert!(!what.contains('\n'), "{what}");
    }
}

#[test]
fn names_of_keyspaces_tables_and_indexes_are_checked() {
    for bad in [
        "",
        "..",
        "a/b",
        "a.b",
        "a b",
        "a\0",
        "\u{e4}",
        &"x".repeat(256),
    ] {
        complaint(|manifest| manifest.tables[0].keyspace = bad.to_owned());
        complaint(|manifest| manifest.tables[1].table = bad.to_owned());
        complaint(|manifest| manifest.tables[0].files[1].index = Some(bad.to_owned()));
    }
}

#[test]
fn objects_lie_among_those_of_the_backup_or_its_base() {
    let data = keys::data(&backup("d1"));
    for bad in [
        "ringkeep/1/intents/prod/d1.json".to_owned(),
        keys::data(&backup("f1")) + "node/ks/t/x",
        keys::data(&backup("d10")) + "node/ks/t/x",
        format!("{data}../f1/node/ks/t/x"),
        format!("{data}node//x"),
        format!("{data}./x"),
        data.clone(),
        String::new(),
    ] {
        let what = complaint(|manifest| manifest.tables[0].files[1].object = bad.clone());
        assert!(what.contains("its object"), "{bad}: {what}");
    }
    let other = |manifest: &mut NodeManifest| {
        manifest.tables[0].files[0].from = Some("f2".parse().expect("a name"));
    };
    assert!(complaint(other).contains("not the base"));
}

#[test]
fn what_is_named_twice_or_has_no_hash_is_refused() {
    let what = complaint(|manifest| {
        let again = manifest.tables[0].files[2].clone();
        manifest.tables[0].files.push(again);
    });
    assert!(what.contains("twice"), "{what}");
    let what = complaint(|manifest| manifest.tables[1].id = manifest.tables[0].id);
    assert!(what.contains("another table"), "{what}");
    for bad in ["", "abc", &HASH.to_uppercase(), &format!("{HASH}0")] {
        let what = complaint(|manifest| manifest.tables[0].files[0].blake3 = bad.to_owned());
        assert!(what.contains("hash"), "{what}");
    }
}

/// The files of the first table are in one pack, one after the other.
fn pack(manifest: &mut NodeManifest) {
    let own = format!("{}node/.packs/p", keys::data(&backup("d1")));
    let own_files = manifest.tables[0].files[1..].iter_mut();
    for (at, file) in own_files.enumerate() {
        (file.object, file.offset) = (own.clone(), Some(at as u64));
    }
    let of_base = &mut manifest.tables[0].files[0];
    of_base.object = format!("{}node/.packs/p", keys::data(&backup("f1")));
    of_base.offset = Some(7);
}

#[test]
fn a_manifest_with_packs_has_the_form_that_knows_them() {
    let mut packed = manifest();
    let form = |manifest: &NodeManifest| {
        let sealed = crate::seal_document(manifest).expect("seals").0;
        let opened = crate::envelope::open::<NodeManifest>(DocumentKind::NodeManifest, &sealed);
        (opened.expect("opens").format, sealed)
    };
    assert_eq!(form(&packed).0, 1, "earlier releases read it");
    pack(&mut packed);
    let (format, sealed) = form(&packed);
    assert_eq!(format, 2);
    let opened = open_checked::<NodeManifest>(&key(), &sealed).expect("opens");
    assert_eq!(opened.document, packed);
    // A reader of the first form would take the pack for the file.
    let (sealed, _) = seal(DocumentKind::NodeManifest, &packed).expect("seals");
    let error = open_checked::<NodeManifest>(&key(), &sealed).expect_err("a complaint");
    assert!(error.to_string().contains("form 1"), "{error}");
}

#[test]
fn files_of_a_pack_lie_side_by_side_within_an_object() {
    let packed = |change: fn(&mut NodeManifest)| {
        complaint(|manifest| {
            pack(manifest);
            change(manifest);
        })
    };
    let what = packed(|manifest| manifest.tables[0].files[2].offset = Some(0));
    assert!(what.contains("overlap"), "{what}");
    let what = packed(|manifest| manifest.tables[0].files[1].bytes = 2);
    assert!(what.contains("overlap"), "{what}");
    let what = packed(|manifest| manifest.tables[0].files[3].bytes = u64::MAX);
    assert!(what.contains("beyond the end"), "{what}");
    let what = packed(|manifest| manifest.tables[0].files[3].offset = None);
    assert!(what.contains("also a file"), "{what}");
    // Files of several tables may be in one pack, and must not overlap there either.
    let what = packed(|manifest| {
        let file = manifest.tables[0].files[1].clone();
        manifest.tables[1].files.push(file);
    });
    assert!(what.contains("overlap"), "{what}");
    let what = packed(|manifest| {
        let base = manifest.tables[0].files[0].object.clone();
        manifest.tables[0].files[1].object = base;
    });
    assert!(what.contains("its object"), "{what}");
}

#[test]
fn an_empty_file_overlaps_nothing() {
    let mut manifest = manifest();
    pack(&mut manifest);
    manifest.tables[0].files[2].bytes = 0;
    manifest.tables[0].files[3].offset = Some(1);
    check(&manifest, &key()).expect("sound");
}

#[test]
fn a_complaint_about_a_long_name_is_short() {
    let long = "x/".repeat(100_000);
    let what = complaint(|manifest| manifest.tables[0].files[0].name = long);
    assert!(what.len() < 400, "{}", what.len());
}
