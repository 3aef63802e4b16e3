//! The jobs as data.

use crate::{cargo, python};

/// A job: its steps run one after the other, and the first that fails ends it.
#[derive(Debug)]
pub(super) struct Job {
    /// One word.
    pub(super) name: &'static str,
    /// What it shows when it passes.
    pub(super) about: &'static str,
    /// What it runs.
    pub(super) steps: &'static [Step],
}

/// A step of a job.
#[derive(Debug)]
pub(super) enum Step {
    /// A cargo command.
    Cargo {
        /// Its arguments.
        args: &'static [&'static str],
        /// What is added to its environment.
        env: &'static [(&'static str, &'static str)],
    },
    /// A script in Python of ours, from the root.
    Python {
        /// Its path from the root.
        script: &'static str,
    },
    /// The rules of the tree.
    Tidy,
    /// The tests, by cargo-nextest, or by cargo alone where that is missing.
    Tests {
        /// The arguments of cargo with cargo-nextest.
        runner: &'static [&'static str],
        /// The arguments of cargo without.
        fallback: &'static [&'static str],
    },
}

impl Step {
    /// Returns the command as one would type it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Cargo { args, env } => cargo::shown(args, env),
            Self::Python { script } => python::shown(script, &[]),
            Self::Tidy => cargo::shown(&["xtask", "tidy"], &[]),
            Self::Tests { runner, .. } => cargo::shown(runner, &[]),
        }
    }

    /// Tells whether the step ends its output with a summary after which nothing should follow.
    pub(super) fn ends_with_summary(&self) -> bool {
        matches!(self, Self::Tests { .. })
    }
}

/// The jobs: quick ones first, the tests last.
pub(super) const JOBS: &[Job] = &[
    Job {
        name: "fmt",
        about: "the code is formatted",
        steps: &[Step::Cargo { args: &["fmt", "--all", "--check"], env: &[] }],
    },
    Job { name: "tidy", about: "the rules of the tree hold", steps: &[Step::Tidy] },
    Job {
        name: "clippy",
        about: "the compiler and clippy have nothing to say",
        steps: &[Step::Cargo {
            args: &["clippy", "--workspace", "--all-targets", "--all-features", "--", "--deny", "warnings"],
            env: &[],
        }],
    },
    Job {
        name: "doc",
        about: "the documentation builds without a warning",
        steps: &[Step::Cargo {
            args: &["doc", "--workspace", "--all-features", "--no-deps"],
            env: &[("RUSTDOCFLAGS", "--deny warnings")],
        }],
    },
    Job {
        name: "bench",
        about: "the benches compile",
        // In the profile of the tests, which need most of the same code; `cargo xtask bench` measures the optimized one.
        steps: &[Step::Cargo { args: &["bench", "--workspace", "--no-run", "--profile", "dev"], env: &[] }],
    },
    Job {
        name: "external",
        about: "a driver of a third party builds on the driver crate alone and passes the suite",
        steps: &[Step::Cargo {
            args: &["test", "--manifest-path", "docs/examples/third-party-driver/Cargo.toml"],
            env: &[],
        }],
    },
    Job {
        name: "clients",
        about: "the real clients of OpenNebula and CloudAPI take the simulated ones for real",
        steps: &[
            Step::Cargo {
                args: &["build", "--package", "vmpool-cli", "--no-default-features", "--features", "sim"],
                env: &[],
            },
            Step::Python { script: "crates/sim/tests/clients/run.py" },
        ],
    },
    Job {
        name: "schemathesis",
        about: "whatever schemathesis asks the daemon, it answers as the description of its API says",
        steps: &[
            Step::Cargo {
                args: &["build", "--package", "vmpool-cli", "--no-default-features", "--features", "serve"],
                env: &[],
            },
            Step::Python { script: "tests/schemathesis/run.py" },
        ],
    },
    Job {
        name: "dashboard",
        about: "a browser finds the figures of the API in the dashboard, and nothing that somebody could not use",
        steps: &[
            Step::Cargo {
                args: &["build", "--package", "vmpool-cli", "--no-default-features", "--features", "serve"],
                env: &[],
            },
            Step::Python { script: "tests/dashboard/run.py" },
        ],
    },
    Job {
        name: "simulate",
        about: "10,000 random histories of the manager and an hour of a busy farm break no invariant",
        steps: &[
            Step::Cargo { args: &["xtask", "simulate", "--seeds", "10000"], env: &[] },
            Step::Cargo {
                args: &["xtask", "simulate", "--farm", "--vms", "2000", "--pools", "10", "--hours", "1"],
                env: &[],
            },
        ],
    },
    Job {
        name: "test",
        about: "the examples in the documentation run and the tests pass",
        steps: &[
            Step::Cargo { args: &["test", "--workspace", "--all-features", "--doc"], env: &[] },
            Step::Tests {
                runner: &["nextest", "run", "--workspace", "--all-features"],
                fallback: &["test", "--workspace", "--all-features", "--lib", "--bins", "--tests"],
            },
        ],
    },
];
