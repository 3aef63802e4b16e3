//! Reading the configuration again over HTTP.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail loudly")]

use std::{fs, path::PathBuf};

use tempfile::TempDir;
use vmpool_client::api::{Problem, code, exit};

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
    assert_eq!(places, [(7, "providers.lab.list_interval"), (13, "pools.small.max_total")]);
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
