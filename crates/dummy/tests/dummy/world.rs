//! A cloud whose clock stands still until a test moves it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use vmpool_driver::{CreateRequest, Driver};
use vmpool_dummy::{Clock, DummyCloud, DummyConfig, DummyDriver};
use vmpool_model::{NodeId, Timestamp, states::NodeState};

/// A clock that a test moves.
#[derive(Clone, Default)]
pub(crate) struct Time(Arc<AtomicI64>);

impl Time {
    pub(crate) fn clock(&self) -> Clock {
        let time = self.clone();
        Arc::new(move || time.now())
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

/// Makes a cloud with a clock that stands at 0.
pub(crate) fn cloud(config: DummyConfig) -> (DummyCloud, DummyDriver, Time) {
    let time = Time::default();
    let cloud = DummyCloud::in_memory(config).unwrap().with_clock(time.clock());
    (cloud.clone(), DummyDriver::new(cloud), time)
}

/// Reads a configuration as a user writes it.
pub(crate) fn config(json: &str) -> DummyConfig {
    serde_json::from_str(json).unwrap()
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Creates a node and returns its id.
pub(crate) async fn create(driver: &DummyDriver) -> NodeId {
    driver.create(&CreateRequest::new("small")).await.unwrap().id
}

/// Returns what state the driver reports of a node.
pub(crate) async fn state(driver: &DummyDriver, id: &NodeId) -> NodeState {
    driver.get(id).await.unwrap().state
}
