//! Session tokens that end while the process lives.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use blob_store::{S3Config, StoreError};
use bytes::Bytes;

use crate::fake::{Fake, Objects, Request, Response};
use crate::server::open;

fn write_token(path: &Path, token: &str) {
    let text = format!(
        "[default]\naws_access_key_id = key-{token}\naws_secret_access_key = secret\naws_session_token = {token}\n"
    );
    std::fs::write(path, text).expect("writes");
}

/// A store that accepts one token, and a file with credentials.
async fn store_accepting(token: &'static str) -> (Fake, S3Config, tempfile::TempDir) {
    store_that_accepts(move |request| request == Some(token)).await
}

async fn store_that_accepts(
    accepts: impl Fn(Option<&str>) -> bool + Send + Sync + 'static,
) -> (Fake, S3Config, tempfile::TempDir) {
    let objects = Objects::default();
    let fake = Fake::start(move |request: &Request| {
        match accepts(request.header("x-amz-security-token")) {
            true => objects.reply(request),
            false if request.method == "HEAD" => Response::new(400, ""),
            false => Response::error(400, "ExpiredToken", "The provided token has expired."),
        }
    })
    .await;
    let dir = tempfile::tempdir().expect("folder");
    let config = S3Config {
        access_key_id: String::new(),
        secret_access_key: None,
        credentials_file: Some(dir.path().join("credentials")),
        ..fake.config()
    };
    (fake, config, dir)
}

#[tokio::test]
async fn a_token_that_was_renewed_in_the_file_is_used_without_a_restart() {
    let (_fake, config, dir) = store_accepting("new").await;
    let path = dir.path().join("credentials");
    write_token(&path, "old");
    let store = open(&config).await;
    let put = || store.put("k", Bytes::from_static(b"x"));
    let error = put().await.expect_err("expired");
    assert!(
        matches!(error, StoreError::PermissionDenied { .. }),
        "{error:?}"
    );
    write_token(&path, "new");
    put().await.expect("the next call reads the file again");
    assert_eq!(store.get("k", 1).await.expect("get"), "x");
}

#[tokio::test]
async fn credentials_that_have_expired_are_called_so_within_two_tries() {
    let (fake, config, dir) = store_accepting("new").await;
    write_token(&dir.path().join("credentials"), "old");
    let store = open(&config).await;
    let expired = |error: StoreError| {
        let source = std::error::Error::source(&error)
            .expect("a source")
            .to_string();
        assert!(source.contains("expired"), "{error:?}");
        assert!(error.hint().expect("a hint").contains("renew"), "{error:?}");
    };
    expired(store.get("k", 1).await.expect_err("expired"));
    assert!(fake.seen().len() <= 2, "{} requests", fake.seen().len());
    // A response to HEAD does not say why.
    expired(store.head("k").await.expect_err("expired"));
}

#[tokio::test]
async fn a_call_that_meets_a_renewed_token_goes_on() {
    let is_over = Arc::new(AtomicBool::new(false));
    let over = is_over.clone();
    let accepts = move |token: Option<&str>| match over.load(Ordering::SeqCst) {
        true => token == Some("new"),
        false => token == Some("old"),
    };
    for call in ["head", "get", "put"] {
        is_over.store(false, Ordering::SeqCst);
        let (_fake, config, dir) = store_that_accepts(accepts.clone()).await;
        let path = dir.path().join("credentials");
        write_token(&path, "old");
        let store = open(&config).await;
        store.put("k", Bytes::from_static(b"x")).await.expect("put");
        write_token(&path, "new");
        is_over.store(true, Ordering::SeqCst);
        match call {
            "head" => drop(store.head("k").await.expect("head").expect("is there")),
            "get" => drop(store.get("k", 1).await.expect("get")),
            _ => drop(store.put("l", Bytes::new()).await.expect("put")),
        }
    }
}
