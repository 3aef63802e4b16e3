//! Signing requests: HTTP signatures as CloudAPI wants them, with keys from files or an agent.
//!
//! A [`Signer`] signs bytes with one key: a [`PrivateKey`] from a file, or an [`AgentKey`] that never leaves its agent.
//! [`authorization`] makes the header of a request of it.

mod agent;
mod algorithm;
mod error;
mod find;
mod fingerprint;
mod header;
mod key_file;
mod legacy_pem;
mod private_key;
mod public_key;

use std::fmt;

use async_trait::async_trait;

pub use self::{
    agent::{Agent, AgentKey},
    algorithm::{Algorithm, RsaHash},
    error::KeyError,
    find::{FindKey, find_key},
    fingerprint::{Fingerprint, InvalidFingerprint},
    header::{Component, Identity, authorization, signing_string},
    private_key::PrivateKey,
    public_key::PublicKey,
};

/// Signs with one key.
#[async_trait]
pub trait Signer: fmt::Debug + Send + Sync + 'static {
    /// Returns the public half of the key.
    fn public_key(&self) -> &PublicKey;

    /// Returns how the key signs.
    fn algorithm(&self) -> Algorithm;

    /// Signs a message; the signature is in the form that CloudAPI wants, not yet in base64.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the key cannot be used (any more).
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError>;
}
