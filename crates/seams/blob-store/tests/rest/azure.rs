//! The one suite on Azurite, and what only Azure has.

use std::sync::Arc;

use blob_store::testing::conformance::{self, Subject};
use blob_store::{AzureConfig, Put, ReadAgain};
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use secret::Secret;

use crate::server::{AzureServer, PART_BYTES, assert_no_store, azure};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn azurite_conforms() {
    let Some(server) = AzureServer::start("azurite_conforms").await else {
        return;
    };
    let subject = Subject {
        store: server.store(),
        part_bytes: PART_BYTES,
        copies: false,
    };
    conformance::run(subject, "suite/").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_container_and_a_wrong_key_are_never_taken_for_a_missing_object() {
    let test = "a_missing_container_and_a_wrong_key_are_never_taken_for_a_missing_object";
    let Some(server) = AzureServer::start(test).await else {
        return;
    };
    let no_container = AzureConfig {
        container: "nothing".into(),
        ..server.config()
    };
    assert_no_store(&azure(&no_container), false).await;
    let stranger = AzureConfig {
        account_key: Some(Secret::new("d3Jvbmc=")),
        ..server.config()
    };
    let stranger = azure(&stranger);
    assert_no_store(&stranger, true).await;
    let error = stranger.get("a", 1).await.expect_err("a wrong key");
    assert!(!format!("{error:?}").contains("d3Jvbmc="), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_access_tier_is_set_and_two_prefixes_are_two_stores() {
    let test = "an_access_tier_is_set_and_two_prefixes_are_two_stores";
    let Some(server) = AzureServer::start(test).await else {
        return;
    };
    let other = AzureConfig {
        prefix: "some/prefix2/".into(),
        access_tier: Some("Cool".into()),
        ..server.config()
    };
    let (one, other) = (server.store(), azure(&other));
    for (store, content) in [(&one, "one"), (&other, "other")] {
        let put = store.put("a", Bytes::from_static(content.as_bytes())).await;
        assert_eq!(put.expect("put"), Put::Created);
        let parts = store.put_as_parts("b", Bytes::from_static(content.as_bytes()));
        assert_eq!(parts.await.expect("put"), Put::Created);
        assert_eq!(store.get("a", 9).await.expect("get"), content);
        assert_eq!(store.get("b", 9).await.expect("get"), content);
    }
    let text = one.describe();
    assert!(
        text.starts_with("azure://devstoreaccount1/backups/some/prefix at http://"),
        "{text}"
    );
}

/// Bytes of so many blocks, each of another content.
fn blocks(count: usize) -> Bytes {
    let bytes = (0..PART_BYTES * count).map(|at| (at / PART_BYTES) as u8 + 1);
    bytes.collect::<Vec<u8>>().into()
}

fn pieces(bytes: &Bytes) -> Vec<Result<Bytes, blob_store::StoreError>> {
    let starts = (0..bytes.len()).step_by(PART_BYTES);
    starts
        .map(|at| Ok(bytes.slice(at..bytes.len().min(at + PART_BYTES))))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_of_a_try_that_failed_with_other_bytes_do_not_get_into_the_object() {
    let test = "blocks_of_a_try_that_failed_with_other_bytes_do_not_get_into_the_object";
    let Some(server) = AzureServer::start(test).await else {
        return;
    };
    let bytes = blocks(6);
    // The last try ended before its end, and had other bytes in one block.
    let mut torn = pieces(&bytes);
    torn[2] = Ok(Bytes::from(vec![99; PART_BYTES]));
    torn.truncate(4);
    torn.push(Err(blob_store::source_error("a", "torn")));
    let size = Some(bytes.len() as u64);
    let store = server.store();
    let failed = store
        .put_stream("a", size, stream::iter(torn).boxed())
        .await;
    assert!(failed.is_err(), "{failed:?}");
    assert_eq!(store.head("a").await.expect("head"), None);

    let put = store.put_stream("a", size, stream::iter(pieces(&bytes)).boxed());
    assert_eq!(put.await.expect("put"), Put::Created);
    let found = store.get("a", bytes.len() as u64).await.expect("get");
    assert!(found == bytes, "the content differs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_changes_between_two_readings_is_not_stored() {
    let test = "a_file_that_changes_between_two_readings_is_not_stored";
    let Some(server) = AzureServer::start(test).await else {
        return;
    };
    let bytes = blocks(2);
    let again: ReadAgain = Arc::new(|range| {
        let changed = Bytes::from(vec![7; (range.end - range.start) as usize]);
        stream::iter([Ok(changed)]).boxed()
    });
    let store = server.store();
    let body = stream::iter(pieces(&bytes)).boxed();
    let put = store
        .put_read_twice("a", bytes.len() as u64, body, again)
        .await;
    let error = put.expect_err("it changed");
    assert!(
        matches!(error, blob_store::StoreError::Source { .. }),
        "{error:?}"
    );
    assert_eq!(store.head("a").await.expect("head"), None);
}
