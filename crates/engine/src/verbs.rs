//! What operators say about pools and the configuration.

use vmpool_model::{PoolName, ProviderName};

use crate::{Answer, Engine, Reconfigure, Refusal};

impl Engine {
    pub(crate) fn drain(&mut self, _: &PoolName, _: &str) -> Answer {
        Answer::Refused(Refusal::Unsupported)
    }

    pub(crate) fn undrain(&mut self, _: &PoolName) -> Answer {
        Answer::Refused(Refusal::Unsupported)
    }

    pub(crate) fn accept_loss(&mut self, _: &ProviderName) -> Answer {
        Answer::Refused(Refusal::Unsupported)
    }

    pub(crate) fn reconfigure(&mut self, _: Reconfigure) -> Answer {
        Answer::Refused(Refusal::Unsupported)
    }
}
