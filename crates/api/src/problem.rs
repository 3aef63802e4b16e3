//! What went wrong, as RFC 9457 wants it.

use serde::{Deserialize, Serialize};

use crate::{
    code::{self, Code},
    exit,
};

/// What went wrong: the body of every answer whose status is 400 or above.
///
/// Source: RFC 9457, Problem Details for HTTP APIs; `code`, `hint`, `may_have_happened` and `places` are extensions.
///
/// # Examples
///
/// ```
/// use vmpool_api::{Problem, code, exit};
///
/// let problem = Problem::new(code::UNKNOWN_LEASE, "there is no lease 7").with_hint("acquire a VM again");
/// assert_eq!(problem.status, 404);
/// assert_eq!(problem.exit_code(), exit::NOT_FOUND);
/// assert_eq!(problem.to_string(), "there is no lease 7; acquire a VM again");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Problem {
    /// A URN made of the code.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// What the code means.
    #[serde(default)]
    pub title: String,
    /// The HTTP status.
    #[serde(default)]
    pub status: u16,
    /// What happened here.
    #[serde(default)]
    pub detail: String,
    /// The code, for programs; see [`code`].
    #[serde(default)]
    pub code: String,
    /// What to do next, if there is something to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whether what was asked may have happened all the same.
    #[serde(default)]
    pub may_have_happened: bool,
    /// Everything that does not fit, if it is a configuration that does not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
}

/// One thing in a configuration that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Place {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The key, such as `pools.small.size`; empty if no key is there.
    pub key: String,
    /// Why it does not fit, and what is allowed.
    pub reason: String,
}

impl Problem {
    /// Makes a problem that certainly changed nothing.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:vmpool:problem:{}", code.text),
            title: code.title.to_owned(),
            status: code.status,
            detail: detail.into(),
            code: code.text.to_owned(),
            hint: None,
            may_have_happened: false,
            places: Vec::new(),
        }
    }

    /// Says what to do next.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Says whether what was asked may have happened all the same.
    #[must_use]
    pub fn with_may_have_happened(self, may_have_happened: bool) -> Self {
        Self { may_have_happened, ..self }
    }

    /// Says where a configuration does not fit.
    #[must_use]
    pub fn with_places(self, places: Vec<Place>) -> Self {
        Self { places, ..self }
    }

    /// Returns whether the problem has this code.
    #[must_use]
    pub fn is(&self, code: Code) -> bool {
        self.code == code.text
    }

    /// Returns what a command line exits with; a code of a newer daemon is judged by its HTTP status.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match (code::find(&self.code), self.status) {
            (Some(code), _) => code.exit,
            (None, 404) => exit::NOT_FOUND,
            (None, 400..500) => exit::REFUSED,
            (None, _) => exit::DAEMON,
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.detail.is_empty() { &self.title } else { &self.detail })?;
        if self.may_have_happened {
            f.write_str(" (it may have happened)")?;
        }
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}
