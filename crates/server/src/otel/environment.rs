//! What the environment says of traces, in the variables of OpenTelemetry.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::sync::mpsc;

use super::{export::Exporter, layer::OtelLayer, span::Fields};

/// How many ended spans may wait for the exporter; more are lost.
const WAITING: usize = 8192;

/// How long the collector may take to answer unless the environment says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What records spans and what exports them.
#[derive(Debug)]
pub struct Otel {
    /// What records spans.
    pub layer: OtelLayer,
    /// What exports them.
    pub exporter: Exporter,
}

/// Why traces cannot be exported as the environment says.
#[derive(Debug, thiserror::Error)]
#[error("{variable} is {value:?}: {reason}")]
pub struct OtelError {
    /// The variable.
    pub variable: &'static str,
    /// Its value; that of headers, which may hold secrets, is not shown.
    pub value: String,
    /// What is wrong with it, and what to write.
    pub reason: String,
}

impl Otel {
    /// Makes what exports traces where the environment says so; `None` if it says nothing, or that it is disabled.
    ///
    /// | variable | meaning |
    /// |---|---|
    /// | `OTEL_EXPORTER_OTLP_ENDPOINT` | the collector, such as `http://127.0.0.1:4318`; traces go to `/v1/traces` there |
    /// | `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` | the whole address for traces instead |
    /// | `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_EXPORTER_OTLP_TRACES_HEADERS` | headers to send, as `name=value,name=value` |
    /// | `OTEL_EXPORTER_OTLP_TIMEOUT` | how long the collector may take, in milliseconds; 10 s if not set |
    /// | `OTEL_EXPORTER_OTLP_PROTOCOL` | `http/json`, which alone is spoken |
    /// | `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` | who traces; `vmpool` if not set |
    /// | `OTEL_SDK_DISABLED` | `true` turns it off |
    ///
    /// Every request is traced, unless its header `traceparent` says that its trace is not recorded.
    ///
    /// # Errors
    ///
    /// [`OtelError`] that names the variable that does not fit.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, OtelError> {
        // A variable that is empty is as good as none, says the specification.
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        if variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let (name, url) = match variable(TRACES_ENDPOINT) {
            Some(url) => (TRACES_ENDPOINT, url),
            None => match variable(ENDPOINT) {
                Some(base) => (ENDPOINT, format!("{}/v1/traces", base.trim_end_matches('/'))),
                None => return Ok(None),
            },
        };
        let wrong = |variable, value: &str, reason: &str| OtelError {
            variable,
            value: value.to_owned(),
            reason: reason.to_owned(),
        };
        let is_http = |url: &reqwest::Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        let url = reqwest::Url::parse(&url)
            .ok()
            .filter(is_http)
            .ok_or_else(|| wrong(name, &url, "write an address such as http://127.0.0.1:4318"))?;
        if let Some(protocol) = variable(PROTOCOL).filter(|protocol| protocol != "http/json") {
            return Err(wrong(
                PROTOCOL,
                &protocol,
                "only http/json is spoken, which collectors take on port 4318, too",
            ));
        }
        let headers = variable(TRACES_HEADERS).or_else(|| variable(HEADERS)).unwrap_or_default();
        let headers = pairs(&headers)
            .map(|(name, value)| {
                let mut value = HeaderValue::from_str(&value).ok()?;
                value.set_sensitive(true);
                Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
            })
            .collect::<Option<HeaderMap>>()
            .ok_or_else(|| wrong(HEADERS, "…", "write name=value,name=value"))?;
        let timeout = match variable(TIMEOUT_VARIABLE) {
            None => TIMEOUT,
            Some(text) => text
                .parse()
                .map(Duration::from_millis)
                .map_err(|_| wrong(TIMEOUT_VARIABLE, &text, "write a number of milliseconds"))?,
        };
        let resource = resource(&variable);
        let (ended, spans) = mpsc::channel(WAITING);
        let exporter = Exporter::new(url, headers, timeout, resource, spans);
        Ok(Some(Self { layer: OtelLayer::new(ended), exporter }))
    }
}

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
const TRACES_HEADERS: &str = "OTEL_EXPORTER_OTLP_TRACES_HEADERS";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
const TIMEOUT_VARIABLE: &str = "OTEL_EXPORTER_OTLP_TIMEOUT";

/// Says who traces.
fn resource(variable: &impl Fn(&str) -> Option<String>) -> Vec<Value> {
    let given = variable("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let mut attributes: Vec<(String, String)> = pairs(&given).collect();
    let mut set = |key: &str, value: Option<String>, default: &str| {
        let is_set = attributes.iter().any(|(known, _)| known == key);
        if value.is_some() || !is_set {
            attributes.retain(|(known, _)| known != key);
            attributes.push((key.to_owned(), value.unwrap_or_else(|| default.to_owned())));
        }
    };
    set("service.name", variable("OTEL_SERVICE_NAME"), "vmpool");
    set("service.version", None, env!("CARGO_PKG_VERSION"));
    let mut fields = Fields::default();
    for (key, value) in attributes {
        fields.add(&key, serde_json::json!({"stringValue": value}));
    }
    fields.0
}

/// Reads `name=value,name=value`, where values may be percent-encoded.
fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.trim().to_owned(), decoded(value.trim())))
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        (rest, bytes) = match (first, byte) {
            (b'%', Some(byte)) => (after.get(2..).unwrap_or_default(), [bytes, vec![byte]].concat()),
            _ => (after, [bytes, vec![*first]].concat()),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Option<Otel>, OtelError> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Otel::from_environment(|name| find(name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn without_a_collector_nothing_is_traced() {
        assert!(of(&[]).unwrap().is_none());
        assert!(of(&[(ENDPOINT, "")]).unwrap().is_none());
        assert!(of(&[(ENDPOINT, "http://a:1"), ("OTEL_SDK_DISABLED", "True")]).unwrap().is_none());
    }

    #[test]
    fn the_address_of_traces_is_below_the_general_one_unless_it_is_given() {
        for (variables, url) in [
            (&[(ENDPOINT, "http://a:4318/")][..], "http://a:4318/v1/traces"),
            (&[(ENDPOINT, "http://a:4318"), (TRACES_ENDPOINT, "http://b/in")], "http://b/in"),
        ] {
            assert_eq!(of(variables).unwrap().unwrap().exporter.url(), url);
        }
    }

    #[test]
    fn a_variable_that_does_not_fit_is_named_and_no_header_is_shown() {
        let collector = (ENDPOINT, "http://a:4318");
        for (variables, told) in [
            (
                vec![(ENDPOINT, "a:4318")],
                "OTEL_EXPORTER_OTLP_ENDPOINT is \"a:4318/v1/traces\": write an address",
            ),
            (vec![collector, (PROTOCOL, "grpc")], "only http/json is spoken"),
            (vec![collector, (TIMEOUT_VARIABLE, "10s")], "milliseconds"),
            (vec![collector, (HEADERS, "key=hun%0Ater2")], "OTEL_EXPORTER_OTLP_HEADERS is \"…\""),
        ] {
            let err = of(&variables).unwrap_err().to_string();
            assert!(err.contains(told) && !err.contains("ter2"), "{err}");
        }
    }

    #[test]
    fn who_traces_is_vmpool_unless_the_environment_says_otherwise() {
        let name = |variables: &[(&str, &str)]| {
            let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
            let fields = Fields(resource(&|name: &str| find(name).map(|(_, value)| (*value).to_owned())));
            fields.text("service.name").unwrap().to_owned()
        };
        let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=of%20attributes,a=b");
        assert_eq!(name(&[]), "vmpool");
        assert_eq!(name(&[attributes]), "of attributes");
        assert_eq!(name(&[attributes, ("OTEL_SERVICE_NAME", "lab")]), "lab");
    }
}
