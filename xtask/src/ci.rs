//! What a pull request must pass: the jobs, and how they are run.

mod jobs;

use std::time::{Duration, Instant};

use self::jobs::{JOBS, Job, Step};
use crate::console::say;
use crate::error::Error;
use crate::{cargo, python, tidy};

/// Returns the names of the jobs, in the order in which they run.
pub(crate) fn job_names() -> impl Iterator<Item = &'static str> {
    JOBS.iter().map(|job| job.name)
}

/// Prints the jobs and their commands.
pub(crate) fn list() {
    for job in JOBS {
        say(&format!("{:9} {}", job.name, job.about));
        for step in job.steps {
            say(&format!("           {}", step.shown()));
        }
    }
}

/// Runs one job, or all.
///
/// The tests come last and nothing is printed after them, so that their summary ends the output.
///
/// # Errors
///
/// Stops at the first job that fails and names it with its command.
pub(crate) fn run(only: Option<&str>) -> Result<(), Error> {
    let jobs = JOBS.iter().filter(|job| only.is_none_or(|name| name == job.name));
    for job in jobs {
        say(&format!("== {}: {}", job.name, job.about));
        run_job(job).map_err(|source| Error::Job { job: job.name, source: Box::new(source) })?;
    }
    Ok(())
}

fn run_job(job: &Job) -> Result<(), Error> {
    let began = now();
    for step in job.steps {
        say(&format!("-- {}", step.shown()));
        let step_began = now();
        run_step(step)?;
        if !step.ends_with_summary() {
            say(&format!("-- took {}", shown(step_began.elapsed())));
        }
    }
    if !job.steps.last().is_some_and(Step::ends_with_summary) {
        say(&format!("== {} passed in {}", job.name, shown(began.elapsed())));
    }
    Ok(())
}

fn run_step(step: &Step) -> Result<(), Error> {
    match step {
        Step::Cargo { args, env } => cargo::run(args, env),
        Step::Python { script } => python::run(script),
        Step::Tidy => tidy::run(false),
        Step::Tests { runner, fallback } => {
            if cargo::works(&["nextest", "--version"]) {
                return cargo::run(runner, &[]);
            }
            say(
                "cargo-nextest is not installed (`cargo install --locked cargo-nextest`), cargo test runs the tests",
            );
            cargo::run(fallback, &[])
        }
    }
}

fn shown(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[expect(clippy::disallowed_methods, reason = "the wall time of a job is for the eyes of its user only")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_of_the_tests_ends_the_output() {
        let summaries: Vec<bool> =
            JOBS.iter().flat_map(|job| job.steps).map(Step::ends_with_summary).collect();
        assert_eq!(summaries.iter().position(|ends| *ends), Some(summaries.len() - 1));
    }

    #[test]
    fn a_failing_script_is_named_as_one_would_type_it() {
        let err = run_step(&Step::Python { script: "no/such/script.py" }).unwrap_err().to_string();
        assert!(
            err.starts_with("`python3 no/such/script.py` failed") || err.contains("failed to start"),
            "{err}"
        );
    }

    #[test]
    fn a_failing_job_is_named_with_its_command() {
        const STEPS: &[Step] = &[Step::Cargo { args: &["no-such-command"], env: &[] }];
        let job = Job { name: "sample", about: "a sample", steps: STEPS };
        let source = Box::new(run_job(&job).unwrap_err());
        let err = Error::Job { job: job.name, source }.to_string();
        assert!(err.contains("job sample failed: `cargo no-such-command` failed"), "{err}");
        assert!(err.ends_with("`cargo xtask ci sample`"), "{err}");
    }
}
