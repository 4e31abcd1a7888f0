//! Blocks of an object that was never completed.

use std::collections::HashMap;

use http::Method;
use serde::Deserialize;

use super::Azure;
use super::error::is_missing;
use crate::StoreError;

/// More than 100,000 blocks, the store's own limit for those of one key, have in a listing.
const LISTING_BYTES_MAX: usize = 32 << 20;

/// Names and sizes of the blocks that the store has of an object.
pub async fn unfinished(azure: &Azure, key: &str) -> Result<HashMap<String, u64>, StoreError> {
    let pairs = [("comp", "blocklist"), ("blocklisttype", "uncommitted")];
    let request = azure.blob(Method::GET, key, &pairs)?;
    let reply = match azure.rest.fetch(&request, LISTING_BYTES_MAX).await {
        Ok(reply) => reply,
        Err(refusal) if is_missing(&refusal) => return Ok(HashMap::new()),
        Err(refusal) => return Err(azure.failed(key, refusal)),
    };
    let text = String::from_utf8_lossy(&reply.body);
    let parsed = quick_xml::de::from_str(text.trim_start_matches('\u{feff}'));
    let list = match parsed {
        Ok(Document::BlockList(list)) => list,
        // All blocks are then sent again.
        Err(error) => {
            tracing::debug!(key, error = %error, "unfinished blocks cannot be listed");
            return Ok(HashMap::new());
        }
    };
    let blocks = list.uncommitted.blocks.into_iter();
    Ok(blocks.map(|block| (block.name, block.size)).collect())
}

#[derive(Deserialize)]
enum Document {
    BlockList(BlockList),
}

#[derive(Deserialize)]
struct BlockList {
    #[serde(rename = "UncommittedBlocks", default)]
    uncommitted: Uncommitted,
}

#[derive(Default, Deserialize)]
struct Uncommitted {
    #[serde(rename = "Block", default)]
    blocks: Vec<Block>,
}

#[derive(Deserialize)]
struct Block {
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "Size")]
    size: u64,
}
