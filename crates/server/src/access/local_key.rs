//! The key that clients of the same user find by themselves.

use std::{
    env, fs,
    fs::{DirBuilder, File},
    io,
    net::SocketAddr,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use super::{AccessError, file, secret::Secret};

/// What a file is called that is not there yet.
const BESIDE: &str = "new";

/// A key in files that only the user of this process can read; they go with it.
pub(crate) struct LocalKey {
    secret: Secret,
    /// The files, locked as long as this process lives.
    files: Vec<(PathBuf, File)>,
}

impl std::fmt::Debug for LocalKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalKey").field("files", &self.files).finish_non_exhaustive()
    }
}

impl LocalKey {
    /// Makes a key for the daemon at an address, and leaves it where clients look for it.
    pub(crate) fn leave(address: SocketAddr) -> Result<Self, AccessError> {
        let secret = Secret::new().map_err(|err| AccessError::Chance(err.to_string()))?;
        let files = files(address).into_iter().filter_map(|path| match write(&path, &secret) {
            Ok(file) => Some((path, file)),
            // A daemon serves even if its clients have to be given tokens.
            Err(err) => {
                tracing::warn!(
                    "the key for clients of this user cannot be left in {}: {err}",
                    path.display()
                );
                None
            }
        });
        Ok(Self { files: files.collect(), secret })
    }

    /// Removes what an earlier daemon at an address left: nobody takes its key any more.
    pub(crate) fn clear(address: SocketAddr) {
        for path in files(address) {
            // Mostly there is none.
            let _ = fs::remove_file(path);
        }
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }
}

impl Drop for LocalKey {
    fn drop(&mut self) {
        for (path, _) in &self.files {
            // Another daemon may have left its own meanwhile.
            if fs::read_to_string(path).is_ok_and(|text| text.trim() == self.secret.expose()) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

fn files(address: SocketAddr) -> Vec<PathBuf> {
    vmpool_api::local_key::files(address, |name| env::var_os(name))
}

/// Writes a file that is locked from the moment that it is there.
fn write(path: &Path, secret: &Secret) -> io::Result<File> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    sweep(folder);
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.{BESIDE}", std::process::id()));
    let beside = PathBuf::from(beside);
    let file = file::write_private(&beside, format!("{}\n", secret.expose()).as_bytes())?;
    file.lock()?;
    fs::rename(&beside, path)?;
    Ok(file)
}

/// Removes what daemons left that were killed: nobody holds their locks.
fn sweep(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    for path in entries.filter(|path| path.extension().is_none_or(|ending| ending != BESIDE)) {
        if File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            // Another daemon may sweep at the same time.
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_daemon_left_is_swept_and_what_a_living_one_left_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let secret = Secret::new().unwrap();
        let living = write(&path("127.0.0.1_1"), &secret).unwrap();
        drop(write(&path("127.0.0.1_2"), &secret).unwrap());
        let _third = write(&path("127.0.0.1_3"), &secret).unwrap();
        assert!(path("127.0.0.1_1").exists() && !path("127.0.0.1_2").exists());
        drop(living);
        sweep(folder.path());
        assert!(!path("127.0.0.1_1").exists() && path("127.0.0.1_3").exists());
    }
}
