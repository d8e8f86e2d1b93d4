//! The list of cases, once, and what it is expanded into.

use std::future::Future;
use std::pin::Pin;

use super::{Fixture, ServiceFixture, Verdict, service, store};

/// Gives the cases for stores to another macro: `[what was given] module::case, …`.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_cases {
    ($then:path, $($given:tt)*) => {
        $then! {
            [$($given)*]
            create::an_id_never_holds_the_text_bulk_id,
            create::ids_are_distinct,
            create::what_was_sent_is_kept,
            create::the_answer_is_the_resource_as_kept,
            create::meta_is_complete,
            create::times_survive_storage,
            create::letter_case_is_kept,
            create::blanks_are_kept,
            create::every_character_is_kept,
            create::long_texts_are_kept,
            create::the_external_id_is_kept,
            create::all_values_of_an_attribute_are_kept,
            create::the_parts_of_a_name_are_kept,
            create::extensions_are_kept,
            create::a_password_is_never_shown,
            create::without_the_capability_creation_is_unsupported,
            create::groups_an_id_never_holds_the_text_bulk_id,
            create::groups_ids_are_distinct,
            create::groups_the_answer_is_the_resource_as_kept,
            create::groups_meta_is_complete,
            create::groups_times_survive_storage,
            create::groups_letter_case_is_kept,
            create::groups_blanks_are_kept,
            create::groups_every_character_is_kept,
            create::groups_long_texts_are_kept,
            unique::a_taken_name_is_a_conflict,
            unique::letter_case_does_not_make_a_name_free,
            unique::folding_makes_names_equal,
            unique::folding_makes_no_other_names_equal,
            unique::a_conflict_names_the_attribute,
            unique::a_refused_creation_leaves_nothing,
            unique::external_ids_need_not_be_unique,
            unique::a_deleted_name_is_free,
            unique::a_former_name_is_free,
            unique::a_replacement_cannot_take_a_name,
            unique::a_patch_cannot_take_a_name,
            unique::the_own_name_is_no_conflict,
            unique::of_many_creations_at_once_one_wins,
            unique::of_many_renamings_at_once_one_wins,
            read::an_unknown_id_is_none,
            read::an_odd_id_is_none,
            read::an_id_is_compared_exactly,
            read::a_user_is_no_group,
            read::identity_is_there_whatever_is_wanted,
            read::what_is_wanted_is_there,
            read::members_are_there_when_wanted,
            read::what_is_shown_is_what_is_read,
            read::an_empty_list_is_a_list,
            read::everybody_is_listed_once,
            read::a_list_holds_one_type,
            read::a_listed_resource_is_whole,
            read::pages_cover_everybody_once,
            read::a_page_that_ends_early_counts_all,
            read::hundreds_are_listed,
            read::a_page_is_the_same_again,
            read::the_total_counts_all,
            read::a_count_of_zero_gives_the_total_alone,
            read::a_page_is_no_longer_than_asked,
            read::a_page_after_the_last_is_empty,
            read::a_start_far_beyond_is_empty,
            read::groups_are_listed_without_members,
            read::groups_an_unknown_id_is_none,
            read::groups_an_odd_id_is_none,
            read::groups_an_id_is_compared_exactly,
            read::groups_identity_is_there_whatever_is_wanted,
            read::groups_an_empty_list_is_a_list,
            read::groups_everybody_is_listed_once,
            read::groups_a_listed_resource_is_whole,
            read::groups_pages_cover_everybody_once,
            read::groups_a_page_that_ends_early_counts_all,
            read::groups_pages_by_cursor_hold_everybody_once,
            read::groups_hundreds_are_listed,
            read::groups_a_page_is_the_same_again,
            read::groups_the_total_counts_all,
            read::groups_a_count_of_zero_gives_the_total_alone,
            read::groups_a_page_is_no_longer_than_asked,
            read::groups_a_page_after_the_last_is_empty,
            read::groups_a_start_far_beyond_is_empty,
            sort::ascending_is_the_default,
            sort::descending_is_the_other_way_round,
            sort::order_ignores_letter_case,
            sort::order_is_that_of_folded_texts,
            sort::equal_values_keep_their_places,
            sort::a_part_of_a_name_orders,
            sort::times_order,
            sort::the_order_is_made_before_the_cut,
            sort::a_missing_value_comes_last,
            sort::groups_ascending_is_the_default,
            sort::groups_descending_is_the_other_way_round,
            sort::groups_order_ignores_letter_case,
            sort::groups_order_is_that_of_folded_texts,
            sort::groups_times_order,
            sort::groups_the_order_is_made_before_the_cut,
            cursor::pages_hold_everybody_once,
            cursor::pages_are_sorted,
            cursor::a_filter_holds_behind_a_cursor,
            cursor::nobody_is_missed_while_others_come_and_go,
            cursor::a_deleted_resource_leaves_its_position,
            cursor::a_position_of_another_tenant_reaches_nothing,
            cursor::a_position_that_nobody_was_at_is_a_position,
            cursor::pages_lead_back,
            cursor::a_filter_holds_on_the_way_back,
            cursor::nobody_is_missed_on_the_way_back,
            cursor::a_page_that_ends_early_says_so,
            cursor::a_page_that_ends_early_leads_back,
            filter::equality_finds_the_one,
            filter::a_name_is_found_in_any_letter_case,
            filter::letter_case_is_folded_character_by_character,
            filter::parts_of_a_name_are_found,
            filter::extensions_are_found,
            filter::what_is_case_exact_is_compared_exactly,
            filter::an_id_is_found,
            filter::parts_of_texts_are_found,
            filter::wildcards_are_ordinary_characters,
            filter::quotes_are_ordinary_characters,
            filter::and_asks_for_each_term,
            filter::or_asks_for_any_term,
            filter::not_includes_whoever_has_no_value,
            filter::inequality_includes_whoever_has_no_value,
            filter::presence_asks_for_a_value,
            filter::booleans_are_compared,
            filter::texts_are_ordered,
            filter::times_are_compared_as_moments,
            filter::every_value_counts,
            filter::brackets_ask_for_one_value,
            filter::the_filter_comes_before_the_cut,
            filter::a_group_is_found_by_its_members,
            group_filter::groups_are_found_by_name,
            group_filter::groups_are_found_by_parts_of_names,
            group_filter::groups_every_character_is_itself,
            group_filter::groups_terms_are_combined,
            group_filter::groups_the_filter_comes_before_the_cut,
            group_filter::groups_an_id_is_found,
            group_filter::groups_letter_case_is_folded_character_by_character,
            replace::what_is_not_sent_is_gone,
            replace::the_answer_to_a_replacement_is_as_kept,
            replace::identity_survives_a_replacement,
            replace::a_version_never_comes_back,
            replace::the_time_follows_the_changes,
            replace::replacing_nothing_is_not_found,
            replace::a_stale_replacement_is_refused,
            replace::one_of_several_versions_is_enough,
            replace::of_many_replacements_at_once_one_wins,
            replace::replacing_a_user_leaves_its_groups,
            replace::replacing_a_group_replaces_its_members,
            replace::groups_the_answer_to_a_replacement_is_as_kept,
            replace::groups_identity_survives_a_replacement,
            replace::groups_a_version_never_comes_back,
            replace::groups_the_time_follows_the_changes,
            replace::groups_replacing_nothing_is_not_found,
            replace::groups_a_stale_replacement_is_refused,
            replace::groups_one_of_several_versions_is_enough,
            replace::groups_of_many_replacements_at_once_one_wins,
            delete::a_deleted_resource_is_not_read,
            delete::a_deleted_resource_is_not_listed,
            delete::a_deleted_resource_is_not_found_by_name,
            delete::a_second_deletion_finds_nothing,
            delete::a_stale_deletion_is_refused,
            delete::a_deletion_of_the_present_version_succeeds,
            delete::one_of_several_versions_is_deleted,
            delete::an_id_is_never_used_again,
            delete::a_deleted_resource_cannot_be_replaced,
            delete::a_deleted_resource_cannot_be_patched,
            delete::a_change_does_not_undo_a_deletion,
            delete::a_deleted_user_is_no_member,
            delete::a_deleted_group_is_no_group_of_a_user,
            delete::a_deleted_group_is_no_member,
            delete::without_the_capability_deletion_is_unsupported,
            delete::groups_a_deleted_resource_is_not_read,
            delete::groups_a_deleted_resource_is_not_listed,
            delete::groups_a_deleted_resource_is_not_found_by_name,
            delete::groups_a_second_deletion_finds_nothing,
            delete::groups_a_stale_deletion_is_refused,
            delete::groups_a_deletion_of_the_present_version_succeeds,
            delete::groups_one_of_several_versions_is_deleted,
            delete::groups_an_id_is_never_used_again,
            delete::groups_a_deleted_resource_cannot_be_replaced,
            delete::groups_a_deleted_resource_cannot_be_patched,
            delete::groups_a_change_does_not_undo_a_deletion,
            patch::a_patch_leaves_the_rest_alone,
            patch::a_patch_takes_a_value_away,
            patch::the_answer_to_a_patch_is_as_kept,
            patch::an_effective_patch_gives_a_version,
            patch::a_patch_without_effect_keeps_the_version,
            patch::a_stale_patch_is_refused,
            patch::one_of_several_versions_is_patched,
            patch::a_failed_patch_changes_nothing,
            patch::patching_nothing_is_not_found,
            patch::patches_at_once_are_all_kept,
            patch::groups_the_answer_to_a_patch_is_as_kept,
            patch::groups_an_effective_patch_gives_a_version,
            patch::groups_a_patch_without_effect_keeps_the_version,
            patch::groups_a_stale_patch_is_refused,
            patch::groups_one_of_several_versions_is_patched,
            patch::groups_patching_nothing_is_not_found,
            members::a_group_is_created_with_its_members,
            members::a_member_is_added,
            members::adding_a_member_twice_has_no_effect,
            members::a_member_is_removed,
            members::only_those_listed_are_removed,
            members::removing_no_member_has_no_effect,
            members::members_are_replaced,
            members::all_members_are_removed,
            members::the_last_operation_counts,
            members::a_new_member_is_a_new_version,
            members::name_and_members_change_together,
            members::a_new_name_leaves_the_members,
            members::members_are_removed_by_a_filter,
            members::many_members_at_a_time,
            members::additions_at_once_are_all_kept,
            members::additions_and_removals_at_once_are_all_kept,
            members::a_new_name_at_once_undoes_no_addition,
            members::the_groups_of_a_user_follow,
            isolation::another_tenant_reads_nothing,
            isolation::another_tenant_lists_nothing,
            isolation::another_tenant_counts_nothing,
            isolation::another_tenant_finds_nothing,
            isolation::a_name_is_taken_in_one_tenant_only,
            isolation::a_renaming_does_not_meet_another_tenant,
            isolation::another_tenant_replaces_nothing,
            isolation::another_tenant_patches_nothing,
            isolation::another_tenant_deletes_nothing,
            isolation::a_membership_does_not_reach_another_tenant,
            isolation::a_group_of_another_tenant_keeps_its_members,
            isolation::groups_another_tenant_reads_nothing,
            isolation::groups_another_tenant_lists_nothing,
            isolation::groups_another_tenant_counts_nothing,
            isolation::groups_another_tenant_finds_nothing,
            isolation::groups_another_tenant_replaces_nothing,
            isolation::groups_another_tenant_patches_nothing,
            isolation::groups_another_tenant_deletes_nothing,
            dropped::refusals_leave_the_store_working,
            dropped::a_refused_name_is_free,
            dropped::a_dropped_creation_is_whole_or_nothing,
            dropped::a_dropped_replacement_is_whole_or_nothing,
            dropped::a_dropped_patch_is_whole_or_nothing,
            dropped::a_dropped_deletion_is_whole_or_nothing,
            dropped::groups_refusals_leave_the_store_working,
            dropped::groups_a_dropped_replacement_is_whole_or_nothing,
        }
    };
}

/// Gives the cases for services to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __service_cases {
    ($then:path, $($given:tt)*) => {
        $then! {
            [$($given)*]
            protocol::an_unknown_id_is_404,
            protocol::an_unknown_endpoint_is_404,
            protocol::a_wrong_method_is_405,
            protocol::a_creation_answers_in_full,
            protocol::answers_are_scim_json,
            protocol::plain_json_is_understood,
            protocol::a_malformed_body_is_invalid_syntax,
            protocol::a_malformed_filter_is_invalid_filter,
            protocol::a_taken_name_is_409,
            protocol::a_list_has_whole_numbers,
            protocol::an_answer_holds_what_was_asked_for,
            protocol::the_present_version_is_304,
            protocol::a_stale_version_is_412,
            protocol::what_is_deleted_is_gone,
            protocol::what_is_read_only_is_ignored,
            protocol::a_password_is_never_answered,
            protocol::tenants_are_apart,
            protocol::the_configuration_is_complete,
            protocol::types_and_schemas_are_found,
            protocol::members_can_be_left_out,
            entra::entra_tests_the_connection,
            entra::entra_provisions_a_user,
            entra::entra_fills_value_paths,
            entra::entra_sends_paths_as_keys,
            entra::entra_links_a_manager,
            entra::entra_provisions_a_group,
            okta::okta_provisions_a_user,
            okta::okta_switches_a_user_off_and_on,
            okta::okta_pushes_a_group,
            keycloak::keycloak_provisions_users_and_groups,
        }
    };
}

/// One test function for each case.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ([$kind:ident $fixtures:ident [$test:meta] [$fixture:ty]] $($module:ident::$case:ident,)*) => { $(
        #[$test]
        async fn $case() {
            if let ::core::option::Option::Some(reason) = <$fixture as $crate::conformance::$fixtures>::missing() {
                ::std::eprintln!("skipped: {reason}");
                return;
            }
            let fixture = <$fixture as $crate::conformance::$fixtures>::new().await;
            match $crate::conformance::$kind::$module::$case(&fixture).await {
                ::core::result::Result::Ok(()) => {}
                ::core::result::Result::Err($crate::conformance::Stop::NotApplicable(reason)) => {
                    ::std::eprintln!("skipped: {reason}");
                }
                ::core::result::Result::Err(stop) => ::std::panic!("{stop}"),
            }
        }
    )* };
}

/// Tests a host's stores: one test function for each case of [`conformance::store`](crate::conformance::store).
///
/// The first argument is the attribute that makes an `async fn` a test, the second a
/// [`Fixture`](crate::conformance::Fixture). See [`conformance`](crate::conformance).
#[macro_export]
macro_rules! store_conformance {
    ($test:meta, $fixture:ty $(,)?) => {
        $crate::__store_cases! { $crate::__conformance_tests, store Fixture [$test] [$fixture] }
    };
}

/// Tests a host's service: one test function for each case of [`conformance::service`](crate::conformance::service).
///
/// The first argument is the attribute that makes an `async fn` a test, the second a
/// [`ServiceFixture`](crate::conformance::ServiceFixture). See [`conformance`](crate::conformance).
#[macro_export]
macro_rules! service_conformance {
    ($test:meta, $fixture:ty $(,)?) => {
        $crate::__service_cases! { $crate::__conformance_tests, service ServiceFixture [$test] [$fixture] }
    };
}

/// A case as a value, for hosts that want to run the kit by other means than test functions.
pub struct ConformanceCase<F> {
    name: &'static str,
    run: for<'f> fn(&'f F) -> Running<'f>,
}

type Running<'f> = Pin<Box<dyn Future<Output = Verdict> + Send + 'f>>;

impl<F> ConformanceCase<F> {
    /// The case's name, with that of its module: `unique::a_taken_name_is_a_conflict`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Runs the case on a fresh fixture.
    ///
    /// # Errors
    /// [`Stop`](super::Stop), when something was not as it has to be or the case does not apply.
    pub fn run<'f>(&self, fixture: &'f F) -> impl Future<Output = Verdict> + Send + use<'f, F> {
        (self.run)(fixture)
    }
}

impl<F> std::fmt::Debug for ConformanceCase<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

macro_rules! as_values {
    ([$kind:ident $fixture:ident] $($module:ident::$case:ident,)*) => {
        vec![$(ConformanceCase {
            name: concat!(stringify!($module), "::", stringify!($case)),
            run: |fixture: &$fixture| Box::pin($kind::$module::$case(fixture)),
        },)*]
    };
}

/// All cases for stores.
pub fn store_cases<F: Fixture>() -> Vec<ConformanceCase<F>> {
    __store_cases! { as_values, store F }
}

/// All cases for services.
pub fn service_cases<F: ServiceFixture>() -> Vec<ConformanceCase<F>> {
    __service_cases! { as_values, service F }
}
