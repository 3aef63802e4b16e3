//! Texts for people that several messages share.

use std::{fmt::Display, time::Duration};

use vmpool_model::{Owner, PoolName};

/// What is told where somebody gave no reason.
pub(crate) const NO_REASON: &str = "no reason was given";

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

/// Says who did something, if that is known.
pub(crate) fn by_whom(by: Option<&Owner>) -> String {
    by.map(|by| format!(" by {by}")).unwrap_or_default()
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

/// Says how much of what is taken of a quota is taken by nodes that no record speaks of, if any is.
pub(crate) fn without_record(amount: u64) -> String {
    match amount {
        0 => String::new(),
        amount => format!(", {amount} of these by nodes of ours without a record"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_is_nothing_to_list_that_is_said() {
        assert_eq!(list_or(["a", "b"], "nothing"), "a, b");
        assert_eq!(list_or(Vec::<String>::new(), "nothing"), "nothing");
    }

    #[test]
    fn who_did_something_is_told_if_it_is_known() {
        assert_eq!([by_whom(Some(&Owner::new("ann").unwrap())), by_whom(None)], [" by ann", ""]);
    }

    #[test]
    fn what_is_of_all_pools_names_none() {
        let pools = ["a", "b"].map(|pool| PoolName::new(pool).unwrap());
        let told = [0, 1, 2].map(|count| of(&pools[..count]));
        assert_eq!(told, ["", " of pool a", " of the pools a, b"]);
    }

    #[test]
    fn parts_of_a_second_are_told_only_where_there_is_nothing_else() {
        let told = [250, 1_250].map(|millis| whole(Duration::from_millis(millis)).as_millis());
        assert_eq!(told, [250, 1_000]);
    }
}
