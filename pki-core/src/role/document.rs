//! A role as a store keeps it: format, id, revision, every field.

use alloc::string::{String, ToString};
use core::fmt;

use serde_json::{Map, Value, json};

use super::RoleConfig;

/// A stored role. Defaults were resolved when it was written, so that a newer version never changes what an older role
/// means.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleDocument {
    format: u32,
    /// The role's immutable id.
    pub id: String,
    /// Which writing of the role this is; the first is 1.
    pub revision: u64,
    /// The fields.
    pub role: RoleConfig,
}

impl RoleDocument {
    /// The format that this version writes.
    pub const FORMAT: u32 = 2;

    /// A document of the present format.
    pub const fn new(id: String, revision: u64, role: RoleConfig) -> Self {
        Self { format: Self::FORMAT, id, revision, role }
    }

    /// Reads a document of any format up to the present one.
    ///
    /// # Errors
    ///
    /// [`RoleDocumentError`] for a newer format, an unknown field, or something that is no document.
    pub fn from_json(json: &[u8]) -> Result<Self, RoleDocumentError> {
        // The happy case reads once.
        let present = serde_json::from_slice::<Self>(json);
        if let Ok(document) = &present
            && document.format == Self::FORMAT
        {
            return present.map_err(malformed);
        }
        match serde_json::from_slice::<Format>(json).map_err(malformed)?.format {
            Self::FORMAT => present.map_err(malformed),
            1 => {
                let Older { id, revision, mut role, .. } = serde_json::from_slice(json).map_err(malformed)?;
                upgrade_1(&mut role)?;
                let role = serde_json::from_value(Value::Object(role)).map_err(malformed)?;
                Ok(Self::new(id, revision, role))
            }
            format => Err(RoleDocumentError::Format { format }),
        }
    }

    /// Writes the document.
    ///
    /// # Errors
    ///
    /// [`RoleDocumentError::Malformed`], which no role in memory leads to.
    pub fn to_json(&self) -> Result<String, RoleDocumentError> {
        serde_json::to_string(self)
            .map_err(|error| RoleDocumentError::Malformed { problem: error.to_string() })
    }
}

fn malformed(error: serde_json::Error) -> RoleDocumentError {
    RoleDocumentError::Malformed { problem: error.to_string() }
}

/// What every format says.
#[derive(serde::Deserialize)]
struct Format {
    format: u32,
}

/// A document whose role has the fields of an older format.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Older {
    #[serde(rename = "format")]
    _format: u32,
    id: String,
    revision: u64,
    role: Map<String, Value>,
}

/// From format 1 to 2: the fields that came with it, with what format 1 did without them.
fn upgrade_1(role: &mut Map<String, Value>) -> Result<(), RoleDocumentError> {
    let added = json!({
        "allowed_domains_template": false,
        "allow_globs_in_identity_templates": false,
        "allowed_ip_sans_cidr": [],
        "allowed_uri_sans_template": false,
        "allowed_other_sans": [],
        "allow_other_san_kinds": false,
        "allowed_serial_numbers": [],
        "allowed_user_ids": [],
        "use_pss": false,
        "key_reuse": "permit",
        "ext_key_usage_oids": [],
        "cn_validations": ["email", "hostname"],
        "use_csr_subject": false,
        "use_csr_extensions": false,
        "allowed_extensions": [],
        "policy_identifiers": [],
        "basic_constraints_valid_for_non_ca": false,
        "generate_lease": false,
        "not_before": "",
        "not_before_bound": "permit",
        "not_after_bound": "permit",
        "leaf_not_after_behavior": "",
        "lint_waivers": [],
    });
    if let Value::Object(added) = added {
        for (field, value) in added {
            if role.contains_key(&field) {
                return Err(RoleDocumentError::Malformed {
                    problem: alloc::format!("format 1 has no field {field}"),
                });
            }
            role.insert(field, value);
        }
    }
    Ok(())
}

/// A stored role that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RoleDocumentError {
    /// Written by a newer version.
    Format {
        /// Its format.
        format: u32,
    },
    /// Not a role of the present format.
    Malformed {
        /// Where and what.
        problem: String,
    },
}

impl fmt::Display for RoleDocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format { format } => write!(
                f,
                "the stored role has format {format}; this version knows formats 1 to {}",
                RoleDocument::FORMAT
            ),
            Self::Malformed { problem } => write!(f, "the stored role cannot be read: {problem}"),
        }
    }
}

impl core::error::Error for RoleDocumentError {}
