//! A private key in memory.

use std::{fmt, path::Path};

use async_trait::async_trait;
use aws_lc_rs::{
    rand::SystemRandom,
    rsa,
    signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512},
};
use secrecy::SecretString;
use ssh_key::{
    Mpint,
    public::{EcdsaPublicKey, Ed25519PublicKey, KeyData, RsaPublicKey},
};

use super::{Algorithm, KeyError, PublicKey, RsaHash, Signer, key_file};

/// A private key in memory; its `Debug` shows the fingerprint of its public half only.
///
/// It is read from files in the forms PKCS#1, SEC 1, PKCS#8 and OpenSSH, encrypted ones with their passphrase.
pub struct PrivateKey {
    secret: Secret,
    public: PublicKey,
    rsa_hash: RsaHash,
}

/// The secret half, in the form of the library that signs.
pub(super) enum Secret {
    Rsa(rsa::KeyPair),
    Ecdsa(EcdsaKeyPair, Algorithm),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    /// Reads a key from a file.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the file cannot be read, is no key, or is not opened by the passphrase.
    pub fn from_file(path: &Path, passphrase: Option<&SecretString>) -> Result<Self, KeyError> {
        let failed = |err: std::io::Error| KeyError::Read { path: path.to_owned(), reason: err.to_string() };
        let text = std::fs::read_to_string(path).map_err(failed)?;
        key_file::read(&text, &format!("key {}", path.display()), passphrase)
    }

    /// Reads a key from the text of a file.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the text is no key, or is not opened by the passphrase.
    pub fn from_pem(text: &str, passphrase: Option<&SecretString>) -> Result<Self, KeyError> {
        key_file::read(text, "key", passphrase)
    }

    /// Reads a key from DER in the form PKCS#8.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if it is no key, or of a kind that cannot sign for CloudAPI.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        key_file::pkcs8(der, "key")
    }

    /// Chooses the hash in signatures with an RSA key; other keys have no choice.
    #[must_use]
    pub fn with_rsa_hash(self, rsa_hash: RsaHash) -> Self {
        Self { rsa_hash, ..self }
    }

    pub(super) fn new(secret: Secret, place: &str) -> Result<Self, KeyError> {
        let public = public_half(&secret)
            .map_err(|err| KeyError::NotAKey { place: place.to_owned(), reason: err.to_string() })?;
        Ok(Self { secret, public, rsa_hash: RsaHash::default() })
    }
}

fn public_half(secret: &Secret) -> Result<PublicKey, ssh_key::Error> {
    let data = match secret {
        Secret::Rsa(pair) => {
            let public = pair.public_key();
            KeyData::Rsa(RsaPublicKey {
                e: Mpint::from_positive_bytes(public.exponent().big_endian_without_leading_zero())?,
                n: Mpint::from_positive_bytes(public.modulus().big_endian_without_leading_zero())?,
            })
        }
        Secret::Ecdsa(pair, _) => {
            KeyData::Ecdsa(EcdsaPublicKey::from_sec1_bytes(pair.public_key().as_ref())?)
        }
        Secret::Ed25519(pair) => KeyData::Ed25519(Ed25519PublicKey::try_from(pair.public_key().as_ref())?),
    };
    PublicKey::new(ssh_key::PublicKey::new(data, ""))
}

#[async_trait]
impl Signer for PrivateKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn algorithm(&self) -> Algorithm {
        match &self.secret {
            Secret::Rsa(_) => self.rsa_hash.into(),
            Secret::Ecdsa(_, algorithm) => *algorithm,
            Secret::Ed25519(_) => Algorithm::Ed25519Sha512,
        }
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let failed = |err: aws_lc_rs::error::Unspecified| KeyError::Sign {
            fingerprint: self.public.md5(),
            reason: err.to_string(),
        };
        match &self.secret {
            Secret::Rsa(pair) => {
                let padding = match self.rsa_hash {
                    RsaHash::Sha256 => &RSA_PKCS1_SHA256,
                    RsaHash::Sha512 => &RSA_PKCS1_SHA512,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &SystemRandom::new(), message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
            Secret::Ecdsa(pair, _) => {
                let signature = pair.sign(&SystemRandom::new(), message).map_err(failed)?;
                Ok(signature.as_ref().to_vec())
            }
            Secret::Ed25519(pair) => Ok(pair.try_sign(message).map_err(failed)?.as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.public.md5())
    }
}
