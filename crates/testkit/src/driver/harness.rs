//! What the suite needs to know about a driver.

use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU32},
    time::Duration,
};

use vmpool_driver::{Driver, Pause};
use vmpool_model::NodeId;

/// A driver in front of a cloud of its own, and what the rules need to use it.
///
/// Each rule gets a new harness. Nodes that are there already are left alone, and what a rule made is destroyed
/// after it.
///
/// # Examples
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use vmpool_driver::Driver;
/// use vmpool_testkit::driver::DriverHarness;
///
/// /// Shortens the waits of the suite for a cloud that is in memory.
/// fn harness(driver: Arc<dyn Driver>) -> DriverHarness {
///     DriverHarness::new(driver, "small").with_patience(Duration::from_secs(5))
/// }
/// # fn main() {}
/// ```
#[non_exhaustive]
pub struct DriverHarness {
    /// The driver.
    pub driver: Arc<dyn Driver>,
    /// What nodes are made from.
    pub template: String,
    /// How to wait until the cloud has done something. Default: a timer of tokio.
    pub pause: Pause,
    /// How long the cloud may take to do something, such as to boot a node. Default: 60 s.
    pub patience: Duration,
    /// An id that looks like one of the cloud's and is none. Default: `999999999`.
    pub unknown_id: String,
    /// How the names of nodes begin, and the names of VMs in tokens; two harnesses in front of one cloud that takes a name
    /// but once need different ones. Default: `suite`.
    pub name_prefix: String,
    kept: Vec<Box<dyn Any + Send + Sync>>,
    pub(super) made: Mutex<Vec<NodeId>>,
    pub(super) names: AtomicU32,
}

impl DriverHarness {
    /// Tests a driver with nodes made from a template.
    #[must_use]
    pub fn new(driver: Arc<dyn Driver>, template: impl Into<String>) -> Self {
        Self {
            driver,
            template: template.into(),
            pause: Arc::new(|time| Box::pin(tokio_timer(time))),
            patience: Duration::from_secs(60),
            unknown_id: "999999999".to_owned(),
            name_prefix: "suite".to_owned(),
            kept: Vec::new(),
            made: Mutex::default(),
            names: AtomicU32::new(1),
        }
    }

    /// Waits in another way, such as by moving the clock of a simulated cloud.
    #[must_use]
    pub fn with_pause(self, pause: Pause) -> Self {
        Self { pause, ..self }
    }

    /// Gives the cloud more or less time.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Chooses an id that looks like one of the cloud's and is none.
    #[must_use]
    pub fn with_unknown_id(self, id: impl Into<String>) -> Self {
        Self { unknown_id: id.into(), ..self }
    }

    /// Chooses how the names of nodes begin.
    #[must_use]
    pub fn with_name_prefix(self, name_prefix: impl Into<String>) -> Self {
        Self { name_prefix: name_prefix.into(), ..self }
    }

    /// Keeps something alive until the rule has ended, such as a simulated cloud that listens.
    #[must_use]
    pub fn keeping(mut self, kept: impl Any + Send + Sync) -> Self {
        self.kept.push(Box::new(kept));
        self
    }

    pub(super) fn remember(&self, id: &NodeId) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).push(id.clone());
    }

    /// Destroys what the rule made; what is gone already, or cannot be destroyed, is passed over.
    pub(super) async fn clean_up(&self) {
        let made = std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner));
        for id in made {
            let _ = self.driver.destroy(&id).await;
        }
    }
}

impl fmt::Debug for DriverHarness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriverHarness")
            .field("driver", &self.driver)
            .field("template", &self.template)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

#[expect(clippy::disallowed_methods, reason = "waiting for a cloud is the point, and tests pause the clock")]
async fn tokio_timer(time: Duration) {
    tokio::time::sleep(time).await;
}
