//! Each threat names the tests that show what becomes of it, and they exist.

use super::{Finding, Rule, invariants};
use crate::tree::Tree;

pub(super) const RULE: Rule = Rule {
    name: "threats",
    demands: "each row of a threat in docs/security.md names a test, and all tests named there exist",
    check,
    #[cfg(test)]
    sample: || Tree::of(DOCUMENT, "| T1 | a thief | is seen | `no_such_test` |\n"),
};

const DOCUMENT: &str = "docs/security.md";

fn check(tree: &Tree) -> Vec<Finding> {
    let Some(document) = tree.file(DOCUMENT) else { return Vec::new() };
    let mut findings = Vec::new();
    let rows = document.lines().filter(|(_, text)| is_threat(text));
    for (line, text) in rows {
        // The last cell but for what is behind its bar.
        let cell = text.rsplit('|').nth(1).unwrap_or_default();
        let mut names = cell.split('`').skip(1).step_by(2).peekable();
        if names.peek().is_none() {
            findings.push(Finding::line(DOCUMENT, line, "the threat names no test"));
        }
        for name in names.filter(|name| !invariants::exists(tree, name)) {
            findings.push(Finding::line(DOCUMENT, line, format!("no test is called {name}")));
        }
    }
    findings
}

fn is_threat(text: &str) -> bool {
    let number = text.strip_prefix("| T").and_then(|rest| rest.split(' ').next());
    number.is_some_and(|number| number.parse::<u32>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::SourceFile;

    #[test]
    fn a_threat_without_a_test_and_one_with_a_test_that_is_not_there_are_found() {
        let rows =
            "| T1 | a | b | `holds` |\n| T2 | a | b | - |\n| T3 | a | b | `holds`, `held` |\n| # | x |\n";
        let mut tree = Tree::of(DOCUMENT, rows.to_owned());
        tree.files.push(SourceFile { path: "tests/src/lib.rs".into(), text: "fn holds() {}\n".to_owned() });
        let found: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].contains("names no test") && found[1].contains("no test is called held"),
            "{found:?}"
        );
    }
}
