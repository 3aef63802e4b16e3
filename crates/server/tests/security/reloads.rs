//! What holds after the configuration was read again.

use std::fs;

use vmpool_client::{
    Client, Tls,
    api::{Role, code},
};

use crate::{
    pki::{Files, client, of, read},
    world::World,
};

#[tokio::test]
async fn another_certificate_is_shown_after_a_reload_and_connections_that_there_are_go_on() {
    let files = Files::new();
    let world = files.start("", "").await;
    let old = Tls::default().with_ca_file(files.path("old.pem"));
    fs::copy(files.path("daemon.pem"), files.path("old.pem")).unwrap();
    let before = client(&world, &old);
    assert_eq!(before.health().await.unwrap().status, "ok");
    files.show(&of(&["127.0.0.1"], "the daemon of tomorrow"));
    let mut events = world.admin.follow(Some(0));
    events.next().await.unwrap();
    assert_eq!(world.admin.reload().await.unwrap().changed, ["daemon.tls"]);
    assert_eq!(before.health().await.unwrap().status, "ok", "it keeps its connection");
    assert!(client(&world, &old).health().await.is_err(), "a new one is shown what holds now");
    let new = Tls::default().with_ca_file(files.path("daemon.pem"));
    assert_eq!(client(&world, &new).health().await.unwrap().status, "ok");
    world.admin.drain("small", None).await.unwrap();
    while events.next().await.unwrap().kind != "pool_drained" {}
    assert!(world.admin.reload().await.unwrap().changed.is_empty(), "the same files are nothing new");
}

#[tokio::test]
async fn files_that_are_broken_change_nothing_and_the_key_that_names_them_is_told() {
    let files = Files::new();
    let more = "[access.certificates.\"ci.example.org\"]\nrole = \"admin\"";
    let world = files.start("", "").await;
    let (good, key) = (read(&files.path("daemon.pem")), read(&files.path("daemon.key")));
    let of_another = files.authority.sign(&of(&["127.0.0.1"], "x")).1;
    files.configure("client_ca_file = \"authority.pem\"", more);
    for (certificate, key, place, why) in [
        ("", &*key, "daemon.tls.certificate_file", "no certificate"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            &*key,
            "daemon.tls.certificate_file",
            "cannot be used",
        ),
        (&*good, "", "daemon.tls.key_file", "no private key"),
        (&*good, &*of_another, "daemon.tls.key_file", "is not that of the first certificate"),
    ] {
        fs::write(files.path("daemon.pem"), certificate).unwrap();
        fs::write(files.path("daemon.key"), key).unwrap();
        let err = world.admin.reload().await.unwrap_err();
        let problem = err.problem().unwrap();
        assert!(problem.is(code::INVALID_CONFIG), "{problem}");
        let told = &problem.places[0];
        assert!(told.key == place && told.reason.contains(why) && 1 < told.line, "{told:?}");
        assert!(!told.reason.contains("PRIVATE KEY-----\n"), "{told:?}");
    }
    fs::remove_file(files.path("daemon.key")).unwrap();
    assert!(world.admin.reload().await.unwrap_err().to_string().contains("cannot be read"));
    assert_eq!(client(&world, &files.trusting()).health().await.unwrap().status, "ok");
    // The rest of the file did not come to hold either.
    fs::write(files.path("daemon.key"), key).unwrap();
    let told = world.admin.reload().await.unwrap();
    assert_eq!(told.changed, ["access", "daemon.tls"]);
}

#[tokio::test]
async fn what_a_certificate_may_do_changes_with_a_reload() {
    let files = Files::new();
    let may = |role: &str| format!("[access.certificates.\"ci.example.org\"]\nrole = \"{role}\"");
    let tls = "client_ca_file = \"authority.pem\"";
    let world = files.start(tls, &may("reader")).await;
    let ci = client(&world, &files.showing(&files.authority, &of(&["ci.example.org"], "x")));
    assert_eq!(ci.whoami().await.unwrap().role, Role::Reader);
    files.configure(tls, &may("operator"));
    assert_eq!(world.admin.reload().await.unwrap().changed, ["access"]);
    assert_eq!(ci.whoami().await.unwrap().role, Role::Operator);
    files.configure(tls, &may("emperor"));
    world.admin.reload().await.unwrap_err();
    assert_eq!(ci.whoami().await.unwrap().role, Role::Operator, "what is refused changes nothing");
    files.configure(tls, "");
    world.admin.reload().await.unwrap();
    assert!(ci.whoami().await.unwrap_err().problem().unwrap().is(code::UNAUTHENTICATED));
}

#[tokio::test]
async fn whether_loopback_is_open_changes_with_a_reload() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vmpool.toml");
    let write =
        |open: bool| fs::write(&file, format!("{}\n[access]\nopen_loopback = {open}", crate::world::CLOSED));
    write(false).unwrap();
    let world = World::from_file(&file, &Tls::default()).await;
    let token = world.token("ops", Role::Admin, None).await;
    let ops = Client::new(&format!("http://{}", world.address)).unwrap().with_token(&token).unwrap();
    let status =
        async || world.raw(reqwest::Method::GET, "/v1/pools").send().await.unwrap().status().as_u16();
    assert_eq!(status().await, 401);
    write(true).unwrap();
    assert_eq!(ops.reload().await.unwrap().changed, ["access"]);
    assert_eq!(status().await, 200);
    assert!(world.admin.whoami().await.is_err(), "the key of who is asked nothing is none any more");
    write(false).unwrap();
    ops.reload().await.unwrap();
    assert_eq!(status().await, 401);
    let own = Client::new(&format!("http://{}", world.address)).unwrap().whoami().await.unwrap();
    assert!(own.actor.starts_with("uid:"), "the daemon's own user finds a new key: {own:?}");
}

#[tokio::test]
async fn whether_tls_is_spoken_changes_with_a_restart_alone() {
    let files = Files::new();
    let world = files.start("", "").await;
    fs::write(files.path("vmpool.toml"), crate::world::CLOSED).unwrap();
    for _ in 0..2 {
        assert_eq!(world.admin.reload().await.unwrap().needs_restart, ["daemon.tls"]);
    }
    world.goes_on().await;
}
