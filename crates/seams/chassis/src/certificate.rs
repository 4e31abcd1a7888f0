//! What a certificate says of its holder: subject, roles, and when it ends.
//!
//! The chain is verified by rustls before. Roles are the URIs among the subject alternative names that begin with
//! `ringkeep://role/`; other names are ignored.

use api::access::{ROLE_URI_PREFIX, Role};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rustls::pki_types::CertificateDer;

/// Longer subjects are cut off.
const SUBJECT_CHARS_MAX: usize = 256;

/// The holder of a certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holder {
    /// Such as `CN=runner-1,O=example`; empty if the certificate has none.
    pub subject: String,
    /// In the order of the certificate.
    pub roles: Vec<Role>,
    /// Words at the place of a role that name none.
    pub unknown_roles: Vec<String>,
}

impl Holder {
    /// Reads the certificate. What cannot be read gives no role.
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        let mut holder = Self {
            subject: Fields::of(certificate)
                .map(|fields| subject(fields.subject))
                .unwrap_or_default(),
            ..Self::default()
        };
        let Ok(parsed) = webpki::EndEntityCert::try_from(certificate) else {
            return holder;
        };
        let words = parsed
            .valid_uri_names()
            .filter_map(|uri| uri.strip_prefix(ROLE_URI_PREFIX));
        for word in words {
            match Role::named(word) {
                Some(role) if holder.roles.contains(&role) => {}
                Some(role) => holder.roles.push(role),
                None => holder.unknown_roles.push(printable(word)),
            }
        }
        holder
    }
}

/// When a certificate begins and ends to be valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Validity {
    /// Reads the certificate; none if its form is not that of a certificate.
    pub fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let mut validity = Fields::of(certificate)?.validity;
        Some(Self {
            from: time(&mut validity)?,
            until: time(&mut validity)?,
        })
    }
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_ID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;

/// The two fields that rustls does not hand out, as DER.
struct Fields<'a> {
    validity: &'a [u8],
    subject: &'a [u8],
}

impl<'a> Fields<'a> {
    fn of(certificate: &'a CertificateDer<'_>) -> Option<Self> {
        let mut outer: &[u8] = certificate.as_ref();
        let mut certificate = expect(&mut outer, SEQUENCE)?;
        let mut fields = expect(&mut certificate, SEQUENCE)?;
        if fields.first() == Some(&VERSION) {
            next(&mut fields)?;
        }
        let _serial_number = next(&mut fields)?;
        let _signature = next(&mut fields)?;
        let _issuer = next(&mut fields)?;
        Some(Self {
            validity: expect(&mut fields, SEQUENCE)?,
            subject: expect(&mut fields, SEQUENCE)?,
        })
    }
}

/// The next element: its tag and what is in it.
fn next<'a>(der: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    const LONG: u8 = 0x80;
    let (&tag, rest) = der.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first & LONG != 0 {
        let (bytes, after) = rest.split_at_checked(usize::from(first & !LONG))?;
        // A length of more than four bytes is longer than any certificate.
        if bytes.is_empty() || bytes.len() > 4 {
            return None;
        }
        length = bytes
            .iter()
            .fold(0, |length, &byte| length << 8 | usize::from(byte));
        rest = after;
    }
    let (content, after) = rest.split_at_checked(length)?;
    *der = after;
    Some((tag, content))
}

fn expect<'a>(der: &mut &'a [u8], wanted: u8) -> Option<&'a [u8]> {
    let (tag, content) = next(der)?;
    (tag == wanted).then_some(content)
}

/// `YYMMDDHHMMSSZ` up to 2049, or `YYYYMMDDHHMMSSZ`.
fn time(der: &mut &[u8]) -> Option<Timestamp> {
    let (tag, text) = next(der)?;
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let whole = match tag {
        UTC_TIME if text < "50" => format!("20{text}"),
        UTC_TIME => format!("19{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let civil = DateTime::strptime("%Y%m%d%H%M%S", &whole).ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// The parts of a name that people look for, most specific first.
fn subject(mut names: &[u8]) -> String {
    let mut parts = Vec::new();
    while let Some(mut set) = expect(&mut names, SET) {
        while let Some(mut pair) = expect(&mut set, SEQUENCE) {
            let Some(label) = expect(&mut pair, OBJECT_ID).and_then(label) else {
                continue;
            };
            if let Some((_, value)) = next(&mut pair) {
                let value = printable(&String::from_utf8_lossy(value));
                parts.push(format!("{label}={value}"));
            }
        }
    }
    parts.reverse();
    parts.join(",").chars().take(SUBJECT_CHARS_MAX).collect()
}

/// X.520's attributes, 2.5.4.N.
fn label(object_id: &[u8]) -> Option<&'static str> {
    match object_id {
        [0x55, 0x04, 0x03] => Some("CN"),
        [0x55, 0x04, 0x0a] => Some("O"),
        [0x55, 0x04, 0x0b] => Some("OU"),
        _ => None,
    }
}

/// Text of a stranger, so that a log shows it on one line.
fn printable(text: &str) -> String {
    let shown = text
        .chars()
        .map(|char| if char.is_control() { '?' } else { char });
    shown.take(SUBJECT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject;
    use testkit::Authority;

    use super::*;

    fn der(pem: &str) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
    }

    #[test]
    fn roles_and_subject_are_read_from_the_certificate() {
        let authority = Authority::new("ours");
        let names = [
            "ringkeep://role/runner",
            "spiffe://elsewhere/role/agent",
            "ringkeep://role/operator-read",
            "ringkeep://role/runner",
            "ringkeep://role/king",
            "localhost",
        ];
        let (pem, _) = authority.issue(&names);
        let holder = Holder::of(&der(&pem));
        assert_eq!(holder.roles, [Role::Runner, Role::OperatorRead]);
        assert_eq!(holder.unknown_roles, ["king"]);
        assert_eq!(holder.subject, "CN=localhost");
        let (pem, _) = authority.issue(&["localhost"]);
        assert_eq!(Holder::of(&der(&pem)).roles, []);
    }

    #[test]
    fn its_end_is_read_and_what_is_no_certificate_gives_nothing() {
        let pem = Authority::new("ours").issue(&["localhost"]).0;
        let certificate = der(&pem);
        let validity = Validity::of(&certificate).unwrap();
        assert!(validity.from < Timestamp::now() && Timestamp::now() < validity.until);
        for length in 0..certificate.len() {
            let part = CertificateDer::from(certificate[..length].to_vec());
            assert_eq!(Holder::of(&part), Holder::default(), "{length}");
            assert_eq!(Validity::of(&part), None, "{length}");
        }
    }

    #[test]
    fn both_notations_of_time_are_read() {
        for (tag, text, expected) in [
            (UTC_TIME, "260102030405Z", Some("2026-01-02T03:04:05Z")),
            (UTC_TIME, "990102030405Z", Some("1999-01-02T03:04:05Z")),
            (
                GENERALIZED_TIME,
                "20510102030405Z",
                Some("2051-01-02T03:04:05Z"),
            ),
            (UTC_TIME, "260102030405", None),
            (UTC_TIME, "2613020304Z", None),
        ] {
            let der = [&[tag, text.len() as u8], text.as_bytes()].concat();
            let expected = expected.map(|text| text.parse().unwrap());
            assert_eq!(time(&mut der.as_slice()), expected, "{text}");
        }
    }
}
