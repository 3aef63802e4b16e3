//! All that is wrong with a file is told at once.

use crate::parse;

/// Returns what is told of a text, without the name of the file.
fn told(text: &str) -> Vec<String> {
    let problems = parse(text).unwrap_err();
    problems.problems().iter().map(ToString::to_string).collect()
}

#[test]
fn every_key_and_value_that_cannot_be_read_is_told() {
    let text = r#"[daemon]
listen = "nowhere"
[providers.lab]
driver = "dummy"
list_intervall = "2s"
[pools.small]
provider = "lab"
template = "small"
size = "two"
min_ready = -1
[[pools.small.offers]]
provider = "lab"
template = "other"
weigth = 3
[pools.big]
check_timeout = "0"
"#;
    let told = told(text);
    let wanted = [
        "2:10: daemon.listen: \"nowhere\" is not an address to listen on",
        "5:1: providers.lab.list_intervall: unknown field `list_intervall`",
        "9:8: pools.small.size: a whole number of 0 or more is expected, not the text \"two\"",
        "10:13: pools.small.min_ready: a whole number of 0 or more is expected, not the number -1",
        "14:1: pools.small.offers[0].weigth: unknown field `weigth`",
        "16:17: pools.big.check_timeout: \"0\" is not a duration",
    ];
    for wanted in wanted {
        assert!(told.iter().any(|told| told.starts_with(wanted)), "{wanted} is missing: {told:#?}");
    }
    assert_eq!(told.len(), wanted.len(), "{told:#?}");
}

#[test]
fn what_refers_to_a_provider_that_cannot_be_read_is_not_blamed() {
    let text = r#"[providers.lab]
list_interval = "2s"
[pools.small]
provider = "lab"
template = "small"
max_uses = 0
"#;
    let wanted = [
        "1:1: providers.lab: missing field `driver`",
        "3:8: pools.small.size: size, min_ready or max_total must be above 0, or the pool stays empty",
        "6:1: pools.small.max_uses: it is 0, so no VM could ever be used",
    ];
    assert_eq!(told(text), wanted);
}

#[test]
fn everything_that_does_not_fit_together_is_told_with_its_place() {
    let text = r#"[limits.owners.ann]
weight = 0
[providers.lab]
driver = "dummy"
burst = 0
max_concurrent = 0
quota = { vms = 4 }
[providers.lab.options]
boot_latency = 3
bot_latency = "3s"
faults.lost_answers = "x"
[pools.small]
provider = "lab"
template = "small"
size = 2
check_timeout = "0s"
retry_min = "0s"
demand = { max_ready = 3 }
[pools.big]
provider = "lab"
template = "big"
min_ready = 5
"#;
    let told = told(text);
    let wanted = [
        "2:1: limits.owners.ann.weight: ",
        "6:1: providers.lab.max_concurrent: it is 0",
        "5:1: providers.lab.burst: it is 0",
        "9:1: providers.lab.options.boot_latency: ",
        "10:1: providers.lab.options.bot_latency: ",
        "11:8: providers.lab.options.faults.lost_answers: ",
        "22:1: pools.big.min_ready: it is 5, and the pool can never have so many VMs: at most 4 at lab by its quota of vms (4)",
        "18:12: pools.small.demand.max_ready: it is 3, which is above max_total (2)",
        "16:1: pools.small.check_timeout: it is 0, so no check could ever pass in time",
        "17:1: pools.small.retry_min: it is 0, so there would be no pause after a failure",
    ];
    for wanted in wanted {
        assert!(told.iter().any(|told| told.starts_with(wanted)), "{wanted} is missing: {told:#?}");
    }
    assert_eq!(told.len(), wanted.len(), "{told:#?}");
}

#[test]
fn every_line_that_is_no_toml_is_told() {
    let told = told("[daemon]\nlog = = \"info\"\nlog = \"info\"\n[providers.lab\ndriver = \"dummy\"\n");
    assert!(told[0].starts_with("2:7: "), "{told:#?}");
    assert!(told.iter().any(|told| told.starts_with("4:")), "{told:#?}");
}

#[test]
fn what_is_hardly_meant_is_warned_about() {
    let text = r#"[providers.lab]
driver = "dummy"
[pools.small]
size = 2
offers = [{ provider = "lab", template = "small", needs = { cores = 2 } }]
"#;
    let wanted = "pools.small.offers[0].needs.cores: provider lab has no quota, so nothing limits it";
    assert_eq!(parse(text).unwrap().warnings(), [wanted]);
}
