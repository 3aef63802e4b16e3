//! A small disk for the daemon's state, for a while.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use super::damage::{clear, copy, size};

/// Set for a process that may mount disks, because it has a namespace of its own.
const NAMESPACE: &str = "VMPOOL_CRASH_NAMESPACE";

/// Whether this process may mount small disks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disks {
    /// It has a namespace of its own.
    Mountable,
    /// It has none: rounds on a full disk are left out.
    LeftOut,
}

impl Disks {
    /// Tells it of this process.
    #[must_use]
    pub fn of_this_process() -> Self {
        match std::env::var_os(NAMESPACE) {
            Some(_) => Self::Mountable,
            None => Self::LeftOut,
        }
    }

    /// Prepares the run of a program in a namespace of its own; `None` if there are none here.
    #[must_use]
    pub fn command(program: &Path) -> Option<Command> {
        let options = ["--user", "--map-root-user", "--mount"];
        let works =
            Command::new("unshare").args(options).arg("true").output().is_ok_and(|out| out.status.success());
        works.then(|| {
            let mut command = Command::new("unshare");
            command.args(options).arg(program).env(NAMESPACE, "1");
            command
        })
    }
}

/// A small disk in the place of a folder, with what the folder had; all is moved back when it is taken away.
#[derive(Debug)]
pub(super) struct SmallDisk {
    folder: PathBuf,
    kept: PathBuf,
}

impl SmallDisk {
    /// Mounts a disk with little more room than the store in the folder needs.
    pub(super) fn mount(folder: &Path) -> Result<Self, String> {
        let kept = folder.with_extension("kept");
        let room = size(folder).map_err(told("measure", folder))? * 3 + (28 << 20);
        copy(folder, &kept).map_err(told("copy", folder))?;
        let options = format!("size={room}");
        command("mount", &["-t", "tmpfs", "-o", &options, "none"], folder)?;
        let disk = Self { folder: folder.to_owned(), kept };
        copy(&disk.kept, folder).map_err(told("fill", folder))?;
        Ok(disk)
    }

    /// Writes until the disk takes no more.
    pub(super) fn fill(&self) -> Result<(), String> {
        let mut file = fs::File::create(self.filler()).map_err(told("fill", &self.folder))?;
        for size in [1 << 20, 4096, 1] {
            while file.write_all(&vec![1; size]).is_ok() {}
        }
        Ok(())
    }

    /// Makes room again.
    pub(super) fn free(&self) -> Result<(), String> {
        fs::remove_file(self.filler()).map_err(told("free", &self.folder))
    }

    /// Takes the disk away; nothing may use it any more.
    pub(super) fn unmount(self) -> Result<(), String> {
        // There may be no filler any more.
        let _ = fs::remove_file(self.filler());
        let failed = told("move back", &self.folder);
        clear(&self.kept).and_then(|()| copy(&self.folder, &self.kept)).map_err(failed)?;
        command("umount", &[], &self.folder)?;
        let moved = clear(&self.folder).and_then(|()| copy(&self.kept, &self.folder));
        moved.and_then(|()| fs::remove_dir_all(&self.kept)).map_err(told("move back", &self.folder))
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }
}

fn told<'a>(tried: &'a str, folder: &'a Path) -> impl FnOnce(io::Error) -> String + 'a {
    move |err| format!("failed to {tried} {}: {err}", folder.display())
}

fn command(program: &str, arguments: &[&str], folder: &Path) -> Result<(), String> {
    match Command::new(program).args(arguments).arg(folder).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            Err(format!("{program} {}: {}", folder.display(), String::from_utf8_lossy(&output.stderr)))
        }
        Err(err) => Err(format!("failed to start {program}: {err}")),
    }
}
