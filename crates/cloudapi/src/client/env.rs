//! The variables and profiles that the tools of Triton use.

use std::path::PathBuf;

use vmpool_http::HttpConfig;

use super::{CloudApiConfig, ConfigError, KeySource, Profile};

/// The name of the profile that stands for the variables.
const ENV: &str = "env";

impl CloudApiConfig {
    /// Reads what the tools of Triton read, from the variables of this process and `~/.triton`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] says what is missing or cannot be used.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(&|name| std::env::var(name).ok())
    }

    /// Reads what the tools of Triton read, from given variables.
    ///
    /// `TRITON_PROFILE`, or else `~/.triton/config.json`, names a profile; without one, and with the profile `env`, the variables
    /// themselves are it: `TRITON_URL`, `TRITON_ACCOUNT`, `TRITON_USER`, `TRITON_KEY_ID`, `TRITON_ACT_AS`, `TRITON_ROLE` and
    /// `TRITON_TLS_INSECURE`, each also with `SDC_` in front. Where the address is in the variables, they win over the profile that
    /// `config.json` names. `SSH_AUTH_SOCK` is the agent, and `~/.ssh` the folder with keys.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] says what is missing or cannot be used.
    pub fn from_variables(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let either = |name: &str| get(&format!("TRITON_{name}")).or_else(|| get(&format!("SDC_{name}")));
        let home = get("HOME").map(PathBuf::from);
        let triton = home.as_ref().map(|home| home.join(".triton"));
        let named = match (get("TRITON_PROFILE"), &triton) {
            (Some(name), _) => Some(name),
            (None, Some(folder)) if either("URL").is_none() => Profile::current(folder)?,
            (None, _) => None,
        };
        let profile = match (named.as_deref(), &triton) {
            (None | Some(ENV), _) => from_variables(&either, &get)?,
            (Some(name), Some(folder)) => Profile::read(folder, name)?,
            (Some(_), None) => return Err(ConfigError::Missing { what: "the home folder", how: "HOME" }),
        };
        profile.into_config(get("SSH_AUTH_SOCK").map(PathBuf::from), home.map(|home| home.join(".ssh")))
    }
}

type Get<'a> = &'a dyn Fn(&str) -> Option<String>;

fn from_variables(either: Get<'_>, get: Get<'_>) -> Result<Profile, ConfigError> {
    let missing = |what, how| ConfigError::Missing { what, how };
    // The old variable means insecure whatever its text is; the new one only if it says so.
    let insecure = match get("TRITON_TLS_INSECURE").or_else(|| get("SDC_TLS_INSECURE")) {
        Some(text) => !matches!(text.to_ascii_lowercase().as_str(), "0" | "false" | "no"),
        None => get("SDC_TESTING").is_some(),
    };
    Ok(Profile {
        url: either("URL").ok_or_else(|| missing("the address of CloudAPI", "TRITON_URL or SDC_URL"))?,
        account: either("ACCOUNT").ok_or_else(|| missing("the account", "TRITON_ACCOUNT or SDC_ACCOUNT"))?,
        key_id: either("KEY_ID")
            .ok_or_else(|| missing("the fingerprint of the key", "TRITON_KEY_ID or SDC_KEY_ID"))?,
        user: either("USER"),
        insecure,
        act_as_account: either("ACT_AS"),
        roles: either("ROLE").map(|roles| roles.split(',').map(|role| role.trim().to_owned()).collect()),
    })
}

impl Profile {
    /// Makes a configuration of a profile; the key is looked for in the agent behind a socket and in a folder.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Invalid`] if the profile's `keyId` is no fingerprint.
    pub fn into_config(
        self,
        agent: Option<PathBuf>,
        folder: Option<PathBuf>,
    ) -> Result<CloudApiConfig, ConfigError> {
        let fingerprint = self.key_id.parse().map_err(|err: crate::sign::InvalidFingerprint| {
            ConfigError::Invalid { what: "the fingerprint of the key", reason: err.to_string() }
        })?;
        let key = KeySource::Find { fingerprint, agent, folder, passphrase: None };
        Ok(CloudApiConfig::new(self.url, self.account, key)
            .with_user(self.user)
            .with_act_as(self.act_as_account)
            .with_roles(self.roles.unwrap_or_default())
            .with_http(HttpConfig::default())
            .with_insecure(self.insecure))
    }
}
