//! Why nobody can be served, in words.

use vmpool_model::{RecordState, RequestRecord};

use crate::{Engine, Limit, Obstacle, pool::Pool, words::list};

impl Engine {
    /// Says in words what is in the way of a request that waits; this looks at nobody else who does. The demand of the
    /// pools counts `own` VMs for the request itself.
    pub(crate) fn why(&self, request: &RequestRecord, own: u32) -> String {
        let obstacles = self.obstacles(request, own);
        let known = obstacles.iter().filter_map(|obstacle| Some((obstacle, self.pools.get(&obstacle.pool)?)));
        let whys: Vec<_> =
            known.map(|(obstacle, pool)| (&obstacle.pool, pool.why_empty(obstacle, request))).collect();
        match whys.as_slice() {
            [(_, why)] => why.clone(),
            whys => whys.iter().map(|(name, why)| format!("{name}: {why}")).collect::<Vec<_>>().join("; "),
        }
    }
}

impl Pool {
    fn why_empty(&self, obstacle: &Obstacle, request: &RequestRecord) -> String {
        let counts = RecordState::ALL.into_iter().filter(|state| self.count(*state) != 0);
        let mut why: Vec<_> = counts.map(|state| format!("{} {state}", self.count(state))).collect();
        if self.stranded() != 0 {
            why.push(format!(
                "{} at a provider that is not configured ({})",
                self.stranded(),
                self.missing_providers()
            ));
        }
        if self.unreadable != 0 {
            why.push(format!("{} with a record that cannot be read", self.unreadable));
        }
        if why.is_empty() {
            why.push("the pool has no VM yet".to_owned());
        }
        // How many VMs are on their way is told already.
        if !matches!(obstacle.limit, Limit::Starting { .. }) {
            why.push(obstacle.limit.to_string());
        }
        let is_first = request.pools.first().is_none_or(|first| *first == obstacle.pool);
        let others = self.queue.preferring().saturating_sub(usize::from(is_first));
        if others != 0 {
            why.push(format!("requests waiting: {others}"));
        }
        // What the limit tells is not told twice.
        if let Some(problem) =
            self.problem.as_ref().filter(|problem| !why.iter().any(|why| why.contains(*problem)))
        {
            why.push(format!("last problem: {problem}"));
        }
        list(why)
    }
}
