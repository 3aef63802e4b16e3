//! What a crash, or worse, does to the files of a store.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt as _,
    path::Path,
};

/// What is done to the files of a daemon that is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// There is more behind the end of the database, as of a write that never ended.
    Tail,
    /// One of the two lines that count what was acknowledged is torn.
    Head,
    /// Drafts and the copy of an earlier start are there, cut off.
    Drafts,
    /// The end of the database is gone.
    Cut,
    /// The end of the database is zeros.
    Zeros,
    /// A bit of the database is not what it was.
    Bit,
}

impl Damage {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Tail, Self::Head, Self::Drafts, Self::Cut, Self::Zeros, Self::Bit];

    /// Returns whether the process may have left the files so itself when it was killed: the store must open.
    #[must_use]
    pub fn is_harmless(self) -> bool {
        matches!(self, Self::Tail | Self::Head | Self::Drafts)
    }

    /// Does it to the store in `state`.
    pub(super) fn apply(self, state: &Path, rng: &mut fastrand::Rng) -> io::Result<()> {
        let data = state.join("sled/db");
        let size = fs::metadata(&data)?.len();
        let database = || OpenOptions::new().write(true).read(true).open(&data);
        let near_the_end = size.min(64 << 10);
        match self {
            Self::Tail => {
                let garbage: Vec<u8> = (0..rng.usize(1..300_000)).map(|_| rng.u8(..)).collect();
                database()?.write_all_at(&garbage, size)
            }
            Self::Head => {
                let head = OpenOptions::new().write(true).open(state.join("head"))?;
                head.write_all_at(b"vmpool-head 1 000000000009", rng.u64(0..2) * 512)
            }
            Self::Drafts => {
                fs::create_dir_all(state.join("trial/blobs"))?;
                fs::write(state.join("trial/db"), "cut o")?;
                fs::write(state.join("head.new"), "vmpool-he")?;
                fs::write(state.join("vmpool-store.json.new"), "{\"v\"")?;
                File::create(state.join("reserve"))?.set_len(3)
            }
            Self::Cut => database()?.set_len(size - rng.u64(1..=near_the_end)),
            Self::Zeros => {
                let length = rng.u64(1..=near_the_end);
                let zeros = vec![0; usize::try_from(length).unwrap_or_default()];
                database()?.write_all_at(&zeros, size - length)
            }
            Self::Bit => {
                let place = size - rng.u64(1..=near_the_end);
                let mut byte = [0];
                let database = database()?;
                database.read_exact_at(&mut byte, place)?;
                database.write_all_at(&[byte[0] ^ 1 << rng.u8(0..8)], place)
            }
        }
    }
}

/// Copies a folder over another one, but for what a store makes anew.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &target)?,
            false if entry.file_name() == "reserve" => {}
            false => drop(fs::copy(entry.path(), target)?),
        }
    }
    Ok(())
}

/// Removes what is in a folder, but not the folder.
pub(super) fn clear(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => fs::remove_dir_all(entry.path())?,
            false => fs::remove_file(entry.path())?,
        }
    }
    Ok(())
}

/// Returns how many bytes the files of a folder have.
pub(super) fn size(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        bytes += match entry.file_type()?.is_dir() {
            true => size(&entry.path())?,
            false => entry.metadata()?.len(),
        };
    }
    Ok(bytes)
}
