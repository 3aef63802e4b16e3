//! Files are short: a reader sees one thing at a time.

use super::{Finding, Rule};
use crate::tree::Tree;

const LIMIT: usize = 500;

pub(super) const RULE: Rule = Rule {
    name: "length",
    demands: "no written Rust file has more than 500 lines: split it by type family",
    check,
    #[cfg(test)]
    sample: || Tree::of("crates/model/src/lib.rs", "// a line\n".repeat(LIMIT + 1)),
};

fn check(tree: &Tree) -> Vec<Finding> {
    let lengths = tree.written_rust().map(|file| (file, file.text.lines().count()));
    lengths
        .filter(|(_, lines)| *lines > LIMIT)
        .map(|(file, lines)| Finding::file(&file.path, format!("{lines} lines, more than {LIMIT}")))
        .collect()
}

/// Tells how many Rust files people wrote, and their median and greatest length.
pub(super) fn summary(tree: &Tree) -> String {
    let mut lengths: Vec<usize> = tree.written_rust().map(|file| file.text.lines().count()).collect();
    lengths.sort_unstable();
    let median = lengths.get(lengths.len() / 2).copied().unwrap_or_default();
    let longest = lengths.last().copied().unwrap_or_default();
    format!("{} Rust files by hand, median {median} lines, longest {longest}", lengths.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_at_the_limit_passes_and_a_generated_one_is_not_counted() {
        assert_eq!(check(&Tree::of("a.rs", "// a line\n".repeat(LIMIT))), []);
        assert_eq!(check(&Tree::of("crates/model/src/generated/states.rs", "//\n".repeat(LIMIT + 1))), []);
    }
}
