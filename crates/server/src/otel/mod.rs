//! Traces for OpenTelemetry, over HTTP as JSON: what a request costs, from the API over the commit to the provider.
//!
//! Where the spans go is said by the variables that OpenTelemetry has for this; see [`Otel::from_environment`].

mod context;
mod environment;
mod export;
mod layer;
mod span;

pub use self::{
    environment::{Otel, OtelError},
    export::{Exporter, Running},
    layer::OtelLayer,
};
