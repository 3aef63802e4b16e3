//! Listening to one provider: the stream is opened, read, and opened again when it ends.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, timeout_at},
};
use vmpool_driver::{Driver, DriverError, Hint, HintStream};
use vmpool_model::{Failure, FailureKind, ProviderName};

use super::batch::Batch;
use crate::{carry_out, run::pause};

/// For how long hints are gathered: what happens together is looked at once.
const GATHER: Duration = Duration::from_millis(20);

/// How long the stream is left alone after it ended for the first time; each time after that it is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How long a stream must have been open for the pauses to begin anew.
const STEADY: Duration = Duration::from_secs(30);

/// What was heard of a provider.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) provider: ProviderName,
    pub(crate) generation: u64,
    pub(crate) news: News,
}

/// What is new.
#[derive(Debug)]
pub(crate) enum News {
    /// The stream is open.
    Up,
    /// The stream could not be opened, or ended, and is opened again.
    Down(String),
    /// There is no stream.
    NotOffered(String),
    /// The provider said something.
    Hints(Batch),
}

/// Tells the loop what is heard of a provider.
#[derive(Debug, Clone)]
pub(crate) struct Teller {
    pub(crate) name: ProviderName,
    pub(crate) generation: u64,
    pub(crate) tell: mpsc::Sender<Heard>,
}

impl Teller {
    async fn tell(&self, news: News) {
        let (provider, generation) = (self.name.clone(), self.generation);
        // Where the loop has ended, this task is about to.
        let _ = self.tell.send(Heard { provider, generation, news }).await;
    }
}

/// Listens for as long as there may be something to hear.
pub(crate) async fn listen(driver: Arc<dyn Driver>, limit: Duration, teller: Teller) {
    let mut wait = FIRST_PAUSE;
    loop {
        let began = Instant::now();
        // A task of its own: a driver that panics ends no more than its stream.
        let mut session = JoinSet::new();
        session.spawn(session_of(Arc::clone(&driver), limit, teller.clone()));
        let (opened, failure) = match session.join_next().await {
            Some(Ok(end)) => end,
            Some(Err(err)) => {
                (false, Failure::unknown(FailureKind::Other, format!("the driver broke off: {err}")))
            }
            None => return,
        };
        if failure.kind == FailureKind::Unsupported {
            return teller.tell(News::NotOffered(failure.message)).await;
        }
        if opened && STEADY <= began.elapsed() {
            wait = FIRST_PAUSE;
        }
        teller.tell(News::Down(failure.message)).await;
        pause(Some(wait.max(failure.retry_after.unwrap_or_default()))).await;
        wait = LONGEST_PAUSE.min(wait * 2);
    }
}

/// Opens the stream and reads it to its end; returns whether it was open, and why it ended or could not be opened.
async fn session_of(driver: Arc<dyn Driver>, limit: Duration, teller: Teller) -> (bool, Failure) {
    let mut stream = match carry_out::hints(&*driver, limit).await {
        Ok(stream) => stream,
        Err(failure) => return (false, failure),
    };
    teller.tell(News::Up).await;
    loop {
        let (batch, end) = gather(&mut *stream).await;
        if !batch.is_empty() {
            teller.tell(News::Hints(batch)).await;
        }
        if let Some(err) = end {
            // There was a stream, so there is one.
            let mut failure = Failure::from(&err);
            if failure.kind == FailureKind::Unsupported {
                failure.kind = FailureKind::Unavailable;
            }
            return (true, failure);
        }
    }
}

/// Waits for a hint, and takes those that come shortly after it.
async fn gather(stream: &mut dyn HintStream) -> (Batch, Option<DriverError>) {
    let mut batch = Batch::default();
    match stream.next().await {
        Ok(hint) => batch.push(node(hint)),
        Err(err) => return (batch, Some(err)),
    }
    let until = Instant::now() + GATHER;
    loop {
        match timeout_at(until, stream.next()).await {
            Ok(Ok(hint)) => batch.push(node(hint)),
            Ok(Err(err)) => return (batch, Some(err)),
            Err(_) => return (batch, None),
        }
        // A stream that always has something must not keep others from their turn.
        if until <= Instant::now() {
            return (batch, None);
        }
    }
}

/// Returns the node that a hint names; what this version does not know may be about any.
fn node(hint: Hint) -> Option<vmpool_model::NodeId> {
    match hint {
        Hint::Node(node) => Some(node),
        _ => None,
    }
}
