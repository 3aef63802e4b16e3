//! A daemon as a process of its own: start, stop, `kill -9`.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::mpsc,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::wait::{DEADLINE, wait_for};

/// What the daemon prints before its address once it serves.
const LISTENING: &str = "listening on ";

/// A running daemon; dropping it kills it.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    url: String,
    log: PathBuf,
}

impl Daemon {
    /// Starts a daemon and waits until it serves; its log goes to the end of `log`.
    ///
    /// # Errors
    ///
    /// A text with the daemon's log if it ends or does not serve in time.
    pub fn start(program: &Path, config: &Path, log: &Path) -> Result<Self, String> {
        let mut daemon = Self::spawn(program, config, log)?;
        let stdout = daemon.child.stdout.take().ok_or("the daemon has no standard output")?;
        let why = match address(stdout).recv_timeout(DEADLINE) {
            Ok(url) => {
                daemon.url = url;
                return Ok(daemon);
            }
            Err(mpsc::RecvTimeoutError::Timeout) => "the daemon does not serve".to_owned(),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let status = daemon.child.wait().map_err(|err| err.to_string())?;
                format!("the daemon ended with {status}")
            }
        };
        Err(format!("{why}; its log:\n{}", daemon.logged()))
    }

    /// Starts a daemon and does not wait for anything.
    ///
    /// # Errors
    ///
    /// A text if the process cannot be started.
    pub fn spawn(program: &Path, config: &Path, log: &Path) -> Result<Self, String> {
        let errors = File::options().create(true).append(true).open(log).map_err(|err| err.to_string())?;
        let child = Command::new(program)
            .args(["serve", "--config"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .map_err(|err| format!("failed to start {}: {err}", program.display()))?;
        Ok(Self { child, url: String::new(), log: log.to_owned() })
    }

    /// Returns the daemon's address; empty if it was not waited for.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the id of the daemon's process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns what the daemon logged so far.
    #[must_use]
    pub fn logged(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Kills the daemon as `kill -9` does, and waits until it is gone.
    ///
    /// # Errors
    ///
    /// A text if the process cannot be killed.
    pub fn kill(mut self) -> Result<(), String> {
        self.child.kill().map_err(|err| err.to_string())?;
        self.child.wait().map(|_| ()).map_err(|err| err.to_string())
    }

    /// Asks the daemon to end as `kill` does, and waits for its end.
    ///
    /// # Errors
    ///
    /// A text with the daemon's log if it does not end in time.
    pub fn stop(mut self) -> Result<ExitStatus, String> {
        signal(&self.child, Signal::TERM)?;
        wait_for("the daemon to end after SIGTERM", || self.child.try_wait().ok().flatten())
            .map_err(|err| format!("{err}; its log:\n{}", self.logged()))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a child that has not been waited for.
///
/// # Errors
///
/// A text if there is no such process.
pub fn signal(child: &Child, signal: Signal) -> Result<(), String> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or("the child has no process id")?;
    kill_process(pid, signal).map_err(|err| format!("failed to send a signal: {err}"))
}

/// Reads the address from what the daemon prints, and goes on reading so that it never blocks.
fn address(stdout: ChildStdout) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(url) = line.strip_prefix(LISTENING) {
                // The starter may have given up.
                let _ = sender.send(url.trim().to_owned());
            }
        }
    });
    receiver
}
