//! Which node of the target takes which data of which node of the backup.

pub(super) mod assignment;
pub(super) mod coverage;
pub(super) mod moves;
pub(super) mod own;
pub(super) mod replication;
pub(super) mod topology;
