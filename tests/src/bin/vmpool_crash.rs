//! Kills the daemon again and again under load, and tells what its clients saw.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use vmpool_tests::crash::{Plan, run};

/// Kills the daemon again and again under load, and tells what its clients saw
#[derive(Debug, Parser)]
struct Arguments {
    /// How often the daemon is killed
    #[arg(long, default_value_t = 50)]
    rounds: u32,
    /// How many clients there are
    #[arg(long, default_value_t = 8)]
    clients: usize,
    /// What all choices come from; by default another one each time
    #[arg(long)]
    seed: Option<u64>,
    /// Where everything lies that the run leaves; by default a folder that is removed after a good run
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

fn main() -> ExitCode {
    match crash(Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(err) => {
            complain(&format!("error: {err}"));
            ExitCode::FAILURE
        }
    }
}

/// Returns whether all is well.
fn crash(arguments: Arguments) -> Result<bool, String> {
    let program = std::env::current_exe().map_err(|err| err.to_string())?.with_file_name("vmpool-under-test");
    let temporary = tempfile::tempdir().map_err(|err| err.to_string())?;
    let folder = arguments.folder.clone().unwrap_or_else(|| temporary.path().to_owned());
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    say(&format!("killing the daemon {} times; repeat with --seed {seed}", arguments.rounds));
    let plan = Plan { program, folder, rounds: arguments.rounds, clients: arguments.clients, seed };
    let outcome = run(&plan);
    let well = outcome.as_ref().is_ok_and(|report| report.violations.is_empty());
    if !well && arguments.folder.is_none() {
        complain(&format!("the files are kept in {}", temporary.keep().display()));
    }
    say(&outcome?.to_string());
    Ok(well)
}

#[expect(clippy::print_stdout, reason = "a command-line tool talks to its user")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "a command-line tool talks to its user")]
fn complain(text: &str) {
    eprintln!("{text}");
}
