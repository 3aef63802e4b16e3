//! The cloud itself, shared by its drivers and by those who look into it.

use std::{
    collections::{HashMap, VecDeque},
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use vmpool_driver::Operation;
use vmpool_model::{Node, NodeId, Timestamp, Token, states::NodeState};

use crate::{
    Call, Clock, DummyConfig, Fault, InvalidCreds,
    clock::system_clock,
    hints::Mailbox,
    history::History,
    journal::{self, Journal, JournalError},
    libcloud,
    machine::number_of,
    state::{Change, Counts, State},
};

/// A cloud in memory that several [`DummyDriver`](crate::DummyDriver)s can share, and that can be looked into.
///
/// Clones are handles to the same cloud.
///
/// ```
/// use vmpool_dummy::{DummyCloud, DummyConfig};
/// let cloud = DummyCloud::in_memory(DummyConfig::default())?;
/// assert!(cloud.nodes().is_empty());
/// # Ok::<(), vmpool_dummy::CloudError>(())
/// ```
#[derive(Clone)]
pub struct DummyCloud {
    inner: Arc<Mutex<Inner>>,
}

/// Says why a cloud could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CloudError {
    /// The credentials of libcloud's dummy driver cannot be used.
    #[error(transparent)]
    Creds(#[from] InvalidCreds),
    /// The file of the cloud cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A node of the cloud cannot be named.
    #[error("a first node cannot be made: {0}")]
    Name(#[from] vmpool_model::InvalidName),
}

/// How a node ends that nobody destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Death {
    /// It is in error until it is destroyed.
    Error,
    /// It is terminated, and shown so until it is destroyed.
    Terminated,
    /// It is not there any more, as if somebody else had destroyed it.
    Vanished,
}

pub(crate) struct Inner {
    pub(crate) config: DummyConfig,
    pub(crate) state: State,
    pub(crate) rng: fastrand::Rng,
    pub(crate) history: History,
    pub(crate) script: HashMap<Operation, VecDeque<Fault>>,
    pub(crate) last_listing: Option<Vec<Node>>,
    /// What waits for the readers of hints.
    pub(crate) mailboxes: Vec<Weak<Mutex<Mailbox>>>,
    clock: Clock,
    keeper: Keeper,
}

/// What keeps the changes.
enum Keeper {
    Memory,
    File(Journal),
    /// Somebody else's file was read; nothing here may change.
    Nobody,
}

impl DummyCloud {
    /// Makes a cloud that ends with its last handle; [`DummyConfig::path`] is not used.
    ///
    /// # Errors
    ///
    /// If the cloud cannot begin with so many nodes as [`DummyConfig::libcloud`] asks for.
    pub fn in_memory(config: DummyConfig) -> Result<Self, CloudError> {
        let clock = system_clock();
        let state = begin(&config, clock())?;
        Ok(Self::assemble(config, state, clock, Keeper::Memory))
    }

    /// Opens the cloud that the configuration describes: the one in the file [`DummyConfig::path`], which
    /// begins if there is none yet, or a new one in memory.
    ///
    /// A cloud in a file outlives its process, even one that is killed, and its nodes go on booting, ending and
    /// dying meanwhile.
    ///
    /// # Errors
    ///
    /// Those of [`in_memory`](Self::in_memory), and [`CloudError::Journal`] if the file is in use, damaged
    /// or not accessible.
    pub fn open(config: DummyConfig) -> Result<Self, CloudError> {
        let Some(path) = config.path.clone() else { return Self::in_memory(config) };
        let clock = system_clock();
        let (journal, state) = Journal::open(&path, || begin(&config, clock()))?;
        Ok(Self::assemble(config, state, clock, Keeper::File(journal)))
    }

    /// Reads the cloud in a file as it is at this moment, even while another process writes it.
    ///
    /// The cloud that is returned can be looked into, and refuses every change.
    ///
    /// # Errors
    ///
    /// [`CloudError::Journal`] if there is no such file or it is damaged.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, CloudError> {
        let path = path.as_ref();
        let state = journal::read(path)?.ok_or_else(|| JournalError::Io {
            what: "read",
            path: path.to_owned(),
            source: io::ErrorKind::NotFound.into(),
        })?;
        let config = DummyConfig::default().with_path(path);
        Ok(Self::assemble(config, state, system_clock(), Keeper::Nobody))
    }

    fn assemble(config: DummyConfig, state: State, clock: Clock, keeper: Keeper) -> Self {
        let inner = Inner {
            rng: fastrand::Rng::with_seed(config.seed.wrapping_add(state.counts().next_number)),
            config,
            state,
            history: History::default(),
            script: HashMap::new(),
            last_listing: None,
            mailboxes: Vec::new(),
            clock,
            keeper,
        };
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    /// Gives the cloud another clock than the system's; what has its times keeps them.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        self.lock().clock = clock;
        self
    }

    /// Changes the configuration from now on: latencies, quota, faults, features; `seed`, `path` and
    /// `libcloud` have had their effect.
    pub fn reconfigure(&self, change: impl FnOnce(&mut DummyConfig)) {
        change(&mut self.lock().config);
    }

    /// Returns all nodes that there are, those included that calls cannot see yet.
    #[must_use]
    pub fn nodes(&self) -> Vec<Node> {
        let inner = self.lock();
        let now = inner.now();
        inner
            .state
            .machines()
            .filter(|machine| !machine.is_gone(now))
            .map(|machine| machine.show(now))
            .collect()
    }

    /// Returns one of the [`nodes`](Self::nodes), without a look at the others.
    ///
    /// ```
    /// use vmpool_dummy::{DummyCloud, DummyConfig};
    /// let cloud = DummyCloud::in_memory(DummyConfig::default())?;
    /// assert_eq!(cloud.node(&"17".parse()?), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn node(&self, id: &NodeId) -> Option<Node> {
        let inner = self.lock();
        let now = inner.now();
        let machine = inner.state.get(number_of(id)?)?;
        (!machine.is_gone(now)).then(|| machine.show(now))
    }

    /// Returns the last calls, oldest first; [`DummyConfig::history`] says how many are kept.
    #[must_use]
    pub fn history(&self) -> Vec<Call> {
        self.lock().history.calls()
    }

    /// Returns how many calls of an operation there were since the cloud was opened.
    #[must_use]
    pub fn calls(&self, operation: Operation) -> u64 {
        self.lock().history.count(operation)
    }

    /// Returns how many nodes were ever created.
    #[must_use]
    pub fn created(&self) -> u64 {
        self.lock().state.counts().created
    }

    /// Returns how many nodes there ever were at once.
    #[must_use]
    pub fn peak(&self) -> usize {
        self.lock().state.counts().peak
    }

    /// Returns the tokens that two nodes ever carried at once, whether or not they still do.
    #[must_use]
    pub fn find_duplicate_tokens(&self) -> Vec<Token> {
        self.lock().state.counts().duplicates.iter().cloned().collect()
    }

    /// Lets the next call of an operation meet a fault; several faults wait in line.
    pub fn fail_next(&self, operation: Operation, fault: Fault) {
        self.lock().script.entry(operation).or_default().push_back(fault);
    }

    /// Ends a node that nobody destroyed; returns whether there was such a node and the end could be kept.
    pub fn kill_node(&self, id: &NodeId, death: Death) -> bool {
        let mut inner = self.lock();
        let now = inner.now();
        let machine = number_of(id).and_then(|number| inner.state.get(number));
        let Some(mut machine) = machine.filter(|machine| !machine.is_gone(now)).cloned() else {
            return false;
        };
        let change = match death {
            Death::Vanished => Change::Remove(machine.number),
            Death::Error | Death::Terminated => {
                let state = if death == Death::Error { NodeState::Error } else { NodeState::Terminated };
                machine.turn(state, None);
                machine.dies_at = None;
                Change::Upsert(Box::new(machine))
            }
        };
        inner.commit(vec![change]).is_ok()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change is made in one step, so a panic elsewhere leaves nothing half done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Makes changes, and keeps them first if the cloud is to outlive the process.
    pub(crate) fn commit(&mut self, changes: Vec<Change>) -> io::Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        match &mut self.keeper {
            Keeper::Memory => {}
            Keeper::File(journal) => journal.append(&changes)?,
            Keeper::Nobody => return Err(io::Error::other("it was opened for reading only")),
        }
        changes.into_iter().for_each(|change| self.state.apply(change));
        if let Keeper::File(journal) = &mut self.keeper {
            journal.compact(&self.state);
        }
        self.each_mailbox(Mailbox::stir);
        Ok(())
    }

    /// Draws whether something of this probability happens.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        0.0 < probability && self.rng.f64() < probability
    }
}

impl std::fmt::Debug for DummyCloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let inner = self.lock();
        let nodes = inner.state.len();
        f.debug_struct("DummyCloud")
            .field("nodes", &nodes)
            .field("config", &inner.config)
            .finish_non_exhaustive()
    }
}

fn begin(config: &DummyConfig, now: Timestamp) -> Result<State, CloudError> {
    match &config.libcloud {
        Some(creds) => Ok(libcloud::begin(creds.first_nodes()?, now)?),
        None => Ok(State::new(Counts { next_number: 1, ..Counts::default() })),
    }
}
