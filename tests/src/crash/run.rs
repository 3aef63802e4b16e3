//! The course of a crash run: start, load, kill, compare, and again; at the end, calm and the last checks.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError},
    thread,
};

use tokio::{runtime::Builder, sync::watch, task::JoinSet};
use vmpool_client::{Client, ClientError, api::VmFilter};
use vmpool_dummy::DummyCloud;

use super::{
    clients::{self, World},
    course::Course,
    history::{Broken, History, Millis, Violation},
    kind::{self, Kind},
    report::Report,
    small_disk::Disks,
};
use crate::{daemon::Daemon, setup::Setup, wait::wait_for};

/// How many VMs each of the two pools keeps, and how many it may have at once.
const SIZE: i64 = 4;
const MAX_TOTAL: i64 = 7;
/// For how many milliseconds a lease is given.
pub(super) const TTL: Millis = 3000;

/// What a crash run does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The binary `vmpool`, built with fail points.
    pub program: PathBuf,
    /// Where the daemon's state, the cloud and the log lie; it must be empty or absent.
    pub folder: PathBuf,
    /// How many rounds there are; `None` is one of each kind and one of each durable step.
    pub rounds: Option<u32>,
    /// How many clients there are.
    pub clients: usize,
    /// What all choices come from.
    pub seed: u64,
    /// Whether there are rounds on a full disk.
    pub disks: Disks,
}

/// Carries out a plan; `told` hears of each round that begins.
///
/// # Errors
///
/// A text if the run could not be carried out; what was found wrong is in [`Report::violations`].
pub fn run(plan: &Plan, told: impl Fn(usize, Kind)) -> Result<Report, String> {
    let mut rng = fastrand::Rng::with_seed(plan.seed);
    let (config, cloud) = prepare(plan)?;
    let (address, daemon) = watch::channel(None);
    let (stop_sender, stop) = watch::channel(false);
    let world = World { daemon, stop, history: Arc::default() };
    let history = Arc::clone(&world.history);
    let clients = launch(&world, plan, &mut rng)?;
    drop(world);

    let mut kinds = match plan.rounds {
        Some(rounds) => kind::deal(usize::try_from(rounds).unwrap_or_default(), &mut rng),
        None => kind::each_once(),
    };
    if plan.disks == Disks::LeftOut {
        kinds.retain(|kind| *kind != Kind::Full);
    }
    let mut course = Course {
        program: plan.program.clone(),
        config,
        log: plan.folder.join("daemon.log"),
        state: plan.folder.join("state"),
        rng,
        ahead: 0,
        history,
        address,
        report: Report { seed: plan.seed, limit: limit(), ..Report::default() },
    };
    course.make_store()?;
    for (number, kind) in kinds.into_iter().enumerate() {
        told(number, kind);
        course.round(kind).map_err(|err| format!("in round {number}, {kind:?}: {err}"))?;
    }
    let daemon = course.start()?;
    stop_sender.send_replace(true);
    clients.join().map_err(|_| "the clients panicked".to_owned())??;
    let calm = calm(daemon, &cloud);
    let Course { history, mut report, .. } = course;
    report.violations.extend(calm.err().map(|err| Violation::new(Broken::Leak, err)));
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
        .with("access.open_loopback", true)
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
            .with(&format!("pools.{pool}.lease_ttl"), format!("{TTL}ms"));
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
    report.violations.extend(history.violations.iter().cloned());
    report.violations.extend(history.overlaps());
    if report.limit < report.peak {
        let what = format!("the cloud had {} nodes at once, {} are allowed", report.peak, report.limit);
        report.violations.push(Violation::new(Broken::Leak, what));
    }
    let twice =
        cloud.find_duplicate_tokens().into_iter().map(|token| format!("a VM was created twice: {token}"));
    report.violations.extend(twice.map(|what| Violation::new(Broken::Twice, what)));
    let unreached = report.points.iter().filter(|(_, (tried, ended))| 5 <= *tried && *ended == 0);
    let unreached: Vec<_> = unreached.map(|(point, _)| format!("no daemon came to {point}")).collect();
    report.violations.extend(unreached.into_iter().map(|what| Violation::new(Broken::Other, what)));
    report
}

fn limit() -> usize {
    usize::try_from(2 * MAX_TOTAL).unwrap_or_default()
}

fn look(cloud: &Path) -> Result<DummyCloud, String> {
    DummyCloud::read(cloud).map_err(|err| err.to_string())
}

/// Asks the daemon something, on a runtime made for it.
pub(super) fn ask<T>(
    url: &str,
    question: impl AsyncFnOnce(Client) -> Result<T, ClientError>,
) -> Result<T, String> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(|err| err.to_string())?;
    let answer = runtime.block_on(async { question(Client::new(url)?).await });
    answer.map_err(|err| format!("the daemon just started and does not answer: {err}"))
}
