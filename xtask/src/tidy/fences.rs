//! Examples in the docs run: what does not compile and run drifts from the code.

use super::{Finding, Rule};
use crate::tree::{SourceFile, Tree};

pub(super) const RULE: Rule = Rule {
    name: "examples-run",
    demands: "no example in the docs is ignored or compiled without being run",
    check,
    #[cfg(test)]
    sample: || Tree::of("crates/model/src/lib.rs", concat!("//! ```", "ignore\n//! let x = 1;\n//! ```\n")),
};

fn check(tree: &Tree) -> Vec<Finding> {
    let documents = tree.files.iter().filter(|file| file.path.ends_with(".rs") || file.path.ends_with(".md"));
    documents.flat_map(check_file).collect()
}

fn check_file(file: &SourceFile) -> impl Iterator<Item = Finding> {
    file.lines().filter_map(|(number, line)| {
        let line = line.trim_start();
        let doc = if file.path.ends_with(".md") { Some(line) } else { doc_text(line) };
        let attribute = unrun_attribute(doc?.trim_start())?;
        Some(Finding::line(&file.path, number, format!("the example is marked `{attribute}`: make it run")))
    })
}

/// Returns the text of a doc comment, if the line is one.
fn doc_text(line: &str) -> Option<&str> {
    line.strip_prefix("//!").or_else(|| line.strip_prefix("///"))
}

/// Returns the attribute of an opening fence that keeps rustdoc from running the example.
fn unrun_attribute(line: &str) -> Option<&str> {
    let info = line.strip_prefix("```").or_else(|| line.strip_prefix("~~~"))?.trim_start_matches(['`', '~']);
    let mut attributes = info.split(|c: char| c == ',' || c.is_whitespace()).map(str::trim);
    attributes.find(|attribute| attribute.starts_with("ignore") || *attribute == "no_run")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_found() {
        for fence in ["```ignore", "```rust,ignore", "``` rust, no_run", "~~~ignore-windows", "````ignore"] {
            let doc = format!("/// {fence}\n");
            let readme = format!("  {fence}\n");
            assert_eq!(check(&Tree::of("src/lib.rs", doc)).len(), 1, "{fence}");
            assert_eq!(check(&Tree::of("README.md", readme)).len(), 1, "{fence}");
        }
    }

    #[test]
    fn an_example_that_runs_or_must_not_compile_passes() {
        for fence in ["```", "```rust", "```compile_fail", "```text", "```toml"] {
            assert_eq!(check(&Tree::of("src/lib.rs", format!("/// {fence}\n"))), []);
        }
    }
}
