//! What is wrong with a configuration, and where.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use vmpool_api::exit;

use super::place::Places;

/// Says why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something in it does not fit.
    #[error("{}", lines(.file, .problems))]
    Invalid {
        /// The name of the file.
        file: String,
        /// What does not fit; never empty.
        problems: Vec<ConfigProblem>,
    },
}

impl ConfigError {
    /// Says that the value of a key such as `daemon.log` does not fit, with its place in the file, which is read for it.
    #[must_use]
    pub fn of_value(file: &Path, key: &str, reason: impl Into<String>) -> Self {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(source) => return Self::Read { file: file.to_owned(), source },
        };
        let problems = match Places::parse(&text) {
            Ok(places) => vec![places.value_of(key).problem(reason)],
            Err(problems) => problems,
        };
        Self::Invalid { file: file.display().to_string(), problems }
    }

    /// Returns what a command line exits with; see [`exit`].
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        exit::CONFIG
    }

    /// Returns what does not fit; empty if the file could not be read.
    #[must_use]
    pub fn problems(&self) -> &[ConfigProblem] {
        match self {
            Self::Read { .. } => &[],
            Self::Invalid { problems, .. } => problems,
        }
    }
}

/// One thing in a configuration that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigProblem {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The key, such as `pools.small.size`; empty if no key is there.
    pub key: String,
    /// Why it does not fit, and what is allowed.
    pub reason: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.reason)
    }
}

fn lines(file: &str, problems: &[ConfigProblem]) -> String {
    problems.iter().map(|problem| format!("{file}:{problem}")).collect::<Vec<_>>().join("\n")
}
