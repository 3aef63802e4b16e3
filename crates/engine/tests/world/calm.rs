//! Calm: the faults stop, time runs, and everything must come to rest.

use vmpool_engine::{Effect, EffectId, Input};
use vmpool_model::{Acquire, Owner, RecordState, RequestId, RequestStatus};

use crate::{
    act::How,
    cloud::CloudNode,
    setup::seconds,
    world::{Crash, World},
};

/// How long it may take, in seconds: the longest wait of a configuration, several times.
const LIMIT: u64 = 1_500;

impl World {
    /// Stops the faults, lets clients finish, and checks that every pool comes to rest.
    pub(crate) fn calm_down(&mut self) -> Result<(), String> {
        self.tell(|| "calm".to_owned());
        self.disarm();
        self.empty_what_is_out()?;
        self.restore_configuration();
        self.full.limits.max_waiting = 1000;
        self.crash(Crash::default())?;
        self.let_go()?;
        let pools: Vec<_> = self.spec().pools.keys().cloned().collect();
        for pool in pools {
            let request = RequestId::new(format!("last-of-{pool}")).unwrap();
            let acquire = Acquire::new(request, pool, Owner::new("last").unwrap());
            self.step(Input::Acquire(Box::new(acquire.with_wait(seconds(LIMIT)))))?;
        }
        let until = self.now + seconds(LIMIT);
        let mut rested_since = None;
        let mut steps = 0;
        while self.now < until {
            self.breathe()?;
            steps += 1;
            ensure!(steps < 20_000, "the engine does not come to rest: it wants to be woken all the time");
            match (self.unrest(), rested_since) {
                (Ok(()), None) => rested_since = Some(self.now),
                (Ok(()), Some(since)) if self.now < since + seconds(20) => {}
                (Ok(()), Some(_)) => return Ok(()),
                (Err(_), _) => rested_since = None,
            }
        }
        self.unrest()
    }

    /// Checks that providers that left the configuration while the engine ran come to their end.
    fn empty_what_is_out(&mut self) -> Result<(), String> {
        let is_out = |world: &Self| world.engine.providers().iter().any(|view| view.retired_at.is_some());
        let until = self.now + seconds(LIMIT);
        while is_out(self) && self.now < until {
            self.breathe()?;
        }
        let left: Vec<_> =
            self.engine.providers().into_iter().filter(|view| view.retired_at.is_some()).collect();
        let vms: Vec<_> =
            self.working.vms.values().filter(|vm| left.iter().any(|view| view.name == vm.provider)).collect();
        ensure!(left.is_empty(), "{left:?} never ends: {vms:?}");
        Ok(())
    }

    /// Answers everything well, lets clients give back what they have and operators what they hold, and lets time pass to the next timer.
    fn breathe(&mut self) -> Result<(), String> {
        self.let_go()?;
        let now = self.now;
        self.clouds.values_mut().for_each(|cloud| cloud.heal(now));
        let ids: Vec<EffectId> = self.flights.keys().copied().collect();
        for id in ids {
            if self.flights.contains_key(&id) {
                self.execute_once(id);
                self.answer(id)?;
            }
        }
        let leases: Vec<_> = self.working.leases.keys().cloned().collect();
        for lease in leases {
            self.step(Input::Release { lease, fence: None })?;
        }
        let held: Vec<_> = self.working.vms.values().filter(|vm| vm.hold.is_some()).collect();
        for vm in held.into_iter().map(|vm| vm.name.clone()).collect::<Vec<_>>() {
            self.step(Input::Unhold(vm))?;
        }
        match self.flights.is_empty() {
            true => self.wake(),
            false => Ok(()),
        }
    }

    fn execute_once(&mut self, id: EffectId) {
        if !self.is_carried_out(id) {
            self.execute(id, How::Well { boots: 2, hides: 0 });
        }
    }

    /// Says what is not at rest.
    fn unrest(&self) -> Result<(), String> {
        for (name, config) in &self.spec().pools {
            let vms = || self.working.vms.values().filter(|vm| vm.pool == *name);
            let wanted = config.size.max(config.min_ready) as usize;
            let is_ready = vms()
                .all(|vm| matches!(vm.state, RecordState::Ready | RecordState::CheckHealth) && vm.is_clean());
            ensure!(
                is_ready && vms().count() == wanted,
                "{name} is not at rest: {:?}",
                vms().collect::<Vec<_>>()
            );
        }
        let waits = self.working.requests.values().find(|request| request.status == RequestStatus::Waiting);
        ensure!(waits.is_none(), "nobody serves {waits:?}");
        for pool in self.spec().pools.keys() {
            let last = RequestId::new(format!("last-of-{pool}")).unwrap();
            ensure!(self.ledger.past.ever_served.contains(&last), "{last} was never served");
        }
        let ours = &self.spec().installation;
        for (name, cloud) in &self.clouds {
            let records = self.working.vms.values().filter(|vm| vm.provider == *name);
            let known: Vec<_> = records.filter_map(|vm| Some(&vm.node.as_ref()?.id)).collect();
            let mut alive = cloud.nodes.iter().filter(|node| node.is_alive() && node.is_of(ours));
            let leak = alive.find(|node| !known.contains(&&node.node.id));
            ensure!(leak.is_none(), "nobody knows {leak:?}");
            ensure!(cloud.late.is_empty(), "{name} still makes nodes");
            let lost = known.iter().find(|id| !cloud.get(id).is_some_and(CloudNode::is_alive));
            ensure!(lost.is_none(), "node {lost:?} does not exist");
            let others = cloud.nodes.iter().filter(|node| !node.is_of(ours));
            let killed = others.into_iter().find(|node| !node.is_alive());
            ensure!(killed.is_none(), "a node of others was killed: {killed:?}");
        }
        let busy = self
            .flights
            .values()
            .find(|flight| !matches!(flight.effect, Effect::List { .. } | Effect::Check { .. }));
        ensure!(busy.is_none(), "something is still under way: {busy:?}");
        Ok(())
    }
}
