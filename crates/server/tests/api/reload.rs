//! Reading the configuration again over HTTP.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail loudly")]

use std::{fs, path::PathBuf};

use tempfile::TempDir;
use vmpool_client::api::{AcquireRequest, Problem, code, exit};

use crate::world::{ONE_VM, World};

/// A daemon, and the file of its configuration.
struct FromFile {
    world: World,
    file: PathBuf,
    _folder: TempDir,
}

impl FromFile {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("vmpool.toml");
        fs::write(&file, ONE_VM).unwrap();
        let world = World::start_from(&file).await;
        world.until_ready().await;
        Self { world, file, _folder: folder }
    }

    /// Writes another configuration, has it read, and returns why that is refused.
    async fn refused(&self, text: &str) -> Problem {
        fs::write(&self.file, text).unwrap();
        let err = self.world.client.reload().await.unwrap_err();
        assert_eq!(err.exit_code(), exit::CONFIG);
        err.problem().unwrap().clone()
    }
}

#[tokio::test]
async fn a_broken_file_changes_nothing_and_every_place_is_told() {
    let daemon = FromFile::start().await;
    let before = daemon.world.client.pools().await.unwrap();
    let text = ONE_VM.replace("size = 1", "size = 3\nmax_total = 2").replace("\"20ms\"", "\"0s\"");
    let problem = daemon.refused(&text).await;
    assert!(problem.is(code::INVALID_CONFIG));
    let places: Vec<_> = problem.places.iter().map(|place| (place.line, place.key.as_str())).collect();
    assert_eq!(places, [(10, "providers.lab.list_interval"), (16, "pools.small.max_total")]);
    let name = daemon.file.display().to_string();
    assert_eq!(problem.detail.lines().filter(|line| line.starts_with(&name)).count(), 2, "{problem}");
    assert_eq!(daemon.world.client.pools().await.unwrap(), before);
}

#[tokio::test]
async fn a_file_that_is_gone_or_no_toml_changes_nothing() {
    let daemon = FromFile::start().await;
    assert_eq!(daemon.refused("size = = 1").await.places[0].column, 8);
    fs::remove_file(&daemon.file).unwrap();
    let err = daemon.world.client.reload().await.unwrap_err();
    assert!(err.to_string().contains("cannot read the configuration"), "{err}");
    assert_eq!(daemon.world.client.pools().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_daemon_without_a_file_says_so() {
    let world = World::ready().await;
    let err = world.client.reload().await.unwrap_err();
    assert!(err.problem().unwrap().is(code::NO_CONFIG_FILE), "{err}");
}

#[tokio::test]
async fn what_is_new_changed_and_gone_is_told_and_holds_at_once() {
    let daemon = FromFile::start().await;
    let more = "\n[pools.big]\nprovider = \"lab\"\ntemplate = \"big\"\nsize = 1\n[limits]\nmax_waiting = 5\n";
    fs::write(&daemon.file, ONE_VM.replace("size = 1", "size = 2") + more).unwrap();
    let told = daemon.world.client.reload().await.unwrap();
    assert_eq!(
        (told.added, told.changed),
        (vec!["pools.big".to_owned()], vec!["pools.small".to_owned(), "limits".to_owned()])
    );
    assert_eq!((told.removed, told.needs_restart), (Vec::new(), Vec::new()));
    assert_eq!(daemon.world.client.pool("small").await.unwrap().size, 2);
    let mut events = daemon.world.client.follow(Some(0));
    while daemon.world.client.pool("big").await.unwrap().count("ready") == 0 {
        events.next().await.unwrap();
    }

    daemon.world.client.acquire(&AcquireRequest::new("r1", "big", "ada")).await.unwrap();
    assert_eq!(daemon.world.client.pool("big").await.unwrap().problem, None);
    fs::write(&daemon.file, ONE_VM).unwrap();
    let told = daemon.world.client.reload().await.unwrap();
    assert_eq!((told.removed, told.added), (vec!["pools.big".to_owned()], Vec::new()));
    let problem = daemon.world.client.pool("big").await.unwrap().problem;
    let left = "it was taken out of the configuration, and goes with its last VM";
    assert_eq!(problem.as_deref(), Some(left), "its VM is leased");
    let again = daemon.world.client.reload().await.unwrap();
    assert_eq!(again, vmpool_client::api::Reloaded::default());
}

#[tokio::test]
async fn the_vms_of_a_provider_whose_driver_is_told_nothing_new_stay() {
    let daemon = FromFile::start().await;
    let before = daemon.world.client.vms(&crate::world::ready()).await.unwrap();
    fs::write(&daemon.file, ONE_VM.replace("\"20ms\"", "\"30ms\"\nquota = { vms = 9 }")).unwrap();
    let told = daemon.world.client.reload().await.unwrap();
    assert_eq!(told.changed, ["providers.lab"]);
    let listed_at = async || daemon.world.client.provider("lab").await.unwrap().listed_at;
    let first = listed_at().await;
    // The cloud is in the memory of the driver: a driver that was opened anew would list none of the nodes.
    while listed_at().await == first {
        tokio::task::yield_now().await;
    }
    let after = daemon.world.client.vms(&crate::world::ready()).await.unwrap();
    assert_eq!((after.len(), &after[0].name, after[0].suspect.as_ref()), (1, &before[0].name, None));
    assert_eq!(daemon.world.client.provider("lab").await.unwrap().nodes, 1);
}

#[tokio::test]
async fn a_driver_that_cannot_be_opened_changes_nothing() {
    let daemon = FromFile::start().await;
    let options = "[providers.lab.options]\npath = \"/nonexistent/folder/cloud\"\n\n[pools.big]\nprovider = \"lab\"\ntemplate = \"b\"\nsize = 1\n[pools.small]";
    fs::write(&daemon.file, ONE_VM.replace("[pools.small]", options)).unwrap();
    let err = daemon.world.client.reload().await.unwrap_err();
    assert_eq!(err.exit_code(), exit::PROVIDER);
    assert!(err.to_string().contains("provider lab cannot be used, and the configuration stays"), "{err}");
    assert_eq!(daemon.world.client.pools().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_driver_that_cannot_be_opened_beside_itself_is_said_to_need_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let text = |options: &str| {
        let path = folder.path().join("cloud");
        let options = format!("options = {{ path = {path:?}, {options} }}\n\n[pools.small]");
        ONE_VM.replace("[pools.small]", &options)
    };
    let file = folder.path().join("vmpool.toml");
    fs::write(&file, text("boot_latency = \"0s\"")).unwrap();
    let world = World::start_from(&file).await;
    world.until_ready().await;
    let other = text("boot_latency = \"1ms\"").replace("size = 1", "size = 2");
    fs::write(&file, other).unwrap();
    let err = world.client.reload().await.unwrap_err();
    let problem = err.problem().unwrap();
    assert_eq!((problem.code.as_str(), err.exit_code()), ("needs_restart", exit::REFUSED));
    assert!(
        problem.detail.contains("provider lab") && problem.detail.contains("restart the daemon"),
        "{problem:?}"
    );
    assert_eq!(world.client.pool("small").await.unwrap().size, 1, "nothing changed");
    fs::write(&file, text("boot_latency = \"0s\"").replace("size = 1", "size = 2")).unwrap();
    assert_eq!(world.client.reload().await.unwrap().changed, ["pools.small"]);
}

#[tokio::test]
async fn what_holds_only_from_the_next_start_is_named_each_time() {
    let daemon = FromFile::start().await;
    let text = ONE_VM.replace("127.0.0.1:0\"", "127.0.0.1:7\"\nlog = \"debug\"");
    fs::write(&daemon.file, format!("installation = \"lab\"\n{text}")).unwrap();
    for _ in 0..2 {
        let told = daemon.world.client.reload().await.unwrap();
        assert_eq!(told.needs_restart, ["installation", "daemon.listen", "daemon.log"]);
    }
}
