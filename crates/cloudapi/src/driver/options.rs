//! What the driver can be told in a configuration.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use secrecy::SecretString;
use serde::Deserialize;
use vmpool_http::{HttpConfig, Tls};
use vmpool_model::time::duration_text;

use crate::{CloudApiConfig, ConfigError, KeySource, Profile, sign::RsaHash};

/// What the driver can be told; its `Debug` shows no secret.
///
/// With `url` everything is said here; with `profile` it comes from a profile of the tools of Triton; with neither, it comes
/// from the variables `TRITON_*` and `SDC_*` of the process, or the profile in use.
///
/// ```
/// use vmpool_cloudapi::CloudApiOptions;
/// let options: CloudApiOptions = serde_json::from_str(r#"{
///     "url": "https://cloudapi.example.com", "account": "ops", "key_file": "/etc/vmpool/key",
///     "templates": {"small": {"package": "sample-1G", "image": "2b683a82-a066-11e3-97ab-2faa44701c5a"}}
/// }"#)?;
/// assert!(options.templates.contains_key("small"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct CloudApiOptions {
    /// The address of CloudAPI.
    pub url: Option<String>,
    /// The login of the account.
    pub account: Option<String>,
    /// The login of the user below the account. Default: none.
    pub user: Option<String>,
    /// The account whose machines are worked on. Default: the same.
    pub act_as: Option<String>,
    /// The roles to take up. Default: the caller's own.
    pub roles: Vec<String>,
    /// A profile of the tools of Triton, instead of an address.
    pub profile: Option<String>,
    /// The file with the private key.
    pub key_file: Option<PathBuf>,
    /// The fingerprint of the key, which is then looked for in the ssh-agent and `~/.ssh`.
    pub key_id: Option<String>,
    /// What opens the key, if it is encrypted. Default: none.
    pub passphrase: Option<SecretString>,
    /// The file whose first line opens the key. Default: none.
    pub passphrase_file: Option<PathBuf>,
    /// Whether any certificate is trusted. Default: false, or what the profile says.
    pub insecure: Option<bool>,
    /// A file with certificates in PEM that are trusted, too. Default: none.
    pub ca_file: Option<PathBuf>,
    /// Whether signatures with an RSA key use SHA-512. Default: false, SHA-256.
    pub rsa_sha512: bool,
    /// Which versions of CloudAPI are understood. Default: `~9||~8||~7`.
    pub accept_version: Option<String>,
    /// How long a request may take. Default: 60 s.
    #[serde(with = "duration_text")]
    pub timeout: Duration,
    /// How long connecting may take. Default: 10 s.
    #[serde(with = "duration_text")]
    pub connect_timeout: Duration,
    /// Whether the driver listens to the changefeed, if the data center has one; needs the feature `events`. Default: false.
    pub events: bool,
    /// What pools make their machines from, by name.
    pub templates: BTreeMap<String, Template>,
}

/// What machines of a pool are made from; its `Debug` shows no metadata.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Template {
    /// The package, by its id or name.
    pub package: Option<String>,
    /// The image, by its id.
    pub image: Option<String>,
    /// The networks, by their ids. Default: one outside and one inside, as the server chooses.
    pub networks: Vec<String>,
    /// Rules about where machines run. Default: none.
    pub affinity: Vec<String>,
    /// Tags of the machines. Default: none.
    pub tags: BTreeMap<String, String>,
    /// Metadata of the machines, such as `user-script`. Default: none.
    pub metadata: BTreeMap<String, String>,
    /// Whether the firewall of the machines is on. Default: as the server has it.
    pub firewall: Option<bool>,
}

impl Default for CloudApiOptions {
    fn default() -> Self {
        let http = HttpConfig::default();
        Self {
            url: None,
            account: None,
            user: None,
            act_as: None,
            roles: Vec::new(),
            profile: None,
            key_file: None,
            key_id: None,
            passphrase: None,
            passphrase_file: None,
            insecure: None,
            ca_file: None,
            rsa_sha512: false,
            accept_version: None,
            timeout: http.timeout,
            connect_timeout: http.connect_timeout,
            events: false,
            templates: BTreeMap::new(),
        }
    }
}

impl CloudApiOptions {
    /// Returns the first option that does not fit, and why.
    pub(super) fn problem(&self) -> Option<(String, String)> {
        let found = |place: &str, reason: &str| Some((place.to_owned(), reason.to_owned()));
        if self.url.is_some() && self.profile.is_some() {
            return found("profile", "an address is given, too: give one of them");
        }
        if self.url.is_some() && self.account.is_none() {
            return found("account", "it is missing beside the address");
        }
        if self.url.is_some() && self.key_file.is_none() && self.key_id.is_none() {
            return found("key_file", "it is missing beside the address; or give key_id to find the key by");
        }
        if self.passphrase.is_some() && self.passphrase_file.is_some() {
            return found("passphrase_file", "the passphrase is given, too: give one of them");
        }
        if self.events && cfg!(not(feature = "events")) {
            return found("events", "this build lacks the feature `events`");
        }
        if let Some(id) = &self.key_id
            && id.parse::<crate::sign::Fingerprint>().is_err()
        {
            return found("key_id", "it is no fingerprint of a key, such as 52:f6:8c:… or SHA256:Kw4L…");
        }
        let incomplete = |template: &Template| template.package.is_none() || template.image.is_none();
        let template = self.templates.iter().find(|(_, template)| incomplete(template));
        template.map(|(name, _)| (format!("templates.{name}"), "it needs a package and an image".to_owned()))
    }

    /// Returns what the data center is reached with.
    pub(super) fn config(
        &self,
        variables: &dyn Fn(&str) -> Option<String>,
    ) -> Result<CloudApiConfig, ConfigError> {
        let home = variables("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        let agent = variables("SSH_AUTH_SOCK").filter(|path| !path.is_empty()).map(PathBuf::from);
        let ssh = home.as_ref().map(|home| home.join(".ssh"));
        let passphrase = self.passphrase()?;
        let mut config = match (&self.url, &self.profile) {
            (Some(url), _) => {
                let account = self.account.clone().unwrap_or_default();
                let key = KeySource::File { path: PathBuf::new(), passphrase: None };
                CloudApiConfig::new(url, account, key)
            }
            (None, Some(name)) => {
                let home = home.ok_or(ConfigError::Missing { what: "the home folder", how: "HOME" })?;
                Profile::read(&home.join(".triton"), name)?.into_config(agent.clone(), ssh.clone())?
            }
            (None, None) => CloudApiConfig::from_variables(variables)?,
        };
        if let Some(path) = &self.key_file {
            config.key = KeySource::File { path: path.clone(), passphrase: passphrase.clone() };
        } else if let Some(id) = &self.key_id {
            let fingerprint = id.parse().map_err(|err: crate::sign::InvalidFingerprint| {
                ConfigError::Invalid { what: "key_id", reason: err.to_string() }
            })?;
            config.key = KeySource::Find { fingerprint, agent, folder: ssh, passphrase: None };
        }
        if let (KeySource::Find { passphrase: opens, .. }, Some(passphrase)) = (&mut config.key, passphrase) {
            *opens = Some(passphrase);
        }
        config.account = self.account.clone().unwrap_or(config.account);
        config.user = self.user.clone().or(config.user);
        config.act_as = self.act_as.clone().or(config.act_as);
        config.accept_version = self.accept_version.clone().unwrap_or(config.accept_version);
        if !self.roles.is_empty() {
            config.roles.clone_from(&self.roles);
        }
        if self.rsa_sha512 {
            config.rsa_hash = RsaHash::Sha512;
        }
        let tls = match (self.insecure, &self.ca_file) {
            (Some(true), _) => Tls::Insecure,
            (_, Some(file)) => Tls::Also(read("ca_file", file)?),
            (Some(false), None) => Tls::System,
            (None, None) => config.http.tls.clone(),
        };
        config.http =
            config.http.with_tls(tls).with_timeout(self.timeout).with_connect_timeout(self.connect_timeout);
        Ok(config)
    }

    fn passphrase(&self) -> Result<Option<SecretString>, ConfigError> {
        let Some(file) = &self.passphrase_file else { return Ok(self.passphrase.clone()) };
        let text = read("passphrase_file", file)?;
        let text = String::from_utf8_lossy(&text);
        Ok(Some(SecretString::from(text.lines().next().unwrap_or_default())))
    }
}

fn read(what: &'static str, file: &PathBuf) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(file)
        .map_err(|err| ConfigError::Invalid { what, reason: format!("{}: {err}", file.display()) })
}

impl fmt::Debug for CloudApiOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudApiOptions")
            .field("account", &self.account)
            .field("templates", &self.templates)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template")
            .field("package", &self.package)
            .field("image", &self.image)
            .finish_non_exhaustive()
    }
}
