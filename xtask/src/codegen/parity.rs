//! Makes `docs/parity.md` and the test behind it from `parity.tsv`.
//!
//! A row that says `built` is kept honest twice: the test names its item, so that it does not compile without it, and
//! the test function that the row names must exist.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::table::{Row, Table};
use super::{CodegenError, MARKER, rust};

const SOURCE: &str = "parity.tsv";

/// One row of the table, checked.
struct Item<'a> {
    system: &'a str,
    name: &'a str,
    kind: &'a str,
    rust: &'a str,
    code: Option<&'a str>,
    test: Option<&'a str>,
    built: bool,
    note: Option<&'a str>,
}

/// Returns `docs/parity.md`.
pub(crate) fn render_doc(root: &Path) -> Result<String, CodegenError> {
    let table = Table::read(root, SOURCE)?;
    let items = items(&table, root)?;
    let mut out = format!("<!-- {MARKER} from `xtask/tables/{SOURCE}`; do not edit. -->\n\n");
    out += "# Parity with the older systems\n\n";
    out += "vmpool is to do all that five older systems do, with one vocabulary.\n";
    out += "This page lists every class, method, attribute, constant and exception that their documentation names.\n";
    out += "A test names every item that is listed as built, so that none can be missing; \
            of what is not built yet it says where it will be.\n\n";
    out += "| system | items | built | not built yet |\n|---|---:|---:|---:|\n";
    for system in systems(&items) {
        let all = items.iter().filter(|item| item.system == system);
        let (built, rest): (Vec<&Item<'_>>, Vec<_>) = all.partition(|item| item.built);
        let anchor = system.to_lowercase().replace(' ', "-");
        let (built, rest) = (built.len(), rest.len());
        let _ = writeln!(out, "| [{system}](#{anchor}) | {} | {built} | {rest} |", built + rest);
    }
    for system in systems(&items) {
        let _ = write!(
            out,
            "\n## {system}\n\n| there | kind | here | shown by | remark |\n|---|---|---|---|---|\n"
        );
        for item in items.iter().filter(|item| item.system == system) {
            let shown = match item.test {
                Some(test) => link(test),
                None => "not built yet".to_owned(),
            };
            let note = item.note.unwrap_or_default();
            let here = item.rust.replace(['<', '>'], "").replace("dyn ", "");
            let _ = writeln!(out, "| `{}` | {} | `{here}` | {shown} | {note} |", item.name, item.kind);
        }
    }
    Ok(out)
}

/// Returns the test that names every built item.
pub(crate) fn render_test(root: &Path) -> Result<String, CodegenError> {
    let table = Table::read(root, SOURCE)?;
    let items = items(&table, root)?;
    let mut out = rust::head(
        "Names every item that `docs/parity.md` lists as built: if one is missing, this does not compile.",
        &format!("xtask/tables/{SOURCE}"),
    );
    out += "/// Names a type.\nfn named<T: ?Sized>() {}\n\n";
    for system in systems(&items) {
        let built: Vec<_> = items.iter().filter(|item| item.system == system && item.built).collect();
        if built.is_empty() {
            continue;
        }
        let name = system.to_lowercase().replace(' ', "_");
        let _ = writeln!(out, "#[test]\nfn every_built_item_of_{name}_exists() {{");
        let mut done = Vec::new();
        for item in built {
            let code = item.code.map_or_else(|| naming(item.rust), str::to_owned);
            if !done.contains(&code) {
                let _ = writeln!(out, "// {}\n{code}", item.name);
                done.push(code);
            }
        }
        out += "}\n\n";
    }
    // Without any type in the table, nothing calls it.
    if !out.contains("named::<") {
        out = out.replace("/// Names a type.\nfn named<T: ?Sized>() {}\n\n", "");
    }
    Ok(out)
}

/// Returns the checked rows.
fn items<'a>(table: &'a Table, root: &Path) -> Result<Vec<Item<'a>>, CodegenError> {
    table.rows().map(|row| item(row, root)).collect()
}

fn item<'a>(row: Row<'a>, root: &Path) -> Result<Item<'a>, CodegenError> {
    let built = match row.get("status")? {
        "built" => true,
        "not built yet" => false,
        other => return Err(row.error(format!("status is `{other}`, expected `built` or `not built yet`"))),
    };
    let test = row.optional("test")?;
    match test {
        Some(test) if built => exists(row, test, root)?,
        None if !built => (),
        Some(_) => return Err(row.error("an item that is not built yet has no test".to_owned())),
        None => return Err(row.error("an item that is built names a test that shows it".to_owned())),
    }
    Ok(Item {
        system: row.get("system")?,
        name: row.get("item")?,
        kind: row.get("kind")?,
        rust: row.get("rust")?,
        code: row.optional("code")?,
        test,
        built,
        note: row.optional("note")?,
    })
}

/// Fails if the test function `file::function` does not exist.
pub(super) fn exists(row: Row<'_>, test: &str, root: &Path) -> Result<(), CodegenError> {
    let Some((file, function)) = test.rsplit_once("::") else {
        return Err(row.error(format!("test is `{test}`, expected `file::function`")));
    };
    let Ok(text) = fs::read_to_string(root.join(file)) else {
        return Err(row.error(format!("there is no file {file}")));
    };
    if text.contains(&format!("fn {function}(")) {
        Ok(())
    } else {
        Err(row.error(format!("there is no function {function} in {file}")))
    }
}

/// Returns the systems in the order of the table.
fn systems<'a>(items: &[Item<'a>]) -> Vec<&'a str> {
    let mut found = Vec::new();
    for item in items {
        if !found.contains(&item.system) {
            found.push(item.system);
        }
    }
    found
}

/// Returns a statement that compiles only if the item exists.
fn naming(path: &str) -> String {
    if let Some((owner, field)) = path.rsplit_once('.') {
        return format!("let _ = |it: &{owner}| {{ let _ = &it.{field}; }};");
    }
    let is_type = |part: Option<&str>| part.is_some_and(|part| part.starts_with(char::is_uppercase));
    let mut parts = path.rsplit("::");
    match (is_type(parts.next()), is_type(parts.next())) {
        // A variant or a constant of a type has a value; a type has none.
        (true, false) => format!("named::<{path}>();"),
        _ => format!("let _ = {path};"),
    }
}

/// Returns a link from a page in `docs` to the file of a test.
pub(super) fn link(test: &str) -> String {
    let (file, function) = test.rsplit_once("::").unwrap_or((test, test));
    format!("[`{function}`](../{file})")
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &str = "system\titem\tkind\trust\tcode\ttest\tstatus\tnote\n";

    /// Returns what is wrong with a row, looked at in the workspace itself.
    fn check(test: &str, status: &str) -> Result<(), String> {
        let row = format!("{COLUMNS}s\ti\tmethod\ta::B::c\t-\t{test}\t{status}\t-\n");
        let table = Table::parse("parity.tsv".into(), &row).unwrap();
        items(&table, &crate::tree::root()).map(|_| ()).map_err(|err| err.to_string())
    }

    #[test]
    fn a_built_item_needs_a_test_that_exists() {
        assert_eq!(check("xtask/src/codegen/parity.rs::check", "built"), Ok(()));
        let missing = |what: &str| Err(format!("parity.tsv:2: {what}"));
        assert_eq!(check("-", "built"), missing("an item that is built names a test that shows it"));
        assert_eq!(check("no/such.rs::check", "built"), missing("there is no file no/such.rs"));
        assert_eq!(
            check("xtask/src/codegen/parity.rs::no_such", "built"),
            missing("there is no function no_such in xtask/src/codegen/parity.rs")
        );
        assert_eq!(check("check", "built"), missing("test is `check`, expected `file::function`"));
    }

    #[test]
    fn an_item_is_built_or_not_built_yet() {
        assert_eq!(check("-", "not built yet"), Ok(()));
        let wrong = "parity.tsv:2: status is `soon`, expected `built` or `not built yet`";
        assert_eq!(check("-", "soon"), Err(wrong.to_owned()));
    }

    #[test]
    fn each_sort_of_item_is_named_in_its_own_way() {
        assert_eq!(naming("a::Type"), "named::<a::Type>();");
        assert_eq!(naming("a::Type::method"), "let _ = a::Type::method;");
        assert_eq!(naming("a::Type::Variant"), "let _ = a::Type::Variant;");
        assert_eq!(naming("a::b::function"), "let _ = a::b::function;");
        assert_eq!(naming("a::Type.field"), "let _ = |it: &a::Type| { let _ = &it.field; };");
    }
}
