//! Which subject attributes come from the role and which from the request.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::config::{Complaints, RoleConfig};
use super::{Role, nobody};
use crate::explain::{Inquiry, No, Remedy, RuleId};
use crate::issue::CommonName;
use crate::name::{AttributeType, DistinguishedName, GeneralName};

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
    /// The subject: the role's attributes, then the common name.
    pub(super) fn permit_subject(
        &self,
        common_name: Option<&CommonName>,
        serial_number: Option<String>,
        granted: &[GeneralName],
        inquiry: &mut Inquiry,
    ) -> Result<DistinguishedName, No> {
        if let Some(value) = serial_number {
            let _ = inquiry.ask(
                RuleId::SUBJECT_SERIAL_NUMBER,
                || value.clone(),
                || serial_number_allowed(&value),
            );
        }
        let nameless = common_name.is_none() && self.subject.is_empty();
        let value = || common_name.map(|name| name.as_str().to_string()).unwrap_or_default();
        let _ =
            inquiry.ask(RuleId::SUBJECT_NOBODY, value, || if nameless { nobody(granted) } else { Ok(()) });
        let attributes = self
            .subject
            .iter()
            .map(|(kind, values)| values.iter().map(|value| (*kind, value.as_str())).collect::<Vec<_>>());
        let common_name = common_name.map(|name| alloc::vec![(AttributeType::CommonName, name.as_str())]);
        // The attributes were checked when the role was accepted; what is left is the common name.
        DistinguishedName::new(attributes.chain(common_name)).map_err(|error| No {
            rule: RuleId::COMMON_NAME_LENGTH,
            value: String::new(),
            reason: error.to_string(),
            remedy: Remedy::Request("ask for another common name".to_string()),
        })
    }
}

/// Which serial numbers of subjects a role allows is not written yet, and absence means refusal.
fn serial_number_allowed(serial_number: &str) -> Result<(), No> {
    Err(No {
        rule: RuleId::SUBJECT_SERIAL_NUMBER,
        reason: alloc::format!("the subject's serialNumber {serial_number:?} is not allowed by this role"),
        value: serial_number.to_string(),
        remedy: Remedy::Request("make the CSR without a serialNumber in its subject".to_string()),
    })
}
