//! How much memory a VM takes in the engine with 100 to 100,000 of them, and how often each kind of step allocates.
//!
//! `cargo bench -p vmpool-engine --bench memory` prints both; unlike times, they are the same on every run.
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]
#![expect(unreachable_pub, reason = "a module that two benches share")]

mod farm;

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

use crate::farm::{Crowd, Farm, Meter, Queue, TURNS, Unmeasured, WORKS, Work, print, sizes};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Counts allocations, those that move something to more room included.
#[derive(Debug, Default)]
struct Allocations {
    count: usize,
    works: usize,
}

impl Meter for Allocations {
    fn measure<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let region = Region::new(ALLOCATOR);
        let done = work();
        let change = region.change();
        self.count += change.allocations + change.reallocations;
        self.works += 1;
        done
    }
}

fn main() {
    let sizes = sizes();
    let mut bytes = [("ready", Vec::new()), ("half of them leased", Vec::new())];
    let mut counts: Vec<(&str, Vec<f64>)> = WORKS.iter().map(|(_, name)| (*name, Vec::new())).collect();
    counts.extend([("hand-over, 1000 wait", Vec::new()), ("all steps, 1000 wait in a crowd", Vec::new())]);
    for size in &sizes {
        let region = Region::new(ALLOCATOR);
        let mut farm = Farm::ready(*size);
        bytes[0].1.push(lives(&region) / *size as f64);
        farm.use_half();
        bytes[1].1.push(lives(&region) / *size as f64);
        for ((work, _), (_, row)) in WORKS.iter().zip(&mut counts) {
            let rounds = if *work == Work::Listing { 3 } else { 200 };
            farm.work(*work, &mut Unmeasured);
            let mut allocations = Allocations::default();
            (0..rounds).for_each(|_| farm.work(*work, &mut allocations));
            row.push(allocations.count as f64 / allocations.works as f64);
        }
        counts[WORKS.len()].1.push(of_hand_over(*size));
        counts[WORKS.len() + 1].1.push(of_crowd(*size));
    }
    print("bytes in use for one VM, by the number of VMs", &sizes, &bytes);
    print("allocations of one step (a listing as a whole)", &sizes, &counts);
}

/// Returns how many bytes are in use that were not before.
fn lives(region: &Region<'_, System>) -> f64 {
    let change = region.change();
    // What is moved to more or less room counts with the difference alone.
    change.bytes_allocated as f64 - change.bytes_deallocated as f64
}

fn of_hand_over(size: u64) -> f64 {
    let mut queue = Queue::new(size, 1_000);
    let mut allocations = Allocations::default();
    for _ in 0..20 {
        queue.hand_over(&mut Unmeasured, &mut allocations);
        queue.come(&mut Unmeasured);
    }
    allocations.count as f64 / allocations.works as f64
}

fn of_crowd(size: u64) -> f64 {
    let mut crowd = Crowd::new(size, 1_000);
    let mut allocations = TURNS.map(|_| Allocations::default());
    (0..5_000).for_each(|_| crowd.go_on(&mut allocations));
    let sum = |of: fn(&Allocations) -> usize| allocations.iter().map(of).sum::<usize>() as f64;
    sum(|all| all.count) / sum(|all| all.works)
}
