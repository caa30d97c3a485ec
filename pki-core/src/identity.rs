//! Who asks: what whoever authenticated a requester says about them.

use alloc::collections::BTreeMap;
use alloc::string::String;

/// A requester's identity, from which templates of roles take values (`{{identity.entity.name}}`).
///
/// Nothing in it is trusted to be a pattern: a `*` in a value stays a character unless the role says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The requester's immutable id; empty where there is none.
    pub id: String,
    /// The requester's name.
    pub name: String,
    /// What is known about the requester, by key.
    pub metadata: BTreeMap<String, String>,
    /// What the requester is called elsewhere, by the place that says so.
    pub aliases: BTreeMap<String, Alias>,
}

/// A requester in one place that authenticates requesters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alias {
    /// The id there; empty where there is none.
    pub id: String,
    /// The name there.
    pub name: String,
    /// What is known there, by key.
    pub metadata: BTreeMap<String, String>,
}

impl Identity {
    /// An identity of this name, of which nothing else is known.
    pub fn named(name: &str) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}
