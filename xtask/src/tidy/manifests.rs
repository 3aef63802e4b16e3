//! The manifests: who may depend on whom, and what every crate takes from the workspace.

use toml::{Table, Value};

use super::{Finding, Rule};
use crate::dag;
use crate::tree::{SourceFile, Tree};

pub(super) const EDGES: Rule = Rule {
    name: "edges",
    demands: "a crate depends on crates above it in xtask/src/dag.rs only, and only on those listed there",
    check: |tree| members(tree).flat_map(|(file, member)| check_edges(file, member)).collect(),
    #[cfg(test)]
    sample: || Tree::of("crates/engine/Cargo.toml", "[dependencies]\nvmpool-store.workspace = true\n"),
};

pub(super) const MANIFESTS: Rule = Rule {
    name: "manifests",
    demands: "a manifest describes its crate and takes version, edition, license, lints and dependencies from the root",
    check: |tree| members(tree).flat_map(|(file, member)| check_manifest(file, member)).collect(),
    #[cfg(test)]
    sample: || {
        Tree::of("crates/engine/Cargo.toml", "[package]\nname = \"vmpool-engine\"\nversion = \"0.1.0\"\n")
    },
};

/// What a crate takes from `[workspace.package]`.
const INHERITED: [&str; 5] = ["version", "edition", "rust-version", "license", "publish"];

/// A member of the workspace, by its folder.
#[derive(Clone, Copy, Debug)]
enum Member<'a> {
    /// A folder under `crates/`.
    Crate(&'a str),
    /// A package that may depend on anything.
    Free(&'static str),
}

/// Returns the manifests of the members; the third-party examples under `docs/` are none.
fn members(tree: &Tree) -> impl Iterator<Item = (&SourceFile, Member<'_>)> {
    tree.files.iter().filter_map(|file| {
        let folder = file.path.strip_suffix("/Cargo.toml")?;
        let free = dag::FREE.iter().find(|(path, _)| *path == folder).map(|(_, name)| Member::Free(name));
        free.or_else(|| folder.strip_prefix("crates/").map(Member::Crate)).map(|member| (file, member))
    })
}

fn check_edges(file: &SourceFile, member: Member<'_>) -> Vec<Finding> {
    let finding = |what: String| Finding::file(&file.path, what);
    let manifest = match file.text.parse::<Table>() {
        Ok(manifest) => manifest,
        Err(err) => return vec![finding(format!("is no TOML: {}", err.message()))],
    };
    let allowed: Option<Vec<String>> = match member {
        Member::Free(_) => None,
        Member::Crate(folder) => match dag::row(folder) {
            Some(row) => Some(row.may_depend_on.iter().map(|folder| dag::package(folder)).collect()),
            None => return vec![finding(format!("the crate {folder} has no row in xtask/src/dag.rs"))],
        },
    };
    let mut findings = Vec::new();
    for section in sections(&manifest) {
        for (name, spec) in section.dependencies {
            let package = spec.get("package").and_then(Value::as_str).unwrap_or(name);
            if !is_internal(package) {
                continue;
            }
            let may = allowed.as_ref().is_none_or(|allowed| allowed.iter().any(|allowed| allowed == package));
            if !section.dev && !may {
                findings.push(finding(format!("may not depend on {package}")));
            }
            if section.dev && (spec.get("path").is_none() || spec.get("version").is_some()) {
                let what =
                    format!("the dev-dependency on {package} must be `{{ path = … }}`, with no version");
                findings.push(finding(what));
            }
        }
    }
    findings
}

fn check_manifest(file: &SourceFile, member: Member<'_>) -> Vec<Finding> {
    let finding = |what: String| Finding::file(&file.path, what);
    let Ok(manifest) = file.text.parse::<Table>() else { return Vec::new() };
    let package = |key: &str| manifest.get("package").and_then(|package| package.get(key));
    let mut findings = Vec::new();
    let name = match member {
        Member::Crate(folder) => dag::package(folder),
        Member::Free(name) => name.to_owned(),
    };
    if package("name").and_then(Value::as_str) != Some(&name) {
        findings.push(finding(format!("the package must be called {name}")));
    }
    if package("description").and_then(Value::as_str).is_none_or(str::is_empty) {
        findings.push(finding("has no description".to_owned()));
    }
    for key in INHERITED.into_iter().filter(|key| !package(key).is_some_and(is_inherited)) {
        findings.push(finding(format!("must say `{key}.workspace = true`")));
    }
    if !manifest.get("lints").is_some_and(is_inherited) {
        findings.push(finding("must say `[lints] workspace = true`".to_owned()));
    }
    for section in sections(&manifest) {
        for (name, spec) in section.dependencies {
            if !is_internal(name) && !is_inherited(spec) {
                findings.push(finding(format!("must take {name} from [workspace.dependencies]")));
            }
        }
    }
    findings
}

/// A table of dependencies.
struct Section<'a> {
    dev: bool,
    dependencies: &'a Table,
}

/// Returns the tables of dependencies, those for some targets only included.
fn sections(manifest: &Table) -> Vec<Section<'_>> {
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let places = std::iter::once(manifest).chain(targets.filter_map(Value::as_table));
    let kinds = [("dependencies", false), ("build-dependencies", false), ("dev-dependencies", true)];
    places
        .flat_map(|place| {
            kinds.iter().filter_map(move |(kind, dev)| {
                Some(Section { dev: *dev, dependencies: place.get(*kind)?.as_table()? })
            })
        })
        .collect()
}

fn is_internal(package: &str) -> bool {
    dag::ROWS.iter().any(|row| row.package() == package)
        || dag::FREE.iter().any(|(_, name)| *name == package)
        || package.starts_with("vmpool-")
}

fn is_inherited(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(folder: &str, text: &str) -> Vec<String> {
        let findings = (EDGES.check)(&Tree::of(&format!("crates/{folder}/Cargo.toml"), text));
        findings.into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn an_edge_in_the_table_passes_and_any_other_does_not() {
        assert_eq!(edges("manager", "[dependencies]\nvmpool-engine.workspace = true\n"), [""; 0]);
        let upwards = "may not depend on vmpool-manager";
        assert_eq!(edges("engine", "[dependencies]\nvmpool-manager.workspace = true\n"), [upwards]);
        assert_eq!(edges("engine", "[build-dependencies]\nvmpool-manager.workspace = true\n"), [upwards]);
        assert_eq!(edges("engine", "[target.'cfg(unix)'.dependencies]\nvmpool-manager = {}\n"), [upwards]);
        assert_eq!(edges("engine", "[dependencies]\nm = { package = \"vmpool-manager\" }\n"), [upwards]);
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        assert_eq!(edges("extra", ""), ["the crate extra has no row in xtask/src/dag.rs"]);
    }

    #[test]
    fn a_dev_dependency_is_free_but_has_no_version() {
        let with =
            |spec: &str| edges("model", &format!("[dev-dependencies]\nvmpool-testkit = {spec}\n")).len();
        assert_eq!(with("{ path = \"../testkit\" }"), 0);
        assert_eq!(with("{ path = \"../testkit\", version = \"0.1\" }"), 1);
        assert_eq!(with("{ workspace = true }"), 1);
    }

    #[test]
    fn each_missing_part_of_a_manifest_is_named() {
        let whole = "[package]\nname = \"vmpool-model\"\ndescription = \"The words\"\nversion.workspace = true\n\
            edition.workspace = true\nrust-version.workspace = true\nlicense.workspace = true\n\
            publish.workspace = true\n[dependencies]\nserde.workspace = true\n[lints]\nworkspace = true\n";
        let found = |text: &str| (MANIFESTS.check)(&Tree::of("crates/model/Cargo.toml", text)).len();
        assert_eq!(found(whole), 0);
        for left_out in whole.lines().filter(|line| line.contains(" = ") && !line.starts_with("serde")) {
            let rest: Vec<&str> = whole.lines().filter(|line| *line != left_out).collect();
            assert_eq!(found(&rest.join("\n")), 1, "without {left_out}");
        }
        assert_eq!(found(&whole.replace("serde.workspace = true", "serde = \"1\"")), 1);
    }
}
