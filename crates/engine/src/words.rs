//! Texts for people that several messages share.

use std::{fmt::Display, time::Duration};

use vmpool_model::PoolName;

/// Returns the time without what nobody wants to read: parts of a second, where there are whole ones.
pub(crate) fn whole(time: Duration) -> Duration {
    match time.as_secs() {
        0 => time,
        seconds => Duration::from_secs(seconds),
    }
}

/// Lists all of them.
pub(crate) fn list<T: Display>(all: impl IntoIterator<Item = T>) -> String {
    all.into_iter().map(|one| one.to_string()).collect::<Vec<_>>().join(", ")
}

/// Lists all of them, or says that there is none.
pub(crate) fn list_or<T: Display>(all: impl IntoIterator<Item = T>, none: &str) -> String {
    match list(all) {
        text if text.is_empty() => none.to_owned(),
        text => text,
    }
}

/// Names pools.
pub(crate) fn named(pools: &[PoolName]) -> String {
    match pools {
        [pool] => format!("pool {pool}"),
        pools => format!("the pools {}", list(pools)),
    }
}

/// Says that none of these pools, or no pool at all, does something.
pub(crate) fn none_of(pools: &[PoolName]) -> String {
    match pools {
        [] => "no pool".to_owned(),
        [pool] => format!("pool {pool} is not one that"),
        pools => format!("none of {}", named(pools)),
    }
}

/// Says which pools something is of, if it is not of all.
pub(crate) fn of(pools: &[PoolName]) -> String {
    match pools {
        [] => String::new(),
        pools => format!(" of {}", named(pools)),
    }
}
