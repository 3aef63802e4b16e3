//! Which configuration holds: for a while, nobody knows.

use super::Ledger;
use crate::reload::Config;

impl Ledger {
    /// Somebody is about to change the configuration; until [`settle`](Self::settle), the one before may hold as well.
    pub(crate) fn expect(&mut self, config: Config) {
        for (name, pool) in &config.pools {
            let most = self.most.entry(name.clone()).or_default();
            *most = pool.max_total().max(*most);
        }
        for (name, provider) in &config.providers {
            if let Some(vms) = provider.quota.get("vms") {
                let most = self.most_at.entry(name.clone()).or_default();
                *most = (*vms).max(*most);
            }
        }
        self.configs.push(config);
    }

    /// The configuration that was expected last holds.
    pub(crate) fn settle(&mut self) {
        self.configs.drain(..self.configs.len() - 1);
    }

    /// Checks something that must hold under the configuration, whichever that is.
    pub(super) fn under_any(&self, check: impl Fn(&Config) -> Result<(), String>) -> Result<(), String> {
        let mut verdicts = self.configs.iter().rev().map(check);
        let newest = verdicts.next().unwrap_or(Ok(()));
        if newest.is_ok() || verdicts.any(|verdict| verdict.is_ok()) { Ok(()) } else { newest }
    }
}
