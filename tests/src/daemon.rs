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
    /// Where in the log this daemon's part begins.
    logged_from: usize,
}

impl Daemon {
    /// Starts a daemon and waits until it serves; its log goes to the end of `log`.
    ///
    /// # Errors
    ///
    /// A text with the daemon's log if it ends or does not serve in time.
    pub fn start(program: &Path, config: &Path, log: &Path) -> Result<Self, String> {
        Self::start_with(program, config, log, &[])
    }

    /// Starts a daemon as [`start`](Self::start) does, with more in its environment.
    ///
    /// # Errors
    ///
    /// Those of [`start`](Self::start).
    pub fn start_with(
        program: &Path,
        config: &Path,
        log: &Path,
        environment: &[(&str, String)],
    ) -> Result<Self, String> {
        let mut daemon = Self::spawn(program, config, log, environment)?;
        match daemon.served()? {
            None => Ok(daemon),
            Some(status) => Err(format!("the daemon ended with {status}; its log:\n{}", daemon.logged())),
        }
    }

    /// Waits until the daemon serves, or has ended, which is returned; to be called once.
    ///
    /// # Errors
    ///
    /// A text with the daemon's log if neither happens in time.
    pub fn served(&mut self) -> Result<Option<ExitStatus>, String> {
        let stdout = self.child.stdout.take().ok_or("the daemon was waited for already")?;
        match address(stdout).recv_timeout(DEADLINE) {
            Ok(url) => {
                self.url = url;
                Ok(None)
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {
                Err(format!("the daemon does not serve; its log:\n{}", self.logged()))
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                self.child.wait().map(Some).map_err(|err| err.to_string())
            }
        }
    }

    /// Returns how the daemon ended, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Starts a daemon with more in its environment, and does not wait for anything.
    ///
    /// # Errors
    ///
    /// A text if the process cannot be started.
    pub fn spawn(
        program: &Path,
        config: &Path,
        log: &Path,
        environment: &[(&str, String)],
    ) -> Result<Self, String> {
        let errors = File::options().create(true).append(true).open(log).map_err(|err| err.to_string())?;
        let logged_from = errors.metadata().map_err(|err| err.to_string())?.len();
        let logged_from = usize::try_from(logged_from).unwrap_or_default();
        let child = Command::new(program)
            .args(["serve", "--config"])
            .arg(config)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .map_err(|err| format!("failed to start {}: {err}", program.display()))?;
        Ok(Self { child, url: String::new(), log: log.to_owned(), logged_from })
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

    /// Returns what was logged since the daemon was started, by others that share its log, too.
    #[must_use]
    pub fn logged(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(log.get(self.logged_from..).unwrap_or_default()).into_owned()
    }

    /// Sends the daemon a signal.
    ///
    /// # Errors
    ///
    /// A text if it has ended already.
    pub fn signal(&self, which: Signal) -> Result<(), String> {
        signal(&self.child, which)
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
