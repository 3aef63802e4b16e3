//! What the farm costs: real time and memory.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Returns the real time, of which virtual time knows nothing.
#[expect(clippy::disallowed_methods, reason = "what a virtual hour takes is what is to be measured")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Returns how long this thread, which does all, has worked: unlike real time, that says the same on a busy machine.
pub(crate) fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Returns how many MiB of memory the process has and ever had, if the system tells.
pub(crate) fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    (field("VmRSS:").unwrap_or(0) / 1024, field("VmHWM:").unwrap_or(0) / 1024)
}
