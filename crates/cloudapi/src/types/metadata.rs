//! Metadata, which may hold secrets: scripts and passwords.

use std::{collections::BTreeMap, fmt};

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

/// The metadata of a machine; its `Debug` shows the keys alone.
#[derive(Clone, PartialEq, Default)]
pub struct Metadata {
    entries: BTreeMap<String, Value>,
    credentials: BTreeMap<String, Value>,
}

/// The passwords of a machine, by login.
pub type Credentials = BTreeMap<String, SecretString>;

impl Metadata {
    /// Returns a value, if it is a text.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.entries.get(key)?.as_str()
    }

    /// Returns a value.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries.get(key)
    }

    /// Returns the keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Returns how many entries there are, the passwords not counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the passwords; there are none unless they were asked for.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.credentials
            .iter()
            .map(|(login, value)| (login.clone(), SecretString::from(text(value))))
            .collect()
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut entries = <Option<BTreeMap<String, Value>>>::deserialize(deserializer)?.unwrap_or_default();
        let credentials = match entries.remove("credentials") {
            None | Some(Value::Null) => BTreeMap::new(),
            Some(Value::Object(credentials)) => credentials.into_iter().collect(),
            // The same, packed into a text, which is how they are given.
            Some(Value::String(text)) => {
                serde_json::from_str(&text).map_err(|_| D::Error::custom("credentials that are no map"))?
            }
            Some(_) => return Err(D::Error::custom("credentials that are no map")),
        };
        Ok(Self { entries, credentials })
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.entries.keys()).finish()
    }
}
