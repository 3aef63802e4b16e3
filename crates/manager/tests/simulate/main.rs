//! The real manager over dummy clouds, a store in memory and an hour of bad luck, all from one seed.
//!
//! A seed makes a [scenario](scenario): pools, providers, clients, operators, and what goes wrong. Time is virtual
//! and one thread does it all, so that a seed goes the same way each time. After every commit and before every call to a
//! cloud the [rules](ledger) are checked; in the end the [calm](calm) comes, and everything must come to rest.
//!
//! `SEED=17` lives through one seed and tells what happens, `FROM=1000 SEEDS=500` lives through many.
//! `cargo xtask simulate` does the same with an optimized build.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod calm;
mod client;
mod clocks;
mod cloud;
mod crowd;
mod disaster;
mod failover;
mod fair;
mod health;
mod journal;
mod ledger;
mod life;
mod offers;
mod operator;
mod reload;
mod rows;
mod scenario;
mod seeds;
mod store;
mod wishes;
mod world;

#[test]
fn whatever_happens_to_the_manager_the_invariants_hold_and_everything_comes_to_rest() {
    seeds::live_through_all();
}

#[test]
fn a_seed_goes_the_same_way_each_time() {
    for seed in [3, 14, 15, 92, 65] {
        let (first, second) = (life::live(seed, true), life::live(seed, true));
        assert!(first.story.len() > 100, "seed {seed} tells nothing");
        let differs = first.story.iter().zip(&second.story).find(|(a, b)| a != b);
        assert_eq!(differs, None, "seed {seed} went another way");
        assert_eq!(first.story.len(), second.story.len(), "seed {seed} went another way");
    }
}

#[test]
fn owners_of_equal_weight_with_constant_demand_have_equal_shares_with_a_jain_index_of_at_least_0_95() {
    for seed in 0..3 {
        let shares = fair::shares(seed);
        assert!(0.95 <= fair::jain(&shares), "seed {seed}: {shares:?}, {}", fair::jain(&shares));
        // Not because nobody had anything: there are 20 VMs for half an hour, and making them takes some of it.
        assert!(20.0 * 1800.0 * 0.7 < shares.iter().sum(), "seed {seed}: {shares:?}");
    }
}
