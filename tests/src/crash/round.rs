//! One round: a daemon starts, is under load, and comes to its end in one of the ways there are.

use std::{fs, process::ExitStatus, time::Duration};

use rustix::process::Signal;

use super::{
    course::{Course, was_killed},
    damage::{Damage, clear, copy},
    history::Broken,
    kind::Kind,
    run::TTL,
    small_disk::SmallDisk,
};
use crate::daemon::Daemon;

/// How long a daemon is waited for that is to end at a step.
const AT_MOST: Duration = Duration::from_millis(2500);

/// What a daemon says whose directory another one has.
const IN_USE: &str = "is in use by another process";

/// By how many seconds the clock is set elsewhere.
const JUMPS: [i64; 8] = [-366 * 86_400, -86_400, -30, -1, 1, 30, 86_400, 366 * 86_400];

impl Course {
    /// Carries out one round; the daemon is dead after it.
    pub(super) fn round(&mut self, kind: Kind) -> Result<(), String> {
        *self.report.rounds.entry(kind.name()).or_default() += 1;
        match kind {
            Kind::Kill => {
                let daemon = self.start()?;
                self.linger(0..700);
                self.kill(daemon)
            }
            Kind::Recovery => {
                let daemon = self.spawn(None)?;
                self.linger(0..200);
                self.kill(daemon)
            }
            Kind::Point(point) => self.at_point(point),
            Kind::Stop => self.stop(),
            Kind::Files(damage) => self.damage(damage),
            Kind::Full => self.full(),
            Kind::Freeze => self.freeze(),
            Kind::Clock => {
                self.ahead = self.rng.choice(JUMPS).unwrap_or_default() * 1000;
                let daemon = self.start()?;
                self.linger(0..700);
                self.kill(daemon)
            }
            Kind::Rivals => self.rivals(),
        }
    }

    /// Makes the store, with daemons that each die at a step of that.
    pub(super) fn make_store(&mut self) -> Result<(), String> {
        for point in ["store.make.written", "store.make.counted", "store.make.marked"] {
            let mut daemon = self.spawn(Some((point, 1)))?;
            let ended = daemon.served()?;
            self.note_point(point, ended);
        }
        Ok(())
    }

    /// Lets a daemon end at a step.
    fn at_point(&mut self, point: &'static str) -> Result<(), String> {
        let is_once = ["store.open.", "manager.start."].iter().any(|begin| point.starts_with(begin));
        let most = if is_once { 1 } else { 30 };
        let count = self.rng.u32(1..=most);
        let daemon = self.spawn(Some((point, count)))?;
        let ended = self.live(daemon, AT_MOST)?;
        self.note_point(point, ended);
        Ok(())
    }

    /// Puts a daemon that may end at any moment under load, and kills it if it lives too long.
    fn live(&mut self, mut daemon: Daemon, most: Duration) -> Result<Option<ExitStatus>, String> {
        let mut ended = daemon.served()?;
        if ended.is_none() {
            // It may end in the middle of the comparison.
            if let Err(err) = self.compare(&daemon)
                && self.await_end(&mut daemon, most).is_none()
            {
                return Err(err);
            }
            self.publish(&daemon);
            ended = self.await_end(&mut daemon, most);
        }
        match ended {
            Some(_) => drop(self.address.send_replace(None)),
            None => self.kill(daemon)?,
        }
        Ok(ended)
    }

    fn note_point(&mut self, point: &'static str, ended: Option<ExitStatus>) {
        let counts = self.report.points.entry(point).or_default();
        counts.0 += 1;
        match ended {
            Some(status) if was_killed(status) => counts.1 += 1,
            Some(status) => self.violated(Broken::Other, format!("at {point} a daemon ended with {status}")),
            None => {}
        }
    }

    /// Tells a daemon to stop, and kills it on the way, at a step or at a random moment.
    fn stop(&mut self) -> Result<(), String> {
        let point =
            self.rng.choice([None, Some("manager.stop.drained"), Some("manager.stop.written")]).flatten();
        let mut daemon = self.spawn(point.map(|point| (point, 1)))?;
        if let Some(status) = daemon.served()? {
            return Err(format!("the daemon ended with {status}; its log:\n{}", daemon.logged()));
        }
        self.compare(&daemon)?;
        self.publish(&daemon);
        self.linger(0..500);
        daemon.signal(Signal::TERM)?;
        let Some(point) = point else {
            self.linger(0..60);
            return self.kill(daemon);
        };
        let ended = self.await_end(&mut daemon, Duration::from_secs(20));
        self.address.send_replace(None);
        self.note_point(point, ended);
        match ended {
            Some(_) => Ok(()),
            None => self.kill(daemon),
        }
    }

    /// Kills a daemon and does something to its files; the next one has lost nothing, or says that they are damaged.
    fn damage(&mut self, damage: Damage) -> Result<(), String> {
        let daemon = self.start()?;
        self.linger(0..500);
        self.kill(daemon)?;
        let (state, kept) = (self.state.clone(), self.state.with_extension("kept"));
        let told = |err: std::io::Error| format!("failed to do {damage:?} to {}: {err}", state.display());
        copy(&state, &kept).and_then(|()| damage.apply(&state, &mut self.rng)).map_err(told)?;
        let mut daemon = self.spawn(None)?;
        match daemon.served()? {
            None => {
                self.report.count("whose store opened and had everything, after damage");
                self.compare(&daemon)?;
                self.publish(&daemon);
                self.linger(0..200);
                self.kill(daemon)?;
            }
            Some(status) => {
                let log = daemon.logged();
                let reason = log.lines().rev().find(|line| line.contains("error: ")).unwrap_or_default();
                if damage.is_harmless() || !reason.contains("damaged") {
                    let what = format!("{damage:?}: the daemon ended with {status}: {reason}");
                    self.violated(Broken::Other, what);
                }
                self.report.count("whose store was refused as damaged, and put back");
                clear(&state).and_then(|()| copy(&kept, &state)).map_err(told)?;
            }
        }
        fs::remove_dir_all(&kept).map_err(told)
    }

    /// Fills the disk under a daemon; it goes on when there is room, or dies and the next one finds the disk full.
    fn full(&mut self) -> Result<(), String> {
        let disk = SmallDisk::mount(&self.state)?;
        let outcome = self.on_full(&disk);
        // Whatever happened, nothing uses the disk any more.
        disk.unmount().and(outcome)
    }

    fn on_full(&mut self, disk: &SmallDisk) -> Result<(), String> {
        let points = [None, None, Some("manager.restore.loaded"), Some("manager.restore.claimed")];
        let point = self.rng.choice(points).flatten();
        let mut daemon = self.spawn(point.map(|point| (point, 1)))?;
        if let Some(status) = daemon.served()? {
            return Err(format!("the daemon ended with {status}; its log:\n{}", daemon.logged()));
        }
        self.compare(&daemon)?;
        self.publish(&daemon);
        self.linger(0..300);
        disk.fill()?;
        if let Some(point) = point {
            let ended = self.await_end(&mut daemon, AT_MOST);
            self.note_point(point, ended);
        } else {
            self.linger(300..900);
        }
        if daemon.ended().is_none() && self.rng.bool() {
            disk.free()?;
            self.linger(200..700);
            return self.kill(daemon);
        }
        self.kill(daemon)?;
        let mut next = self.spawn(None)?;
        if next.served()?.is_none() {
            self.report.count("that started on a full disk");
            self.compare(&next)?;
            self.publish(&next);
            self.linger(0..400);
        } else {
            self.report.count("that did not start on a full disk, and said so");
            if !next.logged().contains("no space is left") {
                self.violated(Broken::Other, "a daemon on a full disk does not say why it does not start");
            }
        }
        self.kill(next)
    }

    /// Freezes a daemon for longer than a lease lasts; another one keeps out meanwhile.
    fn freeze(&mut self) -> Result<(), String> {
        let daemon = self.start()?;
        self.linger(0..400);
        daemon.signal(Signal::STOP)?;
        self.refuse_rival()?;
        let past = u64::try_from(TTL).unwrap_or_default();
        self.linger(past..past + 700);
        if self.rng.bool() {
            daemon.signal(Signal::CONT)?;
            self.linger(100..600);
        }
        self.kill(daemon)
    }

    /// Starts three daemons at once: one serves, and the others say who has the directory.
    fn rivals(&mut self) -> Result<(), String> {
        let daemons = [self.spawn(None)?, self.spawn(None)?, self.spawn(None)?];
        let mut serving = None;
        for mut daemon in daemons {
            match (daemon.served()?, &serving) {
                (None, None) => serving = Some(daemon),
                (None, Some(_)) => self.violated(Broken::Twice, "two daemons serve one directory"),
                (Some(_), _) if daemon.logged().contains(IN_USE) => {}
                (Some(status), _) => self.violated(Broken::Other, format!("a rival ended with {status}")),
            }
        }
        let Some(daemon) = serving else {
            self.violated(Broken::Other, "of three daemons on one directory none serves");
            return Ok(());
        };
        self.report.count("with two rivals that were told that the directory is in use");
        self.compare(&daemon)?;
        self.publish(&daemon);
        self.linger(0..300);
        self.refuse_rival()?;
        self.linger(0..300);
        self.kill(daemon)
    }

    /// Starts a daemon on a directory that another one has, and sees that it ends.
    fn refuse_rival(&mut self) -> Result<(), String> {
        let mut rival = self.spawn(None)?;
        match rival.served()? {
            None => self.violated(Broken::Twice, "a second daemon serves a directory that is in use"),
            Some(_) if rival.logged().contains(IN_USE) => {}
            Some(status) => self.violated(Broken::Other, format!("a second daemon ended with {status}")),
        }
        Ok(())
    }
}
