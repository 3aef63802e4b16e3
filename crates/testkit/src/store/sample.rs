//! Records and events to write into a store; each is determined by a number.

use std::time::Duration;

use vmpool_model::{
    Change, DomainName, Drain, Event, EventKind, Hold, InstallationId, InvalidName, Label, Lease, LeaseEnd,
    LeaseId, NodeId, NodeView, Owner, PoolEnds, PoolName, PoolRecord, ProviderName, RecordState, RequestId,
    RequestRecord, RequestStatus, Returned, Sandbox, TaskId, Timestamp, VmName, VmRecord,
    config::HooksConfig,
    states::{NodeState, RawState},
};
use vmpool_store::Batch;

/// What making a sample yields.
pub type Sample<T> = Result<T, InvalidName>;

/// Names a domain.
///
/// # Errors
///
/// If the text is no name.
pub fn domain(name: &str) -> Sample<DomainName> {
    DomainName::new(name)
}

/// Makes an installation's id.
///
/// # Errors
///
/// None.
pub fn installation(number: u32) -> Sample<InstallationId> {
    InstallationId::new(format!("lab-{number}"))
}

/// Makes a VM record with every field set.
///
/// # Errors
///
/// None.
pub fn vm(number: u32) -> Sample<VmRecord> {
    let name = VmName::new(format!("small-{number:06}"))?;
    let mut vm = VmRecord::intended(name, PoolName::new("small")?, ProviderName::new("lab")?, time(number));
    vm.state = RecordState::InUse;
    vm.since = time(number.wrapping_add(1));
    vm.node = Some(NodeView {
        id: NodeId::new(number.to_string())?,
        state: NodeState::Running,
        raw_state: RawState::Text("läuft".to_owned()),
        addresses: vec![[10, 0, 0, 7].into(), [0x20, 1, 0, 0, 0, 0, 0, 7].into()],
    });
    vm.lease = Some(LeaseId::new(format!("lease-{number:06}"))?);
    vm.owner = Some(Owner::new("Zoë / build")?);
    vm.sandbox = Some(Sandbox::new("sandbox \"1\"")?);
    vm.uses = number;
    vm.check_fails = 1;
    vm.last_check = Some(time(2));
    vm.last_release = Some(time(3));
    vm.dirty_since = Some(time(10));
    vm.returned = Some(Box::new(Returned { lease: lease(number)?, clean: true, held: false }));
    vm.starting_since = Some(time(11));
    vm.attempts = 4;
    vm.retry_at = Some(time(5));
    vm.suspect = Some("it looks ill".to_owned());
    vm.template = "small".to_owned();
    vm.needs = [("cores".to_owned(), 4)].into();
    vm.hold = Some(Hold {
        reason: "look".to_owned(),
        by: Some(Owner::new("zoe")?),
        since: time(6),
        until: time(7),
    });
    vm.prepared = true;
    vm.host_key = Some("ssh-ed25519 AAAA".to_owned());
    vm.cloud_expiry = Some(time(8));
    vm.gone_at = Some(time(9));
    vm.problem = Some("line 1\nline 2".to_owned());
    Ok(vm)
}

/// Makes a lease with every field set.
///
/// # Errors
///
/// None.
pub fn lease(number: u32) -> Sample<Lease> {
    Ok(Lease {
        id: LeaseId::new(format!("lease-{number:06}"))?,
        vm: VmName::new(format!("small-{number:06}"))?,
        pool: PoolName::new("small")?,
        owner: Owner::new("zoe")?,
        sandbox: Some(Sandbox::new("box")?),
        task: Some(TaskId::new("task-1")?),
        request: RequestId::new(format!("request-{number:06}"))?,
        acquired_at: time(number),
        expires_at: time(number) + Duration::from_secs(60),
        ttl: Duration::from_secs(60),
        fence: u64::from(number) << 20,
        suspect: Some("it looks ill".to_owned()),
    })
}

/// Makes a request with every field set.
///
/// # Errors
///
/// None.
pub fn request(number: u32) -> Sample<RequestRecord> {
    Ok(RequestRecord {
        id: RequestId::new(format!("request-{number:06}"))?,
        pools: vec![PoolName::new("small")?, PoolName::new("big")?],
        labels: [Label::new("arch=x86_64")?].into(),
        count: 3,
        priority: -1,
        owner: Owner::new("zoe")?,
        sandbox: Some(Sandbox::new("box")?),
        task: Some(TaskId::new("task-1")?),
        ttl: Duration::from_secs(60),
        submitted_at: time(number),
        order: u64::from(number),
        deadline: time(number) + Duration::from_secs(30),
        until: None,
        at_once: false,
        status: RequestStatus::Ended {
            lease: LeaseId::new("lease-1")?,
            leases: Vec::new(),
            vm: VmName::new("small-1")?,
            at: time(number),
            how: LeaseEnd::Expired,
            before: Vec::new(),
        },
    })
}

/// Makes what is remembered of a pool.
///
/// # Errors
///
/// None.
pub fn pool(number: u32) -> Sample<PoolRecord> {
    let drain = Drain { reason: "it moves".to_owned(), since: time(number), by: None };
    let name = PoolName::new(format!("pool-{number:06}"))?;
    Ok(PoolRecord {
        name,
        drain: Some(drain),
        removed_at: None,
        hooks: HooksConfig::default(),
        ends: PoolEnds::default(),
        forgotten_at: None,
    })
}

/// Makes an event that says its number.
#[must_use]
pub fn event(number: u32) -> Event {
    let mut event = Event::new(time(number), EventKind::VmReady);
    event.detail = number.to_string();
    event
}

/// Makes a point in time.
#[must_use]
pub fn time(number: u32) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + i64::from(number))
}

/// Makes the change that writes a VM record.
///
/// # Errors
///
/// None.
pub fn put_vm(number: u32) -> Sample<Change> {
    Ok(Change::PutVm(Box::new(vm(number)?)))
}

/// Makes a batch for a domain that is at revision 0.
#[must_use]
pub fn first(changes: Vec<Change>) -> Batch {
    Batch { changes, ..Batch::default() }
}
