//! What long work is doing, in one line on a terminal that is written over and taken away at the end.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::Duration,
};

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use vmpool_api::duration;

/// How long work is not long, and nothing is shown.
const SHORT: Duration = Duration::from_secs(1);

/// How often a line about work that does not wait changes.
const OFTEN: Duration = Duration::from_millis(200);

/// What turns while something is waited for.
const WHEEL: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// A line about long work; nothing at all where nobody sits at a terminal, or wants it quiet.
#[derive(Debug)]
pub(crate) struct Progress {
    is_shown: bool,
    began: Instant,
    turns: usize,
    is_drawn: bool,
    drawn_at: Instant,
}

impl Progress {
    /// Begins to measure the time.
    pub(crate) fn begin(is_quiet: bool) -> Self {
        let is_shown = !is_quiet && io::stderr().is_terminal();
        let now = Instant::now();
        Self { is_shown, began: now, turns: 0, is_drawn: false, drawn_at: now }
    }

    /// Returns whether anybody sees it, so that it is worth asking what goes on.
    pub(crate) fn is_shown(&self) -> bool {
        self.is_shown
    }

    /// Returns what ticks once a second, and first when the work has become long.
    pub(crate) fn ticks(&self) -> Interval {
        let mut ticks = interval_at(self.began + SHORT, Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    }

    /// Says what is waited for.
    pub(crate) fn show(&mut self, text: &str) {
        if !self.is_shown {
            return;
        }
        let line = line(self.turns, text, self.began.elapsed());
        self.turns += 1;
        self.is_drawn = true;
        let mut err = io::stderr().lock();
        // Whoever closed standard error does not want to know.
        let _ = write!(err, "\r\u{1b}[K{line}").and_then(|()| err.flush());
    }

    /// Says how far work has come that does not wait, not too often and only once it has become long.
    pub(crate) fn now_and_then(&mut self, text: impl FnOnce() -> String) {
        if self.is_shown && SHORT <= self.began.elapsed() && OFTEN <= self.drawn_at.elapsed() {
            self.drawn_at = Instant::now();
            self.show(&text());
        }
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        if self.is_drawn {
            self.is_drawn = false;
            let mut err = io::stderr().lock();
            let _ = write!(err, "\r\u{1b}[K").and_then(|()| err.flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Makes the line; one that does not fit would not be written over.
fn line(turn: usize, text: &str, elapsed: Duration) -> String {
    let width =
        rustix::termios::tcgetwinsize(io::stderr()).map_or(80, |size| usize::from(size.ws_col)).max(20);
    let wheel = WHEEL.get(turn % WHEEL.len()).copied().unwrap_or('.');
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = format!("{wheel} {} {text}", duration::format(Duration::from_secs(elapsed.as_secs())));
    match width <= line.chars().count() {
        true => line.chars().take(width.saturating_sub(2)).chain(['…']).collect(),
        false => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_turns_and_stays_one_line() {
        assert_eq!(line(0, "waiting\nfor a VM", Duration::from_millis(2500)), "⠋ 2s waiting for a VM");
        assert!(line(1, "x", Duration::ZERO).starts_with('⠙'));
        let long = line(0, &"x".repeat(10_000), Duration::ZERO);
        assert!(long.ends_with('…') && long.chars().count() < 10_000);
    }

    #[test]
    fn nothing_is_shown_where_nobody_sits() {
        assert!(!Progress::begin(true).is_shown());
    }
}
