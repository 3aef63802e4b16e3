//! A command with the group of processes that it leads.

use std::{
    io,
    process::{ExitStatus, Stdio},
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

/// A running command that leads a process group; dropping it kills the group.
#[derive(Debug)]
pub(super) struct Group {
    leader: Child,
}

impl Group {
    /// Starts a command without input as the leader of a group of its own.
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        command.stdin(Stdio::null()).process_group(0).kill_on_drop(true);
        Ok(Self { leader: command.spawn()? })
    }

    /// Waits for the leader's end. Cancel safe.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.leader.wait().await
    }

    /// Kills all processes of the group, unless the leader has been waited for: its number may be another's by then.
    pub(super) fn kill(&self) {
        let leader = self.leader.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(leader) = leader {
            // They may have ended this moment, which is what the signal was for.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
