//! The rules of the tree that neither the compiler nor clippy can hold.
//!
//! A rule is a function from a [`Tree`] to findings, so a test can feed it a sample.
//! Each rule carries a sample that violates it: a rule that cannot fail fails the tests.
//! That generated files are fresh is the one rule that lives elsewhere, in [`crate::codegen`].

mod banned;
mod exceptions;
mod fail_points;
mod failure_modes;
mod fences;
mod forwarding;
mod invariants;
mod length;
mod manifests;
mod module_docs;
mod no_unsafe;
mod paths;
mod pure;
mod reach;
mod security;
mod tables;
mod workflow;

use std::fmt;

use crate::codegen;
use crate::console::say;
use crate::error::Error;
use crate::tree::Tree;

/// All rules.
const RULES: &[&Rule] = &[
    &manifests::EDGES,
    &manifests::MANIFESTS,
    &reach::RULE,
    &length::RULE,
    &module_docs::RULE,
    &banned::RULE,
    &no_unsafe::RULE,
    &fences::RULE,
    &paths::RULE,
    &pure::RULE,
    &forwarding::RULE,
    &tables::RULE,
    &invariants::RULE,
    &failure_modes::RULE,
    &security::RULE,
    &fail_points::RULE,
    &workflow::RULE,
];

/// One rule of the tree.
struct Rule {
    /// One word or two, with hyphens; exceptions name it.
    name: &'static str,
    /// What it demands.
    demands: &'static str,
    /// Finds what violates it.
    check: fn(&Tree) -> Vec<Finding>,
    /// A tree that violates it.
    #[cfg(test)]
    sample: fn() -> Tree,
}

/// A place that violates a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    line: Option<usize>,
    what: String,
}

impl Finding {
    /// A finding about a file as a whole.
    fn file(path: &str, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: None, what: what.into() }
    }

    /// A finding about a line.
    fn line(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: Some(line), what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.what),
            None => write!(f, "{}: {}", self.path, self.what),
        }
    }
}

/// Checks the tree and prints what violates a rule; with `fix`, rewrites the generated tables first.
pub(crate) fn run(fix: bool) -> Result<(), Error> {
    if fix {
        tables::fix(&Tree::read()?)?;
    }
    let tree = Tree::read()?;
    let mut findings = violations(&tree);
    if let Err(err) = codegen::run(true) {
        findings.push(("generated", Finding::file("xtask/tables", err.to_string())));
    }
    for (rule, finding) in &findings {
        say(&format!("{finding} [{rule}]"));
    }
    for rule in RULES.iter().filter(|rule| findings.iter().any(|(name, _)| name == &rule.name)) {
        say(&format!("[{}] demands: {}", rule.name, rule.demands));
    }
    say(&invariants::summary(&tree));
    say(&length::summary(&tree));
    say(&format!("{} rules over {} files, {} violations", RULES.len(), tree.files.len(), findings.len()));
    if findings.is_empty() { Ok(()) } else { Err(Error::Untidy(findings.len())) }
}

/// Returns what violates a rule and is no exception, and the exceptions that nothing needs.
fn violations(tree: &Tree) -> Vec<(&'static str, Finding)> {
    let found =
        RULES.iter().flat_map(|rule| (rule.check)(tree).into_iter().map(|finding| (rule.name, finding)));
    exceptions::apply(exceptions::ALL, found.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let found = violations(&Tree::read().unwrap());
        let lines: Vec<String> = found.iter().map(|(rule, finding)| format!("{finding} [{rule}]")).collect();
        assert!(lines.is_empty(), "run `cargo xtask tidy`:\n{}", lines.join("\n"));
    }

    #[test]
    fn each_rule_finds_its_sample() {
        for rule in RULES {
            let found = (rule.check)(&(rule.sample)());
            assert!(!found.is_empty(), "the sample of the rule {} passes", rule.name);
        }
    }

    #[test]
    fn each_rule_has_a_name_of_its_own() {
        let mut names: Vec<_> = RULES.iter().map(|rule| rule.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RULES.len());
    }
}
