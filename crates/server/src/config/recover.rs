//! Reading a configuration past what does not fit: what is wrong is taken out, and the rest is read again.

use serde::Deserialize as _;
use toml::{
    Spanned,
    de::{DeTable, DeValue, Deserializer},
};

use super::{Config, error::ConfigProblem, guess::with_guess, one_line, place::Places};
use crate::words;

/// How many values are taken out at most.
const MOST: usize = 100;

/// Reads a configuration, and tells of every value that cannot be read; without these, there may be a configuration to look
/// for more.
pub(super) fn read(places: &Places<'_>) -> (Option<Config>, Vec<ConfigProblem>) {
    let mut table = places.table().clone();
    let mut problems = Vec::new();
    while problems.len() < MOST {
        let err = match Config::deserialize(Deserializer::from(table.clone())) {
            Ok(config) => return (Some(config), problems),
            Err(err) => err,
        };
        let offset = err.span().map_or(0, |span| span.start);
        let place = places.at(offset);
        let reason = match place.may_be_secret() {
            true => "a table of options is expected".to_owned(),
            false => with_guess(&words::plain(&one_line(err.message()), words::TABLE)),
        };
        let problem = place.problem(reason);
        // What is missing may be what was taken out.
        let is_told = |told: &ConfigProblem| is_within(&told.key, &problem.key);
        if !(problem.reason.starts_with("missing field") && problems.iter().any(is_told)) {
            problems.push(problem);
        }
        if !take_out(table.get_mut(), offset) {
            break;
        }
    }
    (None, problems)
}

/// Returns whether a problem is not one because of what was taken out.
pub(super) fn is_of_its_own(problem: &ConfigProblem, broken: &[ConfigProblem]) -> bool {
    // What refers to what was taken out finds nothing.
    let refers = ["provider", "fallback"].iter().any(|key| problem.key.rsplit('.').next() == Some(key));
    let is_reason = |broken: &ConfigProblem| {
        let table = table_of(&broken.key);
        is_within(&problem.key, table) || (refers && table.contains('.'))
    };
    !broken.iter().any(is_reason)
}

/// Returns the table that a key is in: that of a provider, that of a pool, or one for all.
fn table_of(key: &str) -> &str {
    let named = ["providers.", "pools."].iter().find(|group| key.starts_with(**group));
    let from = named.map_or(0, |group| group.len());
    let end = key.get(from..).and_then(|name| name.find('.')).map_or(key.len(), |end| from + end);
    key.get(..end).unwrap_or(key)
}

/// Returns whether a key is in a table, or is its name.
fn is_within(key: &str, table: &str) -> bool {
    key.strip_prefix(table).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Takes the innermost entry of a table out that is at an offset; returns whether there is one.
fn take_out(table: &mut DeTable<'_>, offset: usize) -> bool {
    let is_at = |name: &Spanned<_>, value: &Spanned<DeValue<'_>>| {
        name.span().contains(&offset) || value.span().contains(&offset) || is_below(value.get_ref(), offset)
    };
    let found = table.iter().find(|(name, value)| is_at(name, value)).map(|(name, _)| name.clone());
    let Some(name) = found else { return false };
    let is_done = table.get_mut(&name).is_some_and(|value| take_out_below(value.get_mut(), offset));
    is_done || table.remove(&name).is_some()
}

fn take_out_below(value: &mut DeValue<'_>, offset: usize) -> bool {
    match value {
        DeValue::Table(table) => take_out(table, offset),
        DeValue::Array(array) => array.iter_mut().any(|value| take_out_below(value.get_mut(), offset)),
        _ => false,
    }
}

/// Returns whether something in a table or list is at an offset: a table's own place is that of its header alone.
fn is_below(value: &DeValue<'_>, offset: usize) -> bool {
    match value {
        DeValue::Table(table) => table.iter().any(|(name, value)| {
            name.span().contains(&offset)
                || value.span().contains(&offset)
                || is_below(value.get_ref(), offset)
        }),
        DeValue::Array(array) => {
            array.iter().any(|value| value.span().contains(&offset) || is_below(value.get_ref(), offset))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_of_the_table_of_their_pool_or_provider() {
        let keys = ["pools.a.demand.quantile", "providers.lab", "limits.owners.a.weight", "demon"];
        assert_eq!(keys.map(table_of), ["pools.a", "providers.lab", "limits", "demon"]);
        assert!(is_within("pools.a.offers[0]", "pools.a") && is_within("pools.a", "pools.a"));
        assert!(!is_within("pools.ab", "pools.a"));
    }
}
