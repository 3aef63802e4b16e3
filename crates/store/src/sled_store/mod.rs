//! The store that keeps everything in a directory of this host, in a sled database.

mod ages;
mod body;
mod committer;
mod database;
mod fault;
mod garbage;
mod head;
mod job;
mod key;
mod meta;
mod open;
mod options;
mod place;
mod read;
mod reader;
mod records;
mod reserve;
mod staged;

use std::{
    fmt, io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
};

use async_trait::async_trait;
use futures_channel::oneshot;
use vmpool_model::DomainName;

use self::{
    committer::Committer,
    fault::Fault,
    job::{Answer, Job, ReadJob, unanswered},
    place::Place,
    reader::Readable,
    reserve::Reserve,
};
pub use self::{
    options::SledOptions,
    records::{SledCopy, SledImport},
};
use crate::{Batch, Claim, Committed, Cursor, EventPage, Snapshot, Store, StoreError, change};

/// Keeps records in a directory of this host, durably.
///
/// # Behavior
///
/// One thread writes. It takes all commits that wait, of any domain, applies them as one atomic batch
/// of sled, syncs once and answers them all; so an acknowledged commit survives `kill -9` and power loss,
/// as far as the disk keeps its word. Claims are proven from memory. Another thread reads events. Both end when the store is dropped.
///
/// Records are JSON that names its format, such as `{"v":1,"vm":{…}}`. A record of a newer format, or
/// one that cannot be read, is told by name with the others of its domain, and is left as it is.
///
/// # What is detected
///
/// sled cuts off what it cannot read, and makes an empty database where one is missing. Therefore a
/// copy of the database is opened and read before the database itself is touched, which takes room and time as the
/// database does: every record, and of the events the newest and the oldest thousands, which are what commits touch. An event
/// between these that is damaged is found by who reads it. The store is refused as damaged, and left as it is, if
///
/// * the database is missing, empty, or not readable to its end;
/// * it does not hold every acknowledged write. The file `head` counts them; it is written after each,
///   but not synced. So after a crash of the process any loss is found, and after a power failure a loss of
///   what was acknowledged at least some seconds (the system's write-back time) before it;
/// * it holds records, but the marker `vmpool-store.json` is gone.
///
/// What is not detected: an older copy of the whole directory, and writes of other programs that keep
/// sled's checksums valid.
///
/// # When writing fails
///
/// The database is opened again, which most often tells whether the commit happened; if it does not, the error
/// [is of unknown effect](StoreError::is_unknown). Jobs are refused while the database cannot be
/// opened; they are served again when it can, as after a full disk was cleared. If the disk did not make a
/// write durable, the system may show what the disk does not have: all jobs are refused until the
/// store is opened anew.
///
/// Room is set aside in the file `reserve`. When the disk is full, that file is removed and the store goes on with its room:
/// it [is short](Store::is_short) until the room can be set aside again.
///
/// # Examples
///
/// ```
/// use vmpool_store::{Batch, SledOptions, SledStore, Store, model::DomainName};
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("store");
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let store = SledStore::open(SledOptions::new(&path))?;
/// let claim = store.claim(&DomainName::new("main")?, "host-1").await?;
/// let done = store.commit(&claim, Batch::default()).await?;
/// drop(store);
/// let store = SledStore::open(SledOptions::new(&path))?;
/// assert_eq!(store.load(&claim.domain).await?.revision, done.revision);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SledStore {
    place: PathBuf,
    readable: Readable,
    is_short: Arc<AtomicBool>,
    jobs: Option<mpsc::Sender<Job>>,
    reads: Option<mpsc::Sender<ReadJob>>,
    threads: Vec<JoinHandle<()>>,
}

impl SledStore {
    /// Opens the store, or makes it where there is none; blocks while it does.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] if another process, or this one, has it open; [`StoreError::Damaged`] and
    /// [`StoreError::NewerVersion`] as said [above](Self#what-is-detected); [`StoreError::Full`] if there is no room
    /// for a copy; [`StoreError::Io`] with the system's reason for all else.
    pub fn open(options: SledOptions) -> Result<Self, StoreError> {
        let place = Place::take(&options.path)?;
        let reserve = Reserve::new(place.reserve(), options.reserve_bytes);
        let (opened, head) = open::open(&place, &options)?;
        reserve.set_aside();
        let readable = Readable::default();
        let mut store = Self {
            place: options.path.clone(),
            readable: readable.clone(),
            is_short: reserve.shortage(),
            jobs: None,
            reads: None,
            threads: Vec::new(),
        };
        let committer = Committer::new(place, reserve, options, opened, head, readable.clone());
        let (jobs, receiver) = mpsc::channel();
        store.spawn("vmpool-store", move || committer.serve(&receiver))?;
        store.jobs = Some(jobs);
        let (reads, receiver) = mpsc::channel();
        store.spawn("vmpool-events", move || readable.serve(&receiver))?;
        store.reads = Some(reads);
        Ok(store)
    }

    fn spawn(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
        let spawned = thread::Builder::new().name(name.to_owned()).spawn(run);
        let thread = spawned.map_err(|err: io::Error| Fault::from(err).while_opening(&self.place))?;
        self.threads.push(thread);
        Ok(())
    }

    async fn ask<T, J>(
        &self,
        jobs: Option<&mpsc::Sender<J>>,
        job: impl FnOnce(Answer<T>) -> J,
    ) -> Result<T, StoreError> {
        let (sender, answer) = oneshot::channel();
        let sent = jobs.is_some_and(|jobs| jobs.send(job(sender)).is_ok());
        match answer.await {
            Ok(answer) => answer,
            Err(oneshot::Canceled) => Err(unanswered(self.place.display().to_string(), sent)),
        }
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        self.jobs = None;
        self.reads = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked has told so, and has no more to do.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for SledStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SledStore").field("place", &self.place).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for SledStore {
    async fn claim(&self, domain: &DomainName, holder: &str) -> Result<Claim, StoreError> {
        let (domain, holder) = (domain.clone(), holder.to_owned());
        self.ask(self.jobs.as_ref(), |answer| Job::Claim { domain, holder, answer }).await
    }

    async fn load(&self, domain: &DomainName) -> Result<Snapshot, StoreError> {
        let domain = domain.clone();
        self.ask(self.jobs.as_ref(), |answer| Job::Load { domain, answer }).await
    }

    async fn commit(&self, claim: &Claim, batch: Batch) -> Result<Committed, StoreError> {
        change::check_all(&batch.changes, &self.place.display().to_string())?;
        let claim = claim.clone();
        self.ask(self.jobs.as_ref(), |answer| Job::Commit { claim, batch, answer }).await
    }

    async fn prove(&self, claim: &Claim) -> Result<(), StoreError> {
        self.readable.prove(claim)
    }

    fn is_short(&self) -> bool {
        self.is_short.load(Ordering::Relaxed)
    }

    async fn events(
        &self,
        domain: &DomainName,
        after: Cursor,
        limit: usize,
    ) -> Result<EventPage, StoreError> {
        let domain = domain.clone();
        self.ask(self.reads.as_ref(), |answer| ReadJob { domain, after, limit, answer }).await
    }
}
