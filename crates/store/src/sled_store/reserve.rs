//! Room on the disk that is set aside, so that what matters can still be written when the disk is full.

use std::{
    fs::{self, File},
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::fs::{FallocateFlags, fallocate};

/// A file that only takes up room, until the store needs that room.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    bytes: u64,
    is_short: Arc<AtomicBool>,
}

impl Reserve {
    /// Makes a reserve that is not set aside; gives the room of an earlier one free, which opening the store may need.
    pub(super) fn new(path: PathBuf, bytes: u64) -> Self {
        let reserve = Self { path, bytes, is_short: Arc::default() };
        reserve.remove();
        reserve
    }

    /// Returns where it is told whether the room is in use.
    pub(super) fn shortage(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_short)
    }

    /// Returns whether the room is in use, or could not be set aside.
    pub(super) fn is_short(&self) -> bool {
        self.is_short.load(Ordering::Relaxed)
    }

    /// Sets the room aside, if there is as much again; otherwise the store is short of room.
    pub(super) fn set_aside(&self) {
        if self.bytes == 0 {
            return;
        }
        let made = self.make();
        if made.is_err() {
            self.remove();
        }
        self.is_short.store(made.is_err(), Ordering::Relaxed);
    }

    /// Gives the room to the store; returns whether there was any.
    pub(super) fn give(&self) -> bool {
        let is_there = self.bytes != 0 && self.remove();
        if is_there {
            self.is_short.store(true, Ordering::Relaxed);
        }
        is_there
    }

    fn make(&self) -> io::Result<()> {
        let file = File::create(&self.path)?;
        // Twice as much, so that the next write does not need it at once.
        fallocate(&file, FallocateFlags::empty(), 0, self.bytes.saturating_mul(2))?;
        file.set_len(self.bytes)
    }

    fn remove(&self) -> bool {
        fs::remove_file(&self.path).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_set_aside_given_once_and_set_aside_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("reserve");
        let reserve = Reserve::new(path.clone(), 4096);
        reserve.set_aside();
        assert_eq!((fs::metadata(&path).unwrap().len(), reserve.is_short()), (4096, false));
        assert!(reserve.give() && !path.exists() && reserve.is_short());
        assert!(!reserve.give());
        reserve.set_aside();
        assert!(path.exists() && !reserve.is_short());
    }

    #[test]
    fn who_cannot_set_room_aside_is_short_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("reserve");
        // More than any disk has.
        let reserve = Reserve::new(path.clone(), 1 << 61);
        reserve.set_aside();
        assert!(!path.exists() && reserve.is_short());
    }

    #[test]
    fn a_reserve_of_nothing_is_never_short() {
        let dir = tempfile::tempdir().unwrap();
        let reserve = Reserve::new(dir.path().join("reserve"), 0);
        reserve.set_aside();
        assert!(!reserve.give() && !reserve.is_short());
    }
}
