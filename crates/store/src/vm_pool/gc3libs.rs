//! Taking over the directory of gc3libs' `VMPool`.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use vmpool_model::NodeId;

use super::{VmPool, VmPoolError, directory::Directory, file_name};

/// What editors put at the end of the names of copies and drafts.
const BACKUPS: &[&str] = &["~", ".tmp", ".bak", ".orig", ".swp", ".swo"];

/// The VMs in a directory of gc3libs' `VMPool`, to be written as a [`VmPool`].
///
/// There, each file is a VM: its name is the id, its content the preferred address or nothing.
///
/// # Examples
///
/// ```
/// use vmpool_store::Gc3libsVms;
/// # let dir = tempfile::tempdir()?;
/// # let (old, new) = (dir.path().join("old"), dir.path().join("new"));
/// # std::fs::create_dir(&old)?;
/// std::fs::write(old.join("i-1"), "10.0.0.1")?;
/// let pool = Gc3libsVms::read(&old)?.write(&new)?;
/// assert_eq!(pool.to_string(), "VMPool('new') : {'i-1'}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gc3libsVms {
    /// The directory.
    pub path: PathBuf,
    /// The ids, each with its preferred address if it has one.
    pub vms: BTreeMap<NodeId, Option<IpAddr>>,
    /// What is no VM, with why, by path.
    pub skipped: BTreeMap<PathBuf, &'static str>,
    /// Files of VMs that cannot be taken over, with what is wrong with each, by path.
    pub damaged: BTreeMap<PathBuf, String>,
}

impl Gc3libsVms {
    /// Reads a directory, and changes nothing.
    ///
    /// Hidden entries, directories and what editors leave are skipped. A file that cannot be read, or whose name is no id
    /// that a pool can keep or whose content no address, is among the [`damaged`](Self::damaged) ones, and the others are read.
    ///
    /// # Errors
    ///
    /// [`VmPoolError::Io`] if the directory cannot be read.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, VmPoolError> {
        let path = path.as_ref();
        let fault = |err: io::Error| VmPoolError::io("listing", path, &err);
        let (vms, skipped, damaged) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut found = Self { path: path.to_owned(), vms, skipped, damaged };
        for entry in fs::read_dir(path).map_err(fault)? {
            let file = entry.map_err(fault)?.path();
            match (why_no_vm(&file), read(&file)) {
                (Some(why), _) => drop(found.skipped.insert(file, why)),
                (None, Ok((id, address))) => drop(found.vms.insert(id, address)),
                (None, Err(why)) => drop(found.damaged.insert(file, why)),
            }
        }
        Ok(found)
    }

    /// Checks that a pool can be written to a directory: it is not there or empty, and not in the one that was read.
    ///
    /// # Errors
    ///
    /// [`VmPoolError::NoName`], [`VmPoolError::Occupied`], or [`VmPoolError::Io`] if the directory cannot be looked at.
    pub fn check_target(&self, path: impl AsRef<Path>) -> Result<(), VmPoolError> {
        self.target(path.as_ref()).map(drop)
    }

    /// Checks that no file is damaged.
    ///
    /// # Errors
    ///
    /// [`VmPoolError::DamagedFiles`], which names them all.
    pub fn check_files(&self) -> Result<(), VmPoolError> {
        match self.damaged.is_empty() {
            true => Ok(()),
            false => Err(VmPoolError::DamagedFiles { files: self.damaged.clone() }),
        }
    }

    /// Takes the damaged files out, so that the VMs of the others can be written without them.
    pub fn take_damaged(&mut self) -> BTreeMap<PathBuf, String> {
        std::mem::take(&mut self.damaged)
    }

    /// Writes the VMs as a new pool, all of them or none, and opens it.
    ///
    /// # Errors
    ///
    /// Those of [`check_files`](Self::check_files) and [`check_target`](Self::check_target), and [`VmPoolError::Io`] if
    /// writing fails; there is no pool then.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<VmPool, VmPoolError> {
        self.check_files()?;
        let target = self.target(path.as_ref())?;
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        // It becomes the pool when it is whole.
        let draft = target.with_file_name(format!(".{name}.import-{}", std::process::id()));
        let written = self.write_draft(&draft).and_then(|()| {
            let put = fs::rename(&draft, &target).and_then(|()| match target.parent() {
                Some(parent) => File::open(parent)?.sync_all(),
                None => Ok(()),
            });
            put.map_err(|err| VmPoolError::io("putting the pool in its place", &target, &err))
        });
        if let Err(err) = written {
            // What went wrong says more than that something is left.
            let _ = fs::remove_dir_all(&draft);
            return Err(err);
        }
        VmPool::open(&target)
    }

    fn write_draft(&self, draft: &Path) -> Result<(), VmPoolError> {
        let directory = Directory::open(draft.to_owned())?;
        let turn = directory.lock()?;
        self.vms.iter().try_for_each(|(id, address)| directory.write(&turn, id, *address))
    }

    /// Returns the whole path of a directory that a pool can be written to.
    fn target(&self, path: &Path) -> Result<PathBuf, VmPoolError> {
        let fault = |err: io::Error| VmPoolError::io("looking at", path, &err);
        let target = std::path::absolute(path).map_err(fault)?;
        if target.file_name().is_none() {
            return Err(VmPoolError::NoName { path: path.to_owned() });
        }
        let occupied = |why| Err(VmPoolError::Occupied { path: path.to_owned(), why });
        match fs::read_dir(&target).map(|mut entries| entries.next().is_some()) {
            Ok(true) => return occupied("it is not empty"),
            Ok(false) => {}
            Err(err) if err.kind() == io::ErrorKind::NotFound => {}
            Err(err) if err.kind() == io::ErrorKind::NotADirectory => return occupied("it is no directory"),
            Err(err) => return Err(fault(err)),
        }
        // gc3libs takes every directory that it finds among its files for a VM.
        let source =
            fs::canonicalize(&self.path).map_err(|err| VmPoolError::io("finding", &self.path, &err))?;
        let mut above = target.ancestors().filter_map(|above| fs::canonicalize(above).ok());
        match above.any(|above| above == source) {
            true => occupied("it is inside the directory that is imported"),
            false => Ok(target),
        }
    }
}

/// Says why an entry of the directory is no VM, if it is none.
fn why_no_vm(file: &Path) -> Option<&'static str> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with('.') {
        return Some("it is hidden");
    }
    if BACKUPS.iter().any(|end| name.ends_with(end)) || (name.starts_with('#') && name.ends_with('#')) {
        return Some("an editor left it");
    }
    // What cannot be looked at cannot be read either, and that is told.
    let is_other = fs::metadata(file).is_ok_and(|data| !data.is_file());
    is_other.then_some("it is no file")
}

/// Reads the file of a VM; fails with what is wrong with it.
fn read(file: &Path) -> Result<(NodeId, Option<IpAddr>), String> {
    let name = file.file_name().unwrap_or_default();
    let Some(name) = name.to_str() else { return Err("its name is no text, so no id".to_owned()) };
    let id = NodeId::new(name).map_err(|err| err.to_string())?;
    if file_name::encode(&id).is_none() {
        return Err(VmPoolError::IdTooLong { id }.to_string());
    }
    let text = fs::read(file).map_err(|err| format!("it cannot be read: {err}"))?;
    let text = String::from_utf8_lossy(&text);
    let address = match text.trim() {
        "" => None,
        text => {
            let begin: String = text.chars().take(80).collect();
            let refused = |_| format!("{begin:?} is no IP address: correct or empty the file");
            Some(text.parse().map_err(refused)?)
        }
    };
    Ok((id, address))
}
