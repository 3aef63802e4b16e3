//! No code is unsafe but what the list of exceptions names.

use super::{Finding, Rule};
use crate::tree::{SourceFile, Tree};

pub(super) const RULE: Rule = Rule {
    name: "unsafe",
    demands: "no code is unsafe; an exception is one small file with a reason beside each use",
    check,
    #[cfg(test)]
    sample: || Tree::of("crates/model/src/lib.rs", concat!("un", "safe { run() }\n")),
};

/// The word, split so that this file does not contain it.
const WORD: &str = concat!("un", "safe");

fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust().flat_map(check_file).collect()
}

fn check_file(file: &SourceFile) -> impl Iterator<Item = Finding> {
    let uses = file.code_lines().filter(|(_, line)| names(line));
    uses.map(|(number, _)| Finding::line(&file.path, number, format!("`{WORD}` is banned: find another way")))
}

/// Tells whether the line holds the word as a whole, and not in a text.
fn names(line: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(WORD).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + WORD.len()..]);
        !before.ends_with(part) && !after.starts_with(part) && before.matches('"').count() % 2 == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> usize {
        check(&Tree::of("crates/model/src/lib.rs", format!("//! A sample.\n{line}\n"))).len()
    }

    #[test]
    fn blocks_functions_and_attributes_are_found() {
        for line in ["{ run() }", "fn run() {}", "impl Send for Thing {}", "extern \"C\" {}"] {
            assert_eq!(found(&format!("{WORD} {line}")), 1, "{line}");
        }
        assert_eq!(found(&format!("#[{WORD}(no_mangle)]")), 1);
    }

    #[test]
    fn comments_texts_and_longer_words_pass() {
        for line in [format!("// {WORD}"), format!("let text = \"{WORD} food\";"), format!("{WORD}_code")] {
            assert_eq!(found(&line), 0, "{line}");
        }
    }
}
