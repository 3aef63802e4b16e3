//! The course of a crash run: start, load, kill, compare, and again; at the end, calm and the last checks.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use tokio::{runtime::Builder, sync::watch, task::JoinSet};
use vmpool_client::{Client, ClientError, api::VmFilter};
use vmpool_dummy::DummyCloud;

use super::{
    clients::{self, World},
    history::History,
    report::Report,
};
use crate::{
    daemon::Daemon,
    setup::Setup,
    wait::{let_pass, millis, now, wait_for},
};

/// How many VMs each of the two pools keeps, and how many it may have at once.
const SIZE: i64 = 4;
const MAX_TOTAL: i64 = 7;
/// A lease that ends within so many milliseconds is not missed.
const MARGIN: i64 = 200;

/// What a crash run does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The binary `vmpool`.
    pub program: PathBuf,
    /// Where the daemon's state, the cloud and the log lie; it must be empty or absent.
    pub folder: PathBuf,
    /// How often the daemon is killed.
    pub rounds: u32,
    /// How many clients there are.
    pub clients: usize,
    /// What all choices come from.
    pub seed: u64,
}

/// Carries out a plan.
///
/// # Errors
///
/// A text if the run could not be carried out; what was found wrong is in [`Report::violations`].
pub fn run(plan: &Plan) -> Result<Report, String> {
    let mut rng = fastrand::Rng::with_seed(plan.seed);
    let (config, cloud) = prepare(plan)?;
    let log = plan.folder.join("daemon.log");
    let (daemon_sender, daemon) = watch::channel(None);
    let (stop_sender, stop) = watch::channel(false);
    let world = World { daemon, stop, history: Arc::default() };
    let history = Arc::clone(&world.history);
    let clients = launch(&world, plan, &mut rng)?;
    drop(world);

    let mut report = Report { seed: plan.seed, limit: limit(), ..Report::default() };
    let mut start = || {
        let began = now();
        let daemon = Daemon::start(&plan.program, &config, &log)?;
        report.restarts.push(began.elapsed());
        // The clients do not know the new daemon yet, so nothing changes during the comparison.
        compare(&history, daemon.url())?;
        daemon_sender.send_replace(Some(daemon.url().to_owned()));
        Ok::<_, String>(daemon)
    };
    for _ in 0..plan.rounds {
        // One of four is killed before it serves, in the middle of its recovery.
        let daemon = match rng.u8(0..4) {
            0 => {
                let daemon = Daemon::spawn(&plan.program, &config, &log)?;
                let_pass(Duration::from_millis(rng.u64(0..150)));
                daemon
            }
            _ => {
                let daemon = start()?;
                let_pass(Duration::from_millis(rng.u64(0..900)));
                daemon
            }
        };
        daemon_sender.send_replace(None);
        daemon.kill()?;
    }
    let daemon = start()?;
    stop_sender.send_replace(true);
    clients.join().map_err(|_| "the clients panicked".to_owned())??;
    calm(daemon, &cloud)?;
    report.kills = plan.rounds;
    let history = history.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(finish(report, &history, &look(&cloud)?))
}

fn prepare(plan: &Plan) -> Result<(PathBuf, PathBuf), String> {
    let state = plan.folder.join("state");
    fs::create_dir_all(&state).map_err(|err| format!("failed to make {}: {err}", state.display()))?;
    let cloud = plan.folder.join("cloud.journal");
    let options = |key: &str| format!("providers.cloud.options.{key}");
    let mut setup = Setup::new(&state, SIZE)
        .with("daemon.restart_grace", "500ms")
        .with("providers.cloud.list_interval", "100ms")
        // This cloud answers at once, and has nothing under way when its caller dies.
        .with("providers.cloud.create_settle", "0s")
        .with_pool("shared", SIZE)
        .with("pools.shared.on_release", "reuse")
        .with("pools.shared.dirty_timeout", "2s")
        .with(&options("path"), cloud.display().to_string())
        .with(&options("seed"), i64::from(plan.seed as u32))
        .with(&options("boot_latency"), "50ms")
        .with(&options("destroy_latency"), "20ms")
        .with(&options("faults.lost_answers"), 0.1)
        .with(&options("faults.lost_requests"), 0.05)
        .with(&options("faults.fail_create"), 0.05);
    for pool in ["builders", "shared"] {
        setup = setup
            .with(&format!("pools.{pool}.max_total"), MAX_TOTAL)
            .with(&format!("pools.{pool}.lease_ttl"), "3s");
    }
    let config = plan.folder.join("vmpool.toml");
    fs::write(&config, setup.text()).map_err(|err| format!("failed to write {}: {err}", config.display()))?;
    Ok((config, cloud))
}

/// Starts the clients on a thread of their own.
fn launch(
    world: &World,
    plan: &Plan,
    rng: &mut fastrand::Rng,
) -> Result<thread::JoinHandle<Result<(), String>>, String> {
    let clients: Vec<_> =
        (0..plan.clients).map(|name| clients::run(world.clone(), name, rng.u64(..))).collect();
    let work = async {
        let mut tasks: JoinSet<()> = clients.into_iter().collect();
        while let Some(ended) = tasks.join_next().await {
            ended.map_err(|err| format!("a client failed: {err}"))?;
        }
        Ok(())
    };
    let runtime = Builder::new_current_thread().enable_all().build().map_err(|err| err.to_string())?;
    Ok(thread::spawn(move || runtime.block_on(work)))
}

/// Compares what the clients know with the leases that a daemon has.
fn compare(history: &Arc<Mutex<History>>, url: &str) -> Result<(), String> {
    let leases = ask(url, async |client| client.leases().await)?;
    let leases: Vec<String> = leases.into_iter().map(|lease| lease.id).collect();
    history.lock().unwrap_or_else(PoisonError::into_inner).compare(millis(), MARGIN, &leases);
    Ok(())
}

/// Waits until the pools are as they should be when nobody wants anything, and the cloud has just that; then stops.
fn calm(daemon: Daemon, cloud: &Path) -> Result<(), String> {
    let mut last = String::new();
    let calm = wait_for("calm: pools full of ready VMs, and no other node in the cloud", || {
        let unrest = unrest(daemon.url(), cloud).unwrap_or_else(Some);
        last = unrest.unwrap_or_default();
        last.is_empty().then_some(())
    });
    calm.map_err(|err| format!("{err}; {last}; the daemon's log:\n{}", daemon.logged()))?;
    let status = daemon.stop()?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("the daemon ended with {status} after SIGTERM")),
    }
}

/// Returns what is not yet calm.
fn unrest(url: &str, cloud: &Path) -> Result<Option<String>, String> {
    let (vms, leases) =
        ask(url, async |client| Ok((client.vms(&VmFilter::default()).await?, client.leases().await?)))?;
    if !leases.is_empty() {
        return Ok(Some(format!("{} leases last", leases.len())));
    }
    if let Some(vm) = vms.iter().find(|vm| vm.state != "ready") {
        return Ok(Some(format!("VM {} is {}: {:?}", vm.name, vm.state, vm.problem)));
    }
    let wanted = usize::try_from(2 * SIZE).unwrap_or_default();
    if vms.len() != wanted {
        return Ok(Some(format!("there are {} VMs, {wanted} are wanted", vms.len())));
    }
    let recorded: BTreeSet<String> = vms.into_iter().filter_map(|vm| vm.node_id).collect();
    let nodes: BTreeSet<String> = look(cloud)?.nodes().into_iter().map(|node| node.id.to_string()).collect();
    match recorded == nodes {
        true => Ok(None),
        false => Ok(Some(format!("the records have the nodes {recorded:?}, the cloud has {nodes:?}"))),
    }
}

fn finish(mut report: Report, history: &History, cloud: &DummyCloud) -> Report {
    report.acquires = history.acquires;
    report.renewals = history.renewals;
    report.releases = history.releases;
    report.leases = history.held.len();
    report.created = cloud.created();
    report.peak = cloud.peak();
    report.violations.clone_from(&history.violations);
    report.violations.extend(history.overlaps());
    if report.limit < report.peak {
        report
            .violations
            .push(format!("the cloud had {} nodes at once, {} are allowed", report.peak, report.limit));
    }
    let twice =
        cloud.find_duplicate_tokens().into_iter().map(|token| format!("a VM was created twice: {token}"));
    report.violations.extend(twice);
    report
}

fn limit() -> usize {
    usize::try_from(2 * MAX_TOTAL).unwrap_or_default()
}

fn look(cloud: &Path) -> Result<DummyCloud, String> {
    DummyCloud::read(cloud).map_err(|err| err.to_string())
}

/// Asks the daemon something, on a runtime made for it.
fn ask<T>(url: &str, question: impl AsyncFnOnce(Client) -> Result<T, ClientError>) -> Result<T, String> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(|err| err.to_string())?;
    let answer = runtime.block_on(async { question(Client::new(url)?).await });
    answer.map_err(|err| format!("the daemon just started and does not answer: {err}"))
}
