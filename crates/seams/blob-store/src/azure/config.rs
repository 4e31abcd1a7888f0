//! The settings of Azure Blob Storage.

use std::path::PathBuf;
use std::time::Duration;

use secret::Secret;
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::config;
use crate::rest::{Settings, check_endpoint, unusable};

/// Below this, requests cost more than bytes.
const PART_BYTES_MIN: u64 = 1 << 20;
/// Azure's own limit for a block.
const PART_BYTES_MAX: u64 = 4000 << 20;
/// Of these, objects can be read at once.
const TIERS: &[&str] = &["Hot", "Cool", "Cold"];

/// A container of Azure Blob Storage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AzureConfig {
    /// The storage account's name; empty: from the environment.
    pub account: String,
    /// The container's name. It must exist.
    pub container: String,
    /// Put before every key; may be empty.
    pub prefix: String,
    /// The URL of the account, without the container; empty: that of the public cloud.
    pub endpoint: String,
    /// A key of the account. Without it and `sas_token`: the environment, then a managed identity.
    pub account_key: Option<Secret>,
    /// A shared access signature for the container, in place of a key.
    pub sas_token: Option<Secret>,
    /// PEM file with roots to trust beside the system's.
    pub ca_certificate: Option<PathBuf>,
    /// Objects larger than this are uploaded in blocks of this size, in bytes. An object whose known size would need
    /// too many blocks gets larger ones.
    pub part_size_bytes: u64,
    /// Blocks of one object that are sent at once. How much memory they may take is the agent's setting.
    pub parallel_parts: usize,
    /// How often a request is tried, with a backoff that doubles and jitters.
    pub attempts_max: u32,
    /// For establishing one connection.
    pub connect_timeout_seconds: u64,
    /// From the start of one try of a request to its response, sending one block included.
    pub request_timeout_seconds: u64,
    /// `Hot`, `Cool` or `Cold`; absent: the account's default.
    pub access_tier: Option<String>,
}

impl Default for AzureConfig {
    fn default() -> Self {
        Self {
            account: String::new(),
            container: String::new(),
            prefix: String::new(),
            endpoint: String::new(),
            account_key: None,
            sas_token: None,
            ca_certificate: None,
            part_size_bytes: 16 << 20,
            parallel_parts: 4,
            attempts_max: 6,
            connect_timeout_seconds: 5,
            request_timeout_seconds: 300,
            access_tier: None,
        }
    }
}

impl AzureConfig {
    /// Refuses settings that could not work, by name.
    pub fn check(&self) -> Result<(), StoreError> {
        let tier = self.access_tier.as_deref();
        let complaint = if self.container.is_empty() {
            "`store.container` is empty"
        } else if self.container.contains('/') {
            "`store.container` is a name without `/`; what follows it in a path is `store.prefix`"
        } else if self.account_key.is_some() && self.sas_token.is_some() {
            "`store.account_key` and `store.sas_token` are both given"
        } else if is_given(&self.account_key, |key| key.trim().is_empty()) {
            "`store.account_key` is empty"
        } else if is_given(&self.sas_token, |token| !is_signed(token)) {
            "`store.sas_token` has no signature: it is the text after `?`, with `sig=` in it"
        } else if self.prefix.contains('\\') {
            "`store.prefix` has a backslash, which Azure takes for `/`"
        } else if !(PART_BYTES_MIN..=PART_BYTES_MAX).contains(&self.part_size_bytes) {
            "`store.part_size_bytes` is not between 1 MiB and 4000 MiB"
        } else if tier.is_some_and(|tier| !TIERS.contains(&tier)) {
            "`store.access_tier` is not Hot, Cool or Cold: what is archived cannot be read"
        } else if let Some(complaint) =
            config::complaint(&self.prefix, self.parallel_parts, self.attempts_max)
        {
            complaint
        } else {
            return check_endpoint(&self.endpoint, self.account_key.is_some());
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

fn is_given(secret: &Option<Secret>, is_so: impl Fn(&str) -> bool) -> bool {
    secret.as_ref().is_some_and(|secret| is_so(secret.expose()))
}

/// Requests with a signature that is empty would be sent without credentials.
fn is_signed(token: &str) -> bool {
    let mut pairs = token.trim().trim_start_matches('?').split('&');
    pairs.any(|pair| {
        pair.strip_prefix("sig=")
            .is_some_and(|value| !value.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_could_not_work_are_refused() {
        let good = AzureConfig {
            account: "a".into(),
            container: "c".into(),
            ..AzureConfig::default()
        };
        assert!(good.check().is_ok());
        let key = || Some(Secret::new("sig=a"));
        let signed = AzureConfig {
            sas_token: key(),
            ..good.clone()
        };
        assert!(signed.check().is_ok());
        for bad in [
            AzureConfig::default(),
            AzureConfig {
                container: "a/b".into(),
                ..good.clone()
            },
            AzureConfig {
                account_key: key(),
                sas_token: key(),
                ..good.clone()
            },
            AzureConfig {
                part_size_bytes: 1,
                ..good.clone()
            },
            AzureConfig {
                access_tier: Some("Archive".into()),
                ..good.clone()
            },
            AzureConfig {
                endpoint: "account.blob.core.windows.net".into(),
                ..good.clone()
            },
            AzureConfig {
                prefix: "../x".into(),
                ..good.clone()
            },
            AzureConfig {
                prefix: "a\\b".into(),
                ..good.clone()
            },
            AzureConfig {
                account_key: Some(Secret::new(" ")),
                ..good.clone()
            },
            AzureConfig {
                sas_token: Some(Secret::new("")),
                ..good.clone()
            },
            AzureConfig {
                sas_token: Some(Secret::new("sv=1&sig=")),
                ..good.clone()
            },
            AzureConfig {
                sas_token: Some(Secret::new("sv=1&sig=a")),
                endpoint: "http://store.example".into(),
                ..good.clone()
            },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
