//! Why a command failed: one message, a hint and an exit code.

use std::io;

use vmpool_api::{Problem, code, exit};
use vmpool_client::ClientError;

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something to tell.
    Told {
        /// What failed and why.
        message: String,
        /// What to do next.
        hint: Option<String>,
        /// The exit code.
        code: u8,
    },
    /// Whoever read our output stopped reading, which is no failure of ours.
    OutputClosed,
}

impl Failure {
    /// Makes a failure without a hint.
    pub(crate) fn new(code: u8, message: impl Into<String>) -> Self {
        Self::Told { message: message.into(), hint: None, code }
    }

    /// Adds what to do next.
    pub(crate) fn with_hint(self, text: impl Into<String>) -> Self {
        match self {
            Self::Told { message, code, .. } => Self::Told { message, hint: Some(text.into()), code },
            Self::OutputClosed => self,
        }
    }

    /// Says that the output could not be written.
    pub(crate) fn from_output(err: io::Error) -> Self {
        match err.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::new(exit::FAILURE, format!("failed to write the output: {err}")),
        }
    }

    /// Says that a result has no JSON form.
    pub(crate) fn unprintable(err: serde_json::Error) -> Self {
        Self::new(exit::FAILURE, format!("failed to print the result as JSON: {err}"))
    }
}

/// Says what lists the things of which there is no such one.
fn lists(problem: &Problem) -> Option<&'static str> {
    let lists = [
        (code::UNKNOWN_VM, "`vmpool vm ls` lists the VMs; `vmpool vm history` knows those that are gone"),
        (code::UNKNOWN_LEASE, "`vmpool lease ls` lists the leases"),
        (code::UNKNOWN_REQUEST, "`vmpool request ls` lists the requests"),
        (code::UNKNOWN_TOKEN, "`vmpool token ls` lists the tokens"),
        (
            code::UNKNOWN_LABEL,
            "`vmpool pool ls` lists the pools; labels are given to them by the configuration",
        ),
    ];
    lists.into_iter().find_map(|(code, hint)| problem.is(code).then_some(hint))
}

impl From<ClientError> for Failure {
    fn from(err: ClientError) -> Self {
        let code = err.exit_code();
        match err {
            ClientError::Problem(mut problem) => {
                let hint = problem.hint.take().or_else(|| lists(&problem).map(str::to_owned));
                hint.into_iter().fold(Self::new(code, problem.to_string()), Self::with_hint)
            }
            ClientError::Unreachable { .. } | ClientError::InvalidUrl { .. } => {
                Self::new(code, err.to_string()).with_hint("--url or VMPOOL_URL says where the daemon is")
            }
            _ => Self::new(code, err.to_string()),
        }
    }
}
