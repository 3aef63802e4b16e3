//! What came of reading the configuration again.

use comfy_table::Table;
use vmpool_api::Reloaded;

use crate::output::facts;

/// Makes the table of what changed.
pub(crate) fn reloaded(reloaded: &Reloaded) -> Table {
    let rows = [
        ("added", &reloaded.added),
        ("changed", &reloaded.changed),
        ("removed", &reloaded.removed),
        ("needs a restart", &reloaded.needs_restart),
    ];
    let told = rows.into_iter().filter(|(_, keys)| !keys.is_empty());
    let told: Vec<_> = told.map(|(name, keys)| (name, keys.join(", "))).collect();
    match told.is_empty() {
        true => facts([("nothing", "changed".to_owned())]),
        false => facts(told),
    }
}
