//! A directory that nobody else looks into, for as long as it is needed.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use vmpool_driver::ConnectError;

use super::process::PASSWORD;

/// A directory of this user alone; it is removed when this is dropped.
#[derive(Debug)]
pub(super) struct PrivateDir {
    path: PathBuf,
}

impl PrivateDir {
    pub(super) fn new() -> io::Result<Self> {
        loop {
            let name = format!("vmpool-ssh-{:016x}", fastrand::u64(..));
            let path = std::env::temp_dir().join(name);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(err) if err.kind() == io::ErrorKind::AlreadyExists => {}
                Err(err) => return Err(err),
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the program that `ssh` asks for the password; the password is not in it.
    pub(super) fn askpass(&self) -> Result<PathBuf, ConnectError> {
        let path = self.path.join("askpass");
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o700).open(&path)?;
            write!(file, "#!/bin/sh\nprintf '%s\\n' \"${PASSWORD}\"\n")
        };
        match write() {
            Ok(()) => Ok(path),
            Err(err) => Err(ConnectError::Fatal(format!("cannot write {}: {err}", path.display()))),
        }
    }
}

impl Drop for PrivateDir {
    fn drop(&mut self) {
        // If it stays, it holds host keys and no secret.
        let _ = fs::remove_dir_all(&self.path);
    }
}
