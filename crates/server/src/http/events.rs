//! The event log, by pages and as a stream.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{
        Sse,
        sse::{Event as Frame, KeepAlive},
    },
};
use futures_util::{Stream, stream};
use serde::Deserialize;
use tokio::sync::watch;
use vmpool::{
    manager::ManagerHandle,
    store::{Cursor, StoredEvent},
};
use vmpool_api::{Event, EventPage, Problem, code, routes};

use super::{Api, convert, read::Filter, refuse::Refused};

/// How often a silent stream says that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How many events a stream reads at once.
const BATCH: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    after: Option<u64>,
    limit: Option<usize>,
    vm: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct From {
    after: Option<u64>,
}

pub(super) async fn page(
    State(api): State<Api>,
    Filter(part): Filter<Part>,
) -> Result<Json<EventPage>, Refused> {
    let after = part.after.unwrap_or(0);
    check(&api, after)?;
    if part.limit == Some(0) {
        let detail = format!(
            "the query does not fit at `limit`: 1 or more is expected; a page has {} events at most",
            routes::MAX_EVENTS
        );
        return Err(Problem::new(code::INVALID_REQUEST, detail).into());
    }
    let limit = part.limit.unwrap_or(BATCH).min(routes::MAX_EVENTS);
    // What is looked for in the whole log is looked for in large steps.
    let step = if part.vm.is_some() { routes::MAX_EVENTS } else { limit };
    let page = api.manager.events(Cursor(after), step).await?;
    let is_of = |event: &&StoredEvent| {
        let vm = event.event.vm.as_ref();
        part.vm.as_ref().is_none_or(|wanted| vm.is_some_and(|vm| vm.as_str() == wanted))
    };
    let events: Vec<Event> = page.events.iter().filter(is_of).take(limit).map(convert::event).collect();
    let looked_at = match events.len() == limit {
        true => events.last().map(|event| event.cursor),
        false => page.events.last().map(|event| event.cursor.0),
    };
    Ok(Json(EventPage { events, next: looked_at.unwrap_or(after), oldest: page.oldest.0 }))
}

pub(super) async fn stream(
    State(api): State<Api>,
    Filter(from): Filter<From>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Frame, Infallible>>>, Refused> {
    // A browser that connects again repeats the query of its first connection and adds the header.
    let after = match headers.get("last-event-id") {
        Some(value) => Some(value.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
            Problem::new(code::INVALID_REQUEST, "the header `last-event-id` is not a cursor")
        })?),
        None => from.after,
    };
    let newest = api.manager.watch_events();
    let after = after.unwrap_or_else(|| newest.borrow().0);
    check(&api, after)?;
    let tail = Tail {
        manager: api.manager,
        after: Cursor(after),
        newest,
        stopping: api.stopping,
        read: VecDeque::new(),
    };
    let frames = stream::unfold(tail, |mut tail| async {
        let event = tail.next().await?;
        Some((Ok(frame(&event)), tail))
    });
    Ok(Sse::new(frames).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// Refuses a cursor that no event has had yet: it is of another log, whose records are gone.
fn check(api: &Api, after: u64) -> Result<(), Refused> {
    let newest = api.manager.watch_events().borrow().0;
    match after <= newest {
        true => Ok(()),
        false => {
            let detail = format!("cursor {after} is beyond the newest event, which is {newest}");
            let hint = "the daemon's records are not those that the cursor came from: read from 0";
            Err(Problem::new(code::INVALID_REQUEST, detail).with_hint(hint).into())
        }
    }
}

fn frame(event: &Event) -> Frame {
    let frame = Frame::default().id(event.cursor.to_string());
    // An event is plain data, which always becomes JSON.
    frame.json_data(event).unwrap_or_default()
}

/// The events after a cursor, as they become durable.
#[derive(Debug)]
struct Tail {
    manager: ManagerHandle,
    after: Cursor,
    newest: watch::Receiver<Cursor>,
    stopping: watch::Receiver<bool>,
    read: VecDeque<Event>,
}

impl Tail {
    /// Returns the next event, or `None` when the daemon stops or cannot read its log; the client connects again.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.read.pop_front() {
                return Some(event);
            }
            // What is told while the log is read below counts as a change.
            self.newest.borrow_and_update();
            let page = match self.manager.events(self.after, BATCH).await {
                Ok(page) => page,
                Err(err) => {
                    tracing::error!(error = %err, "an event stream ends because the log cannot be read");
                    return None;
                }
            };
            if let Some(last) = page.events.last() {
                self.after = last.cursor;
                self.read = page.events.iter().map(convert::event).collect();
                continue;
            }
            tokio::select! {
                changed = self.newest.changed() => changed.ok()?,
                _ = self.stopping.wait_for(|stopping| *stopping) => return None,
            }
        }
    }
}
