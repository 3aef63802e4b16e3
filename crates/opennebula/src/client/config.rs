//! Which server, as whom, and how long to wait.

use std::{env, ffi::OsString, fs, io, path::PathBuf, time::Duration};

use super::Session;
use crate::document::Limits;

/// Which server to call, as whom, and how long to wait.
///
/// ```
/// use vmpool_opennebula::client::{ClientConfig, Session};
/// let config = ClientConfig::new("https://one.example/RPC2", Session::of("ci", "hunter2"));
/// assert!(!format!("{config:?}").contains("hunter2"));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClientConfig {
    /// The address of the server, such as `http://one.example:2633/RPC2`.
    pub endpoint: String,
    /// Who calls.
    pub session: Session,
    /// How long a call may take in all, with the wait for a free connection. Default: 60 s.
    pub timeout: Duration,
    /// How long connecting may take. Default: 10 s.
    pub connect_timeout: Duration,
    /// How much an answer may hold.
    pub limits: Limits,
    /// A file with certificates in PEM that are trusted beside those that the system trusts: those of an authority, or the
    /// server's own, which may sign itself. Default: none.
    pub ca_file: Option<PathBuf>,
}

/// Says why calls cannot be prepared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The address is none of a server.
    #[error("the endpoint cannot be used: {reason}; it looks like http://one.example:2633/RPC2")]
    Endpoint {
        /// Why.
        reason: String,
    },
    /// The file with the session cannot be read.
    #[error("the session cannot be read from {}: {source}; put USER:PASSWORD there, or name another file in ONE_AUTH", path.display())]
    Session {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file with certificates cannot be used.
    #[error("the certificates to trust cannot be read from {}: {reason}; ca_file is a file in PEM", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// TLS cannot be prepared.
    #[error("TLS cannot be prepared: {reason}")]
    Tls {
        /// Why.
        reason: String,
    },
    /// There is no place where the session could be.
    #[error("there is no session: set ONE_AUTH to a file with USER:PASSWORD in it")]
    NoSession,
}

/// Where OpenNebula's own tools look for the server unless they are told.
const USUAL_ENDPOINT: &str = "http://localhost:2633/RPC2";

impl ClientConfig {
    /// Calls a server as somebody, with the usual patience.
    #[must_use]
    pub fn new(endpoint: impl Into<String>, session: Session) -> Self {
        Self {
            endpoint: endpoint.into(),
            session,
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            limits: Limits::default(),
            ca_file: None,
        }
    }

    /// Finds server and session as OpenNebula's own tools do.
    ///
    /// The server is in `ONE_XMLRPC`, else in the file `~/.one/one_endpoint`, else on this host; the session in the file that
    /// `ONE_AUTH` names, else in `~/.one/one_auth`.
    ///
    /// # Errors
    ///
    /// If there is no session.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_vars(|name| env::var_os(name).filter(|value| !value.is_empty()))
    }

    fn from_vars(var: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let in_home = || var("HOME").map(|home| PathBuf::from(home).join(".one/one_auth"));
        let path = var("ONE_AUTH").map(PathBuf::from).or_else(in_home);
        let session = Self::read_session(path.ok_or(ConfigError::NoSession)?)?;
        Ok(Self::new(endpoint(var), session))
    }

    /// Finds the server as [`from_env`](Self::from_env) does.
    #[must_use]
    pub fn endpoint_from_env() -> String {
        endpoint(|name| env::var_os(name).filter(|value| !value.is_empty()))
    }

    /// Reads a session from a file, as `one_auth` is.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn read_session(path: PathBuf) -> Result<Session, ConfigError> {
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Session::new(text)),
            Err(source) => Err(ConfigError::Session { path, source }),
        }
    }

    /// Trusts the certificates of a file, too, for an endpoint with `https://`.
    #[must_use]
    pub fn with_ca_file(self, ca_file: impl Into<PathBuf>) -> Self {
        Self { ca_file: Some(ca_file.into()), ..self }
    }

    /// Gives calls more or less time.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }
}

fn endpoint(var: impl Fn(&str) -> Option<OsString>) -> String {
    if let Some(endpoint) = var("ONE_XMLRPC") {
        return endpoint.to_string_lossy().into_owned();
    }
    let file = var("HOME").map(|home| PathBuf::from(home).join(".one/one_endpoint"));
    match file.and_then(|path| fs::read_to_string(path).ok()) {
        Some(text) => text.trim().to_owned(),
        None => USUAL_ENDPOINT.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(home: &std::path::Path, vars: &[(&str, &str)]) -> Result<ClientConfig, ConfigError> {
        ClientConfig::from_vars(|name| match name {
            "HOME" => Some(home.into()),
            _ => vars.iter().find(|(found, _)| *found == name).map(|(_, value)| value.into()),
        })
    }

    #[test]
    fn session_and_server_are_where_opennebulas_tools_look_for_them() {
        let home = tempfile::tempdir().unwrap();
        let missing = config(home.path(), &[]).unwrap_err().to_string();
        assert!(missing.contains(".one/one_auth") && missing.contains("ONE_AUTH"), "{missing}");

        fs::create_dir(home.path().join(".one")).unwrap();
        fs::write(home.path().join(".one/one_auth"), "ci:a:b\n").unwrap();
        let usual = config(home.path(), &[]).unwrap();
        assert_eq!((usual.endpoint.as_str(), usual.session.reveal()), (USUAL_ENDPOINT, "ci:a:b"));

        fs::write(home.path().join(".one/one_endpoint"), "http://elsewhere:2633/RPC2\n").unwrap();
        assert_eq!(config(home.path(), &[]).unwrap().endpoint, "http://elsewhere:2633/RPC2");

        let other = home.path().join("other");
        fs::write(&other, "root:secret").unwrap();
        let vars = [("ONE_AUTH", other.to_str().unwrap()), ("ONE_XMLRPC", "http://there/")];
        let named = config(home.path(), &vars).unwrap();
        assert_eq!((named.endpoint.as_str(), named.session.user()), ("http://there/", "root"));
    }
}
