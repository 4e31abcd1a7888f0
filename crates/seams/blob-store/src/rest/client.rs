//! The HTTPS client, on the TLS implementation of the rest of the workspace.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::stream::{self, StreamExt};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};

use super::payload::Body;
use super::reply::causes;
use super::{Refusal, Reply, Settings};
use crate::StoreError;

/// A refusal is not read beyond this.
const REFUSAL_BYTES_MAX: usize = 64 << 10;
/// A connection that is idle for longer is closed: stores close theirs after some minutes, and a request that is sent
/// just then fails.
const IDLE_MAX: Duration = Duration::from_secs(30);

#[derive(Debug, Clone)]
pub struct HttpClient {
    inner: Client<HttpsConnector<HttpConnector>, Body>,
    request_timeout: Duration,
}

impl HttpClient {
    pub fn new(settings: &Settings) -> Result<Self, StoreError> {
        let mut http = HttpConnector::new();
        http.set_connect_timeout(Some(settings.connect_timeout));
        http.set_nodelay(true);
        http.enforce_http(false);
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls(settings.ca_certificate.as_deref())?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let inner = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .build(https);
        Ok(Self {
            inner,
            request_timeout: settings.request_timeout,
        })
    }

    /// One try. Every status that is not accepted is a refusal: a redirect, and the success of something else.
    pub async fn send(
        &self,
        head: http::request::Parts,
        body: Body,
        accepted: &[u16],
    ) -> Result<Reply, Refusal> {
        let (head, body) = self.respond(head, body).await?.into_parts();
        let (status, headers) = (head.status.as_u16(), head.headers);
        if accepted.contains(&status) {
            return Ok(Reply {
                status,
                headers,
                body,
            });
        }
        let body = self.body(body, REFUSAL_BYTES_MAX).await.unwrap_or_default();
        Err(Refusal::Status {
            status,
            headers,
            body,
        })
    }

    pub async fn respond(
        &self,
        head: http::request::Parts,
        body: Body,
    ) -> Result<http::Response<Incoming>, Refusal> {
        let response = self.inner.request(http::Request::from_parts(head, body));
        match tokio::time::timeout(self.request_timeout, response).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(Refusal::NoResponse(causes(&error))),
            Err(_) => Err(Refusal::NoResponse(format!(
                "nothing came within {} s",
                self.request_timeout.as_secs()
            ))),
        }
    }

    /// The whole body, if it is no larger.
    pub async fn body(&self, body: Incoming, bytes_max: usize) -> Result<Bytes, Refusal> {
        let mut whole = BytesMut::new();
        let mut chunks = self.chunks(body);
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| Refusal::NoResponse(causes(error.as_ref())))?;
            if whole.len() + chunk.len() > bytes_max {
                let words = format!("its reply has more than {bytes_max} bytes");
                return Err(Refusal::NoResponse(words));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }

    /// The body as it arrives; it breaks if nothing does for too long.
    pub fn chunks(&self, body: Incoming) -> crate::read::Body {
        let patience = self.request_timeout;
        stream::unfold(Some(body), move |body| async move {
            let mut body = body?;
            loop {
                let frame = match tokio::time::timeout(patience, body.frame()).await {
                    Ok(frame) => frame?,
                    Err(elapsed) => return Some((Err(elapsed.into()), None)),
                };
                match frame.map(|frame| frame.into_data()) {
                    Ok(Ok(chunk)) => return Some((Ok(chunk), Some(body))),
                    // Trailers.
                    Ok(Err(_)) => {}
                    Err(error) => return Some((Err(error.into()), None)),
                }
            }
        })
        .boxed()
    }
}

fn tls(ca_certificate: Option<&Path>) -> Result<ClientConfig, StoreError> {
    let unusable = |what: String, source: Box<dyn Error + Send + Sync>| StoreError::Config {
        what,
        source: Some(source),
    };
    let mut roots = RootCertStore::empty();
    for root in rustls_native_certs::load_native_certs().certs {
        // One that cannot be read is no reason to trust none of the others.
        let _ = roots.add(root);
    }
    if let Some(path) = ca_certificate {
        let named = |what: &str| format!("`store.ca_certificate` {} {what}", path.display());
        let pem = std::fs::read(path);
        let pem = pem.map_err(|error| unusable(named("cannot be read"), error.into()))?;
        let mut found = 0;
        for root in rustls_pemfile::certs(&mut pem.as_slice()) {
            let root = root.map_err(|error| unusable(named("is no PEM file"), error.into()))?;
            let added = roots.add(root);
            added.map_err(|error| unusable(named("has no root to trust"), error.into()))?;
            found += 1;
        }
        if found == 0 {
            return Err(super::unusable(named("has no certificate in it")));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = versions
        .map_err(|error| unusable("TLS cannot be used".to_owned(), error.into()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
