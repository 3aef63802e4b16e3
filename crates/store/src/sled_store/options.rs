//! How to open a sled store.

use std::{path::PathBuf, time::Duration};

/// Says where a [`SledStore`](crate::SledStore) is and how it is used.
///
/// # Examples
///
/// ```
/// use vmpool_store::SledOptions;
/// let options = SledOptions::new("/var/lib/vmpool").with_keep_events(50_000);
/// assert_eq!(options.cache_bytes, 32 << 20);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SledOptions {
    /// The directory; it is created if it does not exist.
    pub path: PathBuf,
    /// How much memory sled's cache may take, in bytes; 32 MiB unless set. It is a goal, not a hard limit.
    pub cache_bytes: u64,
    /// How many events of each domain are kept at least; 1,000,000 unless set. Older ones are removed
    /// by later commits, some hundreds at a time, so that there may be up to a tenth more.
    pub keep_events: u64,
    /// For how long events are kept, by their own times; 30 days unless set. Older ones are removed by later commits, but
    /// for the newest thousand, which are kept however old they are.
    pub keep_events_for: Duration,
    /// How much room is set aside for when the disk is full, in bytes; 16 MiB unless set, 0 is none. While it is in use the
    /// store [is short](crate::Store::is_short).
    pub reserve_bytes: u64,
    /// Whether to take the store as it is found, although commits that were acknowledged are missing;
    /// no, unless set. Keep a copy of the directory first.
    pub accept_loss: bool,
}

impl SledOptions {
    /// Opens the store in a directory, with the defaults.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            cache_bytes: 32 << 20,
            keep_events: 1_000_000,
            keep_events_for: Duration::from_secs(30 * 86_400),
            reserve_bytes: 16 << 20,
            accept_loss: false,
        }
    }

    /// Sets how much memory sled's cache may take, in bytes.
    #[must_use]
    pub fn with_cache_bytes(self, cache_bytes: u64) -> Self {
        Self { cache_bytes, ..self }
    }

    /// Sets how many events of each domain are kept at least, one or more.
    #[must_use]
    pub fn with_keep_events(self, keep_events: u64) -> Self {
        Self { keep_events: keep_events.max(1), ..self }
    }

    /// Sets for how long events are kept.
    #[must_use]
    pub fn with_keep_events_for(self, keep_events_for: Duration) -> Self {
        Self { keep_events_for, ..self }
    }

    /// Sets how much room is set aside for when the disk is full, in bytes.
    #[must_use]
    pub fn with_reserve_bytes(self, reserve_bytes: u64) -> Self {
        Self { reserve_bytes, ..self }
    }

    /// Takes the store as it is found, although commits that were acknowledged are missing.
    #[must_use]
    pub fn with_accept_loss(self, accept_loss: bool) -> Self {
        Self { accept_loss, ..self }
    }
}
