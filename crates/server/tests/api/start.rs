//! Daemons that cannot start say why and what to do, with an exit code of its own.

use std::{path::Path, sync::Arc};

use vmpool::store::MemoryStore;
use vmpool_client::api::exit;
use vmpool_server::{Config, Daemon, DaemonError};

use crate::world::{ONE_VM, World, config};

async fn start(config: Config) -> Result<Daemon, DaemonError> {
    Daemon::start(config, &vmpool::drivers::builtin()).await
}

fn in_directory(path: &Path) -> Config {
    let mut config = config(ONE_VM);
    config.daemon.state_dir = path.join("state");
    config
}

#[tokio::test]
async fn an_address_in_use_is_named_and_the_records_are_not_touched() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::start(config(ONE_VM), Arc::new(MemoryStore::new())).await;
    let mut config = in_directory(directory.path());
    config.daemon.listen = world.address;
    let err = start(config).await.unwrap_err();
    assert_eq!(err.exit_code(), exit::PORT_IN_USE);
    assert!(err.to_string().contains(&world.address.to_string()), "{err}");
    assert!(!directory.path().join("state").exists());
}

#[tokio::test]
async fn an_address_of_another_host_is_named() {
    let mut config = config(ONE_VM);
    config.daemon.listen = "192.0.2.1:7717".parse().unwrap();
    let err = start(config).await.unwrap_err();
    assert_eq!(err.exit_code(), exit::FAILURE);
    assert!(err.to_string().contains("cannot listen on 192.0.2.1:7717"), "{err}");
}

#[tokio::test]
async fn f7_a_state_directory_in_use_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let _first = start(in_directory(directory.path())).await.unwrap();
    let err = start(in_directory(directory.path())).await.unwrap_err();
    assert_eq!(err.exit_code(), exit::STATE_IN_USE);
    let named = format!("in use by another process ({})", std::process::id());
    assert!(err.to_string().contains(&named), "{err}");
}

#[tokio::test]
async fn a_state_directory_that_is_a_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("state");
    std::fs::write(&file, "hi").unwrap();
    let err = start(in_directory(directory.path())).await.unwrap_err();
    assert_eq!(err.exit_code(), exit::CONFIG);
    let wanted = format!("cannot open the records: {} is not a directory: move it away", file.display());
    assert!(err.to_string().starts_with(&wanted), "{err}");
}

#[tokio::test]
async fn a_state_directory_that_cannot_be_made_says_why() {
    let mut config = config(ONE_VM);
    config.daemon.state_dir = "/proc/vmpool-state".into();
    let err = start(config).await.unwrap_err();
    assert!(err.to_string().contains("/proc/vmpool-state: opening failed: No such file"), "{err}");
}

#[tokio::test]
async fn f12_damaged_records_say_how_to_go_on() {
    let directory = tempfile::tempdir().unwrap();
    start(in_directory(directory.path())).await.unwrap().run(async {}).await.unwrap();
    let state = directory.path().join("state");
    std::fs::remove_file(state.join("head")).unwrap();
    let err = start(in_directory(directory.path())).await.unwrap_err();
    assert_eq!(err.exit_code(), exit::STORE);
    let (message, hint) = (err.to_string(), err.hint().unwrap());
    assert!(message.contains("is damaged") && !message.contains('\n'), "{message}");
    assert!(hint.contains(&format!("move {} away", state.display())) && !hint.contains('\n'), "{hint}");
    assert!(hint.contains("all leases are lost") && hint.contains("orphan_grace"), "{hint}");
}

#[tokio::test]
async fn records_of_another_installation_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let named = |name: &str| {
        let mut config = in_directory(directory.path());
        config.installation = Some(name.parse().unwrap());
        config
    };
    start(named("lab")).await.unwrap().run(async {}).await.unwrap();
    let err = start(named("barn")).await.unwrap_err();
    assert_eq!(err.exit_code(), exit::CONFIG);
    assert!(err.to_string().contains("belongs to installation lab"), "{err}");
}

#[tokio::test]
async fn a_daemon_shows_its_state_directory() {
    let directory = tempfile::tempdir().unwrap();
    let daemon = start(in_directory(directory.path())).await.unwrap();
    let client = vmpool_client::Client::new(&format!("http://{}", daemon.address())).unwrap();
    let running = tokio::spawn(daemon.run(std::future::pending()));
    let shown = client.health().await.unwrap().state_dir.unwrap();
    assert_eq!(Path::new(&shown), directory.path().join("state"));
    running.abort();
}
