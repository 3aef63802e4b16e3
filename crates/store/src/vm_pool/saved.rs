//! A pool as a value that can be stored elsewhere.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use vmpool_model::NodeId;

use super::{VmPool, VmPoolError};

const FORMAT: u32 = 1;

/// A pool as a value that can be stored elsewhere: where it is, and what was in it.
///
/// ```
/// use vmpool_store::{SavedVmPool, VmPool};
/// # let dir = tempfile::tempdir()?;
/// let pool = VmPool::open(dir.path().join("builders"))?;
/// let text = serde_json::to_string(&SavedVmPool::from(&pool))?;
/// let pool = serde_json::from_str::<SavedVmPool>(&text)?.open()?;
/// assert_eq!(pool.name(), "builders");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SavedVmPool {
    /// The format of this value.
    v: u32,
    /// The pool's directory.
    pub path: PathBuf,
    /// The ids that were in the pool.
    pub ids: Vec<NodeId>,
}

impl From<&VmPool> for SavedVmPool {
    fn from(pool: &VmPool) -> Self {
        Self { v: FORMAT, path: pool.path().to_owned(), ids: pool.iter().collect() }
    }
}

impl SavedVmPool {
    /// Opens the pool again, without driver and cache; what is in it now is what its directory says.
    ///
    /// # Errors
    ///
    /// Those of [`VmPool::open`], and [`VmPoolError::NewerVersion`] if a newer vmpool saved it.
    pub fn open(&self) -> Result<VmPool, VmPoolError> {
        match self.v <= FORMAT {
            true => VmPool::open(&self.path),
            false => Err(VmPoolError::NewerVersion { path: self.path.clone(), found: self.v, known: FORMAT }),
        }
    }
}
