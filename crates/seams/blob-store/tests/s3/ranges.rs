//! Stores and proxies that respond to a ranged read with something else.

use blob_store::{Store, StoreError};
use bytes::Bytes;
use futures::stream::TryStreamExt;

use crate::fake::{Fake, Objects, Request, Response};
use crate::server::open;

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 % 251) as u8).collect()
}

fn objects() -> Objects {
    let objects = Objects::default();
    objects.lock().insert("k".into(), pattern(4000));
    objects
}

async fn read(store: &Store, range: std::ops::Range<u64>) -> Result<Vec<u8>, StoreError> {
    let body = store.get_stream("k", Some(range)).await?;
    let chunks: Vec<Bytes> = body.try_collect().await?;
    Ok(chunks.concat())
}

#[tokio::test]
async fn after_a_refused_range_no_other_bytes_are_handed_out() {
    for (status, code) in [
        (400, "ExpiredToken"),
        (400, "InvalidRequest"),
        (400, "InvalidArgument"),
        (416, "InvalidRange"),
    ] {
        let kept = objects();
        let fake = Fake::start(move |request: &Request| match request.has("range") {
            true => Response::error(status, code, "not this one"),
            false => kept.reply(request),
        })
        .await;
        let store = open(&fake.config()).await;
        let error = read(&store, 1000..2000).await.expect_err(code);
        assert!(!error.is_not_found(), "{code}: {error:?}");
        let whole = |request: &&Request| request.method == "GET" && !request.has("range");
        assert_eq!(fake.seen().iter().filter(whole).count(), 0, "{code}");
    }
}

#[tokio::test]
async fn a_range_behind_the_end_is_refused_with_the_size() {
    let kept = objects();
    let fake = Fake::start(move |request: &Request| kept.reply(request)).await;
    let store = open(&fake.config()).await;
    for range in [3000..4001, 4000..4001, 5000..6000] {
        let error = read(&store, range).await.expect_err("too far");
        assert!(
            matches!(error, StoreError::OutOfRange { size: 4000, .. }),
            "{error:?}"
        );
    }
    assert_eq!(
        read(&store, 3000..4000).await.expect("reads"),
        pattern(4000)[3000..]
    );
    assert_eq!(read(&store, 7..7).await.expect("reads"), b"");
}

#[tokio::test]
async fn a_body_from_another_place_is_not_believed() {
    type Bend = fn(Response) -> Response;
    let bends: [Bend; 4] = [
        // The header was dropped on the way.
        |_| Response::new(200, pattern(4000)),
        |right| Response {
            status: 200,
            ..right
        },
        |_| Response::new(206, &pattern(4000)[..1000]).with("content-range", "bytes 0-999/4000"),
        |_| Response::new(206, &pattern(4000)[1000..2000]),
    ];
    for bend in bends {
        let kept = objects();
        let fake = Fake::start(move |request: &Request| bend(kept.reply(request))).await;
        let store = open(&fake.config()).await;
        let error = read(&store, 1000..2000).await.expect_err("another body");
        assert!(matches!(error, StoreError::Unsuitable { .. }), "{error:?}");
        assert!(error.hint().is_some());
    }
}

#[tokio::test]
async fn a_resumed_body_from_another_place_is_not_believed() {
    type Bend = fn(Response) -> Response;
    let bends: [(bool, Bend); 4] = [
        (true, |right| right),
        (false, |_| {
            Response::new(200, pattern(4000)).with("etag", "\"e\"")
        }),
        (false, |_| {
            Response::new(206, &pattern(4000)[1000..2000])
                .with("etag", "\"e\"")
                .with("content-range", "bytes 1000-1999/4000")
        }),
        // Another object by now.
        (false, |right| Response {
            headers: vec![("etag", "\"f\"".into()), right.headers[1].clone()],
            ..right
        }),
    ];
    for (is_right, bend) in bends {
        let kept = objects();
        let fake = Fake::start(move |request: &Request| {
            let right = kept.reply(request);
            match request.header("range") {
                Some("bytes=1000-1999") => Response {
                    cut_after: Some(300),
                    ..right
                },
                _ => bend(right),
            }
        })
        .await;
        let store = open(&fake.config()).await;
        let read = read(&store, 1000..2000).await;
        match is_right {
            true => assert_eq!(read.expect("resumes"), pattern(4000)[1000..2000]),
            false => drop(read.expect_err("another body")),
        }
    }
}

#[tokio::test]
async fn an_object_of_unknown_length_is_not_taken_for_an_empty_one() {
    let fake = Fake::start(|_: &Request| {
        Response::new(200, "5\r\nhello\r\n0\r\n\r\n")
            .with("transfer-encoding", "chunked")
            .with("content-length", "")
    })
    .await;
    let store = open(&fake.config()).await;
    store
        .get("k", 100)
        .await
        .expect_err("its length is not known");
}
