//! The file in which a cloud outlives its process: a header, then one change a line.
//!
//! A change is written, with one call, before it is answered; what the kernel has is not lost when the
//! process is killed, so nothing is synced.
//! A last line without its end was never answered and is ignored.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    machine::number_of,
    state::{Change, Counts, State},
};

/// The version of the format that is written, and the only one that is read.
const VERSION: u32 = 1;

/// A file is written anew when it has grown beyond this many bytes, and beyond eight times its length then.
const LONG: u64 = 1 << 20;

/// Says why the file of a cloud cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The system refuses.
    #[error("cannot {what} {}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Another cloud writes the file; only one may.
    #[error("{} is in use: another process, or another provider, has this cloud open", .path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file holds something else than the changes of a cloud.
    #[error("{} line {line}: {reason}; restore the file or delete it", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    vmpool_dummy: u32,
    counts: Counts,
}

/// The file of a cloud, open for writing and locked against other writers.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    len: u64,
    compact_len: u64,
    /// A failed write could not be undone, so what follows it could not be read.
    broken: bool,
    _lock: File,
}

impl Journal {
    /// Locks the file, reads the cloud in it, or makes the one that is to begin there, and writes it anew.
    pub(crate) fn open<E: From<JournalError>>(
        path: &Path,
        begin: impl FnOnce() -> Result<State, E>,
    ) -> Result<(Self, State), E> {
        let lock = lock(path)?;
        let state = match read(path)? {
            Some(state) => state,
            None => begin()?,
        };
        let (file, len) = write(path, &state)?;
        let journal = Self { path: path.to_owned(), file, len, compact_len: len, broken: false, _lock: lock };
        Ok((journal, state))
    }

    /// Writes changes behind the earlier ones; if that fails, the file stays as it was.
    pub(crate) fn append(&mut self, changes: &[Change]) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("an earlier write failed and could not be undone"));
        }
        let mut lines = Vec::new();
        for change in changes {
            line(&mut lines, change)?;
        }
        match self.file.write_all(&lines) {
            Ok(()) => {
                self.len += lines.len() as u64;
                Ok(())
            }
            Err(err) => {
                self.broken = self.file.set_len(self.len).is_err();
                Err(err)
            }
        }
    }

    /// Writes the file anew if most of it is history.
    pub(crate) fn compact(&mut self, state: &State) {
        if self.len <= LONG.max(self.compact_len.saturating_mul(8)) {
            return;
        }
        // If it fails, the long file is as good as before; it is tried again when it has doubled.
        match write(&self.path, state) {
            Ok((file, len)) => (self.file, self.len, self.compact_len) = (file, len, len),
            Err(_) => self.compact_len = self.len / 4,
        }
    }
}

/// Reads the cloud in a file, which another process may be writing; `None` if there is none yet.
pub(crate) fn read(path: &Path) -> Result<Option<State>, JournalError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(JournalError::Io { what: "read", path: path.to_owned(), source }),
    };
    if bytes.is_empty() {
        return Ok(None);
    }
    let damaged = |index: usize, reason: String| JournalError::Damaged {
        path: path.to_owned(),
        line: index + 1,
        reason,
    };
    // What follows the last line's end is empty, or a line that was never finished.
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    lines.pop();
    let Some((first, changes)) = lines.split_first() else {
        return Err(damaged(0, "this is not the file of a dummy cloud".to_owned()));
    };
    let header: Header = serde_json::from_slice(first)
        .map_err(|err| damaged(0, format!("this is not the file of a dummy cloud: {err}")))?;
    if header.vmpool_dummy != VERSION {
        let reason = format!("format {} is not known, only {VERSION} is", header.vmpool_dummy);
        return Err(damaged(0, reason));
    }
    let mut state = State::new(header.counts);
    for (index, line) in changes.iter().enumerate() {
        let change: Change =
            serde_json::from_slice(line).map_err(|err| damaged(index + 1, err.to_string()))?;
        if let Change::Upsert(machine) = &change
            && number_of(&machine.id) != Some(machine.number)
        {
            let reason = format!("node {} cannot have the number {}", machine.id, machine.number);
            return Err(damaged(index + 1, reason));
        }
        state.apply(change);
    }
    Ok(Some(state))
}

/// Takes the right to write the file; it ends with the process, however that ends.
fn lock(path: &Path) -> Result<File, JournalError> {
    // The file itself is replaced when it is written anew, so the lock is on one beside it.
    let beside = beside(path, ".lock");
    let failed = |source| JournalError::Io { what: "lock", path: beside.clone(), source };
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&beside).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Writes a cloud in as few lines as it needs, and puts them in the place of the file at once.
fn write(path: &Path, state: &State) -> Result<(File, u64), JournalError> {
    let new = beside(path, ".new");
    let failed = |source| JournalError::Io { what: "write", path: new.clone(), source };
    let mut lines = Vec::new();
    line(&mut lines, &Header { vmpool_dummy: VERSION, counts: state.counts_before_machines() })
        .map_err(failed)?;
    for machine in state.machines() {
        line(&mut lines, &Change::Upsert(Box::new(machine.clone()))).map_err(failed)?;
    }
    fs::write(&new, &lines).map_err(failed)?;
    fs::rename(&new, path).map_err(failed)?;
    let file = OpenOptions::new().append(true).open(path).map_err(failed)?;
    Ok((file, lines.len() as u64))
}

fn line(lines: &mut Vec<u8>, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *lines, value)?;
    lines.push(b'\n');
    Ok(())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_write_that_could_not_be_undone_nothing_is_written_behind_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cloud");
        let begin = || Ok::<_, JournalError>(State::new(Counts::default()));
        let (mut journal, _) = Journal::open(&path, begin).unwrap();
        let before = fs::read(&path).unwrap();
        let writable = std::mem::replace(&mut journal.file, File::open(&path).unwrap());
        assert!(journal.append(&[Change::Remove(1)]).is_err());
        journal.file = writable;
        assert!(journal.append(&[Change::Remove(2)]).is_err());
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}
