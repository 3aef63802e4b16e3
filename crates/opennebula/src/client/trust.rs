//! Whose certificates are good: those that the system trusts, and those of a file.

use std::{io, path::Path, sync::Arc};

use tokio_rustls::TlsConnector;
use vmpool_tls::TlsError;

use super::ConfigError;

/// Prepares connections with TLS; certificates of a file count beside those that the system trusts.
pub(super) fn connector(ca_file: Option<&Path>) -> Result<TlsConnector, ConfigError> {
    let given = ca_file.map_or_else(|| Ok(Vec::new()), read)?;
    let config = vmpool_tls::client(&given, None);
    let config = config.map_err(|err| match (err, ca_file) {
        (TlsError::Certificate { reason, .. }, Some(path)) => {
            ConfigError::CaFile { path: path.to_owned(), reason }
        }
        (err, _) => ConfigError::Tls { reason: err.to_string() },
    });
    Ok(TlsConnector::from(Arc::new(config?)))
}

/// Says what can be done about a connection with TLS that failed; empty if nobody knows.
pub(super) fn hint(err: &io::Error) -> &'static str {
    let is_cut_off = err.kind() == io::ErrorKind::UnexpectedEof;
    vmpool_tls::hint(err).or(is_cut_off.then_some(vmpool_tls::NO_TLS)).unwrap_or_default()
}

fn read(path: &Path) -> Result<Vec<vmpool_tls::CertificateDer<'static>>, ConfigError> {
    let wrong = |reason: String| ConfigError::CaFile { path: path.to_owned(), reason };
    vmpool_tls::certificates(path).map_err(|err| match err {
        TlsError::Read { source, .. } => wrong(source.to_string()),
        TlsError::NoCertificate { .. } => wrong("there is no certificate in it".to_owned()),
        TlsError::Certificate { reason, .. } => wrong(reason),
        err => wrong(err.to_string()),
    })
}
