//! Draining: a pool comes to its end, and may begin again.

use vmpool_model::PoolName;

use crate::{Answer, Engine, Refusal};

impl Engine {
    pub(crate) fn drain(&mut self, _: &PoolName, _: &str) -> Answer {
        Answer::Refused(Refusal::Unsupported)
    }

    pub(crate) fn undrain(&mut self, _: &PoolName) -> Answer {
        Answer::Refused(Refusal::Unsupported)
    }
}
