//! The workshop of the workspace: `cargo xtask …`.

mod bench;
mod cargo;
mod ci;
mod codegen;
mod console;
mod crash;
mod dag;
mod error;
mod fuzz;
mod mutants;
mod python;
mod simulate;
mod tidy;
mod tree;

use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};

use crate::error::Error;

/// The workshop of the vmpool workspace: checks, benches and all that a pull request must pass.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Writes the files that are made from the tables under `xtask/tables`
    Codegen {
        /// Writes nothing and fails if a file is stale
        #[arg(long)]
        check: bool,
    },
    /// Checks the rules that neither the compiler nor clippy can hold
    Tidy {
        /// Rewrites what can be rewritten: the tables of README.md and docs/architecture.md
        #[arg(long)]
        fix: bool,
    },
    /// Runs what a pull request must pass: all jobs, the tests last, or one job by name
    Ci {
        /// The one job to run
        #[arg(value_parser = PossibleValuesParser::new(ci::job_names()))]
        job: Option<String>,
        /// Prints the jobs and their commands, and runs nothing
        #[arg(long, conflicts_with = "job")]
        list: bool,
    },
    /// Runs the benches of the workspace and says where their results are, or one comparison with others
    Bench {
        /// The comparison, which is written into docs/benchmarks.md; its readers in Python come from PyPI
        #[arg(value_parser = PossibleValuesParser::new(bench::comparisons()), conflicts_with = "compile_only")]
        comparison: Option<String>,
        /// Compiles the benches and runs none
        #[arg(long)]
        compile_only: bool,
    },
    /// Ends the daemon again and again under load, in every way there is, and checks that nothing acknowledged is lost and no VM leaks
    Crash {
        /// How often the daemon is ended
        #[arg(long, default_value_t = 50)]
        rounds: u32,
        /// Lets the clients choose as in an earlier run, which printed its seed
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Feeds one reader of what servers send with what libFuzzer makes up; what it finds belongs into fuzz/found
    Fuzz {
        /// The target
        #[arg(value_parser = PossibleValuesParser::new(fuzz::TARGETS))]
        target: String,
        /// How long
        #[arg(long, default_value_t = 60)]
        minutes: u64,
    },
    /// Breaks the engine in one place after the other, and says how often its own tests see that
    Mutants(mutants::Which),
    /// Lives through random histories of the manager in virtual time, and checks after every commit that the invariants hold
    Simulate {
        /// How many histories, each from a seed of its own
        #[arg(long, default_value_t = 10_000)]
        seeds: u64,
        /// The first seed
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// Lives through this one seed only, such as one that failed
        #[arg(long, conflicts_with_all = ["seeds", "from"])]
        seed: Option<u64>,
        /// Tells everything that happens with the one seed
        #[arg(long, requires = "seed")]
        trace: bool,
        /// Lives through the busy time of one large farm instead, and tells what it took
        #[arg(long, conflicts_with_all = ["seeds", "from", "trace"])]
        farm: bool,
        /// How many VMs the farm has
        #[arg(long, default_value_t = 100_000, requires = "farm")]
        vms: u32,
        /// How many pools they are in
        #[arg(long, default_value_t = 50, requires = "farm")]
        pools: u32,
        /// For how many hours of virtual time the farm is busy, beside the time to fill and to drain its pools
        #[arg(long, default_value_t = 1.0, requires = "farm")]
        hours: f64,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            console::complain(&err);
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Error> {
    match command {
        Command::Codegen { check } => {
            codegen::run(check)?;
            cargo::run(codegen::REFERENCES, if check { &[] } else { &[codegen::WRITES] })
        }
        Command::Tidy { fix } => tidy::run(fix),
        Command::Ci { list: true, .. } => {
            ci::list();
            Ok(())
        }
        Command::Ci { job, .. } => ci::run(job.as_deref()),
        Command::Bench { comparison: Some(name), .. } => bench::compare(&name),
        Command::Bench { compile_only, .. } => bench::run(compile_only),
        Command::Crash { rounds, seed } => crash::run(rounds, seed),
        Command::Fuzz { target, minutes } => fuzz::run(&target, minutes),
        Command::Mutants(which) => mutants::run(&which),
        Command::Simulate { farm: true, vms, pools, hours, seed, .. } => {
            simulate::farm(vms, pools, hours, seed.unwrap_or(0))
        }
        Command::Simulate { seed: Some(seed), trace, .. } => simulate::one(seed, trace),
        Command::Simulate { seeds, from, .. } => simulate::many(from, seeds),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn an_unknown_job_is_refused_with_the_known_ones() {
        let err = Arguments::try_parse_from(["cargo xtask", "ci", "no-such-job"]).unwrap_err().to_string();
        assert!(err.contains("fmt") && err.contains("test"), "{err}");
    }
}
