//! A limit that holds across processes: V83.

use std::sync::Barrier;

use vmpool_store::VmPoolError;

use super::{again, entries, id, ids_on_disk, pool, vm};

#[test]
fn v83_the_limit_counts_the_vms_of_all_processes() {
    let (_dir, pool, _fake) = pool();
    let (one, two) = (again(&pool).with_limit(2), again(&pool).with_limit(2));
    one.add_vm(vm("i-1"), true).unwrap();
    two.add_vm(vm("i-2"), true).unwrap();
    let err = one.add_vm(vm("i-3"), true).unwrap_err();
    assert!(matches!(err, VmPoolError::LimitReached { limit: 2 }), "{err:?}");
    one.add_vm(vm("i-2"), true).expect("it is in the pool already");
    two.remove_vm(&id("i-1")).unwrap();
    one.add_vm(vm("i-3"), true).unwrap();
}

#[test]
fn v83_a_place_is_taken_before_the_vm_is_created() {
    let (_dir, pool, _fake) = pool();
    let (one, two) = (again(&pool).with_limit(1), again(&pool).with_limit(1));
    let place = one.reserve().unwrap();
    assert!(matches!(two.reserve().unwrap_err(), VmPoolError::LimitReached { limit: 1 }));
    assert!(matches!(two.add_vm(vm("i-2"), true).unwrap_err(), VmPoolError::LimitReached { .. }));
    place.add_vm(vm("i-1"), true).unwrap();
    assert_eq!(ids_on_disk(&pool), ["i-1"]);
    two.reserve().unwrap_err();
}

#[test]
fn v83_a_place_that_is_given_up_is_free() {
    let (_dir, pool, _fake) = pool();
    let pool = again(&pool).with_limit(1);
    drop(pool.reserve().unwrap());
    drop(pool.reserve().unwrap());
    assert_eq!(entries(pool.path()), [".lock"]);
}

#[test]
fn v83_a_place_of_a_dead_process_is_free() {
    let (_dir, pool, _fake) = pool();
    // As a process leaves it that was killed: nobody locks it.
    std::fs::write(pool.path().join(".slot-0"), "").unwrap();
    again(&pool).with_limit(1).add_vm(vm("i-1"), true).unwrap();
    assert_eq!(entries(pool.path()), [".lock", "i-1.vm"]);
}

#[test]
fn v83_many_at_once_never_exceed_the_limit() {
    let (_dir, pool, _fake) = pool();
    let start = Barrier::new(8);
    let granted = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=8)
            .map(|number| {
                let (pool, start) = (again(&pool).with_limit(3), &start);
                scope.spawn(move || {
                    start.wait();
                    let Ok(place) = pool.reserve() else { return 0 };
                    place.add_vm(vm(&format!("i-{number}")), true).unwrap();
                    1
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
    });
    assert_eq!((granted, ids_on_disk(&pool).len()), (3, 3));
}
