//! Reading the files of a pool one by one, for who wants to see what is there.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    path::{Path, PathBuf},
};

use vmpool_model::NodeId;

use super::{VmPoolError, directory::Directory};

/// What the files of a [`VmPool`](super::VmPool) say, read one by one: a damaged one hides no other.
///
/// A pool itself opens only if all its files can be read, since a set that lacks a VM looks as if it were removed.
///
/// # Examples
///
/// ```
/// use vmpool_store::{VmPool, VmPoolFiles, model::{Node, NodeId, states::NodeState}};
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("builders");
/// VmPool::open(&path)?.add_vm(Node::new(NodeId::new("i-1")?, "web-1", NodeState::Running), true)?;
/// std::fs::write(path.join("i-2.vm"), "{")?;
/// let found = VmPoolFiles::read(&path)?;
/// assert_eq!((found.vms.len(), found.damaged.len()), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VmPoolFiles {
    /// The ids, each with its preferred address if it has one.
    pub vms: BTreeMap<NodeId, Option<IpAddr>>,
    /// Files of VMs that cannot be read, with what is wrong with each, by path.
    pub damaged: BTreeMap<PathBuf, String>,
}

impl VmPoolFiles {
    /// Reads the directory of a pool, and changes nothing; entries that are not files of VMs are ignored.
    ///
    /// # Errors
    ///
    /// [`VmPoolError::Io`] if the directory cannot be read.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, VmPoolError> {
        let directory = Directory::at(path.as_ref().to_owned());
        let mut found = Self { vms: BTreeMap::new(), damaged: BTreeMap::new() };
        for id in directory.ids()? {
            match directory.read(&id) {
                Ok(Some(file)) => drop(found.vms.insert(id, file.preferred_ip)),
                // It was removed since it was listed.
                Ok(None) => {}
                Err(err) => drop(found.damaged.insert(directory.file(&id)?, why(err))),
            }
        }
        Ok(found)
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
}

/// Returns what is wrong with a file, without its path.
fn why(err: VmPoolError) -> String {
    match err {
        VmPoolError::Damaged { reason, .. } => reason,
        VmPoolError::NewerVersion { found, known, .. } => {
            format!("it was written in format {found}, this version reads up to {known}")
        }
        VmPoolError::Io { message, .. } => format!("it cannot be read: {message}"),
        err => err.to_string(),
    }
}
