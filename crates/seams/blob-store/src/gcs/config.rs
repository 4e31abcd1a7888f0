//! The settings of Google Cloud Storage.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::config;
use crate::rest::{Settings, check_endpoint, unusable};

/// All pieces of an upload but the last are multiples of this.
const PART_BYTES_UNIT: u64 = 256 << 10;
const PART_BYTES_MIN: u64 = 1 << 20;
/// A piece is sent again as a whole when a connection breaks.
const PART_BYTES_MAX: u64 = 5 << 30;
/// Objects of these can be read at once.
const CLASSES: &[&str] = &["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"];

/// A bucket of Google Cloud Storage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GcsConfig {
    /// The bucket's name. It must exist.
    pub bucket: String,
    /// Put before every key; may be empty.
    pub prefix: String,
    /// Empty: `https://storage.googleapis.com`.
    pub endpoint: String,
    /// A key of a service account, in JSON. Without it: the environment, the application default credentials, then the
    /// metadata server of the machine. It is read again when the store refuses what it holds.
    pub service_account_file: Option<PathBuf>,
    /// Send no credentials: for a server of tests.
    pub anonymous: bool,
    /// PEM file with roots to trust beside the system's.
    pub ca_certificate: Option<PathBuf>,
    /// Objects larger than this are uploaded in pieces of this size, one after the other: a multiple of 256 KiB.
    pub part_size_bytes: u64,
    /// How often a request is tried, with a backoff that doubles and jitters.
    pub attempts_max: u32,
    /// For establishing one connection.
    pub connect_timeout_seconds: u64,
    /// From the start of one try of a request to its response, sending one piece included.
    pub request_timeout_seconds: u64,
    /// `STANDARD`, `NEARLINE`, `COLDLINE` or `ARCHIVE`; absent: the bucket's default.
    pub storage_class: Option<String>,
}

impl Default for GcsConfig {
    fn default() -> Self {
        Self {
            bucket: String::new(),
            prefix: String::new(),
            endpoint: String::new(),
            service_account_file: None,
            anonymous: false,
            ca_certificate: None,
            part_size_bytes: 16 << 20,
            attempts_max: 6,
            connect_timeout_seconds: 5,
            request_timeout_seconds: 300,
            storage_class: None,
        }
    }
}

impl GcsConfig {
    /// Refuses settings that could not work, by name.
    pub fn check(&self) -> Result<(), StoreError> {
        let class = self.storage_class.as_deref();
        let is_size = (PART_BYTES_MIN..=PART_BYTES_MAX).contains(&self.part_size_bytes)
            && self.part_size_bytes.is_multiple_of(PART_BYTES_UNIT);
        let complaint = if self.bucket.is_empty() {
            "`store.bucket` is empty"
        } else if self.bucket.contains('/') {
            "`store.bucket` is a name without `/`; what follows it in a path is `store.prefix`"
        } else if self.anonymous && self.service_account_file.is_some() {
            "`store.anonymous` and `store.service_account_file` are both given"
        } else if !is_size {
            "`store.part_size_bytes` is not a multiple of 262144 between 1 MiB and 5 GiB"
        } else if class.is_some_and(|class| !CLASSES.contains(&class)) {
            "`store.storage_class` is not STANDARD, NEARLINE, COLDLINE or ARCHIVE"
        } else if let Some(complaint) = config::complaint(&self.prefix, 1, self.attempts_max) {
            complaint
        } else {
            return check_endpoint(&self.endpoint, self.anonymous);
        };
        Err(unusable(complaint))
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings {
            attempts_max: self.attempts_max,
            connect_timeout: Duration::from_secs(self.connect_timeout_seconds),
            request_timeout: Duration::from_secs(self.request_timeout_seconds),
            ca_certificate: self.ca_certificate.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_could_not_work_are_refused() {
        let good = GcsConfig {
            bucket: "b".into(),
            ..GcsConfig::default()
        };
        assert!(good.check().is_ok());
        for bad in [
            GcsConfig::default(),
            GcsConfig {
                bucket: "a/b".into(),
                ..good.clone()
            },
            GcsConfig {
                part_size_bytes: (16 << 20) + 1,
                ..good.clone()
            },
            GcsConfig {
                anonymous: true,
                service_account_file: Some("/a".into()),
                ..good.clone()
            },
            GcsConfig {
                storage_class: Some("COLD".into()),
                ..good.clone()
            },
            GcsConfig {
                endpoint: "http://user@host".into(),
                ..good.clone()
            },
            GcsConfig {
                endpoint: "http://store.example".into(),
                ..good.clone()
            },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
