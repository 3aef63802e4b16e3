//! How often an account may call.

use std::collections::HashMap;

use vmpool_model::Timestamp;

use super::{
    Limit,
    reply::{Refusal, refuse},
};

/// What is left of each account's calls.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    /// In thousandths of a call, and since when.
    left: HashMap<String, (u64, Timestamp)>,
}

impl Buckets {
    /// Takes one call of an account, if there is one left.
    pub(super) fn take(&mut self, login: &str, limit: Limit, now: Timestamp) -> Result<(), Refusal> {
        let full = u64::from(limit.burst) * 1000;
        let (left, since) = self.left.get(login).copied().unwrap_or((full, now));
        let passed = u64::try_from(now.since(since).as_millis()).unwrap_or(u64::MAX);
        let left = left.saturating_add(passed.saturating_mul(u64::from(limit.per_second))).min(full);
        if 1000 <= left {
            self.left.insert(login.to_owned(), (left - 1000, now));
            return Ok(());
        }
        self.left.insert(login.to_owned(), (left, now));
        let text = format!("You have exceeded your request rate of {} r/s.", limit.per_second);
        let refused = refuse(429, "TooManyRequestsError", &text);
        match limit.retry_after {
            None => refused,
            Some(wait) => refused
                .map_err(|refusal: Refusal| refusal.with_header("retry-after", wait.as_secs().to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_by_calls_and_fills_by_time() {
        let mut buckets = Buckets::default();
        let limit = Limit::new(2, 10);
        let mut takes = |millis| buckets.take("ops", limit, Timestamp::from_millis(millis)).is_ok();
        assert_eq!(
            [takes(0), takes(0), takes(0), takes(99), takes(100), takes(101)],
            [true, true, false, false, true, false]
        );
        assert_eq!([takes(900_000), takes(900_000), takes(900_000)], [true, true, false]);
    }
}
