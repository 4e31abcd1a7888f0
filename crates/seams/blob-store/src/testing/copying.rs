//! Cases of the conformance suite: objects that are copied inside the store.

use super::conformance::{Subject, assert_same, chunked, pattern, read};
use crate::{Put, Store, StoreError};

const CHUNK_BYTES: usize = 64 << 10;

async fn put(store: &Store, key: &str, len: usize, seed: u8) {
    let body = chunked(&pattern(len, seed), CHUNK_BYTES);
    let put = store.put_stream(key, Some(len as u64), body).await;
    assert_eq!(put.expect("put"), Put::Created);
}

/// A store that copies nothing refuses, so that its caller sends the content.
pub(super) async fn not_at_all(store: Store, prefix: String) {
    let (source, copy) = (format!("{prefix}source"), format!("{prefix}copy"));
    put(&store, &source, 1000, 1).await;
    let refused = store.copy(&source, &copy, 1000..=1000).await;
    assert!(
        matches!(refused, Err(StoreError::Unsuitable { .. })),
        "{refused:?}"
    );
    assert_eq!(store.head(&copy).await.expect("head"), None);
}

/// Objects that came whole and in parts, and copies of copies.
pub(super) async fn created_once(s: Subject, prefix: String) {
    for len in [1, 1000, s.part_bytes, 2 * s.part_bytes + 7] {
        let key = |name: &str| format!("{prefix}{len}/{name}");
        let (source, first, second) = (key("a+b c/ü"), key("deep/er/first"), key("second"));
        let size = len as u64;
        put(&s.store, &source, len, 1).await;
        for expected in [Put::Created, Put::Exists] {
            let copied = s.store.copy(&source, &first, size..=size).await;
            assert_eq!(copied.expect("copied"), expected, "{len} bytes");
        }
        s.store.delete(&source).await.expect("deletes");
        assert_same(&read(&s.store, &first).await, &pattern(len, 1));
        let copied = s.store.copy(&first, &second, 0..=u64::MAX).await;
        assert_eq!(copied.expect("copied"), Put::Created, "{len} bytes");
        s.store.delete(&first).await.expect("deletes");
        assert_same(&read(&s.store, &second).await, &pattern(len, 1));
        // What is there stays, wherever it came from.
        put(&s.store, &source, len, 2).await;
        let copied = s.store.copy(&source, &second, size..=size).await;
        assert_eq!(copied.expect("copied"), Put::Exists, "{len} bytes");
        assert_same(&read(&s.store, &second).await, &pattern(len, 1));
    }
}

pub(super) async fn race(s: Subject, prefix: String) {
    for len in [1000, s.part_bytes + 1] {
        let sources: Vec<String> = (0..4).map(|at| format!("{prefix}{len}/{at}")).collect();
        for (seed, source) in (0..).zip(&sources) {
            put(&s.store, source, len, seed).await;
        }
        let key = format!("{prefix}{len}/copy");
        let copies = sources
            .iter()
            .map(|source| s.store.copy(source, &key, 0..=u64::MAX));
        let copies: Vec<_> = futures::future::join_all(copies).await;
        let won: Vec<usize> = (0..4)
            .filter(|&at| matches!(copies[at], Ok(Put::Created)))
            .collect();
        assert_eq!(won.len(), 1, "{copies:?}");
        let lost = |copy: &Result<Put, StoreError>| match copy {
            Ok(_) => true,
            Err(error) => error.is_retryable(),
        };
        assert!(copies.iter().all(lost), "{copies:?}");
        assert_same(&read(&s.store, &key).await, &pattern(len, won[0] as u8));
    }
}

pub(super) async fn refused(store: Store, prefix: String) {
    let key = |name: &str| format!("{prefix}{name}");
    let (source, nothing, copy) = (key("source"), key("nothing/here"), key("copy"));
    put(&store, &source, 1000, 1).await;
    let missing = store.copy(&nothing, &copy, 0..=u64::MAX).await;
    match missing.expect_err("no source") {
        StoreError::NotFound { key, .. } => assert_eq!(key, nothing),
        error => panic!("{error:?}"),
    }
    for sizes in [0..=999, 1001..=u64::MAX] {
        let other = store.copy(&source, &copy, sizes).await.expect_err("size");
        assert!(matches!(other, StoreError::NotCopied { .. }), "{other:?}");
        assert!(other.to_string().contains("1000 bytes"), "{other}");
    }
    let outside = store.copy(&source, "../copy", 0..=u64::MAX).await;
    assert!(matches!(outside, Err(StoreError::Key { .. })));
    assert_eq!(store.head(&copy).await.expect("head"), None);
    let copied = store.copy(&source, &copy, 1000..=1000).await;
    assert_eq!(copied.expect("copied"), Put::Created);
}
