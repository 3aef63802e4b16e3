//! How the pools were: samples over time, so that charts are there at the first look.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{sync::watch, time};
use vmpool::{
    manager::{Clock as _, ManagerHandle, PoolStatus, SystemClock},
    model::{RecordState, Timestamp},
};

/// How often samples are taken.
const EVERY: Duration = Duration::from_secs(5);

/// How many samples of the last hour there are: one for each [`EVERY`].
const HOUR: usize = 720;

/// How many samples of the last day there are: one for every five minutes.
const DAY: usize = 288;

/// How many samples of the last hour come to one of the day.
const PER_DAY_SAMPLE: u64 = 60;

/// How many samples are told at most.
const TOLD: usize = 240;

/// How many pools are remembered; those of a reload that are gone stay until their samples are too old.
const POOLS: usize = 1_000;

/// The samples of all pools; clones are of the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct History(Arc<Mutex<Samples>>);

#[derive(Debug, Default)]
struct Samples {
    taken: u64,
    pools: BTreeMap<String, OfPool>,
}

#[derive(Debug, Default)]
struct OfPool {
    hour: VecDeque<Sample>,
    day: VecDeque<Sample>,
}

/// How one pool was at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sample {
    at: Timestamp,
    values: [u32; Series::NAMES.len()],
}

/// Which samples are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Range {
    /// The last hour.
    #[default]
    Hour,
    /// The last day.
    Day,
}

/// The samples of one pool, by what they say.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Series {
    /// When, in milliseconds since 1970.
    pub(crate) at: Vec<i64>,
    pub(crate) ready: Vec<u32>,
    pub(crate) busy: Vec<u32>,
    pub(crate) starting: Vec<u32>,
    pub(crate) other: Vec<u32>,
    pub(crate) target: Vec<u32>,
    pub(crate) waiting: Vec<u32>,
    pub(crate) max: Vec<u32>,
}

impl Series {
    const NAMES: [&str; 7] = ["ready", "busy", "starting", "other", "target", "waiting", "max"];

    fn push(&mut self, sample: Sample) {
        let [ready, busy, starting, other, target, waiting, max] = sample.values;
        self.at.push(sample.at.as_millis());
        self.ready.push(ready);
        self.busy.push(busy);
        self.starting.push(starting);
        self.other.push(other);
        self.target.push(target);
        self.waiting.push(waiting);
        self.max.push(max);
    }
}

impl Sample {
    fn of(status: &PoolStatus, at: Timestamp) -> Self {
        let [mut ready, mut busy, mut starting, mut other] = [0; 4];
        for (state, count) in RecordState::ALL.iter().zip(status.pool.counts) {
            match state {
                RecordState::Ready => ready += count,
                RecordState::InUse | RecordState::Releasing => busy += count,
                RecordState::Spawning | RecordState::GotIp | RecordState::CheckHealth => starting += count,
                RecordState::CheckHealthFailed | RecordState::Held | RecordState::Terminating => {
                    other += count
                }
            }
        }
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let max = status.config.as_ref().map_or(0, |config| config.max_total());
        let [ready, busy, starting, other] = [ready, busy, starting, other].map(number);
        let (target, waiting) = (number(status.pool.stock.target), number(status.pool.waiting));
        Self { at, values: [ready, busy, starting, other, target, waiting, max] }
    }
}

impl History {
    /// Remembers how the pools are.
    pub(crate) fn take(&self, pools: &[PoolStatus], at: Timestamp) {
        let mut samples = self.samples();
        let is_of_day = samples.taken.is_multiple_of(PER_DAY_SAMPLE);
        samples.taken += 1;
        for status in pools {
            let name = status.pool.name.as_str();
            if POOLS <= samples.pools.len() && !samples.pools.contains_key(name) {
                continue;
            }
            let of_pool = samples.pools.entry(name.to_owned()).or_default();
            let sample = Sample::of(status, at);
            push(&mut of_pool.hour, sample, HOUR);
            if is_of_day {
                push(&mut of_pool.day, sample, DAY);
            }
        }
        let oldest = at.as_millis() - 86_400_000;
        samples.pools.retain(|_, pool| pool.hour.back().is_some_and(|last| oldest < last.at.as_millis()));
    }

    /// Returns the samples of all pools, or of one.
    pub(crate) fn series(&self, range: Range, pool: Option<&str>) -> BTreeMap<String, Series> {
        let samples = self.samples();
        let pools = samples.pools.iter().filter(|(name, _)| pool.is_none_or(|pool| pool == name.as_str()));
        let series = |of_pool: &OfPool| match range {
            Range::Hour => thinned(&of_pool.hour, None),
            // The newest is not yet one of the day.
            Range::Day => thinned(&of_pool.day, of_pool.hour.back()),
        };
        pools.map(|(name, of_pool)| (name.clone(), series(of_pool))).collect()
    }

    fn samples(&self) -> MutexGuard<'_, Samples> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn push(samples: &mut VecDeque<Sample>, sample: Sample, most: usize) {
    if samples.len() == most {
        samples.pop_front();
    }
    samples.push_back(sample);
}

/// Tells every so many of the samples, and the last one always.
fn thinned(samples: &VecDeque<Sample>, last: Option<&Sample>) -> Series {
    let every = samples.len().div_ceil(TOLD).max(1);
    let skipped = samples.len().saturating_sub(1) % every;
    let mut series = Series::default();
    let told = samples.iter().skip(skipped).step_by(every);
    told.chain(last.filter(|last| samples.back() != Some(last))).for_each(|sample| series.push(*sample));
    series
}

/// Takes samples until the daemon stops.
#[derive(Debug)]
pub(crate) struct Sampler {
    pub(crate) manager: ManagerHandle,
    pub(crate) history: History,
    pub(crate) stopping: watch::Receiver<bool>,
}

impl Sampler {
    pub(crate) async fn run(mut self) {
        let clock = SystemClock::new();
        let mut ticks = time::interval(EVERY);
        ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = self.stopping.wait_for(|stopping| *stopping) => return,
            }
            match self.manager.pools().await {
                Ok(pools) => self.history.take(&pools, clock.now()),
                // While the records cannot be read there is a gap, which says so.
                Err(err) => tracing::debug!("no sample of the pools: {err}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(count: usize) -> VecDeque<Sample> {
        let sample = |place: usize| {
            let (at, value) = (i64::try_from(place).unwrap(), u32::try_from(place).unwrap());
            Sample { at: Timestamp::from_millis(at), values: [value; 7] }
        };
        (0..count).map(sample).collect()
    }

    #[test]
    fn the_newest_sample_is_always_told_and_no_more_than_fit_on_a_screen() {
        for count in [0, 1, 2, TOLD, TOLD + 1, 500, HOUR] {
            let series = thinned(&samples(count), None);
            assert!(series.at.len() <= TOLD, "{count}");
            assert_eq!(series.ready.last().copied(), count.checked_sub(1).map(|last| last as u32), "{count}");
            assert_eq!(series.at.len(), series.max.len(), "{count}");
        }
    }

    #[test]
    fn only_so_many_samples_are_kept() {
        let mut kept = VecDeque::new();
        for sample in samples(10) {
            push(&mut kept, sample, 3);
        }
        assert_eq!(kept.iter().map(|sample| sample.values[0]).collect::<Vec<_>>(), [7, 8, 9]);
    }
}
