//! The daemon of the demo: this same binary, as a process of its own.

use std::{fs, io, process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};
use vmpool_api::exit;

use super::config::Places;
use crate::{failure::Failure, serve::LISTENING};

/// How long the daemon may take to start, and to stop.
const PATIENCE: Duration = Duration::from_secs(15);

/// A daemon that is killed when it is dropped, unless it was stopped or is to be kept.
#[derive(Debug)]
pub(super) struct Daemon {
    child: Child,
    id: u32,
    url: String,
    kept: bool,
}

impl Daemon {
    /// Starts the daemon and waits until it serves.
    pub(super) async fn start(places: &Places) -> Result<Self, Failure> {
        let log = fs::File::create(&places.log).map_err(not_started)?;
        let mut child = Command::new(std::env::current_exe().map_err(not_started)?)
            .args(["serve", "--config"])
            .arg(&places.config)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            // Ctrl-c is for the demo, which then stops the daemon.
            .process_group(0)
            .spawn()
            .map_err(not_started)?;
        let stdout = child.stdout.take();
        let id = child.id().unwrap_or_default();
        let mut daemon = Self { child, id, url: String::new(), kept: false };
        let stdout = stdout.ok_or_else(|| not_started(io::ErrorKind::BrokenPipe.into()))?;
        let mut lines = BufReader::new(stdout).lines();
        let address = async {
            while let Some(line) = lines.next_line().await? {
                if let Some(url) = line.strip_prefix(LISTENING) {
                    return Ok(Some(url.to_owned()));
                }
            }
            Ok::<_, io::Error>(None)
        };
        match timeout(PATIENCE, address).await {
            Ok(Ok(Some(url))) => daemon.url = url,
            Ok(_) => return Err(daemon.ended(places).await),
            Err(_) => return Err(slow("serve", &places.log.display().to_string())),
        }
        Ok(daemon)
    }

    /// Returns the daemon's address.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Returns the id of the daemon's process.
    pub(super) fn id(&self) -> u32 {
        self.id
    }

    /// Lets the daemon run on.
    pub(super) fn keep(&mut self) {
        self.kept = true;
    }

    /// Asks the daemon to stop and waits for its end.
    pub(super) async fn stop(&mut self) -> Result<(), Failure> {
        if let Some(pid) = i32::try_from(self.id).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM)
                .map_err(|err| Failure::new(exit::FAILURE, format!("failed to stop the daemon: {err}")))?;
        }
        match timeout(PATIENCE, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(Failure::new(exit::DAEMON, format!("the daemon ended with {status}"))),
            Ok(Err(err)) => Err(Failure::new(exit::FAILURE, format!("failed to wait for the daemon: {err}"))),
            Err(_) => Err(slow("stop", "its log")),
        }
    }

    /// Says why the daemon ended, in its own words.
    async fn ended(&mut self, places: &Places) -> Failure {
        let code = self.child.wait().await.ok().and_then(|status| status.code());
        let code = code.and_then(|code| u8::try_from(code).ok()).unwrap_or(exit::DAEMON);
        let log = fs::read_to_string(&places.log).unwrap_or_default();
        let said = |prefix: &str| log.lines().find_map(|line| line.strip_prefix(prefix).map(str::to_owned));
        let message = said("error: ").unwrap_or_else(|| format!("see {}", places.log.display()));
        let failure = Failure::new(code, format!("the daemon did not start: {message}"));
        said("hint: ").into_iter().fold(failure, Failure::with_hint)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if !self.kept {
            // It may have ended already.
            let _ = self.child.start_kill();
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn not_started(err: io::Error) -> Failure {
    Failure::new(exit::FAILURE, format!("failed to start the daemon: {err}"))
}

fn slow(what: &str, log: &str) -> Failure {
    Failure::new(exit::DAEMON, format!("the daemon did not {what} within {} s", PATIENCE.as_secs()))
        .with_hint(format!("see {log}"))
}
