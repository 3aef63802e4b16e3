//! Whom to trust, found out when a server shows its certificate.

use std::sync::{Arc, OnceLock};

use rustls::{
    DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use rustls_platform_verifier::Verifier;

/// Trusts whom the system trusts, and some certificates; a server that shows one of those itself is trusted, too.
///
/// Systems have well over a hundred certificates, mostly in as many files, and reading them takes longer than a short command
/// may: so they are read once, and only if a server shows a certificate.
#[derive(Debug)]
pub(crate) struct Trust {
    given: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
    known: OnceLock<Verifier>,
}

impl Trust {
    pub(crate) fn new(given: Vec<CertificateDer<'static>>) -> Result<Self, Error> {
        // What is given is looked at now: whoever gives it should hear at once what is wrong with it.
        let mut roots = RootCertStore::empty();
        given.iter().try_for_each(|certificate| roots.add(certificate.clone()))?;
        Ok(Self { given, provider: Arc::new(aws_lc_rs::default_provider()), known: OnceLock::new() })
    }

    pub(crate) fn provider(&self) -> Arc<CryptoProvider> {
        Arc::clone(&self.provider)
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
        match self.given.contains(end_entity) {
            // That it has the key is proved by the signatures below.
            true => Ok(ServerCertVerified::assertion()),
            false => self.verifier()?.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ),
        }
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
        assert!(Trust::new(vec![CertificateDer::from_slice(b"no certificate").into_owned()]).is_err());
    }

    #[test]
    fn a_certificate_that_was_given_is_trusted_itself_and_no_other_is() {
        let named = |name: &str| {
            let key = rcgen::KeyPair::generate().unwrap();
            let made = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key);
            made.unwrap().der().clone()
        };
        let (given, other) = (named("cloud.example"), named("cloud.example"));
        let trust = Trust::new(vec![given.clone()]).unwrap();
        let is_trusted = |certificate: &CertificateDer<'_>, name: &str| {
            let name = ServerName::try_from(name.to_owned()).unwrap();
            let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_795_250_175));
            trust.verify_server_cert(certificate, &[], &name, &[], now).is_ok()
        };
        assert!(is_trusted(&given, "cloud.example") && is_trusted(&given, "10.0.0.1"));
        assert!(!is_trusted(&other, "cloud.example"));
    }
}
