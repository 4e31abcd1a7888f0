//! The server's side of a handshake.

use std::io;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::files::{Loaded, Watched};
use super::{ALPN_HTTP2, ServerTls, TlsError, read_certificates, read_key, read_roots};
use crate::certificate::Validity;
use crate::server::TLS_HANDSHAKE_TIMEOUT;

/// Makes connections encrypted, with the certificates that are in the files now.
#[derive(Clone)]
pub(crate) struct Acceptor {
    files: Arc<Watched<ServerConfig>>,
    /// Whether clients must have a certificate.
    pub is_mutual: bool,
}

impl Acceptor {
    pub fn open(settings: &ServerTls) -> Result<Self, TlsError> {
        let is_mutual = settings.client_ca.is_some();
        let mut paths = vec![settings.certificate.clone(), settings.key.clone()];
        paths.extend(settings.client_ca.clone());
        let settings = settings.clone();
        let files = Watched::open("server.tls", paths, move || load(&settings))?;
        Ok(Self { files, is_mutual })
    }

    pub async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let accept = TlsAcceptor::from(self.files.current()).accept(stream);
        match tokio::time::timeout(TLS_HANDSHAKE_TIMEOUT, accept).await {
            Ok(accepted) => accepted,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl ServerTls {
    /// Reads the files, and reports what does not work.
    pub fn check(&self) -> Result<(), TlsError> {
        crate::tls::install_crypto();
        load(self).map(drop)
    }
}

/// Sessions are not resumed: that would skip the check of the client's certificate, which may have ended since.
fn load(settings: &ServerTls) -> Result<Loaded<ServerConfig>, TlsError> {
    let chain = read_certificates(&settings.certificate)?;
    let key = read_key(&settings.key)?;
    let validity = chain.first().and_then(Validity::of);
    let builder = ServerConfig::builder();
    let builder = match &settings.client_ca {
        Some(path) => {
            let verifier = WebPkiClientVerifier::builder(Arc::new(read_roots(path)?)).build();
            let verifier = verifier.map_err(|source| TlsError::Verifier {
                path: path.clone(),
                source: Box::new(source),
            })?;
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let config = builder.with_single_cert(chain, key);
    let mut config = config.map_err(|source| TlsError::Identity {
        path: settings.certificate.clone(),
        source: Box::new(source),
    })?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols.push(ALPN_HTTP2.into());
    Ok(Loaded {
        value: Arc::new(config),
        validity,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_never_resumed() {
        crate::tls::install_crypto();
        let folder = testkit::folder();
        let authority = testkit::Authority::new("ours");
        let files = authority.write_issued(folder.path(), "server", &["localhost"]);
        let settings = ServerTls {
            certificate: files.certificate,
            key: files.key,
            client_ca: Some(authority.write_ca(folder.path(), "ca")),
        };
        let config = load(&settings).unwrap().value;
        assert_eq!(config.send_tls13_tickets, 0);
        assert!(!config.session_storage.can_cache());
        assert!(!config.ticketer.enabled());
    }
}
