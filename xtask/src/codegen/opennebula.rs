//! Makes `VmState` and `LcmState` from the tables of OpenNebula's states.

use std::fmt::Write as _;
use std::path::Path;

use super::table::{Row, Table};
use super::{CodegenError, rust};

const VM: &str = "opennebula-vm-states.tsv";
const LCM: &str = "opennebula-lcm-states.tsv";

/// Returns the source of `states/opennebula/vm_state.rs`.
pub(crate) fn render_vm(root: &Path) -> Result<String, CodegenError> {
    let table = Table::read(root, VM)?;
    let rows: Vec<_> = table.rows().collect();
    let mut out = rust::head("[`VmState`], the `STATE` of an OpenNebula VM.", &format!("xtask/tables/{VM}"));
    out += "use crate::states::NodeState;\n\n";
    out += &enumeration(&rows, "VmState", "The state of an OpenNebula VM, its `STATE`.")?;
    out += "impl VmState {\n";
    out += &numbers(&rows)?;
    out += &texts(&rows, "str_state", "short_state")?;
    let arms = arms(&rows, |row| {
        Ok(match row.get("node_state")? {
            "LCM" => "None".to_owned(),
            state => format!("Some(NodeState::{state})"),
        })
    })?;
    out += &rust::match_method(
        "/// Returns the uniform state, or `None` for [`Active`](Self::Active), where the LCM state decides.\n\
         ///\n/// A number that is not in the table is [`NodeState::Unknown`].\n\
         pub(super) const fn node_state(self) -> Option<NodeState>",
        &arms,
        "Self::Unrecognized(_) => Some(NodeState::Unknown),",
    );
    Ok(out + "}\n")
}

/// Returns the source of `states/opennebula/lcm_state.rs`.
pub(crate) fn render_lcm(root: &Path) -> Result<String, CodegenError> {
    let table = Table::read(root, LCM)?;
    let rows: Vec<_> = table.rows().collect();
    let mut out =
        rust::head("[`LcmState`], the `LCM_STATE` of an OpenNebula VM.", &format!("xtask/tables/{LCM}"));
    out += "use crate::states::NodeState;\n\n";
    let doc =
        "The life cycle state of an OpenNebula VM, its `LCM_STATE`, which tells more about an active VM.";
    out += &enumeration(&rows, "LcmState", doc)?;
    out += "impl LcmState {\n";
    out += &numbers(&rows)?;
    out += &texts(&rows, "str_lcm_state", "short_lcm_state")?;
    let states = arms(&rows, |row| Ok(format!("NodeState::{}", row.get("node_state")?)))?;
    out += &rust::match_method(
        "/// Returns the uniform state of an active VM.\npub(super) const fn node_state(self) -> NodeState",
        &states,
        "Self::Unrecognized(_) => NodeState::Unknown,",
    );
    let mut variants = Vec::new();
    for row in &rows {
        if row.flag("reconfiguring")? {
            variants.push(rust::camel(row.get("name")?));
        }
    }
    out += &rust::matches_method(
        "/// Returns whether an active VM is being changed meanwhile.\n\
         pub(super) const fn is_reconfiguring(self) -> bool",
        &variants,
    );
    Ok(out + "}\n")
}

/// Returns the enum with one variant per row and one for the numbers of the future.
fn enumeration(rows: &[Row<'_>], name: &str, doc: &str) -> Result<String, CodegenError> {
    let mut out = format!(
        "/// {doc}\n///\n/// The numbers are those of OpenNebula 6.10 to 7.4; retired ones are kept.\n\
         #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]\n#[non_exhaustive]\npub enum {name} {{\n"
    );
    for (index, row) in rows.iter().enumerate() {
        if row.get("number")? != index.to_string() {
            return Err(row.error(format!("number {index} is expected here")));
        }
        let name = row.get("name")?;
        let _ = writeln!(out, "/// {index}, `{name}`: {}\n{},", row.get("doc")?, rust::camel(name));
    }
    out += "/// A number that is not in the table; [`from_number`](Self::from_number) makes it.\nUnrecognized(i32),\n}\n\n";
    Ok(out)
}

/// Returns the constant and the two methods that deal with numbers.
fn numbers(rows: &[Row<'_>]) -> Result<String, CodegenError> {
    let mut out = format!(
        "/// Every state of the table, in the order of its number.\npub const ALL: [Self; {}] = [",
        rows.len()
    );
    for row in rows {
        let _ = write!(out, "Self::{}, ", rust::camel(row.get("name")?));
    }
    out += "];\n\n/// Returns the state of a number; a number that is not in the table is kept as it is.\n";
    out += "#[must_use]\npub const fn from_number(number: i32) -> Self { match number {\n";
    for row in rows {
        let _ = writeln!(out, "{} => Self::{},", row.get("number")?, rust::camel(row.get("name")?));
    }
    out += "_ => Self::Unrecognized(number),\n}}\n\n";
    let arms = arms(rows, |row| Ok(row.get("number")?.to_owned()))?;
    let signature =
        "/// Returns the number that OpenNebula sends.\n#[must_use]\npub const fn number(self) -> i32";
    Ok(out + &rust::match_method(signature, &arms, "Self::Unrecognized(number) => number,"))
}

/// Returns the methods for the long and the two short names.
fn texts(rows: &[Row<'_>], long: &str, short: &str) -> Result<String, CodegenError> {
    let quoted = |column: &'static str| arms(rows, move |row| Ok(format!("{:?}", row.get(column)?)));
    let mut out = rust::match_method(
        &format!(
            "/// Returns OpenNebula's name of the state, oca's `{long}`; `UNRECOGNIZED` if it is not in the table.\n\
             #[must_use]\npub const fn {long}(self) -> &'static str"
        ),
        &quoted("name")?,
        "Self::Unrecognized(_) => \"UNRECOGNIZED\",",
    );
    out += &rust::match_method(
        &format!(
            "/// Returns the four letters that OpenNebula's tools show, oca's `{short}`; `-` if it is not in the table.\n\
             #[must_use]\npub const fn {short}(self) -> &'static str"
        ),
        &quoted("short")?,
        "Self::Unrecognized(_) => \"-\",",
    );
    let python = arms(rows, |row| {
        Ok(match row.optional("python_short")? {
            Some(short) => format!("Some({short:?})"),
            None => "None".to_owned(),
        })
    })?;
    // The arm of every state without a short name also takes the states outside the table.
    let python: Vec<_> = python.into_iter().filter(|(_, value)| value != "None").collect();
    out += &rust::match_method(
        "/// Returns the short name of python-oca 4.15.2, which has none for newer states.\n\
         #[must_use]\npub const fn python_short(self) -> Option<&'static str>",
        &python,
        "_ => None,",
    );
    Ok(out)
}

/// Returns the variant of each row beside what `value` makes of the row.
fn arms(
    rows: &[Row<'_>],
    value: impl Fn(&Row<'_>) -> Result<String, CodegenError>,
) -> Result<Vec<(String, String)>, CodegenError> {
    rows.iter().map(|row| Ok((rust::camel(row.get("name")?), value(row)?))).collect()
}
