//! Small helpers that write Rust source text.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use super::{CodegenError, MARKER};

/// Returns the head of a generated Rust file: the module doc, and what it was made from.
pub(crate) fn head(doc: &str, source: &str) -> String {
    format!("//! {doc}\n//!\n//! {MARKER} from `{source}`; do not edit.\n\n")
}

/// Returns `SAVE_STOP` as `SaveStop`.
pub(crate) fn camel(name: &str) -> String {
    let word = |word: &str| word[..1].to_owned() + &word[1..].to_lowercase();
    name.split('_').filter(|part| !part.is_empty()).map(word).collect()
}

/// Returns a method that maps variants to expressions, one arm per distinct expression in order of appearance.
///
/// `signature` is the whole line from the doc to the opening brace; `rest` is the last arm, if any.
pub(crate) fn match_method(signature: &str, arms: &[(String, String)], rest: &str) -> String {
    let mut out = format!("{signature} {{ match self {{\n");
    let mut done: Vec<&str> = Vec::new();
    for (_, value) in arms {
        if done.contains(&value.as_str()) {
            continue;
        }
        done.push(value);
        let patterns: Vec<String> =
            arms.iter().filter(|(_, v)| v == value).map(|(pattern, _)| format!("Self::{pattern}")).collect();
        let _ = writeln!(out, "{} => {value},", patterns.join(" | "));
    }
    out + rest + "}}\n\n"
}

/// Returns a method that tells whether the value is one of `variants`.
pub(crate) fn matches_method(signature: &str, variants: &[String]) -> String {
    let patterns: Vec<String> = variants.iter().map(|variant| format!("Self::{variant}")).collect();
    format!("{signature} {{ matches!(self, {}) }}\n\n", patterns.join(" | "))
}

/// Returns `text` as rustfmt lays it out.
pub(crate) fn format(path: &str, text: &str) -> Result<String, CodegenError> {
    let refused = |problem: String| CodegenError::Format { path: path.to_owned(), problem };
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout", "--config-path"])
        .arg(crate::tree::root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|err| refused(err.to_string()))?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(text.as_bytes()).map_err(|err| refused(err.to_string()))?;
    }
    let output = child.wait_with_output().map_err(|err| refused(err.to_string()))?;
    if !output.status.success() {
        return Err(refused(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    String::from_utf8(output.stdout).map_err(|err| refused(err.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_variants() {
        assert_eq!(camel("PROLOG_MIGRATE_POWEROFF"), "PrologMigratePoweroff");
    }

    #[test]
    fn arms_of_one_value_are_joined() {
        let arms = [("A", "1"), ("B", "2"), ("C", "1")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(
            match_method("fn f(self) -> u8", &arms, ""),
            "fn f(self) -> u8 { match self {\nSelf::A | Self::C => 1,\nSelf::B => 2,\n}}\n\n"
        );
    }

    #[test]
    fn code_that_does_not_parse_is_refused_with_the_name_of_its_file() {
        let error = format("a/b.rs", "fn {").unwrap_err().to_string();
        assert!(error.starts_with("rustfmt refused the contents made for a/b.rs: "), "{error}");
    }
}
