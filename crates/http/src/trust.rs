//! Whom to trust, found out when a server shows its certificate.

use std::sync::{Arc, OnceLock};

use rustls_platform_verifier::Verifier;
use tokio_rustls::rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};

/// Prepares connections with TLS that trust whom the system trusts, and these certificates in PEM.
///
/// # Errors
///
/// What is wrong with the certificates.
pub(crate) fn tls(pem: &[u8]) -> Result<ClientConfig, String> {
    let given: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let trust = Trust::new(given.map_err(|err| err.to_string())?).map_err(|err| err.to_string())?;
    let config = ClientConfig::builder_with_provider(Arc::clone(&trust.provider));
    let config = config.with_safe_default_protocol_versions().map_err(|err| err.to_string())?;
    let config = config.dangerous().with_custom_certificate_verifier(Arc::new(trust));
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Trusts whom the system trusts, and some certificates.
///
/// Systems have well over a hundred certificates, mostly in as many files, and reading them takes longer than a short command
/// may: so they are read once, and only if a server shows a certificate.
#[derive(Debug)]
struct Trust {
    given: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
    known: OnceLock<Verifier>,
}

impl Trust {
    fn new(given: Vec<CertificateDer<'static>>) -> Result<Self, Error> {
        // What is given is looked at now: whoever gives it should hear at once what is wrong with it.
        let mut roots = RootCertStore::empty();
        given.iter().try_for_each(|certificate| roots.add(certificate.clone()))?;
        Ok(Self { given, provider: Arc::new(aws_lc_rs::default_provider()), known: OnceLock::new() })
    }

    fn verifier(&self) -> Result<&Verifier, Error> {
        if let Some(verifier) = self.known.get() {
            return Ok(verifier);
        }
        let given = self.given.iter().cloned();
        let verifier = Verifier::new_with_extra_roots(given, Arc::clone(&self.provider))?;
        Ok(self.known.get_or_init(|| verifier))
    }
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
        self.verifier()?.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_trusts_is_read_when_a_server_shows_a_certificate_and_not_before() {
        let trust = Trust::new(Vec::new()).unwrap();
        assert!(!trust.supported_verify_schemes().is_empty());
        assert!(trust.known.get().is_none());
        let shown = CertificateDer::from_slice(b"no certificate");
        let name = ServerName::try_from("cloud.example").unwrap();
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_795_250_175));
        let before = trust.verify_server_cert(&shown, &[], &name, &[], now);
        assert!(before.is_err());
        // A system without any certificate has none to read.
        assert!(trust.known.get().is_some() || format!("{before:?}").contains("No CA certificates"));
    }

    #[test]
    fn certificates_that_are_none_are_refused_at_once() {
        let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(tls(pem.as_bytes()).is_err());
        assert!(tls(b"").is_ok());
    }
}
