//! Starting: configuration checked, domain claimed, records loaded, loop spawned.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use vmpool_model::{Change, DomainName, Event, EventKind, InstallationId, Timestamp};
use vmpool_store::{Batch, Claim, Committed, Snapshot, Store, StoreError, fail_point};

use crate::{
    Drivers, Manager, ManagerBuilder, ManagerHandle, StartError, SystemClock, domain::Domain,
    effects::Effects, newest, notice, run::Loop, wake::QUEUE, withheld,
};

/// Does what [`ManagerBuilder::start`] promises.
pub(crate) async fn start(builder: ManagerBuilder) -> Result<Manager, StartError> {
    builder.setup.check(&builder.tools)?;
    let name = match &builder.domain {
        Some(name) => name.clone(),
        None => DomainName::new("default")?,
    };
    // A look before the claim: who is wrong here must not take the domain from who runs it.
    let mut loaded = builder.store.load(&name).await.map_err(at("loading the records"))?;
    let mut installation = installation(&builder, &loaded)?;
    fail_point::reach("manager.start.loaded");
    let claim = builder.store.claim(&name, &builder.holder).await.map_err(at("claiming the domain"))?;
    fail_point::reach("manager.start.claimed");
    let clock = builder.clock.clone().unwrap_or_else(|| Arc::new(SystemClock::new()));
    let steady = |loaded: &Snapshot| newest::SteadyClock::new(Arc::clone(&clock), newest::of(loaded));
    let mut steady_clock = steady(&loaded);
    let mut opened = open(&*builder.store, &claim, &installation, steady_clock.now(), &loaded).await;
    if let Err(StoreError::Conflict { .. }) = opened {
        // Whoever owned the domain wrote between the look and the claim; nobody does any more.
        loaded = builder.store.load(&name).await.map_err(at("loading the records"))?;
        installation = self::installation(&builder, &loaded)?;
        steady_clock = steady(&loaded);
        opened = open(&*builder.store, &claim, &installation, steady_clock.now(), &loaded).await;
    }
    let Committed { revision, cursor } = opened.map_err(at("writing that the manager started"))?;
    let snapshot = Snapshot { revision, cursor, installation: Some(installation.clone()), ..loaded };
    let clock = steady_clock;
    fail_point::reach("manager.start.written");

    let (wakes, receiver) = mpsc::channel(QUEUE);
    let (reads, readings) = mpsc::channel(QUEUE);
    let (cursor, events) = watch::channel(snapshot.cursor);
    let handle = ManagerHandle {
        wakes,
        reads,
        store: Arc::clone(&builder.store),
        domain: name,
        installation: installation.clone(),
        events,
        tools: builder.tools.clone(),
        by: None,
    };
    let effects = Effects::new(&builder.setup.providers, builder.tools);
    let domain = Domain {
        store: builder.store,
        holder: builder.holder,
        installation,
        seed: builder.seed,
        setup: builder.setup,
        retired: Drivers::new(),
        restart_grace: builder.restart_grace,
        shutdown_grace: builder.shutdown_grace,
        check_every: builder.check_every,
    };
    let run = Loop::new(domain, claim, snapshot, clock, effects, (receiver, readings), cursor);
    let notices = notice::notices(&run.domain, &run.engine, &run.withheld);
    for notice in &notices {
        tracing::warn!("{notice}");
    }
    let task = tokio::spawn(run.run());
    Ok(Manager::new(handle, notices, task))
}

fn at(tried: &'static str) -> impl FnOnce(StoreError) -> StartError {
    move |source| StartError::Store { tried, source }
}

fn installation(builder: &ManagerBuilder, loaded: &Snapshot) -> Result<InstallationId, StartError> {
    match (&builder.installation, &loaded.installation) {
        (Some(given), Some(stored)) if given != stored => {
            Err(StartError::Installation { given: given.clone(), stored: stored.clone() })
        }
        (_, Some(stored)) => Ok(stored.clone()),
        (Some(given), None) => Ok(given.clone()),
        (None, None) => Ok(InstallationId::new(format!("i{:016x}", builder.seed))?),
    }
}

/// Writes the start into the log, and the installation if the store is new: a store that cannot be
/// written is found out before anything is promised.
async fn open(
    store: &dyn Store,
    claim: &Claim,
    installation: &InstallationId,
    now: Timestamp,
    loaded: &Snapshot,
) -> Result<Committed, StoreError> {
    let changes = match loaded.installation {
        Some(_) => Vec::new(),
        None => vec![Change::PutInstallation(installation.clone())],
    };
    let mut events = vec![Event::new(now, EventKind::DaemonStarted)];
    events.extend(withheld::events(&loaded.unreadable, now));
    store.commit(claim, Batch { expected: loaded.revision, changes, events }).await
}
