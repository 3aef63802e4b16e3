//! Speaking to a provider of a configuration, without a daemon.

use std::{error::Error, path::Path, sync::Arc};

use vmpool_api::exit;
use vmpool_server::{
    Config,
    driver::{Driver, DriverError, OpenError},
    drivers,
    model::{FailureKind, Node, NodeId, ProviderName, config::ProviderConfig},
};

use crate::{args::At, failure::Failure, serve::load};

/// A provider whose driver is open.
#[derive(Debug)]
pub(crate) struct Local {
    /// The whole configuration.
    pub(crate) config: Config,
    /// The provider.
    pub(crate) name: ProviderName,
    /// Its driver, with the usual layers around it.
    pub(crate) driver: Arc<dyn Driver>,
}

impl Local {
    /// Reads the configuration and opens the driver.
    pub(crate) async fn open(at: &At) -> Result<Self, Failure> {
        let config = load(&at.config)?;
        let name = choose(&config, at.provider.as_deref(), &at.config)?;
        let provider = config.providers.get(&name).ok_or_else(|| no_provider(&config, name.as_str()))?;
        let driver = open(&name, provider).await.map_err(|err| not_open(&name, &err))?;
        Ok(Self { config, name, driver })
    }

    /// Finds a node by its id, or else by its name, which no other node may have.
    pub(crate) async fn find(&self, wanted: &str) -> Result<Node, Failure> {
        let failed = |err: DriverError| self.failed(&err);
        if let Ok(id) = NodeId::new(wanted) {
            match self.driver.get(&id).await {
                Ok(node) => return Ok(node),
                Err(err) if err.is_not_found() || err.kind() == FailureKind::InvalidRequest => {}
                Err(err) => return Err(failed(err)),
            }
        }
        let listing = self.driver.list().await.map_err(failed)?;
        let mut named = listing.nodes.into_iter().filter(|node| node.name == wanted);
        match (named.next(), named.next(), listing.incomplete) {
            // A node that the listing lacks may have the name, too.
            (Some(node), None, None) => Ok(node),
            (Some(one), Some(other), _) => Err(Failure::new(
                exit::REFUSED,
                format!(
                    "several nodes of provider {} are called {wanted}, such as {} and {}",
                    self.name, one.id, other.id
                ),
            )
            .with_hint("give the id of one")),
            (Some(node), None, Some(why)) => Err(Failure::new(
                exit::REFUSED,
                format!(
                    "node {} is called {wanted}, and others may be: the listing is partial: {why}",
                    node.id
                ),
            )
            .with_hint("give its id")),
            (None, _, incomplete) => {
                let partial =
                    incomplete.map(|why| format!("; the listing is partial: {why}")).unwrap_or_default();
                let message = format!("there is no node {wanted} at provider {}{partial}", self.name);
                Err(Failure::new(exit::NOT_FOUND, message).with_hint("`vmpool node ls` lists them"))
            }
        }
    }

    /// Says to which pool a node belongs, if it carries a token.
    pub(crate) fn belongs(&self, node: &Node) -> Option<String> {
        let token = node.token.as_ref()?;
        let (pool, vm) = (&token.pool, &token.vm);
        Some(match &self.config.installation {
            Some(ours) if *ours == token.installation => format!("pool {pool}, VM {vm}"),
            Some(_) => format!("pool {pool} of another installation, {}, VM {vm}", token.installation),
            None => format!("pool {pool} of installation {}, VM {vm}", token.installation),
        })
    }

    /// Says that a call failed.
    pub(crate) fn failed(&self, err: &DriverError) -> Failure {
        let code = match err.kind() {
            FailureKind::NotFound => exit::NOT_FOUND,
            FailureKind::InvalidState | FailureKind::Unsupported | FailureKind::InvalidRequest => {
                exit::REFUSED
            }
            _ => exit::PROVIDER,
        };
        let failure = Failure::new(code, format!("provider {}: {}", self.name, story(err)));
        match code {
            exit::PROVIDER => failure.with_hint(format!("`vmpool provider check {}` says more", self.name)),
            _ => failure,
        }
    }
}

/// Opens the driver of a provider with the usual layers.
pub(crate) async fn open(
    name: &ProviderName,
    provider: &ProviderConfig,
) -> Result<Arc<dyn Driver>, OpenError> {
    drivers::open(&drivers::builtin(), name, provider).await
}

fn choose(config: &Config, wanted: Option<&str>, file: &Path) -> Result<ProviderName, Failure> {
    let mut names = config.providers.keys();
    match (wanted, names.next(), names.next()) {
        (Some(wanted), ..) => match config.providers.keys().find(|name| name.as_str() == wanted) {
            Some(name) => Ok(name.clone()),
            None => Err(no_provider(config, wanted)),
        },
        (None, Some(only), None) => Ok(only.clone()),
        (None, None, _) => {
            let message = format!("{} has no provider", file.display());
            Err(Failure::new(exit::CONFIG, message)
                .with_hint("`vmpool config default` shows how to write one"))
        }
        (None, Some(_), Some(_)) => {
            let message = format!("{} has several providers: {}", file.display(), known(config));
            Err(Failure::new(exit::USAGE, message).with_hint("choose one with --provider"))
        }
    }
}

/// Says that there is no such provider, and which there are.
pub(crate) fn no_provider(config: &Config, wanted: &str) -> Failure {
    let message = format!("there is no provider {wanted}; the providers are {}", known(config));
    Failure::new(exit::NOT_FOUND, message)
}

fn known(config: &Config) -> String {
    config.providers.keys().map(ProviderName::as_str).collect::<Vec<_>>().join(", ")
}

fn not_open(name: &ProviderName, err: &OpenError) -> Failure {
    let failure = Failure::new(exit::PROVIDER, format!("provider {name}: {}", story(err)));
    match err {
        OpenError::InUse(_) => failure.with_hint("stop the daemon that uses it, or ask that: `vmpool vm ls`"),
        _ => failure.with_hint(format!("`vmpool provider check {name}` says more")),
    }
}

/// Tells an error with all that caused it, each once.
pub(crate) fn story(err: &dyn Error) -> String {
    let mut told = err.to_string();
    let mut cause = err.source();
    while let Some(err) = cause {
        let text = err.to_string();
        if !told.contains(&text) {
            told = format!("{told}: {text}");
        }
        cause = err.source();
    }
    told
}
