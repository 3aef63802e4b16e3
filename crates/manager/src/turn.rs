//! What the inputs of one turn of the loop come to: one batch, then answers, then effects.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use tracing::Span;
use vmpool_engine::{Answer, Effect, EffectId, Engine, Grant, Input, Refusal, Step};
use vmpool_model::{
    Change, Event, LeaseId, NodeId, Owner, PoolName, ProviderName, RecordState, RequestId, Timestamp, VmName,
};
use vmpool_store::StoreError;

use crate::{
    ManagerError, Renewed, View,
    effects::is_write,
    hints::node_of_start,
    setup::{Seen, Setup},
    waiters::Waiters,
    wake::{Look, Reply, Wake},
};

/// What the inputs of one turn come to; they share one commit and one time.
#[derive(Debug)]
pub(crate) struct Turn {
    changes: Vec<Change>,
    places: HashMap<Row, usize>,
    /// What happened, in order.
    pub(crate) events: Vec<Event>,
    /// What to do after the commit, in order.
    pub(crate) effects: Vec<(EffectId, Effect, Span)>,
    /// VMs that were given up or forgotten while there was no node.
    pub(crate) given_up: Vec<VmName>,
    /// VMs that start and have a node.
    pub(crate) starting: Vec<(ProviderName, VmName, NodeId)>,
    /// The configuration that holds once the commit is durable.
    pub(crate) setup: Option<Setup>,
    answers: Vec<Answered>,
    /// What is being decided is part of this.
    cause: Span,
    /// The traced requests of this turn.
    causes: Vec<Span>,
    /// How often the engine was stepped.
    pub(crate) steps: u64,
}

/// An answer that is given once the commit is durable.
#[derive(Debug)]
enum Answered {
    Grant(Reply<Vec<Grant>>, Result<Vec<Grant>, Refusal>),
    Waits(RequestId, Reply<Vec<Grant>>),
    Decided(RequestId, Result<Vec<Grant>, Refusal>),
    Renewed(Reply<Vec<Result<Renewed, Refusal>>>, Vec<Result<Renewed, Refusal>>),
    Released(Reply<Vec<Result<(), Refusal>>>, Vec<Result<(), Refusal>>),
    Done(Reply<()>, Result<(), Refusal>),
    View(Reply<Arc<View>>),
    Look(Look),
}

/// What a change is about: the last change of a record wins.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Row {
    Installation,
    Vm(VmName),
    Lease(LeaseId),
    Request(RequestId),
    Pool(PoolName),
}

impl Default for Turn {
    fn default() -> Self {
        Self {
            changes: Vec::new(),
            places: HashMap::new(),
            events: Vec::new(),
            effects: Vec::new(),
            given_up: Vec::new(),
            starting: Vec::new(),
            setup: None,
            answers: Vec::new(),
            cause: Span::none(),
            causes: Vec::new(),
            steps: 0,
        }
    }
}

impl Turn {
    /// Says what all that is decided from now on is part of.
    pub(crate) fn caused_by(&mut self, span: Span) {
        if !span.is_none() {
            self.causes.push(span.clone());
        }
        self.cause = span;
    }

    /// Returns a span for each traced request that waits for the commit; dropping them ends them.
    pub(crate) fn commits(&self) -> Vec<Span> {
        self.causes.iter().map(|cause| tracing::debug_span!(parent: cause, "commit")).collect()
    }

    /// Steps the engine for one wake.
    pub(crate) fn take(&mut self, engine: &mut Engine, now: Timestamp, wake: Wake) {
        match wake {
            Wake::Acquire(acquire, by, reply) => {
                let request = acquire.request.clone();
                let answered = match self.step_by(engine, now, by, Input::Acquire(acquire)) {
                    (Answer::Granted(grants), decided) => (Answered::Grant(reply, Ok(grants)), decided),
                    (Answer::Refused(refusal), decided) => (Answered::Grant(reply, Err(refusal)), decided),
                    (_, decided) => (Answered::Waits(request, reply), decided),
                };
                self.answer(answered.0, answered.1);
            }
            Wake::Renew(inputs, reply) => {
                let renewed = inputs.into_iter().map(|input| self.renew(engine, now, input));
                // Dropping the reply says that the manager is broken, which it is.
                if let Some(results) = renewed.collect() {
                    self.answers.push(Answered::Renewed(reply, results));
                }
            }
            Wake::Release(inputs, by, reply) => {
                let released = inputs.into_iter().map(|input| self.wish(engine, now, by.clone(), input));
                let released = released.collect();
                self.answers.push(Answered::Released(reply, released));
            }
            Wake::Wish(input, by, reply) => {
                let result = self.wish(engine, now, by, input);
                self.answers.push(Answered::Done(reply, result));
            }
            Wake::Reconfigure(setup, by, reply) => {
                let input = Input::Reconfigure(Box::new(setup.reconfigure()));
                let (answer, decided) = self.step_by(engine, now, by, input);
                let result = match answer {
                    Answer::Refused(refusal) => Err(refusal),
                    _ => {
                        self.setup = Some(*setup);
                        Ok(())
                    }
                };
                self.answer(Answered::Done(reply, result), decided);
            }
            Wake::View(reply) => self.answers.push(Answered::View(reply)),
            Wake::Look(look) => self.answers.push(Answered::Look(look)),
            Wake::Done(id, outcome) => {
                let (_, decided) = self.step(engine, now, Input::Done { id, outcome });
                self.decided(decided);
            }
            Wake::Traced(wake, span) => {
                self.caused_by(span);
                self.take(engine, now, *wake);
            }
            // The loop sees to it.
            Wake::Shutdown => {}
        }
    }

    /// Steps the engine for what a provider says by itself.
    pub(crate) fn hint(&mut self, engine: &mut Engine, now: Timestamp, hint: Input) {
        let (_, decided) = self.step(engine, now, hint);
        self.decided(decided);
    }

    /// Tells the engine whether the store is short of room.
    pub(crate) fn shorten(&mut self, engine: &mut Engine, now: Timestamp, is_short: bool) {
        let (_, decided) = self.step(engine, now, Input::Short(is_short));
        self.decided(decided);
    }

    /// Steps the engine for what is due.
    pub(crate) fn tick(&mut self, engine: &mut Engine, now: Timestamp) {
        let (_, decided) = self.step(engine, now, Input::Tick);
        self.decided(decided);
    }

    /// Returns whether there is nothing to commit.
    ///
    /// Who changes something in the world commits all the same, if only nothing: that proves that the domain is still
    /// ours, and nobody else decides about it at the same time.
    pub(crate) fn is_clean(&self) -> bool {
        let writes = || self.effects.iter().any(|(_, effect, _)| is_write(effect));
        self.changes.is_empty() && self.events.is_empty() && !writes()
    }

    /// Returns whether somebody is told how things are: a refusal is as much a promise as a lease.
    ///
    /// Who only looks is shown what this manager knows, whatever another one may know by now.
    pub(crate) fn promises(&self) -> bool {
        self.answers.iter().any(|answered| !matches!(answered, Answered::View(_) | Answered::Look(_)))
    }

    /// Refuses a wish for VMs without asking the engine.
    pub(crate) fn refuse(&mut self, reply: Reply<Vec<Grant>>, refusal: Refusal) {
        self.answers.push(Answered::Grant(reply, Err(refusal)));
    }

    /// Hands over what is to be committed.
    pub(crate) fn take_batch(&mut self) -> (Vec<Change>, Vec<Event>) {
        self.places.clear();
        (std::mem::take(&mut self.changes), std::mem::take(&mut self.events))
    }

    /// Gives the answers, now that everything is durable, and hands the effects over.
    pub(crate) fn succeed(
        self,
        waiters: &mut Waiters,
        seen: Seen<'_>,
        view: impl FnOnce() -> View,
    ) -> Vec<(EffectId, Effect, Span)> {
        let view = std::cell::LazyCell::new(|| Arc::new(view()));
        for answered in self.answers {
            // Who went away meanwhile asks again.
            match answered {
                Answered::Grant(reply, result) => drop(reply.send(result.map_err(ManagerError::from))),
                Answered::Waits(request, reply) => waiters.add(request, reply),
                Answered::Decided(request, result) => {
                    waiters.answer(&request, &result.map_err(ManagerError::from));
                }
                Answered::Renewed(reply, results) => drop(reply.send(Ok(results))),
                Answered::Released(reply, results) => drop(reply.send(Ok(results))),
                Answered::Done(reply, result) => drop(reply.send(result.map_err(ManagerError::from))),
                Answered::View(reply) => drop(reply.send(Ok(Arc::clone(&view)))),
                Answered::Look(look) => (look.0)(Ok(seen)),
            }
        }
        self.effects
    }

    /// Tells everybody of this turn that the commit failed.
    pub(crate) fn fail(self, source: &Arc<StoreError>) {
        let err = ManagerError::Store {
            writing: true,
            may_have_happened: source.is_unknown(),
            source: Arc::clone(source),
        };
        for answered in self.answers {
            match answered {
                Answered::Grant(reply, _) | Answered::Waits(_, reply) => drop(reply.send(Err(err.clone()))),
                // Its request is decided again, by the next engine.
                Answered::Decided(..) => {}
                Answered::Renewed(reply, _) => drop(reply.send(Err(err.clone()))),
                Answered::Released(reply, _) => drop(reply.send(Err(err.clone()))),
                Answered::Done(reply, _) => drop(reply.send(Err(err.clone()))),
                Answered::View(reply) => drop(reply.send(Err(err.clone()))),
                Answered::Look(look) => (look.0)(Err(err.clone())),
            }
        }
    }

    /// Renews one lease; `None` if the engine answers what it must not.
    fn renew(
        &mut self,
        engine: &mut Engine,
        now: Timestamp,
        input: Input,
    ) -> Option<Result<Renewed, Refusal>> {
        let (answer, decided) = self.step(engine, now, input);
        self.decided(decided);
        match answer {
            Answer::Renewed(lease) => {
                let vm = engine.vm(&lease.vm).cloned();
                Some(Ok(Renewed { lease: *lease, vm }))
            }
            Answer::Refused(refusal) => Some(Err(refusal)),
            answer => {
                tracing::error!("a renewal was answered with {answer:?}");
                None
            }
        }
    }

    /// Carries out what is answered with whether it is done.
    fn wish(
        &mut self,
        engine: &mut Engine,
        now: Timestamp,
        by: Option<Owner>,
        input: Input,
    ) -> Result<(), Refusal> {
        let (answer, decided) = self.step_by(engine, now, by, input);
        self.decided(decided);
        match answer {
            Answer::Refused(refusal) => Err(refusal),
            _ => Ok(()),
        }
    }

    fn step(&mut self, engine: &mut Engine, now: Timestamp, input: Input) -> (Answer, Decided) {
        self.step_by(engine, now, None, input)
    }

    fn step_by(
        &mut self,
        engine: &mut Engine,
        now: Timestamp,
        by: Option<Owner>,
        input: Input,
    ) -> (Answer, Decided) {
        self.steps += 1;
        let Step { changes, events, effects, decided, answer } = engine.step_by(now, by, input);
        for change in changes {
            self.change(change);
        }
        self.events.extend(events);
        let cause = self.cause.clone();
        self.effects.extend(effects.into_iter().map(|(id, effect)| {
            let span = effect_span(&cause, &effect);
            (id, effect, span)
        }));
        (answer, decided)
    }

    fn answer(&mut self, answered: Answered, decided: Decided) {
        self.answers.push(answered);
        self.decided(decided);
    }

    fn decided(&mut self, decided: Decided) {
        let decided = decided.into_iter().map(|(request, result)| Answered::Decided(request, result));
        self.answers.extend(decided);
    }

    fn change(&mut self, change: Change) {
        match &change {
            Change::PutVm(vm) if vm.state == RecordState::Terminating && vm.node.is_none() => {
                self.given_up.push(vm.name.clone());
            }
            Change::RemoveVm(vm) => self.given_up.push(vm.clone()),
            Change::PutVm(vm) => {
                let node = node_of_start(vm).cloned();
                self.starting.extend(node.map(|node| (vm.provider.clone(), vm.name.clone(), node)));
            }
            _ => {}
        }
        let row = match &change {
            Change::PutInstallation(_) => Row::Installation,
            Change::PutVm(vm) => Row::Vm(vm.name.clone()),
            Change::RemoveVm(vm) => Row::Vm(vm.clone()),
            Change::PutLease(lease) => Row::Lease(lease.id.clone()),
            Change::RemoveLease(lease) => Row::Lease(lease.clone()),
            Change::PutRequest(request) => Row::Request(request.id.clone()),
            Change::RemoveRequest(request) => Row::Request(request.clone()),
            Change::PutPool(pool) => Row::Pool(pool.name.clone()),
            Change::RemovePool(pool) => Row::Pool(pool.clone()),
            // A kind that this version does not know keeps its place.
            _ => return self.changes.push(change),
        };
        match self.places.entry(row) {
            Entry::Occupied(place) => self.changes[*place.get()] = change,
            Entry::Vacant(place) => {
                place.insert(self.changes.len());
                self.changes.push(change);
            }
        }
    }
}

/// Makes the span of an effect, below the request that it comes of if that is traced.
fn effect_span(cause: &Span, effect: &Effect) -> Span {
    if cause.is_none() {
        return Span::none();
    }
    let (what, vm) = match effect {
        Effect::Create { vm, .. } => ("create", Some(vm)),
        Effect::Destroy { vm, .. } => ("destroy", vm.as_ref()),
        Effect::Hook(run) => ("hook", Some(&run.vm.name)),
        Effect::Check { vm, .. } => ("check", Some(vm)),
        _ => ("look", None),
    };
    let vm = vm.map(VmName::as_str);
    tracing::info_span!(parent: cause, "effect", what, vm)
}

type Decided = Vec<(RequestId, Result<Vec<Grant>, Refusal>)>;
