//! What every backend must do, as tests that any store can be put through.
//!
//! Each case works under a prefix of its own, so that one bucket serves them all. A case panics if the store does not
//! behave as [`BlobStore`](crate::BlobStore) documents. [`run`] runs all of them in turn and prints their names.

use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt, TryStreamExt};

use super::{copying, read_twice};
use crate::{ByteStream, Put, Store, StoreError};

/// How long a store may take to discard what a dropped call has left behind.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(10);
/// More than one page of a listing.
const OBJECTS_FOR_PAGING: usize = 1005;
const PARALLEL_PUTS: usize = 16;

/// A store under test, and the part size that makes it send a stream in parts.
#[derive(Clone)]
pub struct Subject {
    /// The store, as callers get it.
    pub store: Store,
    /// In bytes. Larger streams must go up in several parts.
    pub part_bytes: usize,
    /// Whether it copies objects. If not, it must say so.
    pub copies: bool,
}

type Case = fn(Subject, String) -> BoxFuture<'static, ()>;

/// Every case but those about copies, by name.
const CASES: &[(&str, Case)] = &[
    ("an_object_is_created_once", |s, p| {
        Box::pin(created_once(s.store, p))
    }),
    ("of_two_writers_at_once_exactly_one_wins", |s, p| {
        Box::pin(race(s, p))
    }),
    ("an_empty_object_is_an_object", |s, p| {
        Box::pin(empty(s.store, p))
    }),
    ("a_stream_of_many_parts_reads_back", |s, p| {
        Box::pin(parts(s, p))
    }),
    ("part_boundaries_lose_nothing", |s, p| {
        Box::pin(boundaries(s, p))
    }),
    ("an_object_that_is_read_twice_is_whole", |s, p| {
        Box::pin(read_twice::read_twice(s, p))
    }),
    ("ranges_read_what_was_asked", |s, p| {
        Box::pin(ranges(s.store, p))
    }),
    ("a_missing_object_is_not_found", |s, p| {
        Box::pin(missing(s.store, p))
    }),
    ("a_larger_object_is_refused_unread", |s, p| {
        Box::pin(limit(s.store, p))
    }),
    ("odd_keys_are_kept_apart", |s, p| {
        Box::pin(odd_keys(s.store, p))
    }),
    ("a_listing_is_sorted_and_whole", |s, p| {
        Box::pin(listing(s.store, p))
    }),
    ("a_listing_goes_on_over_pages", |s, p| {
        Box::pin(paging(s.store, p))
    }),
    ("children_are_one_level", |s, p| {
        Box::pin(children(s.store, p))
    }),
    ("deleting_twice_is_deleting_once", |s, p| {
        Box::pin(deleting(s.store, p))
    }),
    ("a_key_can_be_used_again_and_the_tag_differs", |s, p| {
        Box::pin(reuse(s.store, p))
    }),
    ("a_stream_that_fails_leaves_nothing", |s, p| {
        Box::pin(failing(s, p))
    }),
    ("a_put_that_is_dropped_leaves_nothing", |s, p| {
        Box::pin(dropped(s, p))
    }),
];

/// The cases for a store that copies objects.
const COPYING: &[(&str, Case)] = &[
    ("a_copy_is_created_once_and_outlives_its_source", |s, p| {
        Box::pin(copying::created_once(s, p))
    }),
    ("of_two_copies_at_once_exactly_one_wins", |s, p| {
        Box::pin(copying::race(s, p))
    }),
    ("what_is_not_as_expected_is_not_copied", |s, p| {
        Box::pin(copying::refused(s.store, p))
    }),
];

/// The case for a store that copies none.
const NOT_COPYING: &[(&str, Case)] = &[("a_store_that_copies_nothing_refuses", |s, p| {
    Box::pin(copying::not_at_all(s.store, p))
})];

/// Runs every case under `prefix`, which must be unused.
pub async fn run(subject: Subject, prefix: &str) {
    let of_copies = if subject.copies { COPYING } else { NOT_COPYING };
    for (name, case) in CASES.iter().chain(of_copies) {
        let started = std::time::Instant::now();
        eprintln!("conformance: {name}");
        // A panic in the task follows the name of the case, which the line above has printed.
        case(subject.clone(), format!("{prefix}{name}/")).await;
        eprintln!("conformance: {name} ok in {:?}", started.elapsed());
    }
}

/// Bytes that differ at every place and between seeds.
pub(super) fn pattern(len: usize, seed: u8) -> Bytes {
    let byte = |at: usize| (at as u32).wrapping_mul(2_654_435_761).to_le_bytes()[3] ^ seed;
    (0..len).map(byte).collect::<Vec<u8>>().into()
}

/// The bytes as a stream in chunks of this size.
pub(super) fn chunked(bytes: &Bytes, chunk_bytes: usize) -> ByteStream {
    let bytes = bytes.clone();
    let starts: Vec<usize> = (0..bytes.len()).step_by(chunk_bytes).collect();
    let chunk = move |start: usize| Ok(bytes.slice(start..bytes.len().min(start + chunk_bytes)));
    // Unlike `iter`, this one panics when it is polled past its end, as streams may.
    stream::unfold(starts.into_iter(), move |mut starts| {
        let start = starts.next();
        let next = start.map(|start| (chunk(start), starts));
        async move { next }
    })
    .boxed()
}

pub(super) async fn read(store: &Store, key: &str) -> Bytes {
    let body = store.get_stream(key, None).await.expect("opens");
    let chunks: Vec<Bytes> = body.try_collect().await.expect("reads");
    chunks.concat().into()
}

async fn keys(store: &Store, prefix: &str) -> Vec<String> {
    let metas = store.list(prefix);
    metas
        .map_ok(|meta| meta.key)
        .try_collect()
        .await
        .expect("lists")
}

/// Asserts equality without printing megabytes.
pub(super) fn assert_same(found: &Bytes, expected: &Bytes) {
    assert_eq!(found.len(), expected.len(), "the length differs");
    assert!(found == expected, "the content differs");
}

async fn created_once(store: Store, p: String) {
    let key = format!("{p}object");
    let (first, second) = (pattern(1000, 1), pattern(1000, 2));
    assert_eq!(
        store.put(&key, first.clone()).await.expect("put"),
        Put::Created
    );
    assert_eq!(
        store.put(&key, second.clone()).await.expect("put"),
        Put::Exists
    );
    let streamed = store
        .put_stream(&key, Some(1000), chunked(&second, 100))
        .await;
    assert_eq!(streamed.expect("put"), Put::Exists);
    assert_same(&store.get(&key, 1000).await.expect("get"), &first);
    assert_eq!(
        store.head(&key).await.expect("head").map(|meta| meta.size),
        Some(1000)
    );
}

async fn race(subject: Subject, p: String) {
    let large = subject.part_bytes + 1;
    for (round, len) in [10, 1000, 100_000, 10, 1000, large, large]
        .into_iter()
        .enumerate()
    {
        let key = format!("{p}{round}");
        let contents: Vec<Bytes> = (0..4).map(|seed| pattern(len, seed)).collect();
        let puts = contents.iter().map(|bytes| {
            let body = chunked(bytes, len.div_ceil(3));
            subject.store.put_stream(&key, Some(len as u64), body)
        });
        let puts: Vec<_> = futures::future::join_all(puts).await;
        let winners: Vec<usize> = (0..4)
            .filter(|&at| matches!(puts[at], Ok(Put::Created)))
            .collect();
        // A loser may get the error that nothing was decided, but there is one winner, and the object is the winner's.
        assert_eq!(winners.len(), 1, "{len} bytes: {puts:?}");
        let lost = |put: &Result<Put, StoreError>| match put {
            Ok(_) => true,
            Err(error) => error.is_retryable(),
        };
        assert!(puts.iter().all(lost), "{len} bytes: {puts:?}");
        assert_same(&read(&subject.store, &key).await, &contents[winners[0]]);
    }
}

async fn empty(store: Store, p: String) {
    for (name, streamed) in [("plain", false), ("streamed", true)] {
        let key = format!("{p}{name}");
        let put = if streamed {
            store
                .put_stream(&key, Some(0), stream::empty().boxed())
                .await
        } else {
            store.put(&key, Bytes::new()).await
        };
        assert_eq!(put.expect("put"), Put::Created);
        assert_eq!(store.get(&key, 0).await.expect("get"), Bytes::new());
        assert_eq!(read(&store, &key).await, Bytes::new());
        assert_eq!(
            store.head(&key).await.expect("head").map(|meta| meta.size),
            Some(0)
        );
    }
    assert_eq!(keys(&store, &p).await.len(), 2);
}

async fn parts(subject: Subject, p: String) {
    let bytes = pattern(subject.part_bytes * 7 / 2, 3);
    for (name, hint) in [("known", Some(bytes.len() as u64)), ("unknown", None)] {
        let key = format!("{p}{name}");
        let body = chunked(&bytes, 300_007);
        let put = subject.store.put_stream(&key, hint, body).await;
        assert_eq!(put.expect("put"), Put::Created);
        assert_same(&read(&subject.store, &key).await, &bytes);
        let again = chunked(&pattern(bytes.len(), 4), subject.part_bytes);
        let put = subject.store.put_stream(&key, hint, again).await;
        assert_eq!(put.expect("put"), Put::Exists);
        assert_same(&read(&subject.store, &key).await, &bytes);
    }
}

async fn boundaries(subject: Subject, p: String) {
    let part = subject.part_bytes;
    for len in [part - 1, part, part + 1, 2 * part] {
        let bytes = pattern(len, 5);
        let key = format!("{p}{len}");
        let put = subject
            .store
            .put_stream(&key, None, chunked(&bytes, part))
            .await;
        assert_eq!(put.expect("put"), Put::Created, "{len}");
        assert_same(&read(&subject.store, &key).await, &bytes);
    }
}

async fn ranges(store: Store, p: String) {
    let key = format!("{p}object");
    let bytes = pattern(10_000, 6);
    store.put(&key, bytes.clone()).await.expect("put");
    for range in [
        0..10_000,
        0..1,
        9_999..10_000,
        1234..5678,
        0..0,
        10_000..10_000,
    ] {
        let body = store
            .get_stream(&key, Some(range.clone()))
            .await
            .expect("opens");
        let chunks: Vec<Bytes> = body.try_collect().await.expect("reads");
        let expected = bytes.slice(range.start as usize..range.end as usize);
        assert_same(&chunks.concat().into(), &expected);
    }
    for range in [0..10_001, 10_000..10_001, 20_000..30_000] {
        let opened = store.get_stream(&key, Some(range.clone())).await;
        let refused = matches!(opened, Err(StoreError::OutOfRange { size: 10_000, .. }));
        assert!(refused, "{range:?}: {:?}", opened.err());
    }
}

async fn missing(store: Store, p: String) {
    let key = format!("{p}nothing/here");
    assert!(store.get(&key, 10).await.expect_err("get").is_not_found());
    let opened = store.get_stream(&key, None).await;
    assert!(opened.err().expect("stream").is_not_found());
    let opened = store.get_stream(&key, Some(0..1)).await;
    assert!(opened.err().expect("range").is_not_found());
    assert_eq!(store.head(&key).await.expect("head"), None);
    // A key below an object, and an object's folder, are not objects.
    store
        .put(&format!("{p}a/b"), Bytes::from_static(b"1"))
        .await
        .expect("put");
    assert_eq!(store.head(&format!("{p}a/b/c")).await.expect("head"), None);
    assert_eq!(store.head(&format!("{p}a")).await.expect("head"), None);
    assert!(
        store
            .get(&format!("{p}a"), 10)
            .await
            .expect_err("get")
            .is_not_found()
    );
    assert!(keys(&store, &format!("{p}nothing/")).await.is_empty());
}

async fn limit(store: Store, p: String) {
    let key = format!("{p}object");
    store.put(&key, pattern(1000, 7)).await.expect("put");
    let error = store.get(&key, 999).await.expect_err("too large");
    assert!(
        matches!(error, StoreError::TooLarge { size: 1000, .. }),
        "{error}"
    );
    assert_eq!(store.get(&key, 1000).await.expect("get").len(), 1000);
}

async fn odd_keys(store: Store, p: String) {
    let mut names = vec![
        "plain",
        "with space",
        "a+b",
        "a b",
        "a%20b",
        "quo'te",
        "dou\"ble",
        "ümläut",
        "日本",
        "a&b=c?d#e",
        "semi;colon,",
        "tilde~",
        "(brackets)[x]{y}",
        "back\\slash",
        "<angle>",
        "deep/er/still/a+b c",
        "..dots",
        "a..b",
        "*",
        "$x@y:z",
    ];
    // A backend that would take a key for another one refuses it by name; only a backslash may be such a key.
    let key = format!("{p}back\\slash");
    if let Err(StoreError::Key { .. }) = store.put(&key, Bytes::new()).await {
        assert!(matches!(
            store.head(&key).await,
            Err(StoreError::Key { .. })
        ));
        names.retain(|name| !name.contains('\\'));
    } else {
        store.delete(&key).await.expect("delete");
    }
    for (seed, name) in (0u8..).zip(names.iter().copied()) {
        let key = format!("{p}{name}");
        let put = store.put(&key, pattern(20, seed)).await;
        assert_eq!(
            put.unwrap_or_else(|error| panic!("{name}: {error:?}")),
            Put::Created,
            "{name}"
        );
    }
    for (seed, name) in (0u8..).zip(names.iter().copied()) {
        let key = format!("{p}{name}");
        assert_same(&store.get(&key, 20).await.expect("get"), &pattern(20, seed));
        assert!(store.head(&key).await.expect("head").is_some(), "{name}");
    }
    let mut expected: Vec<String> = names.iter().map(|name| format!("{p}{name}")).collect();
    expected.sort();
    assert_eq!(keys(&store, &p).await, expected);
    store.delete_many(&expected).await.expect("delete");
    assert!(keys(&store, &p).await.is_empty());
}

async fn listing(store: Store, p: String) {
    // Sorted by bytes over the whole key: `-` and `.` come before `/`, digits after.
    let names = [
        "a-b", "a.b", "a/b", "a/b.c", "a/b/c", "a/c", "a0", "ab", "b",
    ];
    for name in names.iter().rev().filter(|&&name| name != "a/b") {
        store
            .put(&format!("{p}{name}"), pattern(name.len(), 0))
            .await
            .expect("put");
    }
    let listed: Vec<_> = store.list(&p).try_collect().await.expect("lists");
    let found: Vec<&str> = listed.iter().map(|meta| &meta.key[p.len()..]).collect();
    assert_eq!(
        found,
        ["a-b", "a.b", "a/b.c", "a/b/c", "a/c", "a0", "ab", "b"]
    );
    assert!(
        listed
            .iter()
            .all(|meta| meta.size == (meta.key.len() - p.len()) as u64)
    );
    let under = |prefix: &str| {
        let (store, p, prefix) = (store.clone(), p.clone(), format!("{p}{prefix}"));
        async move {
            let found = keys(&store, &prefix).await;
            found
                .iter()
                .map(|key| key[p.len()..].to_owned())
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(under("a/").await, ["a/b.c", "a/b/c", "a/c"]);
    assert_eq!(under("a/b").await, ["a/b.c", "a/b/c"]);
    assert_eq!(under("a.").await, ["a.b"]);
    assert_eq!(under("b").await, ["b"]);
    assert!(under("c").await.is_empty());
}

async fn paging(store: Store, p: String) {
    let mut expected: Vec<String> = (0..OBJECTS_FOR_PAGING)
        .map(|at| format!("{p}{}/{at}", at % 3))
        .collect();
    stream::iter(expected.clone())
        .map(|key| {
            let store = store.clone();
            async move { store.put(&key, Bytes::from_static(b"x")).await }
        })
        .buffer_unordered(PARALLEL_PUTS)
        .try_collect::<Vec<Put>>()
        .await
        .expect("puts");
    expected.sort();
    assert_eq!(keys(&store, &p).await, expected);
    let children = store.list_children(&p).await.expect("children");
    assert_eq!(children.prefixes.len(), 3);
    store.delete_many(&expected).await.expect("delete");
    assert!(keys(&store, &p).await.is_empty());
}

async fn children(store: Store, p: String) {
    for name in ["x", "b/1", "b/2", "b/c/3", "b.d", "c/4"] {
        store
            .put(&format!("{p}{name}"), Bytes::from_static(b"x"))
            .await
            .expect("put");
    }
    let found = store.list_children(&p).await.expect("children");
    assert_eq!(found.prefixes, [format!("{p}b/"), format!("{p}c/")]);
    let objects: Vec<String> = found.objects.into_iter().map(|meta| meta.key).collect();
    assert_eq!(objects, [format!("{p}b.d"), format!("{p}x")]);
    let nothing = store
        .list_children(&format!("{p}none/"))
        .await
        .expect("children");
    assert_eq!(nothing, Default::default());
}

async fn deleting(store: Store, p: String) {
    let key = format!("{p}a/object");
    store
        .put(&key, Bytes::from_static(b"x"))
        .await
        .expect("put");
    // A key that is not an object is not deleted, and the objects below it stay.
    store.delete(&format!("{p}a")).await.expect("delete");
    assert!(store.head(&key).await.expect("head").is_some());
    for _ in 0..2 {
        store.delete(&key).await.expect("delete");
        assert_eq!(store.head(&key).await.expect("head"), None);
    }
    store
        .put(&key, Bytes::from_static(b"x"))
        .await
        .expect("put");
    let many = [key.clone(), format!("{p}never"), key];
    store.delete_many(&many).await.expect("delete");
    store.delete_many(&many).await.expect("delete again");
    store.delete_many(&[]).await.expect("delete none");
    assert!(keys(&store, &p).await.is_empty());
}

async fn reuse(store: Store, p: String) {
    let key = format!("{p}object");
    let mut tags = Vec::new();
    for seed in 0..3 {
        let put = store.put(&key, pattern(64, seed)).await.expect("put");
        assert_eq!(put, Put::Created);
        let head = store.head(&key).await.expect("head").expect("there");
        let listed: Vec<_> = store.list(&key).try_collect().await.expect("lists");
        assert_eq!(listed, std::slice::from_ref(&head));
        tags.push(head.tag);
        store.delete(&key).await.expect("delete");
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 3, "{tags:?}");
}

async fn failing(subject: Subject, p: String) {
    for (name, len) in [("small", 1000), ("parts", subject.part_bytes * 5 / 2)] {
        let key = format!("{p}{name}");
        let torn = stream::once(async { Err(crate::source_error("x", "torn")) });
        let body = chunked(&pattern(len, 1), 100_003).chain(torn).boxed();
        let error = subject
            .store
            .put_stream(&key, None, body)
            .await
            .expect_err("torn");
        assert!(matches!(error, StoreError::Source { .. }), "{error:?}");
        assert_eq!(subject.store.head(&key).await.expect("head"), None);
        // The failed try does not block the next one.
        let put = subject.store.put(&key, Bytes::from_static(b"x")).await;
        assert_eq!(put.expect("put"), Put::Created);
    }
}

async fn dropped(subject: Subject, p: String) {
    let key = format!("{p}object");
    let endless = chunked(&pattern(subject.part_bytes * 5 / 2, 1), 100_003)
        .chain(stream::pending())
        .boxed();
    let put = subject.store.put_stream(&key, None, endless);
    let timed_out = tokio::time::timeout(Duration::from_secs(1), put).await;
    assert!(timed_out.is_err(), "an endless put ended");
    let discarded = async {
        while !keys(&subject.store, &p).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(DISCARD_TIMEOUT, discarded)
        .await
        .expect("nothing is left");
    assert_eq!(subject.store.head(&key).await.expect("head"), None);
}
