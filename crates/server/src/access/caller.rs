//! Who asks, once that is known.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::request::Parts,
};
use tokio::time::Instant;
use vmpool::model::{Owner, Timestamp};
use vmpool_api::{Problem, Role, Whoami, code};

use crate::http::{Refused, invalid_name};

/// Who asks, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// `None` if nobody asks who it is.
    actor: Option<String>,
    pub(crate) role: Role,
    owner: Option<Owner>,
    expires_at: Option<jiff::Timestamp>,
}

impl Caller {
    pub(super) fn new(actor: String, role: Role, owner: Option<Owner>) -> Self {
        Self { actor: Some(actor), role, owner, expires_at: None }
    }

    pub(super) fn until(self, expires_at: Option<jiff::Timestamp>) -> Self {
        Self { expires_at, ..self }
    }

    /// Somebody on loopback whom the configuration asks nothing.
    pub(super) fn anybody() -> Self {
        Self { actor: None, role: Role::Admin, owner: None, expires_at: None }
    }

    /// Returns how events and logs tell it.
    pub(crate) fn actor(&self) -> &str {
        self.actor.as_deref().unwrap_or("loopback")
    }

    pub(crate) fn whoami(&self) -> Whoami {
        let owner = self.owner.as_ref().map(ToString::to_string);
        Whoami { actor: self.actor().to_owned(), role: self.role, owner, expires_at: self.expires_at }
    }

    /// Returns who did it, for the event log: what an operator says is told beside who the operator is.
    pub(crate) fn by(&self, said: Option<String>) -> Result<Option<Owner>, Refused> {
        let said = said.map(Owner::new).transpose().map_err(invalid_name("by"))?;
        let Some(actor) = &self.actor else { return Ok(said) };
        let told = match said {
            Some(said) if self.role != Role::User && said.as_str() != actor => {
                // A name that leaves no room is left out, and never the one that is proved.
                Owner::new(format!("{said} ({actor})"))
            }
            _ => Owner::new(actor),
        };
        Ok(told.or_else(|_| Owner::new(actor.chars().take(40).collect::<String>())).ok())
    }

    /// Returns whom a lease is to belong to; `said` is empty if nobody said so.
    pub(crate) fn owner(&self, said: &str) -> Result<Owner, Refused> {
        if said.is_empty() {
            let missing =
                || Problem::new(code::INVALID_REQUEST, "the body does not fit at `owner`: it is missing");
            return self.owner.clone().ok_or_else(|| missing().into());
        }
        let owner = Owner::new(said).map_err(invalid_name("owner"))?;
        match self.sees(&owner) {
            true => Ok(owner),
            false => {
                let own = self.owner.as_ref().map(Owner::as_str).unwrap_or_default();
                let detail =
                    format!("{} acts for {own:?} and its sub-owners, not for {said:?}", self.actor());
                Err(Problem::new(code::FORBIDDEN, detail)
                    .with_hint("leave the owner out, or ask an operator")
                    .into())
            }
        }
    }

    /// Returns when what it showed ends, if it does.
    pub(crate) fn ends_after(&self, now: Timestamp) -> Option<Instant> {
        let left = self.expires_at?.as_millisecond().saturating_sub(now.as_millis());
        Instant::now().checked_add(Duration::from_millis(u64::try_from(left).unwrap_or_default()))
    }

    /// Returns whether what belongs to an owner concerns who asks.
    pub(crate) fn sees(&self, owner: &Owner) -> bool {
        self.role != Role::User
            || self.owner.as_ref().is_some_and(|own| own == owner || owner.parent().as_ref() == Some(own))
    }

    /// Returns the owner whose things are all that it sees; `None` if it sees everything.
    pub(crate) fn is_limited(&self) -> bool {
        self.role == Role::User
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| Problem::new(code::UNAUTHENTICATED, "nothing shows who asks").into())
    }
}
