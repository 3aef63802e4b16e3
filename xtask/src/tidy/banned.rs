//! What no Rust file contains: silenced lints, switched-off tests, unfinished code, opaque serde.

use super::{Finding, Rule};
use crate::tree::{SourceFile, Tree};

pub(super) const RULE: Rule = Rule {
    name: "banned-code",
    demands: "lints are expected with a reason, tests run and assert, code is finished, config errors name the place",
    check,
    #[cfg(test)]
    sample: || Tree::of("crates/model/src/lib.rs", concat!("#[", "allow(dead_code)]\n")),
};

/// What is banned, split so that this file does not contain it, and what to do instead.
const BANNED: [(&[&str], &str); 8] = [
    (&[concat!("#[", "allow(")], "expect the lint, with a reason"),
    (&[concat!("#![", "allow(")], "expect the lint, with a reason"),
    (&[concat!("cfg_", "attr("), concat!(" allow", "(")], "expect the lint, with a reason"),
    (&[concat!("#[", "ignore")], "a test that does not run shows nothing"),
    (&[concat!("cfg_", "attr("), concat!(" ignore", ")")], "a test that does not run shows nothing"),
    (&[concat!("#[", "should_panic")], "return an error and assert on it"),
    (&[concat!("todo", "!(")], "finish it, or leave it out"),
    (&[concat!("unimplemented", "!(")], "finish it, or return an error of the kind `Unsupported`"),
];

/// What no serde attribute contains: the messages for a bad input would not name the place.
const OPAQUE: [&str; 2] = [concat!("flat", "ten"), concat!("un", "tagged")];

fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust().flat_map(check_file).collect()
}

fn check_file(file: &SourceFile) -> impl Iterator<Item = Finding> {
    file.code_lines().filter_map(|(number, line)| {
        let banned = BANNED.iter().find(|(parts, _)| parts.iter().all(|part| line.contains(part)));
        let opaque = OPAQUE.iter().find(|word| line.contains("serde(") && line.contains(*word));
        let what = match (banned, opaque) {
            (Some((parts, instead)), _) => format!("`{}` is banned: {instead}", parts.concat()),
            (None, Some(word)) => format!("serde's `{word}` is banned: its errors do not name the place"),
            (None, None) => return None,
        };
        Some(Finding::line(&file.path, number, what))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> usize {
        check(&Tree::of("crates/model/src/lib.rs", format!("//! A sample.\n{line}\n"))).len()
    }

    #[test]
    fn each_banned_thing_is_found() {
        for line in [
            concat!("#![", "allow(unused)]"),
            concat!("    #[", "allow(unused)]"),
            concat!("#[cfg_", "attr(test,", " allow(unused))]"),
            concat!("#[", "ignore = \"slow\"]"),
            concat!("#[cfg_", "attr(miri,", " ignore)]"),
            concat!("#[", "should_panic(expected = \"x\")]"),
            concat!("    todo", "!(\"later\")"),
            concat!("    unimplemented", "!()"),
            concat!("#[serde(flat", "ten)]"),
            concat!("#[serde(un", "tagged)]"),
        ] {
            assert_eq!(found(line), 1, "{line}");
        }
    }

    #[test]
    fn comments_and_expectations_pass() {
        assert_eq!(found(concat!("// never `#[", "ignore]`")), 0);
        assert_eq!(found("#[expect(dead_code, reason = \"a sample\")]"), 0);
        assert_eq!(found("let lists = lists.into_iter().flatten();"), 0);
    }
}
