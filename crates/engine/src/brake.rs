//! The brake on mass loss: what is missing all at once is not lost.

use vmpool_model::ProviderName;

use crate::{Answer, Engine, Refusal};

impl Engine {
    pub(crate) fn accept_loss(&mut self, _: &ProviderName) -> Answer {
        Answer::Refused(Refusal::Unsupported)
    }
}
