//! Whose certificates are good: those that the system trusts, and those of a file.

use std::{io, path::Path, sync::Arc};

use rustls_platform_verifier::Verifier;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    },
};

use super::ConfigError;

/// Prepares connections with TLS; certificates of a file count beside those that the system trusts.
pub(super) fn connector(ca_file: Option<&Path>) -> Result<TlsConnector, ConfigError> {
    let given = ca_file.map_or_else(|| Ok(Vec::new()), read)?;
    let unusable = |err: Error| ConfigError::Tls { reason: err.to_string() };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let inner =
        Verifier::new_with_extra_roots(given.iter().cloned(), Arc::clone(&provider)).map_err(unusable)?;
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let verifier = Arc::new(Trust { inner, given });
    let config = config.map_err(unusable)?.dangerous().with_custom_certificate_verifier(verifier);
    Ok(TlsConnector::from(Arc::new(config.with_no_client_auth())))
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let wrong = |reason: String| ConfigError::CaFile { path: path.to_owned(), reason };
    let found = CertificateDer::pem_file_iter(path).map_err(|err| wrong(err.to_string()))?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(|err| wrong(err.to_string()))?;
    match found.is_empty() {
        true => Err(wrong("there is no certificate in it".to_owned())),
        false => Ok(found),
    }
}

const NO_TLS: &str = "; there may be no TLS at this port: try http:// instead of https://";

/// Says what can be done about a connection with TLS that failed.
pub(super) fn hint(err: &io::Error) -> &'static str {
    let inner = err.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        Some(Error::InvalidCertificate(why)) => match why {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "; the certificate is for other names: give the endpoint by one of them"
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => {
                "; the certificate must be renewed, or a clock is wrong"
            }
            _ => {
                "; if this is the right server, put its certificate, or that of who signed it, into the file ca_file"
            }
        },
        Some(Error::InvalidMessage(_)) => NO_TLS,
        _ if err.kind() == io::ErrorKind::UnexpectedEof => NO_TLS,
        _ => "",
    }
}

/// Trusts what the system does, and a server that shows a certificate of the file itself, whatever that certificate says.
///
/// Certificates that sign themselves are mostly made as those of an authority, which a server must not have.
#[derive(Debug)]
struct Trust {
    inner: Verifier,
    given: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.given.contains(end_entity) {
            true => Ok(ServerCertVerified::assertion()),
            false => {
                self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
