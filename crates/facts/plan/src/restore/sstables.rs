//! Whether the target's nodes can take the backup's SSTables, and what of them is lost or left over.

pub(super) mod damaged;
pub(super) mod encryption;
pub(super) mod strays;
pub(super) mod ttl;
pub(super) mod unsliceable;
pub(super) mod verdicts;
pub(super) mod verified;
