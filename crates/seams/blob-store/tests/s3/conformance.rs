//! The one suite, and what only S3 has.

use std::time::Duration;

use blob_store::testing::conformance::{self, Subject};
use blob_store::{Put, S3Config, StoreError};
use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::server::{BUCKET, PART_BYTES, Server, client, open, unfinished_uploads};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn minio_conforms() {
    let server = Server::start().await;
    let store = server.store().await;
    conformance::run(
        Subject {
            store,
            part_bytes: PART_BYTES,
            copies: true,
        },
        "suite/",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_checksums_and_signatures_it_works_too() {
    let server = Server::start().await;
    let config = S3Config {
        checksums: false,
        sign_payload: Some(false),
        prefix: String::new(),
        ..server.config()
    };
    let store = open(&config).await;
    for len in [0, 10, PART_BYTES * 2 + 1] {
        let key = format!("{len}");
        let body = stream::iter([Ok(Bytes::from(vec![7; len]))]).boxed();
        assert_eq!(
            store.put_stream(&key, None, body).await.expect("put"),
            Put::Created
        );
        assert_eq!(store.get(&key, len as u64).await.expect("get").len(), len);
        assert_eq!(
            store.put(&key, Bytes::new()).await.expect("put"),
            Put::Exists
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_prefixes_are_two_stores() {
    let server = Server::start().await;
    let other = S3Config {
        prefix: "some/prefix2/".into(),
        ..server.config()
    };
    let (one, other) = (server.store().await, open(&other).await);
    one.put("a", Bytes::from_static(b"one")).await.expect("put");
    other
        .put("a", Bytes::from_static(b"other"))
        .await
        .expect("put");
    assert_eq!(one.get("a", 9).await.expect("get"), "one");
    let listed: Vec<_> = one.list("").try_collect().await.expect("lists");
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].key, "a");
    assert!(
        one.describe()
            .starts_with("s3://backups/some/prefix at http://"),
        "{}",
        one.describe()
    );
    assert!(!one.describe().contains(server.minio.secret_key()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_fails_or_is_dropped_or_comes_second_is_aborted() {
    let server = Server::start().await;
    let store = server.store().await;
    let large = || Ok(Bytes::from(vec![1; PART_BYTES * 2]));

    let torn = stream::iter([large(), Err(blob_store::source_error("torn", "torn"))]).boxed();
    store
        .put_stream("torn", None, torn)
        .await
        .expect_err("torn");
    assert_eq!(unfinished_uploads(&server, "torn").await, 0);

    store.put("taken", Bytes::new()).await.expect("put");
    let second = stream::iter([large()]).boxed();
    assert_eq!(
        store.put_stream("taken", None, second).await.expect("put"),
        Put::Exists
    );
    assert_eq!(unfinished_uploads(&server, "taken").await, 0);

    let endless = stream::iter([large()]).chain(stream::pending()).boxed();
    let put = tokio::spawn({
        let store = store.clone();
        async move { store.put_stream("dropped", None, endless).await }
    });
    testkit::eventually(Duration::from_secs(60), || async {
        unfinished_uploads(&server, "dropped").await > 0
    })
    .await;
    put.abort();
    testkit::eventually(Duration::from_secs(60), || async {
        unfinished_uploads(&server, "dropped").await == 0
    })
    .await;
    assert_eq!(store.head("dropped").await.expect("head"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_known_size_makes_parts_large_enough() {
    let server = Server::start().await;
    // Would need 10,001 parts of the configured size: with the hint one part holds it all.
    let hint = PART_BYTES as u64 * 10_001;
    let body = stream::iter([Ok(Bytes::from(vec![1; PART_BYTES + 100]))]).boxed();
    let store = server.store().await;
    assert_eq!(
        store.put_stream("a", Some(hint), body).await.expect("put"),
        Put::Created
    );
    let size = store.head("a").await.expect("head").map(|meta| meta.size);
    assert_eq!(size, Some(PART_BYTES as u64 + 100));
}

#[tokio::test]
async fn a_missing_bucket_and_wrong_credentials_are_never_taken_for_a_missing_object() {
    let server = Server::start().await;
    let no_bucket = open(&S3Config {
        bucket: "nothing".into(),
        ..server.config()
    })
    .await;
    let stranger = S3Config {
        secret_access_key: Some(secret::Secret::new("wrong")),
        ..server.config()
    };
    let stranger = open(&stranger).await;
    for (store, denied) in [(no_bucket, false), (stranger, true)] {
        let listed = store.list("").try_collect::<Vec<_>>().await.map(drop);
        let got = store.get("a", 1).await.map(drop);
        let head = store.head("a").await.map(drop);
        let put = store.put("a", Bytes::new()).await.map(drop);
        for result in [listed, got, head, put] {
            let error = result.expect_err("neither bucket nor right");
            assert!(!error.is_not_found() && !error.is_retryable(), "{error:?}");
            assert_eq!(
                matches!(error, StoreError::PermissionDenied { .. }),
                denied,
                "{error:?}"
            );
            assert!(!format!("{error:?}").contains("wrong\""), "{error:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_process_left_of_an_upload_is_discarded() {
    let server = Server::start().await;
    let store = server.store().await;
    let begun = client(&server)
        .create_multipart_upload()
        .bucket(BUCKET)
        .key(format!("{}/killed", server.config().prefix));
    begun.send().await.expect("begins");
    assert_eq!(unfinished_uploads(&server, "killed").await, 1);
    assert_eq!(
        store.discard_unfinished("killed").await.expect("discards"),
        1
    );
    assert_eq!(
        store.discard_unfinished("killed").await.expect("discards"),
        0
    );
    assert_eq!(unfinished_uploads(&server, "killed").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_keeps_versions_is_found_out_by_a_deletion() {
    use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
    let server = Server::start().await;
    let store = server.store().await;
    store.put("a", Bytes::from_static(b"x")).await.expect("put");
    store.delete("a").await.expect("deletes");
    assert!(!store.keeps_versions());
    let versioning = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled);
    let enabled = client(&server)
        .put_bucket_versioning()
        .bucket(BUCKET)
        .versioning_configuration(versioning.build())
        .send();
    enabled.await.expect("enables versions");
    store.put("a", Bytes::from_static(b"x")).await.expect("put");
    store.delete("a").await.expect("deletes");
    assert!(store.keeps_versions());
    assert_eq!(store.head("a").await.expect("head"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_condition_holds_for_a_single_small_part() {
    let server = Server::start().await;
    let store = server.store().await;
    let bytes = Bytes::from_static(b"x");
    for expected in [Put::Created, Put::Exists] {
        let put = store.put_as_parts("a", bytes.clone()).await;
        assert_eq!(put.expect("put"), expected);
    }
    assert_eq!(unfinished_uploads(&server, "a").await, 0);
}
