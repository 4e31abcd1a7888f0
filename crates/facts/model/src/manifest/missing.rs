//! A member of the ring that a backup was made without.

use serde::{Deserialize, Serialize};

use crate::HostId;

/// Named when the backup was asked for with less than all replicas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingNode {
    pub host_id: HostId,
    /// As the ring knows it.
    pub address: String,
    /// Why it is missing, for people.
    pub reason: String,
}
