//! A shell on a node.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use vmpool_model::format_duration;

/// A shell on a node, as the user that was logged in; relative paths begin at that user's home.
///
/// Source: libcloud's `BaseSSHClient`.
#[async_trait]
pub trait Shell: fmt::Debug + Send + Sync {
    /// Writes a file as a whole, with this mode, and replaces one that is there.
    ///
    /// # Errors
    ///
    /// [`ShellError`]; a file that was there is as it was.
    async fn put(&self, path: &str, mode: u32, content: &[u8]) -> Result<(), ShellError>;

    /// Runs a command line in a POSIX shell and returns what it wrote and how it ended, whatever its exit code is.
    ///
    /// # Errors
    ///
    /// [`ShellError`] if it is not known how the command ended.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the command may go on.
    async fn run(&self, command: &str) -> Result<ShellOutput, ShellError>;

    /// Deletes a file; it is fine if there is none.
    ///
    /// # Errors
    ///
    /// [`ShellError`].
    async fn delete(&self, path: &str) -> Result<(), ShellError>;
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ShellOutput {
    /// Its exit code; a signal counts as 128 and its number.
    pub exit: i32,
    /// What it wrote to its standard output.
    pub stdout: String,
    /// What it wrote to its standard error.
    pub stderr: String,
}

/// Says why something did not work in a shell, which decides whether it is tried again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShellError {
    /// There is no shell: the deployment was begun without a connection.
    #[error("there is no shell on the node: give the options of the deployment a connection")]
    None,
    /// The session ended before it was known how it went; a new one is opened for another try.
    #[error("{what} failed: the session was lost: {reason}")]
    Lost {
        /// What was tried.
        what: String,
        /// What is known.
        reason: String,
    },
    /// It took too long; it is not tried again, because it may still be going on.
    #[error("{what} failed: it was not done after {}", format_duration(*.after))]
    TimedOut {
        /// What was tried.
        what: String,
        /// How long it was given.
        after: Duration,
    },
    /// The command ended with an exit code other than 0.
    #[error("{what} failed: exit code {exit}{}", tail(.stderr))]
    Failed {
        /// What was tried.
        what: String,
        /// The exit code.
        exit: i32,
        /// What the command wrote to its standard error.
        stderr: String,
    },
}

impl ShellOutput {
    /// Makes the output of a command.
    #[must_use]
    pub fn new(exit: i32, stdout: impl Into<String>, stderr: impl Into<String>) -> Self {
        Self { exit, stdout: stdout.into(), stderr: stderr.into() }
    }

    /// Returns itself if the exit code is 0.
    ///
    /// # Errors
    ///
    /// [`ShellError::Failed`] otherwise.
    pub fn ok(self, what: impl Into<String>) -> Result<Self, ShellError> {
        match self.exit {
            0 => Ok(self),
            exit => Err(ShellError::Failed { what: what.into(), exit, stderr: self.stderr }),
        }
    }
}

/// Returns the end of what was written, for a message.
fn tail(stderr: &str) -> String {
    const MOST: usize = 300;
    let text = stderr.trim();
    let begin = text.char_indices().rev().nth(MOST - 1).map_or(0, |(at, _)| at);
    match (text.is_empty(), begin) {
        (true, _) => String::new(),
        (false, 0) => format!(": {text}"),
        (false, begin) => format!(": …{}", &text[begin..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_command_is_shown_with_the_end_of_what_it_complained() {
        let shown = |stderr: &str| ShellOutput::new(2, "", stderr).ok("x").unwrap_err().to_string();
        assert_eq!(shown("\n"), "x failed: exit code 2");
        assert_eq!(shown("no space\n"), "x failed: exit code 2: no space");
        let long = shown(&"ü".repeat(1000));
        assert_eq!(long, format!("x failed: exit code 2: …{}", "ü".repeat(300)));
    }
}
