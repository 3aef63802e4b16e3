//! Looking VMs up: V40–V54.

use std::{fs, sync::Arc};

use vmpool_model::FailureKind;
use vmpool_store::{VmPool, VmPoolError};

use super::{again, id, ids, ids_on_disk, pool, vm};

#[tokio::test]
async fn v40_a_cached_vm_is_the_same_object_even_when_the_provider_is_down() {
    let (_dir, pool, fake) = pool();
    let node = Arc::new(vm("i-1"));
    pool.add_vm(Arc::clone(&node), true).unwrap();
    fake.state().fails = Some(FailureKind::Unavailable);
    assert!(Arc::ptr_eq(&pool.get_vm(&id("i-1"), false).await.unwrap(), &node));
    assert_eq!(fake.state().calls, 0);
}

#[tokio::test]
async fn v41_another_vm_is_asked_for_once_and_cached() {
    let (_dir, pool, fake) = pool();
    pool.add_vm(vm("i-1"), false).unwrap();
    let first = pool.get_vm(&id("i-1"), false).await.unwrap();
    let second = pool.get_vm(&id("i-1"), false).await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(fake.state().calls, 1);
}

#[tokio::test]
async fn v42_a_forced_reload_replaces_the_cached_vm() {
    let (_dir, pool, fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    let mut renamed = vm("i-1");
    renamed.name = "renamed".to_owned();
    fake.state().answer = Some(renamed);
    assert_eq!(pool.get_vm(&id("i-1"), true).await.unwrap().name, "renamed");
    assert_eq!(pool.get_vm(&id("i-1"), false).await.unwrap().name, "renamed");
    assert_eq!(fake.state().calls, 1);
}

#[tokio::test]
async fn v42_after_a_failed_reload_the_old_vm_stays_cached() {
    let (_dir, pool, fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    for kind in [FailureKind::NotFound, FailureKind::Timeout] {
        fake.state().fails = Some(kind);
        pool.get_vm(&id("i-1"), true).await.unwrap_err();
        assert_eq!(*pool.get_vm(&id("i-1"), false).await.unwrap(), vm("i-1"));
    }
}

#[tokio::test]
async fn v43_an_unknown_vm_that_the_provider_knows_is_adopted_durably() {
    let (_dir, pool, _fake) = pool();
    pool.get_vm(&id("i-1"), false).await.unwrap();
    assert_eq!(ids(&pool), ["i-1"]);
    assert_eq!(ids_on_disk(&pool), ["i-1"]);
    assert!(pool.is_changed());
}

#[tokio::test]
async fn v43_what_cannot_be_adopted_durably_is_not_adopted() {
    let (_dir, pool, _fake) = pool();
    fs::create_dir(pool.path().join("i-1.vm")).unwrap();
    let err = pool.get_vm(&id("i-1"), false).await.unwrap_err();
    assert!(matches!(err, VmPoolError::Io { .. }), "{err:?}");
    assert!(pool.is_empty());
}

#[tokio::test]
async fn v44_an_adopted_vm_has_no_preferred_address() {
    let (_dir, pool, _fake) = pool();
    pool.get_vm(&id("i-1"), false).await.unwrap();
    assert_eq!(pool.preferred_ip(&id("i-1")), None);
}

#[tokio::test]
async fn v45_a_vm_that_the_provider_does_not_know_stays_in_the_pool() {
    let (_dir, pool, _fake) = pool();
    pool.add_vm(vm("gone"), false).unwrap();
    let err = pool.get_vm(&id("gone"), false).await.unwrap_err();
    assert!(err.is_not_found(), "{err:?}");
    assert_eq!(ids_on_disk(&pool), ["gone"]);
    let err = pool.get_vm(&id("never"), false).await.unwrap_err();
    assert!(err.is_not_found(), "{err:?}");
    assert_eq!(ids(&pool), ["gone"]);
}

#[tokio::test]
async fn v46_without_a_driver_an_uncached_vm_is_a_typed_error() {
    let dir = tempfile::tempdir().unwrap();
    let pool = VmPool::open(dir.path()).unwrap();
    pool.add_vm(vm("i-1"), false).unwrap();
    let err = pool.get_vm(&id("i-1"), false).await.unwrap_err();
    assert!(matches!(err, VmPoolError::NoDriver { .. }), "{err:?}");
}

#[test]
fn v47_a_preferred_address_is_read_back() {
    let (_dir, pool, _fake) = pool();
    let ip = Some([10, 0, 0, 7].into());
    pool.add_vm(vm("i-1"), true).unwrap();
    assert!(pool.set_preferred_ip(&id("i-1"), ip).unwrap());
    assert_eq!(again(&pool).preferred_ip(&id("i-1")), ip);
    pool.add_vm(vm("i-1"), true).unwrap();
    assert_eq!(again(&pool).preferred_ip(&id("i-1")), ip);
}

#[test]
fn v48_a_preferred_address_is_kept_when_it_is_set() {
    let (_dir, pool, _fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    let ip = Some([10, 0, 0, 7].into());
    pool.set_preferred_ip(&id("i-1"), ip).unwrap();
    assert_eq!((pool.preferred_ip(&id("i-1")), again(&pool).preferred_ip(&id("i-1"))), (ip, ip));
    pool.set_preferred_ip(&id("i-1"), None).unwrap();
    assert_eq!(again(&pool).preferred_ip(&id("i-1")), None);
}

#[test]
fn v48_a_preferred_address_does_not_bring_a_removed_vm_back() {
    let (_dir, pool, _fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    again(&pool).remove_vm(&id("i-1")).unwrap();
    assert!(!pool.set_preferred_ip(&id("i-1"), Some([10, 0, 0, 7].into())).unwrap());
    assert_eq!(ids_on_disk(&pool), [""; 0]);
}

#[tokio::test]
async fn v49_another_vm_than_the_one_asked_for_is_not_kept() {
    let (_dir, pool, fake) = pool();
    pool.add_vm(vm("i-1"), false).unwrap();
    fake.state().answer = Some(vm("i-2"));
    let err = pool.get_vm(&id("i-1"), false).await.unwrap_err();
    assert!(matches!(err, VmPoolError::WrongNode { .. }), "{err:?}");
    assert_eq!(ids_on_disk(&pool), ["i-1"]);
    fake.state().answer = None;
    assert_eq!(pool.get_vm(&id("i-1"), false).await.unwrap().id, id("i-1"));
}

#[tokio::test]
async fn v50_all_vms_cost_one_request_per_uncached_vm() {
    let (_dir, pool, fake) = pool();
    for (text, cache) in [("i-1", true), ("i-2", false), ("i-3", false)] {
        pool.add_vm(vm(text), cache).unwrap();
    }
    let all = pool.get_all_vms().await;
    let nodes: Vec<_> = all.values().map(|got| (**got.as_ref().unwrap()).clone()).collect();
    assert_eq!(nodes, [vm("i-1"), vm("i-2"), vm("i-3")]);
    assert_eq!(fake.state().calls, 2);
}

#[tokio::test]
async fn v51_a_vm_that_the_provider_does_not_know_hides_no_other() {
    let (_dir, pool, _fake) = pool();
    for (text, cache) in [("gone", false), ("i-1", false), ("i-2", true)] {
        pool.add_vm(vm(text), cache).unwrap();
    }
    let all = pool.get_all_vms().await;
    assert!(all[&id("gone")].as_ref().unwrap_err().is_not_found());
    assert!(all[&id("i-1")].is_ok() && all[&id("i-2")].is_ok());
}

#[tokio::test]
async fn v52_a_provider_that_fails_otherwise_hides_no_vm_either() {
    for kind in [FailureKind::Unavailable, FailureKind::Protocol, FailureKind::Other] {
        let (_dir, pool, fake) = pool();
        for (text, cache) in [("i-1", false), ("i-2", true), ("i-3", false)] {
            pool.add_vm(vm(text), cache).unwrap();
        }
        fake.state().fails = Some(kind);
        let all = pool.get_all_vms().await;
        for text in ["i-1", "i-3"] {
            assert!(matches!(all[&id(text)], Err(VmPoolError::Driver { .. })), "{all:?}");
        }
        assert!(all[&id("i-2")].is_ok());
    }
}

#[tokio::test]
async fn v53_refused_credentials_do_not_look_like_an_empty_pool() {
    let (_dir, pool, fake) = pool();
    for text in ["i-1", "i-2", "i-3"] {
        pool.add_vm(vm(text), false).unwrap();
    }
    fake.state().fails = Some(FailureKind::Authentication);
    let all = pool.get_all_vms().await;
    assert_eq!(all.len(), 3);
    let refused = |got: &Result<_, _>| matches!(got, Err(VmPoolError::Authentication { .. }));
    assert!(all.values().all(refused), "{all:?}");
    assert_eq!(fake.state().calls, 1, "a wrong password is not tried again and again");
    assert_eq!(ids_on_disk(&pool), ["i-1", "i-2", "i-3"]);
}

#[tokio::test]
async fn v53_a_missing_driver_does_not_look_like_an_empty_pool() {
    let (_dir, first, _fake) = pool();
    first.add_vm(vm("i-1"), true).unwrap();
    let all = again(&first).get_all_vms().await;
    assert!(matches!(all[&id("i-1")], Err(VmPoolError::NoDriver { .. })), "{all:?}");
}

#[tokio::test]
async fn v54_vms_that_are_removed_while_they_are_got_stay_removed() {
    let (_dir, pool, fake) = pool();
    let pool = Arc::new(pool);
    for text in ["i-1", "i-2"] {
        pool.add_vm(vm(text), false).unwrap();
    }
    let other = Arc::clone(&pool);
    fake.state().meanwhile = Some(Box::new(move || {
        other.remove_vm(&id("i-1")).unwrap();
        other.remove_vm(&id("i-2")).unwrap();
    }));
    let all = pool.get_all_vms().await;
    assert!(all.len() == 2 && all.values().all(Result::is_ok), "{all:?}");
    assert!(pool.is_empty());
    assert_eq!(ids_on_disk(&pool), [""; 0]);
}
