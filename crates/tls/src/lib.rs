//! Whom to trust over TLS, and how to prove who one is: for the daemon, its clients and drivers alike.
//!
//! Certificates and keys come from files in PEM.
//! A client trusts whom the system trusts, and the certificates that it is given; a server that shows one of those itself is
//! trusted, too, whatever that certificate says: certificates that sign themselves are mostly made as those of an authority,
//! which a server must not have.
//!
//! ```
//! let config = vmpool_tls::client(&[], None)?;
//! assert_eq!(config.alpn_protocols, [b"http/1.1"]);
//! # Ok::<(), vmpool_tls::TlsError>(())
//! ```

mod client;
mod der;
mod error;
mod hint;
mod names;
mod pem;
mod server;
mod trust;

pub use rustls::{ClientConfig, ServerConfig, pki_types::CertificateDer};

pub use crate::{
    client::client,
    error::TlsError,
    hint::{NO_TLS, hint},
    names::{NameError, check_name, names},
    pem::{Identity, certificates, certificates_in},
    server::{Asking, server},
};

/// What is spoken over TLS.
const ALPN: &[u8] = b"http/1.1";
