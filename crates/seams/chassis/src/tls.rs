//! TLS settings as paths of PEM files, read when a server or a client is created.

use std::path::{Path, PathBuf};

use api::client::ClientTls;
use serde::{Deserialize, Serialize};
use tonic::transport::{Certificate, Identity, ServerTlsConfig};

use crate::server::TLS_HANDSHAKE_TIMEOUT;

/// TLS of a server; with `client_ca` it refuses clients without a certificate from there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerTls {
    /// The certificate with its chain.
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// The authority that signs the certificates of clients; makes TLS mutual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<PathBuf>,
}

/// TLS of a client; certificate and key make it mutual.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientTlsSettings {
    /// The authority to trust; if absent, the system's roots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// The name in the server's certificate, if it is not the host's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
}

/// Why TLS settings do not work.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("could not read the PEM file {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{} contains no PEM {what}", path.display())]
    NotPem { path: PathBuf, what: &'static str },
    #[error("a client's `certificate` and `key` must be given together")]
    HalfIdentity,
}

/// What a PEM file must contain, as its header names it.
const CERTIFICATE: &str = "CERTIFICATE";
const KEY: &str = "PRIVATE KEY";

impl ServerTls {
    /// Reads the files.
    pub fn load(&self) -> Result<ServerTlsConfig, TlsError> {
        let identity = Identity::from_pem(
            read_pem(&self.certificate, CERTIFICATE)?,
            read_pem(&self.key, KEY)?,
        );
        let mut config = ServerTlsConfig::new()
            .identity(identity)
            .timeout(TLS_HANDSHAKE_TIMEOUT);
        if let Some(path) = &self.client_ca {
            let ca = Certificate::from_pem(read_pem(path, CERTIFICATE)?);
            config = config.client_ca_root(ca);
        }
        Ok(config)
    }
}

impl ClientTlsSettings {
    /// Reads the files.
    pub fn load(&self) -> Result<ClientTls, TlsError> {
        let ca_pem = match &self.ca {
            Some(path) => Some(read_pem(path, CERTIFICATE)?),
            None => None,
        };
        let identity_pem = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => {
                Some((read_pem(certificate, CERTIFICATE)?, read_pem(key, KEY)?))
            }
            (None, None) => None,
            _ => return Err(TlsError::HalfIdentity),
        };
        Ok(ClientTls {
            ca_pem,
            identity_pem,
            server_name: self.server_name.clone(),
        })
    }
}

/// Makes ring the process's cryptography, before any crate that uses rustls asks for a default. Safe to repeat.
pub fn install_crypto() {
    // It fails only if a default is set already, which is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn read_pem(path: &Path, what: &'static str) -> Result<String, TlsError> {
    let pem = std::fs::read_to_string(path).map_err(|source| TlsError::Read {
        path: path.to_owned(),
        source,
    })?;
    let holds = pem
        .lines()
        .any(|line| line.starts_with("-----BEGIN") && line.contains(what));
    if holds {
        Ok(pem)
    } else {
        Err(TlsError::NotPem {
            path: path.to_owned(),
            what,
        })
    }
}
