//! Between redb and etcd and back.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use state_store::transfer::{TransferError, export, import};
use state_store::{EtcdStore, Expected, RedbStore, StateConfig, StateError, StateStore};

use crate::server::{Server, folder};

const TTL: Duration = Duration::from_secs(60);
/// More than the revisions of a new etcd.
const TRANSACTIONS: u64 = 3_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_state_moves_to_etcd_and_back_and_its_numbers_grow() {
    let server = Server::start().await;
    let folder = folder();
    let file = folder.path().join("state.jsonl");
    let redb = StateConfig::redb(folder.path().join("state.redb"));
    let store = RedbStore::open(&redb.path, Arc::new(Timestamp::now)).await;
    let store = store.expect("open");
    let mut version = 0;
    for n in 0..TRANSACTIONS {
        let put = store.put("counter", json!(n), Expected::Anything, None);
        version = put.await.expect("put");
    }
    let large = json!("x".repeat(600_000));
    for n in 0..5 {
        let key = format!("large/{n}");
        let put = store.put(&key, large.clone(), Expected::Absent, None);
        put.await.expect("put");
    }
    drop(store);

    let etcd = StateConfig::etcd(server.config());
    let mut text = Vec::new();
    export(&redb, &mut text).await.expect("exported");
    std::fs::write(&file, &text).expect("a file");
    assert_eq!(import(&etcd, &file, false).await.expect("imported"), 6);
    let store = EtcdStore::open(&etcd.etcd).await.expect("open");
    let moved = store.get("counter").await.expect("get").expect("an entry");
    assert_eq!(moved.value, json!(TRANSACTIONS - 1));
    assert!(moved.version > version, "{} after {version}", moved.version);
    let fence = store.acquire("l", "a runner", TTL).await.expect("free");
    assert!(fence.token > version);

    let used = export(&etcd, &mut Vec::new()).await;
    assert!(
        matches!(&used, Err(TransferError::InUse { holder, .. }) if holder == "a runner"),
        "{used:?}"
    );
    let used = import(&etcd, &file, true).await;
    assert!(matches!(used, Err(TransferError::InUse { .. })), "{used:?}");
    store.release(&fence).await.expect("released");
    let filled = import(&etcd, &file, false).await;
    assert!(
        matches!(filled, Err(TransferError::NotEmpty { .. })),
        "{filled:?}"
    );

    let back = StateConfig::redb(folder.path().join("back.redb"));
    let mut text = Vec::new();
    export(&etcd, &mut text).await.expect("exported");
    std::fs::write(&file, &text).expect("a file");
    assert_eq!(import(&back, &file, false).await.expect("imported"), 6);
    let store = RedbStore::open(&back.path, Arc::new(Timestamp::now)).await;
    let store = store.expect("open");
    let returned = store.get("counter").await.expect("get").expect("an entry");
    assert_eq!(returned.value, moved.value);
    assert!(returned.version > fence.token);
    let later = store.acquire("l", "a runner", TTL).await.expect("free");
    assert!(later.token > fence.token);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_whose_import_was_cut_short_is_not_opened() {
    let server = Server::start().await;
    let config = server.config();
    drop(EtcdStore::open(&config).await.expect("open"));
    // What a killed import leaves.
    let meta = format!("{}/meta", config.prefix);
    let text = r#"{"form":1,"offset":7,"importing":true}"#;
    server
        .etcd
        .ctl(&["put", "--", &meta, text])
        .expect("etcdctl");
    let refused = EtcdStore::open(&config).await.err();
    assert!(
        matches!(refused, Some(StateError::HalfImported)),
        "{refused:?}"
    );
    let folder = folder();
    let file = folder.path().join("state.jsonl");
    std::fs::write(
        &file,
        "{\"ringkeep_state\":1,\"floor\":3}\n{\"key\":\"a\",\"value\":1}\n{\"entries\":1}\n",
    )
    .expect("a file");
    let imported = import(&StateConfig::etcd(config.clone()), &file, true).await;
    assert_eq!(imported.expect("imported"), 1);
    let store = EtcdStore::open(&config).await.expect("open");
    assert!(store.get("a").await.expect("get").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_opened_a_state_before_an_import_can_no_longer_use_it() {
    let server = Server::start().await;
    let config = server.config();
    let live = EtcdStore::open(&config).await.expect("open");
    let put = live.put("a", json!(1), Expected::Absent, None).await;
    put.expect("put");
    let folder = folder();
    let file = folder.path().join("state.jsonl");
    let mut text = Vec::new();
    let etcd = StateConfig::etcd(config.clone());
    export(&etcd, &mut text).await.expect("exported");
    std::fs::write(&file, &text).expect("a file");
    assert_eq!(import(&etcd, &file, true).await.expect("imported"), 1);
    for refused in [
        live.put("b", json!(1), Expected::Anything, None)
            .await
            .err(),
        live.acquire("l", "one", TTL).await.err(),
    ] {
        assert!(matches!(refused, Some(StateError::Replaced)), "{refused:?}");
    }
    let opened = EtcdStore::open(&config).await.expect("open");
    assert_eq!(opened.list("").await.expect("list").len(), 1);
    opened.acquire("l", "one", TTL).await.expect("free");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_without_a_state_is_not_exported_and_none_is_made() {
    let server = Server::start().await;
    let config = StateConfig::etcd(server.config());
    for _ in 0..2 {
        let refused = export(&config, &mut Vec::new()).await;
        assert!(
            matches!(&refused, Err(TransferError::Absent { prefix }) if *prefix == config.etcd.prefix),
            "{refused:?}"
        );
    }
}
