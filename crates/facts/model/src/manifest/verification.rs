//! What a verification of a backup has found, kept beside the backup.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{BackupRef, Sample, VerifyLevel};

/// The document of one verification that has come to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    pub backup: BackupRef,
    /// Hex BLAKE3 of the body of the backup manifest that was verified: a backup that has the name later is another one.
    pub manifest: String,
    /// Of a part: the highest number of a result of the whole when its verification began. Damage with a higher number may have
    /// come after the part was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u32>,
    #[serde(flatten)]
    pub result: VerificationResult,
}

/// What a verification has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationResult {
    pub level: VerifyLevel,
    /// When it ended; if a part was found clean, when it began.
    pub verified_at: Timestamp,
    /// Manifests and data objects that were checked.
    pub objects: u64,
    /// Bytes of data objects that were read and compared.
    pub bytes: u64,
    pub sstables: u64,
    /// Places that were damaged or missing; 0 if everything was found whole.
    pub damaged: u64,
    /// The part that was read; absent: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sample>,
}
