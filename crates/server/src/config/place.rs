//! Where in the text of a configuration a key is, and which key is at a place.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue, Error},
};

use super::{error::ConfigProblem, one_line};

/// Every key of a text with its place.
#[derive(Debug)]
pub(super) struct Places<'a> {
    text: &'a str,
    table: Spanned<DeTable<'a>>,
    keys: Vec<Key>,
}

#[derive(Debug)]
struct Key {
    path: String,
    name: Range<usize>,
    value: Range<usize>,
}

/// A place in a text, and the key there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    line: usize,
    column: usize,
    key: String,
}

impl Place {
    /// Returns whether what is here must not be shown: the options of a driver may be secrets.
    pub(super) fn may_be_secret(&self) -> bool {
        self.key.starts_with("providers.") && self.key.split('.').nth(2) == Some("options")
    }

    /// Says what does not fit here.
    pub(super) fn problem(self, reason: impl Into<String>) -> ConfigProblem {
        let Self { line, column, key } = self;
        ConfigProblem { line, column, key, reason: reason.into() }
    }
}

impl<'a> Places<'a> {
    /// Finds all keys of a text.
    ///
    /// # Errors
    ///
    /// Every place that is no TOML; of several in one line, the first.
    pub(super) fn parse(text: &'a str) -> Result<Self, Vec<ConfigProblem>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut places = Self { text, table, keys: Vec::new() };
        let mut problems: Vec<_> = errors.iter().map(|err| places.no_toml(err)).collect();
        problems.sort_by_key(|problem| (problem.line, problem.column));
        // What follows in the same line is most often because of it.
        problems.dedup_by_key(|problem| problem.line);
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut keys = Vec::new();
        add_table(&mut keys, "", places.table.get_ref());
        places.keys = keys;
        Ok(places)
    }

    /// Returns what the text says.
    pub(super) fn table(&self) -> &Spanned<DeTable<'a>> {
        &self.table
    }

    fn no_toml(&self, err: &Error) -> ConfigProblem {
        let span = err.span().unwrap_or_default();
        let reason = match (err.message(), self.text.get(span.clone())) {
            ("duplicate key", Some(key)) => format!("the key `{key}` is given twice"),
            (message, _) => one_line(message),
        };
        self.place(span.start, "").problem(reason)
    }

    /// Returns the place of an offset, and the innermost key there.
    pub(super) fn at(&self, offset: usize) -> Place {
        let innermost =
            self.keys.iter().filter(|key| key.name.contains(&offset) || key.value.contains(&offset));
        let key = innermost.max_by_key(|key| key.path.len()).map_or("", |key| &key.path);
        self.place(offset, key)
    }

    /// Returns the place of a key's name, or if the text does not have it, of the nearest table around it.
    ///
    /// The place is called by the whole path all the same.
    pub(super) fn name_of(&self, path: &str) -> Place {
        self.place(self.nearest(path).map_or(0, |key| key.name.start), path)
    }

    /// Returns the place of a key's value, or if the text does not have it, of the nearest table around it.
    pub(super) fn value_of(&self, path: &str) -> Place {
        let exact = self.keys.iter().find(|key| key.path == path);
        match exact {
            Some(key) => self.place(key.value.start, path),
            None => self.name_of(path),
        }
    }

    fn nearest(&self, path: &str) -> Option<&Key> {
        let around = self.keys.iter().filter(|key| {
            let rest = path.strip_prefix(&key.path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        });
        around.max_by_key(|key| key.path.len())
    }

    fn place(&self, offset: usize, key: &str) -> Place {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Place { line, column, key: key.to_owned() }
    }
}

fn add_table(keys: &mut Vec<Key>, path: &str, table: &DeTable<'_>) {
    for (name, value) in table.iter() {
        let path = match path {
            "" => name.get_ref().to_string(),
            path => format!("{path}.{}", name.get_ref()),
        };
        keys.push(Key { path: path.clone(), name: name.span(), value: value.span() });
        add_value(keys, &path, value.get_ref());
    }
}

fn add_value(keys: &mut Vec<Key>, path: &str, value: &DeValue<'_>) {
    match value {
        DeValue::Table(table) => add_table(keys, path, table),
        DeValue::Array(array) => {
            for (index, value) in array.iter().enumerate() {
                let path = format!("{path}[{index}]");
                keys.push(Key { path: path.clone(), name: value.span(), value: value.span() });
                add_value(keys, &path, value.get_ref());
            }
        }
        _ => {}
    }
}
