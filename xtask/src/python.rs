//! Runs scripts of ours in Python, from the root of the workspace.

use std::process::{Command, Stdio};

use crate::error::Error;
use crate::tree;

/// What scripts are run with.
const PYTHON: &str = "python3";

/// Runs a script, its output passed through.
pub(crate) fn run(script: &str) -> Result<(), Error> {
    match command(script, &[]).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Error::Command { command: shown(script, &[]), outcome: status.to_string() }),
        Err(source) => Err(Error::Start { command: shown(script, &[]), source }),
    }
}

/// Runs a script and returns what it wrote to its standard output; its complaints are passed through.
pub(crate) fn capture(script: &str, args: &[&str]) -> Result<String, Error> {
    let output = command(script, args).stderr(Stdio::inherit()).output();
    let output = output.map_err(|source| Error::Start { command: shown(script, args), source })?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(Error::Command { command: shown(script, args), outcome: output.status.to_string() }),
    }
}

/// Returns the command as one would type it.
pub(crate) fn shown(script: &str, args: &[&str]) -> String {
    [&[PYTHON, script], args].concat().join(" ")
}

fn command(script: &str, args: &[&str]) -> Command {
    let mut command = Command::new(PYTHON);
    command.arg(script).args(args).current_dir(tree::root());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_script_is_named_as_one_would_type_it() {
        let named = "`python3 no/such/script.py --bench` failed";
        let err = capture("no/such/script.py", &["--bench"]).unwrap_err().to_string();
        assert!(err.starts_with(named) || err.contains("failed to start"), "{err}");
    }
}
