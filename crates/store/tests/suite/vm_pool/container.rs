//! The pool as a container and as a value: V70–V75, and V54.

use vmpool_store::{SavedVmPool, VmPool, VmPoolError};

use super::{again, id, ids, pool, vm};

#[test]
fn v70_the_pool_is_a_set_of_ids() {
    let (_dir, pool, _fake) = pool();
    assert!(pool.is_empty());
    for text in ["i-2", "i-1", "i-3"] {
        pool.add_vm(vm(text), true).unwrap();
    }
    assert_eq!(pool.len(), 3);
    assert!(pool.contains(&id("i-1")) && pool.contains(&vm("i-1")));
    assert!(!pool.contains(&id("i-9")));
    assert_eq!(pool.into_iter().collect::<Vec<_>>(), [id("i-1"), id("i-2"), id("i-3")]);
}

#[test]
fn v70_vms_may_be_removed_while_iterating() {
    let (_dir, pool, _fake) = pool();
    for text in ["i-1", "i-2", "i-3"] {
        pool.add_vm(vm(text), true).unwrap();
    }
    for id in &pool {
        pool.remove_vm(&id).unwrap();
    }
    assert!(pool.is_empty());
}

#[test]
fn v54_v82_vms_may_be_removed_by_another_thread_while_all_are_got() {
    let (_dir, pool, _fake) = pool();
    for number in 1..=9 {
        pool.add_vm(vm(&format!("i-{number}")), false).unwrap();
    }
    let all = std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..=9 {
                pool.remove_vm(&id(&format!("i-{number}"))).unwrap();
            }
        });
        let get =
            || tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(pool.get_all_vms());
        scope.spawn(get).join().unwrap()
    });
    assert!(all.values().all(Result::is_ok), "{all:?}");
    assert_eq!(ids(&again(&pool)), [""; 0]);
    assert!(pool.is_empty());
}

#[test]
fn v71_the_pool_is_shown_as_gc3libs_shows_it() {
    let (_dir, pool, _fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    pool.add_vm(vm("i-2"), true).unwrap();
    assert_eq!(format!("{pool:?}"), "{'i-1', 'i-2'}");
    assert_eq!(pool.to_string(), "VMPool('pool') : {'i-1', 'i-2'}");
}

#[tokio::test]
async fn v73_v74_v75_a_saved_pool_comes_back_without_cache_and_driver() {
    let (_dir, pool, _fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    let text = serde_json::to_string(&SavedVmPool::from(&pool)).unwrap();
    let saved: SavedVmPool = serde_json::from_str(&text).unwrap();
    assert_eq!(saved.ids, [id("i-1")]);
    let opened: VmPool = saved.open().unwrap();
    assert_eq!((opened.path(), ids(&opened)), (pool.path(), ids(&pool)));
    assert!(!opened.is_changed());
    let err = opened.get_vm(&id("i-1"), false).await.unwrap_err();
    assert!(matches!(err, VmPoolError::NoDriver { .. }), "{err:?}");
}

#[test]
fn v73_what_was_removed_since_it_was_saved_stays_removed() {
    let (_dir, pool, _fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    let saved = SavedVmPool::from(&pool);
    pool.remove_vm(&id("i-1")).unwrap();
    assert!(saved.open().unwrap().is_empty());
}

#[test]
fn v73_a_pool_that_a_newer_version_saved_is_refused() {
    let saved: SavedVmPool = serde_json::from_str(r#"{"v":2,"path":"/nowhere","ids":[]}"#).unwrap();
    let err = saved.open().unwrap_err();
    assert!(matches!(err, VmPoolError::NewerVersion { found: 2, .. }), "{err:?}");
}
