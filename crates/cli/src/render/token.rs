//! Tokens, and who asks.

use comfy_table::Table;
use vmpool_api::{Token, Whoami};

use super::time;
use crate::output::{facts, or_dash, table};

/// Makes the table of tokens.
pub(crate) fn tokens(tokens: &[Token]) -> Table {
    let mut table = table(&["token", "id", "role", "owner", "created", "by", "expires", "revoked"]);
    for token in tokens {
        table.add_row([
            token.name.clone(),
            token.id.clone(),
            token.role.to_string(),
            token.owner.clone(),
            time(Some(token.created_at)),
            or_dash(token.created_by.as_ref()),
            time(token.expires_at),
            time(token.revoked_at),
        ]);
    }
    table
}

/// Makes the table of who asks.
pub(crate) fn whoami(who: &Whoami) -> Table {
    facts([
        ("who", who.actor.clone()),
        ("role", who.role.to_string()),
        ("owner", or_dash(who.owner.as_ref())),
        ("until", time(who.expires_at)),
    ])
}
