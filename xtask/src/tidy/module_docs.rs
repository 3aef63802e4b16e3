//! Each file says in one sentence what it is.

use super::{Finding, Rule};
use crate::tree::Tree;

pub(super) const RULE: Rule = Rule {
    name: "module-docs",
    demands: "each written Rust file starts with a `//!` sentence that says what it is",
    check,
    #[cfg(test)]
    sample: || Tree::of("crates/model/src/lib.rs", "use std::fmt;\n"),
};

fn check(tree: &Tree) -> Vec<Finding> {
    let starts_undocumented = |text: &str| !text.starts_with("//! ");
    tree.written_rust()
        .filter(|file| starts_undocumented(&file.text))
        .map(|file| Finding::line(&file.path, 1, "the file does not start with `//! `"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comment_is_no_module_doc() {
        assert_eq!(check(&Tree::of("tests/src/lib.rs", "// The tests.\n")).len(), 1);
        assert_eq!(check(&Tree::of("tests/src/lib.rs", "//! The tests.\n")), []);
    }
}
