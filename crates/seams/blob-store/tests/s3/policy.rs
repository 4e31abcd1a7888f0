//! The policies of docs/stores.md are enough, and no more than what they say is possible.

use std::sync::Mutex;
use std::time::Duration;

use aws_sdk_sts::config::{BehaviorVersion, Region};
use aws_sdk_sts::types::Credentials;
use blob_store::testing::conformance::{self, Subject};
use blob_store::{Put, S3Config, Store, StoreError};
use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::resume;
use crate::server::{BUCKET, PART_BYTES, Server, open, unfinished_uploads};

const DOCUMENT: &str = include_str!("../../../../../docs/stores.md");
const PREFIX: &str = "some/prefix";

/// The policy of that name in the documentation.
fn policy(name: &str) -> String {
    let start = format!("```json {name}\n");
    let (_, rest) = DOCUMENT.split_once(&start).expect("is documented");
    let (policy, _) = rest.split_once("```").expect("ends");
    policy.replace("BUCKET", BUCKET).replace("PREFIX", PREFIX)
}

/// Credentials for what the policy allows, of what the server's root may do.
async fn session(server: &Server, policy: &str) -> Credentials {
    let root = aws_sdk_sts::config::Credentials::new(
        server.minio.access_key(),
        server.minio.secret_key(),
        None,
        None,
        "test",
    );
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .region(Region::new(server.minio.region().to_owned()))
        .endpoint_url(server.minio.endpoint())
        .credentials_provider(root);
    let client = aws_sdk_sts::Client::from_conf(config.build());
    let session = Mutex::new(None);
    // MinIO makes no sessions for a moment after its start.
    testkit::eventually(Duration::from_secs(60), || async {
        let role = client
            .assume_role()
            .role_arn("arn:aws:iam::000000000000:role/any")
            .role_session_name("test")
            .policy(policy);
        let made = role.send().await.ok().and_then(|made| made.credentials);
        let is_made = made.is_some();
        *session.lock().expect("not poisoned") = made;
        is_made
    })
    .await;
    let session = session.into_inner().expect("not poisoned");
    session.expect("a session")
}

/// A store whose credentials may do what the policy says.
async fn store_under(server: &Server, name: &str) -> (Store, tempfile::TempDir) {
    let session = session(server, &policy(name)).await;
    let dir = tempfile::tempdir().expect("folder");
    let file = dir.path().join("credentials");
    let text = format!(
        "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {}\n",
        session.access_key_id, session.secret_access_key, session.session_token,
    );
    std::fs::write(&file, text).expect("writes");
    let config = S3Config {
        access_key_id: String::new(),
        secret_access_key: None,
        credentials_file: Some(file),
        prefix: PREFIX.into(),
        ..server.config()
    };
    (open(&config).await, dir)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_catalogs_policy_is_enough() {
    let server = Server::start().await;
    let (store, _file) = store_under(&server, "catalog").await;
    let subject = Subject {
        store: store.clone(),
        part_bytes: PART_BYTES,
        copies: true,
    };
    conformance::run(subject, "ringkeep/suite/").await;
    store
        .discard_unfinished("ringkeep/")
        .await
        .expect("lists uploads");
    let outside = store.put("elsewhere/k", Bytes::new()).await;
    denied(outside.map(drop), "s3:PutObject");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_agents_policy_is_enough_and_does_not_let_it_delete() {
    let server = Server::start().await;
    let (store, _file) = store_under(&server, "agent").await;
    let large = || stream::iter([Ok(Bytes::from(vec![7; PART_BYTES + 1]))]).boxed();
    for expected in [Put::Created, Put::Exists] {
        let put = store.put("ringkeep/small", Bytes::from_static(b"x")).await;
        assert_eq!(put.expect("put"), expected);
        let put = store.put_stream("ringkeep/large", None, large()).await;
        assert_eq!(put.expect("put"), expected);
    }
    assert_eq!(store.get("ringkeep/small", 1).await.expect("get"), "x");
    let part = store
        .get_stream("ringkeep/large", Some(5..10))
        .await
        .expect("opens");
    let part: Vec<Bytes> = part.try_collect().await.expect("reads");
    assert_eq!(part.concat(), [7; 5]);
    for (from, bytes) in [("small", 1), ("large", PART_BYTES as u64 + 1)] {
        let (from, to) = (
            format!("ringkeep/{from}"),
            format!("ringkeep/copies/{from}"),
        );
        for expected in [Put::Created, Put::Exists] {
            let copied = store.copy(&from, &to, bytes..=bytes).await;
            assert_eq!(copied.expect("copied"), expected);
        }
    }
    let outside = store.copy("ringkeep/small", "elsewhere/k", 1..=1).await;
    denied(outside.map(drop), "s3:PutObject");
    // A missing object is missing, and not forbidden.
    assert_eq!(store.head("ringkeep/none").await.expect("head"), None);
    assert!(
        store
            .get("ringkeep/none", 1)
            .await
            .expect_err("missing")
            .is_not_found()
    );
    let listed: Vec<_> = store.list("ringkeep/").try_collect().await.expect("lists");
    assert_eq!(listed.len(), 4);
    denied(store.delete("ringkeep/small").await, "s3:DeleteObject");
    let keys = ["ringkeep/small".to_owned()];
    denied(store.delete_many(&keys).await, "s3:DeleteObject");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_agents_policy_lets_it_take_up_what_it_has_left() {
    let server = Server::start().await;
    let (store, _file) = store_under(&server, "agent").await;
    let key = "ringkeep/left";
    resume::leave(&server, key, vec![(1, resume::part(1))]).await;
    assert_eq!(resume::put(&store, key).await.expect("put"), Put::Created);
    assert_eq!(unfinished_uploads(&server, key).await, 0);
}

#[track_caller]
fn denied(result: Result<(), StoreError>, right: &str) {
    let error = result.expect_err("is not allowed");
    assert!(
        matches!(error, StoreError::PermissionDenied { .. }),
        "{error:?}"
    );
    assert!(error.hint().expect("a hint").contains(right), "{error:?}");
}
