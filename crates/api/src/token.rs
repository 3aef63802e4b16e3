//! Tokens: what a client shows to say who it is.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Role, duration};

/// How a token begins, so that people and scanners for secrets know one when they see one.
pub const TOKEN_PREFIX: &str = "vmpool_";

/// What the daemon tells about a token; the token itself it does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Token {
    /// Its id, which is the part of the token that is no secret.
    pub id: String,
    /// Its name: events tell it as `token:NAME`.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// Whom leases belong to that are acquired with it, unless an operator says otherwise.
    pub owner: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    #[serde(default)]
    pub created_by: Option<String>,
    /// When it ends by itself; never if absent.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// When it was revoked, if it was.
    #[serde(default)]
    pub revoked_at: Option<Timestamp>,
    /// Who revoked it.
    #[serde(default)]
    pub revoked_by: Option<String>,
}

/// All tokens that the daemon remembers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tokens {
    /// The tokens, by name.
    pub tokens: Vec<Token>,
}

/// Makes a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TokenRequest {
    /// Its name: no other token that is in force has it. At most 40 of `a-z`, `0-9` and inner `-`.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// Whom leases belong to that are acquired with it; its name if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// For how long it is in force; for ever if absent.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub ttl: Option<Duration>,
}

impl TokenRequest {
    /// Makes a request for a token that is in force until it is revoked.
    #[must_use]
    pub fn new(name: impl Into<String>, role: Role) -> Self {
        Self { name: name.into(), role, owner: None, ttl: None }
    }

    /// Says whom leases belong to; the token's name if `None`.
    #[must_use]
    pub fn with_owner(self, owner: Option<String>) -> Self {
        Self { owner, ..self }
    }

    /// Says for how long it is in force; for ever if `None`.
    #[must_use]
    pub fn with_ttl(self, ttl: Option<Duration>) -> Self {
        Self { ttl, ..self }
    }
}

/// A token that was just made: the only answer that ever holds the token itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewToken {
    /// The token itself, for the header `authorization: Bearer TOKEN`. It is not shown again.
    pub secret: String,
    /// What it is.
    pub token: Token,
}

impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewToken").field("token", &self.token).finish_non_exhaustive()
    }
}

/// Who speaks, as the daemon sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Whoami {
    /// How events tell it, such as `token:ci`, `uid:1000` or `certificate:ci.example.org`; `loopback` if the configuration
    /// asks nobody there.
    pub actor: String,
    /// What it may do.
    pub role: Role,
    /// Whom leases belong to that it acquires without saying whose they are.
    #[serde(default)]
    pub owner: Option<String>,
    /// When what it showed ends, if it does.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_token_does_not_show_its_secret_when_it_is_formatted() {
        let token = Token {
            id: "0a".to_owned(),
            name: "ci".to_owned(),
            role: Role::User,
            owner: "ci".to_owned(),
            created_at: Timestamp::UNIX_EPOCH,
            created_by: None,
            expires_at: None,
            revoked_at: None,
            revoked_by: None,
        };
        let new = NewToken { secret: "vmpool_0a_hunter2".to_owned(), token };
        assert!(!format!("{new:?} {new:#?}").contains("hunter2"));
    }
}
