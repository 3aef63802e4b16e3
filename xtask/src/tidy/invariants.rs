//! The rules and tests that the architecture names exist.

use super::{Finding, RULES, Rule};
use crate::tree::Tree;

pub(super) const RULE: Rule = Rule {
    name: "held-by",
    demands: "the tests that docs/architecture.md names after `Held by:` exist",
    check,
    #[cfg(test)]
    sample: || Tree::of(DOCUMENT, "1. Nothing leaks.\n   Held by: `no_such_test`.\n"),
};

const DOCUMENT: &str = "docs/architecture.md";
const MARK: &str = "Held by:";

fn check(tree: &Tree) -> Vec<Finding> {
    let Some(document) = tree.file(DOCUMENT) else { return Vec::new() };
    let mut findings = Vec::new();
    for (number, line) in document.lines() {
        let Some((_, names)) = line.split_once(MARK) else { continue };
        for name in names.split('`').skip(1).step_by(2).filter(|name| is_test_name(name)) {
            if !is_rule(name) && !exists(tree, name) {
                findings.push(Finding::line(DOCUMENT, number, format!("no test is called {name}")));
            }
        }
    }
    findings
}

/// Tells whether a quoted word is the name of a function, not of a command, a lint or a file.
fn is_test_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn is_rule(name: &str) -> bool {
    RULES.iter().any(|rule| rule.name == name)
}

fn exists(tree: &Tree, name: &str) -> bool {
    let start = format!("fn {name}");
    let defines = |text: &str| {
        text.match_indices(&start).any(|(at, _)| text[at + start.len()..].starts_with(['(', '<']))
    };
    tree.rust().any(|file| defines(&file.text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::SourceFile;

    #[test]
    fn a_test_is_found_by_its_whole_name() {
        let mut tree = Tree::of(DOCUMENT, "Held by: `a_lost_answer` and `clippy::disallowed_methods`.\n");
        let test =
            |name: &str| SourceFile { path: "tests/src/lib.rs".into(), text: format!("fn {name}() {{}}") };
        tree.files.push(test("a_lost_answer_makes_no_second_vm"));
        assert_eq!(check(&tree).len(), 1);
        tree.files.push(test("a_lost_answer"));
        assert_eq!(check(&tree), []);
    }
}
