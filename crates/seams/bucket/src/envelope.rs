//! How a document is wrapped in the bucket: one header line that can be read whatever the form, then the JSON body.
//!
//! The header carries the form and the body's hash, so that a document of a newer form is refused with a clear message
//! and a flipped bit is found before a single field is used.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The newest form of documents that this release writes and reads.
pub const FORMAT: u32 = 2;
/// The form of everything that earlier releases understand.
pub const FORMAT_BEFORE_PACKS: u32 = 1;

/// The kinds of documents, as the header names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentKind {
    /// A backup has begun.
    Intent,
    /// A begun backup was given up.
    Failure,
    /// A task needs the backup.
    Pin,
    /// An attempt to delete the backup.
    Deletion,
    /// What one node contributed to a backup.
    NodeManifest,
    /// The backup.
    BackupManifest,
    /// What a verification of the backup has found.
    Verification,
    /// What the backup manifests of a cluster say, in short.
    Summaries,
    /// The backup was deleted, or its deletion has begun to delete.
    Tombstone,
}

/// Why a document cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It does not start with a header.
    #[error("the header line is missing or is not that of a Ringkeep document")]
    Header,
    /// A newer release wrote it.
    #[error(
        "it has form {found}, and this release reads forms up to {FORMAT}: a newer Ringkeep wrote it"
    )]
    NewerFormat {
        /// Its form.
        found: u32,
    },
    /// It is larger than any document of its kind.
    #[error("it has {bytes} bytes, and documents of its kind have at most {bytes_max}")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit, of writers and readers alike.
        bytes_max: u64,
    },
    /// It is a document of another kind.
    #[error("it is a {found:?} where a {expected:?} belongs")]
    Kind {
        /// The kind that belongs under its key.
        expected: DocumentKind,
        /// The kind that its header names.
        found: DocumentKind,
    },
    /// Its body is cut off, or there is more.
    #[error("its body has {found} bytes where its header says {expected}")]
    Length {
        /// What the header says.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// Its body was changed.
    #[error("its body has the BLAKE3 {found} where its header says {expected}")]
    Hash {
        /// What the header says.
        expected: String,
        /// What was computed.
        found: String,
    },
    /// Its body has not the fields of its kind.
    #[error("its body does not read as its kind")]
    Body(#[source] serde_json::Error),
    /// It belongs under another key: it is of another backup or node.
    #[error("it is the document that belongs under `{own}`")]
    Misplaced {
        /// Its own key.
        own: String,
    },
    /// It is sound, and not the one that was committed.
    #[error("its body has the BLAKE3 {found} and was committed with {expected}: it was exchanged")]
    Exchanged {
        /// What was committed.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A field has a value that no writer writes.
    #[error("its content is not valid: {what}")]
    Content {
        /// Which value, and why.
        what: String,
    },
}

/// What every form has: enough to recognise a newer one.
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

/// A document that was unwrapped.
#[derive(Debug)]
pub struct Opened<T> {
    /// Its body.
    pub document: T,
    /// The form that its header names.
    pub format: u32,
    /// Hex BLAKE3 of its body.
    pub blake3: String,
}

/// Wraps a document of the first form; returns the bytes to store and the hex BLAKE3 of the body.
pub fn seal<T: Serialize>(
    kind: DocumentKind,
    document: &T,
) -> Result<(Vec<u8>, String), DocumentError> {
    seal_as(FORMAT_BEFORE_PACKS, kind, document)
}

/// The same in any form.
pub fn seal_as<T: Serialize>(
    format: u32,
    kind: DocumentKind,
    document: &T,
) -> Result<(Vec<u8>, String), DocumentError> {
    let body = serde_json::to_vec(document).map_err(DocumentError::Body)?;
    let blake3 = blake3::hash(&body).to_hex().to_string();
    let header = Header {
        format,
        ringkeep: kind,
        bytes: body.len() as u64,
        blake3: blake3.clone(),
    };
    let mut sealed = serde_json::to_vec(&header).map_err(DocumentError::Body)?;
    sealed.push(b'\n');
    sealed.extend_from_slice(&body);
    Ok((sealed, blake3))
}

/// Unwraps a document after checking form, kind, length and hash.
pub fn open<T: DeserializeOwned>(
    kind: DocumentKind,
    sealed: &[u8],
) -> Result<Opened<T>, DocumentError> {
    let end = sealed
        .iter()
        .position(|&byte| byte == b'\n')
        .ok_or(DocumentError::Header)?;
    let (line, body) = (&sealed[..end], &sealed[end + 1..]);
    let AnyHeader { format } = serde_json::from_slice(line).map_err(|_| DocumentError::Header)?;
    if format > FORMAT {
        return Err(DocumentError::NewerFormat { found: format });
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
    Ok(Opened {
        document: serde_json::from_slice(body).map_err(DocumentError::Body)?,
        format,
        blake3: found,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> Vec<u8> {
        seal(DocumentKind::Pin, &vec!["a", "b"]).expect("seals").0
    }

    #[test]
    fn a_document_reads_back() {
        for format in 1..=FORMAT {
            let sealed = seal_as(format, DocumentKind::Pin, &vec!["a", "b"])
                .expect("seals")
                .0;
            let opened = open::<Vec<String>>(DocumentKind::Pin, &sealed).expect("opens");
            assert_eq!(opened.document, ["a", "b"]);
            assert_eq!(opened.format, format);
        }
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
    fn a_document_of_a_newer_form_is_refused_with_a_message() {
        let future = b"{\"format\":3,\"shape\":\"unknown\"}\n....";
        let error = open::<Vec<String>>(DocumentKind::Pin, future).expect_err("a newer form");
        assert!(error.to_string().contains("newer Ringkeep"), "{error}");
    }

    #[test]
    fn one_kind_is_not_taken_for_another() {
        let opened = open::<Vec<String>>(DocumentKind::Intent, &sealed());
        assert!(matches!(opened, Err(DocumentError::Kind { .. })));
    }
}
