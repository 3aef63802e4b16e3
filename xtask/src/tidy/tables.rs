//! The tables of crates in the documents are those of `dag.rs`.

use std::fs;

use super::{Finding, Rule};
use crate::console::say;
use crate::dag::{self, Row};
use crate::error::Error;
use crate::tree::{self, Tree};

pub(super) const RULE: Rule = Rule {
    name: "tables",
    demands: "the tables of crates in the documents are what `cargo xtask tidy --fix` writes",
    check,
    #[cfg(test)]
    sample: || Tree::of("README.md", format!("{BEGIN}\n| `model` | something else |\n{END}\n")),
};

const BEGIN: &str = "<!-- crates: written by `cargo xtask tidy --fix` from xtask/src/dag.rs -->";
const END: &str = "<!-- end of crates -->";

/// The documents that hold a table, and how it is written there.
const DOCUMENTS: [(&str, Table); 2] = [("README.md", short), ("docs/architecture.md", full)];

/// Returns the table as it stands in a document; the tree tells which crates are there.
type Table = fn(&Tree) -> String;

fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, table) in DOCUMENTS {
        let Some(file) = tree.file(path) else { continue };
        match with_table(&file.text, &table(tree)) {
            None => {
                findings.push(Finding::file(path, format!("has no place for the table, `{BEGIN}` … `{END}`")))
            }
            Some(text) if text != file.text => {
                findings
                    .push(Finding::file(path, "the table is not up to date: run `cargo xtask tidy --fix`"));
            }
            Some(_) => {}
        }
    }
    findings
}

/// Writes the tables into the documents.
pub(super) fn fix(tree: &Tree) -> Result<(), Error> {
    for (path, table) in DOCUMENTS {
        let Some(file) = tree.file(path) else { continue };
        let Some(text) = with_table(&file.text, &table(tree)).filter(|text| *text != file.text) else {
            continue;
        };
        let place = tree::root().join(path);
        fs::write(&place, text).map_err(|source| Error::Io { action: "write", path: place, source })?;
        say(&format!("rewrote the table of {path}"));
    }
    Ok(())
}

/// Returns the text with the table between the marks, or nothing if it has no marks.
fn with_table(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{table}{END}{after}"))
}

fn short(tree: &Tree) -> String {
    let line = |row: &Row| {
        let Row { folder, purpose, .. } = row;
        let package = row.package();
        match is_there(row, tree) {
            true => format!("| [`{package}`](crates/{folder}) | {purpose} |\n"),
            false => format!("| `{package}` (planned) | {purpose} |\n"),
        }
    };
    format!("| crate | what it is |\n|---|---|\n{}", dag::ROWS.iter().map(line).collect::<String>())
}

fn full(tree: &Tree) -> String {
    let list = |names: &[&str]| if names.is_empty() { "–".to_owned() } else { names.join(", ") };
    let line = |row: &Row| {
        let Row { folder, purpose, may_depend_on, never_reaches } = row;
        let planned = if is_there(row, tree) { "" } else { " (planned)" };
        format!("| `{folder}`{planned} | {purpose} | {} | {} |\n", list(may_depend_on), list(never_reaches))
    };
    let head = "| crate | what it is | may depend on | never reaches |\n|---|---|---|---|\n";
    format!("{head}{}", dag::ROWS.iter().map(line).collect::<String>())
}

/// Tells whether a crate has a folder; without one it is planned.
fn is_there(row: &Row, tree: &Tree) -> bool {
    tree.file(&row.manifest()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_is_rewritten() {
        let text = format!("# Title\n{BEGIN}\nold\n{END}\nend\n");
        let rewritten = with_table(&text, "new\n").unwrap();
        assert_eq!(rewritten, format!("# Title\n{BEGIN}\nnew\n{END}\nend\n"));
        assert_eq!(with_table(&rewritten, "new\n").unwrap(), rewritten);
    }

    #[test]
    fn a_crate_without_a_folder_is_planned_and_not_linked() {
        let tree = Tree::of("crates/dummy/Cargo.toml", "");
        let line =
            |table: String, package: &str| table.lines().find(|it| it.contains(package)).unwrap().to_owned();
        assert!(line(short(&tree), "`vmpool-dummy`").starts_with("| [`vmpool-dummy`](crates/dummy) | "));
        assert!(line(short(&tree), "`vmpool-sim`").starts_with("| `vmpool-sim` (planned) | "));
        assert!(line(full(&tree), "| `dummy`").starts_with("| `dummy` | "));
        assert!(line(full(&tree), "| `sim`").starts_with("| `sim` (planned) | "));
    }

    #[test]
    fn a_document_without_marks_is_found() {
        assert_eq!(check(&Tree::of("docs/architecture.md", "# Architecture\n")).len(), 1);
    }
}
