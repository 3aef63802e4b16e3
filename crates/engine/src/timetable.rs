//! Times of the week at which more VMs are kept ready, in UTC.

use vmpool_model::{
    Timestamp,
    config::{Day, ScheduleConfig},
};

const DAYS: [Day; 7] = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun];
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60;

/// Returns how many VMs are to be kept ready at a time; 0 if no entry says.
pub(crate) fn scheduled(schedule: &[ScheduleConfig], now: Timestamp) -> u32 {
    let minute = now.as_millis().div_euclid(MINUTE);
    let today = minute.div_euclid(DAY);
    let is_now = |entry: &&ScheduleConfig| {
        // One that began yesterday may end today.
        let mut begun = [today - 1, today].into_iter().filter_map(|day| span(entry, day));
        begun.any(|(from, to)| from <= minute && minute < to)
    };
    schedule.iter().filter(is_now).map(|entry| entry.min_ready).max().unwrap_or_default()
}

/// Returns when an entry begins or ends next.
pub(crate) fn next_change(schedule: &[ScheduleConfig], now: Timestamp) -> Option<Timestamp> {
    let today = now.as_millis().div_euclid(MINUTE * DAY);
    let spans = schedule.iter().flat_map(|entry| (today - 1..=today + 7).filter_map(|day| span(entry, day)));
    let turns = spans.flat_map(|(from, to)| [from, to]);
    let turns = turns.map(|minute| Timestamp::from_millis(minute.saturating_mul(MINUTE)));
    turns.filter(|turn| now < *turn).min()
}

/// Returns from which minute to which an entry lasts that begins on a day, both counted from 1970; `None` if it does not.
fn span(entry: &ScheduleConfig, day: i64) -> Option<(i64, i64)> {
    if !entry.days.is_empty() && !entry.days.contains(&weekday(day)) {
        return None;
    }
    let (from, to) = (i64::from(entry.from.minutes()), i64::from(entry.to.minutes()));
    let next_day = if to < from { DAY } else { 0 };
    Some((day * DAY + from, day * DAY + to + next_day))
}

fn weekday(day: i64) -> Day {
    // The first of January 1970 was a Thursday.
    let index = usize::try_from((day + 3).rem_euclid(7)).unwrap_or_default();
    DAYS[index]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn schedule(json: &str) -> Vec<ScheduleConfig> {
        serde_json::from_str(json).unwrap()
    }

    /// 2026-07-03 is a Friday.
    const FRIDAY_NIGHT: &str = r#"[{"days": ["fri"], "from": "22:00", "to": "06:30", "min_ready": 4}]"#;
    const OFFICE: &str = r#"[
        {"from": "08:00", "to": "18:00", "min_ready": 2},
        {"days": ["mon", "sun"], "from": "09:00", "to": "10:00", "min_ready": 5}
    ]"#;

    #[test]
    fn the_larger_of_two_that_hold_counts() {
        let office = schedule(OFFICE);
        // A Sunday, a Monday, a Tuesday.
        for (day, most) in [("2026-07-05", 5), ("2026-07-06", 5), ("2026-07-07", 2)] {
            let counts = ["07:59:59.999", "08:00:00", "09:59:00", "10:00:00", "17:59:59", "18:00:00"]
                .map(|time| scheduled(&office, at(&format!("{day}T{time}Z"))));
            assert_eq!(counts, [0, 2, most, 2, 2, 0], "{day}");
        }
    }

    #[test]
    fn what_ends_before_it_begins_ends_on_the_next_day() {
        let night = schedule(FRIDAY_NIGHT);
        let times = ["02T23:00", "03T05:00", "03T21:59", "03T22:00", "04T06:29", "04T06:30", "04T23:00"];
        let counts = times.map(|time| scheduled(&night, at(&format!("2026-07-{time}:00Z"))));
        assert_eq!(counts, [0, 0, 0, 4, 4, 0, 0]);
    }

    #[test]
    fn the_next_change_is_told_over_midnight_and_over_the_week() {
        let night = schedule(FRIDAY_NIGHT);
        let (begins, ends) = (at("2026-07-03T22:00:00Z"), at("2026-07-04T06:30:00Z"));
        assert_eq!(next_change(&night, at("2026-07-02T12:00:00Z")), Some(begins));
        assert_eq!(next_change(&night, begins), Some(ends));
        assert_eq!(next_change(&night, at("2026-07-04T00:00:00Z")), Some(ends));
        assert_eq!(next_change(&night, ends), Some(at("2026-07-10T22:00:00Z")));
        assert_eq!(next_change(&[], ends), None);
    }

    #[test]
    fn what_ends_when_it_begins_never_holds() {
        let never = schedule(r#"[{"from": "08:00", "to": "08:00", "min_ready": 4}]"#);
        let counts =
            ["07:59", "08:00", "20:00"].map(|time| scheduled(&never, at(&format!("2026-07-03T{time}:00Z"))));
        assert_eq!(counts, [0; 3]);
    }

    #[test]
    fn the_days_before_1970_have_their_weekdays_too() {
        assert_eq!(
            [weekday(-4), weekday(-1), weekday(0), weekday(4)],
            [Day::Sun, Day::Wed, Day::Thu, Day::Mon]
        );
    }

    #[test]
    fn what_began_today_begins_again_in_a_week() {
        let weekly = schedule(r#"[{"days": ["fri"], "from": "10:00", "to": "11:00", "min_ready": 1}]"#);
        let next = next_change(&weekly, at("1970-01-02T12:00:00Z"));
        assert_eq!(
            next,
            Some(at("1970-01-09T10:00:00Z")),
            "the first Friday of 1970 was the second of January"
        );
    }
}
