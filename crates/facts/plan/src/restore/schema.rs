//! What becomes of the target's schema, and the CQL that makes it so.

pub(super) mod changes;
pub(super) mod copies;
pub(super) mod ddl;
pub(super) mod features;
pub(super) mod indexes;
pub(super) mod making;
pub(super) mod objects;
pub(super) mod outcome;
pub(super) mod rewrites;
pub(super) mod search;
pub(super) mod settings;
pub(super) mod tables;
pub(super) mod tombstones;
pub(super) mod trial;
