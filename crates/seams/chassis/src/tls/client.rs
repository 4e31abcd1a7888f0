//! The client's side: channels to other services, whose certificates are read again when their files have changed.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use api::client::{Address, ConnectError};
use futures::future::BoxFuture;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;

use super::files::{Loaded, Watched};
use super::{ALPN_HTTP2, ClientTlsSettings, TlsError, read_certificates, read_key, read_roots};
use crate::certificate::Validity;

/// Makes channels to other services, with one set of TLS settings.
#[derive(Clone)]
pub struct Dialer {
    tls: Option<Tls>,
}

#[derive(Clone)]
struct Tls {
    files: Arc<Watched<ClientConfig>>,
    server_name: Option<String>,
}

impl Dialer {
    /// Without settings, addresses without `https://` are called in the clear.
    pub fn new(settings: Option<&ClientTlsSettings>) -> Result<Self, TlsError> {
        let tls = match settings {
            Some(settings) => Some(Tls::open(settings)?),
            None => None,
        };
        Ok(Self { tls })
    }

    /// A channel that connects when first used, and again whenever the connection broke; each time with the certificates
    /// that are in the files then. Refuses `http://` if there are TLS settings.
    pub fn channel(&self, address: &str) -> Result<Channel, ConnectError> {
        let Some(tls) = &self.tls else {
            return api::client::channel(address, None);
        };
        let parsed = Address::parse(address, true)?;
        if !parsed.is_tls {
            return Err(ConnectError::Plaintext {
                address: address.to_owned(),
            });
        }
        tls.channel(parsed, address)
    }

    /// Like [`channel`](Self::channel), but calls `http://` on the loopback address in the clear, for a service on the
    /// same host.
    pub fn channel_to_neighbour(&self, address: &str) -> Result<Channel, ConnectError> {
        let parsed = Address::parse(address, self.tls.is_some())?;
        if !parsed.is_tls && is_loopback(parsed.authority) {
            return api::client::channel(address, None);
        }
        self.channel(address)
    }
}

fn is_loopback(authority: &str) -> bool {
    let host = authority
        .rsplit_once(':')
        .map_or(authority, |(host, _)| host);
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

impl Tls {
    fn open(settings: &ClientTlsSettings) -> Result<Self, TlsError> {
        let paths: Vec<PathBuf> = [&settings.ca, &settings.certificate, &settings.key]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        let server_name = settings.server_name.clone();
        let settings = settings.clone();
        let files = Watched::open("clients.tls", paths, move || load(&settings))?;
        Ok(Self { files, server_name })
    }

    fn channel(&self, parsed: Address<'_>, address: &str) -> Result<Channel, ConnectError> {
        let invalid = || ConnectError::Address {
            address: address.to_owned(),
        };
        let secure: Uri = format!("https://{}", parsed.authority)
            .parse()
            .map_err(|_| invalid())?;
        let host = secure.host().ok_or_else(invalid)?;
        let name = self.server_name.as_deref();
        let name = name.unwrap_or(host.trim_start_matches('[').trim_end_matches(']'));
        let name = ServerName::try_from(name.to_owned()).map_err(|_| invalid())?;
        // tonic does its own TLS for https, so it is given http here and https as the origin of requests.
        let plain = Address {
            is_tls: false,
            ..parsed
        };
        let endpoint: Endpoint = plain.endpoint()?.origin(secure);
        let files = self.files.clone();
        Ok(
            endpoint.connect_with_connector_lazy(service_fn(move |uri: Uri| {
                connect(uri, files.current(), name.clone())
            })),
        )
    }
}

fn connect(
    uri: Uri,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
) -> BoxFuture<'static, io::Result<TokioIo<TlsStream<TcpStream>>>> {
    Box::pin(async move {
        let host = uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(443);
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        let stream = TlsConnector::from(config).connect(name, stream).await?;
        Ok(TokioIo::new(stream))
    })
}

impl ClientTlsSettings {
    /// Reads the files, and reports what does not work.
    pub fn check(&self) -> Result<(), TlsError> {
        load(self).map(drop)
    }
}

/// For HTTP/1.1. The files are read once.
pub(crate) fn http1_client(settings: &ClientTlsSettings) -> Result<Arc<ClientConfig>, TlsError> {
    let mut config = ClientConfig::clone(&load(settings)?.value);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn load(settings: &ClientTlsSettings) -> Result<Loaded<ClientConfig>, TlsError> {
    crate::tls::install_crypto();
    let roots = match &settings.ca {
        Some(path) => read_roots(path)?,
        None => system_roots()?,
    };
    let builder = ClientConfig::builder().with_root_certificates(roots);
    let (mut config, validity) = match (&settings.certificate, &settings.key) {
        (Some(certificate), Some(key)) => {
            let chain = read_certificates(certificate)?;
            let validity = chain.first().and_then(Validity::of);
            let config = builder.with_client_auth_cert(chain, read_key(key)?);
            let config = config.map_err(|source| TlsError::Identity {
                path: certificate.clone(),
                source: Box::new(source),
            })?;
            (config, validity)
        }
        (None, None) => (builder.with_no_client_auth(), None),
        _ => return Err(TlsError::HalfIdentity),
    };
    config.alpn_protocols.push(ALPN_HTTP2.into());
    Ok(Loaded {
        value: Arc::new(config),
        validity,
    })
}

fn system_roots() -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        return Err(TlsError::NoRoots);
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_loopback_is_a_neighbour() {
        for (authority, expected) in [
            ("127.0.0.1:7402", true),
            ("localhost:7402", true),
            ("[::1]:7402", true),
            ("10.0.0.1:7402", false),
            ("localhost.example:7402", false),
        ] {
            assert_eq!(is_loopback(authority), expected, "{authority}");
        }
    }
}
