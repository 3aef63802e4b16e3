//! Why a key cannot be used.

use std::path::PathBuf;

use super::Fingerprint;

/// Says why a key cannot be used; no key and no passphrase is ever part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file cannot be read.
    #[error("key {}: it cannot be read: {reason}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The text is no private key.
    #[error("{place}: it is no private key: {reason}")]
    NotAKey {
        /// Where the text is from.
        place: String,
        /// Why it is none.
        reason: String,
    },
    /// The key is encrypted, and there is no passphrase.
    #[error("{place}: the key is encrypted: give its passphrase, or load it into an ssh-agent")]
    PassphraseNeeded {
        /// Where the key is from.
        place: String,
    },
    /// The key is encrypted, and the passphrase does not open it.
    #[error("{place}: the passphrase does not open the key")]
    WrongPassphrase {
        /// Where the key is from.
        place: String,
    },
    /// CloudAPI has no use for keys of this kind.
    #[error(
        "{place}: keys of the kind {kind} cannot sign for CloudAPI: use RSA of 2048 bits or more, ECDSA on P-256, P-384 or P-521, or Ed25519"
    )]
    Unsupported {
        /// Where the key is from.
        place: String,
        /// The kind of the key or of its encryption.
        kind: String,
    },
    /// No key has the fingerprint.
    #[error("no key has the fingerprint {fingerprint}; looked at {looked_at}")]
    NotFound {
        /// The fingerprint.
        fingerprint: Fingerprint,
        /// Where it was looked for.
        looked_at: String,
    },
    /// The agent does not do what it was asked.
    #[error("ssh-agent: {reason}")]
    Agent {
        /// What it does instead.
        reason: String,
    },
    /// The key does not sign.
    #[error("the key {fingerprint} does not sign: {reason}")]
    Sign {
        /// The fingerprint of the key.
        fingerprint: Fingerprint,
        /// What the library says.
        reason: String,
    },
}
