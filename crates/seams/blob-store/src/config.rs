//! The `[store]` section: which store, and how to reach it.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::azure::AzureConfig;
use crate::gcs::GcsConfig;
use crate::key::{self, KEY_BYTES_MAX};
use crate::s3::S3Config;
use crate::{Azure, Counted, Folder, Gcs, S3, Store, StoreError};

/// More parts at once than this are a mistake: each is a connection of its own.
const PARALLEL_PARTS_MAX: usize = 64;
/// The limit for a key of all object stores, in bytes or in characters.
const STORE_KEY_BYTES_MAX: usize = 1024;
/// The longest prefix that leaves room for the longest key and the `/` between them.
pub(crate) const PREFIX_BYTES_MAX: usize = STORE_KEY_BYTES_MAX - KEY_BYTES_MAX - 1;

/// The `[store]` section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum StoreConfig {
    /// `kind = "folder"`.
    Folder(FolderConfig),
    /// `kind = "s3"`.
    S3(S3Config),
    /// `kind = "azure"`.
    Azure(AzureConfig),
    /// `kind = "gcs"`.
    Gcs(GcsConfig),
}

/// A local or mounted folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderConfig {
    /// Created if it does not exist.
    pub path: PathBuf,
}

/// What is wrong with the settings that all object stores share.
pub(crate) fn complaint(
    prefix: &str,
    parallel_parts: usize,
    attempts_max: u32,
) -> Option<&'static str> {
    if !(1..=PARALLEL_PARTS_MAX).contains(&parallel_parts) {
        Some("`store.parallel_parts` is not between 1 and 64")
    } else if attempts_max == 0 {
        Some("`store.attempts_max` is 0")
    } else if key::check_prefix(prefix).is_err() {
        Some("`store.prefix` is not a path of plain segments")
    } else if prefix.trim_end_matches('/').len() > PREFIX_BYTES_MAX {
        Some(
            "`store.prefix` is longer than 123 bytes: keys have at most 1024 bytes, of which up to 900 follow the prefix",
        )
    } else {
        None
    }
}

/// Opens the configured store, counted. Makes no request yet; a folder is created.
pub async fn open(config: &StoreConfig) -> Result<Store, StoreError> {
    Ok(match config {
        StoreConfig::Folder(folder) => {
            Arc::new(Counted::new(Arc::new(Folder::open(&folder.path)?)))
        }
        StoreConfig::S3(s3) => Arc::new(Counted::new(Arc::new(S3::open(s3).await?))),
        StoreConfig::Azure(azure) => Arc::new(Counted::new(Arc::new(Azure::open(azure)?))),
        StoreConfig::Gcs(gcs) => Arc::new(Counted::new(Arc::new(Gcs::open(gcs)?))),
    })
}

#[cfg(test)]
mod tests {
    use secret::Secret;

    use super::*;

    fn parse(text: &str) -> Result<StoreConfig, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn each_kind_is_read() {
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
        let azure = parse("kind = 'azure'\naccount = 'a'\ncontainer = 'c'").expect("azure");
        assert!(matches!(azure, StoreConfig::Azure(azure) if azure.check().is_ok()));
        let gcs = parse("kind = 'gcs'\nbucket = 'b'").expect("gcs");
        assert!(matches!(gcs, StoreConfig::Gcs(gcs) if gcs.check().is_ok()));
    }

    #[test]
    fn an_unknown_setting_is_refused_by_name() {
        let error = parse("kind = 's3'\nbuket = 'b'")
            .expect_err("typo")
            .to_string();
        assert!(error.contains("buket"), "{error}");
        assert!(parse("kind = 'folder'\npath = '/b'\nbucket = 'c'").is_err());
    }

    /// A block of docs/stores.md, every key in it set.
    fn documented(kind: &str) -> String {
        let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/stores.md");
        let docs = std::fs::read_to_string(docs).expect("docs/stores.md");
        let (_, rest) = docs.split_once(&format!("```toml {kind}\n")).expect(kind);
        let (block, _) = rest.split_once("```").expect("an end");
        let lines = block.lines().filter(|line| !line.starts_with("# "));
        lines
            .map(|line| format!("{}\n", line.trim_start_matches('#')))
            .collect()
    }

    #[test]
    fn the_docs_name_every_key_of_azure_and_gcs() {
        for (kind, exclusive) in [("azure", "sas_token"), ("gcs", "service_account_file")] {
            let block = documented(kind);
            // The error of an unknown key names those that are known.
            let error = parse(&format!("{block}nonsense = 1\n"))
                .expect_err("unknown")
                .to_string();
            let (_, known) = error.split_once("expected one of").expect("a list");
            for key in known.split('`').skip(1).step_by(2) {
                assert!(block.contains(&format!("{key} = ")), "{kind}: {key}");
            }
            let of_one: Vec<&str> = block
                .lines()
                .filter(|line| !line.starts_with(exclusive))
                .collect();
            let checked = match parse(&of_one.join("\n")).expect(kind) {
                StoreConfig::Azure(azure) => azure.check(),
                StoreConfig::Gcs(gcs) => gcs.check(),
                other => panic!("{other:?}"),
            };
            assert!(checked.is_ok(), "{checked:?}");
        }
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
