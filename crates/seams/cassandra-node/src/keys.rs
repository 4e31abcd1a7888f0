//! System keys of encrypted tables: shown by fingerprints, while the keys themselves never leave this file.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cassandra_versions::Product;
use model::BackupRef;
use model::manifest::{KeyFingerprint, key_fingerprint};
use tracing::warn;

use crate::cql::CqlError;
use crate::error::{ErrorKind, NodeError};
use crate::files::blocking;
use crate::node::CassandraNode;

/// Where DSE has its keys unless dse.yaml says otherwise.
const DSE_KEY_DIRECTORY: &str = "/etc/dse/conf";
/// Keys have some hundred bytes; a file that is larger is none.
const KEY_BYTES_MAX: u64 = 64 << 10;
const NAME_LEN_MAX: usize = 255;

/// Why there are no fingerprints.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It could lead out of the directory of keys.
    #[error("`{name}` is no name of a system key's file")]
    Name {
        /// As given.
        name: String,
    },
    /// The product is not known.
    #[error(transparent)]
    Cql(#[from] CqlError),
}

impl NodeError for KeyError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Name { .. } => ErrorKind::InvalidArgument,
            Self::Cql(error) => error.kind(),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Name { .. } => "BAD_NAME",
            Self::Cql(error) => error.reason(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Name { .. } => None,
            Self::Cql(error) => error.hint(),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Name { .. } => Some("names"),
            Self::Cql(_) => None,
        }
    }
}

/// The fingerprints of the keys of these names on this node; a name that could leave the directory is refused.
pub async fn fingerprints(
    node: &CassandraNode,
    backup: &BackupRef,
    names: Vec<String>,
) -> Result<Vec<KeyFingerprint>, KeyError> {
    if let Some(name) = names.iter().find(|name| !is_file_name(name)) {
        return Err(KeyError::Name { name: name.clone() });
    }
    let product = match &node.settings.system_key_directory {
        Some(_) => None,
        None => Some(node.identity().await?.release.product),
    };
    Ok(read(node, product, backup, names).await)
}

/// The same for the names that SSTables hold; one that is not the name of a file has no fingerprint.
pub async fn of_sstables(
    node: &CassandraNode,
    product: Product,
    backup: &BackupRef,
    names: BTreeSet<String>,
) -> Vec<KeyFingerprint> {
    read(node, Some(product), backup, names.into_iter().collect()).await
}

async fn read(
    node: &CassandraNode,
    product: Option<Product>,
    backup: &BackupRef,
    names: Vec<String>,
) -> Vec<KeyFingerprint> {
    let set = node.settings.system_key_directory.clone();
    let usual = (product == Some(Product::Dse)).then(|| PathBuf::from(DSE_KEY_DIRECTORY));
    let directory = set.or(usual);
    let backup = backup.clone();
    blocking(move || {
        let fingerprint = |name: String| KeyFingerprint {
            fingerprint: directory
                .as_deref()
                .filter(|_| is_file_name(&name))
                .and_then(|directory| one(directory, &name, &backup)),
            name,
        };
        names.into_iter().map(fingerprint).collect()
    })
    .await
}

fn one(directory: &Path, name: &str, backup: &BackupRef) -> Option<String> {
    let path = directory.join(name);
    match content(&path) {
        Ok(content) => Some(key_fingerprint(backup, &content)),
        Err(error) => {
            warn!(path = %path.display(), %error, "a system key has no fingerprint");
            None
        }
    }
}

fn content(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut content = Vec::new();
    file.take(KEY_BYTES_MAX + 1).read_to_end(&mut content)?;
    match content.len() as u64 <= KEY_BYTES_MAX {
        true => Ok(content),
        false => Err(io::Error::other("it is too large for a key")),
    }
}

fn is_file_name(name: &str) -> bool {
    (1..=NAME_LEN_MAX).contains(&name.len())
        && name != "."
        && !name.contains("..")
        && !name.contains(['/', '\\', '\0'])
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::testing::FakeCassandra;

    fn reference(name: &str) -> BackupRef {
        BackupRef {
            cluster: "c".parse().unwrap(),
            name: name.parse().unwrap(),
        }
    }

    async fn asked(
        fake: &FakeCassandra,
        backup: &str,
        names: &[&str],
    ) -> Result<Vec<KeyFingerprint>, KeyError> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        fingerprints(&fake.node, &reference(backup), names).await
    }

    #[tokio::test]
    async fn a_key_is_known_by_its_content_and_the_backup() {
        let root = tempfile::tempdir().unwrap();
        let mut fake = FakeCassandra::new(root.path(), 1, "4.1.9");
        let keys = root.path().join("keys");
        fs::create_dir(&keys).unwrap();
        fs::write(keys.join("system_key"), "AES/ECB/PKCS5Padding:128:secret").unwrap();
        fs::create_dir(keys.join("folder")).unwrap();
        fs::write(keys.join("large"), vec![0; KEY_BYTES_MAX as usize + 1]).unwrap();
        let names = ["system_key", "gone", "folder", "large"];
        let none = asked(&fake, "b1", &names).await.unwrap();
        assert!(none.iter().all(|key| key.fingerprint.is_none()));
        fake.node.settings.system_key_directory = Some(keys);
        let found = asked(&fake, "b1", &names).await.unwrap();
        let expected = key_fingerprint(&reference("b1"), b"AES/ECB/PKCS5Padding:128:secret");
        assert_eq!(found[0].fingerprint, Some(expected));
        assert!(found[1..].iter().all(|key| key.fingerprint.is_none()));
        let other = asked(&fake, "b2", &names).await.unwrap();
        assert_ne!(other[0].fingerprint, found[0].fingerprint);
    }

    #[tokio::test]
    async fn a_name_that_leaves_the_directory_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let fake = FakeCassandra::new(root.path(), 1, "4.1.9");
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            "../x",
            "/etc/passwd",
            "a\0",
            &"x".repeat(256),
        ] {
            let error = asked(&fake, "b1", &["system_key", bad]).await.unwrap_err();
            assert_eq!(
                (error.reason(), error.field()),
                ("BAD_NAME", Some("names")),
                "{bad}"
            );
        }
    }
}
