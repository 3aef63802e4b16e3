//! Reading private keys in all the forms in which people have them.

use aws_lc_rs::{
    rsa,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
        EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use num_bigint::BigUint;
use pkcs8::EncryptedPrivateKeyInfo;
use secrecy::{ExposeSecret, SecretString};
use ssh_key::private::{EcdsaKeypair, KeypairData, RsaKeypair};

use super::{Algorithm, KeyError, PrivateKey, legacy_pem, private_key::Secret};

/// The curves of ECDSA, and how one signs with them.
const CURVES: [(&EcdsaSigningAlgorithm, Algorithm); 3] = [
    (&ECDSA_P256_SHA256_ASN1_SIGNING, Algorithm::EcdsaSha256),
    (&ECDSA_P384_SHA384_ASN1_SIGNING, Algorithm::EcdsaSha384),
    (&ECDSA_P521_SHA512_ASN1_SIGNING, Algorithm::EcdsaSha512),
];

/// Reads the text of a key file; `place` is for errors.
pub(super) fn read(
    text: &str,
    place: &str,
    passphrase: Option<&SecretString>,
) -> Result<PrivateKey, KeyError> {
    let Some((label, inside)) = armor(text) else {
        let reason = match text.trim_start().starts_with("ssh-") || text.trim_start().starts_with("ecdsa-") {
            true => "it is a public key: give the file without .pub",
            false => "it does not begin with -----BEGIN … PRIVATE KEY-----",
        };
        return Err(not_a_key(place, reason));
    };
    match label {
        "OPENSSH PRIVATE KEY" => openssh(text, place, passphrase),
        "ENCRYPTED PRIVATE KEY" => {
            let der = decode(inside, place)?;
            let passphrase = passphrase.ok_or_else(|| needed(place))?;
            let sealed = EncryptedPrivateKeyInfo::try_from(der.as_slice())
                .map_err(|err| not_a_key(place, err.to_string()))?;
            let opened = sealed.decrypt(passphrase.expose_secret()).map_err(|err| match err {
                // Padding that is not there, or an outer form that is none: what a wrong key makes of the text.
                pkcs8::Error::EncryptedPrivateKey(
                    pkcs8::pkcs5::Error::DecryptFailed | pkcs8::pkcs5::Error::EncryptFailed,
                )
                | pkcs8::Error::Asn1(_) => KeyError::WrongPassphrase { place: place.to_owned() },
                err => unsupported(place, format!("PKCS#8 with this encryption ({err})")),
            })?;
            pkcs8(opened.as_bytes(), place).map_err(|err| match err {
                KeyError::NotAKey { place, .. } => KeyError::WrongPassphrase { place },
                err => err,
            })
        }
        "PRIVATE KEY" => pkcs8(&decode(inside, place)?, place),
        "RSA PRIVATE KEY" | "EC PRIVATE KEY" => {
            let sealed = legacy_pem::is_encrypted(inside);
            let der = match (sealed, passphrase) {
                (false, _) => decode(inside, place)?,
                (true, None) => return Err(needed(place)),
                (true, Some(passphrase)) => legacy_pem::open(inside, place, passphrase)?,
            };
            let key = if label.starts_with("RSA") { rsa_der(&der, place) } else { ecdsa_der(&der, place) };
            key.map_err(|err| match (sealed, err) {
                (true, KeyError::NotAKey { place, .. }) => KeyError::WrongPassphrase { place },
                (_, err) => err,
            })
        }
        other => Err(unsupported(place, other.to_owned())),
    }
}

/// Returns the label of the first armor in a text, and what is inside.
fn armor(text: &str) -> Option<(&str, &str)> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (inside, _) = rest.split_once(&format!("-----END {label}-----"))?;
    label.ends_with("PRIVATE KEY").then_some((label, inside))
}

/// Decodes base64 that is broken into lines.
pub(super) fn decode(text: &str, place: &str) -> Result<Vec<u8>, KeyError> {
    let text: String = text.split_ascii_whitespace().collect();
    STANDARD.decode(text).map_err(|err| not_a_key(place, err.to_string()))
}

/// Reads a key in the form PKCS#8, whose kind is inside.
pub(super) fn pkcs8(der: &[u8], place: &str) -> Result<PrivateKey, KeyError> {
    if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
        return PrivateKey::new(Secret::Ed25519(pair), place);
    }
    match rsa::KeyPair::from_pkcs8(der) {
        Ok(pair) => PrivateKey::new(Secret::Rsa(pair), place),
        Err(_) => ecdsa_der(der, place),
    }
}

fn rsa_der(der: &[u8], place: &str) -> Result<PrivateKey, KeyError> {
    let pair = rsa::KeyPair::from_der(der).map_err(|err| not_a_key(place, err.to_string()))?;
    PrivateKey::new(Secret::Rsa(pair), place)
}

fn ecdsa_der(der: &[u8], place: &str) -> Result<PrivateKey, KeyError> {
    let pair = CURVES.iter().find_map(|(curve, algorithm)| {
        EcdsaKeyPair::from_private_key_der(curve, der).ok().map(|pair| Secret::Ecdsa(pair, *algorithm))
    });
    let pair = pair.ok_or_else(|| {
        not_a_key(place, "it is neither RSA of 2048 bits or more, nor ECDSA on a known curve, nor Ed25519")
    })?;
    PrivateKey::new(pair, place)
}

fn openssh(text: &str, place: &str, passphrase: Option<&SecretString>) -> Result<PrivateKey, KeyError> {
    let sealed =
        ssh_key::PrivateKey::from_openssh(text.trim()).map_err(|err| not_a_key(place, err.to_string()))?;
    let opened = match (sealed.is_encrypted(), passphrase) {
        (false, _) => sealed,
        (true, None) => return Err(needed(place)),
        (true, Some(passphrase)) => sealed
            .decrypt(passphrase.expose_secret())
            .map_err(|_| KeyError::WrongPassphrase { place: place.to_owned() })?,
    };
    let secret = match opened.key_data() {
        KeypairData::Ed25519(pair) => {
            let pair = Ed25519KeyPair::from_seed_and_public_key(pair.private.as_ref(), pair.public.as_ref());
            Secret::Ed25519(pair.map_err(|err| not_a_key(place, err.to_string()))?)
        }
        KeypairData::Ecdsa(pair) => {
            ecdsa(pair).ok_or_else(|| not_a_key(place, "its halves do not belong together"))?
        }
        KeypairData::Rsa(pair) => Secret::Rsa(
            rsa_pair(pair)
                .ok_or_else(|| not_a_key(place, "its numbers do not make a key of 2048 bits or more"))?,
        ),
        other => {
            let kind = other.algorithm().map(|kind| kind.to_string()).unwrap_or_default();
            return Err(unsupported(place, kind));
        }
    };
    PrivateKey::new(secret, place)
}

fn ecdsa(pair: &EcdsaKeypair) -> Option<Secret> {
    let (index, private) = match pair {
        EcdsaKeypair::NistP256 { private, .. } => (0, private.as_slice()),
        EcdsaKeypair::NistP384 { private, .. } => (1, private.as_slice()),
        EcdsaKeypair::NistP521 { private, .. } => (2, private.as_slice()),
    };
    let (curve, algorithm) = CURVES.get(index)?;
    let public = pair.public_key_bytes();
    let pair = EcdsaKeyPair::from_private_key_and_public_key(curve, private, public).ok()?;
    Some(Secret::Ecdsa(pair, *algorithm))
}

/// Completes the numbers of an RSA key: OpenSSH leaves out two that the library wants.
fn rsa_pair(pair: &RsaKeypair) -> Option<rsa::KeyPair> {
    let number = |number: &ssh_key::Mpint| number.as_positive_bytes().map(BigUint::from_bytes_be);
    let (p, q, d) = (number(&pair.private.p)?, number(&pair.private.q)?, number(&pair.private.d)?);
    let one = BigUint::from(1_u8);
    if p <= one || q <= one {
        return None;
    }
    let components = rsa::KeyPairComponents {
        public_key: rsa::PublicKeyComponents {
            n: pair.public.n.as_positive_bytes()?.to_vec(),
            e: pair.public.e.as_positive_bytes()?.to_vec(),
        },
        d: d.to_bytes_be(),
        dP: (&d % (&p - &one)).to_bytes_be(),
        dQ: (&d % (&q - &one)).to_bytes_be(),
        p: p.to_bytes_be(),
        q: q.to_bytes_be(),
        qInv: pair.private.iqmp.as_positive_bytes()?.to_vec(),
    };
    rsa::KeyPair::from_components(&components).ok()
}

pub(super) fn not_a_key(place: &str, reason: impl Into<String>) -> KeyError {
    KeyError::NotAKey { place: place.to_owned(), reason: reason.into() }
}

pub(super) fn unsupported(place: &str, kind: String) -> KeyError {
    KeyError::Unsupported { place: place.to_owned(), kind }
}

fn needed(place: &str) -> KeyError {
    KeyError::PassphraseNeeded { place: place.to_owned() }
}
