//! What a plan is made from: both sides of the restore as they are, and what was asked for.

pub(super) mod agreement;
pub(super) mod datacenters;
pub(super) mod in_place;
pub(super) mod inputs;
pub(super) mod rings;
pub(super) mod schemas;
pub(super) mod selected;
pub(super) mod target_schema;
pub(super) mod versions;
