//! How much a pool keeps: what waits, what is spare, what is too much.

use vmpool_model::{RecordState, config::OnRelease};

use crate::lab::{Lab, config, seconds, wish};

#[test]
fn min_ready_vms_are_kept_beyond_the_leased_ones() {
    let mut pool = config(1);
    pool.min_ready = 1;
    pool.max_total = Some(3);
    let mut lab = Lab::ready(pool);
    assert_eq!(lab.vms().count(), 1);
    lab.granted(wish("r1", "ann"));
    lab.boot_all();
    assert_eq!(lab.counts([RecordState::InUse, RecordState::Ready]), [1, 1]);
    lab.granted(wish("r2", "ann"));
    lab.boot_all();
    lab.granted(wish("r3", "ann"));
    assert_eq!(lab.counts([RecordState::InUse, RecordState::Ready]), [3, 0]);
    assert_eq!(lab.creates(), 0, "max_total is reached");
}

#[test]
fn min_ready_vms_are_kept_beyond_those_that_are_kept_for_their_users() {
    let mut pool = config(1);
    pool.min_ready = 1;
    pool.max_total = Some(2);
    pool.on_release = OnRelease::Reuse;
    let mut lab = Lab::ready(pool);
    let grant = lab.granted(wish("r1", "ann"));
    lab.boot_all();
    lab.release(&grant.lease);
    lab.pass(seconds(100));
    assert_eq!(lab.counts([RecordState::Ready]), [2]);
    lab.granted(wish("r2", "bob"));
}

#[test]
fn a_pool_tells_how_many_vms_are_in_each_state() {
    let mut lab = Lab::ready(config(3));
    lab.granted(wish("r1", "ann"));
    let counts = lab.engine.pools()[0].counts;
    let counted = RecordState::ALL.map(|state| lab.counts([state])[0]);
    assert_eq!(counts, counted);
    assert_eq!((counts[RecordState::InUse as usize], counts[RecordState::Ready as usize]), (1, 2));
}

#[test]
fn requests_that_wait_make_the_pool_grow_to_max_total() {
    let mut pool = config(0);
    pool.max_total = Some(2);
    pool.max_starting = 5;
    let mut lab = Lab::new(pool);
    assert_eq!(lab.creates(), 0);
    for request in ["r1", "r2", "r3"] {
        let _ = lab.acquire(wish(request, "ann").with_wait(seconds(60)));
    }
    assert_eq!(lab.creates(), 2);
}

#[test]
fn what_is_too_much_is_given_up_after_max_idle() {
    let mut pool = config(0);
    pool.max_total = Some(1);
    pool.max_idle = seconds(100);
    let mut lab = Lab::new(pool);
    let request = wish("r1", "ann").with_wait(seconds(60));
    let _ = lab.acquire(request.clone());
    let _ = lab.step(vmpool_engine::Input::Cancel(request.request));
    lab.boot_all();
    assert_eq!(lab.only_vm().state, RecordState::Ready);
    lab.pass(seconds(99));
    assert_eq!(lab.only_vm().state, RecordState::Ready);
    lab.pass(seconds(1));
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
}

#[test]
fn what_was_too_much_and_is_needed_again_gets_its_whole_idle_time_anew() {
    let mut pool = config(0);
    pool.max_total = Some(1);
    pool.max_idle = seconds(100);
    pool.on_release = OnRelease::Reuse;
    pool.dirty_timeout = seconds(1000);
    let mut lab = Lab::new(pool);
    let request = wish("r1", "ann").with_wait(seconds(60));
    let _ = lab.acquire(request.clone());
    let _ = lab.step(vmpool_engine::Input::Cancel(request.request));
    lab.boot_all();
    lab.pass(seconds(99));
    let grant = lab.granted(wish("r2", "ann"));
    lab.pass(seconds(10));
    lab.release(&grant.lease);
    lab.pass(seconds(50));
    assert_eq!(lab.only_vm().state, RecordState::Ready);
}

#[test]
fn a_vm_that_is_kept_for_its_last_user_makes_room_for_one_who_waits() {
    let mut pool = config(1);
    pool.on_release = OnRelease::Reuse;
    let mut lab = Lab::ready(pool);
    let grant = lab.granted(wish("r1", "ann"));
    lab.release(&grant.lease);
    lab.pass(seconds(10));
    assert_eq!(lab.only_vm().state, RecordState::Ready);
    let _ = lab.acquire(wish("r2", "bob").with_wait(seconds(60)));
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
}

#[test]
fn nothing_makes_room_for_those_whose_vms_are_on_their_way() {
    let mut pool = config(2);
    pool.on_release = OnRelease::Reuse;
    pool.max_starting = 1;
    let mut lab = Lab::new(pool);
    lab.created(vmpool_model::states::NodeState::Running);
    let grant = lab.granted(wish("r1", "ann"));
    lab.release(&grant.lease);
    let _ = lab.acquire(wish("r2", "bob").with_wait(seconds(60)));
    assert_eq!(lab.counts([RecordState::Ready, RecordState::Spawning]), [1, 1]);
}

#[test]
fn a_vm_that_is_cleaned_for_its_own_user_is_nobody_elses_stock() {
    let mut pool = config(1);
    (pool.min_ready, pool.max_total, pool.on_release) = (1, Some(3), OnRelease::Reuse);
    pool.hooks.before_release = crate::lab::hook();
    let mut lab = Lab::ready(pool);
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.boot_all();
    lab.release(&lease);
    lab.granted(wish("r2", "bob"));
    assert_eq!(lab.counts([RecordState::Releasing, RecordState::InUse]), [1, 1]);
    assert_eq!(lab.creates(), 1);
}

#[test]
fn a_pool_shows_what_it_keeps_ready_and_what_that_follows_from() {
    let mut pool = config(0);
    (pool.min_ready, pool.max_total) = (1, Some(9));
    pool.schedule = serde_json::from_str(r#"[{"from": "14:00", "to": "15:00", "min_ready": 3}]"#).unwrap();
    pool.demand = Some(serde_json::from_str(r#"{"half_life": "1h"}"#).unwrap());
    let mut lab = Lab::new(pool);
    let stock = lab.engine.pools()[0].stock.clone();
    assert_eq!((stock.target, stock.scheduled, stock.likely, stock.boot_time), (1, 0, None, None));
    // The lab begins on 12 January 1970 at 13:46:40.
    lab.pass(stock.changes_at.unwrap().since(lab.now));
    let stock = lab.engine.pools()[0].stock.clone();
    assert_eq!((stock.target, stock.scheduled), (3, 3));
    lab.pass(seconds(40));
    lab.boot_all();
    for request in ["r1", "r2", "r3", "r4", "r5", "r6"] {
        let _ = lab.acquire(wish(request, "ann").with_wait(seconds(600)));
    }
    let stock = lab.engine.pools()[0].stock.clone();
    assert!(0.001 < stock.arrivals && stock.boot_time.is_some_and(|time| seconds(40) <= time), "{stock:?}");
    assert!(stock.likely.is_some_and(|likely| likely <= stock.target), "{stock:?}");
    assert_eq!(lab.engine.pool(&crate::lab::pool()), lab.engine.pools().pop());
}
