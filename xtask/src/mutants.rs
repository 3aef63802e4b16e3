//! A mutation run over the engine: what in it could be broken without any test of it failing.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cargo;
use crate::console::say;
use crate::error::Error;
use crate::tree;

/// At least this part of the viable mutants is caught, in percent.
const LEAST: usize = 90;

/// One run is as good as the next: random histories come from one seed, and one that fails is not made shorter.
const ENV: &[(&str, &str)] = &[
    ("PROPTEST_CASES", "256"),
    ("PROPTEST_RNG_SEED", "7"),
    ("PROPTEST_MAX_SHRINK_ITERS", "0"),
    ("RUST_BACKTRACE", "0"),
];

/// The exit codes of cargo-mutants that mean: all were tried, and some were missed, or took too long.
const TRIED: [i32; 2] = [2, 3];

/// Which mutants are tried, and how many at once.
#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// Tries the mutants of this file only, such as `breaker.rs` or `life/ready.rs`; can be repeated
    #[arg(long)]
    file: Vec<String>,
    /// Tries one part of the mutants, such as 0/4 for the first of four
    #[arg(long)]
    shard: Option<String>,
    /// How many mutants are tried at once; each needs a copy of the tree
    #[arg(long, default_value_t = 2)]
    jobs: u16,
}

/// Tries mutants of the engine against its own tests, and says how many are caught.
pub(crate) fn run(which: &Which) -> Result<(), Error> {
    if !cargo::works(&["mutants", "--version"]) {
        return Err(Error::NoMutants);
    }
    let out = target().join("mutants");
    fs::create_dir_all(&out).map_err(|source| Error::Io { action: "create", path: out.clone(), source })?;
    let args = arguments(which, &out);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    cargo::run_to(&args, ENV, &TRIED)?;
    let out = out.join("mutants.out");
    let count = |name: &str| lines(&out.join(name));
    let (caught, missed) = (count("caught.txt")? + count("timeout.txt")?, count("missed.txt")?);
    let unviable = count("unviable.txt")?;
    say(&format!("{}, {unviable} do not compile; see {}", told(caught, missed), out.display()));
    match is_enough(caught, missed) {
        true => Ok(()),
        false => Err(Error::Missed { caught, viable: caught + missed, least: LEAST }),
    }
}

fn arguments(which: &Which, out: &Path) -> Vec<String> {
    let mut args: Vec<String> = ["mutants", "--package", "vmpool-engine", "--minimum-test-timeout", "60"]
        .into_iter()
        .map(str::to_owned)
        .collect();
    args.extend(["--jobs".to_owned(), which.jobs.to_string()]);
    args.extend(["--output".to_owned(), out.display().to_string()]);
    for file in &which.file {
        args.extend(["--file".to_owned(), format!("crates/engine/src/{file}")]);
    }
    if let Some(shard) = &which.shard {
        args.extend(["--shard".to_owned(), shard.clone()]);
    }
    // What the documentation shows is shown by the tests, too, and takes long to link.
    args.extend(["--", "--lib", "--tests"].map(str::to_owned));
    args
}

fn is_enough(caught: usize, missed: usize) -> bool {
    LEAST * (caught + missed) <= 100 * caught
}

fn told(caught: usize, missed: usize) -> String {
    let viable = caught + missed;
    let percent = 100 * caught / viable.max(1);
    format!("{caught} of {viable} viable mutants are caught ({percent} %), {missed} are missed")
}

/// Counts the lines of a file that is missing if there are none.
fn lines(path: &Path) -> Result<usize, Error> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().count()),
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(source) => Err(Error::Io { action: "read", path: path.to_owned(), source }),
    }
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| tree::root().join("target"), Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_of_ten_viable_mutants_are_enough_and_less_is_not() {
        assert!(is_enough(9, 1) && is_enough(0, 0));
        assert!(!is_enough(89, 11) && !is_enough(0, 1));
    }

    #[test]
    fn a_run_can_be_of_some_files_and_of_one_part() {
        let which = Which {
            file: vec!["breaker.rs".to_owned(), "life/ready.rs".to_owned()],
            shard: Some("0/4".to_owned()),
            jobs: 1,
        };
        let args = arguments(&which, Path::new("out")).join(" ");
        assert!(
            args.contains("--file crates/engine/src/breaker.rs --file crates/engine/src/life/ready.rs"),
            "{args}"
        );
        assert!(args.contains("--shard 0/4 -- --lib"), "{args}");
    }

    #[test]
    fn what_was_missed_is_told_beside_what_was_caught() {
        assert_eq!(told(9, 1), "9 of 10 viable mutants are caught (90 %), 1 are missed");
    }
}
