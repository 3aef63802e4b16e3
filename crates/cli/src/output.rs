//! What is printed: results on standard output, notices and failures on standard error.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use comfy_table::Table;
use serde::Serialize;
use serde_json::Value;

use crate::{
    args::{Format, Global},
    failure::Failure,
    style,
};

/// How results are printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    format: Format,
    quiet: bool,
}

impl Output {
    /// Prints as the command line asks.
    pub(crate) fn new(global: &Global) -> Self {
        Self { format: global.output, quiet: global.quiet }
    }

    /// Prints a result as a table, or as JSON.
    pub(crate) fn result<T: Serialize + ?Sized>(
        self,
        result: &T,
        table: impl FnOnce(&T) -> Table,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Table | Format::Wide => {
                let table = table(result).trim_fmt();
                print(&if style::on_stdout() { style::table(&table) } else { table })
            }
            Format::Json => print(&serde_json::to_string_pretty(result).map_err(Failure::unprintable)?),
            Format::Jsonl => lines(&serde_json::to_value(result).map_err(Failure::unprintable)?),
        }
    }

    /// Says that something was done: to programs by what was done to what, to people by a notice.
    pub(crate) fn done<'a>(
        self,
        verb: &'a str,
        told: impl IntoIterator<Item = (&'a str, &'a String)>,
        notice: &str,
    ) -> Result<(), Failure> {
        let told = told.into_iter().map(|(name, value)| (name, value.as_str()));
        let object: BTreeMap<&str, &str> = told.chain([("verb", verb)]).collect();
        match self.format {
            Format::Table | Format::Wide => {}
            Format::Json => print(&serde_json::to_string_pretty(&object).map_err(Failure::unprintable)?)?,
            Format::Jsonl => print(&serde_json::to_string(&object).map_err(Failure::unprintable)?)?,
        }
        self.notice(notice);
        Ok(())
    }

    /// Prints a result as a text that is made for it, or as JSON.
    pub(crate) fn text<T: Serialize + ?Sized>(
        self,
        result: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Table | Format::Wide => print(&text(result)),
            Format::Json => print(&serde_json::to_string_pretty(result).map_err(Failure::unprintable)?),
            Format::Jsonl => print(&serde_json::to_string(result).map_err(Failure::unprintable)?),
        }
    }

    /// Returns whether programs read what is printed.
    pub(crate) fn is_json(self) -> bool {
        matches!(self.format, Format::Json | Format::Jsonl)
    }

    /// Returns whether people want results and errors only.
    pub(crate) fn is_quiet(self) -> bool {
        self.quiet
    }

    /// Returns whether people want all columns of a table.
    pub(crate) fn is_wide(self) -> bool {
        self.format == Format::Wide
    }

    /// Prints one of a stream of results as a line of text, or as one line of JSON.
    pub(crate) fn item<T: Serialize + ?Sized>(
        self,
        item: &T,
        line: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Table | Format::Wide => print(&line(item)),
            Format::Json | Format::Jsonl => {
                print(&serde_json::to_string(item).map_err(Failure::unprintable)?)
            }
        }
    }

    /// Tells people what goes on, unless they want it quiet.
    pub(crate) fn notice(self, text: &str) {
        if !self.quiet {
            complain(text);
        }
    }
}

/// Prints a line to standard output.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(Failure::from_output)
}

/// Prints a list as a line of JSON for each of its things, and one thing as one line.
fn lines(result: &Value) -> Result<(), Failure> {
    match listed(result) {
        Some(things) => things.iter().try_for_each(|thing| print(&thing.to_string())),
        None => print(&result.to_string()),
    }
}

/// Returns the things of a list, which the API answers as an object with the list and nothing else.
fn listed(result: &Value) -> Option<&Vec<Value>> {
    match result {
        Value::Array(things) => Some(things),
        Value::Object(fields) if fields.len() == 1 => fields.values().next()?.as_array(),
        _ => None,
    }
}

/// Prints a line to standard error.
pub(crate) fn complain(text: &str) {
    let text = if style::on_stderr() { style::message(text) } else { text.to_owned() };
    // Whoever closed standard error does not want to know.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Makes an empty table with these columns.
pub(crate) fn table(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(columns.iter().map(|column| column.to_uppercase()));
    table
}

/// Makes a table of two columns, for showing one thing.
pub(crate) fn facts<'a>(facts: impl IntoIterator<Item = (&'a str, String)>) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    for (name, value) in facts {
        table.add_row([name.to_owned(), value]);
    }
    table
}

/// Shows what may be absent.
pub(crate) fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_as_many_lines_as_it_has_things() {
        assert_eq!(listed(&json!({"vms": [{"name": "a-1"}, {"name": "a-2"}]})).map(Vec::len), Some(2));
        assert_eq!(listed(&json!([])).map(Vec::len), Some(0));
        assert_eq!(listed(&json!({"name": "a-1", "addresses": []})), None);
        assert_eq!(listed(&json!({"name": "a-1"})), None);
    }
}
