//! What came out of a crash run.

use std::{collections::BTreeMap, fmt, time::Duration};

use super::history::{Broken, Violation};

/// What came out of a crash run.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What the clients' choices came from.
    pub seed: u64,
    /// How many rounds there were of each kind.
    pub rounds: BTreeMap<&'static str, u32>,
    /// How often the daemon was to end at each step, and did.
    pub points: BTreeMap<&'static str, (u32, u32)>,
    /// What else happened, and how often.
    pub also: BTreeMap<&'static str, u32>,
    /// How many acquires were acknowledged.
    pub acquires: usize,
    /// How many renewals were acknowledged.
    pub renewals: usize,
    /// How many releases were acknowledged.
    pub releases: usize,
    /// How many leases there were.
    pub leases: usize,
    /// How many VMs the cloud made.
    pub created: u64,
    /// How many VMs the cloud had at most at once.
    pub peak: usize,
    /// How many it might have had.
    pub limit: usize,
    /// From the start of each daemon to its first answer.
    pub restarts: Vec<Duration>,
    /// What must not be; empty if all is well.
    pub violations: Vec<Violation>,
}

impl Report {
    /// Returns the middle one of the times from start to serving, zero if there is none.
    #[must_use]
    pub fn median_restart(&self) -> Duration {
        let mut restarts = self.restarts.clone();
        restarts.sort_unstable();
        restarts.get(restarts.len() / 2).copied().unwrap_or_default()
    }

    /// Counts something.
    pub(super) fn count(&mut self, what: &'static str) {
        *self.also.entry(what).or_default() += 1;
    }

    fn broken(&self, kind: Broken) -> usize {
        self.violations.iter().filter(|violation| violation.kind == kind).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, acquires, renewals, releases, leases, created, peak, limit, .. } = self;
        let longest = self.restarts.iter().max().copied().unwrap_or_default();
        let rounds: u32 = self.rounds.values().sum();
        writeln!(f, "| what | how often |\n|---|---|")?;
        writeln!(f, "| rounds, with seed {seed} | {rounds} |")?;
        for (what, count) in self.rounds.iter().chain(&self.also) {
            writeln!(f, "| … {what} | {count} |")?;
        }
        writeln!(f, "| acknowledged acquires, renewals, releases | {acquires}, {renewals}, {releases} |")?;
        writeln!(f, "| leases | {leases} |")?;
        writeln!(f, "| VMs created; at most at once; allowed at once | {created}; {peak}; {limit} |")?;
        let median = self.median_restart();
        writeln!(f, "| start to serving: median; longest | {median:.0?}; {longest:.0?} |")?;
        writeln!(f, "| **acknowledgments lost** | **{}** |", self.broken(Broken::Lost))?;
        writeln!(f, "| **VMs with two holders, or made twice** | **{}** |", self.broken(Broken::Twice))?;
        writeln!(f, "| **VMs and leases leaked** | **{}** |", self.broken(Broken::Leak))?;
        writeln!(f, "| **anything else that must not be** | **{}** |", self.broken(Broken::Other))?;
        writeln!(f, "\n| step | daemons that were to end there | that did |\n|---|---|---|")?;
        for (point, (tried, ended)) in &self.points {
            writeln!(f, "| `{point}` | {tried} | {ended} |")?;
        }
        self.violations.iter().try_for_each(|Violation { kind, what }| write!(f, "\n{kind:?}: {what}"))
    }
}
