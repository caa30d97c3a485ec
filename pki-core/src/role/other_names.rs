//! Which otherNames a role grants.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::config::{Complaints, RoleConfig};
use super::pattern::glob;
use super::remedy::list_with;
use crate::explain::{Inquiry, No, Remedy, RuleId};
use crate::name::OtherName;
use crate::oid::Oid;

/// The other names of a role; none allowed where the list is empty.
#[derive(Clone, Debug)]
pub(super) enum OtherNames {
    All,
    Listed(Vec<(Oid, String)>),
}

impl OtherNames {
    pub(super) fn accept(config: &mut RoleConfig, complaints: &mut Complaints) -> Self {
        config.allowed_other_sans.retain(|entry| !entry.is_empty());
        if let [all] = config.allowed_other_sans.as_slice()
            && all == "*"
        {
            return Self::All;
        }
        let mut listed = Vec::new();
        for entry in &config.allowed_other_sans {
            // The form of a request, with a pattern in place of the value.
            match OtherName::split(entry) {
                Ok((id, pattern)) => listed.push((id, pattern.to_lowercase())),
                Err(error) => complaints.add(
                    "allowed_other_sans",
                    error,
                    "OID;utf8:PATTERN such as 1.3.6.1.4.1.311.20.2.3;utf8:*@example.com, or * alone",
                ),
            }
        }
        Self::Listed(listed)
    }

    /// Its identifier is one that the role allows, with this value.
    pub(super) fn ask(&self, role: &RoleConfig, name: &OtherName, inquiry: &mut Inquiry) {
        let value = || name.to_string();
        let allowed = || self.other_name_allowed(role, name);
        let because = |pattern: &&str| alloc::format!("allowed_other_sans has {pattern}");
        let _ = inquiry.ask_because(RuleId::OTHER_NAME_ALLOWED, value, allowed, because);
    }

    fn other_name_allowed(&self, role: &RoleConfig, name: &OtherName) -> Result<&str, No> {
        let Self::Listed(listed) = self else {
            return Ok("*");
        };
        let value = name.value().to_lowercase();
        if let Some((_, pattern)) =
            listed.iter().find(|(id, pattern)| *id == name.id() && glob(pattern, &value))
        {
            return Ok(pattern);
        }
        let reason = if listed.iter().any(|(id, _)| *id == name.id()) {
            alloc::format!(
                "the other name {name} has a value that this role does not allow for {}",
                name.id()
            )
        } else {
            alloc::format!("the other name {name} has an identifier that this role does not allow")
        };
        // A star that the value has would be a pattern in the role.
        let remedy = if name.value().contains('*') {
            Remedy::Request("ask for an other name without '*', or for one that the role names".to_owned())
        } else {
            Remedy::Role(list_with("--allowed-other-sans", &role.allowed_other_sans, &name.to_string()))
        };
        Err(No { rule: RuleId::OTHER_NAME_ALLOWED, value: name.to_string(), reason, remedy })
    }
}
