//! A pool's directory: one file per VM, each written as a whole.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    net::IpAddr,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use vmpool_model::NodeId;

use super::{VmPoolError, file_name};

/// The newest format of the files, and the one that is written.
const FORMAT: u32 = 1;

/// The directory; every change goes straight to the disk.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
}

/// What is kept of a VM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct VmFile {
    id: NodeId,
    pub(super) preferred_ip: Option<IpAddr>,
}

/// A file as it is written: it names its format.
#[derive(Serialize, Deserialize)]
struct Body {
    v: u32,
    vm: VmFile,
}

#[derive(Deserialize)]
struct Format {
    v: u32,
}

/// Shows that this thread alone changes the directory, among all processes; ends when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _lock: File,
}

impl Directory {
    /// Opens a directory, and makes it and those above it if need be.
    pub(super) fn open(path: PathBuf) -> Result<Self, VmPoolError> {
        fs::create_dir_all(&path).map_err(|err| VmPoolError::io("making the directory", &path, &err))?;
        Ok(Self::at(path))
    }

    /// Looks at a directory that may not be there, and makes none.
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until this thread alone may change the directory.
    pub(super) fn lock(&self) -> Result<Turn, VmPoolError> {
        let path = self.path.join(".lock");
        let lock = || -> io::Result<File> {
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path)?;
            file.lock()?;
            Ok(file)
        };
        Ok(Turn { _lock: lock().map_err(|err| VmPoolError::io("locking", &path, &err))? })
    }

    /// Reads the files of all VMs.
    pub(super) fn read_all(&self) -> Result<BTreeMap<NodeId, VmFile>, VmPoolError> {
        let mut found = BTreeMap::new();
        for id in self.ids()? {
            // What is gone now was removed since it was listed.
            if let Some(file) = self.read(&id)? {
                found.insert(id, file);
            }
        }
        Ok(found)
    }

    /// Lists the ids of all VMs, without looking into their files.
    pub(super) fn ids(&self) -> Result<Vec<NodeId>, VmPoolError> {
        Ok(self.names()?.iter().filter_map(|name| file_name::decode(name)).collect())
    }

    /// Lists the names of all entries that are text.
    pub(super) fn names(&self) -> Result<Vec<String>, VmPoolError> {
        let fault = |err: io::Error| VmPoolError::io("listing", &self.path, &err);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(fault)? {
            let entry = entry.map_err(fault)?;
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            names.extend(entry.file_name().into_string().ok().filter(|_| is_file));
        }
        Ok(names)
    }

    /// Reads the file of a VM, if there is one.
    pub(super) fn read(&self, id: &NodeId) -> Result<Option<VmFile>, VmPoolError> {
        let path = self.file(id)?;
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(err) => return Err(VmPoolError::io("reading", path, &err)),
        };
        let damaged = |reason: String| VmPoolError::Damaged { path: path.clone(), reason };
        let format: Format = serde_json::from_slice(&text).map_err(|err| damaged(err.to_string()))?;
        if FORMAT < format.v {
            return Err(VmPoolError::NewerVersion { path, found: format.v, known: FORMAT });
        }
        let body: Body = serde_json::from_slice(&text).map_err(|err| damaged(err.to_string()))?;
        match body.vm.id == *id {
            true => Ok(Some(body.vm)),
            false => Err(damaged(format!("it is the file of VM {}", body.vm.id))),
        }
    }

    /// Writes the file of a VM, as a whole and durably, or leaves what was there.
    pub(super) fn write(
        &self,
        _turn: &Turn,
        id: &NodeId,
        preferred_ip: Option<IpAddr>,
    ) -> Result<(), VmPoolError> {
        let path = self.file(id)?;
        let body = Body { v: FORMAT, vm: VmFile { id: id.clone(), preferred_ip } };
        let write = || -> io::Result<()> {
            // Whose turn it is uses this name alone.
            let draft = self.path.join(".new");
            let mut file = File::create(&draft)?;
            file.write_all(&serde_json::to_vec(&body)?)?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            self.sync()
        };
        write().map_err(|err| VmPoolError::io("writing", &path, &err))
    }

    /// Removes the file of a VM, durably; it is fine if there is none.
    pub(super) fn remove(&self, _turn: &Turn, id: &NodeId) -> Result<(), VmPoolError> {
        let path = self.file(id)?;
        let removed = match fs::remove_file(&path) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(err) => Err(err),
            Ok(()) => self.sync(),
        };
        removed.map_err(|err| VmPoolError::io("removing", &path, &err))
    }

    /// Returns where the file of a VM is.
    pub(super) fn file(&self, id: &NodeId) -> Result<PathBuf, VmPoolError> {
        match file_name::encode(id) {
            Some(name) => Ok(self.path.join(name)),
            None => Err(VmPoolError::IdTooLong { id: id.clone() }),
        }
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}
