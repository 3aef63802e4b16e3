//! The reference of all keys, for people.

use std::{collections::BTreeMap, fmt::Write as _};

use vmpool::driver::Registry;

use super::{
    about::{self, About},
    secrets::is_secret,
    shape::{self, Shape},
};

/// A key, what it may be, what its default is, and what it is for.
type Row = (String, String, String, String);

/// Returns the reference of every key of a configuration in Markdown, and of every option of the drivers.
#[must_use]
pub fn config_reference(registry: &Registry) -> String {
    let mut page = "# Every key of the configuration\n\n\
        `vmpool config default` prints a configuration with all of them, and `vmpool config schema` their JSON Schema.\n\
        `NAME` is a name of yours, `[]` one of a list.\n\
        A duration is a text such as `\"500ms\"`, `\"90s\"`, `\"10m\"` or `\"1h30m\"`.\n\
        A `-` is no default, or none that can be written.\n"
        .to_owned();
    let abouts = about::all();
    let mut tables = BTreeMap::new();
    collect(&shape::of_config(), "", &abouts, &mut tables);
    for (table, rows) in tables {
        let title = if table.is_empty() { "The whole".to_owned() } else { format!("`[{table}]`") };
        let meaning = abouts.get(&table).map(|about| about.meaning.clone()).unwrap_or_default();
        let _ = write!(
            page,
            "\n## {title}\n\n{}",
            if meaning.is_empty() { String::new() } else { meaning + "\n\n" }
        );
        page += "| key | what it may be | default | what it says |\n|---|---|---|---|\n";
        for (key, kind, default, meaning) in rows {
            let _ = writeln!(page, "| `{key}` | {kind} | {default} | {meaning} |");
        }
    }
    for driver in registry.names() {
        let Some(shape) = shape::of_driver(registry, driver) else { continue };
        let mut options = Vec::new();
        flatten(&shape, "", &mut options);
        let _ = writeln!(
            page,
            "\n## Options of the driver `{driver}`\n\n[{driver}.md](../{driver}.md) says what they are for.\n"
        );
        page += "| option | what it may be |\n|---|---|\n";
        for (key, kind) in options {
            let _ = writeln!(page, "| `{key}` | {kind} |");
        }
    }
    page
}

/// Collects the keys of each table.
fn collect(
    shape: &Shape,
    path: &str,
    abouts: &BTreeMap<String, About>,
    tables: &mut BTreeMap<String, Vec<Row>>,
) {
    let join = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match shape {
        Shape::Table(keys) => {
            for (key, shape) in keys {
                if !is_table(shape) {
                    let row = row(key, shape, &join(key), abouts);
                    tables.entry(path.to_owned()).or_default().push(row);
                }
                collect(shape, &join(key), abouts, tables);
            }
        }
        Shape::Named(inner) => collect(inner, &join("NAME"), abouts, tables),
        Shape::List(inner) => collect(inner, &format!("{path}[]"), abouts, tables),
        Shape::Kinds(kinds) => {
            for (kind, keys) in kinds {
                let rows = tables.entry(path.to_owned()).or_default();
                rows.push(("kind".to_owned(), format!("`\"{kind}\"`"), "-".to_owned(), String::new()));
                rows.extend(keys.iter().map(|(key, shape)| row(key, shape, &join(key), abouts)));
            }
        }
        _ => {}
    }
}

/// Returns whether something has a table of its own.
fn is_table(shape: &Shape) -> bool {
    match shape {
        Shape::Table(_) | Shape::Kinds(_) => true,
        Shape::Named(inner) | Shape::List(inner) => is_table(inner),
        _ => false,
    }
}

fn row(key: &str, shape: &Shape, path: &str, abouts: &BTreeMap<String, About>) -> Row {
    let about = abouts.get(path).cloned().unwrap_or_default();
    let default = about.default().map_or_else(|| "-".to_owned(), |default| format!("`{default}`"));
    (key.to_owned(), words(shape), default, about.meaning.replace('|', "\\|"))
}

fn words(shape: &Shape) -> String {
    match shape {
        Shape::Anything => "anything".to_owned(),
        Shape::Flag => "`true` or `false`".to_owned(),
        // What has no smaller bound of its own has none that anybody meets.
        Shape::Whole(max) if *max < u32::MAX.into() => format!("whole number up to {max}"),
        Shape::Whole(_) => "whole number".to_owned(),
        Shape::Number => "number".to_owned(),
        Shape::Text => "text".to_owned(),
        Shape::Duration => "duration".to_owned(),
        Shape::OneOf(all) => all.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", "),
        Shape::List(item) => format!("list of: {}", words(item)),
        Shape::Named(inner) if **inner == Shape::Anything => "table of the driver's own".to_owned(),
        Shape::Named(inner) => format!("table by names of: {}", words(inner)),
        Shape::Table(_) | Shape::Kinds(_) => "table".to_owned(),
    }
}

fn flatten(shape: &Shape, path: &str, options: &mut Vec<(String, String)>) {
    let join = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match shape {
        Shape::Table(keys) => keys.iter().for_each(|(key, shape)| flatten(shape, &join(key), options)),
        Shape::Named(inner) if is_table(inner) => flatten(inner, &join("NAME"), options),
        Shape::Text if is_secret(path) => {
            options.push((
                path.to_owned(),
                "text, or where that [secret](../deploying.md#secrets) is".to_owned(),
            ));
        }
        other => options.push((path.to_owned(), words(other))),
    }
}
