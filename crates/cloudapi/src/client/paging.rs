//! Listing over pages that neither loses nor repeats a machine while the listing changes.

use std::collections::HashSet;

use vmpool_model::{Certainty, FailureKind};

use super::{CloudApiError, DataCenter, MachineFilter};
use crate::types::MachineData;

/// How many machines a page has; the server allows no more.
const PAGE: usize = 1000;

/// How many pages a listing may have before it is given up as endless.
const MOST_PAGES: usize = 10_000;

impl DataCenter {
    /// Lists the machines that a filter shows, over all pages.
    ///
    /// Each page begins with the last machine of the one before. If that machine is not there, something before it vanished and
    /// all that follows moved up, so the listing steps back until the pages meet again. So each machine that is there from the
    /// beginning of the listing to its end is returned, and once.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`]: a listing that broke off is none.
    pub async fn all_machines(&self, filter: &MachineFilter) -> Result<Vec<MachineData>, CloudApiError> {
        self.machines_by_pages(filter, PAGE).await
    }

    /// Lists by pages of a given size, for tests.
    #[doc(hidden)]
    pub async fn machines_by_pages(
        &self,
        filter: &MachineFilter,
        page_size: usize,
    ) -> Result<Vec<MachineData>, CloudApiError> {
        let size = page_size.clamp(2, PAGE);
        let mut seen = HashSet::new();
        let mut machines = Vec::new();
        let (mut offset, mut step_back) = (0, 1);
        for _ in 0..MOST_PAGES {
            let page = self.machines_page(filter, Some(size), (0 < offset).then_some(offset)).await?;
            let meets = offset == 0 || page.first().is_some_and(|first| seen.contains(&first.id));
            if !meets {
                // Also when the page is empty: everything may have moved up.
                step_back *= 2;
                offset = usize::saturating_sub(offset, step_back);
                continue;
            }
            let count = page.len();
            match machines.is_empty() {
                // Most listings are one page, which is then not copied.
                true => {
                    machines = page;
                    machines.retain(|machine| seen.insert(machine.id.clone()));
                }
                false => machines.extend(page.into_iter().filter(|machine| seen.insert(machine.id.clone()))),
            }
            if count < size {
                return Ok(machines);
            }
            (offset, step_back) = (offset + count - 1, 1);
        }
        let message = format!("the listing did not end after {MOST_PAGES} pages");
        Err(CloudApiError::new(
            "GET machines".to_owned(),
            FailureKind::Protocol,
            Certainty::NotApplied,
            message,
        ))
    }
}
