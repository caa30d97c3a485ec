//! Certificate policies as a role names them.

use alloc::string::String;

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
