//! The command that runs with a leased VM.

use std::{
    ffi::OsString,
    io::{self, IsTerminal},
    os::unix::process::ExitStatusExt,
    process::ExitStatus,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::signals::exit_code;

/// A running command.
#[derive(Debug)]
pub(crate) struct Running {
    child: tokio::process::Child,
    pid: Option<Pid>,
}

impl Running {
    /// Starts a command with additions to its environment; input and output are ours.
    pub(crate) fn start(
        program: &OsString,
        arguments: &[OsString],
        environment: &[(&str, String)],
    ) -> io::Result<Self> {
        let mut command = tokio::process::Command::new(program);
        command.args(arguments).envs(environment.iter().map(|(name, value)| (name, value)));
        let child = command.spawn()?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Self { child, pid })
    }

    /// Waits for the command's end and returns its exit code; 128 + n stands for signal n.
    ///
    /// Cancel safe.
    pub(crate) async fn wait(&mut self) -> io::Result<u8> {
        let status = self.child.wait().await?;
        self.pid = None;
        Ok(code(status))
    }

    /// Passes a signal on that we got.
    ///
    /// Ctrl-c on a terminal reaches the command without us; twice would mean something else to many programs.
    pub(crate) fn forward(&self, signal: Signal) {
        if signal == Signal::INT && io::stdin().is_terminal() {
            return;
        }
        self.signal(signal);
    }

    /// Sends a signal; a command that has ended gets none.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid {
            // It may have ended this moment, which is what the signal was for.
            let _ = kill_process(pid, signal);
        }
    }
}

fn code(status: ExitStatus) -> u8 {
    let ended_by = status.signal().map(exit_code);
    ended_by.or_else(|| status.code().and_then(|code| u8::try_from(code).ok())).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_counted_as_shells_do() {
        assert_eq!(code(ExitStatus::from_raw(9)), 137);
        assert_eq!(code(ExitStatus::from_raw(7 << 8)), 7);
    }
}
