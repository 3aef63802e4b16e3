//! Opening and loading: V01–V14; files as they may be: V84.

use std::{fs, sync::Arc};

use vmpool_store::{VmPool, VmPoolError, VmPoolFiles};

use super::{again, fake::Fake, id, ids, ids_on_disk, pool, vm};

#[test]
fn v01_a_missing_directory_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let pool = VmPool::open(dir.path().join("a/b/c")).unwrap();
    assert_eq!((pool.name(), pool.len(), pool.is_changed()), ("c", 0, false));
    assert!(dir.path().join("a/b/c").is_dir());
}

/// Opens a pool by its path with something at the end, and checks its name.
fn check_name(end: &str) {
    let dir = tempfile::tempdir().unwrap();
    let pool = VmPool::open(format!("{}/builders{end}", dir.path().display())).unwrap();
    assert_eq!(pool.name(), "builders");
}

#[test]
fn v02_a_slash_at_the_end_is_no_part_of_the_name() {
    check_name("");
    check_name("/");
}

#[test]
fn v03_any_number_of_slashes_at_the_end_is_no_part_of_the_name() {
    check_name("//");
    check_name("///");
    check_name("/.");
}

#[test]
fn v03_the_root_is_no_pool() {
    for path in ["/", "//", "/.."] {
        let err = VmPool::open(path).unwrap_err();
        assert!(matches!(err, VmPoolError::NoName { .. }), "{err:?}");
    }
}

#[test]
fn v04_a_directory_that_is_there_is_loaded() {
    let (_dir, pool, _fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    pool.add_vm(vm("i-2"), true).unwrap();
    let second = again(&pool);
    assert_eq!(ids(&second), ["i-1", "i-2"]);
    assert!(!second.is_changed());
}

#[tokio::test]
async fn v14_a_second_pool_has_the_ids_and_an_empty_cache() {
    let (_dir, pool, fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    let second = again(&pool).with_driver(fake.clone());
    assert_eq!(ids(&second), ["i-1"]);
    second.get_vm(&id("i-1"), false).await.unwrap();
    assert_eq!(fake.state().calls, 1);
}

#[test]
fn v05_a_file_is_no_pool() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "precious").unwrap();
    let err = VmPool::open(&file).unwrap_err();
    assert!(matches!(err, VmPoolError::Io { .. }), "{err:?}");
    assert_eq!(fs::read(&file).unwrap(), b"precious");
}

#[test]
fn v06_opening_asks_no_provider() {
    let (_dir, pool, fake) = pool();
    pool.add_vm(vm("i-1"), false).unwrap();
    drop(again(&pool).with_driver(Arc::<Fake>::clone(&fake)));
    assert_eq!(fake.state().calls, 0);
}

/// Loads a pool of one VM with further entries in its directory, and checks that it is a pool of that VM still.
fn check_ignored(files: &[&str], directories: &[&str]) {
    let (_dir, pool, _fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    for name in files {
        fs::write(pool.path().join(name), "").unwrap();
    }
    for name in directories {
        fs::create_dir(pool.path().join(name)).unwrap();
    }
    pool.load().unwrap();
    assert_eq!(ids(&pool), ["i-1"]);
    assert_eq!(ids_on_disk(&pool), ["i-1"]);
}

#[test]
fn v10_the_ids_are_those_of_the_files() {
    let (_dir, pool, _fake) = pool();
    for text in ["i-1", "i-2"] {
        pool.add_vm(vm(text), true).unwrap();
    }
    fs::copy(pool.path().join("i-1.vm"), pool.path().join("copy")).unwrap();
    fs::remove_file(pool.path().join("i-2.vm")).unwrap();
    pool.load().unwrap();
    assert_eq!(ids(&pool), ["i-1"]);
}

#[test]
fn v11_hidden_entries_are_ignored() {
    check_ignored(&[".hidden", ".x.vm"], &[".directory"]);
}

#[test]
fn v12_directories_and_backups_of_editors_are_no_vms() {
    check_ignored(&["i-2", "i-2.vm~", "i-2.vm.bak", "x.tmp", "#i-2.vm#"], &["i-3.vm", "backup"]);
}

#[tokio::test]
async fn v13_what_loading_dropped_is_not_answered_from_the_cache() {
    let (_dir, pool, fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    again(&pool).remove_vm(&id("i-1")).unwrap();
    pool.load().unwrap();
    assert!(pool.is_empty());
    pool.get_vm(&id("i-1"), false).await.unwrap();
    assert_eq!(fake.state().calls, 1);
}

#[tokio::test]
async fn v13_what_loading_kept_stays_cached() {
    let (_dir, pool, fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    pool.load().unwrap();
    pool.get_vm(&id("i-1"), false).await.unwrap();
    assert_eq!(fake.state().calls, 0);
}

#[test]
fn v84_half_a_file_is_no_vm_but_an_error_that_names_it() {
    for text in ["", "{", r#"{"v":1}"#, r#"{"v":1,"vm":{"id":"i-3","preferred_ip":null}}"#] {
        let (_dir, pool, _fake) = pool();
        pool.add_vm(vm("i-1"), true).unwrap();
        fs::write(pool.path().join("i-2.vm"), text).unwrap();
        let err = pool.load().unwrap_err();
        assert!(matches!(&err, VmPoolError::Damaged { path, .. } if path.ends_with("i-2.vm")), "{err:?}");
        assert_eq!(ids(&pool), ["i-1"]);
    }
}

#[test]
fn v84_half_a_file_hides_no_other_from_who_reads_them_one_by_one() {
    let (_dir, pool, _fake) = pool();
    pool.add_vm(vm("i-1"), true).unwrap();
    let path = pool.path().join("i-2.vm");
    fs::write(&path, "{").unwrap();
    let found = VmPoolFiles::read(pool.path()).unwrap();
    assert_eq!(found.vms.keys().collect::<Vec<_>>(), [&id("i-1")]);
    assert_eq!(found.damaged.keys().collect::<Vec<_>>(), [&path]);
    assert!(matches!(found.check_files(), Err(VmPoolError::DamagedFiles { .. })));
    let missing = pool.path().join("absent");
    assert!(matches!(VmPoolFiles::read(&missing), Err(VmPoolError::Io { .. })) && !missing.exists());
}

#[test]
fn v84_a_half_written_draft_disturbs_nobody() {
    let (_dir, pool, _fake) = pool();
    fs::write(pool.path().join(".new"), "{\"v\":1,\"vm\":{\"id\":\"i").unwrap();
    pool.add_vm(vm("i-1"), true).unwrap();
    assert_eq!(ids(&again(&pool)), ["i-1"]);
}

#[test]
fn a_file_of_version_1_is_read() {
    let (_dir, pool, _fake) = pool();
    let text = r#"{"v":1,"vm":{"id":"i-1","preferred_ip":"10.0.0.7"}}"#;
    fs::write(pool.path().join("i-1.vm"), text).unwrap();
    pool.load().unwrap();
    assert_eq!(pool.preferred_ip(&id("i-1")), Some([10, 0, 0, 7].into()));
    pool.add_vm(vm("i-1"), true).unwrap();
    assert_eq!(fs::read_to_string(pool.path().join("i-1.vm")).unwrap(), text);
}

#[test]
fn a_file_of_a_newer_version_is_refused_by_name() {
    let (_dir, pool, _fake) = pool();
    fs::write(pool.path().join("i-1.vm"), r#"{"v":2,"machine":"i-1"}"#).unwrap();
    let err = pool.load().unwrap_err();
    assert!(matches!(err, VmPoolError::NewerVersion { found: 2, known: 1, .. }), "{err:?}");
}
