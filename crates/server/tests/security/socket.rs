//! The Unix socket.

use std::os::unix::fs::PermissionsExt as _;

use vmpool_client::{Client, api::Role};

use crate::world::World;

#[tokio::test]
async fn the_system_says_who_is_at_the_socket_and_a_token_says_it_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let world = World::with(&format!("socket = {:?}", path.display().to_string())).await;
    let client = Client::new(&format!("unix://{}", path.display())).unwrap();
    let who = client.whoami().await.unwrap();
    assert!(who.actor.starts_with("uid:") && who.role == Role::Admin, "{who:?}");
    let token = world.token("look", Role::Reader, None).await;
    let who = client.with_token(&token).unwrap().whoami().await.unwrap();
    assert_eq!((who.actor.as_str(), who.role), ("token:look", Role::Reader));
    world.stop().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn a_socket_that_a_killed_daemon_left_is_replaced_and_a_file_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let world = World::with(&format!("socket = {:?}", path.display().to_string())).await;
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o666);
    world.stop().await;

    std::fs::write(&path, "precious").unwrap();
    let registry = vmpool::drivers::builtin();
    let text = format!("[daemon]\nlisten = \"127.0.0.1:0\"\nsocket = {:?}", path.display().to_string());
    let config = vmpool_server::Config::parse(&text, "vmpool.toml", &registry).unwrap();
    let store = std::sync::Arc::new(vmpool::store::MemoryStore::new());
    let err = vmpool_server::Daemon::start_with_store(config, &registry, store).await.unwrap_err();
    assert!(err.to_string().contains("daemon.socket"), "{err}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}
