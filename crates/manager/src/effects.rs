//! The effects under way: bounded per provider, one at a time per VM, one listing at a time per provider.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    future::Future,
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::Semaphore,
    task::{Id, JoinError, JoinSet},
};
use vmpool_driver::Driver;
use vmpool_engine::{Effect, EffectId, Outcome};
use vmpool_model::{Failure, FailureKind, NodeId, ProviderName, VmName, config::ProviderConfig};

use crate::{CheckTarget, Checker, carry_out, wake::Wake};

/// How many checks may be under way at once; they cost a socket each.
const MAX_CHECKS: usize = 256;

/// Carries effects out as tasks.
///
/// A new engine asks again for what the old one had under way, and knows the outcomes of the old one's effects by
/// their ids. What it asks for a VM waits until the old effect on that VM has ended: a look-up never overtakes the
/// create that it looks for.
#[derive(Debug)]
pub(crate) struct Effects {
    providers: BTreeMap<ProviderName, Provider>,
    checker: Arc<dyn Checker>,
    checks: Arc<Semaphore>,
    asks: BTreeMap<ProviderName, Asks>,
    /// Each task answers its jobs in order, or not at all if it was not to begin any more.
    tasks: JoinSet<Option<Vec<Outcome>>>,
    jobs: HashMap<Id, Vec<Job>>,
    /// What waits for the effect under way at the same place.
    busy: HashMap<Place, VecDeque<Job>>,
    stopping: bool,
}

#[derive(Debug, Clone)]
struct Provider {
    driver: Arc<dyn Driver>,
    limit: Duration,
    permits: Arc<Semaphore>,
}

/// Who wants a listing of one provider.
#[derive(Debug, Default)]
struct Asks {
    under_way: bool,
    /// What the next listing is for; it begins when the one under way has ended.
    waiting: Vec<Job>,
}

#[derive(Debug, Clone)]
struct Job {
    id: EffectId,
    effect: Effect,
}

/// What only one effect at a time may work on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Place {
    Vm(VmName),
    Node(ProviderName, NodeId),
}

impl Effects {
    /// Knows the providers, and has nothing under way.
    pub(crate) fn new(
        providers: &BTreeMap<ProviderName, (ProviderConfig, Arc<dyn Driver>)>,
        checker: Arc<dyn Checker>,
    ) -> Self {
        let provider = |(config, driver): &(ProviderConfig, Arc<dyn Driver>)| Provider {
            driver: Arc::clone(driver),
            limit: config.request_timeout,
            permits: Arc::new(Semaphore::new(config.max_concurrent.max(1))),
        };
        Self {
            providers: providers.iter().map(|(name, known)| (name.clone(), provider(known))).collect(),
            checker,
            checks: Arc::new(Semaphore::new(MAX_CHECKS)),
            asks: BTreeMap::new(),
            tasks: JoinSet::new(),
            jobs: HashMap::new(),
            busy: HashMap::new(),
            stopping: false,
        }
    }

    /// Begins an effect, or queues it behind the one at the same place.
    pub(crate) fn start(&mut self, id: EffectId, effect: Effect) {
        let job = Job { id, effect };
        if let Some(place) = job.place() {
            if let Some(queue) = self.busy.get_mut(&place) {
                queue.push_back(job);
                return;
            }
            self.busy.insert(place, VecDeque::new());
        }
        self.begin(job);
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

    /// Begins nothing any more, and lets nothing in a queue begin; what is under way goes on.
    pub(crate) fn stop(&mut self) {
        self.stopping = true;
        self.checks.close();
        for provider in self.providers.values() {
            provider.permits.close();
        }
    }

    /// Returns whether nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.tasks.is_empty()
    }

    fn begin(&mut self, job: Job) {
        let effect = job.effect.clone();
        match effect {
            Effect::Create { provider, token, template, .. } => {
                let Some(Provider { driver, limit, permits, .. }) = self.provider(&provider, &job) else {
                    return;
                };
                self.spawn(vec![job], async move {
                    let _permit = permits.acquire().await.ok()?;
                    Some(vec![carry_out::create(&*driver, limit, token, &template).await])
                });
            }
            Effect::Destroy { provider, node, .. } => {
                let Some(Provider { driver, limit, permits, .. }) = self.provider(&provider, &job) else {
                    return;
                };
                self.spawn(vec![job], async move {
                    let _permit = permits.acquire().await.ok()?;
                    Some(vec![carry_out::destroy(&*driver, limit, &node).await])
                });
            }
            Effect::Find { provider, .. } | Effect::List { provider } => {
                if self.provider(&provider, &job).is_some() {
                    self.asks.entry(provider.clone()).or_default().waiting.push(job);
                    self.list(&provider);
                }
            }
            Effect::Check { vm, pool, node, check, timeout, .. } => {
                let target = CheckTarget::new(vm, pool, node, check, timeout);
                let (checker, checks) = (Arc::clone(&self.checker), Arc::clone(&self.checks));
                self.spawn(vec![job], async move {
                    let _permit = checks.acquire().await.ok()?;
                    Some(vec![carry_out::check(checker, target).await])
                });
            }
            other => tracing::error!("this version cannot carry out {other:?}"),
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
            Some(effects.iter().filter_map(|effect| carry_out::listed(effect, &listing)).collect())
        });
    }

    /// Finds a provider; a job for an unknown one fails at once.
    fn provider(&mut self, name: &ProviderName, job: &Job) -> Option<Provider> {
        if let Some(provider) = self.providers.get(name) {
            return Some(provider.clone());
        }
        let why = format!("provider {name} is not configured any more");
        let outcome = carry_out::failed(&job.effect, Failure::not_applied(FailureKind::InvalidRequest, why));
        self.spawn(vec![job.clone()], async move { outcome.map(|outcome| vec![outcome]) });
        None
    }

    fn spawn(&mut self, jobs: Vec<Job>, task: impl Future<Output = Option<Vec<Outcome>>> + Send + 'static) {
        let id = self.tasks.spawn(task).id();
        self.jobs.insert(id, jobs);
    }

    fn ended(&mut self, ended: Result<(Id, Option<Vec<Outcome>>), JoinError>) -> Vec<Wake> {
        let (id, outcomes) = match ended {
            Ok((id, outcomes)) => (id, outcomes),
            Err(err) => (err.id(), Some(self.broken(&err))),
        };
        let jobs = self.jobs.remove(&id).unwrap_or_default();
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
        let outcomes = jobs.into_iter().zip(outcomes.into_iter().flatten());
        outcomes.map(|(job, outcome)| Wake::Done(job.id, outcome)).collect()
    }

    /// Says what became of the jobs of a task that panicked.
    fn broken(&self, err: &JoinError) -> Vec<Outcome> {
        let jobs = self.jobs.get(&err.id()).map(Vec::as_slice).unwrap_or_default();
        let failure = Failure::unknown(FailureKind::Other, format!("the driver or checker broke off: {err}"));
        tracing::error!("{failure}");
        jobs.iter().filter_map(|job| carry_out::failed(&job.effect, failure.clone())).collect()
    }

    /// Begins what waited for a job to end.
    fn leave(&mut self, job: &Job) {
        let Some(place) = job.place() else { return };
        match self.busy.get_mut(&place).and_then(VecDeque::pop_front) {
            Some(next) if !self.stopping => self.begin(next),
            _ => drop(self.busy.remove(&place)),
        }
    }
}

impl Job {
    /// Returns the provider that the job waits for a listing of.
    fn listed(&self) -> Option<&ProviderName> {
        match &self.effect {
            Effect::Find { provider, .. } | Effect::List { provider } => Some(provider),
            _ => None,
        }
    }

    fn place(&self) -> Option<Place> {
        match &self.effect {
            Effect::Create { vm, .. } | Effect::Find { vm, .. } | Effect::Destroy { vm: Some(vm), .. } => {
                Some(Place::Vm(vm.clone()))
            }
            Effect::Destroy { provider, vm: None, node } => Some(Place::Node(provider.clone(), node.clone())),
            _ => None,
        }
    }
}
