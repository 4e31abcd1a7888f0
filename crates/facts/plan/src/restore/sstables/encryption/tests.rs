mod rows;

use model::Finding;
use model::manifest::{Encryption, KeyFingerprint, SstableFacts};

use super::*;
use crate::restore::world::{backup, brief, facts, host, said, sstables, table_ref, target};

fn encryptor(key: &str) -> BTreeMap<String, String> {
    let options = [
        ("class", "EncryptingLZ4Compressor"),
        ("system_key_file", key),
    ];
    options
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

fn encrypted(key: &str) -> SstableFacts {
    SstableFacts {
        encryption: Some(Encryption {
            compressor: "EncryptingLZ4Compressor".into(),
            key: key.into(),
        }),
        ..facts("bb-1-bti")
    }
}

fn keys(keys: &[(&str, Option<&str>)]) -> Vec<KeyFingerprint> {
    let key = |(name, fingerprint): &(&str, Option<&str>)| KeyFingerprint {
        name: (*name).to_owned(),
        fingerprint: fingerprint.map(str::to_owned),
    };
    keys.iter().map(key).collect()
}

/// One source node and two target nodes, `t1` and `t2`, of a release; the schema encrypts `shop.orders` by `declared`.
struct World {
    release: &'static str,
    declared: Option<&'static str>,
    files: Vec<SstableFacts>,
    source: &'static [(&'static str, Option<&'static str>)],
    target: [&'static [(&'static str, Option<&'static str>)]; 2],
}

/// All is well: one key, the same everywhere.
fn world() -> World {
    World {
        release: "dse 6.8.50",
        declared: Some("system_key"),
        files: vec![encrypted("system_key"), facts("bb-2-bti")],
        source: &[("system_key", Some("aa"))],
        target: [
            &[("system_key", Some("aa"))],
            &[("other", Some("bb")), ("system_key", Some("aa"))],
        ],
    }
}

fn found(world: &World) -> Vec<Finding> {
    let backup = backup("dse 6.8.50", &["s1"]);
    let mut source = sstables(1, &[("shop.orders", world.files.clone())]);
    source.keys = keys(world.source);
    let nodes = [
        target("t1", world.release, ""),
        target("t2", world.release, ""),
    ];
    let target_keys = ["t1", "t2"]
        .iter()
        .zip(world.target)
        .map(|(node, own)| NodeKeys {
            node: (*node).to_owned(),
            keys: keys(own),
        });
    let encrypted = Encrypted {
        backup: &backup,
        sstables: &[source],
        targets: &nodes.iter().collect::<Vec<_>>(),
        target_keys: &target_keys.collect::<Vec<_>>(),
    };
    let schema = world
        .declared
        .map(|key| (table_ref("shop.orders"), encryptor(key)));
    said(|findings| check_keys(&encrypted, schema, |_, _| true, findings))
}

const ROWS: &str = "Warning TDE_KEY_ROWS dse_system.encrypted_keys";

#[test]
fn keys_that_are_the_same_leave_only_the_rows_to_be_said() {
    assert_eq!(brief(&found(&world())), [ROWS]);
}

#[test]
fn tables_that_are_not_encrypted_need_nothing() {
    let plain = World {
        declared: None,
        files: vec![facts("bb-1-bti")],
        target: [&[], &[]],
        ..world()
    };
    assert_eq!(found(&plain), []);
}

#[test]
fn a_key_is_missing_where_a_node_lacks_it_or_cannot_read_it() {
    for target in [
        [&[("system_key", Some("aa"))][..], &[]],
        [&[("system_key", Some("aa"))], &[("system_key", None)]],
        [&[("system_key", Some("aa"))], &[("shop_key", Some("aa"))]],
    ] {
        let found = found(&World { target, ..world() });
        assert_eq!(
            brief(&found),
            ["Refusal TDE_KEY_MISSING system_key", ROWS],
            "{target:?}"
        );
        assert_eq!(
            found[0].message,
            "the system key system_key of shop.orders is not on t2, or cannot be read there"
        );
        assert!(
            found[0].hint.contains("system_key_directory"),
            "{}",
            found[0].hint
        );
    }
}

#[test]
fn the_same_name_with_another_fingerprint_differs() {
    let other: &[_] = &[("system_key", Some("cc"))];
    let found = found(&World {
        target: [other, world().target[1]],
        ..world()
    });
    assert_eq!(brief(&found), ["Refusal TDE_KEY_DIFFERS system_key", ROWS]);
    assert!(
        found[0]
            .message
            .ends_with("is another on t1 than it was on the source"),
        "{}",
        found[0].message
    );
    assert!(
        found[0]
            .hint
            .starts_with("both clusters have a key of their own under the usual name")
    );
    assert!(
        !format!("{found:?}").contains("\"cc\""),
        "fingerprints are not shown"
    );
}

#[test]
fn what_the_source_did_not_tell_is_unknown_and_still_must_be_there() {
    for source in [&[][..], &[("system_key", None)], &[("other", Some("aa"))]] {
        assert_eq!(
            brief(&found(&World { source, ..world() })),
            ["Warning TDE_KEY_UNKNOWN system_key", ROWS],
            "{source:?}"
        );
        assert_eq!(
            brief(&found(&World {
                source,
                target: [&[], &[]],
                ..world()
            })),
            [
                "Refusal TDE_KEY_MISSING system_key",
                "Warning TDE_KEY_UNKNOWN system_key",
                ROWS
            ],
            "{source:?}"
        );
    }
}

#[test]
fn keys_of_the_schema_and_of_the_files_are_both_needed() {
    let both = World {
        declared: Some("new_key"),
        ..world()
    };
    let only_file = World {
        declared: None,
        files: vec![encrypted("old_key")],
        ..world()
    };
    let missing = |world: &World| -> Vec<String> {
        let found = found(world);
        let missing = found.into_iter().filter(|f| f.code == "TDE_KEY_MISSING");
        missing.map(|f| f.subject).collect()
    };
    assert_eq!(missing(&both), ["new_key"]);
    assert_eq!(
        missing(&World {
            target: [&[], &[]],
            ..both
        }),
        ["new_key", "system_key"]
    );
    assert_eq!(missing(&only_file), ["old_key"]);
}

#[test]
fn an_sstable_that_does_not_tell_its_key_has_that_of_the_schema() {
    let silent = World {
        files: vec![encrypted("")],
        ..world()
    };
    assert_eq!(brief(&found(&silent)), [ROWS]);
    let nameless = World {
        declared: None,
        ..silent
    };
    assert_eq!(
        brief(&found(&nameless)),
        ["Warning TDE_KEY_UNKNOWN shop.orders", ROWS]
    );
}

#[test]
fn source_nodes_that_do_not_agree_are_told_of() {
    let two = World {
        source: &[("system_key", Some("aa")), ("system_key", Some("cc"))],
        ..world()
    };
    assert_eq!(
        brief(&found(&two)),
        ["Warning TDE_KEY_DIFFERS system_key", ROWS]
    );
}

#[test]
fn apache_cassandra_cannot_decrypt_tables_whatever_keys_it_has() {
    let apache = World {
        release: "cassandra 4.1.9",
        ..world()
    };
    let found = found(&apache);
    assert_eq!(brief(&found), ["Refusal TDE_UNAVAILABLE shop.orders"]);
    assert_eq!(
        found[0].message,
        "t1, t2 cannot decrypt tables, and the backup has encrypted ones: shop.orders"
    );
}
