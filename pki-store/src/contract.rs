//! The contract that every implementation of [`Store`](crate::Store) fulfils, as functions that panic where it does not.
//!
//! Each function gets two handles to one fresh store with the mounts `pki` and `database`, as two processes
//! would have. [`store_contract!`](crate::store_contract) makes a test of each, twice: as it is, and with the
//! answer to every commit lost once.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    missing_docs,
    reason = "tests of an implementation: what they are for is their name, and they panic"
)]

mod accounts;
mod audit;
mod certificates;
mod configured;
mod fixture;
mod leases;
mod revocation;
mod writers;

pub use accounts::*;
pub use audit::*;
pub use certificates::*;
pub use configured::*;
pub use fixture::{Answers, Pair, SeededRandom, at};
pub use leases::*;
pub use revocation::*;
pub use writers::*;

/// Makes the tests of an implementation. `$make` is a function that gives `(store, store, guard)`: two handles to
/// one fresh store, and whatever must live as long as they.
#[macro_export]
macro_rules! store_contract {
    ($make:path) => {
        $crate::store_contract! { @each $make;
            a_batch_has_one_outcome_however_often_it_is_committed,
            a_conflict_undoes_the_whole_batch,
            a_conflict_leaves_no_audit_row,
            a_refusal_is_only_an_audit_row,
            audit_pages_follow_each_other,
            audit_filters,
            the_audit_log_proves_itself,
            mounts_are_created_tuned_and_disabled,
            keys_have_one_name_and_one_public_half,
            a_secret_opens_only_at_its_place,
            a_pending_name_finds_its_issuer,
            an_issuer_joins_its_key_whichever_comes_first,
            one_authority_signs_crls_in_one_mount,
            an_issuer_is_updated_and_deleted,
            issuers_are_found_by_what_they_are,
            issuer_pages_follow_each_other,
            keys_are_found_by_what_they_are,
            defaults_are_set_and_follow,
            roles_have_revisions_and_history,
            a_role_written_again_after_deletion_is_another,
            configuration_has_revisions,
            a_serial_is_used_once,
            a_certificate_is_reserved_then_committed,
            a_certificate_needs_what_it_refers_to,
            certificates_are_found_by_name,
            certificates_are_filtered,
            certificate_pages_follow_each_other,
            a_long_list_is_searched_as_a_short_one,
            a_row_without_its_certificate,
            names_that_are_odd,
            a_revocation_is_recorded_once,
            an_unknown_certificate_can_be_revoked_and_stored_later,
            revocations_come_in_parts,
            crl_numbers_only_rise,
            this_update_never_steps_back,
            a_crl_replaces_only_an_older_one,
            a_lease_lives_and_ends,
            the_table_of_lease_transitions,
            a_lease_that_was_taken_over_is_not_activated,
            a_lease_needs_an_id_of_its_own,
            due_leases_are_claimed_once,
            revocations_are_due_after_their_back_off,
            leases_are_listed_by_prefix_and_state,
            leases_are_revoked_by_prefix_in_parts,
            two_workers_never_get_one_lease,
            a_heartbeat_is_the_last_one,
            a_password_is_changed_in_two_phases,
            accounts_are_listed_by_kind_and_deleted,
            two_writers_interleave,
            two_writers_race_for_one_name,
            two_writers_race_for_one_revision,
            two_writers_never_get_one_crl_number,
        }
    };
    (@each $make:path; $($name:ident,)*) => {
        $(
            #[test]
            fn $name() {
                let (a, b, _guard) = $make();
                $crate::contract::$name(&$crate::contract::Pair::new(&a, &b, $crate::contract::Answers::Arrive));
            }
        )*
        mod answers_lost {
            use super::*;
            $(
                #[test]
                fn $name() {
                    let (a, b, _guard) = $make();
                    $crate::contract::$name(
                        &$crate::contract::Pair::new(&a, &b, $crate::contract::Answers::LostOnce));
                }
            )*
        }
    };
}
