//! A wrapper of a driver forwards every method: a default taken by accident would hide what the driver can do.

use super::{Finding, Rule};
use crate::tree::{SourceFile, Tree};

pub(super) const RULE: Rule = Rule {
    name: "forwarding",
    demands: "each `impl Driver` in layers and testkit is under `#[deny(clippy::missing_trait_methods)]`",
    check,
    #[cfg(test)]
    sample: || Tree::of("crates/layers/src/retry.rs", "#[async_trait]\nimpl Driver for Retry {\n"),
};

/// The sources whose drivers are wrappers.
const WRAPPERS: [&str; 2] = ["crates/layers/src/", "crates/testkit/src/"];

/// The lint that finds a method which is not forwarded.
const LINT: &str = "clippy::missing_trait_methods";

fn check(tree: &Tree) -> Vec<Finding> {
    let wrappers = tree.rust().filter(|file| WRAPPERS.iter().any(|folder| file.path.starts_with(folder)));
    wrappers.flat_map(check_file).collect()
}

fn check_file(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut denied = file.text.contains(&format!("#![deny({LINT}"));
    let whole_file = denied;
    for (number, line) in file.code_lines().take_while(|(_, line)| line.trim() != "#[cfg(test)]") {
        let line = line.trim_start();
        if line.starts_with("#[deny(") && line.contains(LINT) {
            denied = true;
        }
        if line.starts_with("impl") && line.contains(" Driver for ") && !denied {
            findings.push(Finding::line(&file.path, number, format!("the wrapper does not deny `{LINT}`")));
        }
        if !line.starts_with('#') {
            denied = whole_file;
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> usize {
        check(&Tree::of("crates/layers/src/retry.rs", text)).len()
    }

    #[test]
    fn the_lint_counts_for_the_next_item_alone() {
        let wrapper = "#[async_trait]\nimpl Driver for Retry {\n}\n";
        let denied = "#[deny(clippy::missing_trait_methods)]\n";
        assert_eq!(found(&format!("{denied}{wrapper}")), 0);
        assert_eq!(found(&format!("#[async_trait]\n{denied}impl<D: Driver> Driver for Retry<D> {{\n")), 0);
        assert_eq!(found(&format!("{denied}{wrapper}{wrapper}")), 1);
        assert_eq!(found(&format!("#![deny(clippy::missing_trait_methods, reason = \"…\")]\n{wrapper}")), 0);
    }
}
