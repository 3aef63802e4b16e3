//! Why nobody can be served, in words.

use vmpool_model::{PoolName, RecordState, Timestamp};

use crate::{Engine, pool::Pool};

impl Engine {
    pub(crate) fn why(&self, pools: &[PoolName]) -> String {
        let known = pools.iter().filter_map(|name| Some((name, self.pools.get(name)?)));
        let whys: Vec<_> = known.map(|(name, pool)| (name, pool.why_empty(self.now))).collect();
        match whys.as_slice() {
            [(_, why)] => why.clone(),
            whys => whys.iter().map(|(name, why)| format!("{name}: {why}")).collect::<Vec<_>>().join("; "),
        }
    }
}

impl Pool {
    /// Says in words why nobody can be served now.
    pub(crate) fn why_empty(&self, now: Timestamp) -> String {
        let mut why = Vec::new();
        for state in RecordState::ALL {
            if self.count(state) != 0 {
                why.push(format!("{} {state}", self.count(state)));
            }
        }
        if why.is_empty() {
            why.push("the pool has no VM yet".to_owned());
        }
        if self.config.max_total() as usize <= self.total() {
            why.push(format!("max_total is {}", self.config.max_total()));
        }
        if self.queue.preferring() != 0 {
            why.push(format!("requests waiting: {}", self.queue.preferring()));
        }
        match (&self.problem, self.paused_until(now)) {
            (Some(problem), Some(until)) => {
                why.push(format!("spawning pauses until {until}: {problem}"));
            }
            (Some(problem), _) => why.push(format!("last problem: {problem}")),
            (None, _) => {}
        }
        why.join(", ")
    }
}
