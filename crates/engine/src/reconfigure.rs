//! Another configuration takes the place of the one before.

use vmpool_model::config::{Misfit, check_config};

use crate::{Answer, Engine, Reconfigure, Refusal};

impl Reconfigure {
    /// Checks every value, and what pools refer to.
    ///
    /// # Errors
    ///
    /// The first thing that does not fit, and where it is.
    pub fn check(&self) -> Result<(), Misfit> {
        check_config(&self.pools, &self.providers)
    }
}

impl Engine {
    pub(crate) fn reconfigure(&mut self, to: Reconfigure) -> Answer {
        match to.check() {
            Err(misfit) => Answer::Refused(Refusal::InvalidConfig(misfit)),
            Ok(()) => Answer::Refused(Refusal::Unsupported),
        }
    }
}
