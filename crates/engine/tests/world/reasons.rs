//! Nothing is destroyed without a reason that is true.

use vmpool_engine::Input;
use vmpool_model::{
    NodeView, PoolName, RecordState, RequestStatus, VmRecord,
    config::{OfferConfig, OnRelease, PoolConfig},
};

use crate::{store::Store, supply, turns, world::World};

const DEAD: [&str; 2] = ["error", "terminated"];
const OFF: [&str; 3] = ["stopped", "suspended", "paused"];

/// Checks why a VM is terminated; the reason is what the record says for people.
pub(crate) fn check(
    world: &World,
    before: &Store,
    input: &Input,
    old: &VmRecord,
    new: &VmRecord,
) -> Result<(), String> {
    let reason = new.problem.as_deref().unwrap_or_default();
    let config = &world.pool(old);
    let now = world.now;
    let lease_ended = before.vms.get(&old.name).and_then(|vm| vm.lease.as_ref());
    let lease_ended = lease_ended.is_some_and(|lease| !world.working.leases.contains_key(lease));
    let of_pool = || world.working.vms.values().filter(|vm| vm.pool == old.pool);
    let holds = match reason {
        "operator" => matches!(input, Input::Terminate { vm, .. } if *vm == old.name),
        _ if ["its lease was released", "its lease expired"].iter().any(|why| reason.starts_with(why)) => {
            lease_ended
        }
        _ if reason.starts_with("its hook before_release failed") => old.state == RecordState::Releasing,
        "nothing cleans it: its pool has no hook before_release any more" => {
            old.state == RecordState::Releasing && config.hooks.before_release.is_none()
        }
        _ if reason.starts_with("its hook after_boot failed") => old.state == RecordState::GotIp,
        "its time of being held is over" => old.hold.as_ref().is_some_and(|hold| hold.until <= now),
        _ if reason.starts_with("it is no longer held, and") => {
            let is_worn = config.max_uses.is_some_and(|uses| uses <= old.uses);
            let is_old = config.max_age.is_some_and(|age| old.created_at + age <= now);
            // What cleans it runs first.
            let is_cleaned = old.returned.is_some() && config.hooks.before_release.is_some();
            let is_dirty = match config.on_release {
                OnRelease::Destroy => true,
                OnRelease::Clean => !is_cleaned,
                OnRelease::Reuse => false,
            };
            let is_dirty = old.owner.is_some() && is_dirty;
            let is_bad = old.suspect.is_some() || is_worn || is_old || is_dirty || is_over(world, old);
            matches!(input, Input::Unhold(vm) if *vm == old.name) && is_bad
        }
        "it took longer than boot_timeout to start" => {
            old.state.is_starting() && old.created_at + config.boot_timeout <= now
        }
        "its pool no longer makes such VMs" => {
            let offers = world.spec().pools.get(&old.pool).map(PoolConfig::offers).unwrap_or_default();
            let is_its =
                |offer: &OfferConfig| offer.provider == old.provider && offer.template == old.template;
            old.node.is_none() && !offers.iter().any(is_its)
        }
        "its pool is drained: operator" => world.is_drained(&old.pool),
        "its pool was taken out of the configuration" => {
            let pool = world.working.pools.get(&old.pool);
            pool.is_some_and(|pool| pool.removed_at.is_some()) && !world.spec().pools.contains_key(&old.pool)
        }
        "its provider was taken out of the configuration" => {
            !world.spec().providers.contains_key(&old.provider)
        }
        "its last user did not come back" => {
            let kept_since = old.dirty_since.or(old.last_release).unwrap_or(old.since);
            !old.is_clean() && kept_since + config.dirty_timeout <= now
        }
        "it was used max_uses times" => config.max_uses.is_some_and(|uses| uses <= old.uses),
        "it is older than max_age" => config.max_age.is_some_and(|age| old.created_at + age <= now),
        "it took longer than start_timeout to pass a check" => {
            let since = old.starting_since.zip(config.start_timeout);
            since.is_some_and(|(since, timeout)| since + timeout <= now)
        }
        "the pool no longer needs it" => {
            let wanted = config.size.max(config.min_ready) as usize;
            old.is_clean() && wanted < of_pool().count()
        }
        "another pool lacks its room at the provider, and this pool no longer needs it" => {
            let wanted = config.size.max(config.min_ready) as usize;
            old.is_clean() && wanted < of_pool().count() && is_lacking_beside(world, old)
        }
        "others wait, and its last user does not use it" => {
            is_waited_for(world, old) && !old.is_clean() && config.max_total() as usize <= of_pool().count()
        }
        "others wait for another VM of its offer, and its last user does not use it" => {
            let mut offers = config.offers().into_iter();
            let offer = offers.find(|offer| offer.provider == old.provider && offer.template == old.template);
            let count = of_pool().filter(|vm| vm.provider == old.provider && vm.template == old.template);
            let most = offer.and_then(|offer| offer.max_total);
            !old.is_clean()
                && most.is_some_and(|most| most as usize <= count.count())
                && is_waited_for(world, old)
        }
        // What a pool only keeps ready makes room, too.
        "others wait for its room at the provider, and nobody uses it" => blocks_quota(world, old),
        "its node is missing at the provider" => {
            let provider = &world.full.providers[&old.provider];
            let life = &world.ledger.life;
            let known = life.known.get(&old.name).copied().unwrap_or(life.began).max(life.began);
            let since = known + provider.visibility_window;
            let node = old.node.as_ref();
            // The listings agree, and the provider was asked for the very node.
            let is_denied = life.denied.get(&old.name).is_some_and(|asked_at| since <= *asked_at);
            let agrees =
                |node: &NodeView| life.agree(&old.provider, &node.id, false, since, provider.missing_grace);
            let is_braked = world.braked.contains(&old.provider);
            is_denied && node.is_some_and(agrees) && !is_braked
        }
        _ if reason.contains("health checks in a row failed") => config.max_check_fails < old.check_fails,
        _ => {
            let state = reason.strip_prefix("its node came up as ");
            let state = state.or_else(|| reason.strip_prefix("its node is ")).unwrap_or_default();
            let seen = new.node.as_ref().map(|node| node.state.as_str());
            seen == Some(state) && (DEAD.contains(&state) || OFF.contains(&state))
        }
    };
    ensure!(holds, "{} was terminated because {reason:?}, which is not so: {old:?}", old.name);
    ensure!(old.lease.is_none(), "{} was terminated although it is leased: {old:?}", old.name);
    Ok(())
}

/// Whether the pool of a VM, or its provider, comes to its end.
fn is_over(world: &World, old: &VmRecord) -> bool {
    let pools = &world.spec().pools;
    world.is_drained(&old.pool)
        || !pools.contains_key(&old.pool)
        || !world.spec().providers.contains_key(&old.provider)
}

/// Whether somebody waits for a VM of the pool of this one.
fn is_waited_for(world: &World, old: &VmRecord) -> bool {
    let mut waiting = world.working.requests.values();
    waiting.any(|request| {
        request.status == RequestStatus::Waiting && turns::may_use(world.spec(), request, &old.pool)
    })
}

/// Returns whether another pool that has VMs at the same provider may have more of them than it has.
fn is_lacking_beside(world: &World, old: &VmRecord) -> bool {
    let is_lacking = |name: &PoolName, config: &PoolConfig| {
        let live = |vm: &&VmRecord| vm.pool == *name && vm.state != RecordState::Terminating;
        let has = world.working.vms.values().filter(live).count();
        config.offers().iter().any(|offer| offer.provider == old.provider)
            && has < config.max_total() as usize
    };
    world.spec().pools.iter().any(|(name, config)| *name != old.pool && is_lacking(name, config))
}

/// Whether somebody waits for a VM that the quota of this VM's provider has no room for.
fn blocks_quota(world: &World, old: &VmRecord) -> bool {
    let provider = &world.full.providers[&old.provider];
    let lacks = |needs: &std::collections::BTreeMap<String, u64>| {
        let need = |resource: &str| match resource {
            "vms" => 1,
            _ => needs.get(resource).copied().unwrap_or_default(),
        };
        provider.quota.iter().any(|(resource, limit)| {
            let is_short = *limit < supply::taken(world, &old.provider, resource) + need(resource);
            need(resource) != 0 && supply::needs(old, resource) != 0 && is_short
        })
    };
    let waiting = world.working.requests.values().filter(|request| request.status == RequestStatus::Waiting);
    let pools = waiting.flat_map(|request| {
        world.spec().pools.iter().filter(|(pool, _)| turns::may_use(world.spec(), request, pool))
    });
    let mut offers = pools.flat_map(|(_, pool)| pool.offers());
    offers.any(|offer| offer.provider == old.provider && lacks(&offer.needs))
}
