//! Which extensions of a requester's own a role grants.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::config::{Complaints, RoleConfig};
use super::remedy::list_with;
use crate::explain::{Inquiry, No, Remedy, RuleId};
use crate::extension::{self, Criticality, Extension};
use crate::lint::LintWaiver;
use crate::oid::Oid;

/// The extensions that a requester may ask for; none where the list is empty.
#[derive(Clone, Debug)]
pub(super) struct ExtensionPolicy(Vec<Entry>);

#[derive(Clone, Debug)]
struct Entry {
    which: Which,
    /// The most that may be asked for.
    at_most: Criticality,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Which {
    All,
    One(Oid),
}

impl ExtensionPolicy {
    pub(super) fn accept(config: &RoleConfig, complaints: &mut Complaints) -> Self {
        let mut entries = Vec::new();
        for text in &config.allowed_extensions {
            let (which, at_most) = match text.split_once(';') {
                None => (text.trim(), Some(Criticality::NonCritical)),
                Some((which, how)) if how.trim().eq_ignore_ascii_case("critical") => {
                    (which.trim(), Some(Criticality::Critical))
                }
                Some((which, _)) => (which.trim(), None),
            };
            let parsed = if which == "*" { Ok(Which::All) } else { which.parse().map(Which::One) };
            let problem = match (parsed, at_most) {
                (Ok(Which::One(id)), Some(_)) if extension::decided_by(id).is_some() => {
                    let by = extension::decided_by(id).unwrap_or_default();
                    alloc::format!("{text:?} is not a requester's to ask for: {by} decides")
                }
                (Ok(which), Some(at_most)) => {
                    entries.push(Entry { which, at_most });
                    continue;
                }
                _ => alloc::format!("{text:?} is not an extension"),
            };
            complaints.add(
                "allowed_extensions",
                problem,
                "OID, or OID;critical where it may be critical, such as 1.3.6.1.5.5.7.1.24; or * for all",
            );
        }
        Self(entries)
    }

    /// Whether this extension may be asked for, as critical as it is.
    pub(super) fn allows(&self, asked: &Extension) -> bool {
        let fits = |at_most| at_most == Criticality::Critical || asked.critical == Criticality::NonCritical;
        extension::decided_by(asked.id).is_none() && self.most(asked.id).is_some_and(fits)
    }

    /// The most that the role allows for this identifier.
    fn most(&self, id: Oid) -> Option<Criticality> {
        let entries =
            self.0.iter().filter(|entry| entry.which == Which::All || entry.which == Which::One(id));
        entries.map(|entry| entry.at_most).reduce(
            |most, next| {
                if next == Criticality::Critical { next } else { most }
            },
        )
    }

    /// The rules about every extension that is asked for.
    pub(super) fn ask(&self, role: &RoleConfig, asked: &[Extension], inquiry: &mut Inquiry) {
        for (position, extension) in asked.iter().enumerate() {
            let value = || extension.id.to_string();
            let before = asked.iter().take(position);
            let allowed = || self.extension_allowed(role, extension, before);
            if inquiry.ask(RuleId::EXTENSION_ALLOWED, value, allowed).is_err() {
                continue;
            }
            if extension.critical == Criticality::Critical {
                let _ = inquiry
                    .ask(RuleId::EXTENSION_CRITICAL, value, || self.extension_critical(role, extension));
            }
            let _ = inquiry.ask(RuleId::EXTENSION_VALUE, value, || extension_value(extension));
        }
    }

    /// The role lets requesters ask for it, and it is asked for once (RFC 5280 4.2).
    fn extension_allowed<'a>(
        &self,
        role: &RoleConfig,
        asked: &Extension,
        mut before: impl Iterator<Item = &'a Extension>,
    ) -> Result<(), No> {
        let id = asked.id;
        let no = |reason: String, remedy| No {
            rule: RuleId::EXTENSION_ALLOWED,
            value: id.to_string(),
            reason,
            remedy,
        };
        if let Some(by) = extension::decided_by(id) {
            let reason = alloc::format!("the extension {id} is not a requester's to ask for: {by} decides");
            return Err(no(reason, Remedy::Request("leave the extension out".to_string())));
        }
        if before.any(|other| other.id == id) {
            let reason = alloc::format!("the extension {id} is asked for twice (RFC 5280 4.2)");
            return Err(no(reason, Remedy::Request("ask for it once".to_string())));
        }
        if role.use_csr_extensions || self.most(id).is_some() {
            return Ok(());
        }
        let reason = alloc::format!("the extension {id} is not one that this role lets requesters ask for");
        Err(no(reason, remedy(role, asked)))
    }

    /// The role lets requesters ask for it as critical.
    fn extension_critical(&self, role: &RoleConfig, asked: &Extension) -> Result<(), No> {
        if role.use_csr_extensions || self.most(asked.id) == Some(Criticality::Critical) {
            return Ok(());
        }
        Err(No {
            rule: RuleId::EXTENSION_CRITICAL,
            value: asked.id.to_string(),
            reason: alloc::format!(
                "the extension {} is asked for as critical, which this role does not allow: whoever does not know it \
                 must refuse the certificate",
                asked.id
            ),
            remedy: remedy(role, asked),
        })
    }
}

/// Where the role grants critical extensions that verifiers need not know, it does without the lint against them.
pub(super) fn waiver(granted: &[Extension]) -> Option<LintWaiver> {
    granted.iter().find(|extension| extension.critical == Criticality::Critical).and_then(|extension| {
        let reason = alloc::format!("the role grants the extension {} as critical", extension.id);
        LintWaiver::parse(&alloc::format!("extension.unknown-critical: {reason}")).ok()
    })
}

fn remedy(role: &RoleConfig, asked: &Extension) -> Remedy {
    let (entry, request) = match asked.critical {
        Criticality::Critical => (
            alloc::format!("{};critical", asked.id),
            "leave the extension out, or ask for it without `critical`".to_string(),
        ),
        Criticality::NonCritical => (asked.id.to_string(), "leave the extension out".to_string()),
    };
    Remedy::Either { role: list_with("--allowed-extensions", &role.allowed_extensions, &entry), request }
}

/// RFC 5280 4.1.2.9: an extension's value is the DER of one ASN.1 value.
fn extension_value(asked: &Extension) -> Result<(), No> {
    if asked.is_one_value() {
        return Ok(());
    }
    Err(No {
        rule: RuleId::EXTENSION_VALUE,
        value: asked.id.to_string(),
        reason: alloc::format!("the value of the extension {} is not the DER of one ASN.1 value", asked.id),
        remedy: Remedy::Request("give a value in DER, or leave the extension out".to_string()),
    })
}
