//! Makes `MachineState` from the table of CloudAPI's machine states.

use std::fmt::Write as _;
use std::path::Path;

use super::table::{Row, Table};
use super::{CodegenError, rust};

const SOURCE: &str = "cloudapi-machine-states.tsv";

/// Returns the source of `states/cloudapi/machine_state.rs`.
pub(crate) fn render(root: &Path) -> Result<String, CodegenError> {
    let table = Table::read(root, SOURCE)?;
    let rows: Vec<_> = table.rows().collect();
    let mut out =
        rust::head("[`MachineState`], the `state` of a CloudAPI machine.", &format!("xtask/tables/{SOURCE}"));
    out += "use crate::states::NodeState;\n\n";
    out += "/// The state of a machine as Triton CloudAPI sends it.\n";
    out += "#[derive(Debug, Clone, PartialEq, Eq, Hash)]\n#[non_exhaustive]\npub enum MachineState {\n";
    for row in &rows {
        let _ = writeln!(out, "/// `{}`: {}\n{},", row.get("text")?, row.get("doc")?, row.get("variant")?);
    }
    out += "/// A text that is not in the table; [`from_text`](Self::from_text) makes it.\nUnrecognized(String),\n}\n\n";

    out += "impl MachineState {\n";
    let _ = writeln!(out, "/// Every state of the table.\npub const ALL: [Self; {}] = [", rows.len());
    for row in &rows {
        let _ = writeln!(out, "Self::{},", row.get("variant")?);
    }
    out += "];\n\n/// Returns the state of a text; a text that is not in the table is kept as it is.\n";
    out += "#[must_use]\npub fn from_text(text: &str) -> Self { match text {\n";
    for row in &rows {
        let _ = writeln!(out, "{:?} => Self::{},", row.get("text")?, row.get("variant")?);
    }
    out += "_ => Self::Unrecognized(text.to_owned()),\n}}\n\n";

    out += "/// Returns what CloudAPI makes of a state of VMAPI, the service behind it.\n///\n";
    out += "/// Any text that CloudAPI does not know is [`Unknown`](Self::Unknown).\n";
    out += "#[must_use]\npub fn from_vmapi(text: &str) -> Self { match text {\n";
    for row in &rows {
        if let Some(texts) = row.optional("vmapi")? {
            let patterns: Vec<String> = texts.split(' ').map(|text| format!("{text:?}")).collect();
            let _ = writeln!(out, "{} => Self::{},", patterns.join(" | "), row.get("variant")?);
        }
    }
    out += "_ => Self::Unknown,\n}}\n\n";

    let text = arms(&rows, |row| Ok(format!("{:?}", row.get("text")?)))?;
    out += &rust::match_method(
        "/// Returns the text that CloudAPI sends.\n#[must_use]\npub fn as_str(&self) -> &str",
        &text,
        "Self::Unrecognized(text) => text,",
    );
    let states = arms(&rows, |row| Ok(format!("NodeState::{}", row.get("node_state")?)))?;
    out += &rust::match_method(
        "/// Returns the uniform state; a text that is not in the table is [`NodeState::Unknown`].\n\
         #[must_use]\npub const fn node_state(&self) -> NodeState",
        &states,
        "Self::Unrecognized(_) => NodeState::Unknown,",
    );
    let numbers = some_arms(&rows, |row| Ok(row.optional("libcloud_2012")?.map(str::to_owned)))?;
    out += &rust::match_method(
        "/// Returns the number that stands for the state in libcloud 0.2 to 0.13, if there is one.\n///\n\
         /// libcloud called a machine that stops or is stopped terminated.\n\
         #[must_use]\npub const fn to_libcloud_2012(&self) -> Option<i32>",
        &numbers,
        "_ => None,",
    );
    let texts = some_arms(&rows, |row| Ok(row.optional("libcloud")?.map(|text| format!("{text:?}"))))?;
    out += &rust::match_method(
        "/// Returns the text that libcloud's Joyent driver made of the state, or `None` where it raised `KeyError`.\n\
         #[must_use]\npub const fn to_libcloud(&self) -> Option<&'static str>",
        &texts,
        "_ => None,",
    );
    Ok(out + "}\n")
}

/// Returns the variant of each row beside what `value` makes of the row.
fn arms(
    rows: &[Row<'_>],
    value: impl Fn(&Row<'_>) -> Result<String, CodegenError>,
) -> Result<Vec<(String, String)>, CodegenError> {
    rows.iter().map(|row| Ok((row.get("variant")?.to_owned(), value(row)?))).collect()
}

/// Returns the arms of the rows that have a value, the value wrapped in `Some`.
fn some_arms(
    rows: &[Row<'_>],
    value: impl Fn(&Row<'_>) -> Result<Option<String>, CodegenError>,
) -> Result<Vec<(String, String)>, CodegenError> {
    let mut found = Vec::new();
    for row in rows {
        if let Some(value) = value(row)? {
            found.push((row.get("variant")?.to_owned(), format!("Some({value})")));
        }
    }
    Ok(found)
}
