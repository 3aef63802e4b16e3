//! How long one step takes with 100 to 100,000 VMs, and whether that grows.
//!
//! `cargo bench -p vmpool-engine --bench scale` prints the median of each kind of step by the number of VMs, and the ratio
//! of 100,000 VMs to 1,000; `-- renew crowd` does so for these parts alone. It judges nothing: how long things take depends on the machine and on what else it does.
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "what it measures is the time of the machine")]
#![expect(unreachable_pub, reason = "a module that two benches share")]

mod farm;

use std::time::{Duration, Instant};

use crate::farm::{Crowd, Farm, Meter, Queue, TURNS, Unmeasured, WORKS, Work, print, sizes};

/// Notes how long each piece of work takes.
#[derive(Debug, Default)]
struct Times {
    all: Vec<Duration>,
    /// It takes so long that others interrupt it: what counts is for how long this thread ran.
    is_long: bool,
}

impl Meter for Times {
    fn measure<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let before = self.is_long.then(ran).flatten();
        let start = Instant::now();
        let done = work();
        let elapsed = start.elapsed();
        let ran = before.and_then(|before| Some(ran()?.saturating_sub(before)));
        self.all.push(ran.unwrap_or(elapsed));
        done
    }
}

impl Times {
    /// Returns the median in nanoseconds.
    fn median(mut self) -> f64 {
        self.all.sort();
        self.all.get(self.all.len() / 2).map_or(f64::NAN, |median| median.as_secs_f64() * 1e9)
    }
}

impl Times {
    /// Returns the mean in nanoseconds.
    fn mean(&self) -> f64 {
        self.all.iter().sum::<Duration>().as_secs_f64() * 1e9 / self.all.len() as f64
    }
}

/// Returns for how long this thread ran, to the last tick, if the kernel tells.
fn ran() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
}

/// Returns whether a row is wanted: all are, unless arguments name parts of some.
fn is_wanted(name: &str) -> bool {
    let mut wanted = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).peekable();
    wanted.peek().is_none() || wanted.any(|part| name.contains(&part))
}

fn rounds(work: Work) -> usize {
    match work {
        Work::Listing => 15,
        Work::Explain => 200,
        _ => 3_000,
    }
}

fn main() {
    let sizes = sizes();
    table_of_sizes(&sizes);
    table_of_queues(sizes[1]);
    table_of_crowds(&sizes[1..]);
}

fn table_of_sizes(sizes: &[u64]) {
    let mut rows: Vec<(&str, Vec<f64>)> = WORKS.iter().map(|(_, name)| (*name, Vec::new())).collect();
    rows.extend([("release, cleaned, 1000 wait", Vec::new()), ("hand-over, 1000 wait", Vec::new())]);
    for size in sizes {
        let mut farm = Farm::ready(*size);
        farm.use_half();
        for ((work, name), (_, row)) in WORKS.iter().zip(&mut rows) {
            let per = if *work == Work::Listing { *size } else { 1 };
            let rounds = if is_wanted(name) { rounds(*work) } else { 0 };
            (0..rounds / 10).for_each(|_| farm.work(*work, &mut Unmeasured));
            let mut times = Times { is_long: 10_000 < per, ..Times::default() };
            (0..rounds).for_each(|_| farm.work(*work, &mut times));
            row.push(times.median() / per as f64);
        }
        let (release, cleaned) = hand_over(*size, 1_000);
        rows[WORKS.len()].1.push(release);
        rows[WORKS.len() + 1].1.push(cleaned);
    }
    print("median of a step in ns, by the number of VMs, half of them leased", sizes, &rows);
}

fn table_of_queues(size: u64) {
    let waiting = [1, 10, 100, 1_000, 10_000];
    let mut rows = vec![("release, cleaned", Vec::new()), ("hand-over", Vec::new())];
    for waiting in waiting {
        let (release, cleaned) = hand_over(size, waiting);
        rows[0].1.push(release);
        rows[1].1.push(cleaned);
    }
    print("median of a step in ns, by the number of owners who wait", &waiting, &rows);
}

fn table_of_crowds(sizes: &[u64]) {
    let mut rows: Vec<(&str, Vec<f64>)> = TURNS.iter().map(|name| (*name, Vec::new())).collect();
    rows.push(("all", Vec::new()));
    for size in sizes.iter().filter(|size| is_wanted(&format!("crowd {size}"))) {
        let mut crowd = Crowd::new(*size, 3_000);
        let mut times = TURNS.map(|_| Times::default());
        (0..10_000).for_each(|_| crowd.go_on(&mut times));
        let all =
            Times { all: times.iter().flat_map(|times| times.all.clone()).collect(), ..Times::default() };
        for (times, (_, row)) in times.into_iter().chain([all]).zip(&mut rows) {
            row.push(times.mean());
        }
    }
    if rows[0].1.is_empty() {
        return;
    }
    print("mean of a step in ns while 3,000 wait in a crowd, by the number of VMs", sizes, &rows);
}

/// Returns the medians of a release and of the step in which the one who waits for longest gets the VM.
fn hand_over(size: u64, waiting: u64) -> (f64, f64) {
    if !is_wanted("hand-over") {
        return (f64::NAN, f64::NAN);
    }
    let mut queue = Queue::new(size, waiting);
    let (mut release, mut cleaned) = (Times::default(), Times::default());
    for round in 0..600 {
        match round < 50 {
            true => queue.hand_over(&mut Unmeasured, &mut Unmeasured),
            false => queue.hand_over(&mut release, &mut cleaned),
        }
        queue.come(&mut Unmeasured);
    }
    (release.median(), cleaned.median())
}
