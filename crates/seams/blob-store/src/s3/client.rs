//! Builds an SDK client from the configuration.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    Credentials, IdentityCache, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    SharedHttpClient,
};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore, rustls_provider::CryptoMode};

use super::credentials::{Renewing, RetryRenewed};
use crate::{S3Config, StoreError};

/// The longest pause between two attempts.
const BACKOFF_MAX: Duration = Duration::from_secs(20);
/// The region to sign for if a store has no regions.
const REGION_ELSEWHERE: &str = "us-east-1";

pub async fn client(config: &S3Config) -> Result<Client, StoreError> {
    let http = http_client(config)?;
    check_credentials_file(config)?;
    let mut direct = loader(config, http.clone());
    if let Some(secret) = &config.secret_access_key {
        direct = direct.credentials_provider(Credentials::new(
            &config.access_key_id,
            secret.expose(),
            None,
            None,
            "configuration",
        ));
    }
    let shared = direct.load().await;
    let mut builder =
        aws_sdk_s3::config::Builder::from(&shared).force_path_style(config.path_style);
    if shared.region().is_none() {
        if config.endpoint.is_empty() {
            return Err(StoreError::Config {
                what: "`store.region` is empty, and neither environment nor profile names one"
                    .to_owned(),
                source: None,
            });
        }
        builder = builder.region(Region::new(REGION_ELSEWHERE));
    }
    if config.secret_access_key.is_none() {
        let region = shared.region().cloned();
        let region = region.unwrap_or_else(|| Region::new(REGION_ELSEWHERE));
        let config = config.clone();
        let chain = move || loader(&config, http.clone()).region(region.clone());
        let renewing = Renewing::new(Arc::new(chain));
        // The provider keeps the credentials itself, because it has to know when to forget them.
        builder = builder
            .identity_cache(IdentityCache::no_cache())
            .credentials_provider(renewing.clone())
            .retry_classifier(RetryRenewed(renewing));
    }
    Ok(Client::from_conf(builder.build()))
}

/// The settings that a client and the chain of credentials share.
fn loader(config: &S3Config, http: SharedHttpClient) -> ConfigLoader {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(config.attempts_max)
                .with_max_backoff(BACKOFF_MAX),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(config.connect_timeout_seconds))
                .operation_attempt_timeout(Duration::from_secs(config.request_timeout_seconds))
                .build(),
        )
        // Our own checksum goes with each upload, computed once; the SDK's default costs twice the CPU for the same.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        // Readers compare BLAKE3.
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    if !config.region.is_empty() {
        loader = loader.region(Region::new(config.region.clone()));
    }
    if !config.profile.is_empty() {
        loader = loader.profile_name(&config.profile);
    }
    if let Some(path) = &config.credentials_file {
        loader = loader.profile_files(only(path));
    }
    if !config.endpoint.is_empty() {
        loader = loader.endpoint_url(&config.endpoint);
    }
    loader
}

/// One file of credentials in place of those in the home folder, which a service rarely has.
#[expect(
    deprecated,
    reason = "the type moved to a crate that this one has no need of otherwise"
)]
fn only(path: &Path) -> aws_config::profile::profile_file::ProfileFiles {
    use aws_config::profile::profile_file::{ProfileFileKind, ProfileFiles};
    ProfileFiles::builder()
        .with_file(ProfileFileKind::Credentials, path)
        .build()
}

fn check_credentials_file(config: &S3Config) -> Result<(), StoreError> {
    let Some(path) = &config.credentials_file else {
        return Ok(());
    };
    let opened = std::fs::File::open(path);
    opened.map(drop).map_err(|source| StoreError::Config {
        what: format!("`store.credentials_file` {} cannot be read", path.display()),
        source: Some(source.into()),
    })
}

fn http_client(config: &S3Config) -> Result<SharedHttpClient, StoreError> {
    let mut trust = TrustStore::default().with_native_roots(true);
    if let Some(path) = &config.ca_certificate {
        let pem = std::fs::read(path).map_err(|source| StoreError::Config {
            what: format!("`store.ca_certificate` {} cannot be read", path.display()),
            source: Some(source.into()),
        })?;
        trust = trust.with_pem_certificate(pem);
    }
    let context = TlsContext::builder()
        .with_trust_store(trust)
        .build()
        .map_err(|source| StoreError::Config {
            what: "the TLS roots cannot be used".to_owned(),
            source: Some(source.into()),
        })?;
    Ok(Builder::new()
        .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .build_https())
}
