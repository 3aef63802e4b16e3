//! What the demo shows, step by step.

use std::{io, time::Duration};

use jiff::Timestamp;
use tokio::{process::Command, time::timeout};
use vmpool_api::{Vm, VmFilter, exit, routes::MAX_EVENTS};
use vmpool_client::Client;

use super::{
    config::{POOL, Places, SIZE},
    daemon::Daemon,
};
use crate::{failure::Failure, output::print};

/// How long the pool may take to be full.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often the pool is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(100);
/// What the clients run with their VM.
const WORK: &str = "echo \"working in VM $VMPOOL_VM at $VMPOOL_ADDRESS under lease $VMPOOL_LEASE\"";

/// Shows the pool at work.
pub(super) async fn run(daemon: &Daemon, places: &Places) -> Result<(), Failure> {
    print(&format!("\n1. start the daemon: vmpool serve --config {}", places.config.display()))?;
    print(&format!("   process {} listens on {}", daemon.id(), daemon.url()))?;
    let client = Client::new(daemon.url())?;
    let started = started(&client).await?;
    let vms = client.vms(&VmFilter::default().with_pool(POOL)).await?;
    let earlier = vms.iter().filter(|vm| started.is_some_and(|started| vm.created_at < started));
    let found: Vec<&str> = earlier.map(|vm| vm.name.as_str()).collect();
    match found.len() {
        0 => print("   the state directory is new: there are no VMs yet")?,
        count => print(&format!("   found {count} VMs from the earlier run: {}", found.join(", ")))?,
    }

    print(&format!("\n2. wait until {SIZE} VMs are ready"))?;
    let before = full(&client).await?;
    show(&before)?;

    print("\n3. two clients at once, each a process that acquires, runs a command and releases:")?;
    print(&format!("   vmpool acquire {POOL} -- sh -c '{WORK}'"))?;
    let (ada, grace) = tokio::join!(use_vm(daemon, "ada"), use_vm(daemon, "grace"));
    let (ada, grace) = (ada?, grace?);
    print(&format!("   ada:   {ada}"))?;
    print(&format!("   grace: {grace}"))?;

    print("\n4. a used VM is destroyed, and a new one takes its place")?;
    let after = full(&client).await?;
    show(&after)?;
    let kept = after.iter().filter(|vm| before.iter().any(|old| old.name == vm.name)).count();
    match after.len() - kept {
        2 => print(&format!("   {kept} kept, 2 new")),
        new => Err(Failure::new(exit::DAEMON, format!("two VMs were used, but {new} are new"))),
    }
}

/// Returns when the daemon took the records over, which is before it made any VM.
async fn started(client: &Client) -> Result<Option<Timestamp>, Failure> {
    let (mut after, mut started) = (0, None);
    loop {
        let page = client.events(after, MAX_EVENTS).await?;
        let starts = page.events.iter().filter(|event| event.kind == "daemon_started");
        started = starts.map(|event| event.at).next_back().or(started);
        if page.events.is_empty() {
            return Ok(started);
        }
        after = page.next;
    }
}

/// Waits until the pool is full of ready VMs.
async fn full(client: &Client) -> Result<Vec<Vm>, Failure> {
    let full = async {
        let mut look = tokio::time::interval(LOOK);
        loop {
            look.tick().await;
            let vms = client.vms(&VmFilter::default().with_pool(POOL)).await?;
            if vms.len() == SIZE && vms.iter().all(|vm| vm.state == "ready") {
                return Ok(vms);
            }
        }
    };
    timeout(PATIENCE, full).await.unwrap_or_else(|_| {
        Err(Failure::new(exit::DAEMON, format!("the pool was not full within {} s", PATIENCE.as_secs())))
    })
}

/// Runs a client process that works with a VM, and returns what it printed.
async fn use_vm(daemon: &Daemon, owner: &str) -> Result<String, Failure> {
    let failed = |err: io::Error| Failure::new(exit::FAILURE, format!("failed to run a client: {err}"));
    let output = Command::new(std::env::current_exe().map_err(failed)?)
        .args(["acquire", POOL, "--url", daemon.url(), "--owner", owner, "--", "sh", "-c", WORK])
        .kill_on_drop(true)
        .output()
        .await
        .map_err(failed)?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            let message = format!("the client of {owner} ended with {}: {said}", output.status);
            Err(Failure::new(exit::FAILURE, message))
        }
    }
}

fn show(vms: &[Vm]) -> Result<(), Failure> {
    vms.iter().try_for_each(|vm| {
        let address = vm.addresses.first().map_or("-", String::as_str);
        print(&format!("   {}  {}  {address}", vm.name, vm.state))
    })
}
