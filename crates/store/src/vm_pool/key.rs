//! Anything that names a VM: its id, or the VM itself.

use std::sync::Arc;

use vmpool_driver::NodeHandle;
use vmpool_model::{Node, NodeId};

/// Names a VM: its id, or the VM itself.
pub trait VmKey {
    /// Returns the id.
    fn vm_id(&self) -> &NodeId;
}

impl VmKey for NodeId {
    fn vm_id(&self) -> &NodeId {
        self
    }
}

impl VmKey for Node {
    fn vm_id(&self) -> &NodeId {
        &self.id
    }
}

impl VmKey for NodeHandle {
    fn vm_id(&self) -> &NodeId {
        &self.node().id
    }
}

impl<T: VmKey + ?Sized> VmKey for Arc<T> {
    fn vm_id(&self) -> &NodeId {
        (**self).vm_id()
    }
}
