//! A daemon as a process of its own, with a pool of VMs that are ready.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::TempDir;
use vmpool_tests::{daemon::Daemon, setup::Setup, wait::let_pass};

use crate::{
    connection::Connection,
    load::{self, POOL},
    process,
    quantile::now,
};

/// How long a pool may take to be full.
const FILL: Duration = Duration::from_secs(900);

/// A daemon with a pool.
pub struct Farm {
    daemon: Option<Daemon>,
    dir: TempDir,
}

impl Farm {
    /// Starts a daemon and waits until its pool has this many VMs that are ready.
    pub async fn with_vms(vms: u32) -> Self {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        // A farm whose VMs go back to where they were; all else is what a daemon does unless it is told.
        let setup = Setup::new(&dir.path().join("state"), i64::from(vms))
            .with("access.open_loopback", true)
            .with("providers.cloud.list_interval", "10s")
            .with("providers.cloud.max_concurrent", 64)
            .with(&format!("pools.{POOL}.max_total"), i64::from(vms.max(1)))
            .with(&format!("pools.{POOL}.on_release"), "reuse")
            .with(&format!("pools.{POOL}.dirty_timeout"), "12h")
            .with(&format!("pools.{POOL}.retry_max"), "5m");
        std::fs::write(dir.path().join("vmpool.toml"), setup.text()).unwrap();
        let mut farm = Self { daemon: None, dir };
        farm.start();
        farm.fill(vms).await;
        farm
    }

    /// Returns where the daemon listens.
    pub fn url(&self) -> &str {
        self.daemon.as_ref().unwrap().url()
    }

    /// Returns the id of the daemon's process.
    pub fn id(&self) -> u32 {
        self.daemon.as_ref().unwrap().id()
    }

    /// Returns how often the daemon made something durable.
    pub fn commits(&self) -> u64 {
        process::commits(&self.state_dir())
    }

    /// Kills the daemon and starts it again; returns how many seconds it took from the start of the process until it had
    /// leased a VM.
    pub async fn restart(&mut self) -> f64 {
        self.daemon.take().unwrap().kill().unwrap();
        let began = now();
        self.start();
        load::acquire_one(self.url()).await;
        began.elapsed().as_secs_f64()
    }

    fn start(&mut self) {
        let program = Path::new(env!("CARGO_BIN_EXE_vmpool-under-test"));
        let config = self.dir.path().join("vmpool.toml");
        self.daemon = Some(Daemon::start(program, &config, &self.dir.path().join("log")).unwrap());
    }

    async fn fill(&self, vms: u32) {
        let began = now();
        let mut connection = Connection::open(self.url()).await;
        loop {
            let answer = connection.ask("GET", &format!("/v1/pools/{POOL}"), "").await;
            let pool: vmpool_api::Pool = serde_json::from_str(answer.body).unwrap();
            if pool.count("ready") == vms {
                return;
            }
            assert!(began.elapsed() < FILL, "the pool has {:?} after {FILL:?}", pool.counts);
            let_pass(Duration::from_millis(50));
        }
    }

    fn state_dir(&self) -> PathBuf {
        self.dir.path().join("state")
    }
}
