//! The client against a server on loopback that answers as recordings of the real one, or as a test says.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

#[cfg(feature = "events")]
mod changefeed;
mod cloud;
mod driver;
mod env;
mod errors;
mod exchange;
mod fuzzed;
mod loopback;
mod machine;
mod options;
mod paging;
mod replay;
mod route;
mod suite;
mod wait;

use std::path::PathBuf;

use vmpool_cloudapi::{CloudApiConfig, DataCenter, KeySource};

/// Returns a configuration with a key that is made for tests alone.
fn config(url: &str) -> CloudApiConfig {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/keys/ed25519.openssh");
    let key = KeySource::File { path, passphrase: None };
    // The system's certificates take a while to read, and no test here needs them.
    CloudApiConfig::new(url, "test", key).with_accept_version("~9").with_insecure(true)
}

/// Opens a data center behind an address.
async fn open(url: &str) -> DataCenter {
    DataCenter::open(config(url)).await.unwrap()
}
