//! What is carried out only by who still owns the domain.

use tokio::sync::oneshot;
use vmpool_dummy::{DummyCloud, DummyConfig, DummyDriver};
use vmpool_engine::{Effect, EffectId, Input, Refusal};
use vmpool_model::{
    DomainName, InstallationId, LeaseId, ProviderName, Token, VmName, config::ProviderConfig,
};
use vmpool_store::{MemoryStore, Store};

use super::*;
use crate::{
    CommandHooks, ManagerError, NetworkChecker, Renewed, SystemClock,
    setup::{Setup, Tools},
};

struct Bench {
    cloud: DummyCloud,
    store: MemoryStore,
    looped: Loop,
}

impl Bench {
    /// Makes the loop of a domain with a provider and no pool; its first look at the provider is over.
    async fn new() -> Self {
        let cloud = DummyCloud::in_memory(DummyConfig::default()).unwrap();
        let driver = Arc::new(DummyDriver::new(cloud.clone()));
        let store = MemoryStore::new();
        let claim = store.claim(&DomainName::new("default").unwrap(), "first").await.unwrap();
        let mut setup = Setup::default();
        setup.providers.insert(lab(), (ProviderConfig::new("dummy"), driver));
        let tools = Tools { checker: Arc::new(NetworkChecker::new()), hooks: Arc::new(CommandHooks::new()) };
        let effects = Effects::new(&setup.providers, tools);
        let domain = Domain {
            store: Arc::new(store.clone()),
            holder: "first".to_owned(),
            installation: InstallationId::new("here").unwrap(),
            seed: 7,
            setup,
            retired: BTreeMap::new(),
            restart_grace: None,
            shutdown_grace: Duration::from_secs(5),
            check_every: Some(Duration::ZERO),
        };
        let clock = SteadyClock::new(Arc::new(SystemClock::new()), Timestamp::default());
        let (_, wakes) = mpsc::channel(1);
        let (_, reads) = mpsc::channel(1);
        let (cursor, _) = watch::channel(Cursor(0));
        let snapshot = Snapshot::default();
        let mut looped = Loop::new(domain, claim, snapshot, clock, effects, (wakes, reads), cursor);
        looped.turn(Vec::new()).await.unwrap();
        let listed = looped.effects.next().await;
        looped.turn(listed).await.unwrap();
        Self { cloud, store, looped }
    }

    /// Lets another manager take the domain over.
    async fn lose_domain(&self) {
        self.store.claim(&self.looped.claim.domain, "second").await.unwrap();
    }
}

fn lab() -> ProviderName {
    ProviderName::new("lab").unwrap()
}

/// What is answered to renewals.
type Answer = Result<Vec<Result<Renewed, Refusal>>, ManagerError>;

/// Makes the wish to renew a lease that this manager knows nothing of.
fn renewal() -> (Wake, oneshot::Receiver<Answer>) {
    let lease = LeaseId::new("lease-of-another-manager").unwrap();
    let (reply, answer) = oneshot::channel();
    (Wake::Renew(vec![Input::Renew { lease, fence: None, ttl: None }], reply), answer)
}

fn create() -> Effect {
    let vm = VmName::new("small-1").unwrap();
    let token = Token::new(InstallationId::new("here").unwrap(), "small".parse().unwrap(), vm.clone());
    Effect::Create { provider: lab(), vm, token, template: "small".to_owned() }
}

#[tokio::test(start_paused = true)]
async fn f7_what_waited_begins_only_if_the_domain_is_still_ours() {
    let mut bench = Bench::new().await;
    bench.looped.effects.start(EffectId(1), create(), Span::none());
    bench.lose_domain().await;
    let end = bench.looped.turn(Vec::new()).await;
    assert!(matches!(end, Err(StopError::Fenced { .. })), "{end:?}");
    assert!(bench.looped.effects.is_idle());

    let mut bench = Bench::new().await;
    bench.looped.effects.start(EffectId(1), create(), Span::none());
    bench.looped.turn(Vec::new()).await.unwrap();
    bench.looped.effects.next().await;
    assert_eq!(bench.cloud.created(), 1);
}

#[tokio::test(start_paused = true)]
async fn f7_a_turn_that_decides_nothing_but_a_change_in_the_world_proves_that_the_domain_is_ours() {
    let mut bench = Bench::new().await;
    bench.lose_domain().await;
    let mut turn = Turn::default();
    turn.effects.push((EffectId(1), create(), Span::none()));
    let committed = bench.looped.commit(&mut turn).await;
    assert!(matches!(committed, Err(StoreError::Fenced { .. })), "{committed:?}");
}

#[tokio::test(start_paused = true)]
async fn f7_a_superseded_manager_denies_nothing_that_its_successor_may_have_promised() {
    let mut bench = Bench::new().await;
    let (renewal, answer) = renewal();
    bench.looped.turn(vec![renewal]).await.unwrap();
    let answer = answer.await.unwrap();
    assert!(matches!(answer.as_deref(), Ok([Err(_)])), "it knows what it says: {answer:?}");

    bench.lose_domain().await;
    let (renewal, answer) = self::renewal();
    let end = bench.looped.turn(vec![renewal]).await;
    assert!(matches!(end, Err(StopError::Fenced { .. })), "{end:?}");
    let answer = answer.await.unwrap();
    assert!(matches!(answer, Err(ManagerError::Store { may_have_happened: false, .. })), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_costs_no_commit() {
    let mut bench = Bench::new().await;
    let before = bench.looped.revision;
    bench.looped.turn(vec![renewal().0]).await.unwrap();
    assert_eq!(bench.store.load(&bench.looped.claim.domain).await.unwrap().revision, before);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_only_looks_costs_no_commit() {
    let mut bench = Bench::new().await;
    let before = bench.looped.revision;
    let mut turn = Turn::default();
    turn.effects.push((EffectId(1), Effect::List { provider: lab() }, Span::none()));
    bench.looped.commit(&mut turn).await.unwrap();
    assert_eq!(bench.looped.revision, before);
}
