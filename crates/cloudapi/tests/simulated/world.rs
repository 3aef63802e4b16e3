//! A simulated CloudAPI in which everything takes some milliseconds.

use std::{path::PathBuf, time::Duration};

use vmpool_cloudapi::{CloudApiConfig, CloudApiError, DataCenter, KeySource, WaitOptions};
use vmpool_sim::cloudapi::{CloudApiSim, SimAccount, SimConfig, SimServer};

/// The package, the image and the network outside that every simulated data center has.
pub(crate) const PACKAGE: &str = "sample-128M";
pub(crate) const IMAGE: &str = "2b683a82-a066-11e3-97ab-2faa44701c5a";
pub(crate) const OUTSIDE: &str = "f1e6dd77-3f6d-4b8b-9c0c-2a1f0c5d6a01";
pub(crate) const INSIDE: &str = "a9c0a3b4-4a3e-4c79-8d5d-1b2c3d4e5f02";

pub(crate) struct World {
    pub(crate) sim: CloudApiSim,
    pub(crate) server: SimServer,
}

/// Returns a file of these tests.
pub(crate) fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// Returns a public key of these tests.
pub(crate) fn public(kind: &str) -> String {
    std::fs::read_to_string(file(&format!("keys/{kind}.pub"))).unwrap()
}

/// Returns what a data center is opened with by a key of these tests.
pub(crate) fn config(url: &str, kind: &str) -> CloudApiConfig {
    let key = KeySource::File { path: file(&format!("keys/{kind}.openssh")), passphrase: None };
    // The system's certificates take a while to read.
    CloudApiConfig::new(url, "ops", key).with_insecure(true)
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|config| config).await
    }

    pub(crate) async fn with(change: impl FnOnce(SimConfig) -> SimConfig) -> Self {
        let account = ["ed25519", "rsa", "ecdsa", "ecdsa384", "ecdsa521"]
            .into_iter()
            .fold(SimAccount::new("ops"), |account, kind| account.with_key(kind, public(kind)));
        let config = SimConfig::default()
            .with_boot(Duration::from_millis(40))
            .with_step(Duration::from_millis(10))
            .with_account(account.with_user("ci", public("ecdsa")));
        let sim = CloudApiSim::new(change(config)).unwrap();
        let server = sim.clone().start().await.unwrap();
        Self { sim, server }
    }

    pub(crate) async fn open(&self) -> DataCenter {
        DataCenter::open(config(&self.server.endpoint(), "ed25519")).await.unwrap()
    }
}

/// Looks often, and not for long.
pub(crate) fn soon() -> WaitOptions {
    WaitOptions::default().with_interval(Duration::from_millis(5)).with_timeout(Duration::from_secs(10))
}

/// Looks until something is so.
pub(crate) async fn until(mut look: impl AsyncFnMut() -> Result<bool, CloudApiError>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    for _ in 0..1000 {
        ticks.tick().await;
        if look().await.unwrap() {
            return;
        }
    }
    panic!("it did not become so within five seconds");
}
