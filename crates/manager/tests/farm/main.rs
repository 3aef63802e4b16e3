//! A busy farm: the real manager over dummy clouds in virtual time, with as many VMs, pools and owners as one likes.
//!
//! A [plan](plan) is made of a size and a seed: accounts with quotas, latencies and a low rate of faults, pools of all kinds, and
//! owners who ask for VMs all the time. The pools fill up by real creates, then the farm is [busy](life) for some hours, with a rush
//! and a crash of the manager in the middle, and in the end every pool is drained. The [rules](ledger) look at what each commit
//! changes, and every minute at everything.
//!
//! `VMS=100000 POOLS=50 HOURS=1 SEED=7` is the environment that says how large the farm is; `cargo xtask simulate --farm` sets it,
//! with an optimized build.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cloud;
mod figures;
mod ledger;
mod life;
mod people;
mod plan;
mod reckoning;
mod stopwatch;
mod store;
mod tools;
mod verdict;
mod wall;
mod world;

#[test]
fn a_busy_farm_serves_everybody_keeps_every_limit_and_leaks_nothing() {
    let size = plan::Size::from_environment();
    let end = life::live(size);
    assert_eq!(end, Ok(()), "{size:?}");
}
