//! No text names a place on somebody's own machine.

use super::{Finding, Rule};
use crate::tree::{SourceFile, Tree};

pub(super) const RULE: Rule = Rule {
    name: "own-paths",
    demands: "no file names an absolute path of a machine it was written on",
    check,
    #[cfg(test)]
    sample: || Tree::of("README.md", format!("See {}notes.md.\n", needles()[0])),
};

/// Returns the roots of such paths, put together here so that this file contains none.
fn needles() -> [String; 2] {
    ["work", "root"].map(|folder| format!("/{folder}/"))
}

fn check(tree: &Tree) -> Vec<Finding> {
    let needles = needles();
    tree.files.iter().flat_map(|file| check_file(file, &needles)).collect()
}

fn check_file(file: &SourceFile, needles: &[String]) -> impl Iterator<Item = Finding> {
    file.lines().filter_map(|(number, line)| {
        let needle = needles.iter().find(|needle| names_path(line, needle))?;
        Some(Finding::line(&file.path, number, format!("names a path below {needle}")))
    })
}

/// Tells whether the path starts in the line: `a/b/` does not name `/b/`.
fn names_path(line: &str, needle: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '~' | '}' | '*');
    line.match_indices(needle).any(|(at, _)| !line[..at].ends_with(inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_at_its_start_alone() {
        let [work, root] = needles();
        let found = |text: String| check(&Tree::of("a.toml", text)).len();
        assert_eq!(found(format!("path = \"{work}x\"")), 1);
        assert_eq!(found(format!("file://{root}x")), 1);
        assert_eq!(found(format!("target{work}x and ./{}", &root[1..])), 0);
    }
}
