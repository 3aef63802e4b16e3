//! A simulated world: random histories with lost answers, bad listings and crashes, then calm.
//!
//! Each run tries the same histories, so that a change is to blame for a failure, not chance. `PROPTEST_RNG_SEED` (a number)
//! tries others, `PROPTEST_CASES` sets how many, and `PROPTEST_MAX_SHRINK_TIME` how many milliseconds a failing one
//! is made shorter: half a minute unless told, so that it is told before a test that hangs would be ended.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

/// Returns an error unless a condition holds.
macro_rules! ensure {
    ($holds:expr, $($why:tt)+) => {
        if !$holds {
            return Err(format!($($why)+));
        }
    };
}

mod act;
mod calm;
mod cloud;
mod execute;
mod ledger;
mod life;
mod operator;
mod reasons;
mod rules;
mod setup;
mod store;
mod supply;
mod turns;
mod verb;
mod wants;
mod world;

use proptest::{
    collection::vec,
    test_runner::{Config, FileFailurePersistence, RngSeed, TestCaseError, TestRunner},
};

#[test]
fn whatever_happens_the_invariants_hold_and_calm_brings_every_pool_to_rest() {
    let given = Config::default();
    let config = Config {
        rng_seed: match std::env::var_os("PROPTEST_RNG_SEED") {
            Some(_) => given.rng_seed,
            None => RngSeed::Fixed(1),
        },
        max_shrink_time: match given.max_shrink_time {
            0 => 30_000,
            told => told,
        },
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/world/regressions.txt"))),
        source_file: Some(file!()),
        ..given
    };
    let histories = (setup::setup(), vec(act::act(), 1..150));
    let outcome = TestRunner::new(config).run(&histories, |(setup, acts)| {
        live(&setup, &acts, false).map_err(|_| match live(&setup, &acts, true) {
            Err(why) => TestCaseError::fail(why),
            Ok(()) => TestCaseError::fail("a history ends differently when it is repeated"),
        })
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// Lives through a history; the error tells it if that is wanted.
fn live(setup: &setup::Setup, acts: &[act::Act], is_told: bool) -> Result<(), String> {
    let mut world = world::World::new(setup, is_told);
    let lived = acts.iter().try_for_each(|act| world.act(act.clone())).and_then(|()| world.calm_down());
    lived.map_err(|why| format!("{why}\n{}", world.story()))
}
