//! Commands of all kinds: those that end well, badly, late or never.

use std::{io::Read, path::Path, process::Command as Make, time::Duration};

use tempfile::TempDir;
use vmpool_model::{
    Lease, LeaseId, Node, NodeId, NodeView, Owner, PoolName, ProviderName, RequestId, Sandbox, TaskId,
    Timestamp, VmName, VmRecord, config::HookKind, states::NodeState,
};

use super::*;

const LONG: Duration = Duration::from_secs(60);

fn shell(script: &str) -> Vec<String> {
    ["sh", "-c", script].map(str::to_owned).into()
}

async fn run_shell(script: &str, limit: Duration) -> Result<(), String> {
    run_well(&shell(script), &Environment::default(), limit).await
}

fn record() -> VmRecord {
    let name = VmName::new("small-1").unwrap();
    let pool = PoolName::new("small").unwrap();
    let mut vm = VmRecord::intended(name, pool, ProviderName::new("lab").unwrap(), Timestamp::default());
    let mut node = Node::new(NodeId::new("n-7").unwrap(), "vm", NodeState::Running);
    node.public_ips = vec!["10.0.0.7".parse().unwrap(), "fd00::7".parse().unwrap()];
    vm.node = Some(NodeView::from(&node));
    vm
}

fn lease() -> Lease {
    Lease {
        id: LeaseId::new("lease-1").unwrap(),
        vm: VmName::new("small-1").unwrap(),
        pool: PoolName::new("small").unwrap(),
        owner: Owner::new("ann").unwrap(),
        sandbox: Some(Sandbox::new("box 1").unwrap()),
        task: Some(TaskId::new("task-1").unwrap()),
        request: RequestId::new("r1").unwrap(),
        acquired_at: Timestamp::default(),
        expires_at: Timestamp::default(),
        ttl: LONG,
        fence: 1,
        suspect: None,
    }
}

/// Returns what a command sees of our variables, apart from those that tell tests what this machine has.
async fn seen(environment: &Environment) -> String {
    let failure =
        run_well(&shell("env | grep ^VMPOOL_ | grep -v ^VMPOOL_TEST_ | sort; exit 1"), environment, LONG)
            .await;
    failure.unwrap_err().split_once(": ").unwrap().1.to_owned()
}

#[tokio::test]
async fn c84_a_hook_finds_the_vm_and_the_lease_in_its_environment() {
    let environment = Environment::of_hook(HookKind::BeforeRelease, &record(), Some(&lease()));
    let seen = seen(&environment).await;
    let expected = "exit status: 1: \
        VMPOOL_ADDRESS=10.0.0.7\nVMPOOL_ADDRESSES=10.0.0.7,fd00::7\nVMPOOL_HOOK=before_release\n\
        VMPOOL_LEASE=lease-1\nVMPOOL_NODE_ID=n-7\nVMPOOL_OWNER=ann\nVMPOOL_POOL=small\nVMPOOL_PROVIDER=lab\n\
        VMPOOL_SANDBOX=box 1\nVMPOOL_TASK=task-1\nVMPOOL_VM=small-1";
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn what_is_not_known_is_not_set() {
    let mut vm = record();
    vm.node = None;
    let seen = seen(&Environment::of_hook(HookKind::AfterDestroy, &vm, None)).await;
    let expected = "exit status: 1: \
        VMPOOL_HOOK=after_destroy\nVMPOOL_POOL=small\nVMPOOL_PROVIDER=lab\nVMPOOL_VM=small-1";
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn what_our_own_environment_says_of_a_vm_is_not_passed_on() {
    let mut command = Command::new("env");
    command.env("VMPOOL_TASK", "ours").env("VMPOOL_URL", "http://127.0.0.1:7717");
    Environment::of_hook(HookKind::AfterBoot, &record(), None).set(&mut command);
    let set: Vec<_> = command.as_std().get_envs().filter(|(_, value)| value.is_some()).collect();
    assert!(set.iter().any(|(name, _)| *name == "VMPOOL_URL"), "{set:?}");
    assert!(set.iter().all(|(name, _)| *name != "VMPOOL_TASK"), "{set:?}");
}

#[tokio::test]
async fn c77_a_command_that_ends_well_is_enough_whatever_it_prints() {
    assert_eq!(run_shell("echo out; echo err >&2", LONG).await, Ok(()));
    assert_eq!(run_shell("exit 0", LONG).await, Ok(()));
}

#[tokio::test]
async fn c73_c83_a_command_that_fails_says_how_and_the_end_of_what_it_printed_in_order() {
    let why = run_shell("echo one; echo two >&2; echo three; exit 3", LONG).await;
    assert_eq!(why, Err("sh: exit status: 3: one\ntwo\nthree".to_owned()));
    let why = run_shell("kill -TERM $$", LONG).await;
    assert_eq!(why, Err("sh: signal: 15 (SIGTERM)".to_owned()));
}

#[tokio::test]
async fn c72_a_command_that_fails_and_prints_nothing_says_how_it_ended() {
    assert_eq!(run_shell("exit 7", LONG).await, Err("sh: exit status: 7".to_owned()));
}

#[tokio::test]
async fn c82_c86_a_command_that_is_not_there_is_a_failure_that_names_it() {
    let missing = ["/no/such/command".to_owned()];
    let why = run_well(&missing, &Environment::default(), LONG).await.unwrap_err();
    assert!(why.starts_with("/no/such/command: it cannot be run: No such file"), "{why}");
    assert!(run_well(&[], &Environment::default(), LONG).await.is_err());
}

#[tokio::test]
async fn of_endless_output_the_end_is_kept_and_the_time_holds() {
    let why = run_shell("while :; do echo a line of some length; done", Duration::from_millis(300)).await;
    let why = why.unwrap_err();
    assert!(why.contains("did not end within 300ms") && why.contains("a line of some length"), "{why}");
    assert!(why.len() < KEPT + 200, "{}", why.len());
}

#[tokio::test]
async fn a_command_has_no_input() {
    assert_eq!(run_shell("read line; test -z \"$line\"", LONG).await, Ok(()));
}

#[tokio::test]
async fn what_a_command_leaves_behind_is_not_waited_for() {
    let ended = timeout(Duration::from_secs(20), run_shell("sleep 30 & exit 0", LONG)).await;
    assert_eq!(ended, Ok(Ok(())));
}

/// A place where a process tells that it lives, by keeping a pipe open, and what it would write if it lived on.
struct Witness(TempDir);

impl Witness {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let made = Make::new("mkfifo").arg(dir.path().join("alive")).status().unwrap();
        assert!(made.success());
        Self(dir)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// A command with a grandchild that writes a file unless it is killed; it tells when the grandchild runs.
    fn script(&self) -> String {
        let (alive, begun, written) = (self.path("alive"), self.path("begun"), self.path("written"));
        format!("sh -c 'exec 9> {alive}; echo > {begun}; sleep 3; echo > {written}' & wait")
    }

    /// Waits until all processes that keep the pipe open are dead.
    async fn until_dead(&self) {
        let alive = self.path("alive");
        let waiting = tokio::task::spawn_blocking(move || {
            std::fs::File::open(alive).unwrap().read_to_end(&mut Vec::new()).unwrap();
        });
        waiting.await.unwrap();
    }

    fn has(&self, name: &str) -> bool {
        Path::new(&self.path(name)).exists()
    }
}

#[tokio::test]
async fn f15_a_command_whose_time_is_over_is_killed_with_all_that_it_began() {
    let witness = Witness::new();
    // The pipe is opened for reading here, or the grandchild waits for that.
    let script = witness.script();
    let running = tokio::spawn(async move { run_shell(&script, Duration::from_secs(1)).await });
    witness.until_dead().await;
    let why = running.await.unwrap().unwrap_err();
    assert!(why.contains("did not end within 1s and was killed"), "{why}");
    assert!(witness.has("begun") && !witness.has("written"));
}

#[tokio::test]
async fn f15_c92_a_command_that_is_given_up_is_killed_with_all_that_it_began() {
    let witness = Witness::new();
    let script = witness.script();
    let running = tokio::spawn(async move { run_shell(&script, LONG).await });
    let dead = witness.until_dead();
    let abort = running.abort_handle();
    let giving_up = async {
        while !witness.has("begun") {
            tokio::task::yield_now().await;
        }
        abort.abort();
    };
    tokio::join!(dead, giving_up);
    assert!(running.await.unwrap_err().is_cancelled());
    assert!(!witness.has("written"));
}
