//! One bounded, redacting HTTP client and the classification of statuses, for drivers over HTTP.
//!
//! An [`HttpClient`] sends one [`Request`] and returns one [`Answer`]: it follows no redirect, repeats nothing, reads no more
//! than [`HttpConfig::max_body`] and waits no longer than [`HttpConfig::timeout`].
//! An [`HttpError`] says whether the request may have reached the server; [`classify`] says the same of a status, so that both
//! become a [`DriverError`](vmpool_driver::DriverError) with an honest [`Certainty`](vmpool_driver::model::Certainty).
//! Nothing that can hold a secret is shown: no `Debug`, error or log line has the value of a header, of a query or of a body.
//!
//! ```
//! use vmpool_driver::model::{Certainty, FailureKind};
//! use vmpool_http::{Method, Request, classify};
//!
//! let request = Request::new(Method::Get, "https://cloud.example/my/machines?token=hunter2")?;
//! assert_eq!(format!("{request:?}"), "GET https://cloud.example/my/machines?token=…");
//!
//! let busy = classify(503, None, None).ok_or("not a failure")?;
//! assert_eq!((busy.kind, busy.certainty), (FailureKind::Unavailable, Certainty::Unknown));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod classify;
mod client;
mod config;
mod error;
mod redact;
mod request;
mod time;
mod upgrade;

pub use crate::{
    answer::Answer,
    classify::{Classified, classify},
    client::HttpClient,
    config::{HttpConfig, Tls},
    error::{HttpError, InvalidUrl},
    redact::excerpt,
    request::{Method, Request},
    time::{format_http_date, parse_http_date, retry_after},
    upgrade::{Connection, Upgrade, UpgradedStream},
};
