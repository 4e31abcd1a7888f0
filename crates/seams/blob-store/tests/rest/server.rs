//! Emulators with a container or a bucket, and stores on them.

use std::sync::Arc;
use std::time::Duration;

use blob_store::{Azure, AzureConfig, Gcs, GcsConfig, Store, StoreError};
use bytes::Bytes;
use lab::{Azurite, FakeGcs};
use secret::Secret;
use tempfile::TempDir;

pub const BUCKET: &str = "backups";
/// Small, so that these stay quick.
pub const PART_BYTES: usize = 1 << 20;

fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("folder")
}

/// A running Azurite with a container that takes objects.
pub struct AzureServer {
    pub azurite: Azurite,
    _dir: TempDir,
}

impl AzureServer {
    /// `None` if this machine cannot run it.
    pub async fn start(test: &str) -> Option<Self> {
        if !Azurite::or_skip(test) {
            return None;
        }
        let dir = folder();
        let azurite = Azurite::start(dir.path().join("azurite")).await;
        let server = Self {
            azurite: azurite.expect("Azurite starts"),
            _dir: dir,
        };
        let azure = Azure::open(&server.config()).expect("opens");
        // Only a signed request shows that it can store, and only this crate signs.
        testkit::eventually(Duration::from_secs(60), || async {
            azure.create_container().await.is_ok()
        })
        .await;
        let store: Store = Arc::new(azure);
        store
            .put("ready", Bytes::from_static(b"x"))
            .await
            .expect("stores");
        assert_eq!(store.get("ready", 1).await.expect("reads"), "x");
        store.delete("ready").await.expect("deletes");
        Some(server)
    }

    pub fn config(&self) -> AzureConfig {
        AzureConfig {
            account: self.azurite.account().into(),
            container: BUCKET.into(),
            prefix: "some/prefix".into(),
            endpoint: self.azurite.endpoint(),
            account_key: Some(Secret::new(self.azurite.key())),
            part_size_bytes: PART_BYTES as u64,
            parallel_parts: 3,
            attempts_max: 3,
            ..AzureConfig::default()
        }
    }

    pub fn store(&self) -> Store {
        azure(&self.config())
    }
}

pub fn azure(config: &AzureConfig) -> Store {
    Arc::new(Azure::open(config).expect("opens"))
}

/// A running fake-gcs-server with a bucket.
pub struct GcsServer {
    pub fake: FakeGcs,
    _dir: TempDir,
}

impl GcsServer {
    pub async fn start() -> Self {
        let dir = folder();
        let fake = FakeGcs::start(dir.path().join("gcs")).await;
        let fake = fake.expect("fake-gcs-server starts");
        fake.create_bucket(BUCKET).await.expect("a bucket");
        Self { fake, _dir: dir }
    }

    pub fn config(&self) -> GcsConfig {
        gcs_config(self.fake.endpoint())
    }

    pub fn store(&self) -> Store {
        gcs(&self.config())
    }
}

pub fn gcs_config(endpoint: String) -> GcsConfig {
    GcsConfig {
        bucket: BUCKET.into(),
        prefix: "some/prefix".into(),
        endpoint,
        anonymous: true,
        part_size_bytes: PART_BYTES as u64,
        attempts_max: 3,
        ..GcsConfig::default()
    }
}

pub fn gcs(config: &GcsConfig) -> Store {
    Arc::new(Gcs::open(config).expect("opens"))
}

/// Neither a store that is missing nor one that refuses may look like a store without the object.
pub async fn assert_no_store(store: &Store, denied: bool) {
    use futures::stream::TryStreamExt;
    let listed = store.list("").try_collect::<Vec<_>>().await.map(drop);
    let got = store.get("a", 1).await.map(drop);
    let head = store.head("a").await.map(drop);
    let put = store.put("a", Bytes::new()).await.map(drop);
    let parts = store.put_as_parts("a", Bytes::new()).await.map(drop);
    let deleted = store.delete("a").await;
    let results = [
        ("list", listed),
        ("get", got),
        ("head", head),
        ("put", put),
        ("parts", parts),
        ("delete", deleted),
    ];
    for (call, result) in results {
        let error = result.expect_err(call);
        assert!(
            !error.is_not_found() && !error.is_retryable(),
            "{call}: {error:?}"
        );
        let is_denied = matches!(error, StoreError::PermissionDenied { .. });
        assert_eq!(is_denied, denied, "{call}: {error:?}");
        assert!(error.hint().is_some(), "{call}: {error:?}");
    }
}
