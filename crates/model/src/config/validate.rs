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
    /// [`InvalidConfig`], which names the first key that does not fit and why.
    pub fn validate(&self) -> Result<(), InvalidConfig> {
        self.validate_offers()?;
        self.validate_sizes()?;
        self.validate_times()?;
        self.validate_reuse()
    }

    fn validate_offers(&self) -> Result<(), InvalidConfig> {
        match (&self.provider, &self.template, self.offers.as_slice()) {
            (Some(_), Some(_), []) => return Ok(()),
            (None, None, [_, ..]) => {}
            (Some(_), None, []) => return refuse("template", "it is missing: what are the VMs made from?"),
            (None, _, []) => {
                return refuse("provider", "it is missing: say where the VMs are made, or list offers");
            }
            _ => return refuse("offers", "give either offers or provider and template, not both"),
        }
        for (index, offer) in self.offers.iter().enumerate() {
            let refuse = |key: &str, why: &str| refuse(format!("offers[{index}].{key}"), why);
            if offer.weight == 0 {
                return refuse("weight", "it is 0, so the offer would never be taken");
            }
            if !offer.price.is_finite() || offer.price < 0.0 {
                return refuse("price", "it must be 0 or above");
            }
            if offer.max_total == Some(0) {
                return refuse("max_total", "it is 0, so the offer would never be taken");
            }
            let is_same =
                |other: &OfferConfig| other.provider == offer.provider && other.template == offer.template;
            if self.offers[..index].iter().any(is_same) {
                return refuse("template", "an earlier offer has the same provider and template");
            }
        }
        Ok(())
    }

    fn validate_sizes(&self) -> Result<(), InvalidConfig> {
        let max_total = self.max_total();
        if max_total == 0 {
            return refuse("size", "size, min_ready or max_total must be above 0, or the pool stays empty");
        }
        if max_total < self.size {
            return refuse("max_total", format!("it is {max_total}, which is below size ({})", self.size));
        }
        if max_total < self.min_ready {
            return refuse(
                "max_total",
                format!("it is {max_total}, which is below min_ready ({})", self.min_ready),
            );
        }
        for (index, schedule) in self.schedule.iter().enumerate() {
            if max_total < schedule.min_ready {
                let why = format!("it is {}, which is above max_total ({max_total})", schedule.min_ready);
                return refuse(format!("schedule[{index}].min_ready"), why);
            }
            if schedule.from == schedule.to {
                return refuse(
                    format!("schedule[{index}].to"),
                    "it is the same as from, so the time is empty",
                );
            }
        }
        if let Some(demand) = &self.demand {
            if !(0.0 < demand.quantile && demand.quantile < 1.0) {
                return refuse("demand.quantile", "it must be above 0 and below 1");
            }
            if demand.half_life.is_zero() {
                return refuse("demand.half_life", "it must be above 0");
            }
        }
        if self.max_starting == 0 {
            return refuse("max_starting", "it is 0, so no VM could ever start");
        }
        if self.max_checks == 0 || self.max_hooks == 0 {
            return refuse(
                "max_checks",
                "max_checks and max_hooks must be above 0, or nothing would ever be checked",
            );
        }
        Ok(())
    }

    fn validate_times(&self) -> Result<(), InvalidConfig> {
        if self.lease_ttl.is_zero() || self.max_lease_ttl < self.lease_ttl {
            return refuse("lease_ttl", "it must be above 0 and at most max_lease_ttl");
        }
        if self.check_timeout.is_zero() || self.boot_timeout.is_zero() {
            return refuse("boot_timeout", "boot_timeout and check_timeout must be above 0");
        }
        if self.check_max_time < self.check_timeout {
            return refuse("check_max_time", "it must be at least check_timeout");
        }
        if self.start_timeout.is_some_and(|time| time < self.check_timeout) {
            return refuse("start_timeout", "it must be at least check_timeout");
        }
        if self.terminating_timeout.is_zero() {
            return refuse("terminating_timeout", "it must be above 0");
        }
        if self.max_age.is_some_and(|age| age <= self.boot_timeout) {
            return refuse("max_age", "it must be above boot_timeout, or no VM would ever be used");
        }
        if self.cloud_expiry.is_some_and(|expiry| expiry < SHORTEST_CLOUD_EXPIRY) {
            return refuse(
                "cloud_expiry",
                "it must be at least 30m, or VMs would end while vmpool is restarted",
            );
        }
        if self.retry_min.is_zero() || self.retry_max < self.retry_min {
            return refuse("retry_min", "it must be above 0 and at most retry_max");
        }
        Ok(())
    }

    fn validate_reuse(&self) -> Result<(), InvalidConfig> {
        if self.max_uses == Some(0) {
            return refuse("max_uses", "it is 0, so no VM could ever be used");
        }
        let HooksConfig { after_boot, before_release, after_destroy } = &self.hooks;
        for (kind, hook) in [
            (HookKind::AfterBoot, after_boot),
            (HookKind::BeforeRelease, before_release),
            (HookKind::AfterDestroy, after_destroy),
        ] {
            let Some(hook) = hook else { continue };
            if hook.command.first().is_none_or(String::is_empty) {
                return refuse(format!("hooks.{kind}.command"), "it is empty");
            }
            if hook.timeout.is_zero() {
                return refuse(format!("hooks.{kind}.timeout"), "it must be above 0");
            }
        }
        if matches!(&self.check, CheckConfig::Exec { command } if command.first().is_none_or(String::is_empty))
        {
            return refuse("check.command", "it is empty");
        }
        let cleans = [
            ("on_release", self.on_release == OnRelease::Clean),
            ("on_expiry", self.on_expiry == OnExpiry::Clean),
        ];
        match cleans.into_iter().find(|(_, cleans)| *cleans && before_release.is_none()) {
            Some((key, _)) => refuse(key, "it is `clean`, but there is no hooks.before_release that cleans"),
            None => Ok(()),
        }
    }
}

fn refuse(key: impl Into<Cow<'static, str>>, reason: impl Into<String>) -> Result<(), InvalidConfig> {
    Err(InvalidConfig { key: key.into(), reason: reason.into() })
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
        ("offers[1].template", |pool| offers(pool, |offer| offer.template = "small".to_owned())),
        ("size", |pool| pool.size = 0),
        ("max_total", |pool| pool.max_total = Some(1)),
        ("max_total", |pool| (pool.max_total, pool.min_ready) = (Some(2), 3)),
        ("max_starting", |pool| pool.max_starting = 0),
        ("max_checks", |pool| pool.max_hooks = 0),
        ("demand.quantile", |pool| pool.demand = serde_json::from_str(r#"{"quantile": 1.0}"#).unwrap()),
        ("demand.half_life", |pool| pool.demand = serde_json::from_str(r#"{"half_life": "0s"}"#).unwrap()),
        ("schedule[0].min_ready", |pool| {
            schedule(pool, r#"[{"from": "08:00", "to": "18:00", "min_ready": 3}]"#)
        }),
        ("schedule[0].to", |pool| schedule(pool, r#"[{"from": "08:00", "to": "08:00", "min_ready": 1}]"#)),
        ("lease_ttl", |pool| pool.lease_ttl = pool.max_lease_ttl * 2),
        ("boot_timeout", |pool| pool.boot_timeout = Duration::ZERO),
        ("check_max_time", |pool| pool.check_max_time = pool.check_timeout / 2),
        ("start_timeout", |pool| pool.start_timeout = Some(pool.check_timeout / 2)),
        ("terminating_timeout", |pool| pool.terminating_timeout = Duration::ZERO),
        ("max_age", |pool| pool.max_age = Some(pool.boot_timeout)),
        ("cloud_expiry", |pool| pool.cloud_expiry = Some(Duration::from_secs(1799))),
        ("retry_min", |pool| pool.retry_min = Duration::ZERO),
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
            assert_eq!(pool.validate().unwrap_err().key, *key);
        }
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
