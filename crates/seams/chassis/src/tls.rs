//! TLS settings as paths of PEM files. The files are read again whenever they have changed, so that a certificate is
//! renewed without a restart.

mod client;
mod files;
mod server;

use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};

pub use client::Dialer;
pub(crate) use client::http1_client;
pub(crate) use server::Acceptor;

/// TLS of a server; with `client_ca` it refuses clients without a certificate from there, and allows the others what
/// their roles may do.
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
    #[error("the certificate in {} and its key do not work together", path.display())]
    Identity {
        path: PathBuf,
        #[source]
        source: Box<rustls::Error>,
    },
    #[error("the authority in {} cannot verify clients", path.display())]
    Verifier {
        path: PathBuf,
        #[source]
        source: Box<rustls::server::VerifierBuilderError>,
    },
    #[error("the system has no root certificates; set `ca`")]
    NoRoots,
}

/// What a PEM file must contain.
const CERTIFICATE: &str = "CERTIFICATE";
const KEY: &str = "PRIVATE KEY";
const ALPN_HTTP2: &[u8] = b"h2";

/// Makes ring the process's cryptography, before any crate that uses rustls asks for a default. Safe to repeat.
pub fn install_crypto() {
    // It fails only if a default is set already, which is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn read_file(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Read {
        path: path.to_owned(),
        source,
    })
}

fn not_pem(path: &Path, what: &'static str) -> TlsError {
    TlsError::NotPem {
        path: path.to_owned(),
        what,
    }
}

/// All certificates of a file, at least one.
fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read_file(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => Err(not_pem(path, CERTIFICATE)),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    // The parser's error is left out: it may quote the file.
    PrivateKeyDer::from_pem_slice(&read_file(path)?).map_err(|_| not_pem(path, KEY))
}

fn read_roots(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(read_certificates(path)?);
    if added == 0 {
        return Err(not_pem(path, CERTIFICATE));
    }
    Ok(roots)
}
