//! The documents that commands answer with: JSON by their fields, text by their `text` functions.
//!
//! The shapes are a contract: fields may be added, none may change. What a service does not know is null here. An
//! answer of a newer service must still be shown, so nothing is refused: an unknown word becomes `unknown`.

pub mod backup;
pub mod backup_list;
pub mod cluster;
pub mod finding;
pub mod kept_damage;
pub mod leftovers;
pub mod plan;
pub mod sstable;
pub mod task;
pub mod verify;

use api::pb::types as pb;
use serde::Serialize;

/// A product and its release.
#[derive(Debug, Clone, Serialize)]
pub struct ReleaseView {
    pub product: &'static str,
    pub version: String,
}

impl From<&pb::Release> for ReleaseView {
    fn from(release: &pb::Release) -> Self {
        Self {
            product: product(release.product()),
            version: release.version.clone(),
        }
    }
}

pub fn product(product: pb::Product) -> &'static str {
    match product {
        pb::Product::Cassandra => "cassandra",
        pb::Product::Dse => "dse",
        pb::Product::Hcd => "hcd",
        pb::Product::Unspecified => "unknown",
    }
}

/// On the wire an empty text stands for none.
pub fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// What a cell shows for none.
pub fn dash(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty())
        .unwrap_or("-")
        .to_owned()
}
