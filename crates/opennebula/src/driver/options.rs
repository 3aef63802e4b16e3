//! The options of the driver.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::Deserialize;
use vmpool_driver::{DriverError, Operation};
use vmpool_model::{FailureKind, time::duration_text};

use crate::client::{ClientConfig, ConfigError, Session};

/// What a configuration may say under `options` of a provider with `driver = "opennebula"`.
///
/// Without any, server and account are found as OpenNebula's own tools find them.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct OpenNebulaOptions {
    /// The address of the server. Default: that of OpenNebula's own tools, see [`ClientConfig::from_env`].
    pub endpoint: Option<String>,
    /// Who calls, as `user:password` or `user:token`. Default: what is in `auth_file`.
    pub auth: Option<String>,
    /// The file with `user:password`. Default: that of OpenNebula's own tools.
    pub auth_file: Option<PathBuf>,
    /// A file with certificates in PEM to trust beside those of the system, see [`ClientConfig::ca_file`].
    pub ca_file: Option<PathBuf>,
    /// How long a call may take in all. Default: `60s`.
    #[serde(with = "duration_text")]
    pub timeout: Duration,
    /// Templates that are not on the server, by name, in OpenNebula's form: `CPU=1 MEMORY=512 …`.
    pub templates: BTreeMap<String, String>,
    /// After which time the server ends a new VM by itself unless it is told another time. Default: never.
    #[serde(with = "optional_duration")]
    pub first_expiry: Option<Duration>,
    /// After which time a VM with a token that is still on hold is let go by a listing. Default: `10s`.
    #[serde(with = "duration_text")]
    pub release_after: Duration,
    /// After which time a VM that is on its way to its end, and does not get there, is deleted when it is destroyed once more;
    /// that takes the right to administer it. Default: `15m`.
    #[serde(with = "duration_text")]
    pub stuck_after: Duration,
    /// Where `onehem` publishes what happens, such as `tcp://127.0.0.1:2101`; needs the feature `events`. Default: nobody
    /// listens.
    pub events: Option<String>,
}

impl Default for OpenNebulaOptions {
    fn default() -> Self {
        Self {
            endpoint: None,
            auth: None,
            auth_file: None,
            ca_file: None,
            timeout: Duration::from_secs(60),
            templates: BTreeMap::new(),
            first_expiry: None,
            release_after: Duration::from_secs(10),
            stuck_after: Duration::from_secs(900),
            events: None,
        }
    }
}

impl OpenNebulaOptions {
    /// Returns how to call the server.
    ///
    /// # Errors
    ///
    /// If there is no session.
    pub fn client_config(&self) -> Result<ClientConfig, ConfigError> {
        let session = match (&self.auth, &self.auth_file) {
            (Some(auth), _) => Some(Session::new(auth.as_str())),
            (None, Some(path)) => Some(ClientConfig::read_session(path.clone())?),
            (None, None) => None,
        };
        let config = match (session, &self.endpoint) {
            (Some(session), Some(endpoint)) => ClientConfig::new(endpoint.as_str(), session),
            (session, endpoint) => {
                let mut config = match session {
                    Some(session) => ClientConfig::new(ClientConfig::endpoint_from_env(), session),
                    None => ClientConfig::from_env()?,
                };
                if let Some(endpoint) = endpoint {
                    config.endpoint.clone_from(endpoint);
                }
                config
            }
        };
        Ok(ClientConfig { ca_file: self.ca_file.clone(), ..config }.with_timeout(self.timeout))
    }
}

impl OpenNebulaOptions {
    /// Returns where events are published, if somebody is to listen.
    #[cfg(feature = "events")]
    pub(super) fn events_endpoint(&self) -> Result<Option<crate::events::EventsEndpoint>, String> {
        let parse = |text: &String| text.parse().map_err(|err| format!("{err}"));
        self.events.as_ref().map(parse).transpose()
    }

    /// Checks whether one can listen where events are published.
    #[cfg(feature = "events")]
    pub(super) fn check_events(&self) -> Result<(), String> {
        self.events_endpoint().map(drop)
    }

    /// Checks that nobody is to listen: this build cannot.
    #[cfg(not(feature = "events"))]
    pub(super) fn check_events(&self) -> Result<(), String> {
        match self.events {
            None => Ok(()),
            Some(_) => Err("this build lacks the feature `events`".to_owned()),
        }
    }
}

/// Says that one cannot listen as the options have it.
pub(super) fn no_events(reason: String) -> DriverError {
    let err = DriverError::new(Operation::Open, FailureKind::InvalidRequest);
    err.with_context(format!("option events: {reason}"))
}

/// Shows no value of `auth`, nor the templates, which may hold passwords, too.
impl std::fmt::Debug for OpenNebulaOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenNebulaOptions")
            .field("endpoint", &self.endpoint)
            .field("auth_file", &self.auth_file)
            .field("ca_file", &self.ca_file)
            .field("timeout", &self.timeout)
            .field("templates", &self.templates.keys())
            .field("first_expiry", &self.first_expiry)
            .field("release_after", &self.release_after)
            .field("stuck_after", &self.stuck_after)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

/// A duration as text that may be missing.
mod optional_duration {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer};
    use vmpool_model::time::duration_text;

    #[derive(Deserialize)]
    struct Text(#[serde(with = "duration_text")] Duration);

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<Text>::deserialize(from)?.map(|text| text.0))
    }
}
