//! Configurations that do not fit are refused with file, line, column, key and what is allowed.

use std::{path::Path, time::Duration};

use vmpool_server::{Config, ConfigError};

use crate::{GOOD, check, check_begin, parse};

#[test]
fn a_good_configuration_is_taken() {
    let config = parse(GOOD).unwrap();
    assert_eq!(config.pools.len(), 1);
    assert_eq!(config.daemon.state_dir, Path::new("vmpool-state"));
}

#[test]
fn an_empty_configuration_is_taken() {
    assert_eq!(parse("").unwrap().daemon.listen.to_string(), "127.0.0.1:7717");
}

#[test]
fn what_is_no_toml_names_the_place() {
    check_begin("size = 2", "size = = 2", "vmpool.toml:14:8: ");
}

#[test]
fn a_key_that_is_given_twice_is_named() {
    check("size = 2", "size = 2\nsize = 3", "vmpool.toml:15:1: the key `size` is given twice");
    check(
        "[pools.small]",
        "[pools.small]\n[pools.small]",
        "vmpool.toml:12:8: the key `small` is given twice",
    );
}

#[test]
fn an_unknown_key_is_named_with_what_is_allowed() {
    check_begin(
        "size = 2",
        "sise = 2",
        "vmpool.toml:14:1: pools.small.sise: unknown field `sise`, did you mean `size`? Expected one of `provider`, `template`, `offers`",
    );
    check(
        "[daemon]",
        "[demon]",
        "vmpool.toml:1:2: demon: unknown field `demon`, did you mean `daemon`? Expected one of `installation`, `daemon`, `access`, `limits`, `providers`, `pools`",
    );
}

#[test]
fn a_wrong_type_names_the_key() {
    check(
        "size = 2",
        "size = \"two\"",
        "vmpool.toml:14:8: pools.small.size: a whole number of 0 or more is expected, not the text \"two\"",
    );
}

#[test]
fn a_value_out_of_range_is_told_what_is_allowed() {
    check(
        "size = 2",
        "size = -1",
        "vmpool.toml:14:8: pools.small.size: a whole number of 0 or more is expected, not the number -1",
    );
    check(
        "driver = \"dummy\"",
        "driver = \"dummy\"\nmax_concurrent = \"x\"",
        "vmpool.toml:6:18: providers.lab.max_concurrent: a whole number of 0 or more is expected, not the text \"x\"",
    );
}

#[test]
fn a_table_in_place_of_a_value_and_a_value_in_place_of_a_table_are_named() {
    check(
        "size = 2",
        "size = {}",
        "vmpool.toml:14:8: pools.small.size: a whole number of 0 or more is expected, not a table",
    );
    check(
        "[daemon]\nlisten = \"127.0.0.1:0\"",
        "daemon = 3",
        "vmpool.toml:1:10: daemon: a table is expected, not the number 3",
    );
    check(
        "size = 2",
        "check = 3",
        "vmpool.toml:14:9: pools.small.check: a table is expected, not the number 3",
    );
}

#[test]
fn a_value_can_be_refused_later_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vmpool.toml");
    std::fs::write(&path, GOOD).unwrap();
    let err = ConfigError::of_value(&path, "daemon.listen", "no");
    assert_eq!(err.to_string(), format!("{}:2:10: daemon.listen: no", path.display()));
}

#[test]
fn a_configuration_without_pools_or_providers_is_warned_about() {
    let warnings = |text: &str| parse(text).unwrap().warnings();
    assert_eq!(warnings(GOOD), Vec::<String>::new());
    let pools = GOOD.split("[pools.small]").next().unwrap();
    assert!(warnings(pools)[0].starts_with("there is no pool, so no VM can be leased"));
    assert!(warnings("")[0].starts_with("there is no provider, so no VM can be made"));
}

#[test]
fn a_missing_key_names_the_table() {
    check(
        "template = \"small\"\n",
        "",
        "vmpool.toml:11:8: pools.small.template: it is missing: what are the VMs made from?",
    );
}

#[test]
fn a_bad_name_is_refused() {
    check_begin(
        "[pools.small]",
        "[pools.Small]",
        "vmpool.toml:11:8: pools.Small: \"Small\" is not a valid pool name",
    );
}

#[test]
fn a_bad_duration_says_how_to_write_one() {
    check_begin(
        "size = 2",
        "lease_ttl = \"10\"",
        "vmpool.toml:14:13: pools.small.lease_ttl: \"10\" is not a duration: write numbers with units up to hours, such as",
    );
}

#[test]
fn a_bad_address_says_how_to_write_one() {
    check(
        "127.0.0.1:0",
        "localhost:80",
        "vmpool.toml:2:10: daemon.listen: \"localhost:80\" is not an address to listen on: write an IP address and a \
         port, such as 127.0.0.1:7717 or [::1]:7717",
    );
}

#[test]
fn an_unknown_driver_is_told_the_drivers() {
    let built: Vec<_> = [
        ("cloudapi", cfg!(feature = "cloudapi")),
        ("dummy", true),
        ("opennebula", cfg!(feature = "opennebula")),
    ]
    .into_iter()
    .filter_map(|(driver, is_built)| is_built.then_some(driver))
    .collect();
    check(
        "driver = \"dummy\"",
        "driver = \"dumy\"",
        &format!(
            "vmpool.toml:5:10: providers.lab.driver: there is no driver \"dumy\"; the drivers are {}",
            built.join(", ")
        ),
    );
}

#[test]
fn an_unknown_provider_is_told_the_providers() {
    check(
        "provider = \"lab\"",
        "provider = \"labs\"",
        "vmpool.toml:12:12: pools.small.provider: there is no provider labs; the providers are lab",
    );
}

#[test]
fn an_option_that_the_driver_does_not_know_is_named() {
    check_begin(
        "boot_latency",
        "boot_delay",
        "vmpool.toml:8:1: providers.lab.options.boot_delay: unknown field `boot_delay`, expected one of",
    );
}

#[test]
fn an_option_that_the_driver_cannot_use_is_named() {
    check_begin(
        "\"2s\"",
        "\"2\"",
        "vmpool.toml:8:1: providers.lab.options.boot_latency: the value is not a duration",
    );
    check_begin(
        "= 0.1",
        "= true",
        "vmpool.toml:9:8: providers.lab.options.faults.lost_answers: a number is expected, not true or false",
    );
}

#[test]
fn values_that_do_not_fit_together_name_the_key_or_its_table() {
    check(
        "size = 2",
        "size = 2\nmax_total = 1",
        "vmpool.toml:15:1: pools.small.max_total: it is 1, which is below size (2)",
    );
    check(
        "size = 2",
        "",
        "vmpool.toml:11:8: pools.small.size: size, min_ready or max_total must be above 0, or the pool stays empty",
    );
}

#[test]
fn impossible_limits_are_named() {
    check(
        "size = 2",
        "max_total = 2\nmin_ready = 3",
        "vmpool.toml:14:1: pools.small.max_total: it is 2, which is below min_ready (3)",
    );
    check(
        "[daemon]",
        "[limits.owners.\"a/b\"]\nweight = 0\n[daemon]",
        "vmpool.toml:2:1: limits.owners.a/b.weight: it is 0, so the owner would never be served while another one waits",
    );
    check(
        "size = 2",
        "size = 2\non_release = \"clean\"",
        "vmpool.toml:15:1: pools.small.on_release: it is `clean`, but there is no hooks.before_release that cleans",
    );
}

#[test]
fn what_an_offer_or_a_fallback_refers_to_must_be_there() {
    check(
        "provider = \"lab\"\ntemplate = \"small\"\n",
        "offers = [{ provider = \"lab\", template = \"a\" }, { provider = \"lap\", template = \"b\" }]\n",
        "vmpool.toml:12:62: pools.small.offers[1].provider: there is no provider lap; the providers are lab",
    );
    check(
        "size = 2",
        "size = 2\nfallback = \"big\"",
        "vmpool.toml:15:12: pools.small.fallback: there is no pool big; the pools are small",
    );
    check(
        "size = 2",
        "size = 2\nfallback = \"small\"",
        "vmpool.toml:15:12: pools.small.fallback: it leads back to the pool: small → small",
    );
}

#[test]
fn every_problem_between_tables_is_told_at_once() {
    let text = GOOD.replace("\"dummy\"", "\"dumy\"").replace("provider = \"lab\"", "provider = \"x\"");
    let err = parse(&text).unwrap_err();
    assert_eq!(err.problems().len(), 2);
    assert_eq!(err.to_string().lines().count(), 2);
}

#[test]
fn a_relative_state_directory_counts_from_the_directory_of_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vmpool.toml");
    std::fs::write(&path, GOOD).unwrap();
    let config = Config::load(&path, &vmpool::drivers::builtin()).unwrap();
    assert_eq!(config.daemon.state_dir, directory.path().join("vmpool-state"));
    assert_eq!(config.providers["lab"].request_timeout, Duration::from_secs(60));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let err = Config::load(Path::new("/nonexistent/vmpool.toml"), &vmpool::drivers::builtin()).unwrap_err();
    assert!(err.to_string().starts_with("cannot read the configuration /nonexistent/vmpool.toml: "), "{err}");
}

#[test]
fn no_value_below_the_options_of_a_driver_is_shown() {
    let table = "[providers.lab.options]\nboot_latency = \"2s\"\nfaults.lost_answers = 0.1";
    assert!(GOOD.contains(table));
    for (from, to) in
        [(table, "options = \"hunter2\""), ("\"2s\"", "\"hunter2\""), ("= 0.1", "= \"hunter2\"")]
    {
        let err = parse(&GOOD.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(err.contains("providers.lab.options") && !err.contains("hunter2"), "{err}");
    }
}

#[test]
fn a_driver_that_was_not_built_in_says_how_to_have_it() {
    let registry = vmpool::driver::Registry::new().with(vmpool::dummy::factory());
    let text = GOOD.replace("driver = \"dummy\"", "driver = \"opennebula\"");
    assert_eq!(
        Config::parse(&text, "vmpool.toml", &registry).unwrap_err().to_string(),
        "vmpool.toml:5:10: providers.lab.driver: there is no driver \"opennebula\"; the drivers are dummy: this program was \
         built without it, build it with the feature opennebula"
    );
}
