//! What came out of a crash run.

use std::{fmt, time::Duration};

/// What came out of a crash run.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What the clients' choices came from.
    pub seed: u64,
    /// How often the daemon was killed.
    pub kills: u32,
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
    pub violations: Vec<String>,
}

impl Report {
    /// Returns the middle one of the times from start to serving, zero if there is none.
    #[must_use]
    pub fn median_restart(&self) -> Duration {
        let mut restarts = self.restarts.clone();
        restarts.sort_unstable();
        restarts.get(restarts.len() / 2).copied().unwrap_or_default()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, kills, acquires, renewals, releases, leases, created, peak, limit, .. } = self;
        let longest = self.restarts.iter().max().copied().unwrap_or_default();
        writeln!(f, "seed                  {seed}")?;
        writeln!(f, "kills                 {kills}")?;
        writeln!(f, "acknowledged          {acquires} acquires, {renewals} renewals, {releases} releases")?;
        writeln!(f, "leases                {leases}")?;
        writeln!(f, "VMs                   {created} created, at most {peak} at once, {limit} allowed")?;
        writeln!(f, "restart to serving    median {:.0?}, longest {longest:.0?}", self.median_restart())?;
        write!(f, "violations            {}", self.violations.len())?;
        self.violations.iter().try_for_each(|violation| write!(f, "\n  {violation}"))
    }
}
