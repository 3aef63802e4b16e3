//! Effects one by one, with a cloud in memory, and checks and hooks that end when they are let.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio::sync::Semaphore;
use vmpool_driver::{CreateRequest, Operation};
use vmpool_dummy::{DummyCloud, DummyConfig, DummyDriver, Fault};
use vmpool_engine::{CheckReport, HookRun};
use vmpool_model::{
    InstallationId, Node, NodeId, NodeView, PoolName, Timestamp, Token, VmName, VmRecord,
    config::{CheckConfig, HookConfig, HookKind, ProviderConfig},
    states::NodeState,
};

use super::*;
use crate::{Checker, HookRunner};

/// Checks and hooks that end as the test lets them; those of pool `free` end at once, those of `bad` panic.
#[derive(Debug)]
struct Gate {
    open: Semaphore,
    running: AtomicUsize,
    most: AtomicUsize,
    ended: AtomicUsize,
}

/// Counts who leaves, in whatever way.
struct Leaving<'a>(&'a AtomicUsize);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Gate {
    fn new() -> Arc<Self> {
        let (running, most, ended) = Default::default();
        Arc::new(Self { open: Semaphore::new(0), running, most, ended })
    }

    async fn pass(&self, pool: &PoolName) {
        match pool.as_str() {
            "free" => return,
            "bad" => panic!("the test asked for it"),
            _ => {}
        }
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        let _leaving = Leaving(&self.running);
        self.open.acquire().await.unwrap().forget();
        self.ended.fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Checker for Gate {
    async fn check(&self, target: &CheckTarget) -> Result<CheckReport, String> {
        self.pass(&target.pool).await;
        Ok(CheckReport { host_key: target.host_key.clone() })
    }
}

#[async_trait]
impl HookRunner for Gate {
    async fn run(&self, run: &HookRun) -> Result<(), String> {
        self.pass(&run.vm.pool).await;
        Err(format!("{} of {}", run.kind, run.vm.name))
    }
}

struct Bench {
    cloud: DummyCloud,
    driver: DummyDriver,
    gate: Arc<Gate>,
    effects: Effects,
    next: u64,
}

impl Bench {
    fn new() -> Self {
        let cloud = DummyCloud::in_memory(DummyConfig::default()).unwrap();
        let driver = DummyDriver::new(cloud.clone());
        let known: Arc<dyn Driver> = Arc::new(driver.clone());
        let drivers = [(provider("lab"), (ProviderConfig::new("dummy"), known))].into();
        let gate = Gate::new();
        let effects = Effects::new(&drivers, Tools { checker: gate.clone(), hooks: gate.clone() });
        Self { cloud, driver, gate, effects, next: 0 }
    }

    fn start(&mut self, effect: Effect) -> EffectId {
        self.next += 1;
        self.effects.start(EffectId(self.next), effect, Span::none());
        self.effects.begin();
        EffectId(self.next)
    }

    /// Begins an effect and returns what becomes of it.
    async fn outcome(&mut self, effect: Effect) -> Outcome {
        let id = self.start(effect);
        let (answered, outcome) = self.next().await;
        assert_eq!(answered, id);
        outcome
    }

    /// Waits for the next outcome.
    async fn next(&mut self) -> (EffectId, Outcome) {
        let wakes = self.effects.next().await;
        self.effects.begin();
        let [Wake::Done(id, outcome)] = wakes.as_slice() else { panic!("{wakes:?}") };
        (*id, outcome.clone())
    }

    /// Lets everything run that can run now.
    async fn settle(&mut self) {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }

    async fn make_node(&self) -> NodeId {
        self.driver.create(&CreateRequest::new("small")).await.unwrap().id
    }
}

fn provider(name: &str) -> ProviderName {
    ProviderName::new(name).unwrap()
}

fn vm(number: usize) -> VmName {
    VmName::new(format!("small-{number}")).unwrap()
}

fn get(at: &str, node: NodeId) -> Effect {
    Effect::Get { provider: provider(at), vm: vm(1), node }
}

fn expire(at: &str, node: NodeId) -> Effect {
    Effect::SetExpiry { provider: provider(at), vm: vm(1), node, at: Timestamp::from_millis(7) }
}

fn check(pool: &str, number: usize, max_checks: u32) -> Effect {
    let node = NodeView::from(&Node::new(NodeId::new("0").unwrap(), "vm", NodeState::Running));
    Effect::Check {
        vm: vm(number),
        pool: PoolName::new(pool).unwrap(),
        node,
        check: CheckConfig::None,
        host_key: Some("key".to_owned()),
        max_checks,
        timeout: Duration::from_secs(30),
    }
}

fn hook(pool: &str, number: usize, max_hooks: u32) -> Effect {
    let pool = PoolName::new(pool).unwrap();
    let vm = VmRecord::intended(vm(number), pool, provider("lab"), Timestamp::default());
    let hook = HookConfig::new(vec!["true".to_owned()]);
    Effect::Hook(Box::new(HookRun { kind: HookKind::AfterBoot, hook, vm, lease: None, max_hooks }))
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_asked_for_is_shown() {
    let mut bench = Bench::new();
    let node = bench.make_node().await;
    let Outcome::Got(Ok(Some(found))) = bench.outcome(get("lab", node.clone())).await else { panic!() };
    assert_eq!(found.id, node);
}

#[tokio::test(start_paused = true)]
async fn only_a_provider_that_says_so_proves_that_a_node_is_not_there() {
    let mut bench = Bench::new();
    let node = bench.make_node().await;
    assert_eq!(bench.outcome(get("lab", NodeId::new("99").unwrap())).await, Outcome::Got(Ok(None)));
    for kind in [FailureKind::Authentication, FailureKind::Unavailable, FailureKind::Protocol] {
        bench.cloud.fail_next(Operation::Get, Fault::Refuse(kind));
        let Outcome::Got(Err(failure)) = bench.outcome(get("lab", node.clone())).await else { panic!() };
        assert_eq!(failure.kind, kind);
    }
}

#[tokio::test(start_paused = true)]
async fn f15_calls_that_are_never_answered_end_after_the_request_timeout() {
    let mut bench = Bench::new();
    let node = bench.make_node().await;
    bench.cloud.fail_next(Operation::Get, Fault::Hang);
    let Outcome::Got(Err(failure)) = bench.outcome(get("lab", node.clone())).await else { panic!() };
    assert_eq!(failure.kind, FailureKind::Timeout);
    bench.cloud.fail_next(Operation::SetExpiry, Fault::Hang);
    let Outcome::ExpirySet(Err(failure)) = bench.outcome(expire("lab", node)).await else { panic!() };
    assert_eq!(failure.kind, FailureKind::Timeout);
}

#[tokio::test(start_paused = true)]
async fn an_expiry_reaches_the_cloud() {
    let mut bench = Bench::new();
    let node = bench.make_node().await;
    assert_eq!(bench.outcome(expire("lab", node.clone())).await, Outcome::ExpirySet(Ok(())));
    // The cloud's clock is far beyond the expiry.
    assert_eq!(bench.outcome(get("lab", node)).await, Outcome::Got(Ok(None)));
}

#[tokio::test(start_paused = true)]
async fn what_is_for_a_provider_that_is_not_configured_fails_and_is_not_left_open() {
    let mut bench = Bench::new();
    let node = NodeId::new("1").unwrap();
    let Outcome::Got(Err(failure)) = bench.outcome(get("gone", node.clone())).await else { panic!() };
    assert!(failure.message.contains("provider gone is not configured"), "{failure}");
    let Outcome::ExpirySet(Err(_)) = bench.outcome(expire("gone", node)).await else { panic!() };
}

#[tokio::test(start_paused = true)]
async fn f15_one_pools_checks_that_hang_hold_up_no_other_pools() {
    let mut bench = Bench::new();
    for number in 0..10 {
        bench.start(check("slow", number, 3));
    }
    let passed = bench.outcome(check("free", 99, 3)).await;
    assert_eq!(passed, Outcome::Checked(Ok(CheckReport { host_key: Some("key".to_owned()) })));
    assert_eq!(bench.gate.most.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn f15_in_a_pool_checks_wait_only_beyond_its_limit_and_each_has_its_own_time() {
    let mut bench = Bench::new();
    for number in 0..5 {
        bench.start(check("slow", number, 2));
    }
    let before = tokio::time::Instant::now();
    for _ in 0..5 {
        let (_, outcome) = bench.next().await;
        assert_eq!(outcome, Outcome::Checked(Err("no answer within 30s".to_owned())));
    }
    // Three rounds of two; the manager gives each a second more to say itself what it waited for.
    assert_eq!(before.elapsed().as_secs(), 3 * 31);
    assert_eq!(bench.gate.most.load(Ordering::SeqCst), 2);
    assert!(bench.effects.lanes.is_empty(), "{:?}", bench.effects.lanes);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_is_asked_for_again_while_it_waits_is_made_once() {
    let mut bench = Bench::new();
    bench.start(check("slow", 1, 1));
    bench.start(check("slow", 2, 1));
    let newest = bench.start(check("slow", 2, 1));
    bench.gate.open.add_permits(9);
    bench.next().await;
    assert_eq!(bench.next().await.0, newest);
    assert!(bench.effects.is_idle() && bench.gate.ended.load(Ordering::SeqCst) == 2);
}

#[tokio::test(start_paused = true)]
async fn f15_a_hundred_hooks_that_hang_hold_up_no_other_pools() {
    let mut bench = Bench::new();
    for number in 0..100 {
        bench.start(hook("slow", number, 32));
    }
    let outcome = bench.outcome(hook("free", 999, 32)).await;
    assert_eq!(outcome, Outcome::Hooked(Err("after_boot of small-999".to_owned())));
    assert_eq!(bench.gate.most.load(Ordering::SeqCst), 32);
}

#[tokio::test(start_paused = true)]
async fn hooks_of_one_vm_are_run_one_after_another() {
    let mut bench = Bench::new();
    let ids = [bench.start(hook("slow", 1, 9)), bench.start(hook("slow", 1, 9))];
    bench.gate.open.add_permits(9);
    let answered = [bench.next().await.0, bench.next().await.0];
    assert_eq!((answered, bench.gate.most.load(Ordering::SeqCst)), (ids, 1));
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_its_runner_does_not_end_is_given_up() {
    let mut bench = Bench::new();
    // A hook may take 5 min by default.
    let outcome = bench.outcome(hook("slow", 1, 1)).await;
    assert_eq!(outcome, Outcome::Hooked(Err("no answer within 5m".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn a_check_or_hook_that_panics_is_a_failure() {
    let mut bench = Bench::new();
    let Outcome::Checked(Err(why)) = bench.outcome(check("bad", 1, 1)).await else { panic!() };
    assert!(why.contains("the driver, checker or hook broke off"), "{why}");
    let Outcome::Hooked(Err(_)) = bench.outcome(hook("bad", 1, 1)).await else { panic!() };
    // Its place and its turn are free again.
    let Outcome::Hooked(Err(_)) = bench.outcome(hook("bad", 1, 1)).await else { panic!() };
}

#[tokio::test(start_paused = true)]
async fn what_waits_when_the_manager_stops_never_begins() {
    let mut bench = Bench::new();
    for number in 0..4 {
        bench.start(check("slow", number, 1));
    }
    for _ in 0..4 {
        bench.start(hook("slow", 1, 9));
    }
    bench.settle().await;
    bench.effects.stop();
    bench.gate.open.add_permits(99);
    bench.start(hook("slow", 7, 9));
    assert_eq!(bench.effects.next().await.len(), 0, "a check that is ended says nothing");
    let (_, Outcome::Hooked(_)) = bench.next().await else { panic!() };
    assert!(bench.effects.is_idle());
    assert_eq!(bench.gate.ended.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn c42_c92_checks_and_hooks_are_ended_with_the_manager() {
    let mut bench = Bench::new();
    for number in 0..3 {
        bench.start(check("slow", number, 9));
        bench.start(hook("slow", number, 9));
    }
    bench.settle().await;
    assert_eq!(bench.gate.running.load(Ordering::SeqCst), 6);
    bench.effects.stop();
    bench.settle().await;
    assert_eq!(bench.gate.running.load(Ordering::SeqCst), 3, "checks are ended, hooks may end by themselves");
    let before = tokio::time::Instant::now();
    bench.effects.abandon().await;
    assert_eq!(bench.gate.running.load(Ordering::SeqCst), 0);
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_with_the_driver_that_it_began_with() {
    let mut bench = Bench::new();
    let node = bench.make_node().await;
    bench.cloud.fail_next(Operation::Get, Fault::Hang);
    bench.start(get("lab", node.clone()));
    bench.settle().await;
    bench.effects.reconfigure(&Drivers::new());
    bench.effects.begin();
    // What is asked for now is told at once that there is no such provider.
    let Outcome::Got(Err(failure)) = bench.outcome(get("lab", node)).await else { panic!() };
    assert_eq!(failure.kind, FailureKind::InvalidRequest);
    let (_, Outcome::Got(Err(failure))) = bench.next().await else { panic!() };
    assert_eq!(failure.kind, FailureKind::Timeout);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_provider_that_is_taken_away_fails_at_once() {
    let mut bench = Bench::new();
    let node = bench.make_node().await;
    for _ in 0..8 {
        bench.cloud.fail_next(Operation::Get, Fault::Hang);
        bench.start(get("lab", node.clone()));
    }
    let last = bench.start(get("lab", node.clone()));
    bench.settle().await;
    bench.effects.reconfigure(&Drivers::new());
    bench.effects.begin();
    let (answered, Outcome::Got(Err(failure))) = bench.next().await else { panic!() };
    assert_eq!((answered, failure.kind), (last, FailureKind::InvalidRequest));
}

fn token(number: usize) -> Token {
    Token::new(InstallationId::new("test").unwrap(), PoolName::new("small").unwrap(), vm(number))
}

fn create(number: usize) -> Effect {
    let (vm, token) = (vm(number), token(number));
    Effect::Create { provider: provider("lab"), vm, token, template: "small".to_owned() }
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_vm_is_given_up_while_it_waits_is_never_sent() {
    let mut bench = Bench::new();
    let ids: Vec<_> = (0..10)
        .map(|number| {
            bench.cloud.fail_next(Operation::Create, Fault::Hang);
            bench.start(create(number))
        })
        .collect();
    let find = bench.start(Effect::Find { provider: provider("lab"), vm: vm(8), token: token(8) });
    bench.settle().await;
    // Eight calls may be under way at once by default: those of 8 and 9 wait.
    for number in [0, 8, 99] {
        bench.effects.withdraw(&vm(number));
    }
    assert_eq!(bench.next().await, (ids[8], Outcome::NotSent));
    assert_eq!(bench.next().await.0, find, "what waited for its answer goes on");
    let mut unanswered = Vec::new();
    for _ in 0..8 {
        let (id, Outcome::Created(Err(failure))) = bench.next().await else { panic!() };
        assert_eq!(failure.kind, FailureKind::Timeout);
        unanswered.push(id);
    }
    unanswered.sort_unstable();
    assert_eq!(unanswered, ids[..8], "one that is under way may have happened");
    let (last, Outcome::Created(Err(_))) = bench.next().await else { panic!() };
    assert!(last == ids[9] && bench.effects.is_idle() && bench.effects.lanes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_higher_limit_lets_more_begin_at_once() {
    let mut bench = Bench::new();
    let node = bench.make_node().await;
    for _ in 0..9 {
        bench.cloud.fail_next(Operation::Get, Fault::Hang);
        bench.start(get("lab", node.clone()));
    }
    bench.settle().await;
    // Eight calls may be under way at once by default.
    assert_eq!(bench.effects.tasks.len(), 8);
    let mut config = ProviderConfig::new("dummy");
    config.max_concurrent = 9;
    let driver: Arc<dyn Driver> = Arc::new(bench.driver.clone());
    bench.effects.reconfigure(&[(provider("lab"), (config, driver))].into());
    bench.effects.begin();
    assert_eq!(bench.effects.tasks.len(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_look_that_a_hint_calls_for_keeps_the_limit_and_goes_before_what_waits() {
    let mut bench = Bench::new();
    let node = bench.make_node().await;
    for _ in 0..8 {
        bench.cloud.fail_next(Operation::Get, Fault::Hang);
        bench.start(get("lab", node.clone()));
    }
    bench.start(get("lab", node.clone()));
    let glance = bench.start(Effect::Glance { provider: provider("lab"), node: node.clone() });
    bench.settle().await;
    assert_eq!(bench.effects.tasks.len(), 8);
    let mut first = bench.next().await;
    // All that hang end together; what begins next is answered first of what is left.
    while matches!(first.1, Outcome::Got(Err(_))) {
        first = bench.next().await;
    }
    let Outcome::Glanced { result: Ok(Some(shown)), .. } = first.1 else { panic!("{first:?}") };
    assert_eq!((first.0, shown.id), (glance, node));
}

#[tokio::test(start_paused = true)]
async fn f16_no_hook_works_on_a_vm_that_is_destroyed() {
    let mut bench = Bench::new();
    let running = bench.start(hook("slow", 1, 1));
    let waiting = bench.start(hook("slow", 2, 1));
    let other = bench.start(hook("slow", 3, 1));
    bench.settle().await;
    for number in [1, 2] {
        let node = bench.make_node().await;
        bench.start(Effect::Destroy { provider: provider("lab"), vm: Some(vm(number)), node });
    }
    let mut ended = Vec::new();
    for _ in 0..4 {
        if let (id, Outcome::Hooked(Err(why))) = bench.next().await {
            assert_eq!(why, "it was ended, because its VM is destroyed");
            ended.push(id);
        }
    }
    ended.sort_unstable();
    assert_eq!(ended, [running, waiting]);
    bench.gate.open.add_permits(1);
    assert_eq!(bench.next().await.0, other);
    assert!(bench.effects.is_idle() && bench.effects.lanes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_look_that_comes_first_does_not_hide_that_something_is_changed_next() {
    let mut bench = Bench::new();
    let node = bench.make_node().await;
    bench.effects.start(EffectId(1), get("lab", node.clone()), Span::none());
    assert!(!bench.effects.may_begin_writes());
    let destroy = Effect::Destroy { provider: provider("lab"), vm: Some(vm(1)), node };
    bench.effects.start(EffectId(2), destroy, Span::none());
    assert!(bench.effects.may_begin_writes(), "both may begin at once");
    bench.effects.begin();
    assert!(!bench.effects.may_begin_writes());
}
