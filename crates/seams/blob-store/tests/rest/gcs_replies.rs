//! Replies of Google Cloud Storage, or of what stands before it, that look like others.

use bytes::Bytes;
use futures::stream::TryStreamExt;

use blob_store::Put;

use crate::fake::{Fake, Request, Response};
use crate::gcs_faults::{created, listed, listing, refusal, store};

#[tokio::test]
async fn an_object_exists_only_if_it_is_found() {
    for is_there in [true, false] {
        let fake = Fake::start(move |request: &Request| match request.method.as_str() {
            // A policy of the organization is refused with 412, too.
            "POST" => refusal(412, "conditionNotMet"),
            _ if is_there => created(1),
            _ if request.asks("maxResults") => listing(""),
            _ => refusal(404, "notFound"),
        })
        .await;
        let store = store(&fake);
        let put = store.put("k", Bytes::from_static(b"x")).await;
        let parts = store.put_as_parts("k", Bytes::from_static(b"x")).await;
        for put in [put, parts] {
            match put {
                Ok(put) => assert!(is_there && put == Put::Exists),
                Err(error) => assert!(!is_there && !error.is_retryable(), "{error:?}"),
            }
        }
    }
}

#[tokio::test]
async fn only_the_status_of_a_call_is_its_success() {
    for status in [201, 202, 307, 308] {
        let fake = Fake::start(move |_: &Request| Response::new(status, created(1).body)).await;
        let store = store(&fake);
        let put = store.put("k", Bytes::from_static(b"x")).await;
        let (head, deleted) = (store.head("k").await, store.delete("k").await);
        assert!(
            put.is_err() && head.is_err() && deleted.is_err(),
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_listing_that_is_none_or_has_other_names_is_refused() {
    for response in [
        listed("other/a"),
        listing(",\"prefixes\":[\"other/\"]"),
        Response::new(200, "{}"),
        Response::new(200, "{\"kind\":\"storage#object\"}"),
    ] {
        let fake = Fake::start(move |_: &Request| response.clone()).await;
        let listed: Result<Vec<_>, _> = store(&fake).list("p/").try_collect().await;
        assert!(listed.is_err(), "{listed:?}");
        let children = store(&fake).list_children("p/").await;
        assert!(children.is_err(), "{children:?}");
    }
}

#[tokio::test]
async fn an_object_that_appears_between_two_requests_is_asked_for_again() {
    let fake = Fake::start(|request: &Request| match request.asks("maxResults") {
        true => listed("k"),
        false => refusal(404, "notFound"),
    })
    .await;
    let error = store(&fake).get("k", 1).await.expect_err("404");
    assert!(error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn leftovers_are_looked_for_until_both_listings_were_read() {
    let fake = Fake::start(|request: &Request| match request.method.as_str() {
        "DELETE" => Response::new(204, ""),
        _ if request.asks("versions") => refusal(403, "forbidden"),
        _ => listing(""),
    })
    .await;
    let store = store(&fake);
    for key in ["a", "b"] {
        store.delete(key).await.expect("deletes");
    }
    let asked = fake.seen().iter().filter(|it| it.method == "GET").count();
    assert_eq!(asked, 4);
}

#[tokio::test]
async fn the_store_is_asked_before_a_piece_is_sent_again_whose_reply_broke_off() {
    let fake = Fake::start(|request: &Request| match request.method.as_str() {
        "POST" => Response::new(200, "{}").with("location", "/?upload_id=id1"),
        _ if request.header("content-range") == Some("bytes */*") => created(1),
        _ => Response {
            cut_after: Some(1),
            ..created(1)
        },
    })
    .await;
    let store = store(&fake);
    let put = store.put_as_parts("k", Bytes::from_static(b"x")).await;
    assert_eq!(put.expect("put"), Put::Created);
    let seen = fake.seen();
    let ranges: Vec<_> = seen
        .iter()
        .filter_map(|it| it.header("content-range"))
        .collect();
    assert_eq!(ranges, ["bytes 0-0/1", "bytes */*"]);
}
