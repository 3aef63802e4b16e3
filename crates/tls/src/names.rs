//! What a certificate says whose it is.

use std::fmt::Write as _;

use rustls::pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};

use crate::der::items;

/// What the common name of a subject begins with.
const COMMON_NAME: &str = "CN=";

/// What a fingerprint begins with.
const FINGERPRINT: &str = "sha256:";

const SEQUENCE: u8 = 0x30;
const OID: u8 = 0x06;
const OCTETS: u8 = 0x04;
/// The extensions in a certificate.
const EXTENSIONS: u8 = 0xa3;
const EMAIL: u8 = 0x81;
const DNS_NAME: u8 = 0x82;
const URI: u8 = 0x86;

/// 2.5.4.3
const OID_COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 2.5.29.17
const OID_ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

/// Returns what a certificate says whose it is, what says most first: `sha256:` and its fingerprint in hexadecimal digits, its
/// DNS names, URIs and mail addresses as they are, and `CN=` with the common name of its subject.
///
/// The certificate must have been verified: of one that is broken this returns what it finds.
#[must_use]
pub fn names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let mut names = vec![fingerprint(certificate)];
    let outer = items(certificate).next();
    let body = outer.and_then(|outer| items(outer.inside).next());
    let Some(body) = body else { return names };
    names.extend(alternative(body.inside));
    names.extend(common(body.inside).map(|name| format!("{COMMON_NAME}{name}")));
    names
}

fn fingerprint(certificate: &[u8]) -> String {
    Sha256::digest(certificate).iter().fold(FINGERPRINT.to_owned(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns the alternative names of a subject.
fn alternative(body: &[u8]) -> Vec<String> {
    let extensions = items(body).filter(|item| item.tag == EXTENSIONS).flat_map(|item| items(item.inside));
    let each = extensions.flat_map(|list| items(list.inside));
    let meant = each.filter_map(|extension| {
        let mut parts = items(extension.inside);
        let is_meant = parts.next().is_some_and(|id| id.tag == OID && id.inside == OID_ALTERNATIVE_NAMES);
        is_meant.then(|| parts.find(|part| part.tag == OCTETS))?
    });
    let lists = meant.filter_map(|octets| items(octets.inside).next());
    let names = lists.flat_map(|list| items(list.inside));
    let told = names.filter(|name| matches!(name.tag, EMAIL | DNS_NAME | URI));
    told.filter_map(|name| plain(name.inside)).collect()
}

/// Returns the common name of the subject, if it has exactly one.
fn common(body: &[u8]) -> Option<String> {
    // The sequences in the body are: the algorithm, the issuer, the time, the subject, the key.
    let subject = items(body).filter(|item| item.tag == SEQUENCE).nth(3)?;
    let parts = items(subject.inside).flat_map(|set| items(set.inside));
    let mut names = parts.filter_map(|part| {
        let mut pair = items(part.inside);
        let is_meant = pair.next()?.inside == OID_COMMON_NAME;
        is_meant.then(|| pair.next())?
    });
    let (name, None) = (names.next()?, names.next()) else { return None };
    plain(name.inside)
}

/// Returns a name that is text without anything that could forge a line of a log.
fn plain(name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok()?;
    (!name.is_empty() && !name.contains(char::is_control)).then(|| name.to_owned())
}

/// Says that a name is not one that certificates are called by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is not what a certificate is called by: a DNS name, a URI or a mail address in it, CN= and the common name of its \
     subject, or sha256: and the 64 hexadecimal digits of its fingerprint (small, without colons)"
)]
#[non_exhaustive]
pub struct NameError;

/// Checks that a name is one that [`names`] could return.
///
/// # Errors
///
/// [`NameError`] if no certificate can be called so.
pub fn check_name(name: &str) -> Result<(), NameError> {
    let is_good = match (name.strip_prefix(FINGERPRINT), name.strip_prefix(COMMON_NAME)) {
        (Some(digits), _) => {
            digits.len() == 64 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        }
        (None, Some(common)) => !common.is_empty() && !common.contains(char::is_control),
        // What is left of a subject is no name that is looked at.
        (None, None) => {
            let is_of_a_subject = name.contains('=') && !name.contains("://");
            !name.is_empty() && !is_of_a_subject && !name.contains(|c: char| c.is_control() || c == ' ')
        }
    };
    if is_good { Ok(()) } else { Err(NameError) }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;

    fn made(params: &CertificateParams) -> CertificateDer<'static> {
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    #[test]
    fn all_names_of_a_certificate_are_found() {
        let mut params = CertificateParams::new(vec!["ci.example.org".to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Example");
        params.distinguished_name.push(DnType::CommonName, "builder 7");
        params.subject_alt_names.push(SanType::URI("spiffe://example.org/ci".try_into().unwrap()));
        params.subject_alt_names.push(SanType::Rfc822Name("ci@example.org".try_into().unwrap()));
        let certificate = made(&params);
        let names = names(&certificate);
        assert_eq!(
            names[1..],
            ["ci.example.org", "spiffe://example.org/ci", "ci@example.org", "CN=builder 7"]
        );
        for name in names {
            check_name(&name).unwrap();
        }
    }

    #[test]
    fn an_issuer_is_no_subject_and_two_common_names_are_none() {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "authority");
        let (authority_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let issuer = rcgen::Issuer::from_params(&params, &authority_key);
        let mut subject = CertificateParams::default();
        subject.distinguished_name = rcgen::DistinguishedName::new();
        let signed = subject.signed_by(&key, &issuer).unwrap();
        assert_eq!(names(signed.der()).len(), 1, "{:?}", names(signed.der()));
    }

    #[test]
    fn what_is_broken_has_a_fingerprint_alone() {
        assert_eq!(names(&CertificateDer::from_slice(b"")).len(), 1);
        let whole = made(&CertificateParams::new(vec!["ci.example.org".to_owned()]).unwrap());
        for end in 0..whole.len() {
            let _ = names(&CertificateDer::from_slice(&whole[..end]));
        }
    }

    #[test]
    fn names_that_no_certificate_has_are_refused() {
        for name in ["", "sha256:ab", "sha256:AB", "CN=", "O=Example", "a b", "x\n"] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }
}
