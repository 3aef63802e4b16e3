//! `vmpool provider check`: whether a provider can be used, and what is missing.

use tokio::time::Instant;
use vmpool_api::{duration, exit};
use vmpool_server::{
    Config,
    driver::{Catalog, Driver, DriverError, OpenError, QuotaUse},
    model::{FailureKind, ProviderName, config::ProviderConfig},
};

use crate::{
    args::ProviderCheckArgs,
    failure::Failure,
    finding::{Finding, Findings, findings},
    local::{no_provider, open, story},
    output::Output,
    serve::load,
};

/// Checks one provider or all; returns the exit code.
pub(crate) async fn run(args: ProviderCheckArgs, output: Output) -> Result<u8, Failure> {
    let config = load(&args.config)?;
    let named = |name: &&ProviderName| args.name.as_ref().is_none_or(|wanted| name.as_str() == wanted);
    let chosen: Vec<&ProviderName> = config.providers.keys().filter(named).collect();
    if let ([], Some(wanted)) = (chosen.as_slice(), &args.name) {
        return Err(no_provider(&config, wanted));
    }
    let mut found = Vec::new();
    for name in chosen {
        found.extend(check(&config, name).await);
    }
    let found = Findings::from(found);
    output.result(&found, findings)?;
    Ok(if found.has_failed() { exit::PROVIDER } else { exit::OK })
}

/// Checks one provider: opens its driver, lists nodes, and asks for its catalog.
pub(crate) async fn check(config: &Config, name: &ProviderName) -> Vec<Finding> {
    let what = |part: &str| format!("{name}: {part}");
    let Some(provider) = config.providers.get(name) else { return Vec::new() };
    let began = Instant::now();
    let driver = match open(name, provider).await {
        Ok(driver) => driver,
        Err(OpenError::InUse(by)) => {
            return vec![Finding::ok(
                what("login"),
                format!("in use, which is fine if that is the daemon: {by}"),
            )];
        }
        Err(err) => return vec![Finding::fail(what("login"), story(&err), advice(kind(&err)))],
    };
    let info = driver.info();
    let took = duration::format(round(began.elapsed()));
    let mut found =
        vec![Finding::ok(what("login"), format!("{} at {} in {took}", info.title, info.endpoint))];
    found.extend(list(config, driver.as_ref(), name, provider).await);
    found.extend(catalog(config, driver.as_ref(), name, provider).await);
    found.extend(expiry(config, driver.as_ref(), name));
    found
}

async fn list(
    config: &Config,
    driver: &dyn Driver,
    name: &ProviderName,
    provider: &ProviderConfig,
) -> Vec<Finding> {
    let what = format!("{name}: list");
    let began = Instant::now();
    let listing = match driver.list().await {
        Ok(listing) => listing,
        Err(err) => return vec![Finding::fail(what, story(&err), advice(Some(err.kind())))],
    };
    let took = began.elapsed();
    let is_ours = |installation: &_| config.installation.as_ref().is_none_or(|ours| ours == installation);
    let tokens = || listing.nodes.iter().filter_map(|node| node.token.as_ref());
    let ours = tokens().filter(|token| is_ours(&token.installation)).count();
    let text = format!(
        "{} nodes in {}, {ours} of them of {}",
        listing.nodes.len(),
        duration::format(round(took)),
        if config.installation.is_some() { "this installation" } else { "pools" },
    );
    let mut found = vec![match &listing.incomplete {
        None => Finding::ok(&what, text),
        Some(why) => Finding::warn(
            &what,
            format!("{text}; the listing is partial: {why}"),
            "in a partial listing nothing counts as gone: VMs that are lost are replaced late",
        ),
    }];
    if provider.list_interval < took {
        found.push(Finding::warn(
            &what,
            format!(
                "a listing takes longer than list_interval, {}",
                duration::format(provider.list_interval)
            ),
            format!("raise providers.{name}.list_interval"),
        ));
    }
    let used = tokens().filter(|token| is_ours(&token.installation)).count();
    if let Some(quota) = provider.quota.get("vms").filter(|quota| **quota < used as u64) {
        found.push(Finding::warn(
            format!("{name}: quota"),
            format!("{used} nodes of pools, and a quota of {quota}"),
            format!("raise providers.{name}.quota.vms, or destroy some"),
        ));
    }
    found
}

async fn catalog(
    config: &Config,
    driver: &dyn Driver,
    name: &ProviderName,
    provider: &ProviderConfig,
) -> Vec<Finding> {
    let what = format!("{name}: catalog");
    if !driver.capabilities().catalog {
        return Vec::new();
    }
    let catalog = match driver.catalog().await {
        Ok(catalog) => catalog,
        Err(err) => {
            let advice = "pools need no catalog; an account that may not read it may not be granted templates and images either";
            return vec![Finding::warn(what, story(&err), advice)];
        }
    };
    let mut found: Vec<Finding> =
        catalog.version.iter().map(|version| Finding::ok(format!("{name}: version"), version)).collect();
    found.extend(quotas(name, provider, &catalog));
    let (sizes, images) = (catalog.sizes.len(), catalog.images.len());
    let text = format!("{sizes} sizes, {images} images, {} locations", catalog.locations.len());
    let seen = match images {
        0 => Finding::warn(what, text, "the account sees no image: somebody who owns one must grant it"),
        _ => Finding::ok(what, text),
    };
    let pools = config.pools.iter();
    let offers = pools.flat_map(|(pool, table)| table.offers().into_iter().map(move |offer| (pool, offer)));
    let ours = offers.filter(|(_, offer)| offer.provider == *name);
    let missing = ours.filter_map(|(pool, offer)| {
        let why = lacks(provider, &catalog, &offer.template)?;
        let advice = "mend the name, or have whoever owns it grant it to the account";
        Some(Finding::fail(format!("{name}: templates"), format!("pool {pool}: {why}"), advice))
    });
    found.push(seen);
    found.extend(missing);
    found
}

/// Says what the account may have, where the provider tells; what is used up, or less than the pools may take, is worth a
/// warning.
fn quotas(name: &ProviderName, provider: &ProviderConfig, catalog: &Catalog) -> Vec<Finding> {
    let what = format!("{name}: quota");
    let of_account = |quota: &QuotaUse| match quota.limit {
        _ if quota.is_full() => {
            let advice = "nothing more can be made: destroy something, or ask for more";
            Finding::warn(&what, format!("{quota}: it is used up"), advice)
        }
        Some(limit)
            if quota.what == "vms" && provider.quota.get("vms").is_some_and(|own| limit < *own as f64) =>
        {
            let own = provider.quota.get("vms").copied().unwrap_or_default();
            let advice = format!("set providers.{name}.quota.vms to {limit} at most, or ask for more");
            Finding::warn(&what, format!("{quota}, and the configuration counts on {own}"), advice)
        }
        _ => Finding::ok(&what, quota.to_string()),
    };
    catalog.quotas.iter().map(of_account).collect()
}

/// Says what a template lacks, as far as that can be seen without making a VM; what a template is, only its driver knows.
fn lacks(provider: &ProviderConfig, catalog: &Catalog, template: &str) -> Option<String> {
    let own = provider.options.0.get("templates").and_then(|templates| templates.get(template));
    let has = |wanted: &str| catalog.images.iter().any(|image| image.id == wanted || image.name == wanted);
    match (provider.driver.as_str(), own) {
        ("opennebula", None) if !has(template) => {
            let known: Vec<&str> = catalog.images.iter().map(|image| image.name.as_str()).take(10).collect();
            Some(format!("there is no template {template}; the account sees {}", known.join(", ")))
        }
        ("cloudapi", None) => {
            Some(format!("there is no template {template} among the options of the provider"))
        }
        ("cloudapi", Some(own)) => {
            let image = own.get("image").and_then(|image| image.as_str()).filter(|image| !has(image))?;
            Some(format!(
                "the image {image} of template {template} is not there, or does not fit its package"
            ))
        }
        _ => None,
    }
}

/// Says if pools want the cloud to end VMs by itself and it cannot.
fn expiry(config: &Config, driver: &dyn Driver, name: &ProviderName) -> Option<Finding> {
    let wants = |(_, pool): &(_, &vmpool_server::model::config::PoolConfig)| {
        pool.cloud_expiry.is_some() && pool.offers().iter().any(|offer| offer.provider == *name)
    };
    let (pool, _) = config.pools.iter().find(wants)?;
    (!driver.capabilities().set_expiry).then(|| {
        Finding::warn(
            format!("{name}: cloud_expiry"),
            format!("pool {pool} wants the cloud to end VMs by itself, and it cannot"),
            format!("take pools.{pool}.cloud_expiry out, or choose another provider"),
        )
    })
}

fn kind(err: &OpenError) -> Option<FailureKind> {
    match err {
        OpenError::Driver(err) => Some(DriverError::kind(err)),
        _ => None,
    }
}

/// Says what to do about a kind of failure.
fn advice(kind: Option<FailureKind>) -> &'static str {
    match kind {
        Some(FailureKind::Authentication) => {
            "the provider does not know who calls: check name, key or password, and that the clock of this host is right"
        }
        Some(FailureKind::Permission) => "the account lacks the right: ask whoever administers the provider",
        Some(FailureKind::Timeout) => {
            "check that the address is right and that no firewall is between, or raise request_timeout"
        }
        Some(FailureKind::Unavailable) => {
            "check that the address is right, that the provider is up, and that this host reaches it"
        }
        Some(FailureKind::RateLimited) => {
            "the account asks too often: set rate and burst of the provider, or ask its administrator for more"
        }
        Some(FailureKind::Quota) => "the quota of the account is used up: destroy something, or ask for more",
        Some(FailureKind::Protocol) => "is it the address of the API, and a version of it that is supported?",
        None => "mend the options of the provider; `vmpool config check` says where they are",
        Some(_) => "see what the provider says about it",
    }
}

/// Cuts off what nobody wants to read.
fn round(time: std::time::Duration) -> std::time::Duration {
    std::time::Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lack(driver: &str, options: &str, template: &str) -> Option<String> {
        let mut provider = ProviderConfig::new(driver);
        provider.options = serde_json::from_str(options).unwrap();
        let mut catalog = Catalog::default();
        catalog.images = serde_json::from_str(r#"[{"id": "7", "name": "debian"}]"#).unwrap();
        lacks(&provider, &catalog, template)
    }

    #[test]
    fn a_quota_that_is_used_up_or_less_than_the_pools_may_take_is_warned_of() {
        let mut provider = ProviderConfig::new("opennebula");
        provider.quota.insert("vms".to_owned(), 20);
        let mut catalog = Catalog::default();
        catalog.quotas = vec![
            QuotaUse::new("vms", Some(3.0), Some(10.0)),
            QuotaUse::new("cpu", Some(4.0), Some(4.0)),
            QuotaUse::new("memory", Some(512.0), None),
        ];
        let found = quotas(&ProviderName::new("lab").unwrap(), &provider, &catalog);
        let told = serde_json::to_string(&Findings::from(found)).unwrap();
        for part in [
            "3 of 10 vms, and the configuration counts on 20",
            "4 of 4 cpu: it is used up",
            "512 memory, no limit",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert_eq!(told.matches("\"warn\"").count(), 2, "{told}");
    }

    #[test]
    fn a_template_that_is_not_there_is_told_before_a_vm_is_made_of_it() {
        assert_eq!(lack("opennebula", "{}", "debian"), None);
        assert_eq!(lack("opennebula", "{}", "7"), None);
        assert_eq!(lack("opennebula", r#"{"templates": {"own": "CPU=1"}}"#, "own"), None);
        assert!(lack("opennebula", "{}", "debain").unwrap().ends_with("the account sees debian"));
        let options = r#"{"templates": {"small": {"package": "p", "image": "7"}, "odd": {"image": "8"}}}"#;
        assert_eq!(lack("cloudapi", options, "small"), None);
        assert!(
            lack("cloudapi", options, "odd").unwrap().contains("the image 8 of template odd is not there")
        );
        assert!(lack("cloudapi", options, "large").unwrap().contains("there is no template large"));
        assert_eq!(lack("dummy", "{}", "anything"), None, "its templates are what one likes");
    }
}
