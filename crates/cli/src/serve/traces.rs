//! Traces of the daemon, where the program was built with them and the environment says where they go.

#[cfg(feature = "otel")]
use std::io::{self, IsTerminal as _};

#[cfg(feature = "otel")]
use tracing_subscriber::{
    EnvFilter, Layer as _, filter::filter_fn, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};
#[cfg(feature = "otel")]
use vmpool_server::otel::{Exporter, Otel, OtelLayer, Running};

use crate::failure::Failure;

/// What exports traces, if anything does.
#[derive(Debug)]
pub(super) struct Traces {
    #[cfg(feature = "otel")]
    exporter: Option<Exporter>,
}

/// What exports traces at this moment, if anything does.
#[derive(Debug)]
pub(super) struct Exporting {
    #[cfg(feature = "otel")]
    running: Option<Running>,
}

impl Traces {
    /// Begins to export.
    pub(super) fn start(self) -> Exporting {
        Exporting {
            #[cfg(feature = "otel")]
            running: self.exporter.map(Exporter::start),
        }
    }
}

impl Exporting {
    /// Exports the last ones.
    #[cfg_attr(
        not(feature = "otel"),
        expect(clippy::unused_async, reason = "without traces nothing is waited for")
    )]
    pub(super) async fn stop(self) {
        #[cfg(feature = "otel")]
        if let Some(running) = self.running {
            running.stop().await;
        }
    }
}

/// Exports nothing; says so to whoever expects it.
#[cfg_attr(feature = "otel", expect(clippy::unnecessary_wraps, reason = "both kinds of program call it"))]
pub(super) fn none() -> Result<Traces, Failure> {
    #[cfg(not(feature = "otel"))]
    if std::env::var_os("OTEL_EXPORTER_OTLP_ENDPOINT").is_some_and(|value| !value.is_empty()) {
        tracing::info!("nothing is traced: the program was built without the feature otel");
    }
    Ok(Traces {
        #[cfg(feature = "otel")]
        exporter: None,
    })
}

/// Returns what traces, if the environment says where to.
#[cfg(feature = "otel")]
pub(super) fn from_environment() -> Result<Option<Otel>, Failure> {
    let otel = Otel::from_environment(|name| std::env::var(name).ok());
    otel.map_err(|err| Failure::new(vmpool_api::exit::CONFIG, err.to_string()))
}

/// Begins to log what the filter lets through, and to trace all requests.
#[cfg(feature = "otel")]
pub(super) fn log_and_trace(filter: EnvFilter, otel: Otel) -> Traces {
    let log = tracing_subscriber::fmt::layer().with_ansi(io::stderr().is_terminal()).with_writer(io::stderr);
    let wanted =
        filter_fn(OtelLayer::is_wanted).with_max_level_hint(tracing_subscriber::filter::LevelFilter::DEBUG);
    tracing_subscriber::registry().with(log.with_filter(filter)).with(otel.layer.with_filter(wanted)).init();
    tracing::info!(collector = otel.exporter.url(), "requests are traced");
    Traces { exporter: Some(otel.exporter) }
}
