//! What is shown: lines of text that fit, and which pool is chosen.

use jiff::Timestamp;
use vmpool_api::{Pool, Request};
use vmpool_client::ClientError;

use super::Moment;
use crate::{render, style};

/// How wide the bar of a pool is.
const BAR: usize = 20;

/// What is shown, and how.
#[derive(Debug)]
pub(super) struct View {
    url: String,
    moment: Moment,
    problem: Option<String>,
    chosen: usize,
    is_open: bool,
    is_paused: bool,
}

impl View {
    pub(super) fn new(url: &str) -> Self {
        let (moment, url) = (Moment::default(), url.to_owned());
        Self { url, moment, problem: None, chosen: 0, is_open: false, is_paused: false }
    }

    /// Takes what the daemon says; if it says nothing, what it said last stays, and why.
    pub(super) fn take(&mut self, looked: Result<Moment, ClientError>) {
        match looked {
            Ok(moment) => (self.moment, self.problem) = (moment, None),
            Err(err) => self.problem = Some(err.to_string()),
        }
        self.chosen = self.chosen.min(self.moment.pools.len().saturating_sub(1));
    }

    pub(super) fn is_paused(&self) -> bool {
        self.is_paused
    }

    pub(super) fn pause(&mut self) {
        self.is_paused = !self.is_paused;
    }

    pub(super) fn up(&mut self) {
        self.chosen = self.chosen.saturating_sub(1);
    }

    pub(super) fn down(&mut self) {
        self.chosen = (self.chosen + 1).min(self.moment.pools.len().saturating_sub(1));
    }

    pub(super) fn open(&mut self) {
        self.is_open = true;
    }

    pub(super) fn back(&mut self) {
        self.is_open = false;
    }

    /// Returns everything, for where there is no terminal.
    pub(super) fn page(mut self, moment: &Moment) -> String {
        let Moment { pools, waiting, events } = moment;
        self.moment = Moment { pools: pools.clone(), waiting: waiting.clone(), events: events.clone() };
        // Nothing is chosen there.
        self.chosen = usize::MAX;
        let height = pools.len() + waiting.len() + events.len() + 10;
        self.lines(usize::MAX, height).join("\n")
    }

    /// Returns lines that fit into so many columns and rows.
    pub(super) fn lines(&self, width: usize, height: usize) -> Vec<String> {
        let mut lines = vec![self.head()];
        if let Some(problem) = &self.problem {
            lines.push(format!("warning: {problem}"));
        }
        lines.push(String::new());
        match self.moment.pools.get(self.chosen).filter(|_| self.is_open) {
            Some(pool) => lines.extend(render::pool(pool).trim_fmt().lines().map(str::to_owned)),
            None => lines.extend(self.pools(height)),
        }
        let waiting: Vec<String> = self.moment.waiting.iter().map(waits).collect();
        let left = height.saturating_sub(lines.len() + 3);
        lines.extend(section("WAITING", waiting.iter().take(left / 2)));
        let left = height.saturating_sub(lines.len() + 2);
        let events = self.moment.events.iter().map(render::event).collect::<Vec<_>>();
        lines.extend(section("EVENTS", events.iter().skip(events.len().saturating_sub(left))));
        lines.truncate(height);
        let lines = lines.into_iter().map(|line| fitting(&line, width));
        match style::on_stdout() {
            true => lines.map(|line| style::message(&style::table(&line))).collect(),
            false => lines.collect(),
        }
    }

    fn head(&self) -> String {
        let sum = |count: &dyn Fn(&Pool) -> u32| self.moment.pools.iter().map(count).sum::<u32>();
        let keys = match (self.chosen, self.is_paused) {
            // Nobody presses a key there.
            (usize::MAX, _) => "",
            (_, true) => "  paused  q quit, p go on, arrows choose, enter opens",
            (_, false) => "  q quit, p pause, arrows choose, enter opens",
        };
        format!(
            "vmpool {}  {} VMs, {} ready, {} in use, {} wait{keys}",
            self.url,
            sum(&Pool::total),
            sum(&|pool| pool.count("ready")),
            sum(&|pool| pool.count("in_use")),
            self.moment.waiting.len(),
        )
    }

    fn pools(&self, height: usize) -> Vec<String> {
        let name = self.moment.pools.iter().map(|pool| pool.name.len()).max().unwrap_or(0).max(4);
        let mut lines = vec![format!(
            "  {:name$}  {:BAR$}  {:>5} {:>6} {:>5} {:>5} {:>5}  NOTE",
            "POOL", "VMS", "READY", "IN USE", "TOTAL", "MAX", "WAIT"
        )];
        // The chosen one stays in sight.
        let room = (height / 2).max(3);
        let first = if self.chosen == usize::MAX { 0 } else { (self.chosen + 1).saturating_sub(room) };
        for (index, pool) in
            self.moment.pools.iter().enumerate().skip(first).take(if self.chosen == usize::MAX {
                usize::MAX
            } else {
                room
            })
        {
            let mark = if index == self.chosen { '>' } else { ' ' };
            let limit = pool.limits.first().map(|limit| limit.text.clone());
            let drain = pool.drain.as_ref().map(|drain| format!("drained: {}", drain.reason));
            let note = drain.or_else(|| pool.problem.clone()).or(limit).unwrap_or_default();
            lines.push(format!(
                "{mark} {:name$}  {}  {:>5} {:>6} {:>5} {:>5} {:>5}  {note}",
                pool.name,
                bar(pool),
                pool.count("ready"),
                pool.count("in_use"),
                pool.total(),
                pool.max_total,
                pool.waiting
            ));
        }
        lines
    }
}

/// Draws the VMs of a pool: `#` in use, `=` ready, `-` on the way, `.` room.
fn bar(pool: &Pool) -> String {
    let whole = u64::from(pool.max_total.max(pool.total()).max(1));
    let share = |count: u32| {
        // One VM of many is to be seen.
        let cells = (u64::from(count) * BAR as u64).div_ceil(whole);
        usize::try_from(cells).unwrap_or(BAR)
    };
    let (used, ready) = (pool.count("in_use"), pool.count("ready"));
    let other = pool.total().saturating_sub(used.saturating_add(ready));
    let cells = "#".repeat(share(used)) + &"=".repeat(share(ready)) + &"-".repeat(share(other));
    let cells: String = cells.chars().take(BAR).collect();
    format!("{cells:.<BAR$}")
}

fn waits(request: &Request) -> String {
    let pools = if request.pools.is_empty() { request.labels.join(" ") } else { request.pools.join(",") };
    let since = Timestamp::now().duration_since(request.submitted_at).as_secs().max(0);
    let why = request.limit.as_ref().map(|limit| limit.text.as_str()).unwrap_or_default();
    format!("  {since:>6} s  {:<12}  {:<20}  {why}", request.owner, format!("{} of {pools}", request.count))
}

fn section<'a>(title: &str, lines: impl Iterator<Item = &'a String>) -> Vec<String> {
    let lines: Vec<String> = lines.cloned().collect();
    match lines.is_empty() {
        true => Vec::new(),
        false => [vec![String::new(), title.to_owned()], lines].concat(),
    }
}

/// Cuts a line to the width; what a terminal would act on is taken out.
fn fitting(line: &str, width: usize) -> String {
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(width).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(name: &str, ready: u32, in_use: u32) -> Pool {
        let json = format!(
            r#"{{"name": "{name}", "provider": "lab", "template": "small", "counts": {{"ready": {ready}, "in_use": {in_use}}},
            "size": 4, "max_total": 20, "min_ready": 0, "problem": "a\u001b[2Jb"}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn view(count: usize) -> View {
        let mut view = View::new("http://127.0.0.1:7717");
        let pools = (0..count).map(|number| pool(&format!("pool-{number}"), 2, 1)).collect();
        view.take(Ok(Moment { pools, ..Moment::default() }));
        view
    }

    #[test]
    fn a_bar_shows_each_kind_of_vm_and_is_as_wide_as_every_other() {
        assert_eq!(bar(&pool("a", 4, 6)), "######====..........");
        assert_eq!(bar(&pool("a", 0, 0)), ".".repeat(20));
        let full = bar(&pool("a", 900, 900));
        assert_eq!(full.len(), BAR);
    }

    #[test]
    fn what_is_drawn_fits_whatever_the_terminal() {
        for (width, height) in [(80, 24), (20, 5), (1, 1), (300, 100)] {
            let lines = view(50).lines(width, height);
            assert!(lines.len() <= height, "{height}");
            assert!(lines.iter().all(|line| line.chars().count() <= width), "{width}");
            assert!(lines.iter().all(|line| !line.contains('\u{1b}')), "what others wrote moves no cursor");
        }
    }

    #[test]
    fn the_chosen_pool_stays_in_sight_and_can_be_opened() {
        let mut view = view(50);
        (0..70).for_each(|_| view.down());
        let lines = view.lines(200, 24);
        assert!(lines.iter().any(|line| line.starts_with("> pool-49 ")), "{lines:?}");
        view.open();
        assert!(view.lines(200, 60).iter().any(|line| line.contains("max total")));
        view.back();
        view.up();
        assert!(view.lines(200, 24).iter().any(|line| line.starts_with("> pool-48 ")));
    }

    #[test]
    fn without_a_terminal_every_pool_is_printed_once() {
        let moment = Moment {
            pools: (0..50).map(|n| pool(&format!("pool-{n}"), 1, 0)).collect(),
            ..Moment::default()
        };
        let page = View::new("http://x").page(&moment);
        assert_eq!(page.lines().filter(|line| line.trim_start().starts_with("pool-")).count(), 50, "{page}");
    }
}
