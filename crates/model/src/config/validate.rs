//! What no single value of a pool's configuration can tell.

use std::{borrow::Cow, time::Duration};

use super::{CheckConfig, HookKind, HooksConfig, OfferConfig, OnExpiry, OnRelease, PoolConfig};

/// The shortest `cloud_expiry`: shorter ones would end VMs while vmpool is restarted or upgraded.
const SHORTEST_CLOUD_EXPIRY: Duration = Duration::from_secs(1800);

impl PoolConfig {
    /// Checks what no single value can tell.
    ///
    /// # Errors
    ///
    /// The first of all [`misfits`](Self::misfits).
    pub fn validate(&self) -> Result<(), InvalidConfig> {
        self.misfits().into_iter().next().map_or(Ok(()), Err)
    }

    /// Returns everything that no single value can tell and that does not fit.
    #[must_use]
    pub fn misfits(&self) -> Vec<InvalidConfig> {
        let mut found = Misfits::default();
        self.check_offers(&mut found);
        self.check_sizes(&mut found);
        self.check_demand(&mut found);
        self.check_times(&mut found);
        self.check_reuse(&mut found);
        self.check_commands(&mut found);
        found.0
    }

    fn check_offers(&self, found: &mut Misfits) {
        match (&self.provider, &self.template, self.offers.as_slice()) {
            (Some(_), Some(_), []) | (None, None, [_, ..]) => {}
            (Some(_), None, []) => found.refuse("template", "it is missing: what are the VMs made from?"),
            (None, _, []) => {
                found.refuse("provider", "it is missing: say where the VMs are made, or list offers");
            }
            _ => found.refuse("offers", "give either offers or provider and template, not both"),
        }
        for (index, offer) in self.offers.iter().enumerate() {
            let mut refuse = |key: &str, why: &str| found.refuse(format!("offers[{index}].{key}"), why);
            if offer.weight == 0 {
                refuse("weight", "it is 0, so the offer would never be taken");
            }
            if !offer.price.is_finite() || offer.price < 0.0 {
                refuse("price", "it must be 0 or above");
            }
            if offer.max_total == Some(0) {
                refuse("max_total", "it is 0, so the offer would never be taken");
            }
            if offer.needs.get("vms").is_some_and(|vms| *vms != 1) {
                refuse("needs.vms", "every VM takes 1 of `vms`, whatever it needs besides");
            }
            let is_same =
                |other: &OfferConfig| other.provider == offer.provider && other.template == offer.template;
            if self.offers[..index].iter().any(is_same) {
                refuse("template", "an earlier offer has the same provider and template");
            }
        }
    }

    fn check_sizes(&self, found: &mut Misfits) {
        let max_total = self.max_total();
        if max_total == 0 {
            found.refuse("size", "size, min_ready or max_total must be above 0, or the pool stays empty");
            return;
        }
        for (key, kept) in [("size", self.size), ("min_ready", self.min_ready)] {
            if max_total < kept {
                found.refuse("max_total", format!("it is {max_total}, which is below {key} ({kept})"));
            }
        }
        for (index, schedule) in self.schedule.iter().enumerate() {
            if max_total < schedule.min_ready {
                let why = format!("it is {}, which is above max_total ({max_total})", schedule.min_ready);
                found.refuse(format!("schedule[{index}].min_ready"), why);
            }
            if schedule.from == schedule.to {
                found.refuse(format!("schedule[{index}].to"), "it is the same as from, so the time is empty");
            }
        }
        if let Some(most) = self.demand.as_ref().and_then(|demand| demand.max_ready)
            && max_total < most
        {
            found.refuse("demand.max_ready", format!("it is {most}, which is above max_total ({max_total})"));
        }
    }

    fn check_demand(&self, found: &mut Misfits) {
        let Some(demand) = &self.demand else { return };
        if !(0.0 < demand.quantile && demand.quantile < 1.0) {
            found.refuse("demand.quantile", "it must be above 0 and below 1");
        }
        if demand.half_life.is_zero() {
            found.refuse("demand.half_life", "it must be above 0");
        }
        if demand.max_ready == Some(0) {
            found.refuse("demand.max_ready", "it is 0, so no VM would be kept ready for demand");
        }
    }

    fn check_times(&self, found: &mut Misfits) {
        let zero = [
            ("max_starting", self.max_starting == 0, "no VM could ever start"),
            ("max_checks", self.max_checks == 0, "no VM would ever be checked"),
            ("max_hooks", self.max_hooks == 0, "no hook would ever be run"),
            ("lease_ttl", self.lease_ttl.is_zero(), "every lease would end at once"),
            (
                "max_hold_time",
                self.max_hold_time.is_zero(),
                "every VM would be destroyed as soon as it is held; to hold none, set max_held to 0",
            ),
            ("boot_timeout", self.boot_timeout.is_zero(), "no VM would ever have an address in time"),
            ("check_timeout", self.check_timeout.is_zero(), "no check could ever pass in time"),
            (
                "terminating_timeout",
                self.terminating_timeout.is_zero(),
                "every VM would be reported as stuck",
            ),
            ("retry_min", self.retry_min.is_zero(), "there would be no pause after a failure"),
        ];
        for (key, _, why) in zero.into_iter().filter(|(_, is_zero, _)| *is_zero) {
            found.refuse(key, format!("it is 0, so {why}"));
        }
        if self.max_lease_ttl < self.lease_ttl {
            found.refuse("lease_ttl", "it must be at most max_lease_ttl");
        }
        if self.check_max_time < self.check_timeout {
            found.refuse("check_max_time", "it must be at least check_timeout");
        }
        if self.start_timeout.is_some_and(|time| time < self.check_timeout) {
            found.refuse("start_timeout", "it must be at least check_timeout");
        }
        if self.max_age.is_some_and(|age| age <= self.boot_timeout) {
            found.refuse("max_age", "it must be above boot_timeout, or no VM would ever be used");
        }
        if self.cloud_expiry.is_some_and(|expiry| expiry < SHORTEST_CLOUD_EXPIRY) {
            found.refuse(
                "cloud_expiry",
                "it must be at least 30m, or VMs would end while vmpool is restarted",
            );
        }
        if self.retry_max < self.retry_min {
            found.refuse("retry_max", "it must be at least retry_min");
        }
    }

    fn check_reuse(&self, found: &mut Misfits) {
        if self.max_uses == Some(0) {
            found.refuse("max_uses", "it is 0, so no VM could ever be used");
        }
        if self.on_release == OnRelease::Reuse && self.dirty_timeout.is_zero() {
            found.refuse(
                "dirty_timeout",
                "it is 0, so no VM would ever be used again (on_release is `reuse`)",
            );
        }
        let cleans = [
            ("on_release", self.on_release == OnRelease::Clean),
            ("on_expiry", self.on_expiry == OnExpiry::Clean),
        ];
        if self.hooks.before_release.is_none() {
            for (key, _) in cleans.into_iter().filter(|(_, cleans)| *cleans) {
                found.refuse(key, "it is `clean`, but there is no hooks.before_release that cleans");
            }
        }
    }

    fn check_commands(&self, found: &mut Misfits) {
        let HooksConfig { after_boot, before_release, after_destroy } = &self.hooks;
        for (kind, hook) in [
            (HookKind::AfterBoot, after_boot),
            (HookKind::BeforeRelease, before_release),
            (HookKind::AfterDestroy, after_destroy),
        ] {
            let Some(hook) = hook else { continue };
            if hook.command.first().is_none_or(String::is_empty) {
                found.refuse(format!("hooks.{kind}.command"), "it is empty");
            }
            if hook.timeout.is_zero() {
                found.refuse(format!("hooks.{kind}.timeout"), "it must be above 0");
            }
        }
        let port = match &self.check {
            CheckConfig::Exec { command } => {
                if command.first().is_none_or(String::is_empty) {
                    found.refuse("check.command", "it is empty");
                }
                None
            }
            CheckConfig::None => None,
            CheckConfig::Tcp { port } => Some(*port),
            CheckConfig::Ssh(check) => Some(check.port),
            CheckConfig::Http(check) => {
                if !(200..1000).contains(&check.status) {
                    found.refuse("check.status", "no answer has it: it must be from 200 to 999");
                }
                Some(check.port)
            }
        };
        if port == Some(0) {
            found.refuse("check.port", "it is 0, and nothing can listen there");
        }
    }
}

/// What does not fit, in the order in which it was found.
#[derive(Debug, Default)]
pub(super) struct Misfits(pub(super) Vec<InvalidConfig>);

impl Misfits {
    pub(super) fn refuse(&mut self, key: impl Into<Cow<'static, str>>, reason: impl Into<String>) {
        self.0.push(InvalidConfig { key: key.into(), reason: reason.into() });
    }
}

/// Says which key of a configuration does not fit, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct InvalidConfig {
    /// The key, such as `size` or `offers[1].weight`.
    pub key: Cow<'static, str>,
    /// Why it does not fit.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ProviderName, config::HookConfig};

    type Edit = fn(&mut PoolConfig);

    /// What does not fit, and the key that is to be named.
    const MISFITS: &[(&str, Edit)] = &[
        ("provider", |pool| pool.provider = None),
        ("template", |pool| pool.template = None),
        ("offers", |pool| pool.offers = vec![offer("big")]),
        ("offers[1].weight", |pool| offers(pool, |offer| offer.weight = 0)),
        ("offers[1].price", |pool| offers(pool, |offer| offer.price = -1.0)),
        ("offers[1].max_total", |pool| offers(pool, |offer| offer.max_total = Some(0))),
        ("offers[1].needs.vms", |pool| offers(pool, |offer| offer.needs = [("vms".to_owned(), 2)].into())),
        ("offers[1].template", |pool| offers(pool, |offer| offer.template = "small".to_owned())),
        ("size", |pool| pool.size = 0),
        ("max_total", |pool| pool.max_total = Some(1)),
        ("max_total", |pool| (pool.max_total, pool.min_ready) = (Some(2), 3)),
        ("max_starting", |pool| pool.max_starting = 0),
        ("max_checks", |pool| pool.max_checks = 0),
        ("max_hooks", |pool| pool.max_hooks = 0),
        ("demand.quantile", |pool| pool.demand = serde_json::from_str(r#"{"quantile": 1.0}"#).unwrap()),
        ("demand.max_ready", |pool| pool.demand = serde_json::from_str(r#"{"max_ready": 3}"#).unwrap()),
        ("demand.max_ready", |pool| pool.demand = serde_json::from_str(r#"{"max_ready": 0}"#).unwrap()),
        ("demand.half_life", |pool| pool.demand = serde_json::from_str(r#"{"half_life": "0s"}"#).unwrap()),
        ("schedule[0].min_ready", |pool| {
            schedule(pool, r#"[{"from": "08:00", "to": "18:00", "min_ready": 3}]"#)
        }),
        ("schedule[0].to", |pool| schedule(pool, r#"[{"from": "08:00", "to": "08:00", "min_ready": 1}]"#)),
        ("lease_ttl", |pool| pool.lease_ttl = pool.max_lease_ttl * 2),
        ("lease_ttl", |pool| pool.lease_ttl = Duration::ZERO),
        ("boot_timeout", |pool| pool.boot_timeout = Duration::ZERO),
        ("check_timeout", |pool| pool.check_timeout = Duration::ZERO),
        ("check_max_time", |pool| pool.check_max_time = pool.check_timeout / 2),
        ("start_timeout", |pool| pool.start_timeout = Some(pool.check_timeout / 2)),
        ("terminating_timeout", |pool| pool.terminating_timeout = Duration::ZERO),
        ("max_age", |pool| pool.max_age = Some(pool.boot_timeout)),
        ("cloud_expiry", |pool| pool.cloud_expiry = Some(Duration::from_secs(1799))),
        ("retry_min", |pool| pool.retry_min = Duration::ZERO),
        ("retry_max", |pool| pool.retry_max = pool.retry_min / 2),
        ("dirty_timeout", |pool| (pool.on_release, pool.dirty_timeout) = (OnRelease::Reuse, Duration::ZERO)),
        ("check.port", |pool| pool.check = CheckConfig::Tcp { port: 0 }),
        ("check.status", |pool| {
            pool.check = serde_json::from_str(r#"{"kind": "http", "status": 100}"#).unwrap()
        }),
        ("max_uses", |pool| pool.max_uses = Some(0)),
        ("hooks.after_boot.command", |pool| pool.hooks.after_boot = Some(HookConfig::new(Vec::new()))),
        ("hooks.after_destroy.timeout", |pool| {
            let hook = HookConfig { timeout: Duration::ZERO, ..HookConfig::new(vec!["true".to_owned()]) };
            pool.hooks.after_destroy = Some(hook);
        }),
        ("check.command", |pool| pool.check = CheckConfig::Exec { command: Vec::new() }),
        ("on_release", |pool| pool.on_release = OnRelease::Clean),
        ("on_expiry", |pool| pool.on_expiry = OnExpiry::Clean),
    ];

    fn offer(template: &str) -> OfferConfig {
        OfferConfig::new(ProviderName::new("lab").unwrap(), template)
    }

    fn offers(pool: &mut PoolConfig, edit: fn(&mut OfferConfig)) {
        let mut second = offer("big");
        edit(&mut second);
        (pool.provider, pool.template, pool.offers) = (None, None, vec![offer("small"), second]);
    }

    fn schedule(pool: &mut PoolConfig, json: &str) {
        pool.schedule = serde_json::from_str(json).unwrap();
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        for (key, edit) in MISFITS {
            let mut pool = pool();
            edit(&mut pool);
            let told: Vec<_> = pool.misfits().into_iter().map(|misfit| misfit.key).collect();
            assert_eq!(told, [*key]);
        }
    }

    #[test]
    fn everything_that_does_not_fit_is_told() {
        let mut pool = pool();
        (pool.max_total, pool.min_ready, pool.max_uses) = (Some(1), 2, Some(0));
        (pool.check_timeout, pool.on_release) = (Duration::ZERO, OnRelease::Clean);
        let told: Vec<_> = pool.misfits().into_iter().map(|misfit| misfit.to_string()).collect();
        let wanted = [
            "max_total: it is 1, which is below size (2)",
            "max_total: it is 1, which is below min_ready (2)",
            "check_timeout: it is 0, so no check could ever pass in time",
            "max_uses: it is 0, so no VM could ever be used",
            "on_release: it is `clean`, but there is no hooks.before_release that cleans",
        ];
        assert_eq!(told, wanted);
        assert_eq!(pool.validate(), Err(pool.misfits().remove(0)));
    }

    #[test]
    fn a_pool_that_holds_nothing_and_one_that_keeps_nothing_ready_fit() {
        let mut pool = pool();
        (pool.max_held, pool.max_per_owner, pool.max_idle) = (0, Some(0), Duration::ZERO);
        (pool.check_interval, pool.dirty_timeout) = (Duration::ZERO, Duration::ZERO);
        pool.check_timeout = pool.boot_timeout * 2;
        pool.check_max_time = pool.check_timeout;
        assert_eq!(pool.validate(), Ok(()));
    }

    #[test]
    fn several_offers_stand_in_place_of_one() {
        let mut pool = pool();
        assert_eq!(pool.offers(), [offer("small")]);
        offers(&mut pool, |_| {});
        assert_eq!(pool.validate(), Ok(()));
        assert_eq!(pool.offers(), [offer("small"), offer("big")]);
    }

    fn pool() -> PoolConfig {
        PoolConfig::new(ProviderName::new("lab").unwrap(), "small", 2)
    }

    #[test]
    fn the_defaults_fit() {
        assert_eq!(pool().validate(), Ok(()));
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let json = r#"{"provider": "lab", "template": "small", "sise": 3}"#;
        let err = serde_json::from_str::<PoolConfig>(json).unwrap_err();
        assert!(err.to_string().contains("unknown field `sise`"), "{err}");
    }
}
