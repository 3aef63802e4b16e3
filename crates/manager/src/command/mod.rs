//! Commands of the operator on this host: bounded in time and in output, and ended with all that they began.

mod environment;
mod group;
mod program;
mod tail;
#[cfg(test)]
mod tests;

use std::{io, process::ExitStatus, time::Duration};

use tokio::{net::unix::pipe, process::Command, time::timeout};

pub(crate) use self::environment::Environment;
pub use self::program::find_program;
use self::{group::Group, tail::Tail};

/// How much of what a command prints is kept.
const KEPT: usize = 4096;

/// What became of a command that ended by itself.
#[derive(Debug)]
pub(crate) struct Ended {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// The end of what it printed; if streams are not kept apart, of both.
    pub(crate) stdout: Tail,
    /// The end of what it printed on the stream for errors; empty if streams are not kept apart.
    pub(crate) stderr: Tail,
}

/// Says why a command did not end by itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// It did not begin, or is out of sight.
    #[error("it cannot be run: {0}")]
    Broken(#[from] io::Error),
    /// Its time is over, and it was killed.
    #[error("it did not end within {} and was killed with all processes of its group{}", vmpool_model::format_duration(*.limit), after(.printed))]
    TimedOut {
        /// Its time.
        limit: Duration,
        /// The end of what it printed.
        printed: Tail,
    },
}

/// How a command prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Streams {
    /// Its two streams are one, in order.
    Merged,
    /// They are kept apart.
    Apart,
}

/// Runs a command that is to end well; its output is of interest only if it does not.
///
/// # Errors
///
/// Why it did not end well, and the end of what it printed.
pub(crate) async fn run_well(
    words: &[String],
    environment: &Environment,
    limit: Duration,
) -> Result<(), String> {
    let Some((program, arguments)) = words.split_first() else {
        return Err("the command is empty".to_owned());
    };
    let mut command = Command::new(program);
    command.args(arguments);
    environment.set(&mut command);
    match run(command, Streams::Merged, limit).await {
        Ok(Ended { status, .. }) if status.success() => Ok(()),
        Ok(Ended { status, stdout, .. }) => Err(format!("{program}: {status}{}", after(&stdout))),
        Err(err) => Err(format!("{program}: {err}")),
    }
}

/// Runs a command in a process group of its own, without input.
///
/// The group is killed when the time is over, and when the future is dropped. What the command leaves behind when it
/// ends by itself is not touched, and not waited for.
///
/// # Errors
///
/// [`RunError`] if it did not end by itself.
pub(crate) async fn run(mut command: Command, streams: Streams, limit: Duration) -> Result<Ended, RunError> {
    let (mut stdout, writer) = Stream::open()?;
    let mut stderr = match streams {
        Streams::Merged => {
            command.stderr(writer.try_clone()?);
            Stream::default()
        }
        Streams::Apart => {
            let (stderr, writer) = Stream::open()?;
            command.stderr(writer);
            stderr
        }
    };
    command.stdout(writer);
    let mut group = Group::start(&mut command)?;
    // It holds the ends of the pipes that are for the command alone.
    drop(command);
    let ended = timeout(limit, async {
        loop {
            tokio::select! {
                // Who prints without end is still seen to end.
                biased;
                status = group.wait() => return status,
                () = stdout.fill() => {}
                () = stderr.fill() => {}
            }
        }
    });
    let ended = ended.await;
    if ended.is_err() {
        group.kill();
    }
    stdout.drain();
    stderr.drain();
    match ended {
        Ok(status) => Ok(Ended { status: status?, stdout: stdout.tail, stderr: stderr.tail }),
        Err(_) if stderr.tail.is_empty() => Err(RunError::TimedOut { limit, printed: stdout.tail }),
        Err(_) => Err(RunError::TimedOut { limit, printed: stderr.tail }),
    }
}

fn after(printed: &Tail) -> String {
    match printed.text() {
        text if text.is_empty() => String::new(),
        text => format!(": {text}"),
    }
}

/// One stream of a command.
#[derive(Debug, Default)]
struct Stream {
    /// `None` once it is at its end.
    pipe: Option<pipe::Receiver>,
    tail: Tail,
}

impl Stream {
    /// Makes a stream, and the end that the command writes to.
    fn open() -> io::Result<(Self, io::PipeWriter)> {
        let (reader, writer) = io::pipe()?;
        let pipe = pipe::Receiver::from_owned_fd(reader.into())?;
        Ok((Self { pipe: Some(pipe), tail: Tail::default() }, writer))
    }

    /// Takes what is there, once there is something; waits for ever at the end. Cancel safe.
    async fn fill(&mut self) {
        match &self.pipe {
            Some(pipe) => drop(pipe.readable().await),
            None => std::future::pending().await,
        }
        self.take();
    }

    /// Takes what is left in the pipe, and waits for nothing.
    fn drain(&mut self) {
        // A process that was left behind may go on printing; a pipe holds less than this.
        const READS: usize = 64;
        let _ = (0..READS).find(|_| !self.take());
    }

    /// Returns whether something was taken.
    fn take(&mut self) -> bool {
        let Some(pipe) = &self.pipe else { return false };
        let mut buffer = [0; KEPT];
        match pipe.try_read(&mut buffer) {
            Ok(0) => self.pipe = None,
            Ok(count) => {
                self.tail.push(&buffer[..count]);
                return true;
            }
            Err(err) if err.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.pipe = None,
        }
        false
    }
}
