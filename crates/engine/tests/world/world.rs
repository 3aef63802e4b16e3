//! The world: an engine, a store, clouds, clients, and what is under way between them.

use std::collections::{BTreeMap, BTreeSet};

use vmpool_engine::{Answer, Effect, EffectId, Engine, Input, Outcome, Records, Spec, Step};
use vmpool_model::{
    Acquire, InstallationId, LeaseId, PoolName, ProviderName, Timestamp, Token, VmName, VmRecord,
    config::PoolConfig, states::NodeState,
};

use crate::{
    act::{Act, CrashPoint, StrayKind},
    cloud::Cloud,
    execute::brief,
    ledger::{Ledger, Past},
    rules,
    setup::{Setup, pool_name, seconds},
    store::Store,
    wants::Wish,
};

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
    /// What the engine decided, committed or not.
    pub(crate) working: Store,
    committed: (Store, Past),
    /// How many steps may still join the next commit.
    group: u8,
    /// What is to be carried out after the next commit.
    waiting: Vec<(EffectId, Effect)>,
    pub(crate) flights: BTreeMap<EffectId, Flight>,
    pub(crate) clouds: BTreeMap<ProviderName, Cloud>,
    pub(crate) ledger: Ledger,
    pub(crate) wishes: Vec<Acquire>,
    pub(crate) leases: Vec<LeaseId>,
    armed: Option<(CrashPoint, Crash)>,
    /// All pools, those that left the configuration included.
    pub(crate) full: Spec,
    /// What was configured at the beginning.
    pub(crate) origin: Spec,
    /// The pools that an operator took out of the configuration.
    pub(crate) out: BTreeSet<PoolName>,
    /// The providers that an operator took out of the configuration.
    pub(crate) absent: BTreeSet<ProviderName>,
    /// The providers at which too many nodes are missing, before the present step.
    pub(crate) braked: BTreeSet<ProviderName>,
    /// How often the configuration was changed.
    pub(crate) edits: usize,
    /// Whether the engine was stepped since it was made: what it makes of the records comes with its first step.
    is_stepped: bool,
    /// Whether it was told since then that all is written.
    is_settled: bool,
    /// Told only for a history that is known to fail: it takes most of the time.
    story: Option<Vec<String>>,
}

/// How the engine is killed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Crash {
    /// Which of the effects under way the clouds carry out all the same, bit by bit.
    applied: u8,
    /// For how many seconds the engine is down.
    downtime: u8,
    /// Whether the last pool leaves the configuration.
    retire: bool,
}

/// An effect under way.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) effect: Effect,
    pub(crate) asked_at: Timestamp,
    /// Its answer, once it was carried out.
    pub(crate) answer: Option<Outcome>,
}

impl World {
    pub(crate) fn new(setup: &Setup, is_told: bool) -> Self {
        let spec = setup.spec();
        let now = Timestamp::from_millis(1_000_000_000);
        let clouds = spec
            .providers
            .iter()
            .map(|(name, config)| (name.clone(), Cloud::new(config.visibility_window, setup.lists_dead)));
        Self {
            clouds: clouds.collect(),
            engine: Engine::recover(spec.clone(), Records::default(), now),
            full: spec.clone(),
            origin: spec,
            out: BTreeSet::new(),
            absent: BTreeSet::new(),
            braked: BTreeSet::new(),
            edits: 0,
            is_stepped: false,
            is_settled: false,
            now,
            working: Store::default(),
            committed: (Store::default(), Past::default()),
            group: 0,
            waiting: Vec::new(),
            flights: BTreeMap::new(),
            ledger: Ledger::new(now),
            wishes: Vec::new(),
            leases: Vec::new(),
            armed: None,
            story: is_told.then(Vec::new),
        }
    }

    /// A pool's configuration; that of one that left it says only that nothing is wanted.
    pub(crate) fn pool(&self, vm: &VmRecord) -> PoolConfig {
        let config = self.spec().pools.get(&vm.pool).cloned();
        config.unwrap_or_else(|| PoolConfig::new(vm.provider.clone(), "", 0))
    }

    pub(crate) fn spec(&self) -> &Spec {
        self.engine.spec()
    }

    /// What happened, for people: how it began, and how it ended.
    pub(crate) fn story(&self) -> String {
        const ENDS: usize = 80;
        let story = self.story.as_deref().unwrap_or_default();
        match story.len() <= 2 * ENDS {
            true => story.join("\n"),
            false => [&story[..ENDS], &["…".to_owned()], &story[story.len() - ENDS..]].concat().join("\n"),
        }
    }

    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            let line: String = line().chars().take(300).collect();
            story.push(format!("{:>9} {line}", self.now.as_millis() - 1_000_000_000));
        }
    }

    pub(crate) fn act(&mut self, act: Act) -> Result<(), String> {
        match act {
            Act::Wake => self.wake(),
            Act::Pass { millis } => self.pass(self.now + std::time::Duration::from_millis(millis)),
            Act::Group { steps } => {
                self.group = steps;
                Ok(())
            }
            Act::Resolve { pick, how } => match self.pick_flight(pick, false) {
                Some(id) => {
                    self.execute(id, how);
                    self.answer(id)
                }
                None => Ok(()),
            },
            Act::Execute { pick, how } => {
                if let Some(id) = self.pick_flight(pick, false) {
                    self.execute(id, how);
                }
                Ok(())
            }
            Act::Answer { pick } => match self.pick_flight(pick, true) {
                Some(id) => self.answer(id),
                None => Ok(()),
            },
            Act::Node { pick, state } => {
                self.change_node(pick, state);
                Ok(())
            }
            Act::Hint { pick } => self.hint(pick),
            Act::Stray { kind, pick } => {
                self.stray(kind, pick);
                Ok(())
            }
            Act::Acquire(wish) => self.acquire(&wish),
            Act::Repeat { pick } => match pick_of(&self.wishes, pick) {
                Some(acquire) => self.step(Input::Acquire(Box::new(acquire))),
                None => Ok(()),
            },
            Act::Cancel { pick } => match pick_of(&self.wishes, pick) {
                Some(acquire) => self.step(Input::Cancel(acquire.request)),
                None => Ok(()),
            },
            Act::Renew { pick } => match pick_of(&self.leases, pick) {
                Some(lease) => self.step(Input::Renew { lease, fence: None, ttl: None }),
                None => Ok(()),
            },
            Act::Release { pick } => match pick_of(&self.leases, pick) {
                Some(lease) => self.step(Input::Release { lease, fence: None }),
                None => Ok(()),
            },
            Act::Verb { pick, verb } => {
                let names: Vec<_> = self.working.vms.keys().cloned().collect();
                let Some(vm) = pick_of(&names, pick) else { return Ok(()) };
                let input = verb.input(vm.clone());
                if matches!(input, Input::Forget { .. }) {
                    // Its node lives on until it is swept as an orphan.
                    self.ledger.duplicated.insert(vm);
                }
                self.step(input)
            }
            Act::Operate(deed) => self.operate(deed),
            Act::Crash { point, applied, downtime, retire } => {
                let crash = Crash { applied, downtime, retire };
                match point {
                    CrashPoint::WithEffects => {
                        self.commit();
                        self.crash(crash)
                    }
                    _ => {
                        self.armed = Some((point, crash));
                        Ok(())
                    }
                }
            }
        }
    }

    /// Lets time pass to when the engine wants to be woken, but not beyond a limit.
    pub(crate) fn wake(&mut self) -> Result<(), String> {
        match self.engine.wake_at() {
            Some(at) => self.pass(at.max(self.now)),
            None => self.pass(self.now),
        }
    }

    pub(crate) fn pass(&mut self, until: Timestamp) -> Result<(), String> {
        self.commit();
        self.now = until;
        self.clouds.values_mut().for_each(|cloud| cloud.pass(until));
        self.step(Input::Tick)
    }

    fn pick_flight(&self, pick: u8, answered: bool) -> Option<EffectId> {
        let flights = self.flights.iter().filter(|(_, flight)| flight.answer.is_some() == answered);
        let ids: Vec<_> = flights.map(|(id, _)| *id).collect();
        pick_of(&ids, pick)
    }

    fn acquire(&mut self, wish: &Wish) -> Result<(), String> {
        let acquire = wish.acquire(self.wishes.len(), &self.full);
        self.wishes.push(acquire.clone());
        self.step(Input::Acquire(Box::new(acquire)))
    }

    /// Takes one step, checks it, and commits it unless it shares a later commit, or the engine is killed.
    pub(crate) fn step(&mut self, input: Input) -> Result<(), String> {
        self.tell(|| match &input {
            Input::Done { id, outcome } => format!("{id:?} is answered: {}", brief(outcome)),
            input => format!("{input:?}"),
        });
        let before = self.working.clone();
        let braked = self.engine.providers().into_iter().filter(|view| view.mass_loss.is_some());
        self.braked = braked.map(|view| view.name).collect();
        let step: Step = self.engine.step(self.now, input.clone());
        for (id, effect) in &step.effects {
            self.tell(|| format!("    {id:?} {effect:?}"));
        }
        for event in &step.events {
            self.tell(|| format!("    {} {:?} {:?}: {}", event.kind, event.vm, event.lease, event.detail));
        }
        rules::check(self, &before, &input, &step)?;
        self.is_stepped = true;
        if self.is_settled {
            self.committed.0.is_shown_by(&self.engine)?;
        }
        if let Answer::Granted(grants) = &step.answer {
            self.leases.extend(grants.iter().map(|grant| grant.lease.id.clone()));
        }
        for (_, decided) in &step.decided {
            self.leases.extend(decided.iter().flatten().map(|grant| grant.lease.id.clone()));
        }
        self.waiting.extend(step.effects);
        match self.armed.take() {
            Some((CrashPoint::BeforeCommit, crash)) => {
                self.tell(|| "the commit fails".to_owned());
                self.waiting.clear();
                (self.working, self.ledger.past) = self.committed.clone();
                self.crash(crash)
            }
            Some((_, crash)) => {
                self.waiting.clear();
                self.commit();
                self.crash(crash)
            }
            None if self.group != 0 => {
                self.group -= 1;
                Ok(())
            }
            None => {
                self.commit();
                let goes_on = self.engine.wake_at().is_some() || !self.flights.is_empty();
                ensure!(goes_on, "nothing will ever happen again");
                Ok(())
            }
        }
    }

    fn commit(&mut self) {
        self.group = 0;
        self.committed = (self.working.clone(), self.ledger.past.clone());
        if self.is_stepped {
            self.engine.all_durable();
            self.is_settled = true;
        }
        let asked_at = self.now;
        for (id, effect) in self.waiting.drain(..) {
            self.flights.insert(id, Flight { effect, asked_at, answer: None });
        }
    }

    /// Kills the engine; the clouds may still do what they were asked for, at the latest within their window.
    pub(crate) fn crash(&mut self, crash: Crash) -> Result<(), String> {
        self.tell(|| format!("{crash:?}"));
        let Crash { applied, downtime, retire } = crash;
        self.group = 0;
        for (index, (_, flight)) in std::mem::take(&mut self.flights).into_iter().enumerate() {
            let is_applied = applied >> (index % 8) & 1 == 1;
            if !is_applied || flight.answer.is_some() {
                continue;
            }
            match flight.effect {
                Effect::Create { provider, token, .. } => {
                    let cloud = self.clouds.get_mut(&provider).unwrap();
                    cloud.late.push((self.now + cloud.window / 2, token));
                }
                Effect::Destroy { provider, node, .. } => {
                    self.clouds.get_mut(&provider).unwrap().end(&node, self.now, self.now);
                }
                _ => {}
            }
        }
        self.now = self.now + seconds(u64::from(downtime));
        let now = self.now;
        let mut spec = self.configured();
        spec.epoch = self.spec().epoch + 1;
        if downtime == 0 {
            // The process goes on, and can still ask who is on the way out.
            let known =
                self.full.providers.iter().filter(|(name, _)| {
                    self.engine.knows_provider(name) && !spec.providers.contains_key(*name)
                });
            spec.retired = known.map(|(name, config)| (name.clone(), config.clone())).collect();
        }
        if retire && 1 < spec.pools.len() {
            spec.pools.pop_last();
            if let Some(mut last) = spec.pools.last_entry() {
                last.get_mut().fallback = None;
            }
        }
        self.engine = Engine::recover(spec, self.committed.0.records(), now);
        (self.is_stepped, self.is_settled) = (false, false);
        self.ledger.begin_life(now, &self.committed.0);
        self.pass(now)
    }

    fn change_node(&mut self, pick: u8, state: NodeState) {
        let alive = self.clouds.values_mut().flat_map(|cloud| &mut cloud.nodes);
        let mut alive: Vec<_> = alive.filter(|node| node.is_alive() && !node.is_stray).collect();
        let count = alive.len().max(1);
        if let Some(node) = alive.get_mut(usize::from(pick) % count)
            && node.node.state != NodeState::Terminating
        {
            node.node.state = state;
            let id = node.node.id.clone();
            self.tell(|| format!("node {id} becomes {state}"));
        }
    }

    /// Has a cloud say that a node changed, or any; it may be one that is gone, or was never there.
    fn hint(&mut self, pick: u8) -> Result<(), String> {
        let providers: Vec<_> = self.clouds.keys().cloned().collect();
        let Some(provider) = pick_of(&providers, pick % 3) else { return Ok(()) };
        let known = self.working.vms.values().filter(|vm| vm.provider == provider);
        let mut nodes: Vec<_> = known.filter_map(|vm| Some(vm.node.as_ref()?.id.clone())).collect();
        nodes.extend(self.clouds[&provider].visible(self.now).into_iter().map(|node| node.id));
        nodes.extend(vmpool_model::NodeId::new("no-such-node"));
        let nodes = match pick % 5 {
            0 => Vec::new(),
            1 => nodes,
            _ => pick_of(&nodes, pick / 3).into_iter().collect(),
        };
        self.step(Input::Hint { provider, nodes })
    }

    fn stray(&mut self, kind: StrayKind, pick: u8) {
        let ours = self.spec().installation.clone();
        let names: Vec<_> = self.working.vms.values().map(|vm| vm.token(&ours)).collect();
        let forgotten = || {
            let vm = VmName::new(format!("pool0-stray{pick}")).unwrap();
            Token::new(ours.clone(), pool_name(0), vm)
        };
        let token = match (kind, pick_of(&names, pick)) {
            (StrayKind::Unmarked, _) => None,
            (StrayKind::OfOthers, token) => {
                let installation = InstallationId::new("others").unwrap();
                Some(Token { installation, ..token.unwrap_or_else(forgotten) })
            }
            (StrayKind::Duplicate, Some(token)) => {
                self.ledger.duplicated.insert(token.vm.clone());
                Some(token)
            }
            (StrayKind::OfNoRecord | StrayKind::Duplicate, _) => Some(forgotten()),
        };
        self.tell(|| format!("a stray node appears: {kind:?} {token:?}"));
        let now = self.now;
        // A create is only ever asked of the VM's own provider, so that is where a second node comes from.
        let twin = token.as_ref().filter(|_| matches!(kind, StrayKind::Duplicate));
        let home = twin.and_then(|token| self.working.vms.get(&token.vm)).map(|vm| vm.provider.clone());
        let index = usize::from(pick) % self.clouds.len();
        let cloud = match home.filter(|home| self.clouds.contains_key(home)) {
            Some(home) => self.clouds.get_mut(&home).unwrap(),
            None => self.clouds.values_mut().nth(index).unwrap(),
        };
        cloud.make(token, now, now, Some(seconds(0))).is_stray = true;
    }

    /// Delivers the answer of an effect that was carried out.
    pub(crate) fn answer(&mut self, id: EffectId) -> Result<(), String> {
        let Some(outcome) = self.flights.get_mut(&id).and_then(|flight| flight.answer.take()) else {
            return Ok(());
        };
        let flight = self.flights.remove(&id).unwrap();
        self.ledger.answered(&flight, &outcome, self.now);
        self.step(Input::Done { id, outcome })
    }

    /// From now on nobody kills the engine, and every step is committed.
    pub(crate) fn disarm(&mut self) {
        self.armed = None;
        self.commit();
    }

    pub(crate) fn is_carried_out(&self, id: EffectId) -> bool {
        self.flights.get(&id).is_none_or(|flight| flight.answer.is_some())
    }
}

pub(crate) fn pick_of<T: Clone>(things: &[T], pick: u8) -> Option<T> {
    things.get(usize::from(pick) % things.len().max(1)).cloned()
}
