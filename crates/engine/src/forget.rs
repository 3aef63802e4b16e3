//! VMs whose records are removed without proof that their nodes are gone.

use vmpool_model::VmName;

use crate::{Answer, Engine, Refusal};

impl Engine {
    pub(crate) fn forget(&mut self, _: &VmName, _: &str) -> Answer {
        Answer::Refused(Refusal::Unsupported)
    }
}
