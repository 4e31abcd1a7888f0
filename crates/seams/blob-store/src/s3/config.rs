//! The settings of S3.

use std::path::PathBuf;

use secret::Secret;
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::config;

/// S3's own limits.
const PART_BYTES_MIN: u64 = 5 << 20;
const PART_BYTES_MAX: u64 = 5 << 30;

/// S3, or any store that speaks its protocol and honours `If-None-Match: *`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct S3Config {
    /// The bucket's name. It must exist.
    pub bucket: String,
    /// Put before every key; may be empty.
    pub prefix: String,
    /// Empty: from the environment or the profile.
    pub region: String,
    /// Empty: AWS itself.
    pub endpoint: String,
    /// `endpoint/bucket/key` in place of `bucket.endpoint/key`: most stores that are not AWS want it.
    pub path_style: bool,
    /// Empty, with the secret: the credential chain (environment, profile, web identity, container, instance).
    pub access_key_id: String,
    /// The secret that belongs to `access_key_id`.
    pub secret_access_key: Option<Secret>,
    /// The profile of the AWS configuration files; empty: the default one.
    pub profile: String,
    /// A file of AWS credentials in place of `~/.aws/credentials`. It is read again when the store refuses what it holds,
    /// so that something else may renew a session token in it.
    pub credentials_file: Option<PathBuf>,
    /// PEM file with roots to trust beside the system's.
    pub ca_certificate: Option<PathBuf>,
    /// Objects larger than this are uploaded in parts of this size, in bytes. An object whose known size would need
    /// too many parts gets larger ones.
    pub part_size_bytes: u64,
    /// Parts of one object that are sent at once. How much memory they may take is the agent's setting.
    pub parallel_parts: usize,
    /// Send a CRC32 with each object and part, which the store checks before it accepts. Off only for a store that
    /// does not know it.
    pub checksums: bool,
    /// Sign what is sent with SHA-256. Absent: only if the connection is not encrypted.
    pub sign_payload: Option<bool>,
    /// How often a request is tried, with a backoff that doubles and jitters.
    pub attempts_max: u32,
    /// For establishing one connection, TLS included.
    pub connect_timeout_seconds: u64,
    /// From the start of one try of a request to its response, sending one part included.
    pub request_timeout_seconds: u64,
    /// For example `STANDARD_IA`; absent: the bucket's default.
    pub storage_class: Option<String>,
    /// Encrypt with this key of the key management service.
    pub sse_kms_key: Option<String>,
}

impl Default for S3Config {
    fn default() -> Self {
        Self {
            bucket: String::new(),
            prefix: String::new(),
            region: String::new(),
            endpoint: String::new(),
            path_style: false,
            access_key_id: String::new(),
            secret_access_key: None,
            profile: String::new(),
            credentials_file: None,
            ca_certificate: None,
            part_size_bytes: 16 << 20,
            parallel_parts: 4,
            checksums: true,
            sign_payload: None,
            attempts_max: 6,
            connect_timeout_seconds: 5,
            request_timeout_seconds: 300,
            storage_class: None,
            sse_kms_key: None,
        }
    }
}

impl S3Config {
    /// Refuses settings that could not work, by name.
    pub fn check(&self) -> Result<(), StoreError> {
        let complaint = if self.bucket.is_empty() {
            "`store.bucket` is empty"
        } else if self.access_key_id.is_empty() == self.secret_access_key.is_some() {
            "`store.access_key_id` and `store.secret_access_key` are given together or not at all"
        } else if !(PART_BYTES_MIN..=PART_BYTES_MAX).contains(&self.part_size_bytes) {
            "`store.part_size_bytes` is not between 5 MiB and 5 GiB"
        } else if let Some(complaint) =
            config::complaint(&self.prefix, self.parallel_parts, self.attempts_max)
        {
            complaint
        } else if self.secret_access_key.is_some() && self.credentials_file.is_some() {
            "`store.credentials_file` and `store.secret_access_key` are both given"
        } else {
            return Ok(());
        };
        Err(StoreError::Config {
            what: complaint.to_owned(),
            source: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PREFIX_BYTES_MAX;

    #[test]
    fn settings_that_could_not_work_are_refused() {
        let good = S3Config {
            bucket: "b".into(),
            ..S3Config::default()
        };
        for bad in [
            S3Config::default(),
            S3Config {
                part_size_bytes: 1,
                ..good.clone()
            },
            S3Config {
                parallel_parts: 0,
                ..good.clone()
            },
            S3Config {
                access_key_id: "a".into(),
                ..good.clone()
            },
            S3Config {
                prefix: "../x".into(),
                ..good.clone()
            },
            S3Config {
                prefix: "p".repeat(PREFIX_BYTES_MAX + 1),
                ..good.clone()
            },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
        assert!(good.check().is_ok());
        let longest = S3Config {
            prefix: format!("{}/", "p".repeat(PREFIX_BYTES_MAX)),
            ..good
        };
        assert!(longest.check().is_ok());
    }
}
