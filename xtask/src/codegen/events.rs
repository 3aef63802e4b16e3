//! Makes the table of events in `docs/operations.md` from the source of `EventKind`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::CodegenError;
use super::section::with_section;

const SOURCE: &str = "crates/model/src/event.rs";
const DOCUMENT: &str = "docs/operations.md";

/// Returns `docs/operations.md`.
pub(crate) fn render(root: &Path) -> Result<String, CodegenError> {
    let path = root.join(SOURCE);
    let text =
        fs::read_to_string(&path).map_err(|source| CodegenError::File { action: "read", path, source })?;
    let mut content = "\n| event | what it means |\n|---|---|\n".to_owned();
    let kinds = kinds(&text);
    if kinds.is_empty() {
        let problem = "no kinds of events are found in `event_kinds! { … }`".to_owned();
        return Err(CodegenError::Table { path: SOURCE.into(), line: 1, problem });
    }
    for (name, meaning) in kinds {
        let _ = writeln!(content, "| `{name}` | {meaning} |");
    }
    with_section(root, DOCUMENT, ("events", SOURCE), &(content + "\n"))
}

/// Returns the kinds of events with what is said of them, in the order of the source.
fn kinds(source: &str) -> Vec<(&str, String)> {
    let Some((_, list)) = source.split_once("\nevent_kinds! {\n") else { return Vec::new() };
    let list = list.split_once("\n}\n").map_or(list, |(list, _)| list);
    let mut kinds = Vec::new();
    let mut meaning = Vec::new();
    for line in list.lines().map(str::trim) {
        match line.strip_prefix("/// ") {
            Some(doc) => meaning.push(doc),
            None => {
                let name = line.split('"').nth(1);
                kinds.extend(name.map(|name| (name, meaning.join(" "))));
                meaning.clear();
            }
        }
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_the_words_that_stand_above_it() {
        let source = "x\nevent_kinds! {\n    /// A VM is\n    /// here.\n    Here = \"here\",\n    /// Gone.\n    Gone = \"gone\",\n}\ny\n";
        assert_eq!(kinds(source), [("here", "A VM is here.".to_owned()), ("gone", "Gone.".to_owned())]);
    }

    #[test]
    fn the_source_of_the_kinds_is_understood() {
        let text = fs::read_to_string(crate::tree::root().join(SOURCE)).unwrap();
        let kinds = kinds(&text);
        assert_eq!(kinds.first().map(|(name, _)| *name), Some("daemon_started"));
        assert!(30 < kinds.len() && kinds.iter().all(|(_, meaning)| meaning.ends_with('.')), "{kinds:?}");
    }
}
