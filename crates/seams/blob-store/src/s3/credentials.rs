//! Credentials of the environment, read again as soon as the store does not accept them any more.
//!
//! The SDK reads a profile once and keeps it for as long as the process lives. Something else may renew the session
//! token in it every hour.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_config::ConfigLoader;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_s3::config::interceptors::InterceptorContext;
use aws_sdk_s3::config::retry::{ClassifyRetry, RetryAction};

use super::error::says_expired;

/// Credentials that do not say when they end are read again after this.
const KEPT_MAX: Duration = Duration::from_secs(600);
/// Credentials are read again so long before they end.
const EXPIRY_MARGIN: Duration = Duration::from_secs(120);
/// A refusal that comes within this time after a reading may be about the credentials of before.
const IN_FLIGHT: Duration = Duration::from_secs(5);

/// Builds the chain of providers from nothing, so that it reads everything again.
pub type Chain = Arc<dyn Fn() -> ConfigLoader + Send + Sync>;

/// A provider whose credentials can be dropped.
#[derive(Clone)]
pub struct Renewing {
    chain: Chain,
    state: Arc<Mutex<State>>,
    /// Held while the chain is asked, so that many requests at once ask once.
    reading: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct State {
    current: Option<(Credentials, Instant)>,
    /// What the store refused last.
    rejected: Option<Credentials>,
    /// The last reading brought what was refused before.
    is_hopeless: bool,
}

impl Renewing {
    pub fn new(chain: Chain) -> Self {
        Self {
            chain,
            state: Arc::default(),
            reading: Arc::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> Option<Credentials> {
        let state = self.state();
        let (credentials, read_at) = state.current.as_ref()?;
        is_fresh(credentials, *read_at).then(|| credentials.clone())
    }

    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        if let Some(credentials) = self.kept() {
            return Ok(credentials);
        }
        let _one = self.reading.lock().await;
        if let Some(credentials) = self.kept() {
            return Ok(credentials);
        }
        let read = self.read().await;
        let mut state = self.state();
        match read {
            Ok(credentials) => {
                state.current = Some((credentials.clone(), Instant::now()));
                state.is_hopeless = false;
                Ok(credentials)
            }
            // Those that are there may still be good; if not, the store says so.
            Err(error) => match &state.current {
                Some((credentials, _)) if !has_ended(credentials) => Ok(credentials.clone()),
                _ => Err(error),
            },
        }
    }

    async fn read(&self) -> Result<Credentials, CredentialsError> {
        let shared = (self.chain)().load().await;
        match shared.credentials_provider() {
            Some(provider) => provider.provide_credentials().await,
            None => Err(CredentialsError::not_loaded("there is no provider")),
        }
    }

    /// Notes that the store has refused the credentials of a request. Returns whether another try may have better ones.
    /// The SDK asks several times about one response.
    fn refused(&self) -> bool {
        let mut state = self.state();
        let Some((current, read_at)) = &state.current else {
            return !state.is_hopeless;
        };
        let is_known = state.rejected.as_ref().is_some_and(|it| same(it, current));
        if !is_known && state.rejected.is_some() && read_at.elapsed() < IN_FLIGHT {
            return true;
        }
        state.rejected = Some(current.clone());
        state.current = None;
        state.is_hopeless = is_known;
        !is_known
    }
}

fn same(one: &Credentials, other: &Credentials) -> bool {
    one.access_key_id() == other.access_key_id() && one.session_token() == other.session_token()
}

fn is_fresh(credentials: &Credentials, read_at: Instant) -> bool {
    match credentials.expiry() {
        Some(end) => SystemTime::now() + EXPIRY_MARGIN < end,
        None => read_at.elapsed() < KEPT_MAX,
    }
}

fn has_ended(credentials: &Credentials) -> bool {
    credentials
        .expiry()
        .is_some_and(|end| end <= SystemTime::now())
}

impl fmt::Debug for Renewing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Renewing")
    }
}

impl ProvideCredentials for Renewing {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

/// Has a request that was refused for its credentials tried again with others, once.
#[derive(Debug)]
pub struct RetryRenewed(pub Renewing);

impl ClassifyRetry for RetryRenewed {
    fn name(&self) -> &'static str {
        "credentials that have expired"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let body = context
            .response()
            .and_then(|response| response.body().bytes());
        if context.is_failed() && body.is_some_and(says_expired) && self.0.refused() {
            RetryAction::transient_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }
}
