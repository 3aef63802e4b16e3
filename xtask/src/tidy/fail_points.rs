//! Fail points are in no release build, and each name of one stands at one place.

use toml::Table;

use super::{Finding, Rule};
use crate::tree::Tree;

pub(super) const RULE: Rule = Rule {
    name: "fail-points",
    demands: "only the tests ask for fail points, only builds with debug assertions have them, no release build has these, and each point is reached at one place",
    check,
    #[cfg(test)]
    sample: || {
        Tree::of("crates/manager/Cargo.toml", "[features]\ndefault = [\"vmpool-store/fail-points\"]\n")
    },
};

/// Who has them, and who asks for them.
const OWNER: &str = "crates/store/Cargo.toml";
const USER: &str = "tests/Cargo.toml";

/// Where their names are listed.
const LIST: &str = "crates/store/src/fail_point.rs";

const FEATURE: &str = "feature = \"fail-points\"";
const GUARD: &str = "all(feature = \"fail-points\", debug_assertions)";

fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.path.ends_with("Cargo.toml")) {
        let lines = file.lines().filter(|(_, line)| !line.trim_start().starts_with('#'));
        for (number, _) in lines.filter(|(_, line)| line.contains("fail-points")) {
            if file.path != OWNER && file.path != USER {
                let what = format!("only {USER} may ask for fail points");
                findings.push(Finding::line(&file.path, number, what));
            }
        }
        findings.extend(check_manifest(&file.path, &file.text));
    }
    for file in tree.rust().filter(|file| file.path.starts_with("crates/")) {
        for (number, line) in file.code_lines() {
            if line.replace(GUARD, "").contains(FEATURE) {
                let what = format!("a fail point needs `{GUARD}`");
                findings.push(Finding::line(&file.path, number, what));
            }
        }
    }
    findings.extend(check_names(tree));
    findings
}

/// Finds features that are on by default and have fail points, and profiles for others than developers with assertions.
fn check_manifest(path: &str, text: &str) -> Vec<Finding> {
    let Ok(manifest) = text.parse::<Table>() else { return Vec::new() };
    let mut findings = Vec::new();
    let features = manifest.get("features").and_then(|features| features.get("default"));
    if features.is_some_and(|features| features.to_string().contains("fail-points")) {
        findings.push(Finding::file(path, "fail points are on by default"));
    }
    let profiles = manifest.get("profile").and_then(|profiles| profiles.as_table()).into_iter().flatten();
    for (name, profile) in profiles {
        let asserts = profile.get("debug-assertions").is_some_and(|asserts| asserts.as_bool() != Some(false));
        if asserts && name != "dev" && name != "test" {
            findings.push(Finding::file(
                path,
                format!("the profile {name} has debug assertions, and so fail points"),
            ));
        }
    }
    findings
}

fn check_names(tree: &Tree) -> Vec<Finding> {
    let Some(list) = tree.file(LIST) else { return Vec::new() };
    let listed = list.code_lines().filter_map(|(number, line)| {
        let name = line.strip_prefix("    \"")?.strip_suffix("\",")?;
        Some((number, name))
    });
    let mut findings = Vec::new();
    let mut known = Vec::new();
    for (number, name) in listed {
        known.push(name);
        let places = tree.rust().map(|file| file.text.matches(&format!("reach(\"{name}\")")).count());
        let count: usize = places.sum();
        if count != 1 {
            findings.push(Finding::line(
                LIST,
                number,
                format!("{name} is reached at {count} places, not at one"),
            ));
        }
    }
    for file in tree.rust().filter(|file| file.path.starts_with("crates/")) {
        for (number, line) in file.code_lines() {
            let name = line.split_once("fail_point::reach(\"").and_then(|(_, rest)| rest.split('"').next());
            if name.is_some_and(|name| !known.contains(&name)) {
                findings.push(Finding::line(
                    &file.path,
                    number,
                    format!("this point is not listed in {LIST}"),
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of(path, text)).len()
    }

    #[test]
    fn only_the_tests_ask_for_fail_points() {
        let text = "[dependencies]\nvmpool-store = { workspace = true, features = [\"fail-points\"] }\n";
        assert_eq!([found(USER, text), found("crates/cli/Cargo.toml", text)], [0, 1]);
    }

    #[test]
    fn no_feature_has_them_by_default_and_no_release_build_has_assertions() {
        assert_eq!(found(OWNER, "[features]\ndefault = [\"fail-points\"]\n"), 1);
        assert_eq!(found("Cargo.toml", "[profile.release]\ndebug-assertions = true\n"), 1);
        assert_eq!(found("Cargo.toml", "[profile.dev]\ndebug-assertions = true\n"), 0);
    }

    #[test]
    fn a_fail_point_that_a_release_build_might_have_is_found() {
        assert_eq!(found("crates/store/src/a.rs", "#[cfg(feature = \"fail-points\")]\nmod live;\n"), 1);
        assert_eq!(found("crates/store/src/a.rs", &format!("#[cfg({GUARD})]\nmod live;\n")), 0);
    }

    #[test]
    fn a_listed_point_that_nobody_reaches_is_found() {
        assert_eq!(found(LIST, "pub const POINTS: &[&str] = &[\n    \"a.b\",\n];\n"), 1);
    }
}
