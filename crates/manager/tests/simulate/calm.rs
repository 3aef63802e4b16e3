//! Calm: nothing goes wrong any more, and everything must come to rest.

use vmpool_dummy::Death;
use vmpool_manager::{
    ManagerError,
    model::{
        Acquire, Change, Node, Owner, RecordState, RequestId, RequestStatus, Token, VmRecord,
        states::NodeState,
    },
};

use crate::{
    rows::brief,
    scenario::seconds,
    world::{World, pass},
};

/// How long rest may take.
pub(crate) const LIMIT: u64 = 2 * 3600;

/// Serves everybody once more, and waits until nothing moves.
pub(crate) async fn come(world: &World) -> Result<(), String> {
    for pool in world.config().pools.keys() {
        if world.ledger.lock().unwrap().is_drained(pool) {
            continue;
        }
        let request = RequestId::new(format!("last-of-{pool}")).unwrap();
        let acquire = Acquire::new(request, pool.clone(), Owner::new("last").unwrap());
        let acquire = acquire.with_wait(seconds(LIMIT));
        let granted = until_answered(|| {
            let (handle, acquire) = (world.handle(), acquire.clone());
            async move { handle.acquire(acquire).await }
        });
        let granted = granted.await;
        let lease = granted.map_err(|err| format!("the last request of {pool} is not served: {err}"))?.lease;
        world.ledger.lock().unwrap().hold(&lease)?;
        world.ledger.lock().unwrap().give_back(&lease);
        let released = until_answered(|| {
            let (handle, lease) = (world.handle(), lease.id.clone());
            async move { handle.release(lease).await }
        });
        let released = released.await;
        released.map_err(|err| format!("the last lease of {pool} is not released: {err}"))?;
    }
    rest(world).await
}

/// Waits until nothing moves.
pub(crate) async fn rest(world: &World) -> Result<(), String> {
    let mut rested = 0;
    for _ in 0..LIMIT / 10 {
        rested = if unrest(world).is_ok() { rested + 1 } else { 0 };
        // For a while: what moves only after the next listing is not at rest.
        if rested == 4 {
            world.journal.note(|| "REST".to_owned());
            return Ok(());
        }
        pass(seconds(10)).await;
    }
    unrest(world)
}

/// Does what only operators may: accepts that nodes are lost which are missing all at once, and ends what operators and expired
/// leases keep for debugging, for a day perhaps. Most often there is nothing to do.
pub(crate) async fn clean_up(world: &World) {
    for provider in world.clouds.keys() {
        let _ = world.handle().accept_loss(provider.clone()).await;
    }
    let held = |vm: &&VmRecord| vm.hold.is_some() || vm.state == RecordState::Held;
    let held: Vec<_> = {
        let ledger = world.ledger.lock().unwrap();
        ledger.rows.vms.values().filter(held).map(|vm| vm.name.clone()).collect()
    };
    // Nobody else ends what is of a pool that there is not.
    let pools = world.config().pools;
    for cloud in world.clouds.values() {
        let is_left = |token: &Token| {
            let ledger = world.ledger.lock().unwrap();
            let is_ours = token.installation == ledger.installation;
            is_ours && !pools.contains_key(&token.pool) && !ledger.rows.vms.contains_key(&token.vm)
        };
        let left = cloud.dummy.nodes().into_iter().filter(|node| node.token.as_ref().is_some_and(is_left));
        left.for_each(|node| {
            cloud.dummy.kill_node(&node.id, Death::Vanished);
        });
    }
    for vm in held {
        // It is tried again if it is refused or not answered.
        let _ = world.handle().unhold(vm).await;
    }
}

/// Asks again until the manager, which may still be getting over its last disaster, answers.
async fn until_answered<T, F: Future<Output = Result<T, ManagerError>>>(
    ask: impl Fn() -> F,
) -> Result<T, ManagerError> {
    loop {
        match ask().await {
            Err(ManagerError::Store { .. } | ManagerError::Stopped) => pass(seconds(1)).await,
            answer => return answer,
        }
    }
}

/// Says who still waits, or holds, long after everything should have gone well.
pub(crate) fn stuck(world: &World) -> String {
    let ledger = world.ledger.lock().unwrap();
    let rows = &ledger.rows;
    let vms = rows.vms.values().map(|vm| brief(&Change::PutVm(Box::new(vm.clone()))));
    let waiting: Vec<_> =
        rows.requests.values().filter(|request| request.status == RequestStatus::Waiting).collect();
    format!(
        "nobody serves {waiting:?}; the leases are {:?}, the VMs are {:?}",
        rows.leases.keys().collect::<Vec<_>>(),
        vms.collect::<Vec<_>>()
    )
}

/// Says what is not at rest.
fn unrest(world: &World) -> Result<(), String> {
    let ledger = world.ledger.lock().unwrap();
    let rows = &ledger.rows;
    let config = world.config();
    for (name, config) in &config.pools {
        let wanted = match ledger.is_drained(name) {
            true => 0,
            false => config.size.max(config.min_ready) as usize,
        };
        let vms: Vec<_> = rows.vms_of(name).collect();
        let is_ready = |state| matches!(state, RecordState::Ready | RecordState::CheckHealth);
        if vms.len() != wanted || !vms.iter().all(|vm| is_ready(vm.state) && vm.is_clean()) {
            let vms = vms.into_iter().map(|vm| brief(&Change::PutVm(Box::new(vm.clone()))));
            return Err(format!(
                "{name} wants {wanted} VMs and is not at rest: {:?}",
                vms.collect::<Vec<_>>()
            ));
        }
    }
    if let Some(vm) = rows.vms.values().find(|vm| !config.pools.contains_key(&vm.pool)) {
        return Err(format!("nobody ends {}, whose pool left the configuration", vm.name));
    }
    if let Some(pool) = rows.pools.values().find(|pool| pool.removed_at.is_some()) {
        return Err(format!("nobody forgets {}, which left the configuration and has no VM", pool.name));
    }
    if let Some(lease) = rows.leases.values().next() {
        return Err(format!("nobody ends {lease:?}"));
    }
    if let Some(request) = rows.requests.values().find(|request| request.status == RequestStatus::Waiting) {
        return Err(format!("nobody serves {request:?}"));
    }
    let mut nodes: Vec<Node> = Vec::new();
    for (name, cloud) in &world.clouds {
        let (ours, others): (Vec<_>, Vec<_>) = cloud.dummy.nodes().into_iter().partition(|node| {
            node.token.as_ref().is_some_and(|token| token.installation == ledger.installation)
        });
        if others.len() != 2 {
            return Err(format!("{name} has {} nodes of others, not 2", others.len()));
        }
        let twice = cloud.dummy.find_duplicate_tokens();
        if !twice.is_empty() {
            return Err(format!("{name} made nodes twice: {twice:?}"));
        }
        // What is forgotten, and left the configuration, is looked for only until the manager restarts.
        let is_left = |node: &Node| {
            node.token.as_ref().is_some_and(|token| {
                let is_known = config.pools.contains_key(&token.pool) && config.providers.contains_key(name);
                ledger.is_forgotten(&token.vm) && !is_known
            })
        };
        let is_over = |node: &Node| node.state == NodeState::Terminated || is_left(node);
        nodes.extend(ours.into_iter().filter(|node| !is_over(node)));
    }
    let unknown = nodes.iter().find(|node| {
        let vm = node.token.as_ref().and_then(|token| rows.vms.get(&token.vm));
        vm.and_then(|vm| vm.node.as_ref()).is_none_or(|known| known.id != node.id)
    });
    match unknown {
        Some(node) => Err(format!("I4: nobody knows {node:?}")),
        None if nodes.len() != rows.vms.len() => {
            Err(format!("I4: there are {} VMs and {} nodes", rows.vms.len(), nodes.len()))
        }
        None => Ok(()),
    }
}
