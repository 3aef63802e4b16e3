//! How a VM is checked before it is leased.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How a VM is checked before it is leased.
///
/// ```
/// use vmpool_model::config::CheckConfig;
/// let check: CheckConfig = serde_json::from_str(r#"{"kind": "tcp", "port": 22}"#)?;
/// assert_eq!(check, CheckConfig::Tcp { port: 22 });
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum CheckConfig {
    /// A VM that runs and has an address is good enough.
    #[default]
    None,
    /// A TCP connection to one of its addresses must succeed.
    Tcp {
        /// The port.
        port: u16,
    },
    /// A command that is run on it with the host's `ssh` must answer as expected.
    Ssh(SshCheck),
    /// A `GET` over plain HTTP must be answered as expected.
    Http(HttpCheck),
    /// A command on the daemon's host, with the VM in its environment, must end with exit code 0.
    Exec {
        /// The command and its arguments; no shell is between.
        command: Vec<String>,
    },
}

/// A command that is run on the VM, as Copr's `echo hello`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct SshCheck {
    /// Whom to log in as. Default: what the configuration of `ssh` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The port. Default: 22.
    pub port: u16,
    /// The file of the private key. Default: what the configuration of `ssh` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<PathBuf>,
    /// The command. Default: `echo hello`.
    pub command: String,
    /// What it must print, but for white space at the end. Default: `hello`.
    pub expect: String,
    /// Whether the host key that the VM shows first is the only one taken from it ever after. Default: true.
    pub pin_host_key: bool,
}

impl Default for SshCheck {
    fn default() -> Self {
        Self {
            user: None,
            port: 22,
            identity: None,
            command: "echo hello".to_owned(),
            expect: "hello".to_owned(),
            pin_host_key: true,
        }
    }
}

/// A request that the VM must answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct HttpCheck {
    /// The port. Default: 80.
    pub port: u16,
    /// The path and query. Default: `/`.
    pub path: String,
    /// The status that the answer must have. Default: 200.
    pub status: u16,
    /// What the first 64 KiB of the answer's body must contain. Default: anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
}

impl Default for HttpCheck {
    fn default() -> Self {
        Self { port: 80, path: "/".to_owned(), status: 200, contains: None }
    }
}

/// When VMs that are ready are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckMode {
    /// Every `check_interval`; between two checks a ready VM is given at once.
    #[default]
    Periodic,
    /// When somebody wants it and its last check is older than `check_interval`, or older than the daemon's start.
    Lazy,
    /// Every `check_interval`, and none is given that was not checked since the daemon started, as Copr does.
    Strict,
}
