//! A set of VM ids that survives its process, with a cache over a provider.

mod directory;
mod error;
mod file_name;
mod files;
mod gc3libs;
mod key;
mod lookup;
mod reservation;
mod saved;

use std::{
    collections::BTreeMap,
    fmt,
    net::IpAddr,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use vmpool_driver::Driver;
use vmpool_model::{Node, NodeId};

use self::{
    directory::Directory,
    reservation::{Slot, check_limit},
};
pub use self::{
    error::VmPoolError, files::VmPoolFiles, gc3libs::Gc3libsVms, key::VmKey, reservation::Reservation,
    saved::SavedVmPool,
};

/// A set of VM ids that survives its process, with a cache over a provider.
///
/// Source: gc3libs' `VMPool`, a mixture of a set and a dict: VMs are added and removed, iterating
/// yields their ids, and [`get_vm`](Self::get_vm) looks a VM up in the cache, or else at the provider.
/// It knows no owner, lease or state; the records of a [`Store`](crate::Store) do.
///
/// # Behavior
///
/// The pool is a directory with one small file per VM, which several threads and processes may use at
/// once. A change is on the disk, whole and durable, before the method returns, or it did not happen.
/// Only adding a VM ever makes a file, so what one process removed is never brought back by another
/// that still remembers it. What is cached is always in the set.
///
/// Methods that read or write the directory block for as long as the disk takes.
///
/// # Examples
///
/// ```
/// use vmpool_store::{VmPool, model::{Node, NodeId, states::NodeState}};
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("builders");
/// let pool = VmPool::open(&path)?;
/// let vm = Node::new(NodeId::new("i-1")?, "web-1", NodeState::Running);
/// pool.add_vm(vm.clone(), true)?;
/// assert!(VmPool::open(&path)?.contains(&vm));
/// pool.remove_vm(&vm)?;
/// assert_eq!(pool.to_string(), "VMPool('builders') : {}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct VmPool {
    name: String,
    directory: Directory,
    driver: Option<Arc<dyn Driver>>,
    limit: Option<usize>,
    members: Mutex<Members>,
}

/// What the pool remembers of its directory, and the cache.
#[derive(Default)]
struct Members {
    vms: BTreeMap<NodeId, Member>,
    changed: bool,
}

/// What entitles a VM to be added.
enum Place {
    /// There is room below the limit, if there is one.
    Within(Option<usize>),
    /// A place was taken before.
    Reserved(#[expect(dead_code, reason = "it is held, and freed by being dropped")] Slot),
}

#[derive(Default)]
struct Member {
    preferred_ip: Option<IpAddr>,
    cached: Option<Arc<Node>>,
}

impl VmPool {
    /// Opens the pool in a directory, which is made if need be; no provider is asked.
    ///
    /// # Errors
    ///
    /// [`VmPoolError::NoName`] for a path such as `/`, [`VmPoolError::Io`] if the directory cannot be
    /// made or read, and the errors of [`load`](Self::load).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, VmPoolError> {
        let path = path.as_ref();
        let whole = std::path::absolute(path).map_err(|err| VmPoolError::io("finding", path, &err))?;
        let Some(name) = whole.file_name().map(|name| name.to_string_lossy().into_owned()) else {
            return Err(VmPoolError::NoName { path: path.to_owned() });
        };
        let directory = Directory::open(whole)?;
        let pool = Self { name, directory, driver: None, limit: None, members: Mutex::default() };
        pool.load()?;
        pool.lock().changed = false;
        Ok(pool)
    }

    /// Looks VMs up with a driver.
    #[must_use]
    pub fn with_driver(self, driver: Arc<dyn Driver>) -> Self {
        Self { driver: Some(driver), ..self }
    }

    /// Refuses to hold more than `limit` VMs, counting those of all processes.
    #[must_use]
    pub fn with_limit(self, limit: usize) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Returns the pool's name, which is that of its directory.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the pool's directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Returns how many VMs are known to be in the pool.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().vms.len()
    }

    /// Returns whether no VM is known to be in the pool.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether a VM is known to be in the pool.
    #[must_use]
    pub fn contains(&self, vm: &impl VmKey) -> bool {
        self.lock().vms.contains_key(vm.vm_id())
    }

    /// Yields the ids as they are now; the pool may be changed meanwhile.
    pub fn iter(&self) -> std::vec::IntoIter<NodeId> {
        let ids: Vec<NodeId> = self.lock().vms.keys().cloned().collect();
        ids.into_iter()
    }

    /// Returns whether the set was changed since it was opened; nothing resets it, and nothing that
    /// was changed still needs to be saved.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.lock().changed
    }

    /// Adds a VM to the pool, and to the cache if `cache` is set; else what was cached of it is forgotten.
    ///
    /// A VM that is in the pool already stays in it, with its preferred address.
    ///
    /// # Errors
    ///
    /// [`VmPoolError::LimitReached`], [`VmPoolError::IdTooLong`], or [`VmPoolError::Io`]; nothing was added then.
    pub fn add_vm(&self, vm: impl Into<Arc<Node>>, cache: bool) -> Result<(), VmPoolError> {
        self.add(vm.into(), cache, Place::Within(self.limit))
    }

    /// Takes a place for a VM that is yet to be created, if the pool has a limit and it is not reached.
    ///
    /// Looking at the length and then creating a VM is no bound: two processes may look at once.
    ///
    /// # Errors
    ///
    /// [`VmPoolError::LimitReached`] or [`VmPoolError::Io`].
    pub fn reserve(&self) -> Result<Reservation<'_>, VmPoolError> {
        let turn = self.directory.lock()?;
        let slot = Slot::take(&turn, &self.directory, self.limit.unwrap_or(usize::MAX))?;
        Ok(Reservation::new(self, slot))
    }

    /// Removes a VM from the pool; its provider is not asked, and the VM lives on.
    ///
    /// It is fine if the VM is not in the pool (any more), or the directory has vanished.
    ///
    /// # Errors
    ///
    /// [`VmPoolError::Io`] if the file cannot be removed; the VM stays in the pool then.
    pub fn remove_vm(&self, vm: &impl VmKey) -> Result<(), VmPoolError> {
        let mut members = self.lock();
        match self.directory.lock() {
            Ok(turn) => self.directory.remove(&turn, vm.vm_id())?,
            Err(VmPoolError::Io { kind: std::io::ErrorKind::NotFound, .. }) => {}
            Err(err) => return Err(err),
        }
        members.vms.remove(vm.vm_id());
        members.changed = true;
        Ok(())
    }

    /// Returns the address to use for a VM, as last read, if one was set.
    #[must_use]
    pub fn preferred_ip(&self, vm: &impl VmKey) -> Option<IpAddr> {
        self.lock().vms.get(vm.vm_id()).and_then(|member| member.preferred_ip)
    }

    /// Sets the address to use for a VM, durably; returns whether the VM is in the pool.
    ///
    /// # Errors
    ///
    /// [`VmPoolError::Io`] if it cannot be written; the old address stays then.
    pub fn set_preferred_ip(&self, vm: &impl VmKey, ip: Option<IpAddr>) -> Result<bool, VmPoolError> {
        let mut members = self.lock();
        let turn = self.directory.lock()?;
        if self.directory.read(vm.vm_id())?.is_none() {
            return Ok(false);
        }
        self.directory.write(&turn, vm.vm_id(), ip)?;
        members.vms.entry(vm.vm_id().clone()).or_default().preferred_ip = ip;
        Ok(true)
    }

    /// Makes the set of ids that of the directory; VMs that are in it keep what is cached of them.
    ///
    /// Entries that are not files of VMs are ignored.
    ///
    /// # Errors
    ///
    /// [`VmPoolError::Io`], or [`VmPoolError::Damaged`] or [`VmPoolError::NewerVersion`] naming the file;
    /// nothing was changed then.
    pub fn load(&self) -> Result<(), VmPoolError> {
        self.update(true)
    }

    /// Makes certain that the next [`load`](Self::load) finds all ids.
    ///
    /// They are on the disk since they were added; those that another process removed since then are
    /// removed here, too. No file is written and no provider is asked.
    ///
    /// # Errors
    ///
    /// Those of [`load`](Self::load).
    pub fn save(&self) -> Result<(), VmPoolError> {
        let mut members = self.lock();
        let found = self.directory.read_all()?;
        members.vms.retain(|id, _| found.contains_key(id));
        Ok(())
    }

    /// Adds ids that other processes added; with `remove`, also removes those that other processes removed.
    ///
    /// Without `remove`, such ids stay in this set, but are not put back into the directory.
    ///
    /// # Errors
    ///
    /// Those of [`load`](Self::load).
    pub fn update(&self, remove: bool) -> Result<(), VmPoolError> {
        let mut members = self.lock();
        let found = self.directory.read_all()?;
        let before = members.vms.len();
        if remove {
            members.vms.retain(|id, _| found.contains_key(id));
        }
        let mut changed = members.vms.len() != before;
        for (id, file) in found {
            let member = members.vms.entry(id).or_insert_with(|| {
                changed = true;
                Member::default()
            });
            member.preferred_ip = file.preferred_ip;
        }
        members.changed |= changed;
        Ok(())
    }

    fn add(&self, node: Arc<Node>, cache: bool, place: Place) -> Result<(), VmPoolError> {
        let mut members = self.lock();
        let turn = self.directory.lock()?;
        let known = self.directory.read(&node.id)?;
        if let (None, Place::Within(Some(limit))) = (&known, &place) {
            check_limit(&turn, &self.directory, *limit)?;
        }
        let preferred_ip = known.and_then(|file| file.preferred_ip);
        self.directory.write(&turn, &node.id, preferred_ip)?;
        let id = node.id.clone();
        members.vms.insert(id, Member { preferred_ip, cached: cache.then_some(node) });
        members.changed = true;
        // Still in the same turn, so that nobody counts the place beside the VM.
        drop(place);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        // Members are changed only after the directory was, in one go.
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IntoIterator for &VmPool {
    type Item = NodeId;
    type IntoIter = std::vec::IntoIter<NodeId>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Shows the ids, as gc3libs does.
impl fmt::Debug for VmPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<String> = self.iter().map(|id| format!("'{id}'")).collect();
        write!(f, "{{{}}}", ids.join(", "))
    }
}

/// Shows the name and the ids, as gc3libs does.
impl fmt::Display for VmPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VMPool('{}') : {self:?}", self.name)
    }
}
