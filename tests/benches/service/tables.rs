//! The tables, and whether the goals are reached.

use crate::{load::Done, quantile::Quantiles, store::Committed};

/// How many clients there are at once, and how many wishes share a commit of the store alone.
pub const CLIENTS: [usize; 3] = [1, 8, 64];

/// A load on a daemon.
pub struct Run {
    pub vms: u32,
    pub clients: usize,
    /// Whether half of the VMs are leased for good.
    pub half: bool,
    /// What the disk took for a sync just before, in microseconds.
    pub sync: f64,
    /// How often the daemon synced.
    pub commits: f64,
    /// How much of a processor the daemon took.
    pub processor: f64,
    pub done: Done,
}

/// What else there is to say about a daemon with so many VMs.
pub struct Tail {
    pub vms: u32,
    /// Bytes for each VM.
    pub memory: f64,
    /// How much of a processor it takes while nobody asks anything.
    pub idle: Option<f64>,
    /// How many seconds it takes to lease a VM again after it was killed.
    pub restart: Option<f64>,
}

/// What was to be reached, and what was.
#[derive(Default)]
pub struct Goals {
    /// How many round trips a second the store alone makes in groups as large as can be.
    store: f64,
    rows: Vec<(String, String, bool)>,
}

pub fn limits(disk: &Quantiles, stores: &[(usize, Committed)], empty: &[(usize, Done)], goals: &mut Goals) {
    println!(
        "The limits: what the disk, the store alone and a server that does nothing do on the same machine.\n"
    );
    println!("| what | at once | a second | p50 µs | p99 µs |\n|---|---|---|---|---|");
    row("the disk: a write of 4 KiB and `fdatasync`", 1, disk.rate(), disk);
    for (group, store) in stores {
        row(
            "the store alone: pairs of an acquire and a release, by commits of so many wishes",
            *group,
            store.rate,
            &store.commits,
        );
        goals.store = store.rate;
    }
    for (clients, done) in empty {
        row("a server that reads JSON and answers JSON", *clients, done.rate(), &done.round_trips);
    }
    println!();
}

fn row(what: &str, at_once: usize, rate: f64, took: &Quantiles) {
    println!("| {what} | {at_once} | {rate:.0} | {:.0} | {:.0} |", took.at(0.5), took.at(0.99));
}

pub fn loads(runs: &[Run], goals: &mut Goals) {
    println!("Acquire and release through HTTP, each durable before it is answered:\n");
    println!(
        "| VMs | in use | clients | round trips a second | p50 µs | p99 µs | acquire alone, p50 µs | sync of the disk just before, µs \
         | wishes a commit | commits a second | processors, of the daemon |\n|---|---|---|---|---|---|---|---|---|---|---|"
    );
    for Run { vms, clients, half, sync, commits, processor, done } in runs {
        let in_use = if *half { "half" } else { "none" };
        let wishes = done.round_trips.len() as f64 * 2.0 / commits;
        let (p50, p99) = (done.round_trips.at(0.5), done.round_trips.at(0.99));
        let (acquire, rate, a_second) = (done.acquires.at(0.5), done.rate(), commits / done.seconds);
        println!(
            "| {vms} | {in_use} | {clients} | {rate:.0} | {p50:.0} | {p99:.0} | {acquire:.0} | {sync:.0} | {wishes:.1} | {a_second:.0} \
             | {processor:.2} |"
        );
    }
    println!();
    goals.rates(runs);
}

pub fn hand_over(done: &Done, goals: &mut Goals) {
    let took = &done.hand_overs;
    let at = |share| took.at(share) / 1e3;
    println!(
        "A freed VM to whoever waits, from the release that is sent to the lease that is read, with 8 VMs and 64 clients:\n"
    );
    println!("| hand-overs | p50 ms | p99 ms | p99.9 ms |\n|---|---|---|---|");
    println!("| {} | {:.2} | {:.2} | {:.2} |\n", took.len(), at(0.5), at(0.99), at(0.999));
    goals.row("p99 of a hand-over", format!("{:.2} ms", at(0.99)), "5 ms", at(0.99) <= 5.0);
}

pub fn tails(tails: &[Tail], goals: &mut Goals) {
    println!("The daemon as a process, the cloud in memory included:\n");
    println!(
        "| VMs | bytes for each VM | idle, % of a processor | killed, to the first lease, s |\n|---|---|---|---|"
    );
    for Tail { vms, memory, idle, restart } in tails {
        let shown = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.2}"));
        println!("| {vms} | {memory:.0} | {} | {} |", shown(idle.map(|idle| idle * 100.0)), shown(*restart));
        if 10_000 <= *vms {
            let what = format!("memory for each of {vms} VMs");
            goals.row(&what, format!("{memory:.0} bytes"), "4096", *memory <= 4096.0);
        }
        if let Some(idle) = idle {
            let what = format!("idle with {vms} VMs");
            goals.row(&what, format!("{:.2} % of a processor", idle * 100.0), "1 %", *idle < 0.01);
        }
        if let Some(restart) = restart.filter(|_| *vms == 10_000) {
            let what = format!("killed, to the first lease of {vms} VMs");
            goals.row(&what, format!("{restart:.2} s"), "1 s", restart <= 1.0);
        }
    }
    println!();
}

impl Goals {
    /// Adds what the loads show.
    fn rates(&mut self, runs: &[Run]) {
        let idle = |vms: u32, clients: usize| {
            runs.iter().find(|run| run.vms == vms && run.clients == clients && !run.half)
        };
        let least = (self.store * 0.6).min(10_000.0);
        for run in runs.iter().filter(|run| run.clients == 64 && !run.half && 100 <= run.vms) {
            let what = format!("64 clients, {} VMs", run.vms);
            let rate = run.done.rate();
            self.row(&what, format!("{rate:.0} a second"), &format!("{least:.0}"), least <= rate);
        }
        if let (Some(few), Some(many)) = (idle(100, 64), idle(100_000, 64)) {
            let ratio = many.done.rate() / few.done.rate();
            self.row("100,000 VMs beside 100, 64 clients", format!("{ratio:.2}"), "0.8", 0.8 <= ratio);
        }
        for run in runs.iter().filter(|run| run.clients == 1 && !run.half && 100 <= run.vms) {
            let (took, most) = (run.done.acquires.at(0.5), run.sync + 300.0);
            let what = format!("one client, {} VMs: an acquire", run.vms);
            self.row(&what, format!("{took:.0} µs"), &format!("{most:.0}"), took <= most);
        }
    }

    fn row(&mut self, what: &str, measured: String, goal: &str, is_met: bool) {
        self.rows.push((what.to_owned(), format!("{measured} | {goal}"), is_met));
    }

    pub fn print(&self) {
        println!("What was to be reached:\n");
        println!("| what | measured | goal | reached |\n|---|---|---|---|");
        for (what, numbers, is_met) in &self.rows {
            println!("| {what} | {numbers} | {} |", if *is_met { "yes" } else { "no" });
        }
    }
}
