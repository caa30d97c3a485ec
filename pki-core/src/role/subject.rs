//! Which subject attributes come from the role and which from the request.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Role;
use super::config::{Complaints, RoleConfig};
use super::pattern::glob;
use super::remedy::list_with;
use crate::explain::{Inquiry, No, Remedy, RuleId};
use crate::issue::{AskedNames, CommonName};
use crate::name::{AttributeType, DistinguishedName, GeneralName, NameError};

/// The role's own attributes, in the order of the subject; duplicates are one.
pub(super) fn accept(
    config: &mut RoleConfig,
    complaints: &mut Complaints,
) -> Vec<(AttributeType, Vec<String>)> {
    let fields: [(&'static str, AttributeType, &mut Vec<String>); 7] = [
        ("country", AttributeType::Country, &mut config.country),
        ("organization", AttributeType::Organization, &mut config.organization),
        ("ou", AttributeType::OrganizationalUnit, &mut config.ou),
        ("locality", AttributeType::Locality, &mut config.locality),
        ("province", AttributeType::Province, &mut config.province),
        ("street_address", AttributeType::StreetAddress, &mut config.street_address),
        ("postal_code", AttributeType::PostalCode, &mut config.postal_code),
    ];
    let mut subject = Vec::new();
    for (field, attribute, values) in fields {
        let mut seen: Vec<String> = Vec::new();
        values.retain(|value| {
            let new = !seen.contains(value);
            if new {
                seen.push(value.clone());
            }
            new
        });
        for value in values.iter() {
            if let Err(error) = DistinguishedName::new([[(attribute, value.as_str())]]) {
                complaints.add(
                    field,
                    error,
                    alloc::format!("1 to {} characters", attribute.max_characters()),
                );
            }
        }
        if !values.is_empty() {
            subject.push((attribute, values.clone()));
        }
    }
    subject
}

impl Role {
    /// The serialNumbers of the subject: each is one that the role allows.
    pub(super) fn ask_serial_numbers(&self, asked: &[String], inquiry: &mut Inquiry) {
        for serial_number in asked {
            let allowed = || serial_number_allowed(&self.config, serial_number);
            let _ = inquiry.ask(RuleId::SUBJECT_SERIAL_NUMBER, || serial_number.clone(), allowed);
        }
    }

    /// The user ids of the subject: each is one that the role allows.
    pub(super) fn ask_user_ids(&self, asked: &[String], inquiry: &mut Inquiry) {
        for user_id in asked {
            let allowed = || user_id_allowed(&self.config, user_id);
            let _ = inquiry.ask(RuleId::SUBJECT_USER_ID, || user_id.clone(), allowed);
        }
    }

    /// The CSR's subject, byte for byte.
    pub(super) fn whole_subject(
        &self,
        subject: &DistinguishedName,
        granted: &[GeneralName],
        inquiry: &mut Inquiry,
    ) -> Result<DistinguishedName, No> {
        let value = || subject.to_string();
        inquiry.ask(RuleId::SUBJECT_VALUE, value, || readable_subject(subject))?;
        let somebody = || if subject.is_empty() { nobody(granted) } else { Ok(()) };
        let _ = inquiry.ask(RuleId::SUBJECT_NOBODY, value, somebody);
        Ok(subject.clone())
    }

    /// The subject: the role's attributes, then common name, serialNumber and user ids, each kind as one RDN.
    pub(super) fn compose_subject(
        &self,
        names: &AskedNames,
        granted: &[GeneralName],
        inquiry: &mut Inquiry,
    ) -> Result<DistinguishedName, No> {
        let common_name = names.common_name.as_ref().map(CommonName::as_str);
        let own = self.subject.iter().map(|(kind, values)| of_kind(*kind, values.iter().map(String::as_str)));
        let asked = [
            of_kind(AttributeType::CommonName, common_name),
            of_kind(AttributeType::SerialNumber, names.subject_serial_numbers.iter().map(String::as_str)),
            of_kind(AttributeType::UserId, names.user_ids.iter().map(String::as_str)),
        ];
        let value = || common_name.unwrap_or_default().to_string();
        let composed = || subject_values(DistinguishedName::new(own.chain(asked)));
        let subject = inquiry.ask(RuleId::SUBJECT_VALUE, value, composed)?;
        let somebody = || if subject.is_empty() { nobody(granted) } else { Ok(()) };
        let _ = inquiry.ask(RuleId::SUBJECT_NOBODY, || subject.to_string(), somebody);
        Ok(subject)
    }
}

/// A subject that is taken whole can be read where the rules read it: a common name in a type of string that nobody
/// knows would pass them by.
fn readable_subject(subject: &DistinguishedName) -> Result<(), No> {
    for kind in [AttributeType::CommonName, AttributeType::SerialNumber, AttributeType::UserId] {
        let values = subject.values(kind);
        let odd = values.iter().find(|value| CommonName::parse(value).is_err());
        if odd.is_none() && values.len() == subject.count(kind) {
            continue;
        }
        return Err(No {
            rule: RuleId::SUBJECT_VALUE,
            value: odd.cloned().unwrap_or_default(),
            reason: alloc::format!(
                "the CSR's subject has a {} that is empty, has control characters, or is no text",
                kind.short_name()
            ),
            remedy: Remedy::Request("make the CSR with a subject of plain text".to_string()),
        });
    }
    Ok(())
}

/// RFC 5280 appendix A.1: each attribute has an alphabet and an upper bound.
fn subject_values(composed: Result<DistinguishedName, NameError>) -> Result<DistinguishedName, No> {
    composed.map_err(|error| No {
        rule: RuleId::SUBJECT_VALUE,
        value: match &error {
            NameError::Value { value, .. } => value.clone(),
            NameError::Malformed => String::new(),
        },
        reason: error.to_string(),
        remedy: Remedy::Request("ask for a value that the attribute can have".to_string()),
    })
}

fn of_kind<'a>(
    kind: AttributeType,
    values: impl IntoIterator<Item = &'a str>,
) -> Vec<(AttributeType, &'a str)> {
    values.into_iter().map(|value| (kind, value)).collect()
}

/// Exact, or by pattern; serialNumbers have a letter case.
fn serial_number_allowed(role: &RoleConfig, serial_number: &str) -> Result<(), No> {
    let allowed = &role.allowed_serial_numbers;
    if allowed.iter().any(|entry| entry == serial_number || glob(entry, serial_number)) {
        return Ok(());
    }
    Err(No {
        rule: RuleId::SUBJECT_SERIAL_NUMBER,
        value: serial_number.to_string(),
        reason: alloc::format!("the subject's serialNumber {serial_number:?} is not allowed by this role"),
        remedy: Remedy::Either {
            role: list_with("--allowed-serial-numbers", allowed, serial_number),
            request: "leave the serialNumber out of the subject".to_string(),
        },
    })
}

/// Exact, or by pattern, without regard to letter case.
fn user_id_allowed(role: &RoleConfig, user_id: &str) -> Result<(), No> {
    let allowed = &role.allowed_user_ids;
    let asked = user_id.to_lowercase();
    let matches = |entry: &String| {
        let entry = entry.to_lowercase();
        entry == asked || glob(&entry, &asked)
    };
    if allowed.iter().any(matches) {
        return Ok(());
    }
    Err(No {
        rule: RuleId::SUBJECT_USER_ID,
        value: user_id.to_string(),
        reason: alloc::format!("the user id {user_id:?} is not allowed by this role"),
        remedy: Remedy::Either {
            role: list_with("--allowed-user-ids", allowed, user_id),
            request: "leave the user id out of the subject".to_string(),
        },
    })
}

/// A certificate names somebody; without a subject, that is an alternative name.
fn nobody(granted: &[GeneralName]) -> Result<(), No> {
    if !granted.is_empty() {
        return Ok(());
    }
    Err(No {
        rule: RuleId::SUBJECT_NOBODY,
        value: String::new(),
        reason: "the certificate would name nobody: it has neither a subject nor an alternative name"
            .to_string(),
        remedy: Remedy::Request(
            "ask for a name: --common-name, --alt-names, --ip-sans or --uri-sans".to_string(),
        ),
    })
}
