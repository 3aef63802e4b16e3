//! The suite is complete.

/// The files in `rules`, by module.
const RULES: [(&str, &str); 9] = [
    ("capabilities", include_str!("rules/capabilities.rs")),
    ("create", include_str!("rules/create.rs")),
    ("errors", include_str!("rules/errors.rs")),
    ("hints", include_str!("rules/hints.rs")),
    ("identity", include_str!("rules/identity.rs")),
    ("lifecycle", include_str!("rules/lifecycle.rs")),
    ("listing", include_str!("rules/listing.rs")),
    ("power", include_str!("rules/power.rs")),
    ("unknown", include_str!("rules/unknown.rs")),
];

/// Returns each rule as the suite names it, such as `create: a_name_is_kept,`.
fn rules() -> Vec<String> {
    let functions =
        |source: &'static str| source.lines().filter_map(|line| line.strip_prefix("pub async fn "));
    let name = |line: &'static str| line.split('(').next().unwrap_or_default();
    let named = |module| move |line| format!("{module}: {},", name(line));
    RULES.iter().flat_map(|(module, source)| functions(source).map(named(module))).collect()
}

fn missing_in(place: &str) -> Vec<String> {
    rules().into_iter().filter(|rule| !place.lines().any(|line| line.trim() == rule)).collect()
}

#[test]
fn the_suite_has_every_rule() {
    assert!(!rules().is_empty());
    assert_eq!(missing_in(include_str!("mod.rs")), [""; 0]);
}

#[test]
fn every_module_of_rules_is_looked_into() {
    let modules = include_str!("rules/mod.rs").lines().filter_map(|line| line.strip_prefix("pub mod "));
    let modules: Vec<_> = modules.map(|module| module.trim_end_matches(';')).collect();
    assert_eq!(RULES.map(|(module, _)| module).to_vec(), modules);
}

#[test]
fn every_rule_is_shown_to_catch_a_broken_driver() {
    let shown = include_str!("../../tests/driver/broken.rs").replace(" => ", ",\n");
    assert_eq!(missing_in(&shown), [""; 0]);
}
