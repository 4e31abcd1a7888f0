//! How a document is wrapped in the bucket: one header line that can be read whatever the form, then the JSON body.
//!
//! The header carries the form and the body's hash, so that a document from the future is refused with words and a
//! flipped bit is found before a single field is believed.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The newest form of documents that this release writes and reads.
pub const FORMAT: u32 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentKind {
    Intent,
    Failure,
    Pin,
    Deletion,
    NodeManifest,
    BackupManifest,
}

/// Why a document cannot be believed.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    #[error("the header line is missing or is not that of a Ringkeep document")]
    Header,
    #[error(
        "it has form {found}, and this release reads forms up to {FORMAT}: a newer Ringkeep wrote it"
    )]
    FromTheFuture { found: u32 },
    #[error("it is a {found:?} where a {expected:?} belongs")]
    Kind {
        expected: DocumentKind,
        found: DocumentKind,
    },
    #[error("its body has {found} bytes where its header says {expected}")]
    Length { expected: u64, found: u64 },
    #[error("its body has the BLAKE3 {found} where its header says {expected}")]
    Hash { expected: String, found: String },
    #[error("its body does not read as its kind")]
    Body(#[source] serde_json::Error),
    #[error("it is the document that belongs under `{own}`")]
    Misplaced { own: String },
    #[error("its body has the BLAKE3 {found} and was committed with {expected}: it was exchanged")]
    Exchanged { expected: String, found: String },
    #[error("it says what cannot be: {what}")]
    Content { what: String },
}

/// Only what every form has: enough to refuse a document from the future with words.
#[derive(Deserialize)]
struct AnyHeader {
    format: u32,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    ringkeep: DocumentKind,
    bytes: u64,
    blake3: String,
}

/// Wraps a document; answers the bytes to store and the body's hash.
pub fn seal<T: Serialize>(
    kind: DocumentKind,
    document: &T,
) -> Result<(Vec<u8>, String), DocumentError> {
    let body = serde_json::to_vec(document).map_err(DocumentError::Body)?;
    let blake3 = blake3::hash(&body).to_hex().to_string();
    let header = Header {
        format: FORMAT,
        ringkeep: kind,
        bytes: body.len() as u64,
        blake3: blake3.clone(),
    };
    let mut sealed = serde_json::to_vec(&header).map_err(DocumentError::Body)?;
    sealed.push(b'\n');
    sealed.extend_from_slice(&body);
    Ok((sealed, blake3))
}

/// Unwraps a document after checking form, kind, length and hash; answers it with its body's hash.
pub fn open<T: DeserializeOwned>(
    kind: DocumentKind,
    sealed: &[u8],
) -> Result<(T, String), DocumentError> {
    let end = sealed
        .iter()
        .position(|&byte| byte == b'\n')
        .ok_or(DocumentError::Header)?;
    let (line, body) = (&sealed[..end], &sealed[end + 1..]);
    let AnyHeader { format } = serde_json::from_slice(line).map_err(|_| DocumentError::Header)?;
    if format > FORMAT {
        return Err(DocumentError::FromTheFuture { found: format });
    }
    if format == 0 {
        return Err(DocumentError::Header);
    }
    let header: Header = serde_json::from_slice(line).map_err(|_| DocumentError::Header)?;
    if header.ringkeep != kind {
        return Err(DocumentError::Kind {
            expected: kind,
            found: header.ringkeep,
        });
    }
    if header.bytes != body.len() as u64 {
        return Err(DocumentError::Length {
            expected: header.bytes,
            found: body.len() as u64,
        });
    }
    let found = blake3::hash(body).to_hex().to_string();
    if found != header.blake3 {
        return Err(DocumentError::Hash {
            expected: header.blake3,
            found,
        });
    }
    let document = serde_json::from_slice(body).map_err(DocumentError::Body)?;
    Ok((document, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> Vec<u8> {
        seal(DocumentKind::Pin, &vec!["a", "b"]).expect("seals").0
    }

    #[test]
    fn a_document_reads_back() {
        let (document, _) = open::<Vec<String>>(DocumentKind::Pin, &sealed()).expect("opens");
        assert_eq!(document, ["a", "b"]);
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_found() {
        let good = sealed();
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let opened = open::<Vec<String>>(DocumentKind::Pin, &bad);
            assert!(
                opened.is_err(),
                "bit {bit} of {:?}",
                String::from_utf8_lossy(&bad)
            );
        }
        for len in 0..good.len() {
            assert!(
                open::<Vec<String>>(DocumentKind::Pin, &good[..len]).is_err(),
                "{len}"
            );
        }
    }

    #[test]
    fn a_document_from_the_future_is_refused_with_words() {
        let future = b"{\"format\":2,\"shape\":\"unknown\"}\n....";
        let error = open::<Vec<String>>(DocumentKind::Pin, future).expect_err("future");
        assert!(error.to_string().contains("newer Ringkeep"), "{error}");
    }

    #[test]
    fn one_kind_is_not_taken_for_another() {
        let opened = open::<Vec<String>>(DocumentKind::Intent, &sealed());
        assert!(matches!(opened, Err(DocumentError::Kind { .. })));
    }
}
