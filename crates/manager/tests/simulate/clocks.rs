//! Wall clocks: each manager reads another one at its start, and it may be a year off.

use vmpool_manager::{SystemClock, model::Timestamp};

use crate::scenario::seconds;

/// The time at which a life begins.
pub(crate) fn begin() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// Makes the clock of a manager that starts `days` before or after the right time.
pub(crate) fn off_by(right: &SystemClock, days: i64) -> SystemClock {
    use vmpool_manager::Clock;
    let shift = seconds(days.unsigned_abs() * 86_400);
    let now = right.now();
    let now = if days < 0 {
        Timestamp::from_millis(now.as_millis() - i64::try_from(shift.as_millis()).unwrap())
    } else {
        now + shift
    };
    SystemClock::anchored_at(now)
}
