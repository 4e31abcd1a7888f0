//! The documents that a client of Ringkeep prints: made from the model, serialized as JSON.
//!
//! The shapes are a contract: fields may be added, none may change. What a service does not know is null here, and a word
//! of a newer service that this release does not know is `unknown`. How documents read as text is up to each client; only
//! plans and findings have one text for all, in the crate `plan` beside the rules, because golden plans are reviewed as
//! that text.

#![warn(missing_docs)]

pub mod adopted;
pub mod backup;
pub mod backup_list;
pub mod cluster;
pub mod collection;
pub mod error;
pub mod kept_damage;
pub mod leftovers;
pub mod maintenance;
pub mod retention;
pub mod schedule;
pub mod sstable;
pub mod started;
pub mod status;
pub mod task;
pub mod verify;

use cassandra_versions::Release;
use jiff::Timestamp;
use serde::Serialize;

/// A restore plan. It is its own document, because the text of a plan is made from it, too.
pub use model::plan::ShownPlan as PlanView;

/// What a word of a newer service is shown as.
pub const UNKNOWN: &str = "unknown";

/// A product and its release.
#[derive(Debug, Clone, Serialize)]
pub struct ReleaseView {
    /// `cassandra`, `dse` or `hcd`.
    pub product: &'static str,
    /// Dotted, for example `4.1.9`.
    pub version: String,
}

impl From<&Release> for ReleaseView {
    fn from(release: &Release) -> Self {
        Self {
            product: release.product.as_str(),
            version: release.version.clone(),
        }
    }
}

/// In services an empty text stands for none.
fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Times are RFC 3339 in UTC with milliseconds.
fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| format!("{at:.3}"))
}
