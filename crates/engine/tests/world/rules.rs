//! What must hold after every step, whatever happened.

use vmpool_engine::{Answer, Effect, Input, Refusal, Step};
use vmpool_model::{
    Change, Lease, LeaseId, ProviderName, RecordState, RequestRecord, RequestStatus, Transition, VmName,
    VmRecord,
};

use crate::{reasons, store::Store, supply, turns, world::World};

/// Checks a step, and applies its changes to the world's working records on the way.
pub(crate) fn check(world: &mut World, before: &Store, input: &Input, step: &Step) -> Result<(), String> {
    world.ledger.wished = match input {
        Input::Acquire(acquire) => Some(i64::from(acquire.priority)),
        _ => None,
    };
    for event in &step.events {
        supply::happened(world, event)?;
    }
    for change in &step.changes {
        changed(world, before, input, change)?;
        world.working.apply(change);
        if let Change::PutRequest(request) = change {
            turns::granted(world, request)?;
            let leases = world.working.leases.values().filter(|lease| lease.request == request.id);
            leases.for_each(|lease| world.ledger.life.serve(lease));
        }
        world.ledger.life.forget(&world.working);
    }
    world.engine.check()?;
    world.working.is_what(&world.engine)?;
    for (_, effect) in &step.effects {
        asked(world, effect)?;
    }
    answered(world, before, input, step)?;
    world.ledger.wished = None;
    turns::nobody_can_be_served(world)?;
    turns::nobody_holds_too_much(world)?;
    demand(world)?;
    limits(world)
}

fn changed(world: &mut World, before: &Store, input: &Input, change: &Change) -> Result<(), String> {
    match change {
        Change::PutVm(vm) => match world.working.vms.get(&vm.name).cloned() {
            None => supply::intended(world, vm),
            Some(old) => vm_changed(world, before, input, &old, vm),
        },
        Change::RemoveVm(name) => vm_removed(world, input, name),
        Change::PutLease(lease) => lease_put(world, lease),
        Change::RemoveLease(id) => lease_removed(world, input, id),
        Change::PutRequest(request) => request_put(world, input, request),
        Change::RemoveRequest(id) => {
            let Some(request) = world.working.requests.get(id) else {
                return Err(format!("{id} is removed and was not there"));
            };
            let is_due = match &request.status {
                RequestStatus::Waiting => {
                    let is_over = request.deadline <= world.now;
                    is_over || request.at_once && is_turned_away(world, request)
                }
                RequestStatus::Granted { .. } => false,
                RequestStatus::Ended { at, .. }
                | RequestStatus::Cancelled { at, .. }
                | RequestStatus::TimedOut { at }
                | RequestStatus::TurnedAway { at, .. } => {
                    let requests = world.working.requests.values();
                    let ended = requests.filter_map(|other| Some((other.status.over_at()?, &other.id)));
                    let is_oldest = ended.clone().min() == Some((*at, id));
                    let are_many = world.spec().max_remembered < ended.count();
                    *at + world.spec().request_memory <= world.now || are_many && is_oldest
                }
            };
            ensure!(is_due, "{request:?} is forgotten too early");
            world.ledger.past.served.remove(id);
            Ok(())
        }
        Change::PutPool(_) | Change::RemovePool(_) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

fn vm_changed(
    world: &mut World,
    before: &Store,
    input: &Input,
    old: &VmRecord,
    new: &VmRecord,
) -> Result<(), String> {
    let name = &new.name;
    let stays = old.pool == new.pool && old.provider == new.provider && old.created_at == new.created_at;
    ensure!(stays, "{old:?} became another VM: {new:?}");
    if let Some(node) = &new.node
        && old.node.as_ref().map(|node| &node.id) != Some(&node.id)
    {
        ensure!(old.node.is_none(), "{name} changed its node from {:?} to {node:?}", old.node);
        let truth = world.clouds[&new.provider].get(&node.id);
        let token = truth.and_then(|truth| truth.node.token.clone());
        ensure!(token == Some(new.token(&world.spec().installation)), "{name} took over {token:?}");
        world.ledger.life.known.insert(name.clone(), world.now);
    }
    crate::life::changed(world, input, old, new)?;
    if old.state == new.state {
        return Ok(());
    }
    let mut legal = Transition::ALL.into_iter();
    let legal = legal.any(|by| RecordState::next(Some(old.state), by) == Ok(Some(new.state)));
    ensure!(legal, "{name} went from {} to {}", old.state, new.state);
    match new.state {
        RecordState::Terminating => reasons::check(world, before, input, old, new),
        RecordState::InUse => {
            world.ledger.given.insert(name.clone(), old.clone());
            let runs =
                new.node.as_ref().is_some_and(|node| node.state == vmpool_model::states::NodeState::Running);
            ensure!(runs, "{name} was leased and does not run: {new:?}");
            Ok(())
        }
        _ => Ok(()),
    }
}

fn vm_removed(world: &World, input: &Input, name: &VmName) -> Result<(), String> {
    let Some(old) = world.working.vms.get(name) else { return Err(format!("{name} was removed twice")) };
    if matches!(input, Input::Forget { vm, .. } if vm == name) {
        return Ok(());
    }
    let gone = matches!(old.state, RecordState::Spawning | RecordState::Terminating);
    ensure!(gone, "{name} was removed although it was {}", old.state);
    let cloud = &world.clouds[&old.provider];
    match &old.node {
        Some(node) => {
            let truth = cloud.get(&node.id);
            let is_alive = truth.is_some_and(crate::cloud::CloudNode::is_alive);
            ensure!(
                !is_alive,
                "{name} was forgotten although its node is {:?}",
                truth.map(|truth| &truth.node)
            );
        }
        None => {
            let exists = cloud.will_have(&old.token(&world.spec().installation));
            let is_duplicated = world.ledger.duplicated.contains(name);
            ensure!(!exists || is_duplicated, "{name} was forgotten although its node exists");
        }
    }
    Ok(())
}

fn lease_put(world: &mut World, new: &Lease) -> Result<(), String> {
    let id = &new.id;
    if let Some(old) = world.working.leases.get(id) {
        let stays = old.vm == new.vm && old.request == new.request && old.fence == new.fence;
        ensure!(stays && old.acquired_at == new.acquired_at, "{old:?} became another lease: {new:?}");
        return Ok(());
    }
    ensure!(!world.is_drained(&new.pool), "{id} is of {}, which is drained", new.pool);
    ensure!(world.ledger.max_fence < new.fence, "{id} has the number {} after a larger one", new.fence);
    world.ledger.max_fence = new.fence;
    let record = world.working.vms.get(&new.vm).cloned();
    record.map_or(Ok(()), |record| crate::life::leased(world, new, &record))?;
    let tenant = (new.owner.clone(), new.sandbox.clone());
    let first = world.ledger.past.tenants.entry(new.vm.clone()).or_insert_with(|| tenant.clone());
    ensure!(*first == tenant, "{} was given to {tenant:?} after {first:?}", new.vm);
    if let Some((earlier, _)) = world.ledger.past.served.get(&new.request) {
        // Several leases of one request are given at once, before the request counts as served.
        let earlier_one = world.working.leases.get(earlier);
        let is_at_once = earlier_one.is_some_and(|earlier| earlier.acquired_at == world.now);
        let request = world.working.requests.get(&new.request);
        let is_unserved = request.is_none_or(|request| request.status == RequestStatus::Waiting);
        ensure!(is_at_once && is_unserved, "{} was given {id} after {earlier}", new.request);
    }
    world.ledger.past.ever_served.insert(new.request.clone());
    world.ledger.past.served.insert(new.request.clone(), (id.clone(), None));
    Ok(())
}

fn lease_removed(world: &mut World, input: &Input, id: &LeaseId) -> Result<(), String> {
    let Some(lease) = world.working.leases.get(id) else { return Err(format!("{id} ended twice")) };
    let is_wanted = match input {
        Input::Release { lease: released, fence: None } => released == id,
        Input::Cancel(request) => *request == lease.request,
        Input::Terminate { vm, .. } | Input::Forget { vm, .. } => *vm == lease.vm,
        _ => false,
    };
    ensure!(is_wanted || lease.expires_at <= world.now, "{lease:?} was ended by {input:?}");
    let began = world.ledger.life.began;
    let grace_is_over = began + world.spec().restart_grace <= world.now;
    ensure!(
        is_wanted || began <= lease.acquired_at || grace_is_over,
        "{lease:?} expired before its holder could come back"
    );
    world.ledger.past.served.insert(lease.request.clone(), (id.clone(), Some(world.now)));
    Ok(())
}

/// Returns whether nobody can serve a request that waits.
fn is_turned_away(world: &World, request: &RequestRecord) -> bool {
    // What the quotas of the providers allow that are left is for directed tests.
    let may_be_too_many = !world.absent.is_empty() && 1 < request.count;
    may_be_too_many || turns::cannot_be_served(&world.open(), request)
}

fn request_put(world: &mut World, input: &Input, new: &RequestRecord) -> Result<(), String> {
    match world.working.requests.get(&new.id) {
        None => {
            ensure!(world.ledger.max_order < new.order, "{} has a place before an earlier one", new.id);
            world.ledger.max_order = new.order;
        }
        Some(old) => {
            ensure!(old.order == new.order, "{} changed its place", new.id);
            let legal = match (&old.status, &new.status) {
                (RequestStatus::Waiting, RequestStatus::Waiting) => old.deadline <= new.deadline,
                (RequestStatus::Waiting, RequestStatus::Granted { .. }) => true,
                (RequestStatus::Waiting, RequestStatus::Cancelled { at, .. }) => {
                    *at == world.now && *input == Input::Cancel(new.id.clone())
                }
                (RequestStatus::Waiting, RequestStatus::TimedOut { at }) => {
                    *at == world.now && old.deadline <= world.now
                }
                (RequestStatus::Waiting, RequestStatus::TurnedAway { at, .. }) => {
                    *at == world.now && !old.at_once && is_turned_away(world, old)
                }
                (
                    RequestStatus::Granted { leases: old, ended },
                    RequestStatus::Granted { leases, ended: now },
                ) => old == leases && now.len() == ended.len() + 1 && now.starts_with(ended),
                (
                    RequestStatus::Granted { leases: old, ended },
                    RequestStatus::Ended { lease: new, before, .. },
                ) => old.contains(new) && ended == before,
                _ => false,
            };
            ensure!(legal, "{old:?} became {new:?}");
        }
    }
    Ok(())
}

/// Checks an effect, once the changes of its step are known.
fn asked(world: &mut World, effect: &Effect) -> Result<(), String> {
    if let Some(provider) = provider(effect) {
        ensure!(world.engine.knows_provider(provider), "{effect:?} is asked of who cannot be asked");
    }
    let ours = world.spec().installation.clone();
    match effect {
        Effect::Create { provider, vm, token, template } => {
            let Some(record) = world.working.vms.get(vm) else { return Err(format!("{vm} has no record")) };
            let intended = matches!(record.state, RecordState::Spawning | RecordState::Terminating);
            ensure!(intended && record.node.is_none(), "a node is asked for, for {record:?}");
            let fits = *token == record.token(&ours) && *provider == record.provider;
            ensure!(fits && *template == record.template && !template.is_empty(), "{effect:?}: {record:?}");
            ensure!(world.ledger.life.created.insert(vm.clone()), "{vm} is created again without a look");
            supply::asked(world, provider, vm)?;
            let in_flight = world.flights.values().any(
                |flight| matches!(&flight.effect, Effect::Create { token: other, .. } if other == token),
            );
            let exists = world.clouds[provider].will_have(token) || in_flight;
            let is_duplicated = world.ledger.duplicated.contains(vm);
            ensure!(!exists || is_duplicated, "{vm} is created although its node exists");
        }
        Effect::Find { vm, token, .. } => {
            let record = world.working.vms.get(vm);
            let fits = record.is_some_and(|record| *token == record.token(&ours) && record.node.is_none());
            ensure!(fits, "{effect:?}: {record:?}");
        }
        Effect::Get { provider, vm, node } => {
            let record = world.working.vms.get(vm);
            let fits = record.is_some_and(|record| {
                record.provider == *provider && record.node.as_ref().is_some_and(|known| known.id == *node)
            });
            ensure!(fits, "{effect:?}: {record:?}");
        }
        Effect::Destroy { provider, vm: Some(vm), node } => {
            let record = world.working.vms.get(vm);
            let fits = record.is_some_and(|record| {
                let has_it = record.node.as_ref().is_some_and(|known| known.id == *node);
                record.state == RecordState::Terminating && record.provider == *provider && has_it
            });
            ensure!(fits, "{effect:?}: {record:?}");
            let destroys = world.flights.values().filter(|flight| flight.effect == *effect).count();
            ensure!(destroys == 0, "{vm} is destroyed twice at once");
        }
        Effect::Destroy { provider, vm: None, node } => {
            let mut records = world.working.vms.values().filter(|vm| vm.provider == *provider);
            let owner =
                records.find(|vm| !vm.is_gone() && vm.node.as_ref().is_some_and(|known| known.id == *node));
            ensure!(owner.is_none(), "node {node} is destroyed as an orphan and belongs to {owner:?}");
            let truth = world.clouds[provider].get(node);
            ensure!(
                truth.is_some_and(|truth| truth.is_of(&ours)),
                "a node of others is destroyed: {truth:?}"
            );
            let (life, grace) = (&world.ledger.life, world.full.providers[provider].orphan_grace);
            let proven = life.agree(provider, node, true, life.began, grace);
            ensure!(proven, "node {node} is destroyed too early: {:?}", life.listings.get(provider));
        }
        Effect::Check { vm, .. } => {
            // Its lease may have ended, or it may have been terminated, in the same step; the check is in vain then.
            let state = world.working.vms.get(vm).map(|vm| vm.state);
            let fits = !matches!(state, None | Some(RecordState::Spawning | RecordState::GotIp));
            ensure!(fits, "{vm} is checked and is {state:?}");
        }
        Effect::SetExpiry { provider, vm, node, at } => {
            let record = world.working.vms.get(vm);
            let has_it = |record: &VmRecord| record.node.as_ref().is_some_and(|known| known.id == *node);
            let fits = record.is_some_and(|record| record.provider == *provider && has_it(record));
            ensure!(
                fits && world.now + std::time::Duration::from_secs(1800) <= *at,
                "{effect:?}: {record:?}"
            );
        }
        Effect::Hook(run) => crate::life::hooked(world, run)?,
        Effect::List { provider } => {
            let lists = world.flights.values().filter(|flight| flight.effect == *effect).count();
            ensure!(lists == 0, "{provider} is listed twice at once");
        }
        Effect::Glance { .. } => {
            let glances = world.flights.values().filter(|flight| flight.effect == *effect).count();
            ensure!(glances == 0, "there are two looks at once: {effect:?}");
        }
        other => return Err(format!("{other:?}")),
    }
    Ok(())
}

/// Returns the provider that an effect is asked of.
fn provider(effect: &Effect) -> Option<&ProviderName> {
    match effect {
        Effect::Create { provider, .. }
        | Effect::Find { provider, .. }
        | Effect::Get { provider, .. }
        | Effect::Destroy { provider, .. }
        | Effect::SetExpiry { provider, .. }
        | Effect::Glance { provider, .. }
        | Effect::List { provider } => Some(provider),
        _ => None,
    }
}

/// Who was given a VM, who was not, and what they were told.
fn answered(world: &World, before: &Store, input: &Input, step: &Step) -> Result<(), String> {
    let working = &world.working;
    let given = working.leases.values().filter(|lease| !before.leases.contains_key(&lease.id));
    for lease in given {
        let told_by_answer = matches!(&step.answer, Answer::Granted(grants) if grants.iter().any(|grant| grant.lease == *lease));
        let mut decided = step.decided.iter().filter_map(|(id, result)| Some((id, result.as_ref().ok()?)));
        let told = decided
            .any(|(id, grants)| *id == lease.request && grants.iter().any(|grant| grant.lease == *lease));
        ensure!(told_by_answer || told, "nobody is told of {}", lease.id);
    }
    for (id, result) in &step.decided {
        let request = working.requests.get(id).map(|request| &request.status);
        let fits = match (result, request) {
            (Ok(grants), Some(RequestStatus::Granted { leases, .. })) => {
                grants.iter().map(|grant| &grant.lease.id).eq(leases)
            }
            // Served, and over in the same step.
            (Ok(_), Some(RequestStatus::Ended { .. })) | (Err(_), None) => true,
            (Err(refusal), Some(RequestStatus::Cancelled { .. })) => {
                matches!(refusal, Refusal::Cancelled { .. })
            }
            (Err(refusal), Some(RequestStatus::TimedOut { .. })) => {
                matches!(refusal, Refusal::TimedOut { .. })
            }
            (Err(refusal), Some(RequestStatus::TurnedAway { why, .. })) => refusal.to_string() == *why,
            _ => false,
        };
        ensure!(fits, "{id} was told {result:?} and is {request:?}");
    }
    let Input::Acquire(acquire) = input else { return Ok(()) };
    let live = before.leases.values().find(|lease| lease.request == acquire.request);
    if let Some(lease) = live.filter(|lease| working.leases.contains_key(&lease.id)) {
        let same = matches!(&step.answer, Answer::Granted(grants) if grants.iter().any(|grant| grant.lease.id == lease.id));
        ensure!(same, "{} was asked again and told {:?}", acquire.request, step.answer);
    }
    let waits = working.requests.get(&acquire.request).map(|request| &request.status);
    let is_waiting = step.answer == Answer::Waiting;
    let decided = step.decided.iter().any(|(id, _)| *id == acquire.request);
    ensure!(
        is_waiting == (waits == Some(&RequestStatus::Waiting) || decided),
        "{} was told {:?} and is {waits:?}",
        acquire.request,
        step.answer
    );
    Ok(())
}

/// Nothing is made for those who want nothing.
fn demand(world: &World) -> Result<(), String> {
    let waiting = world.working.requests.values().filter(|request| request.status == RequestStatus::Waiting);
    let wanted: usize = waiting.map(|request| request.count as usize).sum();
    let demand: usize = world.engine.pools().iter().map(|pool| pool.wanted).sum();
    ensure!(demand <= wanted, "the pools are to have {demand} VMs for those who want {wanted}");
    Ok(())
}

fn limits(world: &World) -> Result<(), String> {
    let ours = &world.spec().installation;
    for (name, config) in &world.spec().pools {
        let nodes = world.clouds.values().flat_map(|cloud| &cloud.nodes);
        let nodes = nodes.filter(|node| node.is_alive() && node.is_of(ours) && !node.is_stray);
        let nodes = nodes.filter(|node| node.node.token.as_ref().is_some_and(|token| token.pool == *name));
        let count = nodes.count();
        ensure!(
            count <= config.max_total() as usize || !world.ledger.duplicated.is_empty(),
            "{count} nodes of {name} exist"
        );
    }
    Ok(())
}
