//! Keeping many leases by one request per interval.

mod kept;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
    time::{Instant, sleep_until},
};
use vmpool_api::{Lease, LeaseRef, Problem, Renewal, code};

use self::kept::Leases;
use crate::{Client, ClientError, backoff::Backoff};

/// The longest pause before leases that were not renewed are tried again.
const MOST: Duration = Duration::from_secs(1);

/// Renews leases until they are taken out, all with one request: what a build farm has that uses many VMs at once.
///
/// Each lease is renewed three times per time to live at least, together with all others that would be due soon.
/// A daemon that is away is asked again until a lease must have expired; then the lease is [lost](Kept::Lost).
///
/// Dropping the keeper ends the renewing; the leases then expire by themselves unless they are released.
///
/// # Examples
///
/// ```
/// # use vmpool_client::{Client, Keeper, Kept, api::Lease};
/// async fn work(client: &Client, leases: Vec<Lease>) {
///     let mut keeper = Keeper::new(client.clone());
///     leases.iter().for_each(|lease| keeper.add(lease));
///     // Beside the work:
///     match keeper.next().await {
///         Kept::Lost { lease, why } => eprintln!("stop using {}, its lease is gone: {why}", lease.vm),
///         Kept::Changed(lease) => eprintln!("{} is doubted: {:?}", lease.vm, lease.suspect),
///         _ => {}
///     }
///     // When a VM is not needed any more: first out, so that its end is no loss.
///     for lease in &leases {
///         if keeper.remove(&lease.id) {
///             let _ = client.release_if(&lease.id, lease.fence).await;
///         }
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Keeper {
    shared: Arc<Shared>,
    news: mpsc::UnboundedReceiver<Kept>,
    task: JoinHandle<()>,
}

/// What a [`Keeper`] has to tell.
#[derive(Debug)]
#[non_exhaustive]
pub enum Kept {
    /// A lease has ended, or must have: the VM may be somebody else's, so stop using it. It is kept no longer.
    Lost {
        /// The lease as it was last.
        lease: Box<Lease>,
        /// Why it is lost.
        why: Arc<ClientError>,
    },
    /// A VM is doubted, or is not any more, as the lease says now; the lease holds all the same.
    Changed(Box<Lease>),
}

#[derive(Debug, Default)]
struct Shared {
    leases: Mutex<Leases>,
    /// Wakes the renewing when a lease was added.
    added: Notify,
}

impl Shared {
    fn leases(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keeper {
    /// Makes a keeper without leases; it renews by a task of the tokio runtime that it is made in.
    ///
    /// # Panics
    ///
    /// If there is no tokio runtime around.
    #[must_use]
    pub fn new(client: Client) -> Self {
        let shared = Arc::new(Shared::default());
        let (tell, news) = mpsc::unbounded_channel();
        let task = tokio::spawn(keep(client, Arc::clone(&shared), tell));
        Self { shared, news, task }
    }

    /// Renews a lease from now on; one that is kept already is taken as it is now.
    pub fn add(&self, lease: &Lease) {
        self.shared.leases().add(lease, Instant::now());
        self.shared.added.notify_one();
    }

    /// Renews a lease no longer; returns whether it was kept until now.
    ///
    /// Call it before the lease is released: what ends by itself is no loss then.
    pub fn remove(&self, lease: &str) -> bool {
        self.shared.leases().remove(lease).is_some()
    }

    /// Returns the leases as the daemon told them last, by id.
    #[must_use]
    pub fn leases(&self) -> Vec<Lease> {
        self.shared.leases().all()
    }

    /// Waits until there is something to tell.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing: the next call tells it.
    pub async fn next(&mut self) -> Kept {
        match self.news.recv().await {
            Some(news) => news,
            // The renewing ends with the keeper alone, unless its runtime is shut down.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Renews what is due, for ever.
async fn keep(client: Client, shared: Arc<Shared>, tell: mpsc::UnboundedSender<Kept>) {
    let mut backoff = Backoff::default();
    loop {
        let due = shared.leases().due();
        tokio::select! {
            () = until(due) => {}
            () = shared.added.notified() => continue,
        }
        let asked = Instant::now();
        let wanted = shared.leases().soon(asked);
        let mut answers = answers(&client, &wanted).await;
        let mut is_owed = false;
        for wanted in wanted {
            let mut leases = shared.leases();
            let news = match answers.next() {
                Some(Ok(lease)) => leases.renewed(lease, asked),
                Some(Err(why)) => leases.failed(&wanted, why, Instant::now()),
                None => None,
            };
            is_owed |= leases.is_due(&wanted.id, asked);
            // Nobody listens when the keeper is being dropped.
            news.into_iter().for_each(|news| drop(tell.send(news)));
        }
        match is_owed {
            true => backoff.pause_at_most(MOST).await,
            false => backoff.reset(),
        }
    }
}

/// Renews leases; one request that fails is why none of its leases was renewed.
async fn answers(client: &Client, wanted: &[LeaseRef]) -> impl Iterator<Item = Answer> + use<> {
    let answers: Vec<Answer> = match client.renew_all(wanted, None).await {
        Ok(renewals) => renewals.into_iter().map(answer).collect(),
        Err(err) => {
            let err = Arc::new(err);
            wanted.iter().map(|_| Err(Arc::clone(&err))).collect()
        }
    };
    answers.into_iter()
}

type Answer = Result<Lease, Arc<ClientError>>;

fn answer(renewal: Renewal) -> Answer {
    match (renewal.lease, renewal.problem) {
        (Some(lease), _) => Ok(lease),
        (None, problem) => {
            let problem =
                problem.unwrap_or_else(|| Problem::new(code::INTERNAL, "the daemon does not say why"));
            Err(Arc::new(ClientError::Problem(Box::new(problem))))
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
