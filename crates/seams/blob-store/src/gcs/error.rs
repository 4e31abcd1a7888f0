//! Classifies what Google Cloud Storage refuses, and finds out what a refusal to read means.

use http::HeaderMap;
use serde::Deserialize;

use super::Gcs;
use super::list::{Item, Page, page_of};
use crate::StoreError;
use crate::error::{Explained, Kind};
use crate::rest::Refusal;

/// The most that is repeated of a message.
const MESSAGE_CHARS_MAX: usize = 300;

const UNKNOWN_HINT: &str = "use Google Cloud Storage or a server that knows its JSON API; docs/stores.md lists what is needed";
const BUCKET_HINT: &str =
    "create the bucket, or correct `bucket` in the section [store]; it is never made here";
const TOKEN_HINT: &str = "correct `service_account_file` in the section [store], or the credentials of the environment, and \
     check that this host's clock is right; they are read again on the next try";
const ROLE_HINT: &str = "grant the roles that docs/stores.md names on the bucket";
const LIST_HINT: &str = "grant storage.objects.list on the bucket: without it the store replies 403 to a request for an object \
     that does not exist; docs/stores.md names the roles";
const GET_HINT: &str = "grant storage.objects.get on the bucket; docs/stores.md names the roles";

/// Whether an object may not have been created because there is one of that key. 412 is also the status of what a policy
/// of the organization forbids, and 403 that of an attempt to overwrite without the right to.
pub fn may_be_there(refusal: &Refusal) -> bool {
    matches!(refusal.status(), Some(403 | 412))
}

/// The error of a request that is not about reading one object: 404 is then about the bucket.
pub fn classify(store: &str, key: &str, refusal: Refusal) -> StoreError {
    refusal.into_error(key, store, UNKNOWN_HINT, read)
}

/// What a refusal to read or delete an object means. The store replies 404 both if the object and if the bucket does
/// not exist, and 403 for an object that does not exist to a caller that may not list. A listing of the key settles it.
pub async fn explain(gcs: &Gcs, key: &str, refusal: Refusal) -> StoreError {
    let was_missing = refusal.status() == Some(404);
    let error = match refusal.status() {
        Some(403 | 404) => classify(&gcs.store, key, refusal),
        _ => return classify(&gcs.store, key, refusal),
    };
    let object = format!("{}{key}", gcs.prefix);
    let request = gcs.listing(&[("prefix", &object), ("maxResults", "1")]);
    let listed = match gcs.rest.fetch(&request, super::list::PAGE_BYTES_MAX).await {
        Ok(reply) => reply,
        Err(refusal) => return lacking(classify(&gcs.store, key, refusal), LIST_HINT),
    };
    let has = |items: &[Item]| items.iter().any(|item| item.name == object);
    match page_of(gcs, key, &listed.body) {
        // It was created after the first response.
        Ok(Page { items, .. }) if was_missing && has(&items) => StoreError::Unavailable {
            key: key.to_owned(),
            store: gcs.store.clone(),
            source: "it did not find an object that it then listed".into(),
        },
        Ok(Page { items, .. }) if has(&items) => lacking(error, GET_HINT),
        // Names come in order, the shortest first, so only a page without any leaves it open.
        Ok(Page {
            items,
            next_page_token: Some(token),
            ..
        }) if items.is_empty() && !token.is_empty() => StoreError::Unavailable {
            key: key.to_owned(),
            store: gcs.store.clone(),
            source: "its listing of one key goes on on another page".into(),
        },
        Ok(_) => StoreError::NotFound {
            key: key.to_owned(),
            store: gcs.store.clone(),
        },
        Err(error) => error,
    }
}

/// Names the right that is missing, if that is what a refusal is about.
fn lacking(mut error: StoreError, hint: &'static str) -> StoreError {
    if let StoreError::PermissionDenied { source, .. } = &mut error
        && let Some(explained) = source.downcast_mut::<Explained>()
        && explained.hint == Some(ROLE_HINT)
    {
        explained.hint = Some(hint);
    }
    error
}

fn read(status: u16, _headers: &HeaderMap, body: &[u8]) -> (Kind, Explained) {
    let said = Said::of(body);
    let (kind, hint) = by_reason(status, &said.reason, &said.message);
    let words = format!("it responded {status} {}", said.reason);
    let words = match said.message.is_empty() {
        true => words.trim_end().to_owned(),
        false => format!("{}: {}", words.trim_end(), said.message),
    };
    let code = said.reason;
    (kind, Explained { words, code, hint })
}

fn by_reason(status: u16, reason: &str, message: &str) -> (Kind, Option<&'static str>) {
    match (status, reason) {
        // Only a listing distinguishes a missing object from a missing bucket.
        (404, _) => (Kind::Other, Some(BUCKET_HINT)),
        (_, "rateLimitExceeded" | "userRateLimitExceeded" | "backendError" | "internalError") => {
            (Kind::Unavailable, None)
        }
        (_, "quotaExceeded" | "storageQuotaExceeded" | "dailyLimitExceeded") => (Kind::Quota, None),
        (401, _) => (Kind::Permission, Some(TOKEN_HINT)),
        (403, "forbidden" | "insufficientPermissions" | "") => (Kind::Permission, Some(ROLE_HINT)),
        (403, _) => (Kind::Permission, None),
        // What arrived is not what was sent.
        (400, _) if message.to_ascii_lowercase().contains("crc32c") => (Kind::Unavailable, None),
        (405 | 411 | 415 | 417 | 501 | 505, _) => (Kind::Unsuitable, None),
        (507, _) => (Kind::Quota, None),
        (408 | 429 | 500..=599, _) => (Kind::Unavailable, None),
        _ => (Kind::Other, None),
    }
}

/// The words of a refusal: JSON, but plain text from some servers and from what stands before them.
#[derive(Default)]
struct Said {
    reason: String,
    message: String,
}

#[derive(Deserialize)]
struct Body {
    error: BodyError,
}

#[derive(Deserialize)]
struct BodyError {
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    #[serde(default)]
    reason: String,
}

impl Said {
    fn of(body: &[u8]) -> Self {
        let short = |text: &str| {
            let line = text.lines().next().unwrap_or_default().trim();
            line.chars().take(MESSAGE_CHARS_MAX).collect::<String>()
        };
        match serde_json::from_slice::<Body>(body) {
            Ok(Body { error }) => Self {
                reason: error
                    .errors
                    .first()
                    .map_or_else(String::new, |it| short(&it.reason)),
                message: short(&error.message),
            },
            Err(_) => Self {
                reason: String::new(),
                message: short(&String::from_utf8_lossy(body)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_classified_by_its_reason() {
        for (status, reason, message, expected) in [
            (404, "notFound", "", Kind::Other),
            (403, "forbidden", "", Kind::Permission),
            (403, "rateLimitExceeded", "", Kind::Unavailable),
            (403, "quotaExceeded", "", Kind::Quota),
            (401, "authError", "", Kind::Permission),
            (
                400,
                "invalid",
                "Provided CRC32C is wrong",
                Kind::Unavailable,
            ),
            (400, "invalid", "", Kind::Other),
            (503, "", "", Kind::Unavailable),
            (501, "", "", Kind::Unsuitable),
        ] {
            let found = by_reason(status, reason, message).0;
            assert_eq!(found, expected, "{status} {reason}");
        }
    }

    #[test]
    fn words_are_read_from_json_and_from_anything_else() {
        let json = br#"{"error":{"code":403,"message":"No.","errors":[{"reason":"forbidden"}]}}"#;
        let said = Said::of(json);
        assert_eq!(
            (said.reason.as_str(), said.message.as_str()),
            ("forbidden", "No.")
        );
        assert_eq!(Said::of(b"Bad gateway\n<html>").message, "Bad gateway");
        assert_eq!(Said::of(&[0xff]).reason, "");
    }
}
