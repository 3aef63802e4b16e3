//! Places by name at which a process under test dies, so that every durable step is tried and none is left to chance.
//!
//! Without the feature `fail-points`, and in every build without debug assertions, which each release build is, all of
//! this is empty: a rule of `cargo xtask tidy` holds that.
//!
//! | variable | what it does in a build that has them |
//! |---|---|
//! | `VMPOOL_FAIL_POINT=NAME:N` | the process ends as by `kill -9` when it reaches the point for the N-th time |
//! | `VMPOOL_CLOCK_AHEAD=MS` | the system's clock seems to be so many milliseconds ahead, or behind |

/// All points, in the order in which a daemon meets them first.
///
/// Those of `store.make` are met only by who makes a store, those of `manager.stop` only by who is told to stop, and those of
/// `manager.restore` only after a commit failed.
pub const POINTS: &[&str] = &[
    "store.make.written",
    "store.make.counted",
    "store.make.marked",
    "store.open.locked",
    "store.open.copied",
    "store.open.tried",
    "store.open.attached",
    "store.open.counted",
    "manager.start.loaded",
    "manager.start.claimed",
    "manager.start.written",
    "store.write.taken",
    "store.write.staged",
    "store.write.applied",
    "store.write.flushed",
    "store.write.synced",
    "store.write.counted",
    "store.write.shown",
    "manager.turn.decided",
    "manager.turn.committed",
    "manager.turn.answered",
    "manager.turn.begun",
    "manager.create.asked",
    "manager.create.answered",
    "manager.destroy.asked",
    "manager.destroy.answered",
    "manager.restore.loaded",
    "manager.restore.claimed",
    "manager.stop.drained",
    "manager.stop.written",
];

/// Ends the process if it was told to end here.
#[inline]
pub fn reach(name: &'static str) {
    #[cfg(all(feature = "fail-points", debug_assertions))]
    live::reach(name);
    #[cfg(not(all(feature = "fail-points", debug_assertions)))]
    let _ = name;
}

/// Returns by how many milliseconds the system's clock is to seem ahead; 0 unless the process was told otherwise.
#[must_use]
pub fn clock_ahead() -> i64 {
    #[cfg(all(feature = "fail-points", debug_assertions))]
    return live::clock_ahead();
    #[cfg(not(all(feature = "fail-points", debug_assertions)))]
    return 0;
}

#[cfg(all(feature = "fail-points", debug_assertions))]
mod live {
    use std::{
        env,
        sync::{
            OnceLock,
            atomic::{AtomicU64, Ordering},
        },
    };

    use rustix::process::{Signal, getpid, kill_process};

    /// Where the process ends, and how often it still comes there.
    struct End {
        name: String,
        left: AtomicU64,
    }

    pub(super) fn reach(name: &'static str) {
        static END: OnceLock<Option<End>> = OnceLock::new();
        let Some(end) = END.get_or_init(|| env::var("VMPOOL_FAIL_POINT").ok().and_then(|text| parse(&text)))
        else {
            return;
        };
        if end.name == name && end.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            // Nothing is written or closed on the way, and no other thread goes on for long.
            let _ = kill_process(getpid(), Signal::KILL);
            std::process::abort();
        }
    }

    pub(super) fn clock_ahead() -> i64 {
        env::var("VMPOOL_CLOCK_AHEAD").ok().and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    fn parse(text: &str) -> Option<End> {
        let (name, count) = text.split_once(':')?;
        Some(End { name: name.to_owned(), left: AtomicU64::new(count.parse().ok()?) })
    }
}
