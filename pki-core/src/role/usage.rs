//! What the certified key may be used for.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::config::{Complaints, RoleConfig};
use crate::explain::{Inquiry, No, Remedy, RuleId, Warning};
use crate::key::KeyType;
use crate::profile::{KeyUsage, KeyUsages};

/// The key usages of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyUsagePolicy {
    /// What suits the type of the key.
    ByKeyType,
    /// These, as far as the key can have them.
    Listed(KeyUsages),
    /// No key usage extension.
    Absent,
}

impl KeyUsagePolicy {
    /// Vault's default list. No key can have all three, so it stands for "what suits the key".
    pub(super) const VAULT_DEFAULT: [&'static str; 3] =
        ["DigitalSignature", "KeyAgreement", "KeyEncipherment"];

    pub(super) fn accept(config: &RoleConfig, complaints: &mut Complaints) -> Option<Self> {
        let mut usages = KeyUsages::NONE;
        let mut complete = true;
        for name in &config.key_usage {
            let problem = match KeyUsage::from_name(name) {
                Some(KeyUsage::CertSign | KeyUsage::CrlSign) => {
                    "is for CA certificates, not for end entities"
                }
                Some(usage) => {
                    usages = usages.with(usage);
                    continue;
                }
                None => "is not the name of a key usage",
            };
            complete = false;
            complaints.add(
                "key_usage",
                alloc::format!("{name:?} {problem}"),
                "DigitalSignature, ContentCommitment, KeyEncipherment, DataEncipherment, KeyAgreement, EncipherOnly, \
                 DecipherOnly",
            );
        }
        let vault_default = Self::VAULT_DEFAULT.into_iter().filter_map(KeyUsage::from_name).collect();
        complete.then_some(if config.key_usage.is_empty() {
            Self::Absent
        } else if usages == vault_default {
            Self::ByKeyType
        } else {
            Self::Listed(usages)
        })
    }

    /// The usages that a CSR asks for, where the role takes them from it.
    pub(super) const fn of_csr(usages: KeyUsages) -> Self {
        Self::Listed(usages)
    }

    /// The usages for a key of this type.
    pub(super) fn permit(
        self,
        key_type: KeyType,
        warnings: &mut Vec<Warning>,
        inquiry: &mut Inquiry,
    ) -> Result<KeyUsages, No> {
        let value = || key_type.to_string();
        inquiry.ask_because(
            RuleId::KEY_USAGE,
            value,
            || self.possible_usages(key_type, warnings),
            ToString::to_string,
        )
    }

    fn possible_usages(self, key_type: KeyType, warnings: &mut Vec<Warning>) -> Result<KeyUsages, No> {
        use KeyUsage::{DigitalSignature, KeyAgreement, KeyEncipherment};
        let listed = match self {
            Self::Absent => return Ok(KeyUsages::NONE),
            Self::ByKeyType => {
                return Ok(match key_type {
                    KeyType::Rsa => KeyUsages::NONE.with(DigitalSignature).with(KeyEncipherment),
                    KeyType::Ec => KeyUsages::NONE.with(DigitalSignature).with(KeyAgreement),
                    _ => KeyUsages::NONE.with(DigitalSignature),
                });
            }
            Self::Listed(listed) => listed,
        };
        let mut granted = listed.intersection(possible(key_type));
        // RFC 5280 4.2.1.3: the last two bits mean nothing without keyAgreement.
        if !granted.contains(KeyAgreement) {
            let both = KeyUsages::NONE.with(KeyUsage::EncipherOnly).with(KeyUsage::DecipherOnly);
            granted = granted.without(both);
        }
        let left_out = listed.without(granted);
        if granted.is_empty() {
            return Err(No {
                rule: RuleId::KEY_USAGE,
                value: listed.to_string(),
                reason: alloc::format!(
                    "none of the role's key usages ({listed}) is possible for a key of type {key_type}"
                ),
                remedy: Remedy::Role(alloc::format!("--key-usage {}", DigitalSignature.name())),
            });
        }
        if !left_out.is_empty() {
            warnings.push(Warning::KeyUsageLeftOut { usages: left_out.to_string(), key: key_type.as_str() });
        }
        Ok(granted)
    }
}

/// The usages that a key of this type can have at all.
fn possible(key_type: KeyType) -> KeyUsages {
    use KeyUsage::{
        ContentCommitment, DataEncipherment, DecipherOnly, DigitalSignature, EncipherOnly, KeyAgreement,
        KeyEncipherment,
    };
    let signing = KeyUsages::NONE.with(DigitalSignature).with(ContentCommitment);
    match key_type {
        // RFC 3279 2.3.1
        KeyType::Rsa => signing.with(KeyEncipherment).with(DataEncipherment),
        // RFC 8813 3 (and RFC 5480 3): no encipherment with an elliptic curve key.
        KeyType::Ec => signing.with(KeyAgreement).with(EncipherOnly).with(DecipherOnly),
        // RFC 8410 5
        _ => signing,
    }
}
