//! Who asks: an account's key, a shared access signature, or what the environment gives.

use std::sync::Arc;

use async_trait::async_trait;
use object_store::azure::{
    AzureAuthorizer, AzureConfigKey, AzureCredential, MicrosoftAzureBuilder,
};
use object_store::client::HttpRequestBody;

use super::AzureConfig;
use crate::StoreError;
use crate::rest::{
    Authorize, Connector, HttpClient, Outcome, Provider, Refusal, Renewing, token_retries,
};

/// Signs requests to one account.
pub struct Credentials {
    renewing: Renewing<AzureCredential>,
    pub account: String,
}

impl Credentials {
    pub fn new(config: &AzureConfig, client: &HttpClient) -> Result<Self, StoreError> {
        let account = account(config)?;
        let (config, named) = (config.clone(), account.clone());
        let outcome = Outcome::default();
        let connector = Connector {
            client: client.clone(),
            outcome: outcome.clone(),
        };
        let make = move || provider(&config, &connector, &named);
        Ok(Self {
            renewing: Renewing::new(Box::new(make), outcome)?,
            account,
        })
    }
}

fn account(config: &AzureConfig) -> Result<String, StoreError> {
    if !config.account.is_empty() {
        return Ok(config.account.clone());
    }
    let named = MicrosoftAzureBuilder::from_env().get_config_value(&AzureConfigKey::AccountName);
    named.ok_or_else(|| {
        crate::rest::unusable(
            "`store.account` is empty, and AZURE_STORAGE_ACCOUNT_NAME does not name one",
        )
    })
}

/// The chain of the library: of the environment a token, a key, workload identity, a client's secret or a shared access
/// signature; else the managed identity of the machine.
fn provider(
    config: &AzureConfig,
    connector: &Connector,
    account: &str,
) -> Result<Provider<AzureCredential>, StoreError> {
    let builder = match (&config.account_key, &config.sas_token) {
        (Some(key), _) => MicrosoftAzureBuilder::new().with_access_key(key.expose()),
        (None, Some(token)) => MicrosoftAzureBuilder::new().with_config(
            AzureConfigKey::SasKey,
            token.expose().trim_start_matches('?'),
        ),
        (None, None) => MicrosoftAzureBuilder::from_env(),
    };
    let built = builder
        .with_account(account)
        .with_container_name(&config.container)
        .with_use_emulator(false)
        .with_http_connector(connector.clone())
        .with_retry(token_retries())
        .build();
    let azure = built.map_err(|error| StoreError::Config {
        what: "the credentials for Azure do not work".to_owned(),
        source: Some(error.into()),
    })?;
    Ok(Arc::clone(azure.credentials()))
}

#[async_trait]
impl Authorize for Credentials {
    async fn authorize(&self, head: &mut http::request::Parts) -> Result<(), Refusal> {
        let credential = self.renewing.get().await?;
        // The body is not signed.
        let mut request = http::Request::from_parts(head.clone(), HttpRequestBody::empty());
        AzureAuthorizer::new(&credential, &self.account)
            .try_authorize(&mut request)
            .map_err(|error| Refusal::Unsent(error.to_string()))?;
        *head = request.into_parts().0;
        Ok(())
    }

    fn renew(&self) -> bool {
        self.renewing.renew()
    }
}
