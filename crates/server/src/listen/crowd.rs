//! All connections: how many there are, and which is idle and must leave when there is no room.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::Notify;

/// All connections.
#[derive(Debug)]
pub(super) struct Crowd {
    max: usize,
    members: Mutex<Members>,
}

#[derive(Debug, Default)]
struct Members {
    last: u64,
    /// Those that are there, by number: the oldest first.
    there: BTreeMap<u64, Arc<Member>>,
}

#[derive(Debug, Default)]
struct Member {
    /// How many answers are under way.
    busy: AtomicUsize,
    leave: Notify,
}

/// What becomes of a new connection.
#[derive(Debug)]
pub(super) enum Entry {
    /// It has a place.
    Place(Place),
    /// There is no room, and nobody who could leave.
    Full,
}

impl Crowd {
    pub(super) fn new(max: usize) -> Self {
        Self { max: max.max(1), members: Mutex::default() }
    }

    /// Gives a new connection a place; if there is none, the oldest one that is idle has to leave.
    pub(super) fn enter(self: &Arc<Self>) -> Entry {
        let mut members = self.members();
        if self.max <= members.there.len() && !members.send_away() {
            return Entry::Full;
        }
        members.last += 1;
        let (number, member) = (members.last, Arc::new(Member::default()));
        members.there.insert(number, Arc::clone(&member));
        Entry::Place(Place { crowd: Arc::clone(self), number, member })
    }

    /// Has the oldest idle connection leave.
    pub(super) fn make_room(&self) {
        self.members().send_away();
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Members {
    fn send_away(&mut self) -> bool {
        let idle = self.there.iter().find(|(_, member)| member.busy.load(Ordering::Relaxed) == 0);
        let Some((&number, _)) = idle else { return false };
        // A permit is kept for who does not wait yet.
        self.there.remove(&number).is_some_and(|member| {
            member.leave.notify_one();
            true
        })
    }
}

/// The place of one connection; it is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    crowd: Arc<Crowd>,
    number: u64,
    member: Arc<Member>,
}

impl Place {
    /// Notes that an answer is under way.
    pub(super) fn busy(&self) -> Busy {
        self.member.busy.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(&self.member))
    }

    /// Waits until somebody else needs the place more.
    pub(super) async fn asked_to_leave(&self) {
        self.member.leave.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.members().there.remove(&self.number);
    }
}

/// An answer that is under way.
#[derive(Debug)]
pub(super) struct Busy(Arc<Member>);

impl Busy {
    /// Goes on until the body was sent.
    pub(super) fn with(self, body: Body) -> BusyBody {
        BusyBody { body, _busy: self }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A body that is under way.
#[derive(Debug)]
pub(super) struct BusyBody {
    body: Body,
    _busy: Busy,
}

impl HttpBody for BusyBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(crowd: &Arc<Crowd>) -> Place {
        match crowd.enter() {
            Entry::Place(place) => place,
            Entry::Full => panic!("there is no place"),
        }
    }

    #[tokio::test]
    async fn the_oldest_idle_connection_leaves_for_a_new_one() {
        let crowd = Arc::new(Crowd::new(2));
        let (first, second) = (place(&crowd), place(&crowd));
        let _busy = first.busy();
        let _third = place(&crowd);
        second.asked_to_leave().await;
        let left = tokio::time::timeout(std::time::Duration::ZERO, first.asked_to_leave()).await;
        assert!(left.is_err(), "one that is busy stays");
    }

    #[test]
    fn who_finds_all_busy_is_refused_until_one_is_done() {
        let crowd = Arc::new(Crowd::new(1));
        let first = place(&crowd);
        let busy = first.busy();
        assert!(matches!(crowd.enter(), Entry::Full));
        drop((busy, first));
        assert!(matches!(crowd.enter(), Entry::Place(_)));
    }
}
