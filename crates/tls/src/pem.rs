//! Certificates and keys in PEM.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};

use crate::TlsError;

/// Reads the certificates of a file, at least one.
///
/// # Errors
///
/// [`TlsError`] if the file cannot be read, holds none, or one that is broken.
pub fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = fs::read(file).map_err(|source| TlsError::Read { file: file.to_owned(), source })?;
    certificates_in(&text, &file.display().to_string())
}

/// Reads the certificates of a text, at least one; `place` is its name in errors.
///
/// # Errors
///
/// [`TlsError`] if it holds none, or one that is broken.
pub fn certificates_in(pem: &[u8], place: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found =
        found.map_err(|err| TlsError::Certificate { place: place.to_owned(), reason: err.to_string() })?;
    match found.is_empty() {
        true => Err(TlsError::NoCertificate { place: place.to_owned() }),
        false => Ok(found),
    }
}

/// Who one is: a certificate, with those that lead to its authority, and its private key. Formatting it shows no key.
pub struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
    certificate_file: PathBuf,
    key_file: PathBuf,
}

impl Identity {
    /// Reads a certificate and its key.
    ///
    /// # Errors
    ///
    /// [`TlsError`] if a file cannot be read or does not hold what it should; whether the two belong together is seen when they
    /// are used.
    pub fn read(certificate_file: &Path, key_file: &Path) -> Result<Self, TlsError> {
        let chain = certificates(certificate_file)?;
        let text =
            fs::read(key_file).map_err(|source| TlsError::Read { file: key_file.to_owned(), source })?;
        let key = PrivateKeyDer::from_pem_slice(&text)
            .map_err(|err| TlsError::Key { file: key_file.to_owned(), reason: err.to_string() })?;
        let (certificate_file, key_file) = (certificate_file.to_owned(), key_file.to_owned());
        Ok(Self { chain, key, certificate_file, key_file })
    }

    /// Says why this cannot be used; it is what is left of an identity when its parts are taken.
    pub(crate) fn refused(certificate: PathBuf, key: PathBuf) -> impl FnOnce(rustls::Error) -> TlsError {
        move |err| match err {
            rustls::Error::InconsistentKeys(_) => TlsError::OtherKey { certificate, key },
            rustls::Error::InvalidCertificate(why) => {
                TlsError::Certificate { place: certificate.display().to_string(), reason: format!("{why:?}") }
            }
            err => TlsError::Key { file: key, reason: err.to_string() },
        }
    }

    pub(crate) fn files(&self) -> (PathBuf, PathBuf) {
        (self.certificate_file.clone(), self.key_file.clone())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { certificate_file, key_file, .. } = self;
        let mut shown = f.debug_struct("Identity");
        shown.field("certificate_file", certificate_file).field("key_file", key_file).finish_non_exhaustive()
    }
}
