//! `vmpool doctor`: whether a daemon can run here, and how the one that runs is.

mod host;

use jiff::Timestamp;
use vmpool_api::{Health, Provider, exit};
use vmpool_client::Client;
use vmpool_server::Config;

use super::provider_check;
use crate::{
    args::{DEFAULT_URL, DoctorArgs, Global},
    connect::connect,
    failure::Failure,
    finding::{Finding, Findings, findings},
    output::Output,
};

/// Checks everything; returns the exit code.
pub(crate) async fn run(args: DoctorArgs, mut global: Global, output: Output) -> Result<u8, Failure> {
    let mut found = Vec::new();
    let config = match crate::serve::load(&args.config) {
        Ok(config) => {
            found.extend(configuration(&args, &config));
            Some(config)
        }
        Err(failure) => {
            found.push(unusable(failure));
            None
        }
    };
    if let Some(config) = &config {
        found.extend(host::state_dir(&config.daemon.state_dir));
    }
    found.push(host::open_files());
    found.push(host::clock().await);
    // Where nothing is said, the configuration says where the daemon is.
    let is_said = global.url != DEFAULT_URL && !global.url.is_empty();
    if let Some(config) = config.as_ref().filter(|_| !is_said) {
        let scheme = if config.daemon.tls.is_some() { "https" } else { "http" };
        global.url = format!("{scheme}://{}", config.daemon.listen);
    }
    let client = connect(&global)?.client;
    found.extend(daemon(&client, config.as_ref()).await);
    if let Some(config) = config.as_ref().filter(|_| !args.no_providers) {
        for name in config.providers.keys() {
            found.extend(provider_check::check(config, name).await);
        }
    }
    let found = Findings::from(found);
    output.result(&found, findings)?;
    Ok(if found.has_failed() { exit::FAILURE } else { exit::OK })
}

fn configuration(args: &DoctorArgs, config: &Config) -> Vec<Finding> {
    let file = args.config.display();
    let (providers, pools) = (config.providers.len(), config.pools.len());
    let mut found =
        vec![Finding::ok("configuration", format!("{file}: {providers} providers, {pools} pools"))];
    found.extend(
        config.warnings().into_iter().map(|warning| {
            Finding::warn("configuration", warning, "`vmpool config default` explains the keys")
        }),
    );
    found
}

fn unusable(failure: Failure) -> Finding {
    let (message, hint) = match failure {
        Failure::Told { message, hint, .. } => (message, hint),
        Failure::OutputClosed => (String::new(), None),
    };
    let advice = hint.unwrap_or_else(|| "`vmpool config default` prints one to begin with".to_owned());
    Finding::fail("configuration", message, advice)
}

/// Asks the daemon how it is.
async fn daemon(client: &Client, config: Option<&Config>) -> Vec<Finding> {
    let url = client.base_url();
    let health = match client.health().await {
        Ok(health) => health,
        Err(err) if err.exit_code() == exit::UNREACHABLE => {
            let advice = "start it with `vmpool serve --config FILE`, or say with --url where it is";
            return vec![Finding::warn("daemon", format!("none at {url}: {err}"), advice)];
        }
        Err(err) => {
            let advice = "is it a daemon of vmpool, of a version that fits, and may you ask it?";
            return vec![Finding::fail("daemon", format!("{url}: {err}"), advice)];
        }
    };
    let up = Timestamp::now().duration_since(health.started_at);
    let text = format!(
        "{} {} at {url}, installation {}, up {:#}",
        health.status,
        health.version,
        health.installation,
        jiff::SignedDuration::from_secs(up.as_secs())
    );
    let mut found = vec![Finding::ok("daemon", text)];
    found.extend(health.notices.iter().map(|notice| {
        Finding::warn("daemon", notice.clone(), "`vmpool pool ls` and `vmpool events` say more")
    }));
    found.extend(config.and_then(|config| other_config(&health, config)));
    match client.providers().await {
        Ok(providers) => found.extend(providers.iter().flat_map(troubles)),
        Err(err) => found.push(Finding::warn("daemon", err.to_string(), "may you ask it about providers?")),
    }
    found
}

/// Says if the daemon runs with something else than the file says.
fn other_config(health: &Health, config: &Config) -> Option<Finding> {
    let differs = |what: &str, there: &str, here: &str| {
        let found = format!("its {what} is {there}, and the configuration says {here}");
        Finding::warn("daemon", found, "is it another daemon, or was it not started again since the change?")
    };
    if let Some(here) = config.installation.as_ref().filter(|here| here.as_str() != health.installation) {
        return Some(differs("installation", &health.installation, here.as_str()));
    }
    let there = health.state_dir.as_ref()?;
    let here = config.daemon.state_dir.display().to_string();
    (*there != here).then(|| differs("state directory", there, &here))
}

/// Says what the daemon cannot do at a provider.
fn troubles(provider: &Provider) -> Vec<Finding> {
    let what = format!("{}: as the daemon sees it", provider.name);
    let show = format!("`vmpool provider show {}` says more", provider.name);
    let mut found = Vec::new();
    if let Some(problem) = &provider.problem {
        found.push(Finding::warn(&what, problem.clone(), show.clone()));
    }
    if let Some(limit) = &provider.limit {
        found.push(Finding::warn(&what, limit.text.clone(), show));
    }
    if let Some(brake) = &provider.brake {
        let text =
            format!("{} of {} nodes are missing at once, so none counts as lost", brake.missing, brake.known);
        let advice = format!(
            "mend the provider, or say that they are lost: `vmpool provider accept-loss {}`",
            provider.name
        );
        found.push(Finding::warn(&what, text, advice));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Verdict;

    fn provider(more: &str) -> Provider {
        serde_json::from_str(&format!(r#"{{"name": "lab", "driver": "dummy"{more}}}"#)).unwrap()
    }

    #[test]
    fn what_keeps_a_provider_from_working_is_told() {
        assert_eq!(troubles(&provider("")), []);
        let brake =
            r#", "brake": {"missing": 7, "known": 9, "since": "2026-01-01T00:00:00Z"}, "problem": "down""#;
        let found = troubles(&provider(brake));
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|finding| finding.verdict == Verdict::Warn));
        assert!(found[1].advice.as_ref().unwrap().contains("vmpool provider accept-loss lab"));
    }

    #[test]
    fn a_daemon_with_other_records_is_told() {
        let health = |installation: &str, state_dir: &str| -> Health {
            let json = format!(
                r#"{{"status": "ok", "version": "1", "api": 1, "installation": "{installation}",
                "started_at": "2026-01-01T00:00:00Z", "state_dir": "{state_dir}"}}"#
            );
            serde_json::from_str(&json).unwrap()
        };
        let text = "installation = \"lab\"\n[daemon]\nstate_dir = \"/var/lib/vmpool\"";
        let config = Config::parse(text, "vmpool.toml", &vmpool_server::drivers::builtin()).unwrap();
        assert_eq!(other_config(&health("lab", "/var/lib/vmpool"), &config), None);
        assert!(other_config(&health("lob", "/var/lib/vmpool"), &config).unwrap().found.contains("lob"));
        assert!(other_config(&health("lab", "/tmp/x"), &config).unwrap().found.contains("/tmp/x"));
    }
}
