//! What the daemon takes to lease VMs durably, beside the limits of the machine that it runs on.
//!
//! `cargo bench -p vmpool-tests --bench service` prints tables for small pools; numbers as arguments are other sizes to try,
//! and `--all` means all. `cargo xtask bench service` writes what all sizes show into docs/benchmarks.md.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot go on has nothing to report")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "tables are what it is for")]
#![expect(unreachable_pub, reason = "the parts of a program")]

mod connection;
mod disk;
mod empty;
mod farm;
mod load;
mod process;
mod quantile;
mod store;
mod tables;

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::{
    empty::Empty,
    farm::Farm,
    tables::{CLIENTS, Goals, Run},
};

/// How many VMs pools have: all that are compared, and those of a quick look.
const SIZES: [u32; 5] = [10, 100, 1_000, 10_000, 100_000];
const FEW: [u32; 2] = [100, 1_000];

/// For how long each load lasts, after a quarter of that which does not count.
const LOAD: Duration = Duration::from_secs(4);

/// For how long the disk and the store alone are looked at.
const PROBE: Duration = Duration::from_secs(1);

/// For how long nobody asks the daemon anything.
const IDLE: Duration = Duration::from_secs(30);

/// The sizes with which an idle daemon and a restart are looked at.
const IDLE_SIZE: u32 = 10_000;
const RESTARTED: [u32; 2] = [10_000, 100_000];

fn main() {
    if std::env::args().any(|argument| argument == empty::ARGUMENT) {
        return empty::serve();
    }
    let sizes: Vec<u32> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let is_all = std::env::args().any(|argument| argument == "--all");
    let sizes = match sizes.is_empty() {
        false => sizes,
        true if is_all => SIZES.to_vec(),
        true => FEW.to_vec(),
    };
    // One thread makes all requests: a client is to take as little of the machine as it can.
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut goals = Goals::default();
    limits(&runtime, &mut goals);
    let nothing = runtime.block_on(async { process::resident(Farm::with_vms(0).await.id()) });
    let (mut runs, mut tails) = (Vec::new(), Vec::new());
    for vms in sizes {
        eprintln!("{vms} VMs: filling the pool");
        let mut farm = runtime.block_on(Farm::with_vms(vms));
        let memory = (process::resident(farm.id()) - nothing) / f64::from(vms);
        let idle = (vms == IDLE_SIZE).then(|| idle(&farm));
        for half in [false, true] {
            if half {
                runtime.block_on(load::hold(farm.url(), vms / 2));
            }
            for clients in CLIENTS {
                eprintln!("{vms} VMs: {clients} clients, half in use: {half}");
                runs.push(run(&runtime, &farm, vms, clients, half));
            }
        }
        let restart = RESTARTED.contains(&vms).then(|| runtime.block_on(farm.restart()));
        tails.push(tables::Tail { vms, memory, idle, restart });
    }
    eprintln!("hand-over");
    let hand_over = hand_over(&runtime);
    tables::loads(&runs, &mut goals);
    tables::hand_over(&hand_over, &mut goals);
    tables::tails(&tails, &mut goals);
    goals.print();
}

/// Looks at the disk, the store alone and a server that does nothing.
fn limits(runtime: &Runtime, goals: &mut Goals) {
    eprintln!("the limits of this machine");
    let disk = disk::sync(PROBE);
    let stores = CLIENTS.map(|group| (group, store::commit(runtime, group, PROBE)));
    let server = Empty::start();
    let nothing = CLIENTS.map(|clients| (clients, runtime.block_on(load::ask(&server.url, clients, PROBE))));
    tables::limits(&disk, &stores, &nothing, goals);
}

fn run(runtime: &Runtime, farm: &Farm, vms: u32, clients: usize, half: bool) -> Run {
    // The disk beside each run: it is not the same all the time.
    let sync = disk::sync(PROBE / 4).at(0.5);
    let (commits, processor) = (farm.commits(), process::on_processor(farm.id()));
    let all = LOAD + LOAD / 4;
    let done = runtime.block_on(load::acquire_and_release(farm.url(), clients, LOAD));
    let commits = (farm.commits() - commits) as f64 * LOAD.as_secs_f64() / all.as_secs_f64();
    let processor = (process::on_processor(farm.id()) - processor) / all.as_secs_f64();
    Run { vms, clients, half, sync, commits, processor, done }
}

/// Returns how much of a processor the daemon takes while nobody asks it anything.
fn idle(farm: &Farm) -> f64 {
    eprintln!("idle");
    let before = process::on_processor(farm.id());
    vmpool_tests::wait::let_pass(IDLE);
    (process::on_processor(farm.id()) - before) / IDLE.as_secs_f64()
}

/// Lets many clients share a few VMs, so that there is always somebody who waits.
fn hand_over(runtime: &Runtime) -> load::Done {
    const VMS: u32 = 8;
    let farm = runtime.block_on(Farm::with_vms(VMS));
    runtime.block_on(load::acquire_and_release(farm.url(), CLIENTS[CLIENTS.len() - 1], LOAD))
}
