//! The names of the ways to sign.

use std::fmt;

/// The hash in signatures with an RSA key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RsaHash {
    /// SHA-256, which every CloudAPI accepts.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

/// A way to sign, by the name that CloudAPI knows it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// RSA with PKCS#1 v1.5 padding and SHA-256.
    RsaSha256,
    /// RSA with PKCS#1 v1.5 padding and SHA-512.
    RsaSha512,
    /// ECDSA on P-256.
    EcdsaSha256,
    /// ECDSA on P-384.
    EcdsaSha384,
    /// ECDSA on P-521.
    EcdsaSha512,
    /// Ed25519, which CloudAPI calls `ed25519-sha512`.
    Ed25519Sha512,
}

impl Algorithm {
    /// Returns the name that CloudAPI knows, such as `rsa-sha256`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RsaSha256 => "rsa-sha256",
            Self::RsaSha512 => "rsa-sha512",
            Self::EcdsaSha256 => "ecdsa-sha256",
            Self::EcdsaSha384 => "ecdsa-sha384",
            Self::EcdsaSha512 => "ecdsa-sha512",
            Self::Ed25519Sha512 => "ed25519-sha512",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<RsaHash> for Algorithm {
    fn from(hash: RsaHash) -> Self {
        match hash {
            RsaHash::Sha256 => Self::RsaSha256,
            RsaHash::Sha512 => Self::RsaSha512,
        }
    }
}
