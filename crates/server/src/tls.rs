//! What the daemon shows over TLS, and what it asks for; both can be replaced while it runs.

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use vmpool_tls::{Asking, CertificateDer, Identity, ServerConfig, TlsError};

use crate::{
    access::hash,
    config::{ClientCertificates, TlsConfig},
};

/// What was read from the files; nothing holds yet.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    config: Arc<ServerConfig>,
    /// Stands for what is in the files, the key left out: another key has another certificate.
    mark: String,
}

impl Shown {
    /// Reads the files; an error tells the key of the configuration that it is about.
    pub(crate) fn read(tls: &TlsConfig) -> Result<Self, (&'static str, TlsError)> {
        let TlsConfig { certificate_file, key_file, client_ca_file, client_certificates } = tls;
        let own = certificates(certificate_file).map_err(|err| ("certificate_file", err))?;
        let identity = Identity::read(certificate_file, key_file).map_err(|err| ("key_file", err))?;
        let authorities = client_ca_file.as_deref().map(certificates).transpose();
        let authorities = authorities.map_err(|err| ("client_ca_file", err))?;
        let mark = own.iter().chain(authorities.iter().flatten()).map(|certificate| hash(certificate));
        let mark = mark.collect::<Vec<_>>().join(" ") + &format!(" {client_certificates:?}");
        let asking = match (authorities, client_certificates) {
            (Some(authorities), ClientCertificates::Optional) => Asking::Optional(authorities),
            (Some(authorities), ClientCertificates::Required) => Asking::Required(authorities),
            (None, _) | (_, ClientCertificates::Off) => Asking::No,
        };
        let config = vmpool_tls::server(identity, asking);
        let config = config.map_err(|err| match err {
            TlsError::OtherKey { .. } | TlsError::Key { .. } => ("key_file", err),
            // The own ones are told by their file.
            TlsError::Certificate { ref place, .. } if *place != certificate_file.display().to_string() => {
                ("client_ca_file", err)
            }
            err => ("certificate_file", err),
        })?;
        Ok(Self { config: Arc::new(config), mark })
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    vmpool_tls::certificates(file)
}

/// What the daemon shows now; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Tls(Arc<RwLock<Shown>>);

impl Tls {
    pub(crate) fn new(shown: Shown) -> Self {
        Self(Arc::new(RwLock::new(shown)))
    }

    /// Returns what the next handshake is made with.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).config)
    }

    /// Shows something else from the next handshake on; returns whether it is something else.
    pub(crate) fn replace(&self, shown: Shown) -> bool {
        let mut holds = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let differs = holds.mark != shown.mark;
        *holds = shown;
        differs
    }
}
