//! The directory of a store: its lock, its marker, and what is in it.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{body, fault::Fault};
use crate::StoreError;

/// The name of the file that says that there is a store in the directory, and in which format.
const MARKER: &str = "vmpool-store.json";

/// A directory that this process alone uses, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    dir: PathBuf,
    /// Locked for as long as it is open.
    _lock: File,
}

/// What the marker says of the store.
#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    backend: String,
}

impl Place {
    /// Makes the directory if need be, and takes it for this process alone.
    pub(super) fn take(dir: &Path) -> Result<Self, StoreError> {
        let fault = |err: io::Error| Fault::from(err).while_opening(dir);
        create_dir_durably(dir).map_err(|err| match not_a_directory(dir) {
            Some(place) => StoreError::NotADirectory { place: place.display().to_string() },
            None => fault(err),
        })?;
        let path = dir.join("lock");
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let lock = lock.map_err(fault)?;
        match lock.try_lock() {
            Ok(()) => {
                // Only for people: whose the store is, the lock itself tells.
                let _ = lock.set_len(0).and_then(|()| write!(&lock, "{}", std::process::id()));
                Ok(Self { dir: dir.to_owned(), _lock: lock })
            }
            Err(TryLockError::WouldBlock) => {
                let process = fs::read_to_string(&path).ok().and_then(|id| id.trim().parse().ok());
                Err(StoreError::InUse { place: dir.display().to_string(), process })
            }
            Err(TryLockError::Error(err)) => Err(fault(err)),
        }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn head(&self) -> PathBuf {
        self.dir.join("head")
    }

    /// Returns the file that keeps room free.
    pub(super) fn reserve(&self) -> PathBuf {
        self.dir.join("reserve")
    }

    /// Returns the directory that sled works in.
    pub(super) fn sled(&self) -> PathBuf {
        self.dir.join("sled")
    }

    /// Returns where a copy of sled's directory is tried out.
    pub(super) fn trial(&self) -> PathBuf {
        self.dir.join("trial")
    }

    /// Returns whether the store was once made, and refuses one that this version cannot read.
    pub(super) fn is_marked(&self) -> Result<bool, StoreError> {
        let path = self.dir.join(MARKER);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(err) => return Err(Fault::from(err).while_opening(&path)),
        };
        let marker: Marker = body::decode_at(|| path.display().to_string(), "store", &text)?;
        match marker.backend == "sled" {
            true => Ok(true),
            false => Err(StoreError::Damaged {
                place: path.display().to_string(),
                reason: format!("it is the mark of a store of kind {:?}, not of sled", marker.backend),
            }),
        }
    }

    /// Says durably that the store was made; the last step of making one.
    pub(super) fn mark(&self) -> Result<(), Fault> {
        let marker = Marker { backend: "sled".to_owned() };
        let text = body::encode("store", &marker).map_err(io::Error::from)?;
        let (path, draft) = (self.dir.join(MARKER), self.dir.join("vmpool-store.json.new"));
        fs::write(&draft, text)?;
        File::open(&draft)?.sync_all()?;
        fs::rename(&draft, &path)?;
        self.sync(false)
    }

    /// Makes durable which files there are, and the one that sled itself leaves to chance. All that is `known` to be there since
    /// the store was made is so already.
    pub(super) fn sync(&self, known: bool) -> Result<(), Fault> {
        let sled = self.sled();
        if known {
            return Ok(sync_dir(&sled)?);
        }
        File::open(sled.join("conf"))?.sync_all()?;
        for dir in [sled.join("blobs").as_path(), &sled, &self.dir] {
            sync_dir(dir)?;
        }
        Ok(())
    }
}

/// Copies the files of a directory and of those in it.
pub(super) fn copy_dir(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy_dir(&entry.path(), &target)?,
            false => drop(fs::copy(entry.path(), target)?),
        }
    }
    Ok(())
}

/// Removes a directory with everything in it, if it exists.
pub(super) fn remove_dir(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => Err(err),
        _ => Ok(()),
    }
}

pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Returns what is no directory where one is needed: the path itself, or one above it.
fn not_a_directory(dir: &Path) -> Option<&Path> {
    dir.ancestors().find(|path| path.exists()).filter(|path| !path.is_dir())
}

/// Makes a directory and those above it, and makes durable that they are there.
fn create_dir_durably(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let parent = match dir.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => Path::new("/"),
    };
    create_dir_durably(parent)?;
    match fs::create_dir(dir) {
        Err(err) if err.kind() != io::ErrorKind::AlreadyExists || !dir.is_dir() => Err(err),
        _ => sync_dir(parent),
    }
}
