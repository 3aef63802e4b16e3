//! Taking over what another system stored.

use std::fs;

use vmpool_api::exit;

use crate::support::{NOWHERE, Place, assert_fails, vmpool};

#[test]
fn the_directory_of_gc3libs_is_imported_once_after_a_look() {
    let place = Place::new();
    let (old, new) = (place.path("old"), place.path("new"));
    fs::create_dir(&old).unwrap();
    for (name, text) in [("i-1", "10.0.0.1"), ("i-2", ""), ("i-2~", "10.0.0.9")] {
        fs::write(old.join(name), text).unwrap();
    }
    let words = ["store", "import", "gc3libs", old.to_str().unwrap(), "--into", new.to_str().unwrap()];
    let looked = vmpool(NOWHERE, &[&words[..], &["--dry-run", "--output", "json"]].concat());
    assert_eq!(looked.json().unwrap()["vms"][0]["preferred_ip"], "10.0.0.1", "{looked:?}");
    assert!(looked.stderr.contains("i-2~: an editor left it") && !new.exists(), "{looked:?}");

    let imported = vmpool(NOWHERE, &words);
    let parts = ["i-1", "10.0.0.1", "i-2"];
    assert!(
        imported.code == Some(0) && parts.iter().all(|part| imported.stdout.contains(part)),
        "{imported:?}"
    );
    assert!(imported.stderr.contains("imported: 2 VMs from"), "{imported:?}");
    assert!(fs::read_to_string(new.join("i-1.vm")).unwrap().contains("10.0.0.1"));
    let listed = vmpool(NOWHERE, &["store", "ls", new.to_str().unwrap(), "--output", "json"]);
    let told =
        serde_json::json!([{"id": "i-1", "preferred_ip": "10.0.0.1"}, {"id": "i-2", "preferred_ip": null}]);
    assert_eq!(listed.json().unwrap()["vms"], told, "{listed:?}");
    assert_fails(
        &vmpool(NOWHERE, &[&words[..], &["--quiet"]].concat()),
        exit::REFUSED,
        &["nothing was imported", "it is not empty"],
    );
}

#[test]
fn every_file_that_does_not_fit_is_named_and_the_others_are_imported_only_when_told_so() {
    let place = Place::new();
    fs::create_dir(place.path("old")).unwrap();
    let bad = [("old/i-1", "somewhere"), ("old/i-3", "10.0.0")].map(|(name, text)| place.write(name, text));
    place.write("old/i-2", "10.0.0.2");
    let (old, new) = (place.path("old"), place.path("new"));
    let words =
        ["store", "import", "gc3libs", old.to_str().unwrap(), "--into", new.to_str().unwrap(), "--quiet"];
    let [first, second] = bad.each_ref().map(|path| path.to_str().unwrap());
    let parts =
        ["nothing was imported: 2 files are damaged", first, second, "is no IP address", "--skip-damaged"];
    assert_fails(&vmpool(NOWHERE, &words), exit::STORE, &parts);
    assert!(!new.exists());

    let looked = vmpool(NOWHERE, &[&words[..6], &["--dry-run"]].concat());
    assert!(looked.stderr.contains("would be imported with --skip-damaged: 1 VMs"), "{looked:?}");
    let looked = vmpool(NOWHERE, &[&words[..], &["--dry-run", "--output", "json"]].concat());
    assert_eq!(looked.code, Some(i32::from(exit::STORE)), "{looked:?}");
    let found = looked.json().unwrap();
    assert_eq!((&found["vms"][0]["id"], &found["damaged"][1]["path"]), (&"i-2".into(), &second.into()));
    assert!(parts.iter().all(|part| looked.stderr.contains(part)) && !new.exists(), "{looked:?}");

    let words = [&words[..6], &["--skip-damaged"]].concat();
    let imported = vmpool(NOWHERE, &words);
    assert!(imported.code == Some(0) && imported.stdout.contains("i-2"), "{imported:?}");
    for part in [&format!("left out {first}"), &format!("left out {second}"), "1 VMs", "2 damaged"] {
        assert!(imported.stderr.contains(part), "{part:?} is missing: {imported:?}");
    }
    assert_eq!(fs::read_dir(&old).unwrap().count(), 3, "the old directory was changed");
    let url = [&["--url", NOWHERE], &words[..]].concat();
    assert_eq!(vmpool(NOWHERE, &url).code, Some(i32::from(exit::USAGE)));
}

#[test]
fn a_damaged_file_of_a_vm_pool_hides_no_other_and_is_named_with_its_place() {
    let place = Place::new();
    fs::create_dir(place.path("vms")).unwrap();
    for (name, address) in [("i-1", "\"10.0.0.1\""), ("i-3", "null")] {
        let text = format!(r#"{{"v":1,"vm":{{"id":"{name}","preferred_ip":{address}}}}}"#);
        place.write(&format!("vms/{name}.vm"), &text);
    }
    let torn = place.write("vms/i-2.vm", r#"{"v":1,"vm":{"id":"i-2","#);
    let newer = place.write("vms/i-4.vm", r#"{"v":2}"#);
    let (dir, torn, newer) =
        (place.path("vms"), torn.to_str().unwrap().to_owned(), newer.to_str().unwrap().to_owned());
    let words = ["store", "ls", dir.to_str().unwrap()];
    let told = ["2 files are damaged", &torn, "line 1 column 24", &newer, "format 2", "restore these files"];

    let listed = vmpool(NOWHERE, &words);
    assert_eq!(listed.code, Some(i32::from(exit::STORE)), "{listed:?}");
    assert!(told.iter().all(|part| listed.stderr.contains(part)), "{listed:?}");
    assert!(["i-1", "10.0.0.1", "i-3"].iter().all(|part| listed.stdout.contains(part)), "{listed:?}");
    assert!(!listed.stdout.contains("i-2"), "{listed:?}");

    let listed = vmpool(NOWHERE, &[&words[..], &["--output", "json"]].concat());
    assert_eq!(listed.code, Some(i32::from(exit::STORE)), "{listed:?}");
    let found = listed.json().unwrap();
    let paths = [&found["damaged"][0]["path"], &found["damaged"][1]["path"]];
    assert_eq!(paths, [torn.as_str(), newer.as_str()]);
    assert_eq!((&found["vms"][0]["id"], &found["vms"][1]["id"]), (&"i-1".into(), &"i-3".into()));
}

#[test]
fn a_look_into_a_vm_pool_that_is_not_there_makes_none() {
    let place = Place::new();
    let dir = place.path("nothing");
    let listed = vmpool(NOWHERE, &["store", "ls", dir.to_str().unwrap()]);
    assert_fails(&listed, exit::FAILURE, &["there is no VmPool in", "it is no directory"]);
    assert!(!dir.exists());
    fs::create_dir(&dir).unwrap();
    place.write("nothing/i-1", "10.0.0.1");
    let listed = vmpool(NOWHERE, &["store", "ls", dir.to_str().unwrap()]);
    assert_fails(&listed, exit::FAILURE, &["there is no VmPool in", "none of its files is that of a VM"]);
}
