//! A cloud in a file.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use tempfile::TempDir;
use vmpool_driver::{CreateRequest, Driver, DriverError};
use vmpool_dummy::{CloudError, DummyCloud, DummyConfig, DummyDriver, JournalError};
use vmpool_model::{FailureKind, NodeId, Token, states::NodeState};

use crate::world::{Time, create, seconds, state};

/// Names the file for the process that is to be killed.
const VICTIM: &str = "VMPOOL_DUMMY_VICTIM";

fn open(dir: &TempDir) -> DummyDriver {
    DummyDriver::new(DummyCloud::open(DummyConfig::default().with_path(file(dir))).unwrap())
}

fn file(dir: &TempDir) -> std::path::PathBuf {
    dir.path().join("cloud.jsonl")
}

fn names(cloud: &DummyCloud) -> Vec<String> {
    cloud.nodes().into_iter().map(|node| node.name).collect()
}

/// Damages a file that holds two nodes and returns what opening it says.
async fn opening_after(damage: impl FnOnce(&Path, String)) -> Result<DummyCloud, CloudError> {
    let dir = TempDir::new().unwrap();
    let driver = open(&dir);
    create(&driver).await;
    create(&driver).await;
    drop(driver);
    let text = fs::read_to_string(file(&dir)).unwrap();
    damage(&file(&dir), text);
    DummyCloud::open(DummyConfig::default().with_path(file(&dir)))
}

#[tokio::test]
async fn a_cloud_in_a_file_is_there_again() {
    let dir = TempDir::new().unwrap();
    let driver = open(&dir);
    let first = create(&driver).await;
    create(&driver).await;
    driver.destroy(&first).await.unwrap();
    let before = driver.cloud().nodes();
    drop(driver);
    let driver = open(&dir);
    assert_eq!(driver.cloud().nodes(), before);
    assert_eq!((driver.cloud().created(), driver.cloud().peak()), (2, 2));
}

#[tokio::test]
async fn an_id_is_not_used_again_after_its_node_is_gone_and_the_cloud_was_opened_anew() {
    let dir = TempDir::new().unwrap();
    let driver = open(&dir);
    let id = create(&driver).await;
    driver.destroy(&id).await.unwrap();
    drop(driver);
    drop(open(&dir));
    assert_ne!(create(&open(&dir)).await, id);
}

#[tokio::test]
async fn counts_survive_however_often_the_cloud_is_opened() {
    let dir = TempDir::new().unwrap();
    let token: Token = "lab/small/small-1".parse().unwrap();
    let driver = open(&dir);
    for _ in 0..2 {
        driver.create(&CreateRequest::new("small").with_token(token.clone())).await.unwrap();
    }
    for node in driver.cloud().nodes() {
        driver.destroy(&node.id).await.unwrap();
    }
    drop(driver);
    for _ in 0..3 {
        let cloud = open(&dir).cloud().clone();
        assert_eq!((cloud.created(), cloud.peak(), cloud.nodes().len()), (2, 2, 0));
        assert_eq!(cloud.find_duplicate_tokens(), std::slice::from_ref(&token));
    }
}

#[tokio::test]
async fn a_node_goes_on_booting_while_no_process_runs() {
    let dir = TempDir::new().unwrap();
    let time = Time::default();
    let config = || DummyConfig::default().with_path(file(&dir)).with_boot_latency(seconds(10));
    let reopen = || DummyDriver::new(DummyCloud::open(config()).unwrap().with_clock(time.clock()));
    let id = create(&reopen()).await;
    time.pass(9);
    assert_eq!(state(&reopen(), &id).await, NodeState::Pending);
    time.pass(1);
    assert_eq!(state(&reopen(), &id).await, NodeState::Running);
}

#[tokio::test]
async fn a_second_writer_is_refused() {
    let dir = TempDir::new().unwrap();
    let driver = open(&dir);
    let second = DummyCloud::open(DummyConfig::default().with_path(file(&dir)));
    assert!(matches!(second, Err(CloudError::Journal(JournalError::InUse { .. }))), "{second:?}");
    create(&driver).await;
}

#[tokio::test]
async fn a_reader_sees_what_was_answered_and_can_change_nothing() {
    let dir = TempDir::new().unwrap();
    let driver = open(&dir);
    create(&driver).await;
    let seen = DummyCloud::read(file(&dir)).unwrap();
    assert_eq!(names(&seen), ["dummy-1"]);
    let reader = DummyDriver::new(seen);
    let check = |err: DriverError| assert_eq!(err.kind(), FailureKind::Unavailable, "{err}");
    check(reader.create(&CreateRequest::new("small")).await.unwrap_err());
    check(reader.destroy(&NodeId::new("1").unwrap()).await.unwrap_err());
    create(&driver).await;
    assert_eq!(names(&DummyCloud::read(file(&dir)).unwrap()), ["dummy-1", "dummy-2"]);
}

#[test]
fn reading_a_file_that_is_not_there_is_an_error_that_names_it() {
    let err = DummyCloud::read("/no/such/cloud").unwrap_err().to_string();
    assert_eq!(err, "cannot read /no/such/cloud");
}

#[tokio::test]
async fn a_torn_last_line_is_ignored() {
    let cloud = opening_after(|path, text| fs::write(path, &text[..text.len() - 9]).unwrap()).await;
    assert_eq!(names(&cloud.unwrap()), ["dummy-1"]);
}

#[tokio::test]
async fn a_damaged_middle_line_is_named() {
    let cloud = opening_after(|path, text| {
        fs::write(path, text.replacen("dummy-1\",", "dummy-1,", 1)).unwrap();
    });
    let err = cloud.await.unwrap_err().to_string();
    assert!(err.contains("cloud.jsonl line 2: "), "{err}");
}

#[tokio::test]
async fn a_node_whose_id_is_not_its_number_is_damage() {
    let cloud =
        opening_after(|path, text| fs::write(path, text.replace(r#""id":"2""#, r#""id":"3""#)).unwrap());
    let err = cloud.await.unwrap_err().to_string();
    assert!(err.contains("cloud.jsonl line 3: node 3 cannot have the number 2"), "{err}");
}

#[tokio::test]
async fn a_short_file_grows_by_one_line_a_change() {
    let dir = TempDir::new().unwrap();
    let driver = open(&dir);
    let id = create(&driver).await;
    driver.destroy(&id).await.unwrap();
    let text = fs::read_to_string(file(&dir)).unwrap();
    let kinds: Vec<_> = text.lines().map(|line| line.split('"').nth(1).unwrap()).collect();
    assert_eq!(kinds, ["vmpool_dummy", "upsert", "remove"]);
}

#[tokio::test]
async fn a_file_that_is_no_cloud_is_refused_and_left_alone() {
    for foreign in ["my thesis", "my thesis\nchapter 1\n", "{\"vmpool_dummy\":2,\"counts\":{}}\n"] {
        let dir = TempDir::new().unwrap();
        fs::write(file(&dir), foreign).unwrap();
        let err = DummyCloud::open(DummyConfig::default().with_path(file(&dir))).unwrap_err();
        assert!(err.to_string().contains("line 1: "), "{err}");
        assert_eq!(fs::read_to_string(file(&dir)).unwrap(), foreign);
    }
}

#[tokio::test]
async fn a_file_of_the_first_format_can_be_read() {
    let dir = TempDir::new().unwrap();
    let text = concat!(
        r#"{"vmpool_dummy":1,"counts":{"next_number":8,"created":6,"peak":5,"duplicates":["a/b/c"]}}"#,
        "\n",
        r#"{"upsert":{"number":7,"id":"7","name":"web","created_at":"1970-01-01T00:00:00Z","#,
        r#""visible_at":"1970-01-01T00:00:00Z","state":"pending","#,
        r#""next":{"at":"1970-01-01T00:00:09Z","state":"running"},"dies_at":null,"#,
        r#""end":null,"token":"lab/small/web","address":"127.0.0.7","size":null,"image":null,"#,
        r#""extra":{"template":"small"}}}"#,
        "\n",
        r#"{"remove":3}"#,
        "\n",
    );
    fs::write(file(&dir), text).unwrap();
    let cloud = DummyCloud::read(file(&dir)).unwrap();
    assert_eq!((cloud.created(), cloud.peak()), (7, 5));
    let node = &cloud.nodes()[0];
    assert_eq!((node.id.as_str(), node.state), ("7", NodeState::Running));
    assert_eq!(node.token.as_ref().map(Token::to_string).as_deref(), Some("lab/small/web"));
}

#[tokio::test]
async fn a_long_file_is_written_anew() {
    let dir = TempDir::new().unwrap();
    let driver = open(&dir);
    let name = "x".repeat(100_000);
    for _ in 0..100 {
        let node = driver.create(&CreateRequest::new("small").with_name(&name)).await.unwrap();
        driver.destroy(&node.id).await.unwrap();
    }
    let last = create(&driver).await;
    assert!(fs::metadata(file(&dir)).unwrap().len() < 2_000_000);
    drop(driver);
    let cloud = open(&dir).cloud().clone();
    assert_eq!((cloud.nodes()[0].id.clone(), cloud.created()), (last, 101));
}

/// Runs in a process of its own, see below; in a usual run it does nothing.
#[tokio::test]
async fn victim() {
    let Some(path) = std::env::var_os(VICTIM) else { return };
    let driver = DummyDriver::new(DummyCloud::open(DummyConfig::default().with_path(path)).unwrap());
    loop {
        println!("created {}", create(&driver).await);
    }
}

#[test]
fn a_cloud_survives_that_its_process_is_killed() {
    let dir = TempDir::new().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "file::victim", "--nocapture"])
        .env(VICTIM, file(&dir))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ids = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .filter_map(|line| line.unwrap().split_once("created ").map(|(_, id)| id.to_owned()));
    let answered: Vec<String> = ids.by_ref().take(50).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    let cloud = open(&dir).cloud().clone();
    let kept: Vec<String> = cloud.nodes().iter().map(|node| node.id.to_string()).collect();
    assert_eq!(kept[..50], answered);
}
