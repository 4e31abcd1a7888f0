//! Documents of tasks: kept in parts if they are larger than a value of the state store may be.
//!
//! The parts of a document lie under its hash, and what lies under its own key names that hash. It is written last, so a
//! reader never sees the parts of two documents mixed, whenever a runner dies.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use state_store::{Expected, Fence, StateError, StateStore, VALUE_BYTES_MAX};

use super::{decode, encode};
use crate::error::RunnerError;

/// As text in JSON a part may need twice its size, for the quotes in it.
const PART_BYTES_MAX: usize = VALUE_BYTES_MAX / 2 - 1;

/// What lies under the key of a document that is kept in parts.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InParts {
    in_parts: usize,
    blake3: String,
}

pub(super) async fn put<T: Serialize>(
    store: &dyn StateStore,
    key: &str,
    document: &T,
    fence: &Fence,
) -> Result<(), StateError> {
    let mut value = encode(key, document)?;
    let text = value.to_string();
    if text.len() > VALUE_BYTES_MAX {
        let in_parts = put_parts(store, key, &text, fence).await?;
        value = encode(key, &in_parts)?;
    }
    store
        .put(key, value, Expected::Anything, Some(fence))
        .await?;
    Ok(())
}

async fn put_parts(
    store: &dyn StateStore,
    key: &str,
    text: &str,
    fence: &Fence,
) -> Result<InParts, StateError> {
    let blake3 = blake3::hash(text.as_bytes()).to_hex().to_string();
    let parts = split(text);
    for (at, part) in parts.iter().enumerate() {
        let value = Value::from(*part);
        let key = part_key(key, &blake3, at);
        store
            .put(&key, value, Expected::Anything, Some(fence))
            .await?;
    }
    Ok(InParts {
        in_parts: parts.len(),
        blake3,
    })
}

pub(super) async fn get<T: DeserializeOwned>(
    store: &dyn StateStore,
    key: &str,
) -> Result<Option<T>, RunnerError> {
    let Some(entry) = store.get(key).await? else {
        return Ok(None);
    };
    let Ok(in_parts) = InParts::deserialize(&entry.value) else {
        return decode(entry).map(Some);
    };
    let mut text = String::new();
    for at in 0..in_parts.in_parts {
        let key = part_key(key, &in_parts.blake3, at);
        let part: Option<String> = store.get(&key).await?.map(decode).transpose()?;
        let part = part.ok_or_else(|| unreadable(&key, "a part of a document is missing"))?;
        text.push_str(&part);
    }
    if blake3::hash(text.as_bytes()).to_hex().as_str() != in_parts.blake3 {
        return Err(unreadable(
            key,
            "its parts do not have the hash that it names",
        ));
    }
    let document = serde_json::from_str(&text);
    let document = document.map_err(|source| RunnerError::Unreadable {
        key: key.to_owned(),
        source,
    });
    document.map(Some)
}

fn unreadable(key: &str, why: &str) -> RunnerError {
    RunnerError::Unreadable {
        key: key.to_owned(),
        source: serde_json::Error::custom(why),
    }
}

fn part_key(key: &str, blake3: &str, at: usize) -> String {
    format!("{key}/{blake3}/{at:05}")
}

/// Cuts between characters.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (part, after) = rest.split_at(rest.floor_char_boundary(PART_BYTES_MAX));
        parts.push(part);
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use jiff::Timestamp;
    use state_store::RedbStore;

    use super::*;

    async fn store() -> (RedbStore, Fence) {
        let store = RedbStore::in_memory(Arc::new(Timestamp::now)).await;
        let store = store.expect("open");
        let fence = store.acquire("task", "test", Duration::from_secs(3_600));
        let fence = fence.await.expect("free");
        (store, fence)
    }

    async fn read(store: &RedbStore) -> Vec<String> {
        let document = get(store, "d").await.expect("readable");
        document.expect("a document")
    }

    /// All quotes and wide characters, which are the worst for a part.
    fn large(mark: &str) -> Vec<String> {
        vec![
            "\"".repeat(VALUE_BYTES_MAX),
            "ü€".repeat(VALUE_BYTES_MAX / 4),
            mark.to_owned(),
        ]
    }

    #[tokio::test]
    async fn a_document_of_any_size_reads_as_it_was_written() {
        let (store, fence) = store().await;
        for document in [vec!["small".to_owned()], large("a"), large("b"), Vec::new()] {
            put(&store, "d", &document, &fence).await.expect("put");
            assert!(read(&store).await == document);
        }
    }

    #[tokio::test]
    async fn a_document_whose_rewriting_was_cut_short_is_still_the_old_one() {
        let (store, fence) = store().await;
        put(&store, "d", &large("old"), &fence).await.expect("put");
        let text = serde_json::to_string(&large("new")).expect("JSON");
        put_parts(&store, "d", &text, &fence).await.expect("put");
        assert!(read(&store).await == large("old"));
    }

    #[tokio::test]
    async fn a_document_without_one_of_its_parts_is_refused() {
        let (store, fence) = store().await;
        put(&store, "d", &large("a"), &fence).await.expect("put");
        let part = store.list("d/").await.expect("list").remove(1);
        store
            .delete(&part.key, Expected::Anything, Some(&fence))
            .await
            .expect("delete");
        let error = get::<Vec<String>>(&store, "d").await.expect_err("a gap");
        assert!(error.to_string().contains(&part.key), "{error}");
    }
}
