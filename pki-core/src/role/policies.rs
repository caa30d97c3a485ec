//! Certificate policies as a role names them.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::config::{Complaints, RoleConfig};
use crate::extension::PolicyInformation;

/// A certificate policy (RFC 5280 4.2.1.4): its identifier, and what it says to people.
///
/// Written as the identifier alone where there is nothing else, as `{"oid": ..., "notice": ..., "cps": ...}` otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(from = "wire::Policy", into = "wire::Policy")
)]
pub struct PolicyIdentifier {
    /// The identifier, such as `2.23.140.1.2.1`.
    pub oid: String,
    /// A text that is shown to whoever relies on the certificate; empty for none.
    pub notice: String,
    /// Where the certification practice statement is; empty for none.
    pub cps: String,
}

impl PolicyIdentifier {
    /// The policy of this identifier, without more.
    pub const fn new(oid: String) -> Self {
        Self { oid, notice: String::new(), cps: String::new() }
    }
}

/// The policies of a role as certificates list them.
pub(super) fn accept(config: &mut RoleConfig, complaints: &mut Complaints) -> Vec<PolicyInformation> {
    let mut policies: Vec<PolicyInformation> = Vec::new();
    for PolicyIdentifier { oid, notice, cps } in &mut config.policy_identifiers {
        *oid = oid.trim().to_string();
        let mut wrong =
            |problem: String, accepted: &str| complaints.add("policy_identifiers", problem, accepted);
        let Ok(id) = oid.parse() else {
            wrong(
                alloc::format!("{oid:?} is not an object identifier"),
                "identifiers, or JSON such as [{\"oid\":\"1.3.6.1.4.1.7.8\",\"cps\":\"https://example.com\"}]",
            );
            continue;
        };
        // RFC 5280 4.2.1.4: no identifier more than once, an explicit text of at most 200 characters, a URI of ASCII.
        if policies.iter().any(|policy| policy.id == id) {
            wrong(alloc::format!("{oid} is there twice"), "each identifier once");
        } else if notice.chars().count() > MAX_NOTICE || notice.chars().any(char::is_control) {
            wrong(
                alloc::format!(
                    "the notice of {oid} is longer than {MAX_NOTICE} characters or has control characters"
                ),
                "a text of at most 200 characters",
            );
        } else if !cps.chars().all(|c| c.is_ascii_graphic()) {
            wrong(
                alloc::format!("the cps {cps:?} of {oid} is no URI"),
                "a URI such as https://example.com/cps",
            );
        } else {
            policies.push(PolicyInformation { id, notice: notice.clone(), cps: cps.clone() });
        }
    }
    policies
}

/// RFC 5280 4.2.1.4: the most characters of an explicit text.
const MAX_NOTICE: usize = 200;

#[cfg(feature = "serde")]
mod wire {
    use alloc::string::String;

    /// Vault's two ways to write a policy.
    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(untagged)]
    pub(super) enum Policy {
        Plain(String),
        Qualified(Qualified),
    }

    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Qualified {
        oid: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        notice: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        cps: String,
    }

    impl From<Policy> for super::PolicyIdentifier {
        fn from(policy: Policy) -> Self {
            match policy {
                Policy::Plain(oid) => Self::new(oid),
                Policy::Qualified(Qualified { oid, notice, cps }) => Self { oid, notice, cps },
            }
        }
    }

    impl From<super::PolicyIdentifier> for Policy {
        fn from(policy: super::PolicyIdentifier) -> Self {
            let super::PolicyIdentifier { oid, notice, cps } = policy;
            if notice.is_empty() && cps.is_empty() {
                Self::Plain(oid)
            } else {
                Self::Qualified(Qualified { oid, notice, cps })
            }
        }
    }
}
