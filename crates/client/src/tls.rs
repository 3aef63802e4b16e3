//! Whom a client trusts over TLS, and how it proves who it is.

use std::path::{Path, PathBuf};

use vmpool_tls::{ClientConfig, Identity, TlsError};

use crate::ClientError;

/// Whom a client trusts over TLS beside whom the system trusts, and how it proves who it is.
///
/// # Examples
///
/// ```
/// use vmpool_client::{Client, Tls};
///
/// let tls = Tls::default().with_ca_file("no/such/file.pem");
/// let err = Client::with_tls("https://vmpool.example.org:7717", &tls).unwrap_err();
/// assert!(err.to_string().contains("no/such/file.pem cannot be read"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Tls {
    /// A file with certificates in PEM that are trusted, too: of an authority, or the daemon's own, whatever that says.
    pub ca_file: Option<PathBuf>,
    /// The files in PEM of a certificate, with those that lead to its authority, and of its private key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl Tls {
    /// Trusts the certificates of a file in PEM, too: of an authority, or the daemon's own, whatever that says.
    #[must_use]
    pub fn with_ca_file(self, ca_file: impl Into<PathBuf>) -> Self {
        Self { ca_file: Some(ca_file.into()), ..self }
    }

    /// Shows a certificate where the daemon asks for one; its private key has no passphrase.
    #[must_use]
    pub fn with_identity(self, certificate_file: impl Into<PathBuf>, key_file: impl Into<PathBuf>) -> Self {
        Self { identity: Some((certificate_file.into(), key_file.into())), ..self }
    }

    pub(crate) fn config(&self) -> Result<ClientConfig, ClientError> {
        self.read().map_err(|err| ClientError::Tls(Box::new(err)))
    }

    fn read(&self) -> Result<ClientConfig, TlsError> {
        let trusted = self.ca_file.as_deref().map(certificates).transpose()?.unwrap_or_default();
        let identity = self.identity.as_ref();
        let identity = identity.map(|(certificate, key)| Identity::read(certificate, key)).transpose()?;
        vmpool_tls::client(&trusted, identity)
    }
}

fn certificates(file: &Path) -> Result<Vec<vmpool_tls::CertificateDer<'static>>, TlsError> {
    vmpool_tls::certificates(file)
}
