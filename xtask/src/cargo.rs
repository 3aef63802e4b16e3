//! Runs cargo, the one that runs us.

use std::ffi::OsString;
use std::process::{Command, Stdio};

use crate::error::Error;
use crate::tree;

/// Runs `cargo ARGS` at the root of the workspace, its output passed through.
pub(crate) fn run(args: &[&str], env: &[(&str, &str)]) -> Result<(), Error> {
    run_to(args, env, &[])
}

/// Runs `cargo ARGS` as [`run`] does; these exit codes mean that it did what it was to do.
pub(crate) fn run_to(args: &[&str], env: &[(&str, &str)], good: &[i32]) -> Result<(), Error> {
    let status = command(args)
        .envs(env.iter().copied())
        .status()
        .map_err(|source| Error::Start { command: shown(args, env), source })?;
    if status.success() || status.code().is_some_and(|code| good.contains(&code)) {
        return Ok(());
    }
    Err(Error::Command { command: shown(args, env), outcome: status.to_string() })
}

/// Runs `cargo ARGS` at the root of the workspace and returns what it wrote to its standard output.
pub(crate) fn capture(args: &[&str]) -> Result<String, Error> {
    let output =
        command(args).output().map_err(|source| Error::Start { command: shown(args, &[]), source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let outcome = format!("{}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    Err(Error::Command { command: shown(args, &[]), outcome })
}

/// Tells whether `cargo ARGS` succeeds; its output is dropped.
pub(crate) fn works(args: &[&str]) -> bool {
    command(args).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Returns the command as one would type it.
pub(crate) fn shown(args: &[&str], env: &[(&str, &str)]) -> String {
    let mut words: Vec<String> = env.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    words.push("cargo".to_owned());
    words.extend(
        args.iter().map(|arg| if arg.contains('*') { format!("'{arg}'") } else { (*arg).to_owned() }),
    );
    words.join(" ")
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.args(args).current_dir(tree::root());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_is_named_with_its_environment() {
        let err = run(&["no-such-command"], &[("TERM", "dumb")]).unwrap_err().to_string();
        assert!(err.starts_with("`TERM=\"dumb\" cargo no-such-command` failed"), "{err}");
    }
}
