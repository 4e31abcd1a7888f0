//! Who asks: a service account, or what the environment gives.

use std::sync::Arc;

use async_trait::async_trait;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder};

use super::GcsConfig;
use crate::StoreError;
use crate::rest::{
    Authorize, Connector, HttpClient, Outcome, Provider, Refusal, Renewing, token_retries,
};

/// Adds a token to requests.
pub struct Credentials(Renewing<GcpCredential>);

impl Credentials {
    pub fn new(config: &GcsConfig, client: &HttpClient) -> Result<Self, StoreError> {
        let (config, outcome) = (config.clone(), Outcome::default());
        let connector = Connector {
            client: client.clone(),
            outcome: outcome.clone(),
        };
        let make = move || provider(&config, &connector);
        Ok(Self(Renewing::new(Box::new(make), outcome)?))
    }
}

/// The chain of the library: of the environment a service account or the application default credentials; else the
/// metadata server.
fn provider(
    config: &GcsConfig,
    connector: &Connector,
) -> Result<Provider<GcpCredential>, StoreError> {
    let builder = match &config.service_account_file {
        Some(path) => {
            GoogleCloudStorageBuilder::new().with_service_account_path(path.to_string_lossy())
        }
        None => GoogleCloudStorageBuilder::from_env(),
    };
    let built = builder
        .with_bucket_name(&config.bucket)
        .with_http_connector(connector.clone())
        .with_retry(token_retries())
        .build();
    let gcs = built.map_err(|error| StoreError::Config {
        what: "the credentials for Google Cloud Storage do not work".to_owned(),
        source: Some(error.into()),
    })?;
    Ok(Arc::clone(gcs.credentials()))
}

#[async_trait]
impl Authorize for Credentials {
    async fn authorize(&self, head: &mut http::request::Parts) -> Result<(), Refusal> {
        let credential = self.0.get().await?;
        let bearer = HeaderValue::from_str(&format!("Bearer {}", credential.bearer));
        let mut bearer =
            bearer.map_err(|_| Refusal::Unsent("the token is no header".to_owned()))?;
        bearer.set_sensitive(true);
        head.headers.insert(AUTHORIZATION, bearer);
        Ok(())
    }

    fn renew(&self) -> bool {
        self.0.renew()
    }
}

/// No credentials.
pub struct Anonymous;

#[async_trait]
impl Authorize for Anonymous {
    async fn authorize(&self, _head: &mut http::request::Parts) -> Result<(), Refusal> {
        Ok(())
    }

    fn renew(&self) -> bool {
        false
    }
}
