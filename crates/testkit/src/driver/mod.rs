//! The suite that every driver must pass: [`driver_suite!`](crate::driver_suite).
//!
//! Make a [`DriverHarness`] of a driver in front of a cloud that is its own, and expand the macro in a test;
//! it makes one test of each function in [`rules`].

mod harness;
pub mod rules;
mod run;
mod steps;
#[cfg(test)]
mod tests;
mod violation;

pub use self::{
    harness::DriverHarness,
    run::{Clock, check, run},
    violation::{RuleResult, RuleViolation},
};

/// Expands to one test per rule of the [contract of drivers](vmpool_driver::Driver).
///
/// The argument is an expression that makes a [`DriverHarness`](crate::driver::DriverHarness); it is evaluated once in
/// every test, in an async context where `?` ends the test with a [`RuleViolation`](crate::driver::RuleViolation).
/// Timers of tokio go by a [virtual clock](crate::driver::Clock::Virtual); for a driver that speaks over a socket write
/// `real_time` before the expression.
///
/// Put it in a module of its own, or in a test file that has nothing else.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use vmpool_dummy::{CloudError, DummyCloud, DummyConfig, DummyDriver};
/// use vmpool_testkit::driver::{DriverHarness, RuleViolation};
///
/// async fn harness() -> Result<DriverHarness, RuleViolation> {
///     let cloud = DummyCloud::in_memory(DummyConfig::default());
///     let cloud = cloud.map_err(|err: CloudError| RuleViolation::new(err.to_string()))?;
///     Ok(DriverHarness::new(Arc::new(DummyDriver::new(cloud)), "small"))
/// }
///
/// mod dummy {
///     vmpool_testkit::driver_suite!(super::harness().await?);
/// }
///
/// mod dummy_in_real_time {
///     vmpool_testkit::driver_suite!(real_time, super::harness().await?);
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! driver_suite {
    (real_time, $harness:expr $(,)?) => {
        $crate::driver_suite! { @rules Real, $harness }
    };
    (@rules $clock:ident, $harness:expr) => {
        $crate::driver_suite! { @tests $clock, $harness =>
            capabilities: a_declared_catalog_is_not_empty,
            capabilities: what_is_in_the_catalog_can_be_chosen,
            capabilities: a_declared_expiry_is_accepted,
            capabilities: declared_labels_are_listed,
            capabilities: declared_logins_are_accepted,
            capabilities: undeclared_operations_are_refused,
            capabilities: undeclared_parts_of_a_request_are_refused,
            create: a_name_is_kept,
            create: a_node_without_a_name_gets_one,
            create: a_token_is_on_the_node_from_the_first_moment,
            create: a_token_stays_while_the_node_boots,
            create: a_node_without_a_token_shows_none,
            create: a_repeated_token_makes_no_hidden_node,
            create: living_nodes_have_ids_of_their_own,
            create: nodes_created_at_once_are_distinct,
            errors: an_error_says_what_was_tried,
            errors: a_refusal_is_certain,
            hints: a_declared_hint_comes,
            hints: a_hint_that_is_not_waited_for_is_not_lost,
            identity: the_driver_says_who_it_is,
            identity: what_the_driver_says_of_itself_does_not_change,
            lifecycle: a_created_node_is_listed_until_it_is_destroyed,
            lifecycle: a_created_node_is_found_by_its_id,
            lifecycle: a_created_node_runs_in_the_end,
            lifecycle: a_new_node_can_be_destroyed_at_once,
            lifecycle: destroying_a_node_leaves_the_others,
            lifecycle: destroying_a_node_twice_harms_no_other,
            lifecycle: a_dropped_call_leaves_the_driver_usable,
            listing: a_listing_is_complete_and_holds_each_node_once,
            listing: every_node_carries_its_raw_state,
            listing: a_node_is_the_same_in_listings_and_alone,
            power: a_stopped_node_is_kept_and_starts_again,
            power: a_stopped_node_can_be_destroyed,
            power: a_rebooted_node_runs_again,
            power: a_running_node_cannot_be_started,
            power: a_stopped_node_can_only_be_started,
            unknown: an_unknown_node_is_not_found,
            unknown: destroying_an_unknown_node_is_not_found,
            unknown: nothing_works_on_an_unknown_node,
            unknown: an_id_that_only_resembles_a_nodes_is_unknown,
        }
    };
    (@tests $clock:ident, $harness:expr => $($module:ident: $rule:ident,)*) => {
        $(
            #[test]
            fn $rule() -> $crate::driver::RuleResult {
                $crate::driver::run($crate::driver::Clock::$clock, async {
                    let harness: $crate::driver::DriverHarness = $harness;
                    $crate::driver::check(harness, $crate::driver::rules::$module::$rule).await
                })
            }
        )*
    };
    ($harness:expr $(,)?) => {
        $crate::driver_suite! { @rules Virtual, $harness }
    };
}
