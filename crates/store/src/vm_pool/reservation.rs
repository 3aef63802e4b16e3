//! Places in a pool that are taken before there is a VM.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::PathBuf,
    sync::Arc,
};

use vmpool_model::Node;

use super::{
    Place, VmPool, VmPoolError,
    directory::{Directory, Turn},
};

const BEGIN: &str = ".slot-";

/// A place in a pool with a limit, taken before the VM is created.
///
/// It counts as a VM for every process that uses the pool, until it is filled or dropped; it ends
/// with its process.
#[derive(Debug)]
#[must_use = "the place is free again when this is dropped"]
pub struct Reservation<'pool> {
    pool: &'pool VmPool,
    slot: Slot,
}

impl<'pool> Reservation<'pool> {
    pub(super) fn new(pool: &'pool VmPool, slot: Slot) -> Self {
        Self { pool, slot }
    }

    /// Fills the place with a VM; see [`VmPool::add_vm`].
    ///
    /// # Errors
    ///
    /// Those of [`VmPool::add_vm`], but for the limit; the place is free then.
    pub fn add_vm(self, vm: impl Into<Arc<Node>>, cache: bool) -> Result<(), VmPoolError> {
        self.pool.add(vm.into(), cache, Place::Reserved(self.slot))
    }
}

/// A file that is locked by the process that took the place.
#[derive(Debug)]
pub(super) struct Slot {
    path: PathBuf,
    _lock: File,
}

impl Slot {
    /// Takes a place, if there are fewer than `limit` VMs and places taken.
    pub(super) fn take(turn: &Turn, directory: &Directory, limit: usize) -> Result<Self, VmPoolError> {
        check_limit(turn, directory, limit)?;
        let mut number = 0;
        loop {
            let path = directory.path().join(format!("{BEGIN}{number}"));
            let made = OpenOptions::new().write(true).create_new(true).open(&path);
            match made.and_then(|file| file.lock().map(|()| file)) {
                Ok(lock) => return Ok(Self { path, _lock: lock }),
                Err(err) if err.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(err) => return Err(VmPoolError::io("reserving", path, &err)),
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // If it stays, the next who counts finds it unlocked and removes it.
        let _ = fs::remove_file(&self.path);
    }
}

/// Refuses one more VM if there are `limit` VMs and places taken already.
pub(super) fn check_limit(_turn: &Turn, directory: &Directory, limit: usize) -> Result<(), VmPoolError> {
    let names = directory.names()?;
    let taken = names.iter().filter(|name| name.starts_with(BEGIN) && is_taken(directory, name)).count();
    match directory.ids()?.len() + taken < limit {
        true => Ok(()),
        false => Err(VmPoolError::LimitReached { limit }),
    }
}

/// Returns whether the process that took a place lives; removes the place if not.
fn is_taken(directory: &Directory, name: &str) -> bool {
    let path = directory.path().join(name);
    let Ok(file) = File::open(&path) else { return false };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => true,
        _ => {
            let _ = fs::remove_file(&path);
            false
        }
    }
}
