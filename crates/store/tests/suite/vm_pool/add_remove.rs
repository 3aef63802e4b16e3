//! Adding and removing: V20–V34.

use std::fs;

use vmpool_driver::NodeHandle;
use vmpool_model::NodeId;
use vmpool_store::VmPoolError;

use super::{again, entries, id, ids, ids_on_disk, pool, vm};

#[tokio::test]
async fn v20_adding_writes_the_file_and_caches_the_vm() {
    let (_dir, pool, fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    assert_eq!(ids(&pool), ["i-1"]);
    assert_eq!(ids_on_disk(&pool), ["i-1"]);
    assert_eq!(*pool.get_vm(&id("i-1"), false).await.unwrap(), vm("i-1"));
    assert_eq!(fake.state().calls, 0);
    assert!(pool.is_changed());
    assert_eq!(pool.preferred_ip(&id("i-1")), None);
}

#[tokio::test]
async fn v20_adding_without_the_cache_leaves_the_vm_to_the_provider() {
    let (_dir, pool, fake) = pool();
    pool.add_vm(vm("i-1"), false).unwrap();
    pool.get_vm(&id("i-1"), false).await.unwrap();
    assert_eq!(fake.state().calls, 1);
}

#[tokio::test]
async fn v21_adding_a_vm_again_replaces_it() {
    let (_dir, pool, _fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    let mut renamed = vm("i-1");
    renamed.name = "renamed".to_owned();
    pool.add_vm(renamed, true).unwrap();
    assert_eq!(pool.len(), 1);
    assert_eq!(pool.get_vm(&id("i-1"), false).await.unwrap().name, "renamed");
}

#[tokio::test]
async fn v22_adding_without_the_cache_forgets_the_old_vm() {
    let (_dir, pool, fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    pool.add_vm(vm("i-1"), false).unwrap();
    pool.get_vm(&id("i-1"), false).await.unwrap();
    assert_eq!(fake.state().calls, 1);
}

#[test]
fn v23_no_id_writes_outside_the_pool() {
    for text in ["a/b", "../x", "/tmp/x", ".x", ".", "..", "x y", "50%", "ü/ß", &"n".repeat(200)] {
        let (dir, pool, _fake) = pool();
        pool.add_vm(vm(text), true).unwrap();
        assert_eq!(ids_on_disk(&pool), [text]);
        assert_eq!(entries(dir.path()), ["pool"]);
        pool.remove_vm(&id(text)).unwrap();
        assert_eq!(ids_on_disk(&pool), [""; 0]);
    }
}

#[test]
fn v23_an_empty_id_is_a_typed_error() {
    assert!(NodeId::new("").is_err());
}

#[test]
fn v23_an_id_that_fits_no_file_name_is_a_typed_error() {
    let (_dir, pool, _fake) = pool();
    let err = pool.add_vm(vm(&"/".repeat(200)), true).unwrap_err();
    assert!(matches!(err, VmPoolError::IdTooLong { .. }), "{err:?}");
    assert!(pool.is_empty());
}

#[test]
fn v24_a_failed_add_leaves_nothing_behind() {
    let (_dir, pool, _fake) = pool();
    // A directory of that name is in the way of the file.
    fs::create_dir(pool.path().join("i-1.vm")).unwrap();
    let err = pool.add_vm(vm("i-1"), true).unwrap_err();
    assert!(matches!(err, VmPoolError::Io { .. }), "{err:?}");
    assert!(!pool.contains(&id("i-1")));
    assert_eq!(ids_on_disk(&pool), [""; 0]);
}

#[test]
fn v30_removing_asks_no_provider() {
    let (_dir, pool, fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    pool.add_vm(vm("i-2"), true).unwrap();
    pool.remove_vm(&id("i-1")).unwrap();
    assert_eq!(ids(&pool), ["i-2"]);
    assert_eq!(ids_on_disk(&pool), ["i-2"]);
    assert_eq!(fake.state().calls, 0);
}

#[tokio::test]
async fn v30_a_removed_vm_is_not_cached_any_more() {
    let (_dir, pool, fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    pool.remove_vm(&id("i-1")).unwrap();
    pool.get_vm(&id("i-1"), false).await.unwrap();
    assert_eq!(fake.state().calls, 1);
}

#[test]
fn v31_removing_an_unknown_vm_is_fine_and_counts_as_a_change() {
    let (_dir, pool, _fake) = pool();
    pool.remove_vm(&id("i-1")).unwrap();
    assert!(pool.is_changed());
}

#[test]
fn v32_removing_twice_or_after_another_process_is_fine() {
    let (_dir, pool, _fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    again(&pool).remove_vm(&id("i-1")).unwrap();
    pool.remove_vm(&id("i-1")).unwrap();
    pool.remove_vm(&id("i-1")).unwrap();
    assert!(pool.is_empty());
}

#[test]
fn v33_a_vm_is_removed_by_its_id_or_by_itself() {
    let (_dir, pool, fake) = pool();
    for _ in 0..3 {
        pool.add_vm(vm("i-1"), true).unwrap();
    }
    pool.remove_vm(&vm("i-1")).unwrap();
    pool.add_vm(vm("i-1"), true).unwrap();
    pool.remove_vm(&NodeHandle::new(vm("i-1"), fake)).unwrap();
    pool.add_vm(vm("i-1"), true).unwrap();
    pool.remove_vm(&std::sync::Arc::new(vm("i-1"))).unwrap();
    assert!(pool.is_empty());
}

#[test]
fn v34_removing_deletes_nothing_outside_the_pool() {
    let (dir, pool, _fake) = pool();
    fs::write(dir.path().join("victim"), "precious").unwrap();
    fs::write(dir.path().join("victim.vm"), "precious").unwrap();
    pool.remove_vm(&id("../victim")).unwrap();
    pool.remove_vm(&id("..")).unwrap();
    assert_eq!(entries(dir.path()), ["pool", "victim", "victim.vm"]);
    // A directory in the place of a VM's file is an error, and stays with what is in it.
    fs::create_dir_all(pool.path().join("i-1.vm/precious")).unwrap();
    let err = pool.remove_vm(&id("i-1")).unwrap_err();
    assert!(matches!(err, VmPoolError::Io { .. }), "{err:?}");
    assert_eq!(entries(&pool.path().join("i-1.vm")), ["precious"]);
}
