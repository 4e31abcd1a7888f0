//! Credentials that are kept until they end or the store refuses them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use object_store::CredentialProvider;

use super::reply::causes;
use super::{Outcome, Refusal};
use crate::StoreError;

/// A refusal that comes within this time after a renewal may be about the credentials of before.
const IN_FLIGHT: Duration = Duration::from_secs(5);

/// Where tokens and keys come from.
pub type Provider<C> = Arc<dyn CredentialProvider<Credential = C>>;
/// Builds a provider that reads everything again: files, the environment.
pub type Make<C> = Box<dyn Fn() -> Result<Provider<C>, StoreError> + Send + Sync>;

/// A provider that is built again when the store does not accept what it gives.
pub struct Renewing<C> {
    make: Make<C>,
    current: Mutex<(Provider<C>, Instant)>,
    /// Whether there were credentials before: then a failure to get others without a request may pass.
    had: AtomicBool,
    /// How the last request of the provider ended.
    outcome: Outcome,
}

impl<C: std::fmt::Debug + Send + Sync + 'static> Renewing<C> {
    pub fn new(make: Make<C>, outcome: Outcome) -> Result<Self, StoreError> {
        let current = Mutex::new((make()?, Instant::now()));
        Ok(Self {
            make,
            current,
            had: AtomicBool::new(false),
            outcome,
        })
    }

    pub async fn get(&self) -> Result<Arc<C>, Refusal> {
        let provider = self.provider();
        let credential = provider.get_credential().await;
        let credential = credential.map_err(|error| Refusal::Credentials {
            words: causes(&error),
            may_pass: self.may_pass(),
        })?;
        self.had.store(true, Ordering::Relaxed);
        Ok(credential)
    }

    fn may_pass(&self) -> bool {
        let had = self.had.load(Ordering::Relaxed);
        self.outcome.is_outage().unwrap_or(had)
    }

    fn provider(&self) -> Provider<C> {
        let current = self.current.lock();
        current.unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// Returns whether there is a provider that may give others than those that were refused.
    pub fn renew(&self) -> bool {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.1.elapsed() < IN_FLIGHT {
            return true;
        }
        match (self.make)() {
            Ok(provider) => {
                *current = (provider, Instant::now());
                true
            }
            Err(error) => {
                tracing::warn!(error = %error, "the store's credentials could not be read again");
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Refused;

    #[async_trait::async_trait]
    impl CredentialProvider for Refused {
        type Credential = ();

        async fn get_credential(&self) -> object_store::Result<Arc<()>> {
            Err(object_store::Error::Generic {
                store: "tokens",
                source: "refused".into(),
            })
        }
    }

    #[tokio::test]
    async fn only_an_outage_of_what_issues_tokens_may_pass() {
        let outcome = Outcome::default();
        let make = || Ok(Arc::new(Refused) as Provider<()>);
        let renewing = Renewing::new(Box::new(make), outcome.clone()).expect("makes");
        // The status of the last request for a token, and whether there were credentials before.
        for (status, had, expected) in [
            (Some(400), false, false),
            (Some(400), true, false),
            (Some(503), false, true),
            (None, false, true),
            (Some(200), false, false),
            (Some(200), true, true),
        ] {
            outcome.note(status);
            renewing.had.store(had, Ordering::Relaxed);
            let refusal = renewing.get().await.expect_err("refused");
            assert_eq!(refusal.may_pass(), expected, "{status:?} {had}");
        }
    }
}
