//! The words and the decisions read no clock, roll no dice and do no I/O.

use super::{Finding, Rule};
use crate::tree::{SourceFile, Tree};

pub(super) const RULE: Rule = Rule {
    name: "pure",
    demands: "model and engine take time and chance as arguments and touch nothing outside (their tests may)",
    check,
    #[cfg(test)]
    sample: || Tree::of("crates/engine/src/lib.rs", "use std::time::Instant;\n"),
};

/// The sources that are pure.
const PURE: [&str; 2] = ["crates/model/src/", "crates/engine/src/"];

/// What a pure source does not name, and why.
const BANNED: [(&str, &str); 12] = [
    ("Instant", "is a clock"),
    ("SystemTime", "is a clock"),
    ("Timestamp::now", "is a clock"),
    ("Zoned::now", "is a clock"),
    ("Rng::new", "is chance: take a seed"),
    ("fastrand::", "is chance: take a seed"),
    ("HashMap", "iterates in an order left to chance: take a `BTreeMap`"),
    ("HashSet", "iterates in an order left to chance: take a `BTreeSet`"),
    ("std::fs", "is I/O"),
    ("std::env", "is I/O"),
    ("std::process", "is I/O"),
    ("std::thread", "is a runtime"),
];

fn check(tree: &Tree) -> Vec<Finding> {
    let pure = tree.rust().filter(|file| PURE.iter().any(|folder| file.path.starts_with(folder)));
    pure.flat_map(check_file).collect()
}

fn check_file(file: &SourceFile) -> impl Iterator<Item = Finding> {
    // The tests of a file are its end.
    let code = file.code_lines().take_while(|(_, line)| line.trim() != "#[cfg(test)]");
    code.filter_map(|(number, line)| {
        let (word, why) = BANNED.iter().find(|(word, _)| names(line, word))?;
        Some(Finding::line(&file.path, number, format!("`{word}` {why}")))
    })
}

/// Tells whether the line holds the word as a whole; one that ends in `::` is followed by a function, not a type.
fn names(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let after = &line[at + word.len()..];
        let ends = if word.ends_with("::") {
            after.starts_with(char::is_lowercase)
        } else {
            !after.starts_with(part)
        };
        !line[..at].ends_with(part) && ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of(path, text)).len()
    }

    #[test]
    fn clocks_chance_and_io_are_found_in_pure_crates_alone() {
        for line in ["let now = Timestamp::now();", "use std::collections::HashMap;", "std::fs::read(path)"] {
            assert_eq!(found("crates/engine/src/step.rs", line), 1, "{line}");
            assert_eq!(found("crates/manager/src/step.rs", line), 0, "{line}");
        }
    }

    #[test]
    fn dice_from_a_seed_pass_and_dice_from_the_system_do_not() {
        assert_eq!(
            found("crates/engine/src/step.rs", "use fastrand::Rng;\nlet dice = Rng::with_seed(seed);\n"),
            0
        );
        assert_eq!(found("crates/engine/src/step.rs", "let dice = fastrand::Rng::new();\n"), 1);
        assert_eq!(found("crates/engine/src/step.rs", "let spread = fastrand::u64(..9);\n"), 1);
    }

    #[test]
    fn tests_comments_and_longer_words_pass() {
        let tests = "#[cfg(test)]\nmod tests {\n    use std::collections::HashMap;\n}\n";
        assert_eq!(found("crates/engine/src/step.rs", tests), 0);
        assert_eq!(
            found("crates/engine/src/step.rs", "// An Instant would be a clock.\nlet x = Instantly;\n"),
            0
        );
    }
}
