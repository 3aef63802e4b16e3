//! VMs that are kept for debugging.

use std::time::Duration;

use vmpool_model::{Owner, VmName};

use crate::{Answer, Engine, Refusal};

impl Engine {
    pub(crate) fn hold(&mut self, _: &VmName, _: &str, _: Option<Owner>, _: Option<Duration>) -> Answer {
        Answer::Refused(Refusal::Unsupported)
    }

    pub(crate) fn unhold(&mut self, _: &VmName) -> Answer {
        Answer::Refused(Refusal::Unsupported)
    }
}
