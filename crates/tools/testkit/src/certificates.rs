//! Throw-away certificates for tests of TLS.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SanType,
};

/// Signs certificates that only its own tests trust.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key as PEM files.
#[derive(Debug, Clone)]
pub struct PemFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("ring makes keys");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("the parameters are valid");
        Self { issuer }
    }

    pub fn certificate_pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for servers and clients of these names, which may be addresses or URIs such as that of a role, with
    /// its key, both in PEM. Its subject is the first of them.
    pub fn issue(&self, names: &[&str]) -> (String, String) {
        let (uris, names): (Vec<&str>, Vec<&str>) =
            names.iter().partition(|name| name.contains("://"));
        let subject = names.first().or(uris.first()).copied().unwrap_or_default();
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("the names are valid");
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, subject);
        params.subject_alt_names.extend(
            uris.iter()
                .map(|uri| SanType::URI((*uri).try_into().expect("the URI is ASCII"))),
        );
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key = KeyPair::generate().expect("ring makes keys");
        let certificate = params
            .signed_by(&key, &self.issuer)
            .expect("the parameters are valid");
        (certificate.pem(), key.serialize_pem())
    }

    /// Writes this authority's own certificate as `<stem>.pem`.
    pub fn write_ca(&self, folder: &Path, stem: &str) -> PathBuf {
        write(folder, &format!("{stem}.pem"), &self.certificate_pem())
    }

    /// Issues a certificate and writes it as `<stem>.pem` and `<stem>.key`.
    pub fn write_issued(&self, folder: &Path, stem: &str, names: &[&str]) -> PemFiles {
        let (certificate, key) = self.issue(names);
        PemFiles {
            certificate: write(folder, &format!("{stem}.pem"), &certificate),
            key: write(folder, &format!("{stem}.key"), &key),
        }
    }
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("tests can write into their folder");
    path
}
