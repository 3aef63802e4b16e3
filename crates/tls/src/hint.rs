//! What can be done about a connection that failed.

use std::{error::Error as StdError, io};

use rustls::{AlertDescription, CertificateError, Error};

/// What to try where a server does not know TLS, or breaks off when it is spoken to.
pub const NO_TLS: &str = "there may be no TLS at this port: try http:// instead of https://";

/// Says what can be done about an error that TLS is somewhere among the causes of; `None` if it is none of TLS.
///
/// It ends without a full stop, so that it can stand behind the error.
#[must_use]
pub fn hint(err: &(dyn StdError + 'static)) -> Option<&'static str> {
    let mut at = Some(err);
    while let Some(cause) = at {
        if let Some(said) = cause.downcast_ref::<Error>() {
            return of_tls(said);
        }
        let inner = cause.downcast_ref::<io::Error>();
        // The cause of an error of I/O is that of the error in it.
        let inside = inner.and_then(io::Error::get_ref).map(|inside| inside as &(dyn StdError + 'static));
        at = inside.or_else(|| cause.source());
    }
    None
}

fn of_tls(err: &Error) -> Option<&'static str> {
    let said = match err {
        Error::InvalidCertificate(why) => match why {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the certificate is for other names: give the address by one of them"
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => {
                "the certificate must be renewed, or a clock is wrong"
            }
            _ => {
                "if this is the right server, put its certificate, or that of who signed it, into the file ca_file"
            }
        },
        Error::InvalidMessage(_) => NO_TLS,
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the server asks for a certificate: give one with certificate_file and key_file"
        }
        Error::AlertReceived(
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::DecryptError
            | AlertDescription::AccessDenied,
        ) => {
            "the server does not take the certificate that it was shown: look at its end, and at who signed it"
        }
        Error::AlertReceived(AlertDescription::HandshakeFailure | AlertDescription::ProtocolVersion) => {
            "the two sides have no version or cipher of TLS in common; 1.2 and 1.3 are spoken here"
        }
        _ => return None,
    };
    Some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_tls_is_found_however_deep_it_is() {
        let inner = io::Error::other(Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType));
        assert_eq!(hint(&io::Error::other(inner)), Some(NO_TLS));
        assert_eq!(hint(&io::Error::other("something else")), None);
    }
}
