//! The file `head`: how far the store had certainly come.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::Path,
};

/// The size of a slot; two of them are used in turn, so that a torn write spoils only one.
const SLOT: u64 = 512;

/// Remembers the sequence of the last acknowledged write.
///
/// It is written after the write itself was made durable, and is not synced: it is never ahead of the
/// database. What the system writes back late may be lost in a power failure; then it is behind, and
/// detects less. After a crash of the process alone it is exact.
#[derive(Debug)]
pub(super) struct Head {
    file: File,
}

impl Head {
    /// Makes the file, in place of an earlier one if there is one, and makes it durable.
    ///
    /// Whenever the process is killed, there is the earlier file or the new one, and each is whole.
    pub(super) fn create(path: &Path, sequence: u64) -> io::Result<Self> {
        let draft = path.with_extension("new");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&draft)?;
        let head = Self { file };
        // Both slots, so that later writes need no more room.
        head.write(sequence.saturating_sub(1))?;
        head.write(sequence)?;
        head.file.sync_all()?;
        fs::rename(&draft, path)?;
        if let Some(dir) = path.parent() {
            File::open(dir)?.sync_all()?;
        }
        Ok(head)
    }

    /// Opens the file and reads the newest sequence in it.
    pub(super) fn open(path: &Path) -> io::Result<(Self, u64)> {
        let head = Self { file: OpenOptions::new().read(true).write(true).open(path)? };
        let slots = [head.read(0), head.read(1)];
        match slots.into_iter().flatten().max() {
            Some(sequence) => Ok((head, sequence)),
            None => Err(io::Error::new(io::ErrorKind::InvalidData, "it holds no valid line")),
        }
    }

    /// Reads the newest sequence in the file and changes nothing.
    pub(super) fn look(path: &Path) -> io::Result<u64> {
        let head = Self { file: File::open(path)? };
        let found = [head.read(0), head.read(1)].into_iter().flatten().max();
        found.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it holds no valid line"))
    }

    pub(super) fn write(&self, sequence: u64) -> io::Result<()> {
        self.file.write_all_at(line(sequence).as_bytes(), sequence % 2 * SLOT)
    }

    fn read(&self, slot: u64) -> Option<u64> {
        let mut found = vec![0; line(0).len()];
        self.file.read_exact_at(&mut found, slot * SLOT).ok()?;
        let text = String::from_utf8(found).ok()?;
        let sequence = text.split(' ').nth(2)?.parse().ok()?;
        (text == line(sequence)).then_some(sequence)
    }
}

fn line(sequence: u64) -> String {
    let text = format!("vmpool-head 1 {sequence:020}");
    format!("{text} {:016x}\n", checksum(text.as_bytes()))
}

/// FNV-1a, 64 bits: enough to tell a torn line from a whole one.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_sequence_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("head");
        let head = Head::create(&path, 7).unwrap();
        head.write(8).unwrap();
        assert_eq!(Head::open(&path).unwrap().1, 8);
    }

    #[test]
    fn an_earlier_file_is_whole_until_the_new_one_takes_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("head");
        drop(Head::create(&path, 7).unwrap());
        let (earlier, _) = Head::open(&path).unwrap();
        drop(Head::create(&path, 9).unwrap());
        assert_eq!([earlier.read(0), earlier.read(1)], [Some(6), Some(7)]);
        assert_eq!(Head::open(&path).unwrap().1, 9);
    }

    #[test]
    fn what_a_killed_process_left_of_a_new_file_does_not_matter() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("head");
        drop(Head::create(&path, 7).unwrap());
        fs::write(dir.path().join("head.new"), "vmpool-he").unwrap();
        assert_eq!(Head::open(&path).unwrap().1, 7);
        drop(Head::create(&path, 8).unwrap());
        assert_eq!(Head::open(&path).unwrap().1, 8);
    }

    #[test]
    fn a_torn_line_leaves_the_one_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("head");
        let head = Head::create(&path, 7).unwrap();
        head.write(8).unwrap();
        head.file.write_all_at(b"vmpool-head 1 99999", 0).unwrap();
        assert_eq!(Head::open(&path).unwrap().1, 7);
    }

    #[test]
    fn the_checksum_is_fnv_1a() {
        // From the test vectors of the algorithm's authors.
        assert_eq!(checksum(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
