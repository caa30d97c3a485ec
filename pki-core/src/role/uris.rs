//! Which URIs a role grants.

use alloc::string::String;
use alloc::vec::Vec;

use super::config::{Complaints, RoleConfig};
use super::list::{Braces, Entries};
use super::pattern::glob;
use super::remedy::list_with;
use crate::explain::{Inquiry, No, Remedy, RuleId};
use crate::identity::Identity;
use crate::name::Uri;

/// The patterns of a role's URIs; none allowed where there are none.
#[derive(Clone, Debug)]
pub(super) struct Uris(Entries);

impl Uris {
    pub(super) fn accept(config: &mut RoleConfig, complaints: &mut Complaints) -> Self {
        config.allowed_uri_sans.retain(|uri| !uri.is_empty());
        Self(Entries::accept(
            "allowed_uri_sans",
            &config.allowed_uri_sans,
            Braces::of(config.allowed_uri_sans_template),
            // Scheme and host have no letter case (RFC 3986 6.2.2.1), and neither has the rest here.
            str::to_lowercase,
            complaints,
        ))
    }

    /// The patterns as they are for this requester.
    pub(super) fn of(&self, role: &RoleConfig, identity: Option<&Identity>) -> Vec<String> {
        self.0.expanded(role, identity)
    }

    /// The URI is one that the role allows. `own` are the requester's own patterns.
    pub(super) fn ask(&self, role: &RoleConfig, own: &[String], uri: &Uri, inquiry: &mut Inquiry) {
        let value = || uri.as_str().into();
        let allowed = || self.uri_allowed(role, own, uri);
        let because = |pattern: &&str| alloc::format!("allowed_uri_sans has {pattern}");
        let _ = inquiry.ask_because(RuleId::URI_ALLOWED, value, allowed, because);
    }

    fn uri_allowed<'a>(&'a self, role: &RoleConfig, own: &'a [String], uri: &Uri) -> Result<&'a str, No> {
        let text = uri.as_str().to_lowercase();
        if let Some(pattern) = self.0.fixed().iter().chain(own).find(|pattern| glob(pattern, &text)) {
            return Ok(pattern);
        }
        Err(No {
            rule: RuleId::URI_ALLOWED,
            value: uri.as_str().into(),
            reason: alloc::format!("the URI {:?} is not one that this role allows", uri.as_str()),
            remedy: Remedy::Role(list_with("--allowed-uri-sans", &role.allowed_uri_sans, uri.as_str())),
        })
    }
}
