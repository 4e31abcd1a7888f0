//! What else could be done, and what is left to people when the restore is done.

pub(super) mod afterwards;
pub(super) mod offer;
