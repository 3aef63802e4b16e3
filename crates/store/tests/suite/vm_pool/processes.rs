//! Several processes on one pool: V80, V81, V84.

use std::{
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use vmpool_store::VmPool;

use super::{again, id, ids, ids_on_disk, pool, vm};

/// Where a child finds its pool and what it is to do; set by the test that starts it.
const PLACE: &str = "VMPOOL_TEST_POOL";
const TASK: &str = "VMPOOL_TEST_POOL_TASK";

/// How many VMs each child adds, unless it is killed.
const EACH: u32 = 40;

/// Runs [`in_a_child`] in a process of its own.
fn start(path: &Path, task: &str) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "vm_pool::processes::in_a_child", "--nocapture", "--test-threads=1"]);
    command.env(PLACE, path).env(TASK, task).stdout(Stdio::piped()).spawn().unwrap()
}

/// Adds VMs, and removes every second one of them if its task says so; does nothing unless [`PLACE`] is set.
#[test]
fn in_a_child() {
    let (Some(place), Ok(task)) = (env::var_os(PLACE), env::var(TASK)) else { return };
    let pool = VmPool::open(place).unwrap();
    let count = if task == "for-ever" { u32::MAX } else { EACH };
    let removed = if task.starts_with("remove") { count } else { 0 };
    for number in 0..count {
        pool.add_vm(vm(&format!("{task}-{number}")), true).unwrap();
        println!("added {task}-{number}");
    }
    // As a caller of gc3libs does: status polls and removals take turns.
    for number in (0..removed).step_by(2) {
        pool.update(number % 4 == 0).unwrap();
        pool.remove_vm(&id(&format!("{task}-{number}"))).unwrap();
    }
    pool.update(false).unwrap();
}

/// Runs four children at once and checks which VMs are left, by the numbers that each adds.
fn check_children(task: &str, left: impl Iterator<Item = u32> + Clone) {
    let (_dir, pool, _fake) = pool();
    let children: Vec<Child> = (0..4).map(|child| start(pool.path(), &format!("{task}{child}"))).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    let mut expected: Vec<String> =
        (0..4).flat_map(|child| left.clone().map(move |number| format!("{task}{child}-{number}"))).collect();
    expected.sort();
    assert_eq!(ids_on_disk(&pool), expected);
    pool.update(true).unwrap();
    assert_eq!(ids(&pool), expected);
}

#[test]
fn v80_what_several_processes_add_at_once_all_survives() {
    check_children("add", 0..EACH);
}

#[test]
fn v81_what_several_processes_remove_stays_removed_whatever_the_others_update() {
    check_children("remove", (1..EACH).step_by(2));
}

#[test]
fn v81_what_several_handles_remove_stays_removed() {
    let (_dir, pool, _fake) = pool();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let handle = again(&pool);
            scope.spawn(move || {
                for number in 0..EACH {
                    handle.add_vm(vm(&format!("t{thread}-{number}")), true).unwrap();
                    handle.update(false).unwrap();
                    handle.remove_vm(&id(&format!("t{thread}-{number}"))).unwrap();
                }
                handle.update(false).unwrap();
                handle.save().unwrap();
            });
        }
    });
    pool.update(true).unwrap();
    assert_eq!(ids(&pool), [""; 0]);
}

#[test]
fn v84_a_killed_process_leaves_all_it_had_added_and_nothing_half() {
    for rounds in [1, 7, 30] {
        let (_dir, pool, _fake) = pool();
        let mut child = start(pool.path(), "for-ever");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let added = lines.filter_map(|line| line.split_once("added ").map(|(_, id)| id.to_owned()));
        let added: Vec<String> = added.take(rounds).collect();
        // SIGKILL
        child.kill().unwrap();
        child.wait().unwrap();
        pool.load().unwrap();
        let found = ids(&pool);
        assert!(added.iter().all(|id| found.contains(id)), "{found:?}");
        again(&pool).add_vm(vm("i-1"), true).expect("the dead process holds no lock");
    }
}
