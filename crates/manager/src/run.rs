//! The loop of a domain: take what waits, decide, commit once, answer, act.

use std::{
    collections::{BTreeMap, VecDeque},
    future::Future,
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};
use tracing::Span;
use vmpool_engine::Engine;
use vmpool_model::{Event, EventKind, Timestamp};
use vmpool_store::{Batch, Claim, Cursor, Revision, Snapshot, StoreError, fail_point};

use crate::{
    StopError, View,
    domain::Domain,
    effects::Effects,
    hints::Hints,
    newest::SteadyClock,
    setup::Seen,
    store_call,
    turn::Turn,
    view::Listings,
    waiters::Waiters,
    wake::{Look, Wake},
    withheld::Withheld,
};

/// How many inputs share one commit at most.
const BATCH: usize = 1024;

/// How long inputs are decided before what they came to is committed, at most: those that wait longer make the next commit.
const DECIDING: Duration = Duration::from_millis(10);

/// How often a store that is short of room is tried at least.
const SHORT: Duration = Duration::from_secs(5);

/// Owns the state of a domain; see [`Wake`] for all that can change it.
#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) domain: Domain,
    pub(crate) claim: Claim,
    pub(crate) revision: Revision,
    pub(crate) clock: SteadyClock,
    pub(crate) engine: Engine,
    /// What the engine is not told.
    pub(crate) withheld: Withheld,
    pub(crate) effects: Effects,
    pub(crate) hints: Hints,
    pub(crate) waiters: Waiters,
    pub(crate) wakes: mpsc::Receiver<Wake>,
    /// What was taken and found no time in the last turn, in order.
    left: VecDeque<Wake>,
    /// Those who want to look at what is recorded: they never wait for a commit.
    pub(crate) reads: mpsc::Receiver<Look>,
    pub(crate) cursor: watch::Sender<Cursor>,
    pub(crate) listings: Listings,
    /// When the invariants were checked last, if they are to be.
    checked_at: Option<Timestamp>,
    /// Whether the domain was claimed again without an answer.
    pub(crate) claiming: bool,
    /// Whether what the engine made of the records is written, too.
    pub(crate) is_written: bool,
    /// Whether a commit failed since the engine was made: it knows what is not so, and decides nothing more.
    pub(crate) stale: bool,
    /// Whether the engine shows what is recorded, although it decides nothing.
    pub(crate) readable: bool,
    pub(crate) stopping: bool,
}

impl Loop {
    /// Makes the loop of the records.
    pub(crate) fn new(
        domain: Domain,
        claim: Claim,
        snapshot: Snapshot,
        clock: SteadyClock,
        effects: Effects,
        (wakes, reads): (mpsc::Receiver<Wake>, mpsc::Receiver<Look>),
        cursor: watch::Sender<Cursor>,
    ) -> Self {
        let revision = snapshot.revision;
        let hints = Hints::new(&domain.drivers());
        let (engine, withheld) = domain.engine(&claim, snapshot, clock.now());
        Self {
            domain,
            claim,
            revision,
            clock,
            engine,
            withheld,
            effects,
            hints,
            waiters: Waiters::default(),
            wakes,
            left: VecDeque::new(),
            reads,
            cursor,
            listings: BTreeMap::new(),
            checked_at: None,
            claiming: false,
            is_written: false,
            stale: false,
            readable: false,
            stopping: false,
        }
    }

    /// Runs until somebody shuts the manager down, or another one takes over.
    pub(crate) async fn run(mut self) -> Result<(), StopError> {
        while !self.stopping {
            let wakes = self.next().await;
            self.turn(wakes).await?;
        }
        self.shut_down().await
    }

    /// Waits for something to do, then takes all that waits.
    async fn next(&mut self) -> Vec<Wake> {
        let mut wakes = Vec::from(std::mem::take(&mut self.left));
        if !self.is_written || !wakes.is_empty() {
            return wakes;
        }
        // At least a millisecond, so that an engine whose wish is never satisfied cannot take the whole CPU.
        let due = self.engine.wake_at().into_iter().chain(self.hints.due_at()).min();
        let due = due.map(|at| at.since(self.clock.now()).max(Duration::from_millis(1)));
        let look = self.engine.is_short().then_some(SHORT);
        let due = due.into_iter().chain(look).min();
        let mut due = std::pin::pin!(pause(due));
        loop {
            tokio::select! {
                // What is ready besides is taken below, so the order starves nobody and repeats itself in tests.
                biased;
                count = self.wakes.recv_many(&mut wakes, BATCH) => self.stopping |= count == 0,
                ended = self.effects.next() => wakes.extend(ended),
                () = self.hints.hear() => {}
                Some(look) = self.reads.recv() => {
                    self.read(look);
                    continue;
                }
                () = &mut due => {}
            }
            break;
        }
        self.read_waiting();
        while wakes.len() < BATCH
            && let Ok(wake) = self.wakes.try_recv()
        {
            wakes.push(wake);
        }
        wakes.extend(self.effects.take_ended(BATCH));
        wakes
    }

    /// Decides about all wakes at one time, commits once, answers, and begins the effects.
    async fn turn(&mut self, wakes: Vec<Wake>) -> Result<(), StopError> {
        let now = self.clock.now();
        let mut turn = self.decide(wakes, now);
        if self.domain.check_every.is_some_and(|every| self.checked_at.is_none_or(|at| at + every <= now)) {
            let _span = tracing::trace_span!("check").entered();
            self.checked_at = Some(now);
            self.engine.check().map_err(|reason| StopError::Broken { reason })?;
        }
        fail_point::reach("manager.turn.decided");
        let commits = turn.commits();
        let committed = self.commit(&mut turn).await;
        drop(commits);
        match committed {
            Ok(()) => {
                fail_point::reach("manager.turn.committed");
                self.engine.all_durable();
                self.is_written = true;
                self.finish(turn, now);
                Ok(())
            }
            Err(err) => {
                let err = Arc::new(err);
                turn.fail(&err);
                self.restore(err).await
            }
        }
    }

    /// Shows what is recorded.
    pub(crate) fn read(&self, look: Look) {
        let Self { domain, engine, listings, withheld, hints, .. } = self;
        (look.0)(Ok(Seen { domain, engine, listings, withheld, hints }));
    }

    /// Shows what is recorded to those who wait for that, so that they get their turn however much there is to do.
    fn read_waiting(&mut self) {
        for _ in 0..BATCH {
            let Ok(look) = self.reads.try_recv() else { return };
            self.read(look);
        }
    }

    /// Waits for the store, and shows meanwhile what is recorded: no decision that it may still lose.
    async fn stored<T>(&mut self, storing: impl Future<Output = T>) -> T {
        let mut storing = std::pin::pin!(storing);
        loop {
            tokio::select! {
                biased;
                stored = &mut storing => return stored,
                Some(look) = self.reads.recv(), if self.is_written => self.read(look),
            }
        }
    }

    /// Steps the engine for what is due and for all wakes.
    ///
    /// The spans `decide` and `answer`, and `check` if invariants are checked, are the time that a turn takes of the loop, beside
    /// that of the store.
    fn decide(&mut self, wakes: Vec<Wake>, now: Timestamp) -> Turn {
        let span = tracing::trace_span!("decide", steps = tracing::field::Empty).entered();
        let mut turn = Turn::default();
        let is_short = self.domain.store.is_short();
        if is_short != self.engine.is_short() {
            turn.shorten(&mut self.engine, now, is_short);
        }
        // Time passes before anything else: a lease that has run out cannot be renewed.
        if self.engine.wake_at().is_some_and(|at| at <= now) {
            turn.tick(&mut self.engine, now);
        }
        let mut wakes = VecDeque::from(wakes);
        while let Some(wake) = wakes.pop_front() {
            let (wake, span) = wake.untraced();
            turn.caused_by(span);
            match &wake {
                // What came later gets no answer, which says that the manager has stopped.
                Wake::Shutdown => {
                    self.stopping = true;
                    wakes.clear();
                    break;
                }
                Wake::Done(_, outcome) => crate::view::note(&mut self.listings, outcome, now),
                _ => {}
            }
            match self.withheld.refuse(wake) {
                Ok(wake) => turn.take(&mut self.engine, now, wake),
                Err((reply, refusal)) => turn.refuse(reply, refusal),
            }
            // Whoever came first waits for all who share the commit.
            if DECIDING <= self.clock.now().since(now) {
                break;
            }
        }
        self.left = wakes;
        turn.caused_by(Span::none());
        for hint in self.hints.take(&self.engine, &self.listings, now) {
            turn.hint(&mut self.engine, now, hint);
        }
        span.record("steps", turn.steps);
        turn
    }

    /// Commits what a turn came to; if that is nothing, and nothing that waited is to change anything now, it is only proven
    /// that the domain is still ours, and not even that if nobody is promised anything.
    async fn commit(&mut self, turn: &mut Turn) -> Result<(), StoreError> {
        let (store, claim) = (Arc::clone(&self.domain.store), self.claim.clone());
        // Each commit finds out whether a store that is short of room has some again.
        if turn.is_clean() && !self.effects.may_begin_writes() && !self.engine.is_short() {
            return match turn.promises() {
                // Else a manager that was superseded would deny the leases that its successor gave.
                true => {
                    let proof = async move { store.prove(&claim).await };
                    self.stored(store_call::call("proving the claim", proof)).await
                }
                false => Ok(()),
            };
        }
        let (changes, events) = turn.take_batch();
        let batch = Batch { expected: self.revision, changes, events };
        let commit = async move { store.commit(&claim, batch).await };
        let committed = self.stored(store_call::call("committing", commit)).await?;
        self.revision = committed.revision;
        self.cursor.send_if_modified(|cursor| {
            let changed = *cursor != committed.cursor;
            *cursor = committed.cursor;
            changed
        });
        Ok(())
    }

    /// Answers, and begins the effects, now that the turn is durable.
    fn finish(&mut self, mut turn: Turn, now: Timestamp) {
        let _span = tracing::trace_span!("answer").entered();
        let setup = turn.setup.take();
        let is_other = setup.is_some();
        setup.into_iter().for_each(|setup| self.domain.replace(setup));
        if self.domain.drop_retired(&self.engine) || is_other {
            self.effects.reconfigure(&self.domain.drivers());
            self.hints.reconfigure(&self.domain.drivers());
            self.listings.retain(|provider, _| self.engine.knows_provider(provider));
        }
        let Self { domain, engine, listings, waiters, withheld, hints, .. } = self;
        let seen = Seen { domain, engine, listings, withheld, hints };
        let given_up = std::mem::take(&mut turn.given_up);
        let starting = std::mem::take(&mut turn.starting);
        let effects = turn.succeed(waiters, seen, || View::of(seen, now));
        fail_point::reach("manager.turn.answered");
        for (id, effect, span) in effects {
            self.effects.start(id, effect, span);
        }
        given_up.iter().for_each(|vm| self.effects.withdraw(vm));
        starting.iter().for_each(|(provider, vm, node)| self.hints.starting(provider, vm, node, now));
        self.effects.begin();
        fail_point::reach("manager.turn.begun");
    }

    /// Takes no more wishes, gives the effects under way a bounded time, and says good-bye in the log.
    async fn shut_down(mut self) -> Result<(), StopError> {
        self.wakes.close();
        self.reads.close();
        self.waiters = Waiters::default();
        self.effects.stop();
        let grace = self.domain.shutdown_grace;
        if timeout(grace, self.drain()).await.is_err() {
            tracing::warn!(
                "calls to providers and hooks did not end within {grace:?} and are abandoned, which is safe"
            );
        }
        self.effects.abandon().await;
        fail_point::reach("manager.stop.drained");
        let mut turn = Turn::default();
        turn.events.push(Event::new(self.clock.now(), EventKind::DaemonStopped));
        if let Err(err) = self.commit(&mut turn).await {
            // Everything that was promised is durable all the same.
            tracing::warn!("the end could not be written into the log: {err}");
        }
        fail_point::reach("manager.stop.written");
        Ok(())
    }

    /// Records what becomes of the effects under way, and begins none.
    async fn drain(&mut self) {
        while !self.stale && !self.effects.is_idle() {
            let wakes = self.effects.next().await;
            let now = self.clock.now();
            let mut turn = Turn::default();
            for wake in wakes {
                turn.take(&mut self.engine, now, wake.untraced().0);
            }
            if let Err(err) = self.commit(&mut turn).await {
                self.stale = true;
                tracing::warn!("an outcome could not be recorded, and is found again: {err}");
            }
        }
    }
}

/// Waits; for ever if there is nothing to wait for.
pub(crate) async fn pause(duration: Option<Duration>) {
    match duration {
        Some(duration) => {
            let _ = timeout(duration, std::future::pending::<()>()).await;
        }
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
