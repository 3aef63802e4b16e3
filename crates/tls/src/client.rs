//! The side that connects.

use std::sync::Arc;

use rustls::{ClientConfig, pki_types::CertificateDer};

use crate::{ALPN, Identity, TlsError, trust::Trust};

/// Prepares connections that trust whom the system trusts, and these certificates.
///
/// What the system trusts is read when the first server shows its certificate. With an identity, a server that asks for a
/// certificate is shown it.
///
/// # Errors
///
/// [`TlsError`] if a certificate is none, or the key is that of another one.
pub fn client(
    trusted: &[CertificateDer<'static>],
    identity: Option<Identity>,
) -> Result<ClientConfig, TlsError> {
    let trust = Trust::new(trusted.to_vec()).map_err(|err| TlsError::Certificate {
        place: "what is to be trusted".to_owned(),
        reason: err.to_string(),
    })?;
    let config = ClientConfig::builder_with_provider(trust.provider());
    let config = config.with_safe_default_protocol_versions().map_err(TlsError::unusable)?;
    let config = config.dangerous().with_custom_certificate_verifier(Arc::new(trust));
    let mut config = match identity {
        None => config.with_no_client_auth(),
        Some(identity) => {
            let (certificate, key) = identity.files();
            let refused = Identity::refused(certificate, key);
            config.with_client_auth_cert(identity.chain, identity.key).map_err(refused)?
        }
    };
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(config)
}
