//! [`NodeState`] as text: display, parsing and serde.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::NodeState;

/// The text is not the name of a [`NodeState`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a node state; the states are: {}", NodeState::ALL.map(NodeState::as_str).join(", "))]
pub struct ParseNodeStateError {
    /// The text as it was given.
    pub text: String,
}

impl NodeState {
    /// Returns the state of a text that another program wrote; a text that is no state is [`NodeState::Unknown`].
    ///
    /// What a person typed goes through [`FromStr`] instead, which tells what the states are.
    ///
    /// # Examples
    ///
    /// ```
    /// use vmpool_model::states::NodeState;
    ///
    /// assert_eq!(NodeState::from_text("running"), NodeState::Running);
    /// assert_eq!(NodeState::from_text("levitating"), NodeState::Unknown);
    /// assert!("levitating".parse::<NodeState>().is_err());
    /// ```
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        text.parse().unwrap_or(Self::Unknown)
    }
}

impl fmt::Display for NodeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for NodeState {
    type Err = ParseNodeStateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| ParseNodeStateError { text: text.to_owned() })
    }
}

impl Serialize for NodeState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Reads leniently, as [`NodeState::from_text`] does: a state of a newer version is [`NodeState::Unknown`].
impl<'de> Deserialize<'de> for NodeState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::from_text(&text))
    }
}
