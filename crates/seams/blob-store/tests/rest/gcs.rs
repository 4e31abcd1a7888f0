//! The one suite on fake-gcs-server, and what only Google Cloud Storage has.
//!
//! fake-gcs-server cannot show what becomes of an upload whose replies are lost: it completes an object when it is asked
//! for the state of an upload, and appends a piece that is sent again. `gcs_faults` has a fake for that.

use blob_store::testing::conformance::{self, Subject};
use blob_store::{GcsConfig, Put, ReadAgain};
use bytes::Bytes;
use futures::stream::{self, StreamExt};

use crate::server::{GcsServer, PART_BYTES, assert_no_store, gcs};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fake_gcs_server_conforms() {
    let server = GcsServer::start().await;
    let subject = Subject {
        store: server.store(),
        part_bytes: PART_BYTES,
        copies: false,
    };
    conformance::run(subject, "suite/").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_bucket_is_never_taken_for_a_missing_object() {
    let server = GcsServer::start().await;
    let config = GcsConfig {
        bucket: "nothing".into(),
        ..server.config()
    };
    assert_no_store(&gcs(&config), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_condition_holds_for_an_object_of_one_small_piece() {
    let server = GcsServer::start().await;
    let config = GcsConfig {
        storage_class: Some("NEARLINE".into()),
        ..server.config()
    };
    let store = gcs(&config);
    for expected in [Put::Created, Put::Exists] {
        let put = store.put_as_parts("a", Bytes::from_static(b"x")).await;
        assert_eq!(put.expect("put"), expected);
    }
    assert_eq!(store.get("a", 1).await.expect("get"), "x");
    let text = store.describe();
    assert!(
        text.starts_with("gs://backups/some/prefix at http://"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_changes_between_two_readings_is_not_stored() {
    let server = GcsServer::start().await;
    let store = server.store();
    let again: ReadAgain = std::sync::Arc::new(|range| {
        let changed = Bytes::from(vec![7; (range.end - range.start) as usize]);
        stream::iter([Ok(changed)]).boxed()
    });
    let bytes = Bytes::from(vec![1; PART_BYTES / 2]);
    let body = stream::iter([Ok(bytes.clone())]).boxed();
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
