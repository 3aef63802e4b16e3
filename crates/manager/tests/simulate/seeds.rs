//! Many seeds, on all cores; one that fails is lived through again and told.

use std::{
    num::NonZero,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use crate::life::{self, Life};

/// How many seeds a plain test run tries.
const SEEDS: u64 = 25;
/// How many lines of a story are shown unless all are wanted.
const LINES: usize = 80;
/// How long no seed may be done: one takes some 10 ms.
const PATIENCE: Duration = Duration::from_secs(100);

/// Does what `SEED`, or `FROM` and `SEEDS`, say.
#[expect(clippy::panic, reason = "a test fails by panicking")]
pub(crate) fn live_through_all() {
    if let Some(seed) = number("SEED") {
        let Life { broken, story } = life::live(seed, true);
        story.iter().for_each(|line| tell(line));
        return assert_eq!(broken, None, "seed {seed}");
    }
    let (from, count) = (number("FROM").unwrap_or(0), number("SEEDS").unwrap_or(SEEDS));
    let threads =
        number("THREADS").unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZero::get) as u64);
    let (next, stop) = (AtomicU64::new(from), AtomicBool::new(false));
    let running: Vec<AtomicU64> = (0..threads).map(|_| AtomicU64::new(from)).collect();
    let failed = Mutex::new(None);
    let (report, reports) = mpsc::channel();
    thread::scope(|scope| {
        for running in &running {
            let (next, stop, failed, report) = (&next, &stop, &failed, report.clone());
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if from + count <= seed {
                        return;
                    }
                    running.store(seed, Ordering::Relaxed);
                    if let Some(broken) = life::live(seed, false).broken {
                        stop.store(true, Ordering::Relaxed);
                        failed.lock().unwrap().get_or_insert((seed, broken));
                    }
                    report.send(()).unwrap();
                }
            });
        }
        drop(report);
        watch(&reports, &running);
    });
    if let Some((seed, broken)) = failed.into_inner().unwrap() {
        let again = life::live(seed, true);
        // Listings go on for ever, and would hide what matters.
        let story: Vec<_> = again.story.iter().filter(|line| !line.contains(": List ")).collect();
        story[story.len().saturating_sub(LINES)..].iter().for_each(|line| tell(line));
        let differs = match again.broken == Some(broken.clone()) {
            true => String::new(),
            false => format!("\nIT WENT ANOTHER WAY the second time: {:?}", again.broken),
        };
        panic!("seed {seed}: {broken}{differs}\nthe whole story: cargo xtask simulate --seed {seed} --trace");
    }
}

/// Waits until all seeds are done; ends the process if nothing does for a minute, since a loop without an end cannot be ended otherwise.
fn watch(reports: &mpsc::Receiver<()>, running: &[AtomicU64]) {
    loop {
        match reports.recv_timeout(PATIENCE) {
            Ok(()) => {}
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                tell(&format!("one of these seeds does not end: {running:?}"));
                std::process::abort();
            }
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

#[expect(clippy::print_stdout, reason = "the story is for people")]
fn tell(line: &str) {
    println!("{line}");
}
