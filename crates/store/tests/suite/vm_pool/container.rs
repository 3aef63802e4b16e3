//! The pool as a container and as a value: V70–V75, and V82.

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
fn v82_vms_may_be_removed_by_another_thread_while_all_are_got() {
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

#[test]
fn v72_a_vm_is_looked_up_in_memory_without_reading_files_or_asking_the_provider() {
    let (_dir, pool, fake) = pool();
    for number in 0..50 {
        pool.add_vm(vm(&format!("i-{number}")), false).unwrap();
    }
    // Whoever read a file now would find none.
    std::fs::remove_dir_all(pool.path()).unwrap();
    assert!(pool.contains(&id("i-0")) && pool.contains(&id("i-49")) && !pool.contains(&id("absent")));
    assert_eq!(fake.state().calls, 0);
}

/// Saves a pool as a value and opens it again.
fn saved_and_opened(pool: &VmPool) -> VmPool {
    let text = serde_json::to_string(&SavedVmPool::from(pool)).unwrap();
    serde_json::from_str::<SavedVmPool>(&text).unwrap().open().unwrap()
}

#[tokio::test]
async fn v73_a_saved_pool_comes_back_with_its_path_and_ids_without_cache_and_driver() {
    let (_dir, pool, _fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    assert_eq!(SavedVmPool::from(&pool).ids, [id("i-1")]);
    let opened = saved_and_opened(&pool);
    assert_eq!((opened.path(), ids(&opened)), (pool.path(), ids(&pool)));
    let err = opened.get_vm(&id("i-1"), false).await.unwrap_err();
    assert!(matches!(err, VmPoolError::NoDriver { .. }), "{err:?}");
}

#[test]
fn v74_a_saved_pool_comes_back_unchanged() {
    let (_dir, pool, _fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    let opened = saved_and_opened(&pool);
    assert!(pool.is_changed() && !opened.is_changed());
    opened.remove_vm(&id("i-1")).unwrap();
    assert!(opened.is_changed());
}

#[test]
fn v75_a_saved_pool_comes_back_from_a_file_within_another_record_that_has_an_id_of_its_own() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Session {
        persistent_id: String,
        pool: SavedVmPool,
    }

    let (dir, pool, _fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    let session = Session { persistent_id: "VMPool.12".to_owned(), pool: SavedVmPool::from(&pool) };
    let file = dir.path().join("VMPool.12");
    std::fs::write(&file, serde_json::to_vec(&session).unwrap()).unwrap();
    let read: Session = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(read.persistent_id, "VMPool.12");
    assert_eq!(ids(&read.pool.open().unwrap()), ["i-1"]);
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
