//! TLS to the node, from PEM files.
//!
//! The driver connects to addresses and checks the certificate for these. Here it is checked for a name, too.

mod verifier;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};

use super::CqlError;
use crate::config::CqlTls;

use verifier::{NamedVerifier, Names};

pub(super) fn client_tls(tls: &CqlTls, address: &str) -> Result<rustls::ClientConfig, CqlError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = verifier(tls, address, &provider)?;
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(settings)?
        // It verifies all that the usual one does.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    match (&tls.certificate, &tls.key) {
        (Some(certificate), Some(key)) => builder
            .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
            .map_err(settings),
        (None, None) => Ok(builder.with_no_client_auth()),
        _ => Err(settings(
            "cql_tls has a certificate without a key, or a key without a certificate",
        )),
    }
}

fn settings(what: impl ToString) -> CqlError {
    CqlError::Settings {
        what: what.to_string(),
    }
}

fn verifier(
    tls: &CqlTls,
    address: &str,
    provider: &Arc<CryptoProvider>,
) -> Result<NamedVerifier, CqlError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&tls.ca)? {
        roots
            .add(certificate)
            .map_err(|error| settings(format!("`{}`: {error}", tls.ca.display())))?;
    }
    let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let usual = usual.build().map_err(settings)?;
    Ok(NamedVerifier::new(usual, names(tls, address)?))
}

fn names(tls: &CqlTls, address: &str) -> Result<Names, CqlError> {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let parse = |name: &str| ServerName::try_from(name.to_owned());
    match &tls.server_name {
        Some(name) => match parse(name) {
            Ok(name) => Ok(Names::Only(name)),
            Err(error) => Err(settings(format!(
                "server_name `{name}` in cql_tls: {error}"
            ))),
        },
        None => Ok(parse(host).map_or(Names::Address, Names::OrAddress)),
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

#[cfg(test)]
mod tests {
    use rustls::client::danger::ServerCertVerifier;
    use rustls::pki_types::UnixTime;
    use testkit::certificates::Authority;

    use super::*;

    /// Whether a certificate of this name is accepted from 127.0.0.9.
    fn accepts(certificate: &str, server_name: Option<&str>, cql_address: &str) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("ca");
        let leaf = authority.write_issued(folder.path(), "node", &[certificate]);
        let tls = CqlTls {
            ca: authority.write_ca(folder.path(), "ca"),
            server_name: server_name.map(str::to_owned),
            certificate: None,
            key: None,
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = verifier(&tls, cql_address, &provider).unwrap();
        let leaf = certificates(&leaf.certificate).unwrap().remove(0);
        let address = ServerName::try_from("127.0.0.9").unwrap();
        let verified = verifier.verify_server_cert(&leaf, &[], &address, &[], UnixTime::now());
        verified.is_ok()
    }

    #[test]
    fn a_certificate_is_for_the_nodes_name_or_address() {
        for (certificate, server_name, cql_address, accepted) in [
            ("127.0.0.9", None, "127.0.0.9:9042", true),
            ("node1.example", None, "127.0.0.9:9042", false),
            ("node1.example", None, "node1.example:9042", true),
            ("127.0.0.9", None, "node1.example:9042", true),
            ("node2.example", None, "node1.example:9042", false),
            (
                "node2.example",
                Some("node2.example"),
                "127.0.0.9:9042",
                true,
            ),
            ("127.0.0.9", Some("node2.example"), "127.0.0.9:9042", false),
        ] {
            assert_eq!(
                accepts(certificate, server_name, cql_address),
                accepted,
                "{certificate} {server_name:?} {cql_address}"
            );
        }
    }
}
