//! Makes the tables of `docs/compat-copr.md` from `copr.tsv`.
//!
//! Every case of Copr's test suites and every weakness of its design has a row, in its order, and every row names tests that
//! exist.

use std::fmt::Write as _;
use std::path::Path;

use super::CodegenError;
use super::parity::{exists, link};
use super::section::with_section;
use super::table::{Row, Table};

const SOURCE: &str = "copr.tsv";
const DOCUMENT: &str = "docs/compat-copr.md";

/// A table of the guide.
struct Kind {
    /// The letter its ids begin with.
    letter: char,
    /// How many rows it has; any number if there is none.
    count: Option<usize>,
    title: &'static str,
    there: &'static str,
}

const KINDS: [Kind; 3] = [
    Kind { letter: 'C', count: Some(93), title: "Cases", there: "case there" },
    Kind { letter: 'W', count: Some(14), title: "Weaknesses", there: "weakness there" },
    Kind { letter: 'X', count: None, title: "Further deviations", there: "there" },
];

/// Returns `docs/compat-copr.md`.
pub(crate) fn render(root: &Path) -> Result<String, CodegenError> {
    let table = Table::read(root, SOURCE)?;
    let content = tables(&table, root)?;
    with_section(root, DOCUMENT, ("cases", "xtask/tables/copr.tsv"), &content)
}

fn tables(table: &Table, root: &Path) -> Result<String, CodegenError> {
    let mut rows = table.rows().peekable();
    let mut out = String::new();
    for kind in &KINDS {
        let Kind { letter, count, title, there } = kind;
        let _ = write!(out, "\n## {title}\n\n| id | {there} | here | shown by |\n|---|---|---|---|\n");
        let mut number = 0;
        while let Some(row) = rows.next_if(|row| row.get("id").is_ok_and(|id| id.starts_with(*letter))) {
            number += 1;
            let (id, expected) = (row.get("id")?, format!("{letter}{number}"));
            if id != expected {
                return Err(row.error(format!("id is `{id}`, expected `{expected}`")));
            }
            let _ = writeln!(
                out,
                "| {id} | {} | {} | {} |",
                row.get("there")?,
                row.get("here")?,
                shown(row, root)?
            );
        }
        if let Some(count) = count.filter(|count| *count != number) {
            let problem = format!("{number} rows of {letter}, expected {count}");
            return Err(match rows.next() {
                Some(row) => row.error(problem),
                None => {
                    CodegenError::Table { path: Path::new("xtask/tables").join(SOURCE), line: 1, problem }
                }
            });
        }
    }
    match rows.next() {
        Some(row) => Err(row.error(format!("id is `{}`, which belongs to no table", row.get("id")?))),
        None => Ok(out + "\n"),
    }
}

/// Returns links to the tests of a row, after a look whether they exist.
fn shown(row: Row<'_>, root: &Path) -> Result<String, CodegenError> {
    let tests: Vec<&str> = row.get("tests")?.split(' ').collect();
    for test in &tests {
        exists(row, test, root)?;
    }
    Ok(tests.into_iter().map(link).collect::<Vec<_>>().join("<br>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rows: &[String]) -> Result<String, String> {
        let text = format!("id\tthere\there\ttests\n{}\n", rows.join("\n"));
        let table = Table::parse("copr.tsv".into(), &text).unwrap();
        tables(&table, &crate::tree::root()).map_err(|err| err.to_string())
    }

    fn row(id: &str) -> String {
        format!("{id}\tx\ty\txtask/src/codegen/copr.rs::row")
    }

    /// All rows there must be, and one more deviation.
    fn all() -> Vec<String> {
        let ids = (1..=93).map(|n| format!("C{n}")).chain((1..=14).map(|n| format!("W{n}")));
        ids.chain(["X1".to_owned()]).map(|id| row(&id)).collect()
    }

    #[test]
    fn a_table_with_every_case_is_written() {
        let text = check(&all()).unwrap();
        assert!(
            text.contains("\n| C93 | x | y | [`row`](../xtask/src/codegen/copr.rs) |\n\n## Weaknesses\n")
        );
        assert!(text.contains("\n| X1 |"));
    }

    #[test]
    fn a_missing_case_is_found_wherever_it_is() {
        let without = |id: &str| {
            let mut rows = all();
            rows.retain(|row| !row.starts_with(&format!("{id}\t")));
            check(&rows).unwrap_err()
        };
        assert_eq!(without("C7"), "copr.tsv:8: id is `C8`, expected `C7`");
        assert_eq!(without("C93"), "copr.tsv:94: 92 rows of C, expected 93");
        assert_eq!(without("W14"), "copr.tsv:108: 13 rows of W, expected 14");
    }

    #[test]
    fn a_row_that_belongs_nowhere_or_names_no_test_is_found() {
        let with = |row: String| check(&[all(), vec![row]].concat()).unwrap_err();
        assert_eq!(with(row("Y1")), "copr.tsv:110: id is `Y1`, which belongs to no table");
        let lost = with("X2\tx\ty\txtask/src/codegen/copr.rs::no_such".to_owned());
        assert_eq!(lost, "copr.tsv:110: there is no function no_such in xtask/src/codegen/copr.rs");
    }
}
