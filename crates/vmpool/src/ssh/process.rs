//! Running the program `ssh` once.

use std::{
    ffi::{OsStr, OsString},
    fmt, io,
    path::{Path, PathBuf},
    process::Stdio,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
};

/// The variable by which the password reaches the program that `ssh` asks for it, and nothing else.
pub(super) const PASSWORD: &str = "VMPOOL_SSH_PASSWORD";

/// How much of what a command writes is kept, from its end.
const KEPT: usize = 1 << 20;

/// A program with its arguments.
#[derive(Clone)]
pub(super) struct Program {
    program: PathBuf,
    args: Vec<OsString>,
    /// The program that `ssh` asks for the password, and the password.
    password: Option<(PathBuf, String)>,
}

/// How a run of the program ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) exit: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Program {
    pub(super) fn new(program: &Path) -> Self {
        Self { program: program.to_owned(), args: Vec::new(), password: None }
    }

    pub(super) fn arg(&mut self, arg: impl AsRef<OsStr>) -> &mut Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    pub(super) fn option(&mut self, key: &str, value: &str) {
        self.arg("-o").arg(format!("{key}={value}"));
    }

    pub(super) fn password(&mut self, askpass: PathBuf, password: &str) {
        self.password = Some((askpass, password.to_owned()));
    }

    /// Runs it with one more argument, unless that is empty, and this input.
    pub(super) async fn run(&self, input: &[u8], last: &str) -> io::Result<Ended> {
        let mut command = Command::new(&self.program);
        command.args(&self.args).args(Some(last).filter(|last| !last.is_empty()));
        if let Some((askpass, password)) = &self.password {
            command.env("SSH_ASKPASS", askpass).env("SSH_ASKPASS_REQUIRE", "force").env(PASSWORD, password);
            // Without a display, older versions ask nothing.
            command.env("DISPLAY", ":0");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own: what a terminal interrupts is the caller, which drops this.
        let mut group = Group(command.process_group(0).kill_on_drop(true).spawn()?);
        let child = &mut group.0;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let feed = async {
            let Some(mut stdin) = stdin else { return };
            // A program that ends without reading shows by its exit code.
            let _ = stdin.write_all(input).await;
            let _ = stdin.shutdown().await;
        };
        let ((), stdout, stderr, status) = tokio::join!(feed, end_of(stdout), end_of(stderr), child.wait());
        Ok(Ended { exit: status?.code(), stdout: stdout?, stderr: stderr? })
    }
}

/// A running program and what it began, such as a proxy; dropping it kills all of them.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // A program that was waited for has no number any more: it may be another's.
        let leader = self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(leader) = leader {
            // They may have ended this moment.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

/// Shows no password.
impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("program", &self.program)
            .field("args", &self.args)
            .finish_non_exhaustive()
    }
}

/// Reads all and keeps the end of it.
async fn end_of(reader: Option<impl AsyncRead + Unpin>) -> io::Result<String> {
    let Some(mut reader) = reader else { return Ok(String::new()) };
    let mut kept = Vec::new();
    let mut part = vec![0; 64 << 10];
    loop {
        let read = reader.read(&mut part).await?;
        if read == 0 {
            break;
        }
        kept.extend_from_slice(&part[..read]);
        if 2 * KEPT < kept.len() {
            kept.drain(..kept.len() - KEPT);
        }
    }
    let begin = kept.len().saturating_sub(KEPT);
    Ok(String::from_utf8_lossy(&kept[begin..]).into_owned())
}
