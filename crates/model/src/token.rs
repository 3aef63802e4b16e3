//! The token: what ties a node at a provider to the record that asked for it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{InstallationId, InvalidName, PoolName, VmName};

/// Marks a node as made by one installation, for one pool, as one VM.
///
/// The token is on the node from the very request that creates it; so a node whose creation was
/// never answered can be found again, and a node of another installation is recognized and left alone.
/// Its text is `INSTALLATION/POOL/VM`; none of the parts can hold a `/`.
///
/// ```
/// use vmpool_model::Token;
/// let token: Token = "lab/small/small-7f3k".parse()?;
/// assert_eq!(token.vm.as_str(), "small-7f3k");
/// assert_eq!(token.to_string(), "lab/small/small-7f3k");
/// # Ok::<(), vmpool_model::InvalidToken>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    /// The installation that made the node.
    pub installation: InstallationId,
    /// The pool that the node was made for.
    pub pool: PoolName,
    /// The VM's name, which is the node's name, too.
    pub vm: VmName,
}

impl Token {
    /// Makes a token of its parts.
    #[must_use]
    pub fn new(installation: InstallationId, pool: PoolName, vm: VmName) -> Self {
        Self { installation, pool, vm }
    }
}

/// Says why a text is not a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidToken {
    /// The text does not have three parts.
    #[error("{0:?} is not a token: INSTALLATION/POOL/VM is expected")]
    Shape(String),
    /// A part is not a valid name.
    #[error("not a token: {0}")]
    Part(#[from] InvalidName),
}

impl FromStr for Token {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('/');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(installation), Some(pool), Some(vm), None) => Ok(Self {
                installation: InstallationId::new(installation)?,
                pool: PoolName::new(pool)?,
                vm: VmName::new(vm)?,
            }),
            _ => Err(InvalidToken::Shape(text.chars().take(80).collect())),
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.installation, self.pool, self.vm)
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_three_parts_is_no_token() {
        for bad in ["", "a/b", "a/b/c/d"] {
            assert!(bad.parse::<Token>().is_err(), "{bad:?} was accepted");
        }
    }
}
