//! Session tokens that end while the process lives.

use std::path::Path;

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
    let objects = Objects::default();
    let fake = Fake::start(move |request: &Request| {
        match request.header("x-amz-security-token") == Some(token) {
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
