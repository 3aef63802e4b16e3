//! What can go wrong in the workshop.

use std::path::PathBuf;

use crate::codegen::CodegenError;

/// A failed task; its text says what was tried and what to do next.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A file or folder could not be read or written.
    #[error("failed to {action} {path}: {source}", path = path.display())]
    Io {
        /// The verb: "read", "write", "list".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A command could not be started.
    #[error("failed to start `{command}`: {source}")]
    Start {
        /// The command as one would type it.
        command: String,
        /// Why.
        source: std::io::Error,
    },
    /// A command ran and failed; its own output says why.
    #[error("`{command}` failed: {outcome}")]
    Command {
        /// The command as one would type it.
        command: String,
        /// The exit status, and what the command wrote if that was captured.
        outcome: String,
    },
    /// The tool that makes mutants is not there.
    #[error("cargo-mutants is missing; install it with `cargo install --locked cargo-mutants`")]
    NoMutants,
    /// A document has no place for what is to be written into it.
    #[error("{path} has no place for it; put `{mark}` and the end of it there")]
    NoPlace {
        /// The document.
        path: &'static str,
        /// Where the place would begin.
        mark: String,
    },
    /// The tool that runs fuzz targets is not there.
    #[error("cargo-fuzz is missing; install it with `cargo install --locked cargo-fuzz`")]
    NoFuzz,
    /// Too many mutants live.
    #[error(
        "{caught} of {viable} viable mutants are caught, {least} % are to be; those in missed.txt need a test, or less code"
    )]
    Missed {
        /// How many made a test fail, or hang.
        caught: usize,
        /// How many compiled.
        viable: usize,
        /// How many are to be caught, in percent.
        least: usize,
    },
    /// A job of `cargo xtask ci` failed.
    #[error("job {job} failed: {source}\nrun it alone with `cargo xtask ci {job}`")]
    Job {
        /// The name of the job.
        job: &'static str,
        /// Its failed step.
        source: Box<Self>,
    },
    /// Code generation failed, or a generated file is stale.
    #[error(transparent)]
    Codegen(#[from] CodegenError),
    /// The tree violates rules of `cargo xtask tidy`.
    #[error("the tree violates its rules in {0} places; each line above names the place and the rule")]
    Untidy(usize),
}
