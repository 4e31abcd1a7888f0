//! TLS to the node, from PEM files.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::CqlError;
use crate::config::CqlTls;

pub(super) fn client_tls(tls: &CqlTls) -> Result<rustls::ClientConfig, CqlError> {
    let settings = |what: String| CqlError::Settings { what };
    let mut roots = rustls::RootCertStore::empty();
    for certificate in certificates(&tls.ca)? {
        roots
            .add(certificate)
            .map_err(|error| settings(format!("`{}`: {error}", tls.ca.display())))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| settings(error.to_string()))?
        .with_root_certificates(roots);
    match (&tls.certificate, &tls.key) {
        (Some(certificate), Some(key)) => builder
            .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
            .map_err(|error| settings(error.to_string())),
        (None, None) => Ok(builder.with_no_client_auth()),
        _ => Err(settings(
            "cql_tls has a certificate without a key, or a key without a certificate".into(),
        )),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CqlError> {
    fs::read(path).map_err(|error| unreadable(path, error))
}

fn unreadable(path: &Path, why: impl std::fmt::Display) -> CqlError {
    CqlError::Settings {
        what: format!("could not read `{}`: {why}", path.display()),
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, CqlError> {
    let found = rustls_pemfile::certs(&mut read(path)?.as_slice())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unreadable(path, error))?;
    if found.is_empty() {
        return Err(unreadable(path, "it holds no certificate"));
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, CqlError> {
    rustls_pemfile::private_key(&mut read(path)?.as_slice())
        .map_err(|error| unreadable(path, error))?
        .ok_or_else(|| unreadable(path, "it holds no key"))
}
