//! How long one step takes with 100 to 100,000 VMs, and whether that grows.
//!
//! `cargo bench -p vmpool-engine --bench scale` prints the median of each kind of step by the number of VMs, and the ratio
//! of 100,000 VMs to 1,000; `-- renew cold crowd 1000 100000` does so for these parts and sizes alone. It judges nothing: how long
//! things take depends on the machine and on what else it does.
//!
//! What 1,000 VMs need stays in the caches of the processor while the bench does nothing else, and what 100,000 need does not. So a
//! second table empties the caches before each step, as other work of a daemon does, and compares what the steps themselves
//! do. How many instructions these are, this tells, divided by 3,000 for most rows:
//! `valgrind --tool=callgrind --toggle-collect='*Times*measure*' target/release/deps/scale-* renew 100000`.
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "what it measures is the time of the machine")]
#![expect(unreachable_pub, reason = "a module that two benches share")]

mod farm;

use std::time::{Duration, Instant};

use crate::farm::{Crowd, Farm, Meter, Queue, TURNS, Unmeasured, WORKS, Work, print, sizes};

/// How many words there are to walk over so that no cache keeps anything else: 64 MiB of them.
const WORDS: usize = 8 << 20;

/// How many things happen while a crowd waits.
const STEPS: usize = 10_000;

/// Notes how long each piece of work takes.
#[derive(Debug, Default)]
struct Times {
    all: Vec<Duration>,
    /// It takes so long that others interrupt it: what counts is for how long this thread ran.
    is_long: bool,
}

impl Meter for Times {
    #[inline(never)]
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

    /// Returns the mean in nanoseconds.
    fn mean(&self) -> f64 {
        self.all.iter().sum::<Duration>().as_secs_f64() * 1e9 / self.all.len() as f64
    }
}

/// Empties the caches before each piece of work, and notes how long that takes.
#[derive(Debug)]
struct Cold {
    words: Vec<u64>,
    times: Times,
}

impl Meter for Cold {
    fn measure<T>(&mut self, work: impl FnOnce() -> T) -> T {
        // A line of a cache has eight words.
        self.words.iter_mut().step_by(8).for_each(|word| *word += 1);
        self.times.measure(work)
    }
}

/// Returns for how long this thread ran, to the last tick, if the kernel tells.
fn ran() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
}

/// Returns whether a row is wanted: all are, unless arguments name parts of some.
fn is_wanted(name: &str) -> bool {
    let parts = std::env::args().skip(1).filter(|arg| !arg.starts_with("--") && arg.parse::<u64>().is_err());
    let mut parts = parts.peekable();
    parts.peek().is_none() || parts.any(|part| name.contains(&part))
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
    table_of_cold_sizes(&sizes);
    table_of_queues(sizes[1.min(sizes.len() - 1)]);
    table_of_crowds(&sizes);
}

fn table_of_sizes(sizes: &[u64]) {
    let mut rows: Vec<(&str, Vec<f64>)> = WORKS.iter().map(|(_, name)| (*name, Vec::new())).collect();
    rows.extend([("release, cleaned, 1000 wait", Vec::new()), ("hand-over, 1000 wait", Vec::new())]);
    for size in sizes {
        let is_used = WORKS.iter().any(|(_, name)| is_wanted(name));
        let mut farm = is_used.then(|| Farm::ready(*size));
        farm.iter_mut().for_each(Farm::use_half);
        for ((work, name), (_, row)) in WORKS.iter().zip(&mut rows) {
            let Some(farm) = farm.as_mut().filter(|_| is_wanted(name)) else {
                row.push(f64::NAN);
                continue;
            };
            let per = if *work == Work::Listing { *size } else { 1 };
            (0..rounds(*work) / 10).for_each(|_| farm.work(*work, &mut Unmeasured));
            let mut times = Times { is_long: 10_000 < per, ..Times::default() };
            (0..rounds(*work)).for_each(|_| farm.work(*work, &mut times));
            row.push(times.median() / per as f64);
        }
        let (release, cleaned) = hand_over(*size, 1_000);
        rows[WORKS.len()].1.push(release);
        rows[WORKS.len() + 1].1.push(cleaned);
    }
    print("median of a step in ns, by the number of VMs, half of them leased", sizes, &rows);
}

fn table_of_cold_sizes(sizes: &[u64]) {
    let works = || WORKS.into_iter().filter(|(work, _)| !matches!(work, Work::Explain | Work::Listing));
    if !is_wanted("cold") {
        return;
    }
    let mut rows: Vec<(&str, Vec<f64>)> = works().map(|(_, name)| (name, Vec::new())).collect();
    for size in sizes {
        let mut farm = Farm::ready(*size);
        farm.use_half();
        for ((work, _), (_, row)) in works().zip(&mut rows) {
            let mut cold = Cold { words: vec![0; WORDS], times: Times::default() };
            (0..100).for_each(|_| farm.work(work, &mut cold));
            row.push(cold.times.median());
        }
    }
    print("the same, with the caches emptied before each step", sizes, &rows);
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
    if !is_wanted("crowd") {
        return;
    }
    let mut rows: Vec<(&str, Vec<f64>)> = TURNS.iter().map(|name| (*name, Vec::new())).collect();
    rows.push(("all of them", Vec::new()));
    for size in sizes {
        let mut crowd = Crowd::new(*size, 3_000);
        let mut times = TURNS.map(|_| Times::default());
        let mut all = Times { is_long: true, ..Times::default() };
        all.measure(|| (0..STEPS).for_each(|_| crowd.go_on(&mut times)));
        for (times, (_, row)) in times.into_iter().zip(&mut rows) {
            row.push(times.median());
        }
        rows[TURNS.len()].1.push(all.mean() / STEPS as f64);
    }
    print("median of a step in ns while a crowd of 3,000 waits, by the number of VMs", sizes, &rows);
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
