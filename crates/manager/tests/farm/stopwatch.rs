//! Where the time of the processor goes: the spans of the manager's loop, and what the farm itself spends.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

use crate::wall;

/// Measures work by name; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stopwatch(Arc<Mutex<Times>>);

#[derive(Debug, Default)]
struct Times {
    begun: Option<Duration>,
    /// How long the turn takes so far.
    turn: Duration,
    /// How long each turn took, in microseconds.
    turns: Vec<u32>,
    steps: u64,
    spent: BTreeMap<&'static str, Duration>,
}

/// The span in which a turn steps the engine, the one in which it answers and begins effects, and the one in which the engine checks
/// its invariants, which is no part of a turn in production.
const SPANS: [&str; 3] = ["decide", "answer", "check"];

impl Stopwatch {
    /// Measures what something takes.
    pub(crate) fn measure<T>(&self, what: &'static str, act: impl FnOnce() -> T) -> T {
        let begun = wall::worked();
        let result = act();
        self.add(what, begun);
        result
    }

    /// Adds what was spent on something that began when the thread had worked so long, and has ended now.
    pub(crate) fn add(&self, what: &'static str, begun: Duration) {
        *self.0.lock().unwrap().spent.entry(what).or_default() += wall::worked() - begun;
    }

    /// Returns what was spent on what.
    pub(crate) fn spent(&self) -> BTreeMap<&'static str, Duration> {
        self.0.lock().unwrap().spent.clone()
    }

    /// Returns how often the engine was stepped, and how long each turn of the loop took, in microseconds and in order of length.
    pub(crate) fn turns(&self) -> (u64, Vec<u32>) {
        let times = self.0.lock().unwrap();
        let mut turns = times.turns.clone();
        turns.sort_unstable();
        (times.steps, turns)
    }
}

/// The spans are the manager's, and there is one thread: no two are open at once.
impl Subscriber for Stopwatch {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && SPANS.contains(&metadata.name())
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let name = span.metadata().name();
        Id::from_u64(SPANS.iter().position(|known| *known == name).unwrap_or(0) as u64 + 1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Steps(&mut self.0.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {
        self.0.lock().unwrap().begun = Some(wall::worked());
    }

    fn exit(&self, id: &Id) {
        let mut times = self.0.lock().unwrap();
        let Some(took) = times.begun.take().map(|begun| wall::worked() - begun) else { return };
        let name = SPANS[usize::try_from(id.into_u64()).unwrap() - 1];
        *times.spent.entry(name).or_default() += took;
        match name {
            "decide" => times.turn = took,
            "answer" => {
                let turn = (times.turn + took).as_micros();
                times.turns.push(u32::try_from(turn).unwrap_or(u32::MAX));
            }
            _ => {}
        }
    }
}

/// Reads how often the engine was stepped in a turn.
struct Steps<'a>(&'a mut Times);

impl Visit for Steps<'_> {
    fn record_u64(&mut self, _: &Field, steps: u64) {
        self.0.steps += steps;
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
