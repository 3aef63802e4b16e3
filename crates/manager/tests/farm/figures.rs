//! What is measured, and how it is told.

use std::time::{Duration, Instant};

use crate::{
    wall,
    world::{World, tell},
};

/// What is measured beside what the rules count.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) wall: Instant,
    /// How much memory there was before there was a farm, in MiB.
    memory: u64,
    /// How long requests waited.
    waits: Vec<Duration>,
    /// How long each owner used VMs, and waited for them, in seconds.
    owners: Vec<(f64, f64)>,
    /// How long the starts of the manager took, in real time.
    pub(crate) started: Vec<Duration>,
    /// How long it took to fill the pools.
    pub(crate) ramp: Duration,
    /// The most VMs that there were at once.
    pub(crate) most: usize,
}

impl Figures {
    pub(crate) fn new(owners: usize) -> Self {
        Self {
            wall: wall::now(),
            memory: wall::memory().0,
            waits: Vec::new(),
            owners: vec![(0.0, 0.0); owners],
            started: Vec::new(),
            ramp: Duration::ZERO,
            most: 0,
        }
    }

    /// Notes a use, and how long its owner waited for it.
    pub(crate) fn used(&mut self, owner: usize, waited: Duration, used: Duration) {
        self.waits.push(waited);
        let owner = &mut self.owners[owner];
        owner.0 += used.as_secs_f64();
        owner.1 += waited.as_secs_f64();
    }

    /// Returns Jain's index of what owners got of the time that they wanted: 1 if all got the same part.
    pub(crate) fn jain(&self) -> f64 {
        let shares = self.owners.iter().filter(|(used, _)| 0.0 < *used);
        let shares: Vec<_> = shares.map(|(used, waited)| used / (used + waited)).collect();
        let (sum, squares) =
            shares.iter().fold((0.0, 0.0), |(sum, squares), share| (sum + share, squares + share * share));
        sum * sum / (squares * shares.len() as f64)
    }
}

/// Tells what the farm came to.
pub(crate) fn tell_all(world: &World) {
    let figures = world.figures.lock().unwrap();
    let ledger = world.ledger.lock().unwrap();
    let total = ledger.total;
    let (steps, turns) = world.stopwatch.turns();
    let mut waits = figures.waits.clone();
    waits.sort_unstable();
    let (wall, worked) = (figures.wall.elapsed(), wall::worked());
    let (_, most) = wall::memory();
    let size = world.plan.size;
    let millis = |turn: Option<u32>| f64::from(turn.unwrap_or_default()) / 1000.0;
    let seconds = |wait: Option<Duration>| wait.unwrap_or_default().as_secs_f64();
    tell(&format!("{size:?}: {} accounts, {} owners", world.plan.accounts.len(), world.plan.owners.len()));
    let rows = [
        ("virtual time", format!("{:.1} min", world.began.elapsed().as_secs_f64() / 60.0)),
        ("filling the pools", format!("{:.1} min of it", figures.ramp.as_secs_f64() / 60.0)),
        ("real time", format!("{:.1} s, {:.1} s of the processor", wall.as_secs_f64(), worked.as_secs_f64())),
        ("VMs made", format!("{}, {} at once", total.vms, figures.most)),
        ("leases", format!("{}, {} renewals, {} expired", total.leases, total.renewals, total.expired)),
        ("commits", format!("{}: {} changes, {} events", total.commits, total.changes, total.events)),
        ("engine steps", format!("{steps} in {} turns", turns.len())),
        (
            "time per turn",
            format!(
                "p50 {:.3} ms, p99 {:.3} ms, longest {:.1} ms",
                millis(part(&turns, 0.5)),
                millis(part(&turns, 0.99)),
                millis(part(&turns, 1.0)),
            ),
        ),
        ("starts of the manager", format!("{:.2?}", figures.started)),
        (
            "memory",
            format!(
                "{most} MiB at most, {:.1} KiB per VM, clouds, store, owners and rules included",
                most.saturating_sub(figures.memory) as f64 * 1024.0 / figures.most.max(1) as f64
            ),
        ),
        (
            "virtual waiting time",
            format!(
                "p50 {:.3} s, p90 {:.3} s, p99 {:.1} s, longest {:.1} s",
                seconds(part(&waits, 0.5)),
                seconds(part(&waits, 0.9)),
                seconds(part(&waits, 0.99)),
                seconds(part(&waits, 1.0)),
            ),
        ),
        ("Jain index over owners", format!("{:.4}", figures.jain())),
    ];
    for (what, figure) in rows {
        tell(&format!("  {what:24} {figure}"));
    }
    for (what, spent) in world.stopwatch.spent() {
        let percent = 100.0 * spent.as_secs_f64() / worked.as_secs_f64();
        tell(&format!("  work: {what:28} {:8.1} s {percent:5.1} %", spent.as_secs_f64()));
    }
}

/// Returns what a part of all values are not above.
fn part<T: Copy>(sorted: &[T], part: f64) -> Option<T> {
    let place = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied()
}
