//! What operators say about VMs, pools and the configuration.

use std::time::Duration;

use vmpool_model::{Owner, PoolName, ProviderName, VmName};

use crate::{Answer, Engine, Reconfigure, Refusal};

impl Engine {
    pub(crate) fn hold(&mut self, _: &VmName, _: &str, _: Option<Owner>, _: Option<Duration>) -> Answer {
        Answer::Refused(Refusal::Unsupported)
    }

    pub(crate) fn unhold(&mut self, _: &VmName) -> Answer {
        Answer::Refused(Refusal::Unsupported)
    }

    pub(crate) fn forget(&mut self, _: &VmName, _: &str) -> Answer {
        Answer::Refused(Refusal::Unsupported)
    }

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
