//! The table of crates: which may depend on which, and what none of its code may reach.
//!
//! A crate may depend only on crates above it, and only on those listed.
//! Dev-dependencies are free: tests may use what they like, but for those of the crates of [`SPARE_IN_TESTS`].

/// A crate of the workspace, or one that is planned.
#[derive(Debug)]
pub(crate) struct Row {
    /// The folder under `crates/`.
    pub(crate) folder: &'static str,
    /// What it is for, in one line.
    pub(crate) purpose: &'static str,
    /// The folders of the crates that it may depend on directly.
    pub(crate) may_depend_on: &'static [&'static str],
    /// The packages that its normal dependencies never reach, whatever its features.
    pub(crate) never_reaches: &'static [&'static str],
}

/// The folders of the crates whose dev-dependencies keep out of what the crates never reach, too.
///
/// Whoever writes a driver looks at `cargo tree -p vmpool-driver`, which shows dev-dependencies.
pub(crate) const SPARE_IN_TESTS: &[&str] = &["driver"];

impl Row {
    /// Returns the name of the package.
    pub(crate) fn package(&self) -> String {
        package(self.folder)
    }

    /// Returns the kinds of edges over which nothing that is banned is reached, as `cargo tree --edges` calls them.
    pub(crate) fn edges(&self) -> &'static str {
        if SPARE_IN_TESTS.contains(&self.folder) { "normal,dev" } else { "normal" }
    }

    /// Returns the path of the manifest from the root.
    pub(crate) fn manifest(&self) -> String {
        format!("crates/{}/Cargo.toml", self.folder)
    }
}

/// Members of the workspace outside `crates/`, which may depend on any crate and on which none may depend.
pub(crate) const FREE: [(&str, &str); 2] = [("xtask", "xtask"), ("tests", "vmpool-tests")];

/// The table, from the bottom of the house to its roof.
pub(crate) const ROWS: &[Row] = &[
    Row {
        folder: "tls",
        purpose: "whom to trust over TLS and how to prove who one is, for the daemon, its clients and drivers alike",
        may_depend_on: &[],
        never_reaches: &["tokio", "reqwest", "sled"],
    },
    Row {
        folder: "model",
        purpose: "the words: ids, names, nodes, states (generated), records, legal transitions, config types; no I/O",
        may_depend_on: &[],
        never_reaches: &["tokio", "async-trait", "reqwest"],
    },
    Row {
        folder: "driver",
        purpose: "the contract with a cloud: `Driver`, `DriverExt`, `Capabilities`, `DriverError`, `Layer`, `Registry`",
        may_depend_on: &["model"],
        never_reaches: &["tokio", "reqwest"],
    },
    Row {
        folder: "store",
        purpose: "the contract with a store, the store in memory, the sled store, the `VmPool` container",
        may_depend_on: &["driver", "model"],
        never_reaches: &["reqwest"],
    },
    Row {
        folder: "engine",
        purpose: "all decisions of a pool as a pure function of input and time",
        may_depend_on: &["model"],
        never_reaches: &["tokio", "async-trait", "reqwest", "sled"],
    },
    Row {
        folder: "layers",
        purpose: "timeout, retry, rate limit, concurrency limit, metrics and tracing around any driver",
        may_depend_on: &["driver", "model"],
        never_reaches: &["reqwest"],
    },
    Row {
        folder: "http",
        purpose: "one bounded, redacting HTTP client and the classification of statuses, for drivers over HTTP",
        may_depend_on: &["driver", "model", "tls"],
        never_reaches: &["sled"],
    },
    Row {
        folder: "dummy",
        purpose: "a cloud in memory, with latency, quota and faults from a seed",
        may_depend_on: &["driver", "model"],
        never_reaches: &["tokio", "reqwest"],
    },
    Row {
        folder: "opennebula",
        purpose: "OpenNebula over XML-RPC",
        may_depend_on: &["driver", "model", "http", "tls"],
        never_reaches: &["sled"],
    },
    Row {
        folder: "cloudapi",
        purpose: "Triton CloudAPI over REST with HTTP signatures",
        may_depend_on: &["driver", "model", "http"],
        never_reaches: &["sled"],
    },
    Row {
        folder: "store-postgres",
        purpose: "the store for several hosts, on PostgreSQL",
        may_depend_on: &["store", "model"],
        never_reaches: &["reqwest", "sled"],
    },
    Row {
        folder: "manager",
        purpose: "carries out the steps of the engine: loops, leases, health checks, the sweep for orphans",
        may_depend_on: &["engine", "store", "driver", "model"],
        never_reaches: &["reqwest"],
    },
    Row {
        folder: "api",
        purpose: "the wire types and routes of the daemon's HTTP API",
        may_depend_on: &[],
        never_reaches: &["tokio", "reqwest"],
    },
    Row {
        folder: "client",
        purpose: "typed HTTP client and event stream of the daemon",
        may_depend_on: &["api", "tls"],
        never_reaches: &["sled"],
    },
    Row {
        folder: "vmpool",
        purpose: "the facade: everything re-exported by feature, `drivers::builtin()`",
        may_depend_on: &[
            "model",
            "driver",
            "store",
            "engine",
            "layers",
            "http",
            "dummy",
            "opennebula",
            "cloudapi",
            "store-postgres",
            "manager",
            "client",
        ],
        never_reaches: &[],
    },
    Row {
        folder: "server",
        purpose: "the daemon as a library: its config and its HTTP API",
        may_depend_on: &["vmpool", "api", "tls"],
        never_reaches: &[],
    },
    Row {
        folder: "sim",
        purpose: "simulated clouds on loopback that real clients accept: OpenNebula and CloudAPI in front of the dummy's nodes",
        may_depend_on: &["driver", "dummy", "model"],
        never_reaches: &["reqwest", "sled"],
    },
    Row {
        folder: "cli",
        purpose: "the binary `vmpool`: daemon, client and demo",
        may_depend_on: &["client", "api", "server", "sim"],
        never_reaches: &[],
    },
    Row {
        folder: "testkit",
        purpose: "the suites that every driver and every store must pass, and a layer that injects faults",
        may_depend_on: &["driver", "store", "model"],
        never_reaches: &["reqwest"],
    },
];

/// Returns the name of the package in `crates/<folder>`.
pub(crate) fn package(folder: &str) -> String {
    if folder == "vmpool" { folder.to_owned() } else { format!("vmpool-{folder}") }
}

/// Returns the row of a folder under `crates/`.
pub(crate) fn row(folder: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.folder == folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tests_of_the_contract_are_spare_and_those_of_a_driver_are_free() {
        assert_eq!(row("driver").unwrap().edges(), "normal,dev");
        assert_eq!(row("dummy").unwrap().edges(), "normal");
        assert!(SPARE_IN_TESTS.iter().all(|folder| row(folder).is_some()));
    }

    #[test]
    fn crates_depend_on_crates_above_them_only() {
        for (index, row) in ROWS.iter().enumerate() {
            for dependency in row.may_depend_on {
                let above = ROWS[..index].iter().any(|other| other.folder == *dependency);
                assert!(above, "{} lists {dependency}, which is not above it", row.folder);
            }
        }
    }
}
