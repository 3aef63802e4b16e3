//! What a check found: fine, doubtful or wrong, and what to do about it.

use comfy_table::Table;
use serde::Serialize;

use crate::output::{or_dash, table};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// Fine, or nothing that could be looked at.
    Ok,
    /// It works, and somebody should know something about it.
    Warn,
    /// It does not work.
    Fail,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        })
    }
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// How it ended.
    pub(crate) verdict: Verdict,
    /// What was looked at.
    pub(crate) what: String,
    /// What was seen.
    pub(crate) found: String,
    /// What to do next.
    pub(crate) advice: Option<String>,
}

impl Finding {
    pub(crate) fn ok(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ok, what: what.into(), found: found.into(), advice: None }
    }

    pub(crate) fn warn(what: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { verdict: Verdict::Warn, advice: Some(advice.into()), ..Self::ok(what, found) }
    }

    pub(crate) fn fail(what: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fail, advice: Some(advice.into()), ..Self::ok(what, found) }
    }
}

/// What several checks found, in their order.
#[derive(Debug, Serialize)]
pub(crate) struct Findings {
    findings: Vec<Finding>,
}

impl From<Vec<Finding>> for Findings {
    fn from(findings: Vec<Finding>) -> Self {
        Self { findings }
    }
}

impl Findings {
    /// Returns whether something does not work.
    pub(crate) fn has_failed(&self) -> bool {
        self.findings.iter().any(|finding| finding.verdict == Verdict::Fail)
    }
}

/// Makes the table of what was found; what to do about it stands below what it is about.
pub(crate) fn findings(findings: &Findings) -> Table {
    let mut table = table(&["verdict", "check", "found"]);
    for finding in &findings.findings {
        let Finding { verdict, what, found, advice } = finding;
        let mut lines = found.lines();
        table.add_row([verdict.to_string(), what.clone(), or_dash(lines.next())]);
        for line in lines {
            table.add_row(["", "", line]);
        }
        if let Some(advice) = advice {
            table.add_row([String::new(), String::new(), format!("→ {advice}")]);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_stands_below_what_was_found() {
        let found = Findings::from(vec![
            Finding::ok("disk", "1 ms"),
            Finding::fail("files", "12 at most\nof 20", "raise the limit"),
        ]);
        let shown = findings(&found).trim_fmt();
        let lines: Vec<&str> = shown.lines().map(str::trim).collect();
        assert_eq!(lines.len(), 5, "{shown}");
        assert!(lines[2].starts_with("fail") && lines[2].ends_with("12 at most"), "{shown}");
        assert_eq!((lines[3], lines[4]), ("of 20", "→ raise the limit"));
        assert!(found.has_failed() && !Findings::from(vec![Finding::ok("disk", "1 ms")]).has_failed());
    }
}
