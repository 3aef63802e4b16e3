//! The check by a command on the VM, with the host's `ssh`.

use std::{
    ffi::OsString,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use tempfile::TempDir;
use tokio::process::Command;
use vmpool_engine::CheckReport;
use vmpool_model::config::{InvalidConfig, SshCheck};

use super::misfit;
use crate::{
    CheckTarget,
    command::{self, Ended, Streams},
};

/// How much of an answer is shown in a failure.
const SHOWN: usize = 200;

/// Logs in, runs the command and compares what it prints.
pub(super) async fn check(
    program: PathBuf,
    address: SocketAddr,
    target: CheckTarget,
    check: SshCheck,
) -> Result<CheckReport, String> {
    let at = |why: &str| format!("ssh {address}: {why}");
    let trust = Trust::of(&target, &check).map_err(|err| at(&format!("no place for the host key: {err}")))?;
    let mut command = Command::new(&program);
    command.args(arguments(&trust, address, &target, &check));
    match command::run(command, Streams::Apart, target.timeout).await {
        Err(err) => Err(at(&err.to_string())),
        Ok(Ended { status, stderr, .. }) if !status.success() => {
            let how = status.code().map_or_else(|| status.to_string(), |code| format!("exit code {code}"));
            let said = stderr.last_line();
            Err(at(&if said.is_empty() { how } else { format!("{how}: {said}") }))
        }
        Ok(Ended { stdout, .. }) => {
            let printed = stdout.whole().map(<[u8]>::trim_ascii_end);
            if printed != Some(check.expect.trim_ascii_end().as_bytes()) {
                let printed: String = stdout.text().chars().take(SHOWN).collect();
                return Err(at(&format!("it printed {printed:?}, not {:?}", check.expect)));
            }
            let host_key = trust.learned().map_err(|err| at(&format!("its host key is not known: {err}")))?;
            Ok(CheckReport { host_key })
        }
    }
}

/// Says early why a check could never be made.
pub(super) fn validate(program: &Path, check: &SshCheck) -> Result<(), InvalidConfig> {
    command::find_program(&program.to_string_lossy()).map_err(|reason| misfit("kind", reason))?;
    match check.identity.as_ref().map(fs::File::open) {
        Some(Err(err)) => Err(misfit("identity", format!("the private key cannot be read: {err}"))),
        _ => Ok(()),
    }
}

/// Which host key is taken from the VM; files are gone when this is dropped.
#[derive(Debug)]
enum Trust {
    /// Any.
    Any,
    /// The first that it shows; it is learned.
    First(TempDir),
    /// The one that is pinned.
    Pinned(TempDir),
}

impl Trust {
    fn of(target: &CheckTarget, check: &SshCheck) -> io::Result<Self> {
        if !check.pin_host_key {
            return Ok(Self::Any);
        }
        let dir = tempfile::Builder::new().prefix("vmpool-ssh-").tempdir()?;
        Ok(match &target.host_key {
            None => Self::First(dir),
            Some(key) => {
                fs::write(known_hosts(&dir), format!("{} {key}\n", target.vm))?;
                Self::Pinned(dir)
            }
        })
    }

    fn options(&self) -> [String; 2] {
        let (strict, file) = match self {
            Self::Any => ("no", "/dev/null".to_owned()),
            Self::First(dir) => ("accept-new", quoted(&known_hosts(dir))),
            Self::Pinned(dir) => ("yes", quoted(&known_hosts(dir))),
        };
        [format!("StrictHostKeyChecking={strict}"), format!("UserKnownHostsFile={file}")]
    }

    /// Returns the key that the VM showed, if it is to be remembered.
    fn learned(&self) -> io::Result<Option<String>> {
        let Self::First(dir) = self else { return Ok(None) };
        let known = fs::read_to_string(known_hosts(dir))?;
        let key = known.lines().find_map(|line| line.split_once(' ')).map(|(_, key)| key.trim().to_owned());
        key.map(Some).ok_or_else(|| io::Error::other("ssh stored none"))
    }
}

fn known_hosts(dir: &TempDir) -> PathBuf {
    dir.path().join("known_hosts")
}

/// Quotes a path as the configuration of `ssh` wants it.
fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('%', "%%"))
}

fn arguments(trust: &Trust, address: SocketAddr, target: &CheckTarget, check: &SshCheck) -> Vec<OsString> {
    let mut options = vec![
        "BatchMode=yes".to_owned(),
        format!("ConnectTimeout={}", target.timeout.as_secs().max(1)),
        // What is known of the key is known of this VM, not of its address: addresses come back with other VMs.
        format!("HostKeyAlias={}", target.vm),
        "GlobalKnownHostsFile=/dev/null".to_owned(),
        "HashKnownHosts=no".to_owned(),
        "UpdateHostKeys=no".to_owned(),
        "CheckHostIP=no".to_owned(),
        // A connection that is shared would pass the check with the key of another VM.
        "ControlPath=none".to_owned(),
        "LogLevel=ERROR".to_owned(),
    ];
    options.extend(trust.options());
    let mut words: Vec<OsString> = vec!["-T".into(), "-p".into(), check.port.to_string().into()];
    if let Some(identity) = &check.identity {
        options.push("IdentitiesOnly=yes".to_owned());
        words.extend(["-i".into(), identity.into()]);
    }
    if let Some(user) = &check.user {
        words.extend(["-l".into(), user.into()]);
    }
    words.extend(options.into_iter().flat_map(|option| ["-o".into(), option.into()]));
    words.extend(["--".into(), address.ip().to_string().into(), check.command.clone().into()]);
    words
}
