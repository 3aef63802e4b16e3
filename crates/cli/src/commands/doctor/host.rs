//! What a daemon needs of its host: a state directory on a disk that is quick and not full, files to open, a clock.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
    process::Stdio,
    time::Duration,
};

use jiff::Timestamp;
use rustix::process::{Resource, getrlimit};
use tokio::{
    process::Command,
    time::{Instant, timeout},
};

use crate::finding::Finding;

/// How often the disk is asked to make something durable.
const SYNCS: usize = 20;
/// From when on one sync is slow: acquires that come alone wait for one.
const SLOW_SYNC: Duration = Duration::from_millis(25);
/// Below how much free space somebody should look.
const LITTLE_SPACE: u64 = 1 << 30;
/// Below how much free space the daemon refuses new records soon.
const NO_SPACE: u64 = 64 << 20;
/// How many files a daemon with many clients, checks and hooks needs.
const FILES: u64 = 4096;
/// How long whoever knows about the clock may take.
const CLOCK_TIMEOUT: Duration = Duration::from_secs(3);

/// Checks the state directory and its disk.
///
/// A directory that is not there yet is made by the first start; then the nearest one above it is looked at.
pub(super) fn state_dir(dir: &Path) -> Vec<Finding> {
    let what = "state directory";
    let shown = dir.display();
    let Some(there) = dir.ancestors().find(|ancestor| ancestor.exists()) else {
        return vec![Finding::fail(what, format!("{shown} cannot be made"), "set daemon.state_dir")];
    };
    if !there.is_dir() {
        let found = format!("{} is no directory", there.display());
        return vec![Finding::fail(what, found, "set daemon.state_dir to another place")];
    }
    let mut found = Vec::new();
    match sync_time(there) {
        Ok(time) => {
            let state = if there == dir { "is there" } else { "will be made" };
            found.push(Finding::ok(what, format!("{shown} {state} and can be written to")));
            found.push(disk(time));
        }
        Err(err) => {
            let found = format!("nothing can be written to {}: {err}", there.display());
            let advice = "run this as the user of the daemon, and give that user the directory";
            return vec![Finding::fail(what, found, advice)];
        }
    }
    found.push(space(there));
    found.extend(times(dir));
    found
}

/// Returns how long the disk takes to make a small write durable: the median of several.
fn sync_time(dir: &Path) -> io::Result<Duration> {
    let path = dir.join(format!(".vmpool-doctor-{}", std::process::id()));
    let measured = measure(&path);
    // What could not be made need not be removed.
    let _ = fs::remove_file(&path);
    measured
}

fn measure(path: &Path) -> io::Result<Duration> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    let mut times = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let began = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(SYNCS / 2).copied().unwrap_or_default())
}

fn disk(time: Duration) -> Finding {
    let text = format!("makes a write durable in {:.1} ms", time.as_secs_f64() * 1000.0);
    match time < SLOW_SYNC {
        true => Finding::ok("disk", text),
        false => Finding::warn(
            "disk",
            text,
            "every acquire waits for that once: put daemon.state_dir on an SSD, and not on a network",
        ),
    }
}

fn space(dir: &Path) -> Finding {
    let what = "free space";
    match rustix::fs::statvfs(dir) {
        Ok(stat) => enough(stat.f_bavail.saturating_mul(stat.f_frsize)),
        Err(err) => Finding::warn(what, format!("cannot be told: {err}"), "look with `df`"),
    }
}

fn enough(free: u64) -> Finding {
    let text = format!("{} MiB", free >> 20);
    let advice = "a daemon that cannot write refuses what is new: make room, or set daemon.state_dir";
    match free {
        _ if free < NO_SPACE => Finding::fail("free space", text, advice),
        _ if free < LITTLE_SPACE => Finding::warn("free space", text, advice),
        _ => Finding::ok("free space", text),
    }
}

/// Says if records are of the future: the clock went back, and what depends on times waits that long.
fn times(dir: &Path) -> Option<Finding> {
    let newest =
        fs::read_dir(dir).ok()?.filter_map(|entry| entry.ok()?.metadata().ok()?.modified().ok()).max()?;
    let ahead = Timestamp::try_from(newest).ok()?.duration_since(Timestamp::now());
    (Duration::from_secs(60) < Duration::try_from(ahead).ok()?).then(|| {
        Finding::fail(
            "clock",
            format!("it is {ahead:#} behind the newest records"),
            "set the clock right before the daemon is started: leases would last that much longer",
        )
    })
}

/// Checks how many files a process may open that is started as this one.
pub(super) fn open_files() -> Finding {
    let limit = getrlimit(Resource::Nofile).current;
    let shown = limit.map_or_else(|| "as many as it likes".to_owned(), |limit| limit.to_string());
    let text = format!("a process that is started here may open {shown}");
    match limit.is_none_or(|limit| FILES <= limit) {
        true => Finding::ok("open files", text),
        false => Finding::warn(
            "open files",
            text,
            format!(
                "each client and each check takes one: start the daemon with `ulimit -n {FILES}`, or LimitNOFILE in its unit"
            ),
        ),
    }
}

/// Asks the host whether its clock is synchronized.
pub(super) async fn clock() -> Finding {
    let mut command = Command::new("timedatectl");
    command.args(["show", "--property=NTPSynchronized", "--value"]).stdin(Stdio::null()).kill_on_drop(true);
    let output = match timeout(CLOCK_TIMEOUT, command.output()).await {
        Ok(Ok(output)) if output.status.success() => output,
        _ => {
            return Finding::ok(
                "clock",
                format!("{:.0}; nobody here says whether it is synchronized", Timestamp::now()),
            );
        }
    };
    synchronized(String::from_utf8_lossy(&output.stdout).trim())
}

fn synchronized(answer: &str) -> Finding {
    match answer {
        "no" => Finding::warn(
            "clock",
            "not synchronized",
            "turn NTP on with `timedatectl set-ntp true`: CloudAPI refuses a clock that is five minutes off",
        ),
        _ => Finding::ok("clock", "synchronized"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Verdict;

    #[test]
    fn a_directory_that_is_not_there_yet_is_fine_and_stays_so() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("a/b");
        let found = state_dir(&dir);
        assert!(found[0].found.ends_with("will be made and can be written to"), "{found:?}");
        assert!(found.iter().all(|finding| finding.verdict != Verdict::Fail), "{found:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    }

    #[test]
    fn a_state_directory_that_is_a_file_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state");
        fs::write(&file, "x").unwrap();
        assert_eq!(state_dir(&file)[0].verdict, Verdict::Fail);
        assert_eq!(state_dir(&file.join("deeper"))[0].verdict, Verdict::Fail);
    }

    #[test]
    fn records_of_the_future_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("db")).unwrap();
        assert_eq!(times(folder.path()), None);
        file.set_modified(std::time::SystemTime::from(Timestamp::now()) + Duration::from_secs(3600)).unwrap();
        assert_eq!(times(folder.path()).unwrap().verdict, Verdict::Fail);
    }

    #[test]
    fn slow_full_and_unsynchronized_are_told() {
        assert_eq!(disk(Duration::from_millis(2)).verdict, Verdict::Ok);
        assert_eq!(disk(Duration::from_millis(30)).verdict, Verdict::Warn);
        let verdicts = [1 << 20, 100 << 20, 1 << 31].map(|free| enough(free).verdict);
        assert_eq!(verdicts, [Verdict::Fail, Verdict::Warn, Verdict::Ok]);
        assert_eq!(synchronized("no").verdict, Verdict::Warn);
        assert_eq!(synchronized("yes").verdict, Verdict::Ok);
    }
}
