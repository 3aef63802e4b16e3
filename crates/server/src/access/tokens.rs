//! The tokens there are: made, found and revoked.

use std::{
    io,
    path::PathBuf,
    sync::{PoisonError, RwLock},
};

use tokio::task;
use vmpool::model;
use vmpool_api::{Token, TokenRequest};

use super::{
    AccessError, Secret,
    file::{self, Kept},
    secret::{Hash, id_of},
};

/// How many tokens there may be.
const MOST: usize = 10_000;

/// For how long a token that ended is remembered, so that an audit finds it.
const REMEMBERED: jiff::SignedDuration = jiff::SignedDuration::from_hours(30 * 24);

/// Says why a token was not made or revoked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("there is a token {0:?} already: revoke it, or choose another name")]
    Exists(String),
    #[error("there is no token {0:?}, or it was revoked or has expired")]
    Unknown(String),
    #[error("there are {MOST} tokens, and there may be no more: revoke some")]
    TooMany,
    #[error("the time to live is beyond the calendar")]
    Endless,
    #[error("the tokens cannot be written: {0}")]
    Write(io::Error),
    #[error(transparent)]
    Chance(#[from] AccessError),
}

/// The tokens there are, in memory and on the disk.
#[derive(Debug)]
pub(crate) struct Tokens {
    file: Option<PathBuf>,
    kept: RwLock<Vec<Kept>>,
    /// One change after the other.
    changing: tokio::sync::Mutex<()>,
}

impl Tokens {
    /// Reads the tokens of a file; without one they end with the daemon.
    pub(crate) fn open(file: Option<PathBuf>) -> Result<Self, AccessError> {
        let kept = file.as_deref().map(file::read).transpose()?.unwrap_or_default();
        Ok(Self { file, kept: RwLock::new(kept), changing: tokio::sync::Mutex::default() })
    }

    /// Finds the token that somebody shows, or says why it is not good.
    pub(super) fn find(
        &self,
        shown: &str,
        hash: &Hash,
        now: model::Timestamp,
    ) -> Result<Token, &'static str> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let id = id_of(shown).unwrap_or_default();
        let found = kept.iter().find(|kept| kept.token.id == id && kept.hash.is(hash));
        match found.map(|kept| &kept.token) {
            // Whoever guesses learns nothing about what was right.
            None => Err("the token is not one of ours"),
            Some(token) if token.revoked_at.is_some() => Err("the token was revoked"),
            Some(token) if has_expired(token, time(now)) => Err("the token has expired"),
            Some(token) => Ok(token.clone()),
        }
    }

    /// Returns all tokens, by name.
    pub(crate) fn list(&self) -> Vec<Token> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let mut tokens: Vec<Token> = kept.iter().map(|kept| kept.token.clone()).collect();
        tokens.sort_by(|one, other| (&one.name, one.created_at).cmp(&(&other.name, other.created_at)));
        tokens
    }

    /// Makes a token; it is on the disk when this returns.
    pub(crate) async fn create(
        &self,
        wish: TokenRequest,
        by: Option<String>,
        now: model::Timestamp,
    ) -> Result<(Secret, Token), TokenError> {
        let _change = self.changing.lock().await;
        let now = time(now);
        let mut tokens = self.snapshot();
        tokens.retain(|kept| ended_at(&kept.token, now).is_none_or(|ended| now < ended + REMEMBERED));
        if tokens.iter().any(|kept| kept.token.name == wish.name && is_in_force(&kept.token, now)) {
            return Err(TokenError::Exists(wish.name));
        }
        if MOST <= tokens.len() {
            return Err(TokenError::TooMany);
        }
        let lasts = wish.ttl.map(jiff::SignedDuration::try_from).transpose();
        let lasts = lasts.map_err(|_| TokenError::Endless)?;
        let expires_at = lasts.map(|lasts| now.checked_add(lasts)).transpose();
        let secret = Secret::new().map_err(|err| AccessError::Chance(err.to_string()))?;
        let token = Token {
            id: secret.id().to_owned(),
            owner: wish.owner.unwrap_or_else(|| wish.name.clone()),
            name: wish.name,
            role: wish.role,
            created_at: now,
            created_by: by,
            expires_at: expires_at.map_err(|_| TokenError::Endless)?,
            revoked_at: None,
            revoked_by: None,
        };
        tokens.push(Kept { token: token.clone(), hash: secret.hash() });
        self.replace(tokens).await?;
        Ok((secret, token))
    }

    /// Revokes a token, named by its name or its id; that is on the disk when this returns.
    pub(crate) async fn revoke(
        &self,
        name: &str,
        by: Option<String>,
        now: model::Timestamp,
    ) -> Result<Token, TokenError> {
        let _change = self.changing.lock().await;
        let now = time(now);
        let mut tokens = self.snapshot();
        let is_meant = |kept: &&mut Kept| {
            is_in_force(&kept.token, now) && (kept.token.name == name || kept.token.id == name)
        };
        let Some(kept) = tokens.iter_mut().find(is_meant) else {
            return Err(TokenError::Unknown(name.chars().take(80).collect()));
        };
        (kept.token.revoked_at, kept.token.revoked_by) = (Some(now), by);
        let token = kept.token.clone();
        self.replace(tokens).await?;
        Ok(token)
    }

    fn snapshot(&self) -> Vec<Kept> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes first: what could not be written does not hold.
    async fn replace(&self, tokens: Vec<Kept>) -> Result<(), TokenError> {
        let tokens = match self.file.clone() {
            None => tokens,
            Some(file) => {
                let written =
                    task::spawn_blocking(move || file::write(&file, &tokens).map(|()| tokens)).await;
                written.unwrap_or_else(|err| Err(io::Error::other(err))).map_err(TokenError::Write)?
            }
        };
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = tokens;
        Ok(())
    }
}

fn is_in_force(token: &Token, now: jiff::Timestamp) -> bool {
    ended_at(token, now).is_none()
}

fn has_expired(token: &Token, now: jiff::Timestamp) -> bool {
    token.expires_at.is_some_and(|end| end <= now)
}

/// Returns when a token ended, if it did.
fn ended_at(token: &Token, now: jiff::Timestamp) -> Option<jiff::Timestamp> {
    token.revoked_at.or(token.expires_at.filter(|_| has_expired(token, now)))
}

fn time(now: model::Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(now.as_millis()).unwrap_or(jiff::Timestamp::MAX)
}
