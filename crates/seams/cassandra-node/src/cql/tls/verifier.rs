//! Verifies a certificate as usual, but for a name that the driver does not know.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

/// The names of which a certificate must have one.
#[derive(Debug)]
pub(super) enum Names {
    Only(ServerName<'static>),
    /// This, or the address that is connected to.
    OrAddress(ServerName<'static>),
    Address,
}

#[derive(Debug)]
pub(super) struct NamedVerifier {
    verifier: Arc<WebPkiServerVerifier>,
    names: Names,
}

impl NamedVerifier {
    pub fn new(verifier: Arc<WebPkiServerVerifier>, names: Names) -> Self {
        Self { verifier, names }
    }
}

impl ServerCertVerifier for NamedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        address: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verify = |name: &ServerName<'_>| {
            let verifier = &self.verifier;
            verifier.verify_server_cert(end_entity, intermediates, name, ocsp_response, now)
        };
        match &self.names {
            Names::Only(name) => verify(name),
            Names::OrAddress(name) => {
                verify(name).or_else(|error| verify(address).map_err(|_| error))
            }
            Names::Address => verify(address),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verifier = &self.verifier;
        verifier.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verifier = &self.verifier;
        verifier.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
