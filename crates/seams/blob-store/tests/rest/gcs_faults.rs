//! What fake-gcs-server does not do: a fake of Google Cloud Storage that loses replies, keeps parts of pieces, deletes
//! softly and refuses rights.

use std::sync::{Arc, Mutex};

use blob_store::{GcsConfig, Put, Store, StoreError};
use bytes::Bytes;
use futures::stream::{self, StreamExt};

use crate::fake::{Fake, Request, Response};
use crate::server::{BUCKET, PART_BYTES, gcs, gcs_config};

fn config(fake: &Fake) -> GcsConfig {
    GcsConfig {
        prefix: String::new(),
        // The fake wants every path to begin so.
        ..gcs_config(format!("{}/{BUCKET}", fake.config().endpoint))
    }
}

pub fn store(fake: &Fake) -> Store {
    gcs(&config(fake))
}

pub fn refusal(status: u16, reason: &str) -> Response {
    let error =
        format!("{{\"error\":{{\"message\":\"no\",\"errors\":[{{\"reason\":\"{reason}\"}}]}}}}");
    Response::new(status, error)
}

/// A page of a listing, with what follows its kind.
pub fn listing(rest: &str) -> Response {
    Response::new(200, format!("{{\"kind\":\"storage#objects\"{rest}}}"))
}

pub fn listed(name: &str) -> Response {
    let item = format!("{{\"name\":\"{name}\",\"size\":\"1\",\"generation\":\"1\"}}");
    listing(&format!(",\"items\":[{item}]"))
}

/// One resumable upload, as the store keeps it.
#[derive(Default)]
struct Upload {
    bytes: Vec<u8>,
    is_complete: bool,
    /// Requests with bytes so far.
    pieces: usize,
}

/// What happens to the nth request with bytes.
#[derive(Clone, Copy)]
enum Fault {
    /// The reply is lost after the bytes were stored.
    ReplyLost,
    /// Only this much is stored, and the connection breaks.
    Cut(usize),
    /// Nothing is stored.
    Refused,
}

impl Upload {
    fn put(&mut self, request: &Request, fault: Option<Fault>) -> Response {
        let range = request.header("content-range").expect("a range").to_owned();
        let (range, total) = range
            .trim_start_matches("bytes ")
            .split_once('/')
            .expect("a total");
        if range != "*" || total != "*" {
            let first = range
                .split_once('-')
                .map(|(first, _)| first.parse().expect("first"));
            let first: usize = first.unwrap_or(self.bytes.len());
            // Bytes that are there are ignored.
            let known = self.bytes.len() - first;
            let new = request.body.get(known..).unwrap_or_default();
            let new = match fault {
                Some(Fault::Cut(len)) => &new[..len],
                Some(Fault::Refused) => &[],
                _ => new,
            };
            self.bytes.extend_from_slice(new);
            self.is_complete |= total.parse() == Ok(self.bytes.len());
        }
        match (fault, self.is_complete) {
            (Some(_), _) => refusal(503, "backendError"),
            (None, true) => created(self.bytes.len()),
            (None, false) if self.bytes.is_empty() => Response::new(308, ""),
            (None, false) => {
                let last = self.bytes.len() - 1;
                Response::new(308, "").with("range", format!("bytes=0-{last}"))
            }
        }
    }
}

pub fn created(size: usize) -> Response {
    let item = format!("{{\"name\":\"k\",\"size\":\"{size}\",\"generation\":\"1\"}}");
    Response::new(200, item)
}

async fn with_fault(at: usize, fault: Fault) -> (Fake, Arc<Mutex<Upload>>) {
    let upload: Arc<Mutex<Upload>> = Arc::default();
    let kept = upload.clone();
    let fake = Fake::start(move |request: &Request| match request.method.as_str() {
        "POST" => Response::new(200, "{}").with("location", "http://elsewhere/?upload_id=id1"),
        "PUT" => {
            assert_eq!(request.value("upload_id").as_deref(), Some("id1"));
            let mut upload = kept.lock().expect("not poisoned");
            let asks = request.header("content-range") == Some("bytes */*");
            upload.pieces += usize::from(!asks);
            let strikes = !asks && upload.pieces == at;
            upload.put(request, strikes.then_some(fault))
        }
        _ => refusal(404, "notFound"),
    })
    .await;
    (fake, upload)
}

fn bytes() -> Bytes {
    let bytes = (0..PART_BYTES * 2 + 100).map(|at| (at / 4099) as u8);
    bytes.collect::<Vec<u8>>().into()
}

#[tokio::test]
async fn whatever_becomes_of_a_piece_the_object_is_whole() {
    for at in 1..=3 {
        for fault in [Fault::ReplyLost, Fault::Cut(50), Fault::Refused] {
            let (fake, upload) = with_fault(at, fault).await;
            let body = stream::iter([Ok(bytes())]).boxed();
            let put = store(&fake).put_stream("k", None, body).await;
            assert_eq!(put.expect("put"), Put::Created);
            let upload = upload.lock().expect("not poisoned");
            assert!(upload.is_complete && upload.bytes == bytes(), "piece {at}");
        }
    }
}

#[tokio::test]
async fn the_last_piece_carries_the_checksum_of_all_and_only_it() {
    let (fake, _) = with_fault(0, Fault::Refused).await;
    let body = stream::iter([Ok(bytes())]).boxed();
    store(&fake).put_stream("k", None, body).await.expect("put");
    let seen = fake.seen();
    let pieces: Vec<_> = seen.iter().filter(|it| it.method == "PUT").collect();
    let hashes: Vec<_> = pieces.iter().map(|it| it.has("x-goog-hash")).collect();
    assert_eq!(hashes, [false, false, true]);
    let begun = seen.iter().find(|it| it.method == "POST").expect("begun");
    assert_eq!(begun.value("ifGenerationMatch").as_deref(), Some("0"));
}

#[tokio::test]
async fn an_upload_that_is_gone_begins_again_unless_the_object_is_there() {
    for is_there in [true, false] {
        let fake = Fake::start(move |request: &Request| match request.method.as_str() {
            "POST" => Response::new(200, "{}").with("location", "/?upload_id=id1"),
            "PUT" => refusal(410, "gone"),
            "GET" if is_there => created(1),
            "GET" if request.asks("maxResults") => listing(""),
            _ => refusal(404, "notFound"),
        })
        .await;
        let put = store(&fake)
            .put_as_parts("k", Bytes::from_static(b"x"))
            .await;
        match put {
            Ok(put) => assert!(is_there && put == Put::Exists),
            Err(error) => assert!(!is_there && error.is_retryable(), "{error:?}"),
        }
    }
}

#[tokio::test]
async fn an_object_that_the_store_describes_otherwise_is_not_reported_as_created() {
    let fake = Fake::start(|_: &Request| created(5)).await;
    let error = store(&fake)
        .put("k", Bytes::from_static(b"x"))
        .await
        .expect_err("another size");
    assert!(matches!(error, StoreError::Unsuitable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_refusal_to_read_what_does_not_exist_is_understood_by_a_listing() {
    // What the listing returns; whether the object is then missing.
    for (listing, expected) in [
        (listing(""), Some(true)),
        // Whether it is there is left to another page.
        (listing(",\"nextPageToken\":\"t\""), Some(false)),
        (Response::new(200, "{}"), Some(false)),
        (refusal(403, "forbidden"), Some(false)),
        (refusal(404, "notFound"), Some(false)),
        (Response::new(200, "<html>"), Some(false)),
    ] {
        let fake = Fake::start(move |request: &Request| match request.asks("maxResults") {
            true => listing.clone(),
            false => refusal(403, "forbidden"),
        })
        .await;
        let error = store(&fake).get("k", 1).await.expect_err("refused");
        assert_eq!(Some(error.is_not_found()), expected, "{error:?}");
        assert_eq!(store(&fake).head("k").await.is_ok(), error.is_not_found());
    }
}

#[tokio::test]
async fn a_caller_that_may_not_overwrite_learns_that_the_object_exists() {
    let fake = Fake::start(|request: &Request| match request.method.as_str() {
        "POST" => refusal(403, "forbidden"),
        _ => created(1),
    })
    .await;
    let put = store(&fake).put("k", Bytes::from_static(b"x")).await;
    assert_eq!(put.expect("put"), Put::Exists);
}

#[tokio::test]
async fn what_is_deleted_softly_is_noticed_once() {
    let fake = Fake::start(|request: &Request| match request.method.as_str() {
        "DELETE" => Response::new(204, ""),
        _ if request.asks("softDeleted") => {
            let item = "{\"name\":\"a\",\"size\":\"1\",\"generation\":\"1\"}";
            listing(&format!(",\"items\":[{item}]"))
        }
        _ => listing(""),
    })
    .await;
    let store = store(&fake);
    assert!(!store.keeps_versions());
    for key in ["a", "b"] {
        store.delete(key).await.expect("deletes");
    }
    assert!(store.keeps_versions());
    assert_eq!(
        fake.seen().iter().filter(|it| it.method == "GET").count(),
        2
    );
}

#[tokio::test]
async fn only_the_asked_range_is_believed() {
    for (status, range) in [
        (200, "bytes 10-19/100"),
        (206, "bytes 0-9/100"),
        (206, "bytes 10-19/*"),
    ] {
        let fake = Fake::start(move |_: &Request| {
            Response::new(status, vec![0; 10]).with("content-range", range)
        })
        .await;
        let opened = store(&fake).get_stream("k", Some(10..20)).await;
        let error = opened.err().expect(range);
        assert!(
            matches!(error, StoreError::Unsuitable { .. }),
            "{range}: {error:?}"
        );
    }
}
