//! Documents of a task: what may be large and is written once, in parts that the state store can hold.

use std::collections::BTreeMap;

use model::TaskId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use state_store::{Entry, Expected, Fence, StateError, StateStore};

use crate::error::RunnerError;

/// Text in one part. JSON text within a JSON string has its quotes escaped, at worst every character: a part is always
/// below the limit of the state store.
const PART_BYTES: usize = 384 << 10;
/// Parts that are read at once.
pub(super) const PARTS_PER_PAGE: usize = 2;

/// A part of a document, with what shows whether all parts are of one writing.
#[derive(Debug, Serialize, Deserialize)]
struct Part {
    parts: usize,
    /// Hex BLAKE3 of the whole text.
    blake3: String,
    text: String,
}

/// Keys of all documents of a task start with this.
pub(crate) fn documents_of(id: TaskId) -> String {
    format!("documents/{id}/")
}

fn prefix(id: TaskId, name: &str) -> String {
    format!("{}{name}/", documents_of(id))
}

pub(crate) fn decode<T: DeserializeOwned>(entry: Entry) -> Result<T, RunnerError> {
    serde_json::from_value(entry.value).map_err(|source| RunnerError::Unreadable {
        key: entry.key,
        source,
    })
}

/// Entries that cannot be read: their keys, and why.
pub(crate) type Unreadable = BTreeMap<String, String>;

/// What of these entries can be read, so that one that cannot does not hide the others; it is added to `unreadable`.
pub(crate) fn decode_readable<T: DeserializeOwned>(
    entries: Vec<Entry>,
    unreadable: &mut Unreadable,
) -> Vec<T> {
    let mut all = Vec::with_capacity(entries.len());
    for entry in entries {
        let key = entry.key.clone();
        match decode(entry) {
            Ok(value) => all.push(value),
            Err(error) => drop(unreadable.insert(key, api::error::chain(&error))),
        }
    }
    all
}

pub(crate) fn encode<T: Serialize>(key: &str, value: &T) -> Result<serde_json::Value, StateError> {
    serde_json::to_value(value).map_err(|source| StateError::NotJson {
        key: key.to_owned(),
        source,
    })
}

/// Writes a document. It is read only once something that is written later says that it is there; so a crash half way
/// leaves parts that nothing reads, and writing it again replaces them.
pub(super) async fn put<T: Serialize + ?Sized>(
    store: &dyn StateStore,
    id: TaskId,
    name: &str,
    document: &T,
    fence: &Fence,
) -> Result<(), StateError> {
    let prefix = prefix(id, name);
    let text = serde_json::to_string(document).map_err(|source| StateError::NotJson {
        key: prefix.clone(),
        source,
    })?;
    let blake3 = blake3::hash(text.as_bytes()).to_hex().to_string();
    let texts = split(&text);
    for (at, part) in texts.iter().enumerate() {
        let key = format!("{prefix}{at:06}");
        let part = Part {
            parts: texts.len(),
            blake3: blake3.clone(),
            text: (*part).to_owned(),
        };
        let value = encode(&key, &part)?;
        store
            .put(&key, value, Expected::Anything, Some(fence))
            .await?;
    }
    Ok(())
}

/// Reads a document; none if it was never written to its end.
pub(super) async fn get<T: DeserializeOwned>(
    store: &dyn StateStore,
    id: TaskId,
    name: &str,
) -> Result<Option<T>, RunnerError> {
    let prefix = prefix(id, name);
    let mut text = String::new();
    let mut first: Option<Part> = None;
    let mut read = 0;
    let mut after: Option<String> = None;
    loop {
        let page = store
            .page(
                &prefix,
                after.as_deref(),
                PARTS_PER_PAGE,
                state_store::Direction::Ascending,
            )
            .await?;
        after = page.entries.last().map(|entry| entry.key.clone());
        for entry in page.entries {
            let part: Part = decode(entry)?;
            let of_another = first
                .as_ref()
                .is_some_and(|first| first.blake3 != part.blake3);
            // Parts beyond the last are left over from a longer document of before.
            if of_another || first.as_ref().is_some_and(|first| read >= first.parts) {
                continue;
            }
            read += 1;
            text.push_str(&part.text);
            first.get_or_insert(part);
        }
        if !page.more {
            break;
        }
    }
    let Some(first) = first else {
        return Ok(None);
    };
    if read != first.parts || blake3::hash(text.as_bytes()).to_hex().as_str() != first.blake3 {
        return Ok(None);
    }
    let document = serde_json::from_str(&text);
    document
        .map(Some)
        .map_err(|source| RunnerError::Unreadable {
            key: prefix,
            source,
        })
}

/// The text in parts of at most [`PART_BYTES`], between characters. An empty text is one empty part.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while rest.len() > PART_BYTES {
        let (part, after) = rest.split_at(rest.floor_char_boundary(PART_BYTES));
        parts.push(part);
        rest = after;
    }
    parts.push(rest);
    parts
}
