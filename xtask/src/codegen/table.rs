//! Tables as tab-separated text: comment lines, one line of column names, one line per row.

use std::fs;
use std::path::{Path, PathBuf};

use super::CodegenError;

/// A table read from `xtask/tables`.
pub(crate) struct Table {
    path: PathBuf,
    columns: Vec<String>,
    rows: Vec<(usize, Vec<String>)>,
}

/// One row of a [`Table`], which knows its place for error messages.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    table: &'a Table,
    line: usize,
    cells: &'a [String],
}

impl Table {
    /// Reads the table `name` from the workspace at `root`.
    pub(crate) fn read(root: &Path, name: &str) -> Result<Self, CodegenError> {
        let path = Path::new("xtask/tables").join(name);
        let text = fs::read_to_string(root.join(&path)).map_err(|source| CodegenError::File {
            action: "read",
            path: path.clone(),
            source,
        })?;
        Self::parse(path, &text)
    }

    /// Reads a table from its text; lines that begin with `#` and empty lines are skipped.
    pub(crate) fn parse(path: PathBuf, text: &str) -> Result<Self, CodegenError> {
        let mut table = Self { path, columns: Vec::new(), rows: Vec::new() };
        for (index, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let cells: Vec<String> = line.split('\t').map(str::to_owned).collect();
            if table.columns.is_empty() {
                table.columns = cells;
            } else if cells.len() == table.columns.len() {
                table.rows.push((index + 1, cells));
            } else {
                let problem = format!("{} cells, expected {}", cells.len(), table.columns.len());
                return Err(CodegenError::Table { path: table.path, line: index + 1, problem });
            }
        }
        Ok(table)
    }

    /// Returns the rows in the order of the file.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, cells)| Row { table: self, line: *line, cells })
    }
}

impl<'a> Row<'a> {
    /// Returns the cell of `column`.
    pub(crate) fn get(&self, column: &str) -> Result<&'a str, CodegenError> {
        let found = self.table.columns.iter().zip(self.cells).find(|(name, _)| *name == column);
        found.map(|(_, cell)| cell.as_str()).ok_or_else(|| self.error(format!("no column {column}")))
    }

    /// Returns the cell of `column`, or `None` if it is `-`.
    pub(crate) fn optional(&self, column: &str) -> Result<Option<&'a str>, CodegenError> {
        Ok(Some(self.get(column)?).filter(|cell| *cell != "-"))
    }

    /// Returns the cell of `column`, which is `yes` or `no`.
    pub(crate) fn flag(&self, column: &str) -> Result<bool, CodegenError> {
        match self.get(column)? {
            "yes" => Ok(true),
            "no" => Ok(false),
            other => Err(self.error(format!("{column} is `{other}`, expected yes or no"))),
        }
    }

    /// Returns an error at this row.
    pub(crate) fn error(&self, problem: String) -> CodegenError {
        CodegenError::Table { path: self.table.path.clone(), line: self.line, problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Vec<bool>, String> {
        let table = Table::parse("t.tsv".into(), text).map_err(|err| err.to_string())?;
        table.rows().map(|row| row.flag("ok").map_err(|err| err.to_string())).collect()
    }

    #[test]
    fn comments_are_skipped_and_cells_are_found_by_column() {
        assert_eq!(check("# words\nname\tok\na\tyes\nb\tno\n"), Ok(vec![true, false]));
    }

    #[test]
    fn a_bad_row_is_named_by_file_and_line() {
        assert_eq!(check("name\tok\na\n"), Err("t.tsv:2: 1 cells, expected 2".to_owned()));
        assert_eq!(
            check("name\tok\na\tmaybe\n"),
            Err("t.tsv:2: ok is `maybe`, expected yes or no".to_owned())
        );
        assert_eq!(check("name\na\n"), Err("t.tsv:2: no column ok".to_owned()));
    }
}
