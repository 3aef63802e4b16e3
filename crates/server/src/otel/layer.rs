//! What sees spans begin and end, and hands over those that have ended.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tracing::{
    Event, Level, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer, Registry,
    layer::Context as Around,
    registry::{LookupSpan, SpanRef},
};

use super::{
    context::Context,
    span::{Fields, Kind, Recorded, TRACEPARENT, now},
};

/// How many spans were not exported because too many waited.
pub(super) static LOST: AtomicU64 = AtomicU64::new(0);

/// Records the daemon's spans for the [`Exporter`](super::Exporter); add it to a registry of `tracing-subscriber`.
#[derive(Debug)]
pub struct OtelLayer {
    ended: mpsc::Sender<Value>,
}

impl OtelLayer {
    pub(super) fn new(ended: mpsc::Sender<Value>) -> Self {
        // Drivers that speak HTTP pass it on; with a second layer, the first one still says what it says.
        vmpool::driver::trace_with(traceparent);
        Self { ended }
    }

    /// Returns whether a span or an event is the daemon's own, and so of interest.
    #[must_use]
    pub fn is_wanted(metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("vmpool") && metadata.level() <= &Level::DEBUG
    }
}

impl<S> Layer<S> for OtelLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, around: Around<'_, S>) {
        let Some(span) = around.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let above = span.scope().skip(1).find_map(|above| context_of(&above));
        let above = above.or_else(|| fields.text(TRACEPARENT).and_then(Context::parse));
        fields.0.retain(|field| field["key"] != TRACEPARENT);
        let context = above.map_or_else(Context::root, Context::child);
        let (name, kind) = match attributes.metadata().name() {
            "request" => ("request".to_owned(), Kind::Server),
            "provider call" => (fields.text("operation").unwrap_or("provider call").to_owned(), Kind::Client),
            other => (other.to_owned(), Kind::Internal),
        };
        let parent = above.map(|above| above.span);
        let (began, left, error, events) = (now(), None, None, Vec::new());
        span.extensions_mut().replace(Recorded {
            context,
            parent,
            name,
            kind,
            began,
            left,
            fields,
            error,
            events,
        });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, around: Around<'_, S>) {
        let Some(span) = around.span(id) else { return };
        if let Some(recorded) = span.extensions_mut().get_mut::<Recorded>() {
            values.record(&mut recorded.fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, around: Around<'_, S>) {
        let Some(span) = around.event_span(event) else { return };
        let mut extensions = span.extensions_mut();
        let Some(recorded) = extensions.get_mut::<Recorded>() else { return };
        let mut fields = Fields::default();
        event.record(&mut fields);
        let message = fields.text("message").unwrap_or("event").to_owned();
        match (recorded.kind, message.as_str()) {
            (Kind::Server, "answered") => answered(recorded, &fields),
            _ => {
                if let Some(error) = fields.text("error") {
                    recorded.error = Some(error.to_owned());
                } else if event.metadata().level() <= &Level::ERROR {
                    recorded.error = Some(message.clone());
                }
                fields.0.retain(|field| field["key"] != "message");
                recorded.happened(&message, fields);
            }
        }
    }

    fn on_exit(&self, id: &Id, around: Around<'_, S>) {
        let Some(span) = around.span(id) else { return };
        if let Some(recorded) = span.extensions_mut().get_mut::<Recorded>() {
            recorded.left = Some(now());
        }
    }

    fn on_close(&self, id: Id, around: Around<'_, S>) {
        let Some(span) = around.span(&id) else { return };
        let Some(recorded) = span.extensions_mut().remove::<Recorded>() else { return };
        if recorded.context.sampled && self.ended.try_send(recorded.into_json()).is_err() {
            LOST.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Takes over what the log tells of an answer, under the names that OpenTelemetry has for it.
fn answered(recorded: &mut Recorded, fields: &Fields) {
    let text = |key| fields.text(key).map(str::to_owned);
    if let (Some(method), Some(path)) = (text("method"), text("path")) {
        recorded.name.clone_from(&method);
        recorded.fields.add("http.request.method", json!({"stringValue": method}));
        recorded.fields.add("url.path", json!({"stringValue": path}));
    }
    if let Some(status) = fields.number("status") {
        recorded.fields.add("http.response.status_code", json!({"intValue": status.to_string()}));
        if 500 <= status {
            recorded.error = Some(format!("answered with {status}"));
        }
    }
}

fn context_of<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) -> Option<Context> {
    span.extensions().get::<Recorded>().map(|recorded| recorded.context)
}

/// Returns the header of the span that the caller is in.
fn traceparent() -> Option<String> {
    let current = tracing::Span::current();
    let context = current.with_subscriber(|(id, dispatch)| {
        let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
        span.scope().find_map(|span| context_of(&span))
    });
    context.flatten().map(|context| context.header())
}
