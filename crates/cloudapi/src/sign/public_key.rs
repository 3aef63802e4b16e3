//! The public half of a key.

use std::fmt;

use aws_lc_rs::digest;
use md5::{Digest, Md5};

use super::{Fingerprint, KeyError};

/// The public half of a key, as SSH writes it.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: ssh_key::PublicKey,
    blob: Vec<u8>,
}

impl PublicKey {
    /// Reads the line that OpenSSH writes into `*.pub` files.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotAKey`].
    pub fn from_openssh(line: &str) -> Result<Self, KeyError> {
        let not_a_key = |err: ssh_key::Error| KeyError::NotAKey {
            place: "public key".to_owned(),
            reason: err.to_string(),
        };
        Self::new(ssh_key::PublicKey::from_openssh(line).map_err(not_a_key)?).map_err(not_a_key)
    }

    /// Reads the form that SSH sends; nothing if it is none, or of a kind that is not known.
    pub(super) fn from_blob(blob: &[u8]) -> Option<Self> {
        let key = ssh_key::PublicKey::from_bytes(blob).ok()?;
        Some(Self { key, blob: blob.to_vec() })
    }

    pub(super) fn new(key: ssh_key::PublicKey) -> Result<Self, ssh_key::Error> {
        let blob = key.to_bytes()?;
        Ok(Self { key, blob })
    }

    pub(super) fn key_data(&self) -> &ssh_key::public::KeyData {
        self.key.key_data()
    }

    pub(super) fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// Returns the fingerprint that CloudAPI knows the key by.
    #[must_use]
    pub fn md5(&self) -> Fingerprint {
        Fingerprint::Md5(Md5::digest(&self.blob).into())
    }

    /// Returns the fingerprint that `ssh-keygen -l` prints.
    #[must_use]
    pub fn sha256(&self) -> Fingerprint {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, &self.blob).as_ref());
        Fingerprint::Sha256(bytes)
    }

    /// Returns whether the key has a fingerprint, of whichever kind it is.
    #[must_use]
    pub fn has(&self, fingerprint: &Fingerprint) -> bool {
        match fingerprint {
            Fingerprint::Md5(_) => self.md5() == *fingerprint,
            Fingerprint::Sha256(_) => self.sha256() == *fingerprint,
        }
    }

    /// Returns the key as OpenSSH writes it, without a comment.
    #[must_use]
    pub fn to_openssh(&self) -> String {
        let mut key = self.key.clone();
        key.set_comment("");
        key.to_openssh().unwrap_or_default()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.md5())
    }
}
