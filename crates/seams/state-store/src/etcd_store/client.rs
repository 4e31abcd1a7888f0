//! Calls to etcd: their time limits, the login, and which endpoint is called.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use chassis::Dialer;
use secret::Secret;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use super::config::EtcdConfig;
use super::error;
use super::pb::AuthenticateRequest;
use super::pb::auth_client::AuthClient;
use crate::StateError;

/// The largest reply that is taken. A page is asked for in smaller parts if it has more.
pub(super) const REPLY_BYTES_MAX: usize = 64 << 20;
/// Under this name etcd expects what a login returned.
const TOKEN: &str = "token";
/// Lets a member that is cut off from the others refuse at once instead of when a time limit is over.
const HAS_LEADER: &str = "hasleader";

/// How a call goes on that has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It changes nothing, so it is tried on another endpoint.
    Elsewhere,
    /// It may have happened, and is not repeated.
    Never,
}

/// Calls etcd.
pub(super) struct Client {
    channels: Vec<Channel>,
    /// Which of them is called: the next one after a failure.
    current: AtomicUsize,
    login: Option<Login>,
    timeout: Duration,
}

struct Login {
    user: String,
    password: Secret,
    token: RwLock<Option<MetadataValue<Ascii>>>,
}

impl Client {
    /// Connects when it is first called.
    pub fn new(config: &EtcdConfig) -> Result<Self, StateError> {
        let unusable = |what: String| StateError::Settings { what };
        let dialer = Dialer::new(config.tls.as_ref()).map_err(|error| {
            let why = chain(&error);
            unusable(format!("`state.etcd.tls` does not work: {why}"))
        })?;
        let channels = config.endpoints.iter().map(|endpoint| {
            let address = endpoint.trim_end_matches('/');
            dialer
                .channel(address)
                .map_err(|error| unusable(format!("`state.etcd.endpoints`: {}", chain(&error))))
        });
        let login = config.password.clone().map(|password| Login {
            user: config.user.clone(),
            password,
            token: RwLock::new(None),
        });
        Ok(Self {
            channels: channels.collect::<Result<_, _>>()?,
            current: AtomicUsize::new(0),
            login,
            timeout: config.request_timeout(),
        })
    }

    /// Makes a call. Errors that need a look are returned as they are, within the outer result.
    pub async fn call<Q, R, F>(
        &self,
        action: &'static str,
        repeat: Repeat,
        request: Q,
        call: impl Fn(Channel, Request<Q>) -> F,
    ) -> Result<Result<R, Status>, StateError>
    where
        Q: Clone,
        F: Future<Output = Result<Response<R>, Status>>,
    {
        let mut tries_left = match repeat {
            // At least two: the only endpoint may have been started again, and refuse the old connection.
            Repeat::Elsewhere => self.channels.len().max(2),
            Repeat::Never => 1,
        };
        let mut logged_in = false;
        loop {
            tries_left -= 1;
            let at = self.current.load(Ordering::Relaxed);
            let channel = self.channels[at % self.channels.len()].clone();
            let made = self
                .once(action, channel, request.clone(), &mut logged_in, &call)
                .await;
            match made {
                Ok(Err(status)) if error::may_pass_elsewhere(&status) => {
                    self.give_up(at);
                    if tries_left == 0 {
                        return Ok(Err(status));
                    }
                }
                Err(error @ StateError::Backend { .. }) => {
                    self.give_up(at);
                    if tries_left == 0 {
                        return Err(error);
                    }
                }
                made => return made,
            }
        }
    }

    /// One try; a second one if only the login was old, for then nothing has happened.
    async fn once<Q, R, F>(
        &self,
        action: &'static str,
        channel: Channel,
        request: Q,
        logged_in: &mut bool,
        call: &impl Fn(Channel, Request<Q>) -> F,
    ) -> Result<Result<R, Status>, StateError>
    where
        Q: Clone,
        F: Future<Output = Result<Response<R>, Status>>,
    {
        loop {
            let token = self.token(action, &channel, false).await?;
            let made = call(channel.clone(), with_metadata(request.clone(), token));
            let made = tokio::time::timeout(self.timeout, made).await;
            match made.map_err(|_| error::no_reply(action, self.timeout.as_secs()))? {
                Ok(response) => return Ok(Ok(response.into_inner())),
                Err(status) if error::needs_login(&status) && self.login.is_some() => {
                    if std::mem::replace(logged_in, true) {
                        return Ok(Err(status));
                    }
                    self.token(action, &channel, true).await?;
                }
                Err(status) => return Ok(Err(status)),
            }
        }
    }

    fn give_up(&self, at: usize) {
        // Of many calls that fail at the same time, one moves on.
        let _ = self
            .current
            .compare_exchange(at, at + 1, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// What a login has returned, made now if there is none or if it is old.
    async fn token(
        &self,
        action: &'static str,
        channel: &Channel,
        is_old: bool,
    ) -> Result<Option<MetadataValue<Ascii>>, StateError> {
        let Some(login) = &self.login else {
            return Ok(None);
        };
        if let Some(token) = login.known().filter(|_| !is_old) {
            return Ok(Some(token));
        }
        let request = AuthenticateRequest {
            name: login.user.clone(),
            password: login.password.expose().to_owned(),
        };
        let mut client = AuthClient::new(channel.clone());
        let replied = tokio::time::timeout(self.timeout, client.authenticate(request)).await;
        let replied = replied.map_err(|_| error::no_reply(action, self.timeout.as_secs()))?;
        let response = replied.map_err(|status| error::of("log in to etcd", status))?;
        let token = response.into_inner().token.parse();
        let token: MetadataValue<Ascii> = token.map_err(|_| StateError::Backend {
            action: "log in to etcd",
            source: "etcd returned a token that cannot be sent".into(),
        })?;
        *login.token.write().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        Ok(Some(token))
    }
}

impl Login {
    fn known(&self) -> Option<MetadataValue<Ascii>> {
        let token = self.token.read().unwrap_or_else(PoisonError::into_inner);
        token.clone()
    }
}

fn with_metadata<Q>(request: Q, token: Option<MetadataValue<Ascii>>) -> Request<Q> {
    let mut request = Request::new(request);
    let metadata = request.metadata_mut();
    metadata.insert(HAS_LEADER, MetadataValue::from_static("true"));
    if let Some(token) = token {
        metadata.insert(TOKEN, token);
    }
    request
}

/// An error with its causes, for settings whose error is one text.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
