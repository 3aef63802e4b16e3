//! Makes `NodeState` from `node-states.tsv`.

use std::fmt::Write as _;
use std::path::Path;

use super::table::Table;
use super::{CodegenError, rust};

const SOURCE: &str = "node-states.tsv";

/// Each predicate of a state: its column, which is its name, and its doc.
const PREDICATES: &[(&str, &str)] = &[
    ("is_transient", "Returns whether the provider is at work, so that the state will change by itself."),
    ("is_terminal", "Returns whether the node is gone, so that the state will never change again."),
    ("can_start", "Returns whether a start, a resume or a release can bring the node to running."),
    ("can_reboot", "Returns whether the node can be asked to reboot."),
    ("counts_against_quota", "Returns whether the node still takes room at its provider."),
];

/// Returns the source of `states/node_state.rs`.
pub(crate) fn render(root: &Path) -> Result<String, CodegenError> {
    let table = Table::read(root, SOURCE)?;
    let rows: Vec<_> = table.rows().collect();
    let mut out =
        rust::head("[`NodeState`], and what is known about each state.", &format!("xtask/tables/{SOURCE}"));

    out += "/// The state of a node in the words that all providers share.\n///\n";
    out += "/// The provider's own state stands beside it, in [`RawState`](super::RawState), and is never lost.\n";
    out += "/// Neither the list of states nor their texts differ between providers.\n";
    out += "#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]\npub enum NodeState {\n";
    for row in &rows {
        let _ = writeln!(out, "/// {}\n{},", row.get("doc")?, row.get("variant")?);
    }
    let _ =
        writeln!(out, "}}\n\nimpl NodeState {{\n/// Every state.\npub const ALL: [Self; {}] = [", rows.len());
    for row in &rows {
        let _ = writeln!(out, "Self::{},", row.get("variant")?);
    }
    out += "];\n\n";

    let arms = |column: &str| {
        rows.iter().map(|row| Ok((row.get("variant")?.to_owned(), row.get(column)?.to_owned()))).collect()
    };
    let quoted = |column: &str| {
        rows.iter()
            .map(|row| Ok((row.get("variant")?.to_owned(), format!("{:?}", row.get(column)?))))
            .collect()
    };
    let text: Result<Vec<_>, CodegenError> = quoted("text");
    out += &rust::match_method(
        "/// Returns the state as text, in lower case.\n#[must_use]\npub const fn as_str(self) -> &'static str",
        &text?,
        "",
    );
    for (column, doc) in PREDICATES {
        let mut variants = Vec::new();
        for row in &rows {
            if row.flag(column)? {
                variants.push(row.get("variant")?.to_owned());
            }
        }
        let signature = format!("/// {doc}\n#[must_use]\npub const fn {column}(self) -> bool");
        out += &rust::matches_method(&signature, &variants);
    }
    let numbers: Result<Vec<_>, CodegenError> = arms("libcloud_2012");
    out += &rust::match_method(
        "/// Returns the number that stands for the state in libcloud 0.2 to 0.13.\n///\n\
         /// They are `RUNNING` 0, `REBOOTING` 1, `TERMINATED` 2, `PENDING` 3 and `UNKNOWN` 4.\n\
         #[must_use]\npub const fn to_libcloud_2012(self) -> i32",
        &numbers?,
        "",
    );
    let texts: Result<Vec<_>, CodegenError> = quoted("libcloud");
    out += &rust::match_method(
        "/// Returns the text that stands for the state in libcloud 1.0 and later.\n///\n\
         /// libcloud has no words for suspending and terminating; the nearest one stands in.\n\
         #[must_use]\npub const fn to_libcloud(self) -> &'static str",
        &texts?,
        "",
    );
    Ok(out + "}\n")
}
