//! Encrypted tables, and the keys that the target has.

use expect_test::expect;
use plan::RestoreRequest;

use crate::world::*;

const ENCRYPTED: &str = "compression = {'class': 'org.apache.cassandra.io.compress.EncryptingLZ4Compressor', 'cipher_algorithm': 'AES/CBC/PKCS5Padding', 'secret_key_strength': '128', 'system_key_file': 'shop_key'}";

/// An encrypted and a plain table; the source has its key under this fingerprint, the target under that.
fn keys(target: &str, source_key: Option<&str>, target_key: Option<&str>) -> RestoreRequest {
    let mut source = Side::new("dse 6.8.50", "10.0.0.", 0x10);
    source
        .keyspace("shop")
        .table_with("shop.cards", 1, "id int PRIMARY KEY, c text", ENCRYPTED)
        .table("shop.orders", 2, "id int PRIMARY KEY, c text")
        .holds("shop.cards", vec![encrypted("bb-1-bti", "shop_key")]);
    source.keys = vec![key("shop_key", source_key)];
    let mut target = empty(target);
    target.keys = vec![key("shop_key", target_key)];
    let mut request = request(&source, &target);
    if target_key.is_none() {
        request.target_keys.clear();
    }
    request
}

#[test]
fn with_the_same_key() {
    check_particular(
        &keys("dse 6.9.10", Some("aa"), Some("aa")),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (1)
              TDE_KEY_ROWS dse_system.encrypted_keys (before)
                  the tables' own keys stand in dse_system.encrypted_keys of the source, which is not part of the backup
                  hint: before the restore add the rows of dse_system.encrypted_keys of the source to dse_system.encrypted_keys of the target, for example by `COPY … TO` and `COPY … FROM` of cqlsh; never truncate the table, and delete nothing from it

            advice (1)
              UPGRADE_SSTABLES_REQUIRED dse 6.8.50 to dse 6.9.10 (after)
                  restored SSTables stay in the format of dse 6.8.50 until they are upgraded
                  hint: the restore has a step for it; later: `ringkeep maintenance run upgradesstables CLUSTER`; by hand: nodetool upgradesstables

            TABLE        WHAT HAPPENS TO IT                  ID
            shop.cards   is not there: created, then loaded  00000000-0000-0000-0000-000000000001
            shop.orders  is not there: created, then loaded  00000000-0000-0000-0000-000000000002

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      3.3 GiB         3       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      3.3 GiB         3       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      3.3 GiB         3       0  00000000-0000-0000-0000-000000000013

            STEP             ON          AFTER
            pin              -           -
            stage            every node  pin
            check            -           every stage
            schema           -           check
                CREATE KEYSPACE IF NOT EXISTS shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true;
                CREATE TABLE IF NOT EXISTS shop.cards (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000001 AND compression = {'class': 'org.apache.cassandra.io.compress.EncryptingLZ4Compressor', 'cipher_algorithm': 'AES/CBC/PKCS5Padding', 'secret_key_strength': '128', 'system_key_file': 'shop_key'};
                CREATE TABLE IF NOT EXISTS shop.orders (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000002 AND comment = '';
            load             every node  schema
            upgradesstables  every node  its own load
            finish           every node  every upgradesstables
            unpin            -           every finish

            takes about 1m 21s
        "#]],
    );
}

#[test]
fn without_the_key() {
    check_particular(
        &keys("dse 6.9.10", Some("aa"), None),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (1)
              TDE_KEY_MISSING shop_key (before)
                  the system key shop_key of shop.cards is not on 10.1.0.1, 10.1.0.2, 10.1.0.3, or cannot be read there
                  hint: keys are kept apart from the backup: copy the file shop_key of the source's system_key_directory into that of 10.1.0.1, 10.1.0.2, 10.1.0.3, under the same name

            warnings (1)
              TDE_KEY_ROWS dse_system.encrypted_keys (before)
                  the tables' own keys stand in dse_system.encrypted_keys of the source, which is not part of the backup
                  hint: before the restore add the rows of dse_system.encrypted_keys of the source to dse_system.encrypted_keys of the target, for example by `COPY … TO` and `COPY … FROM` of cqlsh; never truncate the table, and delete nothing from it

            advice (1)
              UPGRADE_SSTABLES_REQUIRED dse 6.8.50 to dse 6.9.10 (after)
                  restored SSTables stay in the format of dse 6.8.50 until they are upgraded
                  hint: the restore has a step for it; later: `ringkeep maintenance run upgradesstables CLUSTER`; by hand: nodetool upgradesstables

            TABLE        WHAT WOULD HAPPEN TO IT             ID
            shop.cards   is not there: created, then loaded  00000000-0000-0000-0000-000000000001
            shop.orders  is not there: created, then loaded  00000000-0000-0000-0000-000000000002

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      3.3 GiB         3       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      3.3 GiB         3       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      3.3 GiB         3       0  00000000-0000-0000-0000-000000000013
        "#]],
    );
}

#[test]
fn with_another_key_of_the_same_name() {
    let mut request = keys("hcd 1.2.3", Some("aa"), Some("aa"));
    request.target_keys[1].keys[0].fingerprint = Some("bb".into());
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (1)
              TDE_KEY_DIFFERS shop_key (before)
                  the system key shop_key of shop.cards is another on 10.1.0.2 than it was on the source
                  hint: if no table of the target is encrypted by it, copy the file of the source's system_key_directory to 10.1.0.2; otherwise encrypt the tables of one cluster again under a key of another name first

            warnings (1)
              TDE_KEY_ROWS hcd_system.encrypted_keys (before)
                  the tables' own keys stand in dse_system.encrypted_keys of the source, which is not part of the backup
                  hint: before the restore add the rows of dse_system.encrypted_keys of the source to hcd_system.encrypted_keys of the target, for example by `COPY … TO` and `COPY … FROM` of cqlsh; never truncate the table, and delete nothing from it

            advice (2)
              SCHEMA_VALIDATION_REQUIRED dse 6.8.50 to hcd 1.2.3 (before)
                  HCD lacks some of DSE's features: none of these was found in the schema of what is restored
                  hint: programs may use others without a trace in the schema, such as DSE Analytics: try them before users do
              UPGRADE_SSTABLES_REQUIRED bti-bb (after)
                  restored SSTables stay in the format bti-bb, older than what the target writes, until they are upgraded
                  hint: the restore has a step for it; later: `ringkeep maintenance run upgradesstables CLUSTER`; by hand: nodetool upgradesstables

            TABLE        WHAT WOULD HAPPEN TO IT             ID
            shop.cards   is not there: created, then loaded  00000000-0000-0000-0000-000000000001
            shop.orders  is not there: created, then loaded  00000000-0000-0000-0000-000000000002

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      3.3 GiB         3       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      3.3 GiB         3       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      3.3 GiB         3       0  00000000-0000-0000-0000-000000000013
        "#]],
    );
}

#[test]
fn with_a_key_that_the_backup_does_not_tell_of() {
    check_particular(
        &keys("dse 6.9.10", None, Some("aa")),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (2)
              TDE_KEY_UNKNOWN shop_key (before)
                  the system key shop_key of shop.cards could not be read on the source when the backup was made
                  hint: compare the file on a source node with that on each target node by hand, for example by its SHA-256
              TDE_KEY_ROWS dse_system.encrypted_keys (before)
                  the tables' own keys stand in dse_system.encrypted_keys of the source, which is not part of the backup
                  hint: before the restore add the rows of dse_system.encrypted_keys of the source to dse_system.encrypted_keys of the target, for example by `COPY … TO` and `COPY … FROM` of cqlsh; never truncate the table, and delete nothing from it

            advice (1)
              UPGRADE_SSTABLES_REQUIRED dse 6.8.50 to dse 6.9.10 (after)
                  restored SSTables stay in the format of dse 6.8.50 until they are upgraded
                  hint: the restore has a step for it; later: `ringkeep maintenance run upgradesstables CLUSTER`; by hand: nodetool upgradesstables

            TABLE        WHAT HAPPENS TO IT                  ID
            shop.cards   is not there: created, then loaded  00000000-0000-0000-0000-000000000001
            shop.orders  is not there: created, then loaded  00000000-0000-0000-0000-000000000002

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      3.3 GiB         3       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      3.3 GiB         3       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      3.3 GiB         3       0  00000000-0000-0000-0000-000000000013

            STEP             ON          AFTER
            pin              -           -
            stage            every node  pin
            check            -           every stage
            schema           -           check
                CREATE KEYSPACE IF NOT EXISTS shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true;
                CREATE TABLE IF NOT EXISTS shop.cards (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000001 AND compression = {'class': 'org.apache.cassandra.io.compress.EncryptingLZ4Compressor', 'cipher_algorithm': 'AES/CBC/PKCS5Padding', 'secret_key_strength': '128', 'system_key_file': 'shop_key'};
                CREATE TABLE IF NOT EXISTS shop.orders (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000002 AND comment = '';
            load             every node  schema
            upgradesstables  every node  its own load
            finish           every node  every upgradesstables
            unpin            -           every finish

            takes about 1m 21s
        "#]],
    );
}

#[test]
fn onto_cassandra_which_decrypts_nothing() {
    let mut request = keys("cassandra 4.1.9", Some("aa"), None);
    request.options.allow_unlisted_version = true;
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (2)
              FORMAT_UNREADABLE bti-bb (before)
                  the backup holds bti-bb SSTables of shop.cards, shop.orders, which 10.1.0.1, 10.1.0.2, 10.1.0.3 cannot read
                  hint: restore into a release that reads it: dse 6.8, dse 6.9, hcd 1.x
              TDE_UNAVAILABLE shop.cards (before)
                  10.1.0.1, 10.1.0.2, 10.1.0.3 cannot decrypt tables, and the backup has encrypted ones: shop.cards
                  hint: restore into DSE or HCD; or on the source alter the tables to another compressor, run `nodetool upgradesstables -a`, and back up again

            warnings (1)
              VERSION_PAIR_UNSUPPORTED dse 6.8.50 to cassandra 4.1.9 (before)
                  restoring dse 6.8.50 into cassandra 4.1.9 is not supported, and no path of supported pairs leads there

            TABLE        WHAT WOULD HAPPEN TO IT             ID
            shop.cards   is not there: created, then loaded  00000000-0000-0000-0000-000000000001
            shop.orders  is not there: created, then loaded  00000000-0000-0000-0000-000000000002

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      2.2 GiB         3       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      2.2 GiB         3       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      2.2 GiB         3       0  00000000-0000-0000-0000-000000000013
        "#]],
    );
}

#[test]
fn into_another_ring_where_nothing_cuts_them() {
    let mut request = keys("dse 6.9.10", Some("aa"), Some("aa"));
    let mut ring = empty("dse 6.9.10");
    ring.members(&[
        ("dc1", "r1", &[-60]),
        ("dc1", "r2", &[-20]),
        ("dc1", "r3", &[20]),
        ("dc1", "r1", &[60]),
    ]);
    ring.keys = request.target_keys[0].keys.clone();
    request.nodes = ring.describe();
    request.target_keys = ring.node_keys();
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (1)
              SSTABLE_NOT_SLICEABLE shop.cards (before)
                  nodes of this ring need parts of 1 SSTable of shop.cards, which cannot be cut: only its own product reads what is encrypted
                  hint: restore them into a ring with the same tokens, datacenters and racks, where each SSTable goes whole; or leave these tables out

            warnings (1)
              TDE_KEY_ROWS dse_system.encrypted_keys (before)
                  the tables' own keys stand in dse_system.encrypted_keys of the source, which is not part of the backup
                  hint: before the restore add the rows of dse_system.encrypted_keys of the source to dse_system.encrypted_keys of the target, for example by `COPY … TO` and `COPY … FROM` of cqlsh; never truncate the table, and delete nothing from it

            advice (1)
              UPGRADE_SSTABLES_REQUIRED dse 6.8.50 to dse 6.9.10 (after)
                  restored SSTables stay in the format of dse 6.8.50 until they are upgraded
                  hint: the restore has a step for it; later: `ringkeep maintenance run upgradesstables CLUSTER`; by hand: nodetool upgradesstables

            TABLE        WHAT WOULD HAPPEN TO IT             ID
            shop.cards   is not there: created, then loaded  00000000-0000-0000-0000-000000000001
            shop.orders  is not there: created, then loaded  00000000-0000-0000-0000-000000000002

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      3.3 GiB         2       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      3.3 GiB         2       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      3.3 GiB         2       0  00000000-0000-0000-0000-000000000013
            10.1.0.4   2.0 GiB      3.3 GiB         2       0  00000000-0000-0000-0000-000000000011
        "#]],
    );
}
