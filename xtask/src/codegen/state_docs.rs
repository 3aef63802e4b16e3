//! Makes `docs/generated/states.md` from the tables of states.

use std::fmt::Write as _;
use std::path::Path;

use super::table::Table;
use super::{CodegenError, MARKER};

/// Returns `docs/generated/states.md`.
pub(crate) fn render(root: &Path) -> Result<String, CodegenError> {
    let mut out = format!("<!-- {MARKER} from `xtask/tables/*-states.tsv`; do not edit. -->\n\n# States\n\n");
    out += "Every node has a uniform state, and beside it its provider's own state, which is never lost.\n";
    out += "A state that is not in these tables is kept as it is and means `unknown`: busy, never gone.\n\n";
    out += "## Nodes\n\n";
    out += "The number is that of libcloud 0.2 to 0.13, the text that of libcloud 1.0 and later.\n\n";
    let columns = [
        ("state", "text"),
        ("transient", "is_transient"),
        ("terminal", "is_terminal"),
        ("can start", "can_start"),
        ("can reboot", "can_reboot"),
        ("counts against quota", "counts_against_quota"),
        ("libcloud number", "libcloud_2012"),
        ("libcloud text", "libcloud"),
        ("meaning", "doc"),
    ];
    table(&mut out, root, "node-states.tsv", &columns)?;
    out += "\n## OpenNebula VM states\n\nThe LCM state decides for an active VM.\n\n";
    let columns = [
        ("number", "number"),
        ("state", "name"),
        ("short", "short"),
        ("node", "node_state"),
        ("meaning", "doc"),
    ];
    table(&mut out, root, "opennebula-vm-states.tsv", &columns)?;
    out += "\n## OpenNebula LCM states\n\n";
    let columns = [
        ("number", "number"),
        ("state", "name"),
        ("short", "short"),
        ("node", "node_state"),
        ("reconfiguring", "reconfiguring"),
        ("meaning", "doc"),
    ];
    table(&mut out, root, "opennebula-lcm-states.tsv", &columns)?;
    out += "\n## CloudAPI machine states\n\nCloudAPI translates them from the states of VMAPI behind it.\n\n";
    let columns = [("state", "text"), ("VMAPI", "vmapi"), ("node", "node_state"), ("meaning", "doc")];
    table(&mut out, root, "cloudapi-machine-states.tsv", &columns)?;
    Ok(out)
}

/// Appends the chosen columns of a table, each under its heading.
fn table(out: &mut String, root: &Path, name: &str, columns: &[(&str, &str)]) -> Result<(), CodegenError> {
    let headings: Vec<&str> = columns.iter().map(|(heading, _)| *heading).collect();
    let _ = writeln!(out, "| {} |\n|{}", headings.join(" | "), "---|".repeat(columns.len()));
    for row in Table::read(root, name)?.rows() {
        let mut cells = Vec::new();
        for (_, column) in columns {
            cells.push(match (*column, row.get(column)?) {
                ("name" | "text" | "short" | "vmapi", "-") => String::new(),
                ("name" | "text" | "short" | "vmapi", cell) => format!("`{cell}`"),
                ("node_state", "LCM") => "by its LCM state".to_owned(),
                ("node_state", cell) => format!("`{}`", cell.to_lowercase()),
                (_, cell) => cell.to_owned(),
            });
        }
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    Ok(())
}
