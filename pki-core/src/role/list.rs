//! A role's list of names: fixed entries, and templates that a requester's identity fills in.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::config::{Complaints, RoleConfig};
use super::template::{self, Template, ValueGlobs};
use crate::identity::Identity;

/// The entries in the form in which they are compared.
#[derive(Clone, Debug)]
pub(super) struct Entries {
    fixed: Vec<String>,
    templates: Vec<Template>,
    comparable: fn(&str) -> String,
}

/// What `{{` in an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Braces {
    Template,
    Characters,
}

impl Braces {
    /// What a role's switch says they are.
    pub(super) const fn of(template_switch: bool) -> Self {
        if template_switch { Self::Template } else { Self::Characters }
    }
}

impl Entries {
    pub(super) fn accept(
        field: &'static str,
        entries: &[String],
        braces: Braces,
        comparable: fn(&str) -> String,
        complaints: &mut Complaints,
    ) -> Self {
        let mut list = Self { fixed: Vec::new(), templates: Vec::new(), comparable };
        for entry in entries {
            // Without the role's word braces are characters, which no name has.
            if braces == Braces::Characters || !entry.contains("{{") {
                list.fixed.push(comparable(entry));
                continue;
            }
            match Template::parse(entry) {
                Ok(template) => list.templates.push(template),
                Err(error) => complaints.add(field, error.to_string(), template::PLACEHOLDERS),
            }
        }
        list
    }

    /// The entries that are the same for everybody.
    pub(super) fn fixed(&self) -> &[String] {
        &self.fixed
    }

    /// The templates, filled in for this requester; one that cannot be filled in is left out.
    pub(super) fn expanded(&self, role: &RoleConfig, identity: Option<&Identity>) -> Vec<String> {
        let Some(identity) = identity else {
            return Vec::new();
        };
        let globs = if role.allow_globs_in_identity_templates { ValueGlobs::Act } else { ValueGlobs::Refuse };
        let filled = self.templates.iter().filter_map(|template| template.expand(identity, globs));
        filled.map(|entry| (self.comparable)(&entry)).collect()
    }
}
