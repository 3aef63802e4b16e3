//! Why TLS cannot be used.

use std::{io, path::PathBuf};

/// Says what is wrong with certificates or keys.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Where certificates are expected there is none.
    #[error("there is no certificate in {place}; it begins with -----BEGIN CERTIFICATE-----")]
    NoCertificate {
        /// The file, or what else it is.
        place: String,
    },
    /// A certificate is none.
    #[error("a certificate in {place} cannot be used: {reason}")]
    Certificate {
        /// The file, or what else it is.
        place: String,
        /// Why.
        reason: String,
    },
    /// Where a key is expected there is none that can be used.
    #[error("there is no private key in {} that can be used ({reason}): a key in PEM without a passphrase is expected", .file.display())]
    Key {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// A key is that of another certificate.
    #[error("the key in {} is not that of the first certificate in {}", .key.display(), .certificate.display())]
    OtherKey {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// It cannot be used for another reason.
    #[error("TLS cannot be set up: {0}")]
    Unusable(String),
}

impl TlsError {
    pub(crate) fn unusable(err: impl std::fmt::Display) -> Self {
        Self::Unusable(err.to_string())
    }
}
