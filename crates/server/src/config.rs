//! The configuration of a daemon: one TOML file.

mod about;
mod access;
mod check;
mod commands;
mod daemon;
mod error;
mod guess;
mod place;
mod recover;
mod reference;
mod schema;
mod secrets;
mod shape;
mod tls;

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;
use vmpool::{
    driver::Registry,
    model::{
        InstallationId, PoolName, ProviderName,
        config::{LimitsConfig, PoolConfig, ProviderConfig, doubts},
    },
};

pub use self::{
    access::{AccessConfig, Grant},
    daemon::DaemonConfig,
    error::{ConfigError, ConfigProblem},
    reference::config_reference,
    schema::config_schema,
    tls::{ClientCertificates, TlsConfig},
};

/// The documented configuration that shows every key but the options of drivers, with its default.
pub const DEFAULT_CONFIG: &str = include_str!("../default.toml");

/// The configuration of a daemon.
///
/// [`DEFAULT_CONFIG`] shows every key but the options of drivers.
///
/// # Examples
///
/// ```
/// use vmpool_server::Config;
///
/// let text = r#"
/// [providers.lab]
/// driver = "dummy"
///
/// [pools.small]
/// provider = "lab"
/// template = "small"
/// sise = 2
/// "#;
/// let err = Config::parse(text, "vmpool.toml", &vmpool::drivers::builtin()).unwrap_err();
/// assert!(err.to_string().starts_with("vmpool.toml:8:1: pools.small.sise: unknown field `sise`, did you mean `size`?"));
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// The installation, whose id marks every node that the daemon creates; if absent, the one in the state directory,
    /// where the first start makes one up.
    #[serde(default)]
    pub installation: Option<InstallationId>,
    /// The daemon itself.
    #[serde(default)]
    pub daemon: DaemonConfig,
    /// Who may speak to the daemon without a token.
    #[serde(default)]
    pub access: AccessConfig,
    /// What owners may have over all pools.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// The providers, by name.
    #[serde(default)]
    pub providers: BTreeMap<ProviderName, ProviderConfig>,
    /// The pools, by name.
    #[serde(default)]
    pub pools: BTreeMap<PoolName, PoolConfig>,
}

impl Config {
    /// Makes the configuration of a daemon without providers and pools.
    #[must_use]
    pub fn new(daemon: DaemonConfig) -> Self {
        Self {
            installation: None,
            daemon,
            access: AccessConfig::default(),
            limits: LimitsConfig::default(),
            providers: BTreeMap::new(),
            pools: BTreeMap::new(),
        }
    }

    /// Reads and checks a file that is to be used on this host; relative paths of `daemon` count from the
    /// file's directory.
    ///
    /// Beyond what [`parse`](Self::parse) checks, the commands of hooks and checks must be there, and the certificates and keys of
    /// TLS must be good; a relative file with a secret
    /// counts from the file's directory, too.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names file, line, column and key of everything that does not fit.
    pub fn load(path: &Path, registry: &Registry) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { file: path.to_owned(), source })?;
        let file = path.display().to_string();
        let mut config = Self::read(&text, &file, registry, path.parent(), |config, places| {
            let files = tls::problems(config, places, path.parent());
            commands::problems(config, places).into_iter().chain(files).collect()
        })?;
        if let Some(directory) = path.parent() {
            let state_dir = directory.join(&config.daemon.state_dir);
            config.daemon.state_dir = std::path::absolute(&state_dir).unwrap_or(state_dir);
            for file in config.daemon.files_mut() {
                let found = directory.join(&*file);
                *file = std::path::absolute(&found).unwrap_or(found);
            }
        }
        Ok(config)
    }

    /// Reads and checks a text; `file` is its name in errors.
    ///
    /// The options of each driver are checked, too, without any request to its cloud; whether commands are there is not.
    /// Secrets are read from where the text says they are; a relative file counts from the current directory.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Invalid`], which names line, column and key of everything that does not fit.
    pub fn parse(text: &str, file: &str, registry: &Registry) -> Result<Self, ConfigError> {
        Self::read(text, file, registry, None, |_, _| Vec::new())
    }

    fn read(
        text: &str,
        file: &str,
        registry: &Registry,
        directory: Option<&Path>,
        more: impl FnOnce(&Self, &place::Places<'_>) -> Vec<ConfigProblem>,
    ) -> Result<Self, ConfigError> {
        let invalid = |problems| ConfigError::Invalid { file: file.to_owned(), problems };
        let places = place::Places::parse(text).map_err(invalid)?;
        let (config, mut problems) = recover::read(&places);
        let Some(mut config) = config else { return Err(invalid(problems)) };
        let (broken, mut others) = (problems.clone(), secrets::resolve(&mut config, &places, directory));
        others.extend(tls::misfits(&config, &places));
        others.extend(check::problems(&config, &places, registry));
        others.extend(more(&config, &places));
        problems.extend(others.into_iter().filter(|problem| recover::is_of_its_own(problem, &broken)));
        problems.sort_by_key(|problem| (problem.line, problem.column));
        match problems.is_empty() {
            true => Ok(config),
            false => Err(invalid(problems)),
        }
    }

    /// Returns what is allowed but hardly meant, one line each.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let advice = "`vmpool config default` shows how to write one";
        let mut warnings = self.access_warnings();
        warnings.extend(match (self.providers.is_empty(), self.pools.is_empty()) {
            (true, _) => vec![format!("there is no provider, so no VM can be made or leased; {advice}")],
            (false, true) => vec![format!("there is no pool, so no VM can be leased; {advice}")],
            (false, false) => {
                doubts(&self.pools, &self.providers, &self.limits).iter().map(ToString::to_string).collect()
            }
        });
        warnings
    }

    fn access_warnings(&self) -> Vec<String> {
        let DaemonConfig { listen, tls, .. } = &self.daemon;
        let mut warnings = Vec::new();
        if !listen.ip().is_loopback() && tls.is_none() {
            warnings.push(format!(
                "daemon.listen is {listen}, which others reach, and what travels there is in clear, tokens included: set \
                 [daemon.tls], or let only a proxy that speaks TLS reach it"
            ));
        }
        let asks = tls.as_ref().is_some_and(|tls| {
            tls.client_ca_file.is_some() && tls.client_certificates != ClientCertificates::Off
        });
        if !asks && !self.access.certificates.is_empty() {
            warnings.push(
                "access.certificates has no effect: nobody is asked for a certificate without daemon.tls.client_ca_file"
                    .to_owned(),
            );
        }
        warnings
    }
}

/// Makes one line of a message that the parser wrote in several.
fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
