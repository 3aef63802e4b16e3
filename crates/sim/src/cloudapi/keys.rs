//! Public keys, and what they say about signatures.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1,
    ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1,
    ECDSA_P521_SHA512_ASN1, ED25519, EcdsaVerificationAlgorithm,
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use md5::{Digest as _, Md5};
use ssh_key::{
    EcdsaCurve, PublicKey,
    public::{EcdsaPublicKey, KeyData, RsaPublicKey},
};

/// Says why a key is none that a simulated CloudAPI can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no public key as OpenSSH writes it into *.pub files, of RSA, ECDSA or Ed25519: {reason}")]
pub struct InvalidKey {
    reason: String,
}

impl InvalidKey {
    pub(super) fn new(reason: impl ToString) -> Self {
        Self { reason: reason.to_string() }
    }
}

/// Returns the fingerprint that CloudAPI knows a public key by, which is given in OpenSSH's one-line form.
///
/// # Errors
///
/// If it is no key that a simulated CloudAPI can use.
pub fn fingerprint(line: &str) -> Result<String, InvalidKey> {
    Ok(SimKey::parse("", line)?.fingerprint)
}

/// A public key that somebody signs with.
#[derive(Debug, Clone)]
pub(super) struct SimKey {
    pub(super) name: String,
    /// The MD5 fingerprint without its prefix.
    pub(super) fingerprint: String,
    /// As it was given, the comment included.
    pub(super) line: String,
    data: KeyData,
}

/// A way to sign, by its name in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Rsa(Hash),
    Ecdsa(Hash),
    Ed25519,
}

/// A hash that is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Way {
    /// Returns the way of a name, which the server reads in any case.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "rsa-sha1" => Self::Rsa(Hash::Sha1),
            "rsa-sha256" => Self::Rsa(Hash::Sha256),
            "rsa-sha384" => Self::Rsa(Hash::Sha384),
            "rsa-sha512" => Self::Rsa(Hash::Sha512),
            "ecdsa-sha256" => Self::Ecdsa(Hash::Sha256),
            "ecdsa-sha384" => Self::Ecdsa(Hash::Sha384),
            "ecdsa-sha512" => Self::Ecdsa(Hash::Sha512),
            "ed25519-sha512" => Self::Ed25519,
            _ => return None,
        })
    }
}

impl SimKey {
    pub(super) fn parse(name: &str, line: &str) -> Result<Self, InvalidKey> {
        let key = PublicKey::from_openssh(line.trim()).map_err(InvalidKey::new)?;
        match key.key_data() {
            KeyData::Rsa(_) | KeyData::Ecdsa(_) | KeyData::Ed25519(_) => {}
            _ => return Err(InvalidKey::new("it is of another kind")),
        }
        let blob = key.to_bytes().map_err(InvalidKey::new)?;
        let digits: Vec<String> = Md5::digest(&blob).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self {
            name: name.to_owned(),
            fingerprint: digits.join(":"),
            line: line.trim().to_owned(),
            data: key.key_data().clone(),
        })
    }

    /// Returns whether this is the key that a client means.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name == name || self.fingerprint == name
    }

    /// Returns whether the key signed this message.
    pub(super) fn has_signed(&self, way: Way, message: &[u8], signature: &[u8]) -> bool {
        match (&self.data, way) {
            (KeyData::Rsa(key), Way::Rsa(hash)) => rsa(key, hash, message, signature),
            (KeyData::Ecdsa(key), Way::Ecdsa(hash)) => ecdsa(key, hash, message, signature),
            (KeyData::Ed25519(key), Way::Ed25519) => {
                UnparsedPublicKey::new(&ED25519, key.as_ref()).verify(message, signature).is_ok()
            }
            _ => false,
        }
    }
}

fn rsa(key: &RsaPublicKey, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
    let parameters: &RsaParameters = match hash {
        Hash::Sha1 => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => &RSA_PKCS1_2048_8192_SHA256,
        Hash::Sha384 => &RSA_PKCS1_2048_8192_SHA384,
        Hash::Sha512 => &RSA_PKCS1_2048_8192_SHA512,
    };
    match (key.n.as_positive_bytes(), key.e.as_positive_bytes()) {
        (Some(n), Some(e)) => RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok(),
        _ => false,
    }
}

fn ecdsa(key: &EcdsaPublicKey, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
    let algorithm: &'static EcdsaVerificationAlgorithm = match (key.curve(), hash) {
        (_, Hash::Sha1) => return false,
        (EcdsaCurve::NistP256, Hash::Sha256) => &ECDSA_P256_SHA256_ASN1,
        (EcdsaCurve::NistP256, Hash::Sha384) => &ECDSA_P256_SHA384_ASN1,
        (EcdsaCurve::NistP256, Hash::Sha512) => &ECDSA_P256_SHA512_ASN1,
        (EcdsaCurve::NistP384, Hash::Sha256) => &ECDSA_P384_SHA256_ASN1,
        (EcdsaCurve::NistP384, Hash::Sha384) => &ECDSA_P384_SHA384_ASN1,
        (EcdsaCurve::NistP384, Hash::Sha512) => &ECDSA_P384_SHA512_ASN1,
        (EcdsaCurve::NistP521, Hash::Sha256) => &ECDSA_P521_SHA256_ASN1,
        (EcdsaCurve::NistP521, Hash::Sha384) => &ECDSA_P521_SHA384_ASN1,
        (EcdsaCurve::NistP521, Hash::Sha512) => &ECDSA_P521_SHA512_ASN1,
    };
    UnparsedPublicKey::new(algorithm, key.as_sec1_bytes()).verify(message, signature).is_ok()
}
