//! Every rule of the suite catches a driver that breaks it.

use vmpool_testkit::driver::{check, rules};

use crate::{
    clouds,
    flaw::{Flaw, Flawed},
};

/// Makes one test per rule: a driver with the flaw breaks it, and what the rule says of that contains the words.
macro_rules! caught {
    ($($module:ident: $rule:ident => $flaw:ident, $words:literal;)*) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $rule() {
                let harness = clouds::harness(Flawed::new(Flaw::$flaw).await);
                let violation = check(harness, rules::$module::$rule).await.unwrap_err();
                assert!(violation.to_string().contains($words), "{violation}");
            }
        )*
    };
}

caught! {
    capabilities: a_declared_catalog_is_not_empty => EmptyCatalog, "neither sizes nor images";
    capabilities: what_is_in_the_catalog_can_be_chosen => IgnoresSizes, "has size \"1\"";
    capabilities: a_declared_expiry_is_accepted => ExpiryEndsAtOnce, "is None long before its time";
    capabilities: declared_labels_are_listed => DropsLabels, "was created with the label";
    capabilities: declared_logins_are_accepted => DeclaresPasswords, "create failed: unsupported";
    capabilities: undeclared_operations_are_refused => HidesReboot, "reboot, which is not declared: it succeeds";
    capabilities: undeclared_parts_of_a_request_are_refused => HidesTokens, "a token, which is not declared";
    create: a_name_is_kept => RenamesNodes, "is created as \"SUITE-1\"";
    create: a_node_without_a_name_gets_one => NamelessNodes, "has no name";
    create: a_token_is_on_the_node_from_the_first_moment => LosesTokens, "shows None in the answer";
    create: a_token_stays_while_the_node_boots => LosesTokensOnceItRuns, "loses its token while it is running";
    create: a_node_without_a_token_shows_none => MarksAll, "was created without a token and shows";
    create: a_repeated_token_makes_no_hidden_node => RepeatsTokensInSecret, "carry testkit/suite/suite-1";
    create: living_nodes_have_ids_of_their_own => NumbersByCount, "a new node has the id 3 of one that lives";
    create: nodes_created_at_once_are_distinct => ReturnsTheFirst, "4 creates at once returned the ids";
    errors: an_error_says_what_was_tried => WrongOperation, "get fails as if it were list";
    errors: a_refusal_is_certain => UnclearRefusals, "leaves open whether it happened";
    hints: a_declared_hint_comes => KeepsHints, "a hint about node 2 comes: not within 60 s";
    hints: a_hint_that_is_not_waited_for_is_not_lost => DropsHints, "a hint about node 2 comes: not within 60 s";
    identity: the_driver_says_who_it_is => PasswordInEndpoint, "the endpoint holds credentials";
    identity: what_the_driver_says_of_itself_does_not_change => ChangesCapabilities, "first it says";
    lifecycle: a_created_node_is_listed_until_it_is_destroyed => CachesListings, "is gone after it was destroyed";
    lifecycle: a_created_node_is_found_by_its_id => GetsTheFirst, "got 1 (decoy)";
    lifecycle: a_created_node_runs_in_the_end => NeverRuns, "node 2 is running: not within 60 s";
    lifecycle: a_new_node_can_be_destroyed_at_once => IgnoresDestroy, "is gone after it was destroyed: not within";
    lifecycle: destroying_a_node_leaves_the_others => DestroysAll, "was not to be destroyed";
    lifecycle: destroying_a_node_twice_harms_no_other => DestroysAnotherTheSecondTime, "was not to be destroyed";
    lifecycle: a_dropped_call_leaves_the_driver_usable => NeverLetsGo, "a call is not answered within";
    listing: a_listing_is_complete_and_holds_each_node_once => ListsTwice, "6 entries of a listing have 3 ids";
    listing: every_node_carries_its_raw_state => EmptyRawState, "has no state of its provider";
    listing: a_node_is_the_same_in_listings_and_alone => RenamesAlone, "alone";
    power: a_stopped_node_is_kept_and_starts_again => PowersOtherwise, "stop failed: invalid_state";
    power: a_stopped_node_can_be_destroyed => StopIsFinal, "destroy failed: invalid_state";
    power: a_rebooted_node_runs_again => PowersOtherwise, "is running: not within 60 s";
    power: a_running_node_cannot_be_started => PowerNeverFails, "start of a node that is running: it succeeds";
    power: a_stopped_node_can_only_be_started => PowerNeverFails, "stop of a node that is stopped: it succeeds";
    unknown: an_unknown_node_is_not_found => UnknownIsOther, "the failure is not not_found";
    unknown: destroying_an_unknown_node_is_not_found => UnknownIsDestroyed, "it succeeds instead of failing";
    unknown: nothing_works_on_an_unknown_node => PowerNeverFails, "start of an unknown node: it succeeds";
    unknown: an_id_that_only_resembles_a_nodes_is_unknown => FindsByPath, "getting \"./2\" beside node 2";
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_is_never_complete_breaks_a_rule() {
    let harness = clouds::harness(Flawed::new(Flaw::CallsListingsPartial).await);
    let rule = rules::listing::a_listing_is_complete_and_holds_each_node_once;
    assert_eq!(check(harness, rule).await.unwrap_err().to_string(), "a listing is incomplete: who knows");
}

#[tokio::test(start_paused = true)]
async fn what_a_rule_made_is_destroyed_even_if_it_is_broken() {
    let driver = Flawed::new(Flaw::RenamesNodes).await;
    check(clouds::harness(driver.clone()), rules::create::a_name_is_kept).await.unwrap_err();
    let names: Vec<_> = vmpool_driver::Driver::list(&*driver)
        .await
        .unwrap()
        .nodes
        .into_iter()
        .map(|node| node.name)
        .collect();
    assert_eq!(names, ["DECOY"]);
}
