//! Saving and updating: V60–V68.

use std::{fs, os::unix::fs::MetadataExt as _};

use vmpool_model::FailureKind;
use vmpool_store::{VmPool, VmPoolError};

use super::{again, entries, id, ids, ids_on_disk, pool, vm};

#[test]
fn v60_after_saving_the_next_load_finds_all_ids() {
    let (_dir, pool, _fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    pool.add_vm(vm("i-2"), false).unwrap();
    pool.save().unwrap();
    assert_eq!(ids_on_disk(&pool), ids(&pool));
}

#[test]
fn v61_saving_asks_no_provider() {
    let (_dir, pool, fake) = pool();
    pool.add_vm(vm("i-1"), false).unwrap();
    fake.state().fails = Some(FailureKind::Authentication);
    pool.save().unwrap();
    assert_eq!(fake.state().calls, 0);
    again(&pool).save().unwrap();
}

/// Returns which files there are, each with what changes whenever it is written.
fn written(pool: &VmPool) -> Vec<(String, u64)> {
    let inode = |name: String| (fs::metadata(pool.path().join(&name)).unwrap().ino(), name);
    entries(pool.path()).into_iter().map(inode).map(|(inode, name)| (name, inode)).collect()
}

#[test]
fn v61_v67_only_what_changed_is_written() {
    let (_dir, pool, _fake) = pool();
    for text in ["i-1", "i-2", "i-3"] {
        pool.add_vm(vm(text), true).unwrap();
    }
    let before = written(&pool);
    pool.update(false).unwrap();
    pool.update(true).unwrap();
    pool.save().unwrap();
    pool.load().unwrap();
    assert_eq!(written(&pool), before);
    pool.set_preferred_ip(&id("i-2"), Some([10, 0, 0, 7].into())).unwrap();
    pool.update(false).unwrap();
    let changed: Vec<_> = written(&pool).into_iter().filter(|file| !before.contains(file)).collect();
    assert_eq!(changed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["i-2.vm"]);
}

#[test]
fn v62_saving_deletes_no_file_and_resets_nothing() {
    let (_dir, pool, _fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    again(&pool).add_vm(vm("i-2"), true).unwrap();
    pool.save().unwrap();
    assert_eq!(ids_on_disk(&pool), ["i-1", "i-2"]);
    assert!(pool.is_changed());
}

#[test]
fn v63_updating_adds_what_is_found_on_disk() {
    let (_dir, pool, _fake) = pool();
    let other = again(&pool);
    pool.add_vm(vm("i-1"), true).unwrap();
    other.update(false).unwrap();
    assert_eq!(ids(&other), ["i-1"]);
    assert!(other.is_changed());
}

#[test]
fn v64_updating_with_remove_drops_what_is_gone_from_disk() {
    let (_dir, pool, _fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    pool.add_vm(vm("i-2"), true).unwrap();
    again(&pool).remove_vm(&id("i-1")).unwrap();
    pool.update(false).unwrap();
    assert_eq!(ids(&pool), ["i-1", "i-2"]);
    pool.update(true).unwrap();
    assert_eq!(ids(&pool), ["i-2"]);
}

#[test]
fn v65_what_another_process_removed_is_never_written_again() {
    let (_dir, pool, _fake) = pool();
    let other = again(&pool);
    pool.add_vm(vm("i-1"), true).unwrap();
    other.update(false).unwrap();
    other.remove_vm(&id("i-1")).unwrap();
    pool.update(false).unwrap();
    assert_eq!(ids_on_disk(&pool), [""; 0]);
    pool.save().unwrap();
    assert_eq!(ids_on_disk(&pool), [""; 0]);
    assert!(pool.is_empty());
    other.update(false).unwrap();
    assert!(other.is_empty());
}

#[test]
fn v66_updating_works_when_a_removed_vm_is_gone_at_the_provider_too() {
    let (_dir, pool, fake) = pool();
    pool.add_vm(vm("gone"), false).unwrap();
    again(&pool).remove_vm(&id("gone")).unwrap();
    pool.update(true).unwrap();
    assert!(pool.is_empty());
    assert_eq!(fake.state().calls, 0);
}

#[test]
fn v67_updating_takes_the_newer_address_of_another_process() {
    let (_dir, pool, _fake) = pool();
    let newer = Some([10, 0, 0, 8].into());
    pool.add_vm(vm("i-1"), true).unwrap();
    pool.set_preferred_ip(&id("i-1"), Some([10, 0, 0, 7].into())).unwrap();
    again(&pool).set_preferred_ip(&id("i-1"), newer).unwrap();
    pool.update(false).unwrap();
    pool.save().unwrap();
    assert_eq!(pool.preferred_ip(&id("i-1")), newer);
    assert_eq!(again(&pool).preferred_ip(&id("i-1")), newer);
}

#[test]
fn v68_a_vanished_directory_is_an_error_but_removing_still_works() {
    let (_dir, pool, _fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    fs::remove_dir_all(pool.path()).unwrap();
    for result in
        [pool.update(false), pool.update(true), pool.save(), pool.load(), pool.add_vm(vm("i-2"), true)]
    {
        let err = result.unwrap_err();
        let vanished = matches!(err, VmPoolError::Io { kind: std::io::ErrorKind::NotFound, .. });
        assert!(vanished, "{err:?}");
        assert_eq!(ids(&pool), ["i-1"]);
    }
    pool.remove_vm(&id("i-1")).unwrap();
    assert!(pool.is_empty());
}
