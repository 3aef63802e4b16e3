//! Secrets made by chance, and what is kept of them.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use vmpool_api::TOKEN_PREFIX;

/// How many bytes of chance a secret has: nobody guesses 256 bits.
const BYTES: usize = 32;

/// A token or key, as a client shows it. It has no `Debug`.
#[derive(Clone)]
pub(crate) struct Secret {
    id: String,
    text: String,
}

impl Secret {
    /// Makes one up.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut chance = [0; BYTES + 4];
        getrandom::fill(&mut chance)?;
        let (id, rest) = chance.split_at(4);
        let id = hex(id);
        let text = format!("{TOKEN_PREFIX}{id}_{}", hex(rest));
        Ok(Self { id, text })
    }

    /// Returns the part that is no secret.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn expose(&self) -> &str {
        &self.text
    }

    pub(crate) fn hash(&self) -> Hash {
        Hash::of(&self.text)
    }
}

/// Returns the id in a token, if it looks like one.
pub(super) fn id_of(token: &str) -> Option<&str> {
    token.strip_prefix(TOKEN_PREFIX)?.split_once('_').map(|(id, _)| id)
}

/// What is kept of a secret. It needs no salt, because secrets are chance alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hash([u8; 32]);

impl Hash {
    pub(crate) fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Compares in a time that says nothing about where two differ.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    pub(super) fn to_text(&self) -> String {
        hex(&self.0)
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        let pairs: Option<Vec<u8>> = text
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        pairs?.try_into().ok().map(Self)
    }
}

/// Returns a text that stands for bytes, and for no others.
pub(super) fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_survives_its_text_and_a_broken_text_is_none() {
        let hash = Hash::of("a");
        assert!(Hash::from_text(&hash.to_text()).unwrap().is(&hash));
        for broken in ["", "zz", "+1", &hash.to_text()[2..], "é"] {
            assert!(Hash::from_text(broken).is_none(), "{broken}");
        }
    }

    #[test]
    fn a_secret_has_256_bits_and_no_two_are_alike() {
        let (one, other) = (Secret::new().unwrap(), Secret::new().unwrap());
        assert_ne!(one.expose(), other.expose());
        assert_eq!(one.expose().len(), TOKEN_PREFIX.len() + 8 + 1 + 64);
        assert_eq!(id_of(one.expose()), Some(one.id()));
    }
}
