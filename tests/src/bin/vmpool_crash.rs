//! Ends the daemon again and again under load, in every way there is, and tells what its clients saw.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use vmpool_tests::crash::{Disks, Kind, Plan, run};

/// Ends the daemon again and again under load, and tells what its clients saw
#[derive(Debug, Parser)]
struct Arguments {
    /// How many rounds there are
    #[arg(long, default_value_t = 50)]
    rounds: u32,
    /// One round of each kind, and one of each durable step
    #[arg(long, conflicts_with = "rounds")]
    each_once: bool,
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
    let arguments = Arguments::parse();
    if Disks::of_this_process() == Disks::LeftOut {
        let program = std::env::current_exe().ok();
        match program.and_then(|program| Disks::command(&program)) {
            Some(mut command) => return again(command.args(std::env::args_os().skip(1))),
            None => complain(
                "warning: there are no user namespaces here, so the rounds on a full disk are left out",
            ),
        }
    }
    match crash(arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(err) => {
            complain(&format!("error: {err}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs this program again, where it may mount small disks.
fn again(command: &mut std::process::Command) -> ExitCode {
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(err) => {
            complain(&format!("error: failed to start unshare: {err}"));
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
    let rounds = (!arguments.each_once).then_some(arguments.rounds);
    say(&format!("ending the daemon again and again; repeat with --seed {seed}"));
    let disks = Disks::of_this_process();
    let plan = Plan { program, folder, rounds, clients: arguments.clients, seed, disks };
    let outcome = run(&plan, |number: usize, kind: Kind| {
        if number.is_multiple_of(50) {
            say(&format!("round {number}: {}", kind.name()));
        }
    });
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
