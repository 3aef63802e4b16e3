//! What a seed stands for: small numbers, so that every limit is met, and a choice of what goes wrong.

use std::{collections::BTreeMap, time::Duration};

use fastrand::Rng;
use vmpool_dummy::{DummyConfig, FaultConfig};
use vmpool_manager::model::{
    PoolName, ProviderName,
    config::{CheckConfig, HookConfig, LimitsConfig, OnExpiry, OnRelease, PoolConfig, ProviderConfig},
};

use crate::offers;

/// What a life begins with.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) pools: BTreeMap<PoolName, PoolConfig>,
    pub(crate) providers: BTreeMap<ProviderName, Provider>,
    pub(crate) limits: LimitsConfig,
    pub(crate) clients: u64,
    /// How many VMs each client uses at most.
    pub(crate) uses: u32,
    pub(crate) restart_grace: Duration,
    /// Seconds between two reloads of the configuration, at most; 0 for none.
    pub(crate) reload_pause: u64,
    /// Whether calm begins with a crowd that goes on asking.
    pub(crate) crowd: bool,
    /// The provider that stays away longest.
    pub(crate) stays_down: Option<ProviderName>,
    /// How long things go wrong.
    pub(crate) trouble: Duration,
    pub(crate) store: StoreLuck,
    pub(crate) health: HealthLuck,
    pub(crate) habits: Habits,
    pub(crate) disasters: Disasters,
}

/// One cloud, and how the manager is told to treat it.
#[derive(Debug, Clone)]
pub(crate) struct Provider {
    pub(crate) config: ProviderConfig,
    pub(crate) cloud: DummyConfig,
    pub(crate) weather: Weather,
}

/// What goes wrong between the manager and a cloud, and in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    /// How long a call takes at most.
    pub(crate) slowest: Duration,
    pub(crate) outages: bool,
    pub(crate) throttles: bool,
    pub(crate) hangs: bool,
    pub(crate) deaths: bool,
    /// How likely a listing lacks nodes and does not say so.
    pub(crate) lies: f64,
    /// How likely a destroy is refused.
    pub(crate) stubborn: f64,
}

/// How the store behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoreLuck {
    pub(crate) slowest: Duration,
    /// How likely a commit fails.
    pub(crate) fails: f64,
    pub(crate) outages: bool,
}

/// How the checks go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HealthLuck {
    pub(crate) slowest: Duration,
    pub(crate) fails: f64,
    pub(crate) hangs: f64,
}

/// How clients and operators behave, as probabilities.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    /// That a client dies while it waits or holds.
    pub(crate) dies: f64,
    /// That a holder does not renew for a while, and comes back with what it had.
    pub(crate) stalls: f64,
    /// That a client withdraws its request.
    pub(crate) cancels: f64,
    /// Seconds between two acts of an operator, at most; 0 for no operator.
    pub(crate) operator_pause: u64,
}

/// What befalls the manager.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Disasters {
    pub(crate) crashes: bool,
    pub(crate) shutdowns: bool,
    /// That a second manager is started over the same store.
    pub(crate) doubles: bool,
    /// That the wall clock is days off at some starts.
    pub(crate) clocks: bool,
    /// That all records are lost.
    pub(crate) losses: bool,
    /// Seconds between two disasters at most.
    pub(crate) pause: u64,
}

impl Scenario {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let rng = &mut rng;
        let providers: BTreeMap<_, _> =
            (0..rng.u32(1..=3)).map(|number| (provider_name(number), provider(seed, rng))).collect();
        let pools = (0..rng.u32(1..=3)).map(|number| (pool_name(number), pool(number, providers.len(), rng)));
        let mut scenario = Self {
            reload_pause: 0,
            crowd: false,
            stays_down: None,
            pools: pools.collect(),
            limits: limits(rng),
            clients: rng.u64(2..=8),
            uses: rng.u32(1..=6),
            restart_grace: seconds(rng.u64(15..=60)),
            trouble: seconds(rng.u64(100..=900)),
            store: StoreLuck {
                slowest: if rng.bool() { Duration::ZERO } else { Duration::from_millis(rng.u64(1..200)) },
                fails: maybe(rng, 0.05),
                outages: rng.u32(0..4) == 0,
            },
            health: HealthLuck {
                slowest: seconds(rng.u64(0..5)),
                fails: maybe(rng, 0.3),
                hangs: maybe(rng, 0.1),
            },
            habits: Habits {
                dies: maybe(rng, 0.2),
                stalls: maybe(rng, 0.2),
                cancels: maybe(rng, 0.1),
                operator_pause: if rng.bool() { rng.u64(10..120) } else { 0 },
            },
            disasters: Disasters {
                crashes: rng.bool(),
                shutdowns: rng.u32(0..4) == 0,
                doubles: rng.u32(0..4) == 0,
                clocks: rng.u32(0..8) == 0,
                losses: false,
                pause: rng.u64(5..120),
            },
            providers,
        };
        offers::spread(&mut scenario, rng);
        let mut rng = Rng::with_seed(seed ^ 0x4e10);
        scenario.reload_pause = if rng.u32(0..4) == 0 { rng.u64(20..200) } else { 0 };
        for provider in scenario.providers.values_mut() {
            // Ids that come back before the create is answered that they were first given for are not told apart yet.
            provider.cloud.reuse_addresses = rng.bool();
            let _ = rng.u32(0..4);
        }
        scenario.crowd = rng.u32(0..12) == 0;
        let mut rng = Rng::with_seed(seed ^ 0x41d7);
        for provider in scenario.providers.values_mut() {
            speak(&mut provider.cloud, &mut rng);
        }
        scenario.disasters.losses = Rng::with_seed(seed ^ 0x1057).u32(0..8) == 0;
        scenario
    }

    /// One pool of 20 VMs, which go on being used by whoever had them, and nothing goes wrong.
    pub(crate) fn fair(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut config = PoolConfig::new(provider_name(0), "template", 0);
        (config.max_total, config.max_starting, config.on_release) = (Some(20), 5, OnRelease::Reuse);
        (config.lease_ttl, config.max_lease_ttl) = (seconds(1000), seconds(1000));
        let mut fair = Self::new(seed);
        let mut provider = provider(seed, &mut rng);
        provider.cloud = DummyConfig::default().with_seed(seed).with_boot_latency(seconds(rng.u64(0..10)));
        fair.providers = [(provider_name(0), provider)].into();
        fair.pools = [(pool_name(0), config)].into();
        (fair.limits, fair.stays_down) = (LimitsConfig::default(), None);
        (fair.store.fails, fair.store.outages, fair.disasters.clocks) = (0.0, false, false);
        fair.disasters.losses = false;
        fair
    }
}

pub(crate) fn limits(rng: &mut Rng) -> LimitsConfig {
    let mut limits = LimitsConfig::default();
    limits.max_per_owner = (rng.u32(0..3) == 0).then(|| rng.u32(1..5));
    limits.max_per_sub_owner = (rng.u32(0..3) == 0).then(|| rng.u32(1..4));
    limits.priority_aging = seconds(rng.u64(0..100));
    limits
}

fn provider(seed: u64, rng: &mut Rng) -> Provider {
    let mut config = ProviderConfig::new("dummy");
    config.list_interval = seconds(rng.u64(2..=10));
    config.request_timeout = seconds(rng.u64(5..=20));
    config.missing_grace = seconds(rng.u64(0..=30));
    config.orphan_grace = seconds(rng.u64(5..=60));
    config.max_concurrent = rng.usize(1..=8);
    let mut cloud =
        DummyConfig::default().with_seed(seed ^ rng.u64(..)).with_boot_latency(seconds(rng.u64(0..40)));
    cloud = cloud.with_destroy_latency(seconds(rng.u64(0..20))).with_faults(faults(rng));
    cloud.history = 0;
    if rng.u32(0..3) == 0 {
        cloud.visibility_delay = seconds(rng.u64(1..20));
        config.visibility_window = cloud.visibility_delay + seconds(1);
    }
    if rng.u32(0..4) == 0 {
        cloud.quota = Some(rng.usize(1..6));
    }
    // A call that is given up may still have its effect, but no later than the manager is told.
    let slowest = config.request_timeout.mul_f64(if rng.bool() { 0.1 } else { 0.9 });
    let weather = Weather {
        slowest,
        outages: rng.u32(0..3) == 0,
        throttles: rng.u32(0..4) == 0,
        hangs: rng.u32(0..4) == 0,
        deaths: rng.u32(0..3) == 0,
        lies: maybe(rng, 0.5),
        stubborn: maybe(rng, 0.5),
    };
    Provider { config, cloud, weather }
}

/// Lets half of the clouds say by themselves what changes, most of them badly.
fn speak(cloud: &mut DummyConfig, rng: &mut Rng) {
    cloud.events = rng.bool();
    let faults = &mut cloud.faults;
    faults.lost_hints = maybe(rng, 0.5);
    faults.late_hints = maybe(rng, 0.5);
    faults.doubled_hints = maybe(rng, 0.5);
    faults.false_hints = maybe(rng, 0.5);
    faults.broken_hints = maybe(rng, 0.1);
}

fn faults(rng: &mut Rng) -> FaultConfig {
    let mut faults = FaultConfig::default();
    faults.fail_create = maybe(rng, 0.3);
    faults.lost_answers = maybe(rng, 0.3);
    faults.lost_requests = maybe(rng, 0.2);
    faults.half_done_creates = maybe(rng, 0.2);
    faults.boot_failure = maybe(rng, 0.2);
    faults.partial_listings = maybe(rng, 0.5);
    faults.death_rate = if rng.u32(0..4) == 0 { rng.f64() * 10.0 } else { 0.0 };
    faults
}

fn pool(number: u32, providers: usize, rng: &mut Rng) -> PoolConfig {
    let provider = provider_name(rng.u32(0..u32::try_from(providers).unwrap()));
    let mut config = PoolConfig::new(provider, format!("template-{number}"), rng.u32(0..4));
    config.min_ready = rng.u32(0..3);
    let least = config.size.max(config.min_ready).max(1);
    config.max_total = Some(least + rng.u32(0..4));
    config.max_starting = rng.u32(1..4);
    config.spawn_min_interval = seconds(if rng.u32(0..4) == 0 { rng.u64(1..10) } else { 0 });
    config.lease_ttl = seconds(rng.u64(30..120));
    config.max_lease_ttl = seconds(600);
    config.on_release = [OnRelease::Reuse, OnRelease::Destroy, OnRelease::Clean][rng.usize(0..3)];
    config.on_expiry = [OnExpiry::Destroy, OnExpiry::Clean, OnExpiry::Hold][rng.usize(0..3)];
    config.hooks.before_release = Some(hook(rng));
    config.hooks.after_boot = rng.bool().then(|| hook(rng));
    config.hooks.after_destroy = rng.bool().then(|| hook(rng));
    config.max_hooks = rng.u32(1..4);
    config.max_checks = rng.u32(1..4);
    config.max_uses = rng.bool().then(|| rng.u32(1..5));
    config.max_age = (rng.u32(0..4) == 0).then(|| seconds(rng.u64(300..900)));
    config.max_held = rng.u32(0..3);
    config.max_per_owner = (rng.u32(0..3) == 0).then(|| rng.u32(1..4));
    config.dirty_timeout = seconds(rng.u64(5..120));
    config.max_idle = seconds(rng.u64(5..120));
    config.boot_timeout = seconds(rng.u64(60..120));
    config.check = if rng.bool() { CheckConfig::Tcp { port: 22 } } else { CheckConfig::None };
    config.check_timeout = seconds(rng.u64(3..10));
    config.check_interval = seconds(if rng.bool() { rng.u64(10..60) } else { 0 });
    config.max_check_fails = rng.u32(0..3);
    config.retry_max = seconds(rng.u64(2..30));
    config
}

fn hook(rng: &mut Rng) -> HookConfig {
    let mut hook = HookConfig::new(vec!["hook".to_owned()]);
    hook.timeout = seconds(rng.u64(1..10));
    hook
}

/// Returns 0 half of the time, else a probability up to `most`.
fn maybe(rng: &mut Rng, most: f64) -> f64 {
    if rng.bool() { rng.f64() * most } else { 0.0 }
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn pool_name(number: u32) -> PoolName {
    PoolName::new(format!("pool{number}")).unwrap()
}

pub(crate) fn provider_name(number: u32) -> ProviderName {
    ProviderName::new(format!("cloud{number}")).unwrap()
}
