//! The side that is connected to.

use std::sync::Arc;

use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::CertificateDer,
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};

use crate::{ALPN, Identity, TlsError};

/// Whether a server asks its clients for certificates.
#[derive(Debug)]
#[non_exhaustive]
pub enum Asking {
    /// It does not.
    No,
    /// It does, and takes those that these authorities signed; who shows none may connect, too.
    Optional(Vec<CertificateDer<'static>>),
    /// It does, and who shows none that these authorities signed cannot connect.
    Required(Vec<CertificateDer<'static>>),
}

/// Prepares a server of TLS 1.2 and 1.3 that shows an identity.
///
/// # Errors
///
/// [`TlsError`] if a certificate cannot be used, or the key is that of another one.
pub fn server(identity: Identity, asking: Asking) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let config = config.with_safe_default_protocol_versions().map_err(TlsError::unusable)?;
    let verifier = |authorities, is_required| -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        let builder =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots(authorities)?), Arc::clone(&provider));
        let builder = if is_required { builder } else { builder.allow_unauthenticated() };
        builder.build().map_err(TlsError::unusable)
    };
    let config = match asking {
        Asking::No => config.with_no_client_auth(),
        Asking::Optional(authorities) => config.with_client_cert_verifier(verifier(authorities, false)?),
        Asking::Required(authorities) => config.with_client_cert_verifier(verifier(authorities, true)?),
    };
    let (certificate, key) = identity.files();
    let refused = Identity::refused(certificate, key);
    let mut config = config.with_single_cert(identity.chain, identity.key).map_err(refused)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(config)
}

fn roots(authorities: Vec<CertificateDer<'static>>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority).map_err(|err| TlsError::Certificate {
            place: "what clients are to be signed by".to_owned(),
            reason: err.to_string(),
        })?;
    }
    Ok(roots)
}
