//! Sends JSON to a URL of another party, with a secret in a header.
//!
//! One connection for each message: there are few of them, and a connection that is kept may be dead when it is needed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use secret::Secret;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::tls::{ClientTlsSettings, TlsError, http1_client};

/// What is read of a reply, to be able to close the connection in good order.
const REPLY_BYTES_MAX: usize = 64 << 10;

/// Where to send to, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// Unique: what was not delivered yet is kept under it.
    pub name: String,
    /// `https://host/path`; `http://` is for receivers on a network that is trusted. A secret, because many services take a
    /// token in it.
    pub url: Secret,
    /// The header that has the secret.
    #[serde(default = "authorization")]
    pub header: String,
    /// All of the header's value, for example `Bearer …`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// How long one try may take.
    #[serde(default = "timeout_seconds")]
    pub timeout_seconds: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<ClientTlsSettings>,
}

fn authorization() -> String {
    "Authorization".to_owned()
}

fn timeout_seconds() -> u64 {
    10
}

/// Why a receiver's settings do not work.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error("the `url` of webhook `{name}` is not one; write it like https://host/path")]
    Url { name: String },
    #[error("the `url` of webhook `{name}` has a login; put it into `header` and `secret` instead")]
    Login { name: String },
    #[error("the `header` of webhook `{name}` is not the name of a header")]
    Header { name: String },
    #[error("the `secret` of webhook `{name}` has characters that a header may not have")]
    Secret { name: String },
    #[error("the TLS settings of webhook `{name}` do not work")]
    Tls {
        name: String,
        #[source]
        source: TlsError,
    },
}

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    #[error("cannot connect to the receiver")]
    Connect(#[source] std::io::Error),
    #[error("the connection to the receiver failed")]
    Http(#[source] hyper::Error),
    #[error("the receiver did not reply within {} s", .0.as_secs())]
    Late(Duration),
    #[error("the receiver replied {0}")]
    Refused(StatusCode),
}

impl PostError {
    /// Whether the same message may be taken later. A receiver that rejects what it was sent will reject it again.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Http(_) | Self::Late(_) => true,
            Self::Refused(status) => {
                !status.is_client_error()
                    || matches!(
                        *status,
                        StatusCode::UNAUTHORIZED
                            | StatusCode::FORBIDDEN
                            | StatusCode::NOT_FOUND
                            | StatusCode::REQUEST_TIMEOUT
                            | StatusCode::TOO_EARLY
                            | StatusCode::TOO_MANY_REQUESTS
                    )
            }
        }
    }
}

/// A receiver.
#[derive(Clone)]
pub struct Webhook {
    uri: Uri,
    host: String,
    header: Option<(HeaderName, HeaderValue)>,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    timeout: Duration,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("scheme", &self.uri.scheme_str())
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

impl Webhook {
    pub fn open(config: &WebhookConfig) -> Result<Self, WebhookError> {
        let name = || config.name.clone();
        let bad_url = || WebhookError::Url { name: name() };
        let uri: Uri = config.url.expose().parse().map_err(|_| bad_url())?;
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if authority.contains('@') {
            return Err(WebhookError::Login { name: name() });
        }
        let host = uri.host().ok_or_else(bad_url)?;
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let tls = match uri.scheme_str() {
            Some("http") => None,
            Some("https") => Some(tls(config, &host)?),
            _ => return Err(bad_url()),
        };
        let header = match &config.secret {
            None => None,
            Some(secret) => {
                let header = config.header.parse();
                let header = header.map_err(|_| WebhookError::Header { name: name() })?;
                let value = HeaderValue::from_str(secret.expose());
                let mut value = value.map_err(|_| WebhookError::Secret { name: name() })?;
                value.set_sensitive(true);
                Some((header, value))
            }
        };
        Ok(Self {
            uri,
            host,
            header,
            tls,
            timeout: Duration::from_secs(config.timeout_seconds.max(1)),
        })
    }

    /// Sends one message, within its timeout and `limit`; it has arrived if the receiver replies with 2xx.
    pub async fn post(&self, json: String, limit: Duration) -> Result<(), PostError> {
        let within = self.timeout.min(limit);
        match tokio::time::timeout(within, self.send(Bytes::from(json))).await {
            Ok(Ok(status)) if status.is_success() => Ok(()),
            Ok(Ok(status)) => Err(PostError::Refused(status)),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(PostError::Late(within)),
        }
    }

    async fn send(&self, json: Bytes) -> Result<StatusCode, PostError> {
        let default = if self.tls.is_some() { 443 } else { 80 };
        let port = self.uri.port_u16().unwrap_or(default);
        let stream = TcpStream::connect((self.host.as_str(), port)).await;
        let stream = stream.map_err(PostError::Connect)?;
        match &self.tls {
            None => self.exchange(stream, json).await,
            Some((config, name)) => {
                let connector = TlsConnector::from(config.clone());
                let stream = connector.connect(name.clone(), stream).await;
                self.exchange(stream.map_err(PostError::Connect)?, json)
                    .await
            }
        }
    }

    async fn exchange<S>(&self, stream: S, json: Bytes) -> Result<StatusCode, PostError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(PostError::Http)?;
        let exchange = async {
            let reply = sender.send_request(self.request(json)).await;
            let (head, body) = reply.map_err(PostError::Http)?.into_parts();
            // The body is of no use, and may be long.
            let _ = Limited::new(body, REPLY_BYTES_MAX).collect().await;
            Ok(head.status)
        };
        tokio::pin!(exchange, connection);
        tokio::select! {
            result = &mut exchange => result,
            // The connection may end before the reply is read.
            _ = &mut connection => exchange.await,
        }
    }

    fn request(&self, json: Bytes) -> Request<Full<Bytes>> {
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        let host = self
            .uri
            .authority()
            .map_or("", |authority| authority.as_str());
        let mut request = Request::new(Full::new(json));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = path.parse().unwrap_or_default();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Ok(host) = HeaderValue::from_str(host) {
            headers.insert(HOST, host);
        }
        if let Some((name, value)) = &self.header {
            headers.insert(name, value.clone());
        }
        request
    }
}

fn tls(
    config: &WebhookConfig,
    host: &str,
) -> Result<(Arc<ClientConfig>, ServerName<'static>), WebhookError> {
    let settings = config.tls.clone().unwrap_or_default();
    let fail = |source| WebhookError::Tls {
        name: config.name.clone(),
        source,
    };
    let client = http1_client(&settings).map_err(fail)?;
    let name = settings.server_name.unwrap_or_else(|| host.to_owned());
    let name = ServerName::try_from(name).map_err(|_| WebhookError::Url {
        name: config.name.clone(),
    })?;
    Ok((client, name))
}
