//! The layers that count the calls to providers.

use std::collections::BTreeMap;

use serde::Serialize;
use vmpool::{
    layers::{CallMetrics, MetricsLayer},
    model::ProviderName,
};

use super::{
    catalog::{PROVIDER_CALL_TIME, PROVIDER_CALLS, PROVIDER_CALLS_NOW},
    histogram::Histogram,
    text::Text,
};

/// The bounds of the layer, in seconds.
const BOUNDS: &[f64] = &[0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0, 60.0];

/// The layers of all providers that there are, or were since the start.
#[derive(Debug, Default)]
pub(super) struct Layers(BTreeMap<ProviderName, MetricsLayer>);

impl Layers {
    /// Returns the layer of a provider: a driver that is opened anew goes on with its numbers.
    pub(super) fn of(&mut self, provider: &ProviderName) -> MetricsLayer {
        self.0.entry(provider.clone()).or_default().clone()
    }

    /// Returns how many calls there were to a provider.
    pub(super) fn calls(&self, provider: &ProviderName) -> Calls {
        let Some(layer) = self.0.get(provider) else { return Calls::default() };
        let mut all = Calls { under_way: layer.under_way(), ..Calls::default() };
        for CallMetrics { outcome, calls, .. } in layer.snapshot() {
            all.calls += calls;
            all.failed += if outcome == "ok" { 0 } else { calls };
        }
        all
    }

    pub(super) fn render(&self, text: &mut Text) {
        let all: Vec<_> = self.0.iter().map(|(name, layer)| (name.as_str(), layer.snapshot())).collect();
        let mut samples = text.family(&PROVIDER_CALLS);
        for (provider, calls) in &all {
            for CallMetrics { operation, outcome, calls, .. } in calls {
                samples.total(&[provider, operation, outcome], *calls);
            }
        }
        let mut samples = text.family(&PROVIDER_CALL_TIME);
        for (provider, calls) in &all {
            for (operation, times) in times(calls) {
                samples.histogram(&[provider, operation], &times);
            }
        }
        let mut samples = text.family(&PROVIDER_CALLS_NOW);
        for (name, layer) in &self.0 {
            samples.count(&[name.as_str()], layer.under_way());
        }
    }
}

/// The calls to one provider, those that ended and those under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Calls {
    pub(crate) calls: u64,
    pub(crate) failed: u64,
    pub(crate) under_way: usize,
}

/// Adds up how long the calls of each operation took, whatever their outcome.
fn times(calls: &[CallMetrics]) -> BTreeMap<&'static str, Histogram> {
    let mut all = BTreeMap::new();
    for CallMetrics { operation, buckets, total, .. } in calls {
        let times = all.entry(*operation).or_insert_with(|| Histogram::new(BOUNDS));
        for (place, count) in buckets.iter().enumerate() {
            times.add(place, *count);
        }
        times.sum += total.as_secs_f64();
    }
    all
}

#[cfg(test)]
mod tests {
    use vmpool::layers::BUCKETS_MS;

    use super::*;

    #[test]
    fn the_bounds_are_those_of_the_layer() {
        let of_layer: Vec<String> =
            BUCKETS_MS.iter().map(|millis| format!("{}", *millis as f64 / 1e3)).collect();
        let ours: Vec<String> = BOUNDS.iter().map(ToString::to_string).collect();
        assert_eq!(ours, of_layer);
    }
}
