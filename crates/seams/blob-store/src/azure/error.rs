//! Classifies what Azure refuses by its own codes, and puts it into plain words.

use http::HeaderMap;

use crate::StoreError;
use crate::error::{Explained, Kind};
use crate::rest::{Refusal, text};

/// The most that is repeated of a message.
const MESSAGE_CHARS_MAX: usize = 300;

const UNKNOWN_HINT: &str = "use a general-purpose v2 storage account without hierarchical namespace; \
     docs/stores.md lists what is needed";
const CONTAINER_HINT: &str =
    "create the container, or correct `container` in the section [store]; it is never made here";
const KEY_HINT: &str = "correct `account_key` or `sas_token` in the section [store], or the credentials of the environment, \
     and check that this host's clock is right; files of the environment are read again on the next try, but a configured key \
     or signature only when the process is restarted";
const ROLE_HINT: &str = "grant the role that docs/stores.md names on the container, or a shared access signature with these rights";
const NETWORK_HINT: &str = "allow this host in the storage account's firewall, or use a private endpoint; a shared access \
     signature may also be limited to other addresses";
const SHARED_KEY_HINT: &str = "the account does not allow keys: leave `account_key` out and use an identity with the role that docs/stores.md names";

/// The code of a refusal: in a header, also if there is no body.
pub fn code(refusal: &Refusal) -> &str {
    match refusal {
        Refusal::Status { headers, .. } => text(headers, "x-ms-error-code").unwrap_or_default(),
        _ => "",
    }
}

/// Whether an object was not created because there is one of that key.
pub fn is_there(refusal: &Refusal) -> bool {
    match code(refusal) {
        "BlobAlreadyExists" => true,
        // A lease is held on what exists.
        "ConditionNotMet" | "LeaseIdMissing" => refusal.status() == Some(412),
        _ => false,
    }
}

/// Whether that may be the reason: a policy of the container, and a right that is missing, are refused in the same way.
pub fn may_be_there(refusal: &Refusal) -> bool {
    let may = ["UnauthorizedBlobOverwrite", "BlobImmutableDueToPolicy"];
    is_there(refusal) || may.contains(&code(refusal))
}

/// `ResourceNotFound` is none: it is also the response to a request without credentials.
pub fn is_missing(refusal: &Refusal) -> bool {
    code(refusal) == "BlobNotFound"
}

pub fn classify(store: &str, key: &str, refusal: Refusal) -> StoreError {
    refusal.into_error(key, store, UNKNOWN_HINT, read)
}

fn read(status: u16, headers: &HeaderMap, body: &[u8]) -> (Kind, Explained) {
    let code = text(headers, "x-ms-error-code").unwrap_or_default();
    let (kind, hint) = by_code(status, code);
    let message = message(body);
    let words = format!("it responded {status} {code}");
    let words = match message.is_empty() {
        true => words.trim_end().to_owned(),
        false => format!("{}: {message}", words.trim_end()),
    };
    let code = code.to_owned();
    (kind, Explained { words, code, hint })
}

fn by_code(status: u16, code: &str) -> (Kind, Option<&'static str>) {
    match code {
        "BlobNotFound" => (Kind::NotFound, None),
        // A mistyped container must never look like an empty one.
        "ContainerNotFound" | "ContainerDisabled" | "InvalidResourceName" => {
            (Kind::Other, Some(CONTAINER_HINT))
        }
        "ContainerBeingDeleted" => (Kind::Other, Some(CONTAINER_HINT)),
        "AuthenticationFailed"
        | "InvalidAuthenticationInfo"
        | "NoAuthenticationInformation"
        | "ResourceNotFound" => (Kind::Permission, Some(KEY_HINT)),
        "KeyBasedAuthenticationNotPermitted" => (Kind::Permission, Some(SHARED_KEY_HINT)),
        "AuthorizationFailure" | "AuthorizationSourceIPMismatch" => {
            (Kind::Permission, Some(NETWORK_HINT))
        }
        "AuthorizationPermissionMismatch"
        | "AuthorizationResourceTypeMismatch"
        | "AuthorizationServiceMismatch"
        | "InsufficientAccountPermissions" => (Kind::Permission, Some(ROLE_HINT)),
        "ServerBusy" | "InternalError" | "OperationTimedOut" | "Md5Mismatch" => {
            (Kind::Unavailable, None)
        }
        "UnsupportedHeader"
        | "UnsupportedHttpVerb"
        | "FeatureNotYetSupportedForHierarchicalNamespaceAccounts"
        | "InvalidBlobType" => (Kind::Unsuitable, None),
        _ => (by_status(status), None),
    }
}

fn by_status(status: u16) -> Kind {
    match status {
        401 | 403 => Kind::Permission,
        405 | 411 | 415 | 417 | 501 | 505 => Kind::Unsuitable,
        507 => Kind::Quota,
        408 | 429 | 500..=599 => Kind::Unavailable,
        // 404 without a code is not from the store.
        _ => Kind::Other,
    }
}

/// The first line of the message in a refusal's XML.
fn message(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let Some((_, rest)) = text.split_once("<Message>") else {
        return String::new();
    };
    let message = rest.split_once("</Message>").map_or(rest, |(own, _)| own);
    let line = message.lines().next().unwrap_or_default().trim();
    line.chars().take(MESSAGE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_missing_object_is_not_found() {
        for (status, code, expected) in [
            (404, "BlobNotFound", Kind::NotFound),
            (404, "ContainerNotFound", Kind::Other),
            (404, "ResourceNotFound", Kind::Permission),
            (404, "", Kind::Other),
            (403, "AuthenticationFailed", Kind::Permission),
            (403, "", Kind::Permission),
            (503, "ServerBusy", Kind::Unavailable),
            (400, "Md5Mismatch", Kind::Unavailable),
            (400, "UnsupportedHeader", Kind::Unsuitable),
            (501, "", Kind::Unsuitable),
            (507, "", Kind::Quota),
        ] {
            assert_eq!(by_code(status, code).0, expected, "{status} {code}");
        }
    }

    #[test]
    fn the_message_is_one_line() {
        let body =
            b"<?xml?><Error><Code>X</Code><Message>It failed.\nRequestId:1</Message></Error>";
        assert_eq!(message(body), "It failed.");
        assert_eq!(message(b"<html>"), "");
        assert_eq!(message(&[b'<'; 10]), "");
    }
}
