//! The hints of a cloud: it says by itself that a node changes, and may be as unreliable in that as it is told to be.

use std::{
    collections::{BTreeMap, VecDeque},
    future::Future,
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use async_trait::async_trait;
use vmpool_driver::{DriverError, Hint, HintStream, Operation, Pause};
use vmpool_model::{FailureKind, NodeId, Timestamp, states::NodeState};

use crate::{DummyCloud, call::Answer, cloud::Inner, machine::Machine};

/// How many hints wait for a reader at most: the oldest are lost.
const WAITING: usize = 4096;

/// What waits for the reader of a stream.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    hints: VecDeque<Hint>,
    /// The nodes may have changed since the reader looked.
    stirred: bool,
    ended: bool,
    waker: Option<Waker>,
}

type Shared = Arc<Mutex<Mailbox>>;

impl Mailbox {
    fn push(&mut self, hint: Hint) {
        if WAITING <= self.hints.len() {
            self.hints.pop_front();
        }
        self.hints.push_back(hint);
    }

    /// Wakes the reader.
    pub(crate) fn stir(&mut self) {
        self.stirred = true;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl DummyCloud {
    /// Lets every open stream bring a hint, whether or not anything changed.
    pub fn hint(&self, hint: &Hint) {
        self.lock().each_mailbox(|mailbox| {
            mailbox.push(hint.clone());
            mailbox.stir();
        });
    }

    /// Ends every open stream of hints, as a connection that breaks does.
    pub fn end_hints(&self) {
        self.lock().each_mailbox(|mailbox| {
            mailbox.ended = true;
            mailbox.stir();
        });
    }

    pub(crate) fn open_hints(&self, pause: Option<Pause>) -> Answer<Box<dyn HintStream>> {
        self.call(Operation::Hints, None, None, |inner, context| {
            let mailbox = Shared::default();
            inner.mailboxes.push(Arc::downgrade(&mailbox));
            let (known, _) = inner.appearance(context.now);
            let stream = DummyHints { cloud: self.clone(), mailbox, known, late: None, pause, timer: None };
            Ok(Box::new(stream) as Box<dyn HintStream>)
        })
    }
}

/// What calls can see of the nodes.
type Appearance = BTreeMap<NodeId, NodeState>;

impl Inner {
    /// Does something with what waits for each reader, and forgets those who have gone.
    pub(crate) fn each_mailbox(&mut self, mut act: impl FnMut(&mut Mailbox)) {
        self.mailboxes.retain(|mailbox| match mailbox.upgrade() {
            Some(mailbox) => {
                act(&mut lock(&mailbox));
                true
            }
            None => false,
        });
    }

    /// Returns what calls can see of the nodes, and when that changes by itself.
    fn appearance(&self, now: Timestamp) -> (Appearance, Option<Timestamp>) {
        let visible = self.state.machines().filter(|machine| machine.is_visible(now));
        let shown = visible.map(|machine| (machine.id.clone(), machine.state_at(now))).collect();
        let times = self.state.machines().flat_map(times_of);
        (shown, times.filter(|at| now < *at).min())
    }

    /// Passes a hint on, as well as the faults let it.
    fn deliver(&mut self, hint: Hint, late: &mut Option<Hint>, mailbox: &mut Mailbox) {
        let faults = self.config.faults;
        if self.chance(faults.lost_hints) {
            return;
        }
        if late.is_none() && self.chance(faults.late_hints) {
            *late = Some(hint);
            return;
        }
        if self.chance(faults.doubled_hints) {
            mailbox.push(hint.clone());
        }
        mailbox.push(hint);
        late.take().into_iter().for_each(|hint| mailbox.push(hint));
        if self.chance(faults.false_hints) {
            let nobodys = self.state.counts().next_number + self.rng.u64(1..1000);
            mailbox.push(NodeId::new(nobodys.to_string()).map_or(Hint::Provider, Hint::Node));
        }
        mailbox.ended |= self.chance(faults.broken_hints);
    }
}

/// Returns when a node changes by itself, whatever of that comes to be.
fn times_of(machine: &Machine) -> impl Iterator<Item = Timestamp> {
    let end = machine.end.into_iter().flat_map(|end| [end.begins_at, end.gone_at]);
    let next = machine.next.map(|next| next.at);
    [machine.visible_at].into_iter().chain(next).chain(machine.dies_at).chain(end)
}

/// The stream of hints of a cloud.
struct DummyHints {
    cloud: DummyCloud,
    mailbox: Shared,
    /// The nodes as they were at the last look.
    known: Appearance,
    /// A hint that comes with the one after it.
    late: Option<Hint>,
    pause: Option<Pause>,
    timer: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl DummyHints {
    /// Takes in what changed since the last look; returns how long nothing changes by itself.
    fn look(&mut self) {
        let mut inner = self.cloud.lock();
        let now = inner.now();
        let (shown, next_at) = inner.appearance(now);
        let known = mem::replace(&mut self.known, shown);
        let changed = self.known.iter().filter(|(id, state)| known.get(*id) != Some(*state));
        let gone = known.keys().filter(|id| !self.known.contains_key(*id));
        let changed: Vec<_> = changed.map(|(id, _)| id).chain(gone).cloned().collect();
        let mut mailbox = lock(&self.mailbox);
        for id in changed {
            inner.deliver(Hint::Node(id), &mut self.late, &mut mailbox);
        }
        let timer = self.pause.as_ref().zip(next_at);
        self.timer = timer.map(|(pause, at)| pause(at.since(now)));
    }

    /// Returns what the stream brings next, if there is something.
    fn take(&self) -> Option<Result<Hint, DriverError>> {
        let mut mailbox = lock(&self.mailbox);
        if let Some(hint) = mailbox.hints.pop_front() {
            return Some(Ok(hint));
        }
        mailbox.ended.then(|| {
            let err = DriverError::new(Operation::Hints, FailureKind::Unavailable);
            Err(err.with_context("the dummy cloud ended the stream"))
        })
    }

    /// Becomes ready once another look is worth it.
    fn poll_stirred(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut mailbox = lock(&self.mailbox);
        if mem::take(&mut mailbox.stirred) {
            return Poll::Ready(());
        }
        mailbox.waker = Some(cx.waker().clone());
        drop(mailbox);
        match &mut self.timer {
            Some(timer) => timer.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }
}

#[async_trait]
impl HintStream for DummyHints {
    async fn next(&mut self) -> Result<Hint, DriverError> {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            self.look();
            if let Some(next) = self.take() {
                return next;
            }
            std::future::poll_fn(|cx| self.poll_stirred(cx)).await;
        }
    }
}

impl std::fmt::Debug for DummyHints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DummyHints").field("mailbox", &self.mailbox).finish_non_exhaustive()
    }
}

fn lock(mailbox: &Shared) -> MutexGuard<'_, Mailbox> {
    mailbox.lock().unwrap_or_else(PoisonError::into_inner)
}
