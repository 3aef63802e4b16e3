//! What is printed: results on standard output, notices and failures on standard error.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use comfy_table::Table;
use serde::Serialize;

use crate::{
    args::{Format, Global},
    failure::Failure,
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
            Format::Table | Format::Wide => print(&table(result).trim_fmt()),
            Format::Json => print(&serde_json::to_string_pretty(result).map_err(Failure::unprintable)?),
        }
    }

    /// Says that something was done: to programs by what was done to what, to people by a notice.
    pub(crate) fn done<'a>(
        self,
        verb: &'a str,
        told: impl IntoIterator<Item = (&'a str, &'a String)>,
        notice: &str,
    ) -> Result<(), Failure> {
        if self.format == Format::Json {
            let told = told.into_iter().map(|(name, value)| (name, value.as_str()));
            let object: BTreeMap<&str, &str> = told.chain([("verb", verb)]).collect();
            print(&serde_json::to_string_pretty(&object).map_err(Failure::unprintable)?)?;
        }
        self.notice(notice);
        Ok(())
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
            Format::Json => print(&serde_json::to_string(item).map_err(Failure::unprintable)?),
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

/// Prints a line to standard error.
pub(crate) fn complain(text: &str) {
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
