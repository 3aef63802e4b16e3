//! The event log, by pages and as a stream.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

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
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::Instant,
};
use vmpool::{
    manager::{Clock as _, ManagerHandle},
    store::{Cursor, StoredEvent},
};
use vmpool_api::{Event, EventPage, Problem, code, routes};

use super::{Api, convert, read::Filter, refuse::Refused};
use crate::access::Caller;

/// How often a silent stream says that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How many streams may be open at once.
const MAX_STREAMS: usize = 512;

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
    caller: Caller,
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
    let is_search = part.vm.is_some() || caller.is_limited();
    let step = if is_search { routes::MAX_EVENTS } else { limit };
    let page = api.manager.events(Cursor(after), step).await?;
    let is_of = |event: &&StoredEvent| {
        let vm = event.event.vm.as_ref();
        part.vm.as_ref().is_none_or(|wanted| vm.is_some_and(|vm| vm.as_str() == wanted))
    };
    let seen = page.events.iter().filter(|event| sees(&caller, event));
    let events: Vec<Event> = seen.filter(is_of).take(limit).map(convert::event).collect();
    let looked_at = match events.len() == limit {
        true => events.last().map(|event| event.cursor),
        false => page.events.last().map(|event| event.cursor.0),
    };
    Ok(Json(EventPage { events, next: looked_at.unwrap_or(after), oldest: page.oldest.0 }))
}

pub(super) async fn stream(
    State(api): State<Api>,
    caller: Caller,
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
    let place = api.streams.begin()?;
    let until = caller.ends_after(api.watched.clock.now());
    let tail = Tail {
        _place: place,
        caller,
        until,
        manager: api.manager.clone(),
        after: Cursor(after),
        newest,
        stopping: api.stopping.clone(),
        read: VecDeque::new(),
    };
    let frames = stream::unfold(tail, |mut tail| async {
        let event = tail.next().await?;
        Some((Ok(frame(&event)), tail))
    });
    Ok(Sse::new(frames).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// Returns whether an event concerns who asks: who sees only what is its own is told of what names it as the owner.
fn sees(caller: &Caller, StoredEvent { event, .. }: &StoredEvent) -> bool {
    event.owner.as_ref().map_or(!caller.is_limited(), |owner| caller.sees(owner))
}

/// Waits until a moment, or for ever.
async fn at(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}

/// The streams that are open: so many at once, and no more.
#[derive(Debug, Clone)]
pub(super) struct Streams(Arc<Semaphore>);

impl Default for Streams {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_STREAMS)))
    }
}

impl Streams {
    fn begin(&self) -> Result<OwnedSemaphorePermit, Refused> {
        Arc::clone(&self.0).try_acquire_owned().map_err(|_| {
            let detail = format!("there are {MAX_STREAMS} event streams, and there may be no more");
            Problem::new(code::TOO_MANY, detail)
                .with_hint("read the events by pages, or try again later")
                .into()
        })
    }
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
    _place: OwnedSemaphorePermit,
    caller: Caller,
    /// When what the caller showed ends, if it does.
    until: Option<Instant>,
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
                let seen = page.events.iter().filter(|event| sees(&self.caller, event));
                self.read = seen.map(convert::event).collect();
                continue;
            }
            tokio::select! {
                changed = self.newest.changed() => changed.ok()?,
                _ = self.stopping.wait_for(|stopping| *stopping) => return None,
                () = at(self.until) => return None,
            }
        }
    }
}
