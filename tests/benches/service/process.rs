//! What the kernel knows of a process.

use std::{fs, path::Path};

/// Returns how many bytes of a process are in memory.
pub fn resident(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kilobytes * 1024.0
}

/// Returns how many seconds a process was on a processor.
pub fn on_processor(pid: u32) -> f64 {
    /// What the kernel counts in, for programs.
    const TICKS: f64 = 100.0;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, rest) = stat.rsplit_once(") ").unwrap();
    let mut fields = rest.split(' ').skip(11);
    let mut next = || fields.next().unwrap().parse::<f64>().unwrap();
    (next() + next()) / TICKS
}

/// Returns how often the store in a state directory was synced: it notes the number of its last durable write.
pub fn commits(state_dir: &Path) -> u64 {
    let head = fs::read_to_string(state_dir.join("head")).unwrap();
    let numbers = head.split(['\n', '\0']).filter_map(|line| line.split(' ').nth(2)?.parse().ok());
    numbers.max().unwrap()
}
