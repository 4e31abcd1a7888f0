//! The tables' own keys, which stand in rows of the product's.

use super::*;

#[test]
fn the_rows_go_from_the_sources_keyspace_into_that_of_the_target() {
    let hcd = World {
        release: "hcd 1.2.1",
        ..world()
    };
    let found = found(&hcd);
    assert_eq!(
        brief(&found),
        ["Warning TDE_KEY_ROWS hcd_system.encrypted_keys"]
    );
    assert!(found[0].hint.contains(
        "the rows of dse_system.encrypted_keys of the source to hcd_system.encrypted_keys of the target"
    ));
}

#[test]
fn in_its_own_cluster_a_backup_finds_the_rows_where_they_were() {
    let backup = backup("dse 6.8.50", &["s1"]);
    let mut node = target("s1", "dse 6.8.50", "");
    node.member.host_id = host(1);
    let mut source = sstables(1, &[("shop.orders", vec![encrypted("system_key")])]);
    source.keys = keys(world().source);
    let encrypted = Encrypted {
        backup: &backup,
        sstables: &[source],
        targets: &[&node],
        target_keys: &[NodeKeys {
            node: "s1".into(),
            keys: keys(world().source),
        }],
    };
    let found = said(|findings| check_keys(&encrypted, None, |_, _| true, findings));
    assert_eq!(
        brief(&found),
        ["Advice TDE_KEY_ROWS dse_system.encrypted_keys"]
    );
    let unwanted = said(|findings| check_keys(&encrypted, None, |_, _| false, findings));
    assert_eq!(unwanted, []);
}

#[test]
fn a_kmip_server_has_no_files_and_no_rows() {
    let backup = backup("dse 6.8.50", &["s1"]);
    let node = target("t1", "dse 6.8.50", "");
    let sources = [sstables(
        1,
        &[("shop.orders", vec![encrypted("shop-key-7")])],
    )];
    let encrypted = Encrypted {
        backup: &backup,
        sstables: &sources,
        targets: &[&node],
        target_keys: &[],
    };
    let options = [
        ("class", "Encryptor"),
        ("key_provider", "KmipKeyProviderFactory"),
        ("kmip_host", "vault"),
    ];
    let options = options.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    let schema = [(table_ref("shop.orders"), options)];
    let found = said(|findings| check_keys(&encrypted, schema, |_, _| true, findings));
    assert_eq!(brief(&found), ["Warning TDE_KEY_UNKNOWN vault"]);
}

#[test]
fn a_key_in_a_file_of_its_own_must_be_the_same_and_has_no_rows() {
    let backup = backup("dse 6.8.50", &["s1"]);
    let node = target("t1", "dse 6.8.50", "");
    let file = "/etc/dse/shop_key";
    let mut source = sstables(1, &[("shop.orders", vec![encrypted(file)])]);
    source.keys = keys(&[(file, Some("aa"))]);
    let options = [
        ("class", "Encryptor"),
        (
            "secret_key_provider_factory_class",
            "LocalFileSystemKeyProviderFactory",
        ),
        ("secret_key_file", file),
    ];
    let options: BTreeMap<_, _> = options.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    for (fingerprint, expected) in [
        ("aa", Vec::new()),
        ("bb", vec![format!("Refusal TDE_KEY_DIFFERS {file}")]),
    ] {
        let encrypted = Encrypted {
            backup: &backup,
            sstables: std::slice::from_ref(&source),
            targets: &[&node],
            target_keys: &[NodeKeys {
                node: "t1".into(),
                keys: keys(&[(file, Some(fingerprint))]),
            }],
        };
        let schema = [(table_ref("shop.orders"), options.clone())];
        let found = said(|findings| check_keys(&encrypted, schema, |_, _| true, findings));
        assert_eq!(brief(&found), expected);
    }
}
