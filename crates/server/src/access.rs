//! Who asks, and what they may do.

mod caller;
mod file;
mod local_key;
mod refusals;
mod secret;
mod tokens;

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
};

use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use vmpool::{manager::Clock, model::Owner};
use vmpool_api::{Problem, Role, code};

use self::{refusals::Refusals, secret::Hash};
use crate::config::{AccessConfig, Grant};

pub use self::file::AccessError;
pub(crate) use self::{
    caller::Caller,
    local_key::LocalKey,
    secret::Secret,
    tokens::{TokenError, Tokens},
};

/// Returns a text that stands for bytes, and for no others.
pub(crate) fn hash(bytes: &[u8]) -> String {
    secret::hash(bytes)
}

/// From where a request came, as far as the connection proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Over TCP.
    Network {
        /// The other end.
        address: IpAddr,
        /// The names in the certificate that it proved to have, if it has one.
        certificate: Arc<[String]>,
    },
    /// Over the Unix socket.
    Local {
        /// The user of the process.
        uid: u32,
    },
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Network { address, .. } => write!(f, "from {}", address.to_canonical()),
            Self::Local { uid } => write!(f, "from user {uid} over the socket"),
        }
    }
}

/// Who may do what; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Access(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// What holds; it is replaced as a whole.
    config: RwLock<Arc<AccessConfig>>,
    tokens: Tokens,
    /// The key of this user's clients, if there is one.
    local_key: RwLock<Option<(Hash, LocalKey)>>,
    refusals: Refusals,
    /// The user of this process.
    own_uid: u32,
    clock: Arc<dyn Clock>,
}

impl Access {
    pub(crate) fn new(config: AccessConfig, tokens: Tokens, own_uid: u32, clock: Arc<dyn Clock>) -> Self {
        let config = RwLock::new(Arc::new(config));
        Self(Arc::new(Inner {
            config,
            tokens,
            local_key: RwLock::default(),
            refusals: Refusals::default(),
            own_uid,
            clock,
        }))
    }

    /// Lets others do other things from the next request on.
    pub(crate) fn replace(&self, config: AccessConfig) {
        *self.0.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }

    /// Notes for the event log that a known caller asked for what it may not.
    pub(crate) fn forbade(&self, caller: &Caller, why: &str) {
        self.0.refusals.note(Owner::new(caller.actor()).ok(), why.to_owned());
    }

    /// Notes for the event log that somebody showed something that says nothing about who asks.
    ///
    /// Who shows nothing at all is not noted: browsers and probes do so all the time.
    pub(crate) fn denied(&self, headers: &HeaderMap, peer: &Peer, why: &str) {
        let from = match peer {
            Peer::Network { certificate, .. }
                if !headers.contains_key(AUTHORIZATION) && certificate.is_empty() =>
            {
                return;
            }
            Peer::Local { .. } | Peer::Network { .. } => peer,
        };
        self.0.refusals.note(None, format!("{from}: {why}"));
    }

    fn config(&self) -> Arc<AccessConfig> {
        Arc::clone(&self.0.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a key from who shows it, or no key any more; the one before ends.
    pub(crate) fn take_key(&self, key: Option<LocalKey>) {
        let key = key.map(|key| (key.secret().hash(), key));
        let before = std::mem::replace(&mut *self.local_key_mut(), key);
        drop(before);
    }

    fn local_key_mut(&self) -> std::sync::RwLockWriteGuard<'_, Option<(Hash, LocalKey)>> {
        self.0.local_key.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the key of this user's clients, if there is one.
    pub(crate) fn local_secret(&self) -> Option<Secret> {
        let key = self.0.local_key.read().unwrap_or_else(PoisonError::into_inner);
        key.as_ref().map(|(_, key)| key.secret().clone())
    }

    fn is_local_key(&self, hash: &Hash) -> bool {
        let key = self.0.local_key.read().unwrap_or_else(PoisonError::into_inner);
        key.as_ref().is_some_and(|(key, _)| key.is(hash))
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    /// Says who asks. What is shown counts, and must be good; what the connection proves counts only if nothing is shown.
    pub(crate) fn caller(&self, headers: &HeaderMap, peer: &Peer) -> Result<Caller, Box<Problem>> {
        let mut shown = headers.get_all(AUTHORIZATION).iter();
        match (shown.next(), shown.next()) {
            (None, _) => self.proved(peer).ok_or_else(|| unknown(peer)),
            (Some(value), None) => self.shown(value),
            (Some(_), Some(_)) => Err(refused("the header `authorization` is given twice")),
        }
    }

    fn shown(&self, value: &HeaderValue) -> Result<Caller, Box<Problem>> {
        let text = value.to_str().unwrap_or_default();
        let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(refused("the header `authorization` is not of the form `Bearer TOKEN`"));
        }
        let hash = Hash::of(token);
        if self.is_local_key(&hash) {
            return Ok(self.of_uid(self.0.own_uid, Role::Admin, None));
        }
        let token = self.0.tokens.find(token, &hash, self.0.clock.now()).map_err(refused)?;
        let owner = Owner::new(&token.owner).ok();
        Ok(Caller::new(format!("token:{}", token.name), token.role, owner).until(token.expires_at))
    }

    fn proved(&self, peer: &Peer) -> Option<Caller> {
        let config = self.config();
        match peer {
            Peer::Local { uid } if *uid == 0 || *uid == self.0.own_uid => {
                Some(self.of_uid(*uid, Role::Admin, None))
            }
            Peer::Local { uid } => {
                let Grant { role, owner } = config.uids.get(uid)?;
                Some(self.of_uid(*uid, *role, owner.clone()))
            }
            Peer::Network { certificate, address } => of_certificate(&config.certificates, certificate)
                .or_else(|| (config.open_loopback && is_loopback(*address)).then(Caller::anybody)),
        }
    }

    fn of_uid(&self, uid: u32, role: Role, owner: Option<Owner>) -> Caller {
        // A user without a name is called so by the command line, too.
        let owner = owner.or_else(|| Owner::new(format!("uid-{uid}")).ok());
        Caller::new(format!("uid:{uid}"), role, owner)
    }
}

fn of_certificate(grants: &BTreeMap<String, Grant>, names: &[String]) -> Option<Caller> {
    let (name, Grant { role, owner }) = names.iter().find_map(|name| grants.get_key_value(name))?;
    let owner = owner.clone().or_else(|| Owner::new(name.trim_start_matches("CN=")).ok());
    Some(Caller::new(format!("certificate:{name}"), *role, owner))
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn unknown(peer: &Peer) -> Box<Problem> {
    match peer {
        Peer::Network { certificate, .. } if !certificate.is_empty() => {
            let names = certificate.join(", ");
            let why = format!("a certificate was shown that access.certificates says nothing about: {names}");
            refused(why)
        }
        _ => refused("nothing shows who asks"),
    }
}

fn refused(why: impl Into<String>) -> Box<Problem> {
    let hint = "show a token, such as with VMPOOL_TOKEN or --token-file; `vmpool token create` makes one, for who may";
    Box::new(Problem::new(code::UNAUTHENTICATED, why).with_hint(hint))
}

#[cfg(test)]
mod tests;
