//! gc3libs' `VMPool`, case by case: what it documents, and what it should have done instead of its bugs.

mod add_remove;
mod container;
mod disk;
mod fake;
mod gc3libs;
mod get;
mod processes;
mod reserve;
mod update;

use std::{path::Path, sync::Arc};

use tempfile::TempDir;
use vmpool_model::{Node, NodeId, states::NodeState};
use vmpool_store::VmPool;

use self::fake::Fake;

fn id(text: &str) -> NodeId {
    NodeId::new(text).unwrap()
}

fn vm(text: &str) -> Node {
    Node::new(id(text), "a VM", NodeState::Running)
}

/// Makes an empty pool whose provider knows the VMs `i-1` to `i-9`.
fn pool() -> (TempDir, VmPool, Arc<Fake>) {
    let dir = tempfile::tempdir().unwrap();
    let fake = Arc::new(Fake::new());
    let pool = VmPool::open(dir.path().join("pool")).unwrap().with_driver(fake.clone());
    (dir, pool, fake)
}

/// Opens the pool once more, as another process would.
fn again(pool: &VmPool) -> VmPool {
    VmPool::open(pool.path()).unwrap()
}

fn ids(pool: &VmPool) -> Vec<String> {
    pool.iter().map(|id| id.to_string()).collect()
}

fn ids_on_disk(pool: &VmPool) -> Vec<String> {
    ids(&again(pool))
}

/// Lists the names of everything in a directory, hidden files, too.
fn entries(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
