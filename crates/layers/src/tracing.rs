//! One span and one event for each call.

use std::{future::Future, sync::Arc};

use ::tracing::{Instrument, Span, field};
use tokio::time::Instant;
use vmpool_driver::{Driver, DriverError, Layer};
use vmpool_model::{FailureKind, ProviderName};

use crate::around::{Around, Call, Wrapped};

/// The target of the spans and events, for filters such as `vmpool::provider=debug`.
const TARGET: &str = "vmpool::provider";

/// Makes each call one span, and each end of a call one event.
///
/// The span is `provider call`, with the fields `provider`, `driver`, `operation` and `node`
/// (the node's id, or for a create the name it is to have).
/// The event has the fields `outcome` (`ok`, the kind of the failure, or `canceled` if the caller did not wait for the end)
/// and `duration_ms`, and `error` if there is one; it is a warning if the failure is one that a caller does not plan for.
/// Both have the target `vmpool::provider`.
/// Neither shows what a create was asked for beyond the name: a request may hold a password.
///
/// # Examples
///
/// ```
/// use vmpool_layers::TracingLayer;
/// use vmpool_model::ProviderName;
///
/// let layer = TracingLayer::new(ProviderName::new("lab")?);
/// assert_eq!(layer.provider.as_str(), "lab");
/// # Ok::<(), vmpool_model::InvalidName>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TracingLayer {
    /// The provider that the calls are for.
    pub provider: ProviderName,
}

impl TracingLayer {
    /// Traces the calls to a provider.
    #[must_use]
    pub fn new(provider: ProviderName) -> Self {
        Self { provider }
    }
}

impl Layer for TracingLayer {
    fn wrap(&self, inner: Arc<dyn Driver>) -> Arc<dyn Driver> {
        Wrapped::wrap(inner, self.clone())
    }
}

impl Around for TracingLayer {
    async fn around<T, F>(
        &self,
        call: Call<'_>,
        attempt: impl Fn() -> F + Send + Sync,
    ) -> Result<T, DriverError>
    where
        T: Send,
        F: Future<Output = Result<T, DriverError>> + Send,
    {
        let span = self.span(call);
        let ended = Ended::watch(span.clone());
        let answer = attempt().instrument(span).await;
        ended.with(answer.as_ref().err());
        answer
    }
}

impl TracingLayer {
    fn span(&self, call: Call<'_>) -> Span {
        // Of the highest level, so that a filter that shows a failure also shows what failed.
        let span = ::tracing::error_span!(
            target: TARGET,
            "provider call",
            provider = %self.provider,
            driver = call.driver,
            operation = call.operation.as_str(),
            node = field::Empty,
        );
        if let Some(node) = call.node {
            span.record("node", node);
        }
        span
    }
}

/// Reports the end of a call, also if the call is dropped before.
struct Ended {
    span: Span,
    started: Instant,
    reported: bool,
}

impl Ended {
    fn watch(span: Span) -> Self {
        Self { span, started: Instant::now(), reported: false }
    }

    fn with(mut self, err: Option<&DriverError>) {
        self.reported = true;
        let duration_ms = self.duration_ms();
        let _entered = self.span.enter();
        match err {
            None => ::tracing::debug!(target: TARGET, outcome = "ok", duration_ms, "provider answered"),
            Some(err) if is_planned_for(err.kind()) => {
                ::tracing::debug!(target: TARGET, outcome = err.kind().as_str(), duration_ms, error = %err, "provider refused");
            }
            Some(err) => {
                ::tracing::warn!(target: TARGET, outcome = err.kind().as_str(), duration_ms, error = %err, "call to the provider failed");
            }
        }
    }

    fn duration_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        if !self.reported {
            let duration_ms = self.duration_ms();
            let _entered = self.span.enter();
            ::tracing::debug!(target: TARGET, outcome = "canceled", duration_ms, "call to the provider was given up");
        }
    }
}

/// Returns whether a failure is an answer that callers expect in the normal run of things.
fn is_planned_for(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::NotFound
            | FailureKind::AlreadyExists
            | FailureKind::InvalidState
            | FailureKind::Unsupported
    )
}
