//! What a farm is made of, all from its size and a seed.

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use fastrand::Rng;
use vmpool_dummy::{DummyConfig, FaultConfig};
use vmpool_manager::model::{
    Owner, PoolName, ProviderName,
    config::{CheckConfig, HookConfig, OfferConfig, OnRelease, PoolConfig, ProviderConfig},
};

/// How many VMs an account has room for, about.
const ACCOUNT: u32 = 5_000;
/// From how many VMs on accounts are listed more seldom, as whoever has so many would choose.
const LARGE: u32 = 20_000;
/// How long a VM is used, on average.
pub(crate) const USE: Duration = Duration::from_secs(600);

/// How large a farm is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) vms: u32,
    pub(crate) pools: u32,
    pub(crate) hours: f64,
    pub(crate) seed: u64,
}

impl Size {
    pub(crate) fn from_environment() -> Self {
        Self {
            vms: variable("VMS").unwrap_or(500).max(20),
            pools: variable("POOLS").unwrap_or(5).max(1),
            hours: variable("HOURS").unwrap_or(0.25),
            seed: variable("SEED").unwrap_or(0),
        }
    }

    /// Returns for how long the farm is busy.
    pub(crate) fn busy(&self) -> Duration {
        Duration::from_secs_f64(self.hours * 3600.0)
    }
}

/// What a farm is made of.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) size: Size,
    pub(crate) accounts: BTreeMap<ProviderName, Account>,
    pub(crate) pools: BTreeMap<PoolName, PoolConfig>,
    pub(crate) owners: Vec<Person>,
}

/// One account on a cloud.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) config: ProviderConfig,
    pub(crate) cloud: DummyConfig,
    /// How long a call takes at least and at most.
    pub(crate) call: (Duration, Duration),
    /// How likely a change happens and its answer is lost, or its request before it happened.
    pub(crate) lost: f64,
}

/// Somebody who asks for VMs.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) owner: Owner,
    /// The pools that they use.
    pub(crate) pools: Vec<PoolName>,
}

impl Plan {
    pub(crate) fn new(size: Size) -> Self {
        let mut rng = Rng::with_seed(size.seed);
        let names: Vec<_> = (0..size.vms.div_ceil(ACCOUNT).max(3)).map(account_name).collect();
        let mut room = vec![0.0; names.len()];
        let weights: Vec<_> = (0..size.pools).map(|_| rng.u32(50..150)).collect();
        let all: u32 = weights.iter().sum();
        let pools: BTreeMap<_, _> = (0..size.pools)
            .zip(weights)
            .map(|(number, weight)| {
                let vms = (f64::from(size.vms) * f64::from(weight) / f64::from(all)).round().max(1.0) as u32;
                let places: Vec<_> =
                    (0..=number % 3).map(|step| ((number + step * 7) as usize) % names.len()).collect();
                let pool = pool(number, vms, places.iter().map(|place| &names[*place]));
                places.iter().for_each(|place| {
                    room[*place] += f64::from(pool.max_total()) / places.len() as f64;
                });
                (pool_name(number), pool)
            })
            .collect();
        let accounts = names.into_iter().zip(room).map(|(name, room)| {
            let account = account((room * 1.1) as u64 + 10, size, &mut rng);
            (name, account)
        });
        let accounts = accounts.collect();
        let people = (size.vms / 20).max(4);
        let places: Vec<_> =
            pools.iter().flat_map(|(name, pool)| (0..pool.size.div_ceil(10)).map(|_| name.clone())).collect();
        let owners = (0..people).map(|number| person(number, &places, &mut rng)).collect();
        Self { size, accounts, pools, owners }
    }

    /// Returns how many requests come in a second, all owners together: so many that about 60 % of the VMs are leased.
    pub(crate) fn rate(&self) -> f64 {
        f64::from(self.size.vms) * 0.6 / USE.as_secs_f64()
    }
}

fn account(vms: u64, size: Size, rng: &mut Rng) -> Account {
    let mut config = ProviderConfig::new("dummy");
    if LARGE < size.vms {
        config.list_interval = seconds(30);
    }
    config.max_concurrent = 64;
    config.max_creating = Some(32);
    config.quota.insert("vms".to_owned(), vms);
    let mut cloud = DummyConfig::default().with_seed(size.seed ^ rng.u64(..)).with_quota(vms as usize + 2);
    cloud = cloud.with_boot_latency(seconds(rng.u64(30..90)));
    cloud = cloud.with_destroy_latency(seconds(rng.u64(5..20))).with_faults(faults());
    cloud.history = 0;
    if rng.bool() {
        cloud.visibility_delay = seconds(2);
        config.visibility_window = seconds(3);
    }
    let call = (Duration::from_millis(rng.u64(50..300)), Duration::from_millis(rng.u64(500..2500)));
    Account { config, cloud, call, lost: 0.002 }
}

fn faults() -> FaultConfig {
    let mut faults = FaultConfig::default();
    faults.fail_create = 0.002;
    faults.boot_failure = 0.005;
    faults.partial_listings = 0.02;
    faults.death_rate = 0.005;
    faults
}

/// Makes a pool, of one of all kinds.
fn pool<'a>(number: u32, vms: u32, accounts: impl Iterator<Item = &'a ProviderName>) -> PoolConfig {
    let template = format!("template-{number}");
    let mut config = PoolConfig::new(account_name(0), template.clone(), vms);
    (config.provider, config.template) = (None, None);
    config.offers = accounts.map(|account| OfferConfig::new(account.clone(), template.clone())).collect();
    config.min_ready = vms / 20;
    config.max_total = Some(vms + vms / 10 + 2);
    config.max_starting = (vms / 8).max(4);
    config.check = CheckConfig::Tcp { port: 22 };
    config.max_per_owner = (number % 5 == 4).then_some((vms / 5).max(30));
    match number % 4 {
        0 | 1 => config.on_release = OnRelease::Destroy,
        2 => {
            config.on_release = OnRelease::Reuse;
            config.max_uses = Some(20);
        }
        _ => {
            config.on_release = OnRelease::Clean;
            config.hooks.before_release = Some(HookConfig::new(vec!["clean".to_owned()]));
        }
    }
    config
}

/// Makes an owner; four of five are sub-owners. A pool is there as often as it is large.
fn person(number: u32, pools: &[PoolName], rng: &mut Rng) -> Person {
    let name = match number % 5 {
        0 => format!("team{}", number / 5),
        project => format!("team{}/project{project}", number / 5),
    };
    let pools = (0..rng.u32(1..=3)).map(|_| rng.choice(pools).unwrap().clone()).collect();
    Person { owner: Owner::new(name).unwrap(), pools }
}

fn variable<T: FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn pool_name(number: u32) -> PoolName {
    PoolName::new(format!("pool{number}")).unwrap()
}

fn account_name(number: u32) -> ProviderName {
    ProviderName::new(format!("account{number}")).unwrap()
}
