//! The effects under way: bounded per provider and pool, one at a time per VM, one listing at a time per provider.

mod job;
mod lane;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque, hash_map},
    future::Future,
    sync::Arc,
    time::Duration,
};

use tokio::{
    task::{AbortHandle, Id, JoinError, JoinSet},
    time::timeout,
};
use tracing::{Instrument as _, Span};
use vmpool_driver::Driver;
use vmpool_engine::{Effect, EffectId, Outcome};
use vmpool_model::{Failure, FailureKind, ProviderName, VmName, config::ProviderConfig};

pub(crate) use self::job::is_write;
use self::{
    job::{Job, LaneKey, Place},
    lane::Lane,
};
use crate::{
    CheckTarget, carry_out,
    setup::{Drivers, Tools},
    wake::Wake,
};

/// How long tasks that are ended get for it.
const ABANDON: Duration = Duration::from_secs(1);

/// Carries effects out as tasks.
///
/// A new engine asks again for what the old one had under way, and knows the outcomes of the old one's effects by
/// their ids. What it asks for a VM waits until the old effect on that VM has ended: a look-up never overtakes the
/// create that it looks for.
#[derive(Debug)]
pub(crate) struct Effects {
    providers: BTreeMap<ProviderName, Provider>,
    tools: Tools,
    asks: BTreeMap<ProviderName, Asks>,
    /// Each task answers its jobs in order.
    tasks: JoinSet<Vec<Outcome>>,
    jobs: HashMap<Id, (AbortHandle, Vec<Job>)>,
    /// What waits for the effect under way at the same place.
    busy: HashMap<Place, VecDeque<Job>>,
    lanes: HashMap<LaneKey, Lane>,
    /// The lanes in which something may begin.
    stirred: BTreeSet<LaneKey>,
    stopping: bool,
}

#[derive(Debug, Clone)]
struct Provider {
    driver: Arc<dyn Driver>,
    limit: Duration,
    max_concurrent: usize,
}

/// Who wants a listing of one provider.
#[derive(Debug, Default)]
struct Asks {
    under_way: bool,
    /// What the next listing is for; it begins when the one under way has ended.
    waiting: Vec<Job>,
}

impl Effects {
    /// Knows the providers, and has nothing under way.
    pub(crate) fn new(drivers: &Drivers, tools: Tools) -> Self {
        Self {
            providers: providers(drivers),
            tools,
            asks: BTreeMap::new(),
            tasks: JoinSet::new(),
            jobs: HashMap::new(),
            busy: HashMap::new(),
            lanes: HashMap::new(),
            stirred: BTreeSet::new(),
            stopping: false,
        }
    }

    /// Knows other providers from now on; calls that are under way end with the driver that they began with.
    pub(crate) fn reconfigure(&mut self, drivers: &Drivers) {
        self.providers = providers(drivers);
        // More may be under way at once now, and what is for a provider that is gone fails.
        self.stirred.extend(self.lanes.keys().cloned());
    }

    /// Takes an effect over; [`begin`](Self::begin) begins it once it is its turn.
    pub(crate) fn start(&mut self, id: EffectId, effect: Effect, span: Span) {
        if let Effect::Destroy { vm: Some(vm), .. } = &effect {
            self.end_hook(vm);
        }
        let job = Job { id, effect, span };
        if let Some(place) = job.place() {
            match self.busy.entry(place) {
                hash_map::Entry::Occupied(mut queue) => return queue.get_mut().push_back(job),
                hash_map::Entry::Vacant(place) => drop(place.insert(VecDeque::new())),
            }
        }
        self.queue(job);
    }

    /// Drops the create of a VM that waits for its turn, if there is one: it was never sent, and is answered so.
    ///
    /// One that is under way may have happened; and so may one that waits in the driver for the rate of its account.
    pub(crate) fn withdraw(&mut self, vm: &VmName) {
        if !self.busy.contains_key(&Place::Vm(vm.clone())) {
            return;
        }
        let of_provider = |(key, _): &(&LaneKey, &mut Lane)| matches!(key, LaneKey::Provider(_));
        let job = self.lanes.iter_mut().filter(of_provider).find_map(|(_, lane)| lane.withdraw(vm));
        if let Some(job) = job {
            self.spawn(vec![job], async { vec![Outcome::NotSent] });
        }
    }

    /// Ends the hook that works on a VM, which is about to be destroyed: its address may soon be another VM's.
    fn end_hook(&mut self, vm: &VmName) {
        if !self.busy.contains_key(&Place::Hooks(vm.clone())) {
            return;
        }
        let works_on_it = |job: &Job| job.worked_on() == Some(vm);
        for (task, jobs) in self.jobs.values() {
            if jobs.iter().any(works_on_it) {
                task.abort();
            }
        }
        let of_hooks = |(key, _): &(&LaneKey, &mut Lane)| matches!(key, LaneKey::Hooks(_));
        let job = self.lanes.iter_mut().filter(of_hooks).find_map(|(_, lane)| lane.withdraw_hook(vm));
        if let Some(job) = job {
            let outcome = carry_out::failed(&job.effect, in_vain());
            self.spawn(vec![job], async move { outcome.into_iter().collect() });
        }
    }

    /// Returns whether [`begin`](Self::begin) may begin something that waited until now and changes something.
    pub(crate) fn may_begin_writes(&self) -> bool {
        // Several may begin at once, so a look that comes first says nothing of those behind it.
        let lanes = self.stirred.iter().filter(|key| !matches!(key, LaneKey::Checks(_)));
        let mut waiting = lanes.filter_map(|key| self.lanes.get(key)).flat_map(Lane::waiting);
        waiting.any(|job| is_write(&job.effect))
    }

    /// Begins what can begin now.
    pub(crate) fn begin(&mut self) {
        while let Some(key) = self.stirred.pop_first() {
            while let Some(job) = self.next_in(&key) {
                self.carry_out(job);
            }
        }
    }

    /// Waits until an effect has ended; waits for ever if none is under way.
    ///
    /// Dropping the future loses nothing. The result may be empty.
    pub(crate) async fn next(&mut self) -> Vec<Wake> {
        match self.tasks.join_next_with_id().await {
            Some(ended) => self.ended(ended),
            None => std::future::pending().await,
        }
    }

    /// Returns what has ended already; stops asking once it is `limit` or more.
    pub(crate) fn take_ended(&mut self, limit: usize) -> Vec<Wake> {
        let mut wakes = Vec::new();
        while wakes.len() < limit
            && let Some(ended) = self.tasks.try_join_next_with_id()
        {
            wakes.extend(self.ended(ended));
        }
        wakes
    }

    /// Begins nothing any more, and forgets what waits; checks under way are ended, and all else goes on.
    pub(crate) fn stop(&mut self) {
        self.stopping = true;
        for (task, jobs) in self.jobs.values() {
            // They are made again after the next start, and changed nothing.
            if jobs.iter().any(|job| job.checked().is_some()) {
                task.abort();
            }
        }
        self.busy.values_mut().for_each(VecDeque::clear);
        self.lanes.values_mut().for_each(Lane::clear);
        self.asks.values_mut().for_each(|asks| asks.waiting.clear());
    }

    /// Ends everything that is under way, and waits until its processes are killed.
    pub(crate) async fn abandon(&mut self) {
        self.tasks.abort_all();
        // Whoever blocks its thread cannot be ended, and is not waited for.
        let _ = timeout(ABANDON, async { while self.tasks.join_next().await.is_some() {} }).await;
    }

    /// Returns whether nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Lets a job whose place is free wait for its turn.
    fn queue(&mut self, job: Job) {
        if self.stopping {
            return;
        }
        if let Some(provider) = job.listed().cloned() {
            if self.provider(&provider, &job).is_some() {
                self.asks.entry(provider.clone()).or_default().waiting.push(job);
                self.list(&provider);
            }
            return;
        }
        match job.lane() {
            Some(key) => {
                self.lanes.entry(key.clone()).or_default().push(job);
                self.stirred.insert(key);
            }
            // It cannot be carried out, and is answered so.
            None => self.carry_out(job),
        }
    }

    fn next_in(&mut self, key: &LaneKey) -> Option<Job> {
        let lane = self.lanes.get_mut(key)?;
        let of_provider = match key {
            LaneKey::Provider(name) => self.providers.get(name).map(|provider| provider.max_concurrent),
            LaneKey::Checks(_) | LaneKey::Hooks(_) => None,
        };
        // Calls to a provider that is gone fail at once, all of them.
        lane.pop(|job| job.cap().or(of_provider).unwrap_or(usize::MAX))
    }

    fn carry_out(&mut self, job: Job) {
        let effect = job.effect.clone();
        match effect {
            Effect::Check { vm, pool, node, check, host_key, timeout, .. } => {
                let target = CheckTarget { vm, pool, node, check, host_key, timeout };
                let checker = Arc::clone(&self.tools.checker);
                self.spawn(vec![job], async move { vec![carry_out::check(&*checker, &target).await] });
            }
            Effect::Hook(run) => {
                let hooks = Arc::clone(&self.tools.hooks);
                self.spawn(vec![job], async move { vec![carry_out::hook(&*hooks, &run).await] });
            }
            effect => match job.lane() {
                Some(LaneKey::Provider(name)) => {
                    let Some(Provider { driver, limit, .. }) = self.provider(&name, &job) else { return };
                    self.spawn(vec![job], async move {
                        carry_out::call(&*driver, limit, effect).await.into_iter().collect()
                    });
                }
                _ => tracing::error!("this version cannot carry out {effect:?}"),
            },
        }
    }

    /// Lists a provider for all that wait for a listing, unless a listing is under way: it began too early for them.
    fn list(&mut self, name: &ProviderName) {
        let Some(asks) = self.asks.get_mut(name) else { return };
        let Some(Provider { driver, limit, .. }) = self.providers.get(name).cloned() else { return };
        if asks.under_way || asks.waiting.is_empty() || self.stopping {
            return;
        }
        asks.under_way = true;
        let jobs = std::mem::take(&mut asks.waiting);
        let effects: Vec<_> = jobs.iter().map(|job| job.effect.clone()).collect();
        self.spawn(jobs, async move {
            let listing = carry_out::list(&*driver, limit).await;
            carry_out::listed(&effects, listing)
        });
    }

    /// Finds a provider; a job for an unknown one fails at once.
    fn provider(&mut self, name: &ProviderName, job: &Job) -> Option<Provider> {
        if let Some(provider) = self.providers.get(name) {
            return Some(provider.clone());
        }
        let why = format!("provider {name} is not configured any more");
        let outcome = carry_out::failed(&job.effect, Failure::not_applied(FailureKind::InvalidRequest, why));
        self.spawn(vec![job.clone()], async move { outcome.into_iter().collect() });
        None
    }

    fn spawn(&mut self, jobs: Vec<Job>, task: impl Future<Output = Vec<Outcome>> + Send + 'static) {
        // A listing that several asked for is part of nothing.
        let span = match jobs.as_slice() {
            [job] => job.span.clone(),
            _ => Span::none(),
        };
        let task = self.tasks.spawn(task.instrument(span));
        self.jobs.insert(task.id(), (task, jobs));
    }

    fn ended(&mut self, ended: Result<(Id, Vec<Outcome>), JoinError>) -> Vec<Wake> {
        let (id, outcomes) = match ended {
            Ok((id, outcomes)) => (id, outcomes),
            Err(err) if err.is_cancelled() => (err.id(), self.cut_off(&err)),
            Err(err) => (err.id(), self.broken(&err)),
        };
        let jobs = self.jobs.remove(&id).map(|(_, jobs)| jobs).unwrap_or_default();
        for job in &jobs {
            self.leave(job);
        }
        // Once for all that shared the listing: the next may have begun before the second of them is looked at.
        if let Some(provider) = jobs.iter().find_map(Job::listed) {
            if let Some(asks) = self.asks.get_mut(provider) {
                asks.under_way = false;
            }
            self.list(provider);
        }
        let outcomes = jobs.into_iter().zip(outcomes);
        outcomes.map(|(job, outcome)| Wake::Done(job.id, outcome)).collect()
    }

    /// Says what became of the jobs of a task that was ended on purpose: only of a hook that tells anybody anything.
    fn cut_off(&self, err: &JoinError) -> Vec<Outcome> {
        let jobs = self.jobs.get(&err.id()).map(|(_, jobs)| jobs.as_slice()).unwrap_or_default();
        let hooks = jobs.iter().filter(|job| job.worked_on().is_some());
        hooks.filter_map(|job| carry_out::failed(&job.effect, in_vain())).collect()
    }

    /// Says what became of the jobs of a task that panicked.
    fn broken(&self, err: &JoinError) -> Vec<Outcome> {
        let jobs = self.jobs.get(&err.id()).map(|(_, jobs)| jobs.as_slice()).unwrap_or_default();
        let failure =
            Failure::unknown(FailureKind::Other, format!("the driver, checker or hook broke off: {err}"));
        tracing::error!("{failure}");
        jobs.iter().filter_map(|job| carry_out::failed(&job.effect, failure.clone())).collect()
    }

    /// Makes room for what waited for a job to end.
    fn leave(&mut self, job: &Job) {
        if let Some(key) = job.lane() {
            if let hash_map::Entry::Occupied(mut lane) = self.lanes.entry(key.clone()) {
                lane.get_mut().leave();
                if lane.get().is_idle() {
                    lane.remove();
                }
            }
            self.stirred.insert(key);
        }
        let Some(place) = job.place() else { return };
        match self.busy.get_mut(&place).and_then(VecDeque::pop_front) {
            Some(next) => self.queue(next),
            None => drop(self.busy.remove(&place)),
        }
    }
}

fn in_vain() -> Failure {
    Failure::unknown(FailureKind::Other, "it was ended, because its VM is destroyed".to_owned())
}

fn providers(drivers: &Drivers) -> BTreeMap<ProviderName, Provider> {
    let provider = |(config, driver): &(ProviderConfig, Arc<dyn Driver>)| Provider {
        driver: Arc::clone(driver),
        limit: config.request_timeout,
        max_concurrent: config.max_concurrent.max(1),
    };
    drivers.iter().map(|(name, known)| (name.clone(), provider(known))).collect()
}
