//! What the rounds of a run share: the files, the clients' view of the daemon, and what was found so far.

use std::{
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::ExitStatus,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustix::process::Signal;
use tokio::sync::watch;

use super::{
    history::{Broken, History, Violation},
    report::Report,
    run::ask,
};
use crate::{
    daemon::Daemon,
    wait::{let_pass, millis, now},
};

/// A lease that ends within so many milliseconds is not missed.
const MARGIN: i64 = 200;

/// A run under way.
pub(super) struct Course {
    pub(super) program: PathBuf,
    pub(super) config: PathBuf,
    pub(super) log: PathBuf,
    /// The directory of the records.
    pub(super) state: PathBuf,
    pub(super) rng: fastrand::Rng,
    /// By how many milliseconds the daemons' clock is ahead of ours.
    pub(super) ahead: i64,
    pub(super) history: Arc<Mutex<History>>,
    /// Where the clients find the daemon.
    pub(super) address: watch::Sender<Option<String>>,
    pub(super) report: Report,
}

impl Course {
    /// Starts a daemon that is to end at a step, if one is named, when it comes there for the `count`-th time.
    pub(super) fn spawn(&self, point: Option<(&'static str, u32)>) -> Result<Daemon, String> {
        let mut environment = vec![("VMPOOL_CLOCK_AHEAD", self.ahead.to_string())];
        environment.extend(point.map(|(name, count)| ("VMPOOL_FAIL_POINT", format!("{name}:{count}"))));
        Daemon::spawn(&self.program, &self.config, &self.log, &environment)
    }

    /// Starts a daemon, compares it with what the clients know, and tells them where it is.
    pub(super) fn start(&mut self) -> Result<Daemon, String> {
        let began = now();
        let mut daemon = self.spawn(None)?;
        if let Some(status) = daemon.served()? {
            return Err(format!("the daemon ended with {status}; its log:\n{}", daemon.logged()));
        }
        self.report.restarts.push(began.elapsed());
        // The clients do not know the new daemon yet, so nothing changes during the comparison.
        self.compare(&daemon)?;
        self.publish(&daemon);
        Ok(daemon)
    }

    /// Compares what the clients know with the leases that a daemon has.
    pub(super) fn compare(&self, daemon: &Daemon) -> Result<(), String> {
        let leases = ask(daemon.url(), async |client| client.leases().await)?;
        let leases: Vec<String> = leases.into_iter().map(|lease| lease.id).collect();
        self.history().compare(millis(), MARGIN, &leases);
        Ok(())
    }

    /// Tells the clients where the daemon is.
    pub(super) fn publish(&self, daemon: &Daemon) {
        self.address.send_replace(Some(daemon.url().to_owned()));
    }

    /// Kills the daemon; the clients look for the next one.
    pub(super) fn kill(&self, daemon: Daemon) -> Result<(), String> {
        self.address.send_replace(None);
        daemon.kill()
    }

    /// Waits for a while until the daemon ends by itself; returns how it did.
    pub(super) fn await_end(&self, daemon: &mut Daemon, most: Duration) -> Option<ExitStatus> {
        let began = now();
        while began.elapsed() < most {
            if let Some(status) = daemon.ended() {
                return Some(status);
            }
            let_pass(Duration::from_millis(10));
        }
        None
    }

    /// Lets a random time pass.
    pub(super) fn linger(&mut self, millis: std::ops::Range<u64>) {
        let_pass(Duration::from_millis(self.rng.u64(millis)));
    }

    pub(super) fn violated(&mut self, kind: Broken, what: impl Into<String>) {
        self.report.violations.push(Violation::new(kind, what));
    }

    pub(super) fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether a daemon ended as by `kill -9`.
pub(super) fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(Signal::KILL.as_raw())
}
