//! The suite that every store must pass: [`store_suite!`](crate::store_suite).
//!
//! Implement [`StoreHarness`] for a place where the store can keep its records, and expand the macro
//! in a test; it makes one test of each function in [`rules`].

mod harness;
pub mod rules;
pub mod sample;

pub use self::harness::{RuleResult, StoreHarness, run};

/// Expands to one test per rule of the [contract of stores](vmpool_store::Store).
///
/// The argument is an expression that makes a [`StoreHarness`] with a place of its own;
/// it is evaluated once in every test.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use vmpool_store::{MemoryStore, Store, StoreError};
///
/// struct Memory(MemoryStore);
///
/// #[async_trait::async_trait]
/// impl vmpool_testkit::store::StoreHarness for Memory {
///     async fn open(&mut self) -> Result<Arc<dyn Store>, StoreError> {
///         Ok(Arc::new(self.0.clone()))
///     }
/// }
///
/// mod memory {
///     vmpool_testkit::store_suite!(super::Memory(super::MemoryStore::new()));
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! store_suite {
    ($harness:expr) => {
        $crate::store_suite! { @tests $harness =>
            commit: a_new_domain_is_empty,
            commit: a_commit_is_loaded_as_it_was_written,
            commit: a_commit_survives_reopening,
            commit: a_put_replaces_the_whole_record,
            commit: a_removed_record_is_gone,
            commit: removing_what_is_not_there_changes_nothing,
            commit: a_later_change_of_the_same_record_wins,
            commit: a_commit_of_nothing_is_a_commit,
            commit: records_are_loaded_in_the_order_of_their_names,
            commit: any_valid_text_can_be_an_id,
            commit: a_large_batch_is_committed_whole,
            turn: every_commit_grows_the_revision,
            turn: a_batch_on_an_old_revision_changes_nothing,
            turn: a_batch_on_a_future_revision_changes_nothing,
            turn: of_two_commits_at_once_one_wins,
            turn: a_dropped_commit_happens_whole_or_not_at_all,
            turn: a_claim_changes_no_records,
            turn: a_superseded_claim_writes_nothing,
            turn: a_claim_that_was_never_made_writes_nothing,
            turn: a_claim_that_holds_is_proven_and_nothing_changes,
            turn: a_claim_that_does_not_hold_is_not_proven,
            turn: fences_grow_across_reopening,
            turn: a_claim_from_before_reopening_is_superseded_by_a_new_one,
            events: events_keep_the_order_of_their_commits,
            events: the_cursor_of_a_commit_is_that_of_its_last_event,
            events: events_are_read_page_by_page,
            events: a_page_after_the_last_event_is_empty,
            events: events_survive_reopening_and_cursors_go_on,
            events: the_oldest_event_is_named,
            domains: domains_do_not_mix,
            domains: a_claim_of_one_domain_leaves_the_others_alone,
            unreadable: a_record_that_cannot_be_read_hides_no_other_and_is_told,
            unreadable: a_record_that_cannot_be_read_is_left_alone_by_other_commits,
            unreadable: a_record_that_cannot_be_read_can_be_removed_and_written_anew,
            random: random_batches_are_loaded_like_the_model,
        }
    };
    (@tests $harness:expr => $($module:ident: $rule:ident,)*) => {
        $(
            #[test]
            fn $rule() -> $crate::store::RuleResult {
                $crate::store::run(async {
                    let mut harness = $harness;
                    $crate::store::rules::$module::$rule(&mut harness).await
                })
            }
        )*
    };
}
