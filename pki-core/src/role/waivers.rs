//! The lints that a role does without.

use alloc::vec::Vec;

use super::config::{Complaints, RoleConfig};
use crate::lint::LintWaiver;

/// Each waiver names a lint that a role can do without, once, and says why.
pub(super) fn accept(config: &RoleConfig, complaints: &mut Complaints) -> Vec<LintWaiver> {
    let mut waivers: Vec<LintWaiver> = Vec::with_capacity(config.lint_waivers.len());
    for text in &config.lint_waivers {
        match LintWaiver::parse(text) {
            Ok(waiver) if waivers.iter().any(|other| other.lint() == waiver.lint()) => complaints.add(
                "lint_waivers",
                alloc::format!("{} is waived twice", waiver.lint()),
                "one reason for each lint",
            ),
            Ok(waiver) => waivers.push(waiver),
            Err(error) => complaints.add("lint_waivers", &error, error.accepted()),
        }
    }
    waivers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::Role;

    #[test]
    fn a_role_waives_known_lints_with_a_reason() {
        let role = |waivers: &[&str]| {
            let lint_waivers = waivers.iter().map(|&text| text.into()).collect();
            Role::new(RoleConfig { lint_waivers, ..RoleConfig::default() })
        };
        assert!(role(&["key-usage.only: the device asks for it"]).is_ok());
        for (waivers, problem) in [
            (&["serial.short: x"][..], "there is no lint \"serial.short\""),
            (&["key-usage.only"], "the waiver of key-usage.only gives no reason"),
            (&["key-usage.only: "], "the waiver of key-usage.only gives no reason"),
            (&["der.strict: x"], "the lint der.strict cannot be waived by a role"),
            (&["key-usage.only: a", "key-usage.only: b"], "key-usage.only is waived twice"),
        ] {
            let error = role(waivers).unwrap_err();
            assert_eq!(error.complaints.len(), 1, "{waivers:?}");
            assert_eq!((error.complaints[0].field, &*error.complaints[0].problem), ("lint_waivers", problem));
        }
    }
}
