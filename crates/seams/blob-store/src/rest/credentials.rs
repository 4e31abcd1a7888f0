//! Credentials that are kept until they end or the store refuses them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use object_store::CredentialProvider;

use super::Refusal;
use super::reply::causes;
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
    /// Whether there were credentials before: then a failure to get others may pass.
    had: AtomicBool,
}

impl<C: std::fmt::Debug + Send + Sync + 'static> Renewing<C> {
    pub fn new(make: Make<C>) -> Result<Self, StoreError> {
        let current = Mutex::new((make()?, Instant::now()));
        Ok(Self {
            make,
            current,
            had: AtomicBool::new(false),
        })
    }

    pub async fn get(&self) -> Result<Arc<C>, Refusal> {
        let provider = self.provider();
        let credential = provider.get_credential().await;
        let credential = credential.map_err(|error| Refusal::Credentials {
            words: causes(&error),
            may_pass: self.had.load(Ordering::Relaxed),
        })?;
        self.had.store(true, Ordering::Relaxed);
        Ok(credential)
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
