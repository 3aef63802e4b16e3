//! One run of the binary under test, and what came out of it.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

/// What came out of a run.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to its standard output.
    pub stdout: String,
    /// What it wrote to its standard error.
    pub stderr: String,
}

impl Ran {
    /// Reads the standard output as JSON.
    ///
    /// # Errors
    ///
    /// A text with the whole run if that is no JSON.
    pub fn json(&self) -> Result<serde_json::Value, String> {
        serde_json::from_str(&self.stdout).map_err(|err| format!("{err}: {self:?}"))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Prepares a run against a daemon; nothing of our own environment's `VMPOOL_…` reaches it.
#[must_use]
pub fn prepare(program: &Path, url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    for name in
        ["VMPOOL_CONFIG", "VMPOOL_OWNER", "VMPOOL_TOKEN", "VMPOOL_TOKEN_FILE", "RUST_LOG", "TRACEPARENT"]
    {
        command.env_remove(name);
    }
    command.env("VMPOOL_URL", url).env("USER", "tester").args(arguments).stdin(Stdio::null());
    command
}

/// Runs the binary against a daemon to its end.
///
/// # Errors
///
/// A text if it cannot be started.
pub fn run(program: &Path, url: &str, arguments: &[&str]) -> Result<Ran, String> {
    match prepare(program, url, arguments).output() {
        Ok(output) => Ok(output.into()),
        Err(err) => Err(format!("failed to start {}: {err}", program.display())),
    }
}
