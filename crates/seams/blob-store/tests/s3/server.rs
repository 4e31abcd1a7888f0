//! A MinIO with a bucket, and stores on it.

use std::net::SocketAddr;
use std::sync::Arc;

use blob_store::{S3, S3Config, Store};
use lab::Minio;
use secret::Secret;
use tempfile::TempDir;

pub const BUCKET: &str = "backups";
/// The smallest parts that S3 takes.
pub const PART_BYTES: usize = 5 << 20;

pub struct Server {
    pub minio: Minio,
    _dir: TempDir,
}

impl Server {
    pub async fn start() -> Self {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("folder");
        let minio = Minio::start(dir.path().join("minio"))
            .await
            .expect("MinIO starts");
        minio.create_bucket(BUCKET).expect("a bucket");
        Self { minio, _dir: dir }
    }

    pub fn config(&self) -> S3Config {
        S3Config {
            bucket: BUCKET.into(),
            prefix: "some/prefix".into(),
            region: self.minio.region().into(),
            endpoint: self.minio.endpoint().into(),
            path_style: true,
            access_key_id: self.minio.access_key().into(),
            secret_access_key: Some(Secret::new(self.minio.secret_key())),
            part_size_bytes: PART_BYTES as u64,
            parallel_parts: 3,
            attempts_max: 3,
            ..S3Config::default()
        }
    }

    pub fn address(&self) -> SocketAddr {
        let address = self.minio.endpoint().trim_start_matches("http://");
        address.parse().expect("an address")
    }

    pub async fn store(&self) -> Store {
        open(&self.config()).await
    }
}

pub async fn open(config: &S3Config) -> Store {
    Arc::new(S3::open(config).await.expect("opens"))
}

/// A client for what the port does not offer.
pub fn client(server: &Server) -> aws_sdk_s3::Client {
    let config = server.config();
    let secret = server.minio.secret_key();
    let credentials =
        aws_sdk_s3::config::Credentials::new(&config.access_key_id, secret, None, None, "test");
    aws_sdk_s3::Client::from_conf(
        aws_sdk_s3::Config::builder()
            .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
            .region(aws_sdk_s3::config::Region::new(config.region.clone()))
            .endpoint_url(&config.endpoint)
            .force_path_style(true)
            .credentials_provider(credentials)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build(),
    )
}

/// Uploads in parts that are neither completed nor aborted.
pub async fn unfinished_uploads(server: &Server, key: &str) -> usize {
    // MinIO lists uploads only for the exact key in the request.
    let listed = client(server)
        .list_multipart_uploads()
        .bucket(BUCKET)
        .prefix(format!("{}/{key}", server.config().prefix));
    listed.send().await.expect("lists uploads").uploads().len()
}
