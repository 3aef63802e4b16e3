//! How a VM is checked before it is leased.

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
}
