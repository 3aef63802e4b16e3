//! Finding a driver by its name, and making it of its configuration.

use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::Value;
use vmpool_model::{ProviderName, config::DriverOptions};

use crate::{Driver, DriverError};

/// How a driver that must wait does so: drivers know no runtime, so whoever opens them brings the wait.
///
/// Only a simulated cloud has a reason to wait.
pub type Pause = Arc<dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// What a factory gets besides the options.
#[derive(Clone)]
#[non_exhaustive]
pub struct FactoryContext {
    /// The provider that the driver is opened for.
    pub provider: ProviderName,
    /// How to wait, if the opener offers it.
    pub pause: Option<Pause>,
}

impl FactoryContext {
    /// Opens a driver for a provider.
    #[must_use]
    pub fn new(provider: ProviderName) -> Self {
        Self { provider, pause: None }
    }

    /// Offers a way to wait.
    #[must_use]
    pub fn with_pause(self, pause: Pause) -> Self {
        Self { pause: Some(pause), ..self }
    }
}

impl std::fmt::Debug for FactoryContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FactoryContext").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// Makes drivers of one kind.
#[async_trait]
pub trait DriverFactory: std::fmt::Debug + Send + Sync + 'static {
    /// Returns the name by which configurations choose this kind, such as `dummy`.
    fn name(&self) -> &'static str;

    /// Checks options without opening anything; no request is made.
    ///
    /// # Errors
    ///
    /// [`OpenError::Options`], which names the place.
    fn check(&self, options: &DriverOptions) -> Result<(), OpenError>;

    /// Makes a driver of its options.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the options do not fit or the cloud cannot be used.
    async fn open(
        &self,
        context: FactoryContext,
        options: &DriverOptions,
    ) -> Result<Arc<dyn Driver>, OpenError>;
}

/// Says why a driver could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No driver has that name.
    #[error("there is no driver {name:?}; the drivers are {}", .known.join(", "))]
    UnknownDriver {
        /// The name that was asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// The options do not fit.
    #[error("option {place}: {reason}")]
    Options {
        /// The option, as a path such as `faults.lost_answers`; `.` is the options as a whole.
        place: String,
        /// Why it does not fit.
        reason: String,
    },
    /// Something that the driver needs for itself alone is in use: by another process, or by a driver that is open. One of
    /// a provider whose options change cannot be opened anew then as long as the program runs.
    #[error("{0}")]
    InUse(String),
    /// The cloud cannot be used.
    #[error(transparent)]
    Driver(#[from] DriverError),
}

impl OpenError {
    /// Reads options into a driver's own type and names the place of what does not fit.
    ///
    /// # Errors
    ///
    /// [`OpenError::Options`].
    pub fn parse<T: DeserializeOwned>(options: &DriverOptions) -> Result<T, Self> {
        let value = Value::Object(options.0.clone());
        serde_path_to_error::deserialize(value).map_err(|err| Self::Options {
            place: err.path().to_string(),
            reason: without_texts(&without_value(&err.inner().to_string()), options.0.values()),
        })
    }
}

/// Takes every text of the options out of a message that quotes it.
fn without_texts<'a>(message: &str, options: impl Iterator<Item = &'a Value>) -> String {
    options.fold(message.to_owned(), |message, option| match option {
        Value::String(text) if !text.is_empty() => message.replace(&format!("{text:?}"), "the value"),
        Value::Array(values) => without_texts(&message, values.iter()),
        Value::Object(values) => without_texts(&message, values.values()),
        _ => message,
    })
}

/// Takes the value out of a parser's message, which quotes it: an option may be a secret.
fn without_value(message: &str) -> String {
    let quoting = ["invalid type: ", "invalid value: "];
    let Some(start) = quoting.iter().find(|start| message.starts_with(**start)) else {
        return message.to_owned();
    };
    let (found, expected) =
        message[start.len()..].rsplit_once(", expected ").unwrap_or((&message[start.len()..], ""));
    let kind = found.split(['`', '"']).next().unwrap_or_default().trim_end();
    let what = format!("{start}{kind}");
    match expected {
        "" => what.trim_end().to_owned(),
        expected => format!("{}, expected {expected}", what.trim_end()),
    }
}

/// The kinds of drivers that a program has; a value, not a global.
///
/// ```
/// use vmpool_driver::{OpenError, Registry};
/// let registry = Registry::new();
/// let Err(OpenError::UnknownDriver { name, .. }) = registry.get("no-such") else { panic!() };
/// assert_eq!(name, "no-such");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Registry {
    factories: BTreeMap<&'static str, Arc<dyn DriverFactory>>,
}

impl Registry {
    /// Makes an empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind of driver; one of the same name is replaced.
    #[must_use]
    pub fn with(mut self, factory: Arc<dyn DriverFactory>) -> Self {
        self.factories.insert(factory.name(), factory);
        self
    }

    /// Returns the names of all kinds, sorted.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.factories.keys().copied()
    }

    /// Finds a kind by its name.
    ///
    /// # Errors
    ///
    /// [`OpenError::UnknownDriver`], which lists the known names.
    pub fn get(&self, name: &str) -> Result<&Arc<dyn DriverFactory>, OpenError> {
        match self.factories.get(name) {
            Some(factory) => Ok(factory),
            None => Err(OpenError::UnknownDriver {
                name: name.to_owned(),
                known: self.names().map(str::to_owned).collect(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Login {
        #[expect(dead_code, reason = "only the failure to read it matters")]
        port: u16,
    }

    fn reason(json: &str) -> String {
        let options: DriverOptions = serde_json::from_str(json).unwrap();
        OpenError::parse::<Login>(&options).unwrap_err().to_string()
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named_by_its_place_and_never_shown() {
        let shown = reason(r#"{"port": "hunter2, expected \"nothing"}"#);
        assert_eq!(shown, "option port: invalid type: string, expected u16");
    }

    #[test]
    fn a_number_that_does_not_fit_is_not_shown_either() {
        assert_eq!(reason(r#"{"port": 123456789}"#), "option port: invalid value: integer, expected u16");
    }

    #[test]
    fn a_text_that_an_option_refuses_in_its_own_words_is_not_shown() {
        #[derive(Debug, serde::Deserialize)]
        struct Slow {
            #[expect(dead_code, reason = "only the failure to read it matters")]
            #[serde(with = "vmpool_model::time::duration_text")]
            latency: Duration,
        }
        let options: DriverOptions = serde_json::from_str(r#"{"latency": "hunter2"}"#).unwrap();
        let shown = OpenError::parse::<Slow>(&options).unwrap_err().to_string();
        assert!(shown.starts_with("option latency: the value is not a duration"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn a_missing_option_is_named() {
        assert_eq!(reason("{}"), "option .: missing field `port`");
    }
}
