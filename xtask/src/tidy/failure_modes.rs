//! Each failure mode names the tests that show its guarantee, and they exist.

use super::{Finding, Rule, invariants};
use crate::tree::Tree;

pub(super) const RULE: Rule = Rule {
    name: "failure-modes",
    demands: "docs/failure-modes.md has a row for each of F1 to F19, which names a test `fN_…`, and all tests named there exist",
    check,
    #[cfg(test)]
    sample: || Tree::of(DOCUMENT, "| F1 | a crash | nothing leaks | `f1_no_such_test` |\n"),
};

const DOCUMENT: &str = "docs/failure-modes.md";
const LAST: u32 = 19;

fn check(tree: &Tree) -> Vec<Finding> {
    let Some(document) = tree.file(DOCUMENT) else { return Vec::new() };
    let mut findings = Vec::new();
    for (line, text) in document.lines() {
        let names = text.split('`').skip(1).step_by(2).filter(|name| name.contains('_'));
        // What has no underscore after its first word is a key of a configuration.
        let tests = names.filter(|name| name.starts_with('f') || name.starts_with("whatever"));
        for name in tests.filter(|name| !invariants::exists(tree, name)) {
            findings.push(Finding::line(DOCUMENT, line, format!("no test is called {name}")));
        }
    }
    for number in 1..=LAST {
        let row = document.lines().find(|(_, text)| text.starts_with(&format!("| F{number} |")));
        let is_shown = row.is_some_and(|(_, text)| text.contains(&format!("`f{number}_")));
        if !is_shown {
            findings.push(Finding::file(DOCUMENT, format!("F{number} names no test `f{number}_…`")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::SourceFile;

    fn tree(rows: impl Iterator<Item = u32>) -> Tree {
        let rows = rows.map(|number| format!("| F{number} | a | b | `f{number}_holds` |\n"));
        let mut tree = Tree::of(DOCUMENT, rows.collect::<String>());
        let tests = (1..=LAST).map(|number| format!("fn f{number}_holds() {{}}\n")).collect();
        tree.files.push(SourceFile { path: "tests/src/lib.rs".into(), text: tests });
        tree
    }

    #[test]
    fn a_failure_mode_without_a_test_is_found() {
        assert_eq!(check(&tree(1..=LAST)), []);
        let found = check(&tree((1..=LAST).filter(|number| *number != 7)));
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().contains("F7 names no test"), "{}", found[0]);
    }

    #[test]
    fn a_test_that_does_not_exist_is_found() {
        let mut tree = tree(1..=LAST);
        tree.files[1].text = tree.files[1].text.replace("fn f3_holds", "fn f3_held");
        assert_eq!(check(&tree).len(), 1);
    }
}
