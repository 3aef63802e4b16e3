//! Wrapping drivers: time-outs, retries, limits, metrics.

use std::sync::Arc;

use crate::Driver;

/// Wraps a driver in another one that adds something to every call.
///
/// The last layer added is the outermost. A time-out belongs *inside* a retry, so that each attempt
/// has its own: `driver.layer(&timeout).layer(&retry)`.
pub trait Layer: std::fmt::Debug {
    /// Wraps `inner`.
    fn wrap(&self, inner: Arc<dyn Driver>) -> Arc<dyn Driver>;
}

/// Adds layers to a driver in reading order.
pub trait LayerExt {
    /// Wraps the driver in `layer`, which becomes the outermost.
    #[must_use]
    fn layer(self, layer: &dyn Layer) -> Arc<dyn Driver>;
}

impl LayerExt for Arc<dyn Driver> {
    fn layer(self, layer: &dyn Layer) -> Arc<dyn Driver> {
        layer.wrap(self)
    }
}
