//! The part of a provider's configuration that only its driver understands.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What only the driver understands: endpoint, credentials, and the like.
///
/// It may hold secrets, so its `Debug` shows the names of the options and none of the values.
///
/// ```
/// use vmpool_model::config::DriverOptions;
/// let options: DriverOptions = serde_json::from_str(r#"{"password": "hunter2"}"#)?;
/// assert!(!format!("{options:?}").contains("hunter2"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DriverOptions(pub Map<String, Value>);

impl std::fmt::Debug for DriverOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DriverOptions")?;
        f.debug_set().entries(self.0.keys()).finish()
    }
}
