//! Each invariant of the architecture says which rules and tests hold it, and they exist.

use super::{Finding, RULES, Rule};
use crate::tree::{SourceFile, Tree};

pub(super) const RULE: Rule = Rule {
    name: "held-by",
    demands: "each invariant in docs/architecture.md has a line `Held by:`, and the rules and tests named there exist",
    check,
    #[cfg(test)]
    sample: || Tree::of(DOCUMENT, "## Invariants\n\n1. Nothing leaks.\n   Held by: `no_such_test`.\n"),
};

const DOCUMENT: &str = "docs/architecture.md";
const HEADING: &str = "## Invariants";
const MARK: &str = "Held by:";
/// Stands for the test that is not written yet.
const NONE_YET: char = '—';

/// An item of the list of invariants.
struct Invariant<'a> {
    number: &'a str,
    line: usize,
    held_by: Option<(usize, &'a str)>,
}

fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for invariant in tree.file(DOCUMENT).map(invariants).unwrap_or_default() {
        let Invariant { number, line, held_by } = invariant;
        let Some((line, names)) = held_by else {
            findings.push(Finding::line(DOCUMENT, line, format!("invariant {number} has no line `{MARK}`")));
            continue;
        };
        for name in names.split('`').skip(1).step_by(2).filter(|name| is_function_name(name)) {
            if !is_rule(name) && !exists(tree, name) {
                findings.push(Finding::line(DOCUMENT, line, format!("no test is called {name}")));
            }
        }
    }
    findings
}

/// Tells which invariants are not shown by all the tests that they need.
pub(super) fn summary(tree: &Tree) -> String {
    let invariants = tree.file(DOCUMENT).map(invariants).unwrap_or_default();
    let open = invariants
        .iter()
        .filter(|invariant| invariant.held_by.is_none_or(|(_, names)| names.contains(NONE_YET)));
    let open: Vec<&str> = open.map(|invariant| invariant.number).collect();
    if open.is_empty() {
        return format!("all {} invariants name what holds them", invariants.len());
    }
    format!("of {} invariants these lack a test: {}", invariants.len(), open.join(", "))
}

/// Reads the items of the list under the heading.
fn invariants(document: &SourceFile) -> Vec<Invariant<'_>> {
    let mut found: Vec<Invariant<'_>> = Vec::new();
    let section = document.lines().skip_while(|(_, line)| *line != HEADING).skip(1);
    for (line, text) in section.take_while(|(_, line)| !line.starts_with("## ")) {
        let number = text.split_once(". ").map(|(number, _)| number);
        if let Some(number) = number.filter(|number| number.parse::<u32>().is_ok()) {
            found.push(Invariant { number, line, held_by: None });
        }
        if let (Some(last), Some((_, names))) = (found.last_mut(), text.split_once(MARK)) {
            last.held_by = Some((line, names));
        }
    }
    found
}

/// Tells whether a quoted word is the name of a function, not of a command, a lint or a file.
fn is_function_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn is_rule(name: &str) -> bool {
    RULES.iter().any(|rule| rule.name == name)
}

/// Tells whether a function of this name is written anywhere.
pub(super) fn exists(tree: &Tree, name: &str) -> bool {
    let start = format!("fn {name}");
    let defines = |text: &str| {
        text.match_indices(&start).any(|(at, _)| text[at + start.len()..].starts_with(['(', '<']))
    };
    tree.rust().any(|file| defines(&file.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(items: &str) -> Tree {
        Tree::of(
            DOCUMENT,
            format!("# Architecture\n\n## Invariants\n\n{items}\n## Flow\n\n1. No invariant.\n"),
        )
    }

    #[test]
    fn a_test_is_found_by_its_whole_name() {
        let mut tree =
            document("1. Nothing leaks.\n   Held by: `a_lost_answer` and `clippy::disallowed_methods`.\n");
        let test =
            |name: &str| SourceFile { path: "tests/src/lib.rs".into(), text: format!("fn {name}() {{}}") };
        tree.files.push(test("a_lost_answer_makes_no_second_vm"));
        assert_eq!(check(&tree).len(), 1);
        tree.files.push(test("a_lost_answer"));
        assert_eq!(check(&tree), []);
    }

    #[test]
    fn an_invariant_without_a_line_is_found() {
        let found =
            check(&document("1. Nothing leaks.\n   Held by: the rule `pure`.\n2. Nothing is lost.\n"));
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().contains("invariant 2 has no line"), "{}", found[0]);
    }

    #[test]
    fn the_summary_names_what_lacks_a_test() {
        let tree =
            document("1. Nothing leaks.\n   Held by: the rule `pure`.\n2. Nothing is lost.\n   Held by: —\n");
        assert_eq!(summary(&tree), "of 2 invariants these lack a test: 2");
    }
}
