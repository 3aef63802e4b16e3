//! What is shipped beside the program: the unit of systemd, the container file, the examples.

use std::{fs, path::Path, process::Command};

use crate::support::{NOWHERE, Place, VMPOOL, vmpool};

const UNIT: &str = include_str!("../../contrib/systemd/vmpool.service");
const CONTAINER: &str = include_str!("../../contrib/Containerfile");

fn examples() -> Vec<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contrib/examples");
    let mut found: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

/// Checks a configuration as whoever installs it does, with the credentials of systemd.
#[test]
fn every_example_configuration_is_taken_without_a_warning() {
    let place = Place::new();
    place.write("one_auth", "ci:hunter2\n");
    let examples = examples();
    assert_eq!(examples.len(), 3, "{examples:?}");
    for example in examples {
        let needs_cloud = !example.ends_with("dummy.toml");
        if needs_cloud && !cfg!(feature = "clouds") {
            continue;
        }
        let arguments = ["config", "check", example.to_str().unwrap()];
        let mut command = vmpool_tests::command::prepare(VMPOOL.as_ref(), NOWHERE, &arguments);
        let output = command.env("CREDENTIALS_DIRECTORY", place.path(".")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{}: {said}", example.display());
        assert_eq!(said, "", "{}", example.display());
    }
}

/// Writes the unit with a program that is here, since that is looked for.
fn unit_here(place: &Place) -> String {
    let unit = UNIT.replace("/usr/local/bin/vmpool", VMPOOL);
    place.write("vmpool.service", &unit).display().to_string()
}

fn analyze(arguments: &[&str]) -> Option<(bool, String)> {
    let output = Command::new("systemd-analyze").args(arguments).output().ok()?;
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    Some((output.status.success(), said))
}

#[test]
fn systemd_takes_the_unit_where_there_is_systemd() {
    let place = Place::new();
    let unit = unit_here(&place);
    let Some((is_taken, said)) = analyze(&["verify", "--man=no", &unit]) else { return };
    let about_it: Vec<&str> = said.lines().filter(|line| line.contains("vmpool.service")).collect();
    assert!(is_taken && about_it.is_empty(), "{said}");
}

#[test]
fn systemd_calls_the_unit_well_protected_where_there_is_systemd() {
    let place = Place::new();
    let unit = unit_here(&place);
    let Some((is_below, said)) =
        analyze(&["security", "--offline=true", "--threshold=20", "--no-pager", &unit])
    else {
        return;
    };
    assert!(is_below, "{said}");
}

#[test]
fn the_unit_does_not_restart_what_a_restart_does_not_mend() {
    use vmpool_api::exit;
    let line = UNIT.lines().find_map(|line| line.strip_prefix("RestartPreventExitStatus=")).unwrap();
    let codes: Vec<u8> = line.split(' ').map(|code| code.parse().unwrap()).collect();
    let lasting = [exit::USAGE, exit::CONFIG, exit::PORT_IN_USE, exit::STATE_IN_USE, exit::STORE];
    assert_eq!(codes, lasting);
}

#[test]
fn the_container_is_built_with_what_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let manifest = fs::read_to_string(root.join("crates/cli/Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let line = CONTAINER.lines().find(|line| line.starts_with("RUN cargo build")).unwrap();
    let word = |option: &str| line.split(' ').skip_while(|word| *word != option).nth(1).unwrap();
    assert_eq!(word("--package"), manifest["package"]["name"].as_str().unwrap());
    for feature in word("--features").split(',') {
        assert!(manifest["features"].get(feature).is_some(), "{feature}");
    }
    for from in CONTAINER.lines().filter_map(|line| line.strip_prefix("COPY ")) {
        let from = from.split(' ').next().unwrap();
        assert!(from == "--from=build" || root.join(from).exists(), "{from}");
    }
    let left_out = fs::read_to_string(root.join(".dockerignore")).unwrap();
    assert!(left_out.lines().any(|line| line == "target") && left_out.lines().any(|line| line == ".git"));
}

#[test]
fn the_commands_in_unit_and_container_exist() {
    assert_eq!(vmpool(NOWHERE, &["serve", "--help"]).code, Some(0));
    assert!(UNIT.contains("ExecStart=/usr/local/bin/vmpool serve --config /etc/vmpool/vmpool.toml"));
    assert!(CONTAINER.contains(r#"CMD ["serve", "--config", "/etc/vmpool/vmpool.toml"]"#));
    assert!(CONTAINER.contains("\nUSER 10001"), "it is not root");
}
