//! A shell on one node, each command by a run of `ssh`.

use vmpool_driver::{ConnectError, Shell, ShellError, ShellOutput, async_trait, quote};

use super::{
    classify::refusal,
    private_dir::PrivateDir,
    process::{Ended, Program},
};

/// Begins the last line that a command leaves on its standard error: its exit code is behind.
///
/// The exit code of `ssh` itself does not do: 255 also means that the session was lost.
const MARK: &str = "vmpool-exit ";

#[derive(Debug)]
pub(super) struct Session {
    program: Program,
    /// Where the host key of the node is kept.
    _dir: PrivateDir,
}

impl Session {
    pub(super) fn new(program: Program, dir: PrivateDir) -> Self {
        Self { program, _dir: dir }
    }

    /// Runs a command that does nothing, to see whether the login works.
    pub(super) async fn try_it(&self, user: &str) -> Result<(), ConnectError> {
        let ended = self.program.run(&[], &remote("echo vmpool")).await;
        let ended = ended.map_err(|err| ConnectError::Fatal(format!("cannot run ssh: {err}")))?;
        match exit_code(&ended) {
            // What the shell of the user writes when it starts may stand before.
            Some((0, _)) if ended.stdout.trim_end().ends_with("vmpool") => Ok(()),
            _ => Err(refusal(user, &ended)),
        }
    }

    async fn exec(&self, what: &str, input: &[u8], command: &str) -> Result<ShellOutput, ShellError> {
        let lost = |reason: String| ShellError::Lost { what: what.to_owned(), reason };
        let ended = self.program.run(input, &remote(command)).await;
        let ended = ended.map_err(|err| lost(format!("cannot run ssh: {err}")))?;
        match exit_code(&ended) {
            Some((exit, stderr)) => Ok(ShellOutput::new(exit, ended.stdout.as_str(), stderr)),
            None => Err(lost(last_line(&ended))),
        }
    }
}

#[async_trait]
impl Shell for Session {
    async fn put(&self, path: &str, mode: u32, content: &[u8]) -> Result<(), ShellError> {
        let what = format!("putting {path}");
        let draft = word(&format!("{path}.vmpool-new"));
        let path = word(path);
        let length = content.len();
        // A session that ends early looks to `cat` like the end of the file: hence the look at its length.
        let command = format!(
            "umask 077; cat > {draft} && test \"$(wc -c < {draft})\" -eq {length} && chmod {mode:o} {draft} \
             && mv -f {draft} {path} || {{ rm -f {draft}; exit 1; }}"
        );
        self.exec(&what, content, &command).await?.ok(what)?;
        Ok(())
    }

    async fn run(&self, command: &str) -> Result<ShellOutput, ShellError> {
        self.exec("the command", &[], command).await
    }

    async fn delete(&self, path: &str) -> Result<(), ShellError> {
        let what = format!("deleting {path}");
        self.exec(&what, &[], &format!("rm -f {}", word(path))).await?.ok(what)?;
        Ok(())
    }
}

/// Returns a path as one word that is no option.
fn word(path: &str) -> String {
    match path.starts_with('/') {
        true => quote(path),
        false => quote(&format!("./{path}")),
    }
}

/// Returns what the login shell of a user is told, whichever shell that is: only `sh` reads the command.
fn remote(command: &str) -> String {
    let marked = format!("sh -c {}\nprintf '\\n{MARK}%s\\n' \"$?\" >&2", quote(command));
    format!("exec sh -c {}", quote(&marked))
}

/// Returns the exit code that a command left, and what it wrote before.
fn exit_code(ended: &Ended) -> Option<(i32, String)> {
    let (stderr, rest) = ended.stderr.rsplit_once(&format!("\n{MARK}"))?;
    let (code, after) = rest.split_once('\n')?;
    let code = code.parse().ok()?;
    // What a process in the background wrote later.
    Some((code, format!("{stderr}{after}")))
}

/// Returns what `ssh` said last.
pub(super) fn last_line(ended: &Ended) -> String {
    let line = ended.stderr.lines().rev().map(str::trim).find(|line| !line.is_empty());
    match (line, ended.exit) {
        (Some(line), _) => line.to_owned(),
        (None, Some(exit)) => format!("ssh ended with exit code {exit}"),
        (None, None) => "ssh was killed".to_owned(),
    }
}
