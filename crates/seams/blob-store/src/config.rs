//! The `[store]` section: which store, and how to reach it.

use std::path::PathBuf;
use std::sync::Arc;

use secret::Secret;
use serde::{Deserialize, Serialize};

use crate::key::KEY_BYTES_MAX;
use crate::{Counted, Folder, S3, Store, StoreError};

/// S3's own limits.
const PART_BYTES_MIN: u64 = 5 << 20;
const PART_BYTES_MAX: u64 = 5 << 30;
/// More parts at once than this are a mistake: each is a connection of its own.
const PARALLEL_PARTS_MAX: usize = 64;
/// S3's own limit for a key, in bytes.
const S3_KEY_BYTES_MAX: usize = 1024;
/// The longest prefix that leaves room for the longest key and the `/` between them.
const PREFIX_BYTES_MAX: usize = S3_KEY_BYTES_MAX - KEY_BYTES_MAX - 1;

/// The `[store]` section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
#[expect(clippy::large_enum_variant, reason = "a process has one of them")]
pub enum StoreConfig {
    /// `kind = "folder"`.
    Folder(FolderConfig),
    /// `kind = "s3"`.
    S3(S3Config),
}

/// A local or mounted folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderConfig {
    /// Created if it does not exist.
    pub path: PathBuf,
}

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
        } else if !(1..=PARALLEL_PARTS_MAX).contains(&self.parallel_parts) {
            "`store.parallel_parts` is not between 1 and 64"
        } else if self.attempts_max == 0 {
            "`store.attempts_max` is 0"
        } else if crate::key::check_prefix(&self.prefix).is_err() {
            "`store.prefix` is not a path of plain segments"
        } else if self.prefix.trim_end_matches('/').len() > PREFIX_BYTES_MAX {
            "`store.prefix` is longer than 123 bytes: keys have at most 1024 bytes, of which up to 900 follow the prefix"
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

/// Opens the configured store, counted. Makes no request yet; a folder is created.
pub async fn open(config: &StoreConfig) -> Result<Store, StoreError> {
    Ok(match config {
        StoreConfig::Folder(folder) => {
            Arc::new(Counted::new(Arc::new(Folder::open(&folder.path)?)))
        }
        StoreConfig::S3(s3) => Arc::new(Counted::new(Arc::new(S3::open(s3).await?))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<StoreConfig, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn both_kinds_are_read() {
        let folder = parse("kind = 'folder'\npath = '/b'").expect("folder");
        assert_eq!(
            folder,
            StoreConfig::Folder(FolderConfig { path: "/b".into() })
        );
        let StoreConfig::S3(s3) =
            parse("kind = 's3'\nbucket = 'b'\nparallel_parts = 2").expect("s3")
        else {
            panic!("not s3");
        };
        assert_eq!((s3.bucket.as_str(), s3.parallel_parts), ("b", 2));
        assert!(s3.check().is_ok());
    }

    #[test]
    fn an_unknown_setting_is_refused_by_name() {
        let error = parse("kind = 's3'\nbuket = 'b'")
            .expect_err("typo")
            .to_string();
        assert!(error.contains("buket"), "{error}");
        assert!(parse("kind = 'folder'\npath = '/b'\nbucket = 'c'").is_err());
    }

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

    #[test]
    fn a_secret_is_never_printed() {
        let config = S3Config {
            secret_access_key: Some(Secret::new("hunter2")),
            ..S3Config::default()
        };
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(!toml::to_string(&config).expect("toml").contains("hunter2"));
    }
}
