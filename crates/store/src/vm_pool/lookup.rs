//! Looking VMs up: in the cache, or else at the provider.

use std::{collections::BTreeMap, sync::Arc};

use vmpool_driver::DriverError;
use vmpool_model::{Failure, FailureKind, Node, NodeId};

use super::{Place, VmKey, VmPool, VmPoolError};

impl VmPool {
    /// Gets a VM from the cache, or from the provider if it is not there or `force_reload` is set.
    ///
    /// A VM that the provider knows and the pool does not is added to the pool.
    ///
    /// # Errors
    ///
    /// [`VmPoolError::NotFound`] if the provider does not know the VM; it stays in the pool if it was. All
    /// other errors say nothing about the VM. What was cached stays.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the pool as it was.
    pub async fn get_vm(&self, vm: &impl VmKey, force_reload: bool) -> Result<Arc<Node>, VmPoolError> {
        let id = vm.vm_id();
        let (known, cached) = {
            let members = self.lock();
            let member = members.vms.get(id);
            (member.is_some(), member.and_then(|member| member.cached.clone()))
        };
        if let Some(node) = cached.filter(|_| !force_reload) {
            return Ok(node);
        }
        let node = self.ask(id).await?;
        match known {
            true => self.cache(&node),
            // It is there already, so a limit on creating VMs does not apply.
            false => self.add(Arc::clone(&node), true, Place::Within(None))?,
        }
        Ok(node)
    }

    /// Gets every VM of the pool, those that are not cached from the provider, one after the other.
    ///
    /// Each id has its own result, so that a provider that cannot be asked does not look like an empty
    /// pool. After credentials were refused once, the provider is not asked again.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future keeps what was got so far in the cache.
    pub async fn get_all_vms(&self) -> BTreeMap<NodeId, Result<Arc<Node>, VmPoolError>> {
        let mut all = BTreeMap::new();
        let mut refused: Option<Failure> = None;
        for id in self {
            let cached = self.lock().vms.get(&id).and_then(|member| member.cached.clone());
            let got = match (cached, &refused) {
                (Some(node), _) => Ok(node),
                (None, Some(source)) => {
                    Err(VmPoolError::Authentication { id: id.clone(), source: source.clone() })
                }
                (None, None) => self.ask(&id).await.inspect(|node| self.cache(node)),
            };
            if let Err(VmPoolError::Authentication { source, .. }) = &got {
                refused = Some(source.clone());
            }
            all.insert(id, got);
        }
        all
    }

    /// Asks the provider for a VM.
    async fn ask(&self, id: &NodeId) -> Result<Arc<Node>, VmPoolError> {
        let Some(driver) = &self.driver else {
            return Err(VmPoolError::NoDriver { id: id.clone() });
        };
        let node = driver.get(id).await.map_err(|err| not_got(id, &err))?;
        match node.id == *id {
            true => Ok(Arc::new(node)),
            false => Err(VmPoolError::WrongNode { asked: id.clone(), found: node.id }),
        }
    }

    /// Caches a VM if it is in the pool; what was removed meanwhile is not brought back.
    fn cache(&self, node: &Arc<Node>) {
        if let Some(member) = self.lock().vms.get_mut(&node.id) {
            member.cached = Some(Arc::clone(node));
        }
    }
}

fn not_got(id: &NodeId, err: &DriverError) -> VmPoolError {
    let (id, source) = (id.clone(), Failure::from(err));
    match source.kind {
        FailureKind::NotFound => VmPoolError::NotFound { id },
        FailureKind::Authentication => VmPoolError::Authentication { id, source },
        _ => VmPoolError::Driver { id, source },
    }
}
