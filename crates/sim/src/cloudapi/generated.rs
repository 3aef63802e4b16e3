//! The key of the account `sim`, so that a simulated server can be used at once.

use aws_lc_rs::{
    digest,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use ssh_key::{
    LineEnding, PrivateKey,
    private::{Ed25519Keypair, Ed25519PrivateKey, KeypairData},
    public::Ed25519PublicKey,
};

use super::keys::{InvalidKey, SimKey};

/// A key that comes from a seed: whoever knows the seed has it, so it is for simulated servers alone.
///
/// ```
/// use vmpool_sim::cloudapi::GeneratedKey;
/// let key = GeneratedKey::from_seed(0)?;
/// assert!(key.private_key().starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
/// assert_eq!(key.fingerprint(), GeneratedKey::from_seed(0)?.fingerprint());
/// # Ok::<(), vmpool_sim::cloudapi::InvalidKey>(())
/// ```
#[derive(Clone)]
pub struct GeneratedKey {
    private: String,
    public: String,
    fingerprint: String,
}

impl GeneratedKey {
    /// Makes the Ed25519 key of a seed.
    ///
    /// # Errors
    ///
    /// If the key cannot be made, which is not to be expected of any seed.
    pub fn from_seed(seed: u64) -> Result<Self, InvalidKey> {
        let name = format!("vmpool simulated cloudapi {seed}");
        let hash = digest::digest(&digest::SHA256, name.as_bytes());
        let hash: [u8; 32] =
            hash.as_ref().try_into().map_err(|_| InvalidKey::new("the hash is too short"))?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&hash).map_err(InvalidKey::new)?;
        let public: [u8; 32] =
            pair.public_key().as_ref().try_into().map_err(|_| InvalidKey::new("the key is too short"))?;
        let pair = Ed25519Keypair {
            public: Ed25519PublicKey(public),
            private: Ed25519PrivateKey::from_bytes(&hash),
        };
        let key = PrivateKey::new(KeypairData::Ed25519(pair), "sim").map_err(InvalidKey::new)?;
        let private = key.to_openssh(LineEnding::LF).map_err(InvalidKey::new)?.to_string();
        let public = key.public_key().to_openssh().map_err(InvalidKey::new)?;
        let fingerprint = SimKey::parse("sim", &public)?.fingerprint;
        Ok(Self { private, public, fingerprint })
    }

    /// Returns the private key as OpenSSH writes it into a file.
    #[must_use]
    pub fn private_key(&self) -> &str {
        &self.private
    }

    /// Returns the public key in OpenSSH's one-line form.
    #[must_use]
    pub fn public_key(&self) -> &str {
        &self.public
    }

    /// Returns the fingerprint that CloudAPI knows the key by.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

/// Shows no private key.
impl std::fmt::Debug for GeneratedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GeneratedKey").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}
