//! Importing the directory of gc3libs' `VMPool`.

use std::{
    fs,
    os::unix::{ffi::OsStrExt as _, fs::symlink},
    path::{Path, PathBuf},
};

use tempfile::TempDir;
use vmpool_store::{Gc3libsVms, VmPool, VmPoolError, model::NodeId};

struct Folder(TempDir);

impl Folder {
    /// A directory as gc3libs leaves it.
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::create_dir(folder.old()).unwrap();
        for (name, text) in files {
            fs::write(folder.old().join(name), text).unwrap();
        }
        folder
    }

    fn old(&self) -> PathBuf {
        self.0.path().join("old")
    }

    fn pool(&self) -> PathBuf {
        self.0.path().join("new")
    }
}

fn id(text: &str) -> NodeId {
    NodeId::new(text).unwrap()
}

fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn v10_every_file_is_a_vm_and_its_content_the_preferred_address() {
    let folder = Folder::with(&[("i-1", ""), ("i-2", "10.0.0.2\n"), ("a:b", "fe80::1")]);
    let pool = Gc3libsVms::read(folder.old()).unwrap().write(folder.pool()).unwrap();
    assert_eq!(pool.iter().collect::<Vec<_>>(), [id("a:b"), id("i-1"), id("i-2")]);
    let address = |text: &str| pool.preferred_ip(&id(text)).map(|ip| ip.to_string());
    assert_eq!(address("i-1"), None);
    assert_eq!(address("i-2").as_deref(), Some("10.0.0.2"));
    assert_eq!(address("a:b").as_deref(), Some("fe80::1"));
    assert_eq!(names(&folder.old()), ["a:b", "i-1", "i-2"], "the old directory was changed");
    assert_eq!(names(folder.0.path()), ["new", "old"]);
}

#[test]
fn v11_v12_hidden_entries_directories_and_what_editors_leave_are_skipped_and_told() {
    let folder = Folder::with(&[("i-1", ""), (".git", ""), ("i-2~", "x"), ("x.tmp", ""), ("#i-3#", "")]);
    fs::create_dir(folder.old().join("folder")).unwrap();
    let found = Gc3libsVms::read(folder.old()).unwrap();
    assert_eq!(found.vms.keys().collect::<Vec<_>>(), [&id("i-1")]);
    let skipped = found.skipped.iter().map(|(path, why)| (path.file_name().unwrap().to_str().unwrap(), *why));
    let editor = "an editor left it";
    let wanted = [
        ("#i-3#", editor),
        (".git", "it is hidden"),
        ("folder", "it is no file"),
        ("i-2~", editor),
        ("x.tmp", editor),
    ];
    assert_eq!(skipped.collect::<Vec<_>>(), wanted);
}

#[test]
fn every_file_that_does_not_fit_is_named_and_nothing_is_written() {
    let folder = Folder::with(&[("i-1", ""), ("i-2", "build.example"), (&"%".repeat(120), "")]);
    fs::write(folder.old().join(std::ffi::OsStr::from_bytes(b"i\xff")), "").unwrap();
    symlink("/nonexistent/vm", folder.old().join("i-3")).unwrap();
    let mut found = Gc3libsVms::read(folder.old()).unwrap();
    assert_eq!(found.vms.keys().collect::<Vec<_>>(), [&id("i-1")]);
    let err = found.write(folder.pool()).unwrap_err();
    let VmPoolError::DamagedFiles { files } = &err else { panic!("{err}") };
    let whys: Vec<_> = files.values().map(String::as_str).collect();
    let begins = [
        "the id ",
        "\"build.example\" is no IP address",
        "it cannot be read: No such file",
        "its name is no text",
    ];
    assert!(
        whys.len() == 4 && whys.iter().zip(begins).all(|(why, begin)| why.starts_with(begin)),
        "{whys:?}"
    );
    let told = err.to_string();
    assert!(
        told.starts_with("4 files are damaged: ") && told.contains("old/i-2: \"build.example\""),
        "{told}"
    );
    assert_eq!(names(folder.0.path()), ["old"]);

    assert_eq!(found.take_damaged().len(), 4);
    assert_eq!(found.write(folder.pool()).unwrap().iter().collect::<Vec<_>>(), [id("i-1")]);
}

#[test]
fn nothing_is_ever_overwritten() {
    let folder = Folder::with(&[("i-1", "")]);
    let found = Gc3libsVms::read(folder.old()).unwrap();
    found.write(folder.pool()).unwrap();
    let pool = VmPool::open(folder.pool()).unwrap();
    pool.set_preferred_ip(&id("i-1"), Some([10, 0, 0, 9].into())).unwrap();

    let err = found.write(folder.pool()).unwrap_err();
    assert!(err.to_string().contains("it is not empty; choose another directory"), "{err}");
    let pool = VmPool::open(folder.pool()).unwrap();
    assert_eq!(pool.preferred_ip(&id("i-1")), Some([10, 0, 0, 9].into()));

    fs::write(folder.0.path().join("file"), "").unwrap();
    for (target, why) in [
        (folder.0.path().join("file"), "it is no directory"),
        (folder.old().join("below"), "inside the directory that is imported"),
    ] {
        let err = found.check_target(&target).unwrap_err();
        assert!(err.to_string().contains(why), "{err}");
        assert!(found.write(&target).is_err());
    }
    assert_eq!(names(&folder.old()), ["i-1"]);
    assert!(matches!(found.check_target("/"), Err(VmPoolError::NoName { .. })));
}

#[test]
fn an_empty_directory_is_taken() {
    let folder = Folder::with(&[("i-1", "")]);
    fs::create_dir(folder.pool()).unwrap();
    assert_eq!(Gc3libsVms::read(folder.old()).unwrap().write(folder.pool()).unwrap().len(), 1);
}
