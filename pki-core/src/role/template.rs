//! Identity templates: `{{identity.entity.name}}` in a role's list stands for the requester's own value.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::identity::{Alias, Identity};

/// An entry of a list, parsed when the role is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(Placeholder),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Placeholder {
    Entity(Attribute),
    Alias(String, Attribute),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Attribute {
    Id,
    Name,
    Metadata(String),
}

/// Whether a `*` that comes with a value acts as a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueGlobs {
    Act,
    Refuse,
}

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, after)) = after.split_once("}}") else {
                return Err(TemplateError::Open { text: text.to_owned() });
            };
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            let name = name.trim();
            let placeholder = Placeholder::from_name(name)
                .ok_or_else(|| TemplateError::Placeholder { name: name.to_owned() })?;
            pieces.push(Piece::Value(placeholder));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    /// The entry for this requester; `None` where a value is unknown, empty, or brings a pattern that may not act.
    ///
    /// An empty value would leave the role's own `*` alone to stand for everything.
    pub(super) fn expand(&self, identity: &Identity, globs: ValueGlobs) -> Option<String> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(fixed) => text.push_str(fixed),
                Piece::Value(placeholder) => {
                    let value = placeholder.value(identity).filter(|value| !value.is_empty())?;
                    if value.contains('*') && globs == ValueGlobs::Refuse {
                        return None;
                    }
                    text.push_str(value);
                }
            }
        }
        Some(text)
    }
}

impl Placeholder {
    fn from_name(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("identity.entity.")?;
        match rest.strip_prefix("aliases.") {
            Some(rest) => {
                let (place, attribute) = rest.split_once('.')?;
                (!place.is_empty()).then_some(())?;
                Some(Self::Alias(place.to_owned(), Attribute::from_name(attribute)?))
            }
            None => Some(Self::Entity(Attribute::from_name(rest)?)),
        }
    }

    fn value<'a>(&self, identity: &'a Identity) -> Option<&'a str> {
        match self {
            Self::Entity(Attribute::Id) => Some(&identity.id),
            Self::Entity(Attribute::Name) => Some(&identity.name),
            Self::Entity(Attribute::Metadata(key)) => identity.metadata.get(key).map(String::as_str),
            Self::Alias(place, attribute) => {
                let Alias { id, name, metadata } = identity.aliases.get(place)?;
                match attribute {
                    Attribute::Id => Some(id),
                    Attribute::Name => Some(name),
                    Attribute::Metadata(key) => metadata.get(key).map(String::as_str),
                }
            }
        }
    }
}

impl Attribute {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "id" => Some(Self::Id),
            "name" => Some(Self::Name),
            _ => name
                .strip_prefix("metadata.")
                .filter(|key| !key.is_empty())
                .map(|k| Self::Metadata(k.to_string())),
        }
    }
}

/// An entry that is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TemplateError {
    /// `{{` without `}}`.
    Open { text: String },
    /// A name between the braces that stands for nothing.
    Placeholder { name: String },
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { text } => write!(f, "{text:?} has {{{{ without }}}}"),
            Self::Placeholder { name } => write!(f, "{{{{{name}}}}} stands for nothing"),
        }
    }
}

/// What may stand between the braces.
pub(super) const PLACEHOLDERS: &str = "{{identity.entity.id}}, .name, .metadata.KEY, \
                                       .aliases.PLACE.id, .aliases.PLACE.name, .aliases.PLACE.metadata.KEY";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn identity() -> Identity {
        let mut identity = Identity::named("ann");
        identity.metadata.insert("team".to_owned(), "blue".to_owned());
        identity.metadata.insert("star".to_owned(), "*.example.com".to_owned());
        identity.metadata.insert("nothing".to_owned(), String::new());
        let alias = Alias { name: "ann.lee".to_owned(), ..Alias::default() };
        identity.aliases.insert("userpass_1".to_owned(), alias);
        identity
    }

    #[test]
    fn values_take_the_place_of_names() {
        for (template, refused, acting) in [
            ("plain.example.com", Some("plain.example.com"), Some("plain.example.com")),
            ("{{identity.entity.name}}", Some("ann"), Some("ann")),
            ("a.{{ identity.entity.name }}.b", Some("a.ann.b"), Some("a.ann.b")),
            (
                "{{identity.entity.metadata.team}}.{{identity.entity.name}}",
                Some("blue.ann"),
                Some("blue.ann"),
            ),
            ("{{identity.entity.aliases.userpass_1.name}}", Some("ann.lee"), Some("ann.lee")),
            ("*{{identity.entity.name}}", Some("*ann"), Some("*ann")),
            ("{{identity.entity.metadata.star}}", None, Some("*.example.com")),
            ("{{identity.entity.metadata.nothing}}*", None, None),
            ("{{identity.entity.metadata.absent}}", None, None),
            ("{{identity.entity.aliases.userpass_2.name}}", None, None),
            ("{{identity.entity.id}}", None, None),
        ] {
            let parsed = Template::parse(template).unwrap();
            assert_eq!(parsed.expand(&identity(), ValueGlobs::Refuse).as_deref(), refused, "{template}");
            assert_eq!(parsed.expand(&identity(), ValueGlobs::Act).as_deref(), acting, "{template}");
        }
    }

    #[test]
    fn what_is_no_template() {
        for text in [
            "{{",
            "a{{identity.entity.name",
            "{{}}",
            "{{name}}",
            "{{identity.entity}}",
            "{{identity.entity.}}",
            "{{identity.entity.nick}}",
            "{{identity.entity.metadata.}}",
            "{{identity.entity.aliases.x}}",
            "{{identity.entity.aliases..name}}",
            "{{identity.groups.names.x.id}}",
        ] {
            let error = Template::parse(text).unwrap_err();
            assert!(!error.to_string().is_empty(), "{text}");
        }
    }

    proptest! {
        /// What a value brings is never more than the role's own stars (invariant 8).
        #[test]
        fn a_value_never_acts_as_a_pattern(value in "[a-z*.{}]{0,8}", fixed in "[a-z.*]{0,6}") {
            let template = Template::parse(&alloc::format!("{fixed}{{{{identity.entity.name}}}}")).unwrap();
            if let Some(text) = template.expand(&Identity::named(&value), ValueGlobs::Refuse) {
                prop_assert_eq!(text.matches('*').count(), fixed.matches('*').count());
                prop_assert_eq!(text, alloc::format!("{fixed}{value}"));
            }
        }
    }
}
